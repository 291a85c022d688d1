"""Cells that hold several codes of a list: « Communes,Associations », « projet ; fonctionnement »."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import by_value, fold
from schemas.contract import SEVERAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BRACKETS = re.compile(r"\([^()]*\)")
_BETWEEN = re.compile(r"[;|\n\r]+|,")
_UNLISTED = "\x00"


@dataclass(frozen=True)
class Several:
    """`codes`: known codes joined by `SEVERAL`, null without any. `is_unlisted`: the cell says something else too."""

    codes: pl.Series
    is_unlisted: pl.Series


def parse_several(
    text: pl.Series, table: Mapping[str, str], order: Sequence[str], *, unlisted: str | None = None
) -> Several:
    """Read cells against `table` (folded words → code, "" for a word to pass over).

    Words stand between semicolons, bars, commas or line breaks; what is in brackets does not count. A whole cell that
    is a word of `table` is one word, commas included. `unlisted` is the code of any other word ("" to pass it over).
    """

    def read(cell: str) -> str:
        parts = [cell] if fold(cell) in table else _BETWEEN.split(_BRACKETS.sub(" ", cell))
        found = {table.get(fold(part), _UNLISTED if unlisted is None else unlisted) for part in parts if fold(part)}
        return SEVERAL.join([*(code for code in order if code in found), *([_UNLISTED] if _UNLISTED in found else [])])

    coded = by_value(text, read)
    known = coded.str.replace(f"{SEVERAL}?{_UNLISTED}$", "")
    codes = pl.select(pl.when(known != "").then(known)).to_series().alias(text.name)
    return Several(codes, coded.str.contains(_UNLISTED, literal=True).fill_null(False))
