"""The awards in the formats that others read: SCDL 2.1.1 and 360Giving, a file of each for every licence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.publish import formats, grants_export, scdl_export
from pipelines.publish.open_data import DataFile, FileKind, sorted_lines
from pipelines.publish.reports import File, Stream
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


def standards(context: Context) -> Generator[File, None, list[Standard]]:
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


def _files(context: Context, folder: str) -> Generator[File, None, list[list[Any]]]:
    """The files of one licence; returns kind, path, size, sha256, number of awards, and what is said of the others."""
    database, part = context.database, context.licensing.part("awards", folder)
    needed = {*scdl_export.COLUMNS, *grants_export.COLUMNS}
    read = [name for name in database.columns("awards") if name in needed]
    dated = f"SELECT stage, amount, signed_date, decided_date FROM awards WHERE {part.where}"
    every = database.typed(dated, part.parameters)
    if part.folder and every.is_empty():
        return []
    n_grants, n_without = grants_export.counted(every)
    del every
    lines = partial(database.kept, sorted_lines("awards", part), part.parameters, read)
    counted = scdl_export.Counted()
    law = Stream(f"{SCDL_STEM}{part.suffix}{SCDL.ending}", lambda file: scdl_export.write(lines(), file, counted))
    yield law
    told = [_told(SCDL, law, counted.n_awards, _lacking(counted.n_left_out, counted.lacking))]
    if n_grants:
        write = partial(grants_export.write, publication=context.publication, terms=part.terms[0], title=TITLE)
        grants = Stream(f"{GRANTS_STEM}{part.suffix}{GRANTS.ending}", lambda file: write(lines(), file))
        yield grants
        lacks = f"{formats.plural(n_without, 'attribution')} sans montant ou sans date" if n_without else ""
        told.append(_told(GRANTS, grants, n_grants, lacks))
    return told


def _told(kind: FileKind, file: Stream, n_awards: int, left_out: str) -> list[Any]:
    return [kind.title, file.path, file.size, file.digest, n_awards, left_out]


def _lacking(left_out: int, lacking: Mapping[tuple[str, str], int]) -> str:
    """« 12 attributions : notificationUE, case vide (9) ; … », the most frequent reasons first."""
    if not left_out:
        return ""
    ranked = sorted(lacking.items(), key=lambda item: (-item[1], item[0]))
    told = [
        f"{column}, {words()[rule].title.lower()} ({formats.count(number)})"
        for (column, rule), number in ranked[:_NAMED]
    ]
    more = " ; d’autres raisons" if len(ranked) > _NAMED else ""
    return f"{formats.plural(left_out, 'attribution')} : {' ; '.join(told)}{more}"
