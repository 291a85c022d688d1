"""« Mentions »: publisher, licences, personal data, accessibility told as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish.licensing import NOT_STATED, updated_words
from pipelines.publish.reports import Output, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context
    from pipelines.publish.licensing import Terms
    from pipelines.publish.tables import Row


def build(context: Context) -> Iterator[Output]:
    """The page."""
    licensing = context.licensing
    by_licence: dict[Terms, list[str]] = {}
    for row in licensing.sources:
        by_licence.setdefault(row["terms"], []).append(_source(row))
    listed = [(terms, list(dict.fromkeys(names))) for terms, names in by_licence.items()]
    yield from context.page(
        REPORT.page,
        "legal.html.j2",
        report=REPORT,
        title="Mentions",
        description=REPORT.description,
        kicker="À savoir",
        lead="Qui publie, sous quelle licence, et comment faire corriger une erreur.",
        licences=sorted(listed, key=lambda item: item[0].title),
        licensing=licensing,
        not_stated=NOT_STATED,
    )


def _source(row: Row) -> str:
    """A source with its date of update."""
    return f"{row['name']}, {updated_words(row)}"


REPORT = Report(
    name="mentions",
    title="Mentions",
    description="Éditeur, licences, données personnelles, accessibilité, correction d'une erreur.",
    page="mentions.html",
    tables=("funders", "publication", "sources"),
    build=build,
    order=90,
)
