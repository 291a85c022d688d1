"""Commas without quotes: rows of a delimited file whose cells slid to the right, put back only where that is certain.

`24 975,00` in a comma file makes two cells, and so does a comma inside a sentence. A row is repaired when exactly one
way of joining neighbouring cells fits every column whose content can be told (amount, date, number, yes or no, code).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import fold
from pipelines.ingest.sheet import Problem
from schemas.contract import Euro, Share
from schemas.format import application_fields

if TYPE_CHECKING:
    from pipelines.ingest.recognise import Header

_MOST_EXCESS = 8
_MOST_SOLUTIONS = 2
_CENTS = 2  # digits after a decimal comma
_AMOUNT = re.compile(r"^[+-]?\d{1,3}([\s\u00a0\u202f.]?\d{3})*([.,]\d{1,2})?\s*(€|euros?)?$")
_DATE = re.compile(r"^(\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/\d{4})")
_WHOLE = re.compile(r"^\s*\d{1,3}([\s\u00a0\u202f]?\d{3})*\s*$")
_NUMBER = re.compile(r"^\d+([.,]\d+)?\s*%?$")
_IDENTIFIER = re.compile(r"^([\d\s\u00a0']{9,20}|W\d\w\d{7})$")
_YES_NO = re.compile(r"^(oui|non|o|n|true|false|vrai|faux|0|1)$", re.IGNORECASE)


def repair_spilled(header: Header, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Problem]]:
    """`rows` with the cells of too long rows joined where they belong, and what was done or could not be, row by row.

    Only a header whose titled columns stand side by side from the first one gives a place to each cell.
    """
    letters = header.sheet.letters
    titled = [letter for letter in letters if header.titles.get(letter, "").strip()]
    if titled != letters[: len(titled)] or len(titled) == len(letters):
        return rows, []
    beyond = pl.any_horizontal(pl.col(letter).is_not_null() for letter in letters[len(titled) :])
    long_rows = rows.filter(beyond)
    if long_rows.is_empty():
        return rows, []
    raw = header.sheet.cells.filter(pl.col("row").is_in(long_rows["row"].to_list()))
    mended, problems = [], []
    for number, *cells in raw.iter_rows():
        texts = _without_tail([cell or "" for cell in cells])
        solutions = _solutions(texts, titled, header)
        if len(solutions) == 1:
            joined = [text.strip(" \u00a0\n") or None for text in solutions[0]]
            mended.append((number, *joined, *[None] * (len(letters) - len(titled))))
            problems.append(Problem(number, "cells_rejoined", f"{len(texts)} cellules pour {len(titled)} colonnes"))
        elif not _fits(texts[: len(titled)], titled, header):
            problems.append(Problem(number, "row_shifted", f"{len(texts)} cellules pour {len(titled)} colonnes"))
    repaired = pl.DataFrame(mended, schema=rows.schema, orient="row")
    kept = rows.filter(~pl.col("row").is_in(repaired["row"].to_list()))
    return pl.concat([kept, repaired]).sort("row"), problems


def _without_tail(cells: list[str]) -> list[str]:
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _solutions(cells: list[str], titled: list[str], header: Header) -> list[list[str]]:
    """The ways (two at most are sought) of joining `cells` into one for each titled column."""
    excess = len(cells) - len(titled)
    if not 0 < excess <= _MOST_EXCESS:
        return []
    found: list[list[str]] = []

    def place(position: int, column: int, taken: list[str]) -> None:
        if len(found) >= _MOST_SOLUTIONS:
            return
        if column == len(titled):
            if position == len(cells):
                found.append(taken)
            return
        spare = len(cells) - position - (len(titled) - column)
        for joined in range(spare + 1):
            if joined and not _goes_on(cells[position + joined - 1], cells[position + joined]):
                break
            text = ",".join(cells[position : position + joined + 1])
            if _may_be(text, header.fields.get(titled[column]), header, joined=joined):
                place(position + joined + 1, column + 1, [*taken, text])

    place(0, 0, [])
    return found


def _goes_on(before: str, after: str) -> bool:
    """Whether a comma between two cells reads like one inside a text or a number (a whole number begins anew)."""
    if _WHOLE.match(after) and len(after.strip()) > _CENTS:
        return False
    return after.startswith((" ", "\u00a0")) or (before[-1:].isdigit() and after[:1].isdigit())


def _fits(cells: list[str], titled: list[str], header: Header) -> bool:
    padded = [*cells, *[""] * (len(titled) - len(cells))]
    return all(_may_be(t, header.fields.get(k), header, joined=0) for t, k in zip(padded, titled, strict=True))


def _may_be(text: str, name: str | None, header: Header, *, joined: int) -> bool:
    """Whether `text` can be the content of the field `name`; a column of words takes anything."""
    text, name = text.strip(" \u00a0"), (name or "").partition(".")[0]
    known = application_fields().get(name)
    if not text:
        return joined == 0
    if known is not None and known.codelist is not None:
        rule = header.format.rule(name)
        return not rule.values or fold(text) in {fold(spelling) for spelling in rule.values}
    pattern = _pattern(name)
    return pattern is None or (joined < _MOST_SOLUTIONS and pattern.match(text) is not None)


def _pattern(name: str) -> re.Pattern[str] | None:
    known = application_fields().get(name)
    if name in ("applicant_id", "funder_id") or name.endswith(("_siret", "_siren", "_rna")):
        return _IDENTIFIER
    if name == "payment_period":
        return _DATE
    if known is None:
        return None
    kinds = ((Euro, _AMOUNT), (Share, _NUMBER), (pl.Date, _DATE), (pl.Boolean, _YES_NO))
    return next((pattern for dtype, pattern in kinds if known.dtype == dtype), None)
