"""« Mentions »: publisher, licences, personal data, accessibility told as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats
from pipelines.publish.reports import Output, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context


def build(context: Context) -> Iterator[Output]:
    """The page."""
    licences: dict[str, list[str]] = {}
    for funder in context.directory.funders.values():
        name = "licence non renseignée" if formats.is_missing(funder["licence"]) else str(funder["licence"])
        licences.setdefault(name, []).append(str(funder["name"]))
    yield from context.page(
        REPORT.page,
        "legal.html.j2",
        report=REPORT,
        title="Mentions",
        description=REPORT.description,
        kicker="À savoir",
        lead="Qui publie, sous quelle licence, et comment faire corriger une erreur.",
        licences=sorted(licences.items()),
    )


REPORT = Report(
    name="mentions",
    title="Mentions",
    description="Éditeur, licences, données personnelles, accessibilité, correction d'une erreur.",
    page="mentions.html",
    tables=("funders", "publication"),
    build=build,
    order=90,
)
