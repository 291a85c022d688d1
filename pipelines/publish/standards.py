"""The awards in the formats that others read: SCDL 2.1.1 and 360Giving, a file of each for every licence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.publish import formats, grants_export, scdl_export
from pipelines.publish.grants_export import grants
from pipelines.publish.open_data import DataFile, FileKind, data_file
from pipelines.publish.reports import Output
from pipelines.publish.scdl_export import conforming
from schemas.scdl import VERSION, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.publish.context import Context
    from pipelines.publish.licensing import Terms

SCDL = FileKind(f"SCDL « subventions » {VERSION}", ".csv", "csv", "text/csv")
GRANTS = FileKind("360Giving", ".json", "json", "application/json")
SCDL_STEM, GRANTS_STEM = "data/scdl/subventions", "data/360giving/grants"
TITLE = "Qui finance quoi : subventions"
_NAMED = 4
"""Reasons told one by one of what is left out."""


@dataclass(frozen=True)
class Standard:
    """One file: what it is, under which licences, how many awards it has, and what is said of the others."""

    file: DataFile
    terms: tuple[Terms, ...]
    n_awards: int
    left_out: str


def standards(context: Context) -> Iterator[tuple[Standard, Output]]:
    """Every file with its output. A licence without an award has none, but for the main one of SCDL."""
    order = context.database.columns("awards")
    read = [name for name in order if name in {*scdl_export.COLUMNS, *grants_export.COLUMNS}]
    for part in context.licensing.parts("awards"):
        awards = context.database.typed(
            f"SELECT {', '.join(read)} FROM awards WHERE {part.where} ORDER BY {', '.join(order)}", part.parameters
        )
        if part.folder and awards.is_empty():
            continue
        law = conforming(awards)
        content = law.content()
        path = f"{SCDL_STEM}{part.suffix}{SCDL.ending}"
        said = _lacking(law.n_left_out, law.lacking)
        yield Standard(data_file(SCDL, path, content), part.terms, law.frame.height, said), Output(path, content)
        made = grants(
            awards, publication=context.publication, terms=part.terms[0], title="Qui finance quoi : subventions"
        )
        if made.n_grants:
            path = f"{GRANTS_STEM}{part.suffix}{GRANTS.ending}"
            lacks = (
                f"{formats.plural(made.n_left_out, 'attribution')} sans montant ou sans date" if made.n_left_out else ""
            )
            yield (
                Standard(data_file(GRANTS, path, made.content), part.terms, made.n_grants, lacks),
                Output(path, made.content),
            )


def _lacking(left_out: int, lacking: Mapping[tuple[str, str], int]) -> str:
    """« 12 attributions : notificationUE, case vide (9) ; … », the most frequent reasons first."""
    if not left_out:
        return ""
    ranked = sorted(lacking.items(), key=lambda item: (-item[1], item[0]))
    told = [
        f"{column}, {words()[rule].title.lower()} ({formats.count(number)})"
        for (column, rule), number in ranked[:_NAMED]
    ]
    more = " ; d'autres raisons" if len(ranked) > _NAMED else ""
    return f"{formats.plural(left_out, 'attribution')} : {' ; '.join(told)}{more}"
