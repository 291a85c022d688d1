"""Rows that name nobody and say again the case and the amount of a row that does: one case would count twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pipelines.ingest.recognise import Header

UNNAMED = "répète, sans demandeur, le dossier d'une autre ligne"
_SAME = ("case_number", "fiscal_year", "funder_name", "service_name")


def unnamed_repeats(header: Header, rows: pl.DataFrame) -> set[int]:
    """The numbers of such rows among `rows` (text cells by letter, blank ones null).

    None but in a format that says so: elsewhere a blank cell may stand for the one above it.
    """
    if not header.format.layout.unnamed_repeats:
        return set()
    letters = {name: letter for letter, name in header.fields.items()}
    parties = [letter for name, letter in letters.items() if name.startswith("applicant_")]
    amounts = [letter for name, letter in letters.items() if name.startswith("amount_")]
    case = letters.get("case_number")
    if case is None or not parties or not amounts:
        return set()
    same = [*amounts, *(letters[name] for name in _SAME if name in letters)]
    is_unnamed = pl.all_horizontal(pl.col(letter).is_null() for letter in parties) & pl.col(case).is_not_null()
    unnamed = rows.filter(is_unnamed)
    if unnamed.is_empty():
        return set()
    return set(unnamed.join(rows.filter(~is_unnamed), on=same, how="semi", nulls_equal=True)["row"].to_list())
