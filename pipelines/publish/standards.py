"""The awards in the formats that others read: SCDL 2.1.1 and 360Giving, a file of each for every licence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.publish import formats, grants_export, scdl_export
from pipelines.publish.grants_export import grants
from pipelines.publish.open_data import DataFile, FileKind
from pipelines.publish.reports import Kept, Output
from pipelines.publish.scdl_export import conforming
from schemas.scdl import VERSION, words

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

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


def standards(context: Context) -> Generator[Output | Kept, None, list[Standard]]:
    """Every file; returns what they are. A licence without an award has none, but for the main one of SCDL."""
    kinds = {kind.title: kind for kind in (SCDL, GRANTS)}
    found = []
    for part in context.licensing.parts("awards"):
        told = yield from context.part(_files, part.folder)
        found += [
            Standard(DataFile(kinds[title], path, size, sha), part.terms, n_awards, left_out)
            for title, path, size, sha, n_awards, left_out in told
        ]
    return found


def _files(context: Context, folder: str) -> Generator[Output, None, list[list[Any]]]:
    """The files of one licence; returns kind, path, size, sha256, number of awards, and what is said of the others."""
    order = context.database.columns("awards")
    read = [name for name in order if name in {*scdl_export.COLUMNS, *grants_export.COLUMNS}]
    part = context.licensing.part("awards", folder)
    awards = context.database.typed(
        f"SELECT {', '.join(read)} FROM awards WHERE {part.where} ORDER BY {', '.join(order)}", part.parameters
    )
    if part.folder and awards.is_empty():
        return []
    law = conforming(awards)
    output = Output(f"{SCDL_STEM}{part.suffix}{SCDL.ending}", law.content())
    told = [_told(SCDL, output, law.frame.height, _lacking(law.n_left_out, law.lacking))]
    yield output
    made = grants(awards, publication=context.publication, terms=part.terms[0], title=TITLE)
    if made.n_grants:
        lacks = f"{formats.plural(made.n_left_out, 'attribution')} sans montant ou sans date" if made.n_left_out else ""
        output = Output(f"{GRANTS_STEM}{part.suffix}{GRANTS.ending}", made.content)
        told.append(_told(GRANTS, output, made.n_grants, lacks))
        yield output
    return told


def _told(kind: FileKind, output: Output, n_awards: int, left_out: str) -> list[Any]:
    return [kind.title, output.path, len(output.content), output.digest, n_awards, left_out]


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
