"""Sheets of a workbook that say again what another one says: a detail by theme, a sum by party, a pasted copy."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import by_value, fold

if TYPE_CHECKING:
    from pipelines.ingest.normalise import Normalised

_SAME = 0.95  # share of a sheet's lines found in another above which it repeats it
_FEWEST = 3  # lines: fewer may be equal by chance
FEWEST_PASTED = 4
"""Different lines in a row that are not said again by chance."""
_AMOUNTS = tuple(f"amount_{stage}" for stage in ("requested", "awarded", "committed", "paid", "loan", "guarantee"))
_TELLING = ("fiscal_year", "title", "case_number", "decided_date", "signed_date", "first_paid_date", *_AMOUNTS)


def repeated_sheets(parts: list[Normalised]) -> dict[int, tuple[int, int]]:
    """Positions of the sheets that repeat another: position → that other's, and how many of its lines are not in it.

    The sheet with most lines stays; between equals, the one with most cells filled, then the first.
    """
    if len(parts) == 1:
        return {}
    filled = [sum(part.raw.height - part.raw[name].null_count() for name in part.raw.columns) for part in parts]
    order = sorted(range(len(parts)), key=lambda i: (-parts[i].lines.height, -filled[i], i))
    kept: list[int] = []
    repeated: dict[int, tuple[int, int]] = {}
    for position in order:
        for other in kept:
            missing = _missing(parts[position].lines, parts[other].lines)
            if missing is None:
                missing = _not_added_up(parts[position].lines, parts[other].lines)
            if missing is not None:
                repeated[position] = (other, missing)
                break
        else:
            kept.append(position)
    return repeated


def repeated_block(lines: pl.LazyFrame) -> tuple[int, int, int] | None:
    """The longest run of lines that say, in the same order, what lines above say; None when there is none.

    Its first and last row, and the first row of those that it repeats. A grant may be given twice; several different
    ones, in the same order, were pasted twice.
    """
    told = ("source_row", "applicant_name", "applicant_siren", "decision_status", *_TELLING)
    known = lines.collect_schema().names()
    framed = lines.select(name for name in told if name in known).filter(pl.col("applicant_name").is_not_null())
    place = pl.int_range(pl.len()).alias("place")
    marked = framed.select("source_row", place, pl.struct(pl.exclude("source_row")).hash().alias("said")).collect()
    if not marked["said"].is_duplicated().any():
        return None
    marked = marked.with_columns((pl.col("place") - pl.col("place").shift(1).over("said")).alias("back"))
    runs = (
        marked.with_columns((pl.col("back") != pl.col("back").shift(1)).fill_null(True).cum_sum().alias("run"))
        .filter(pl.col("back").is_not_null())
        .group_by("run", maintain_order=True)
        .agg(
            pl.col("said").n_unique().alias("different"),
            pl.col("source_row").first().alias("first"),
            pl.col("source_row").last().alias("last"),
            (pl.col("place") - pl.col("back")).first().alias("origin"),
        )
        .filter(pl.col("different") >= FEWEST_PASTED)
        .sort("different", descending=True, maintain_order=True)
    )
    if runs.is_empty():
        return None
    first, last, origin = runs.select("first", "last", "origin").row(0)
    return first, last, marked["source_row"][origin]


def _missing(lines: pl.DataFrame, others: pl.DataFrame) -> int | None:
    """How many of `lines` are not among `others`; None when too many are not, or too few lines can be compared."""
    said = [name for name in _TELLING if _stated(lines, name) and _stated(others, name)]
    own, theirs = _bag(lines, said), _bag(others, said)
    count = sum(own.values())
    shared = sum((own & theirs).values())
    return count - shared if count >= _FEWEST and shared >= _SAME * count else None


def _not_added_up(lines: pl.DataFrame, others: pl.DataFrame) -> int | None:
    """How many of `lines` are not the sum of what `others` give the same party; None when too many are not.

    Each party has one line, and its year too where both sheets state it; some must add up several of the others.
    """
    amounts = [name for name in _AMOUNTS if _stated(lines, name) and _stated(others, name)]
    if not amounts or not _stated(lines, "applicant_name"):
        return None
    years = ["year"] if lines["fiscal_year"].null_count() == others["fiscal_year"].null_count() == 0 else []
    own, theirs = (_by_party(side, amounts) for side in (lines, others))
    if own.select("party", *years).is_duplicated().any() or own.height < _FEWEST:
        return None
    sums = theirs.group_by("party", *years).agg(pl.len(), *(pl.col(name).sum() for name in amounts))
    paired = own.join(sums, on=["party", *years], how="inner", suffix=" added")
    equal = pl.all_horizontal(pl.col(name).fill_null(0) == pl.col(f"{name} added").fill_null(0) for name in amounts)
    right = paired.filter(equal)
    is_sum = bool((right["len"] > 1).any())
    return own.height - right.height if is_sum and right.height >= max(_FEWEST, _SAME * own.height) else None


def _by_party(lines: pl.DataFrame, amounts: list[str]) -> pl.DataFrame:
    """The lines that name someone: their `party`, folded, their `year` and the amounts."""
    party = by_value(lines["applicant_name"], fold).alias("party")
    return lines.select(party, pl.col("fiscal_year").alias("year"), *amounts).filter(pl.col("party").is_not_null())


def _stated(lines: pl.DataFrame, name: str) -> bool:
    return lines[name].null_count() < lines.height


def _bag(lines: pl.DataFrame, said: list[str]) -> Counter[tuple[object, ...]]:
    """The lines that name someone and an amount, as a multiset of the folded name and what both sheets say."""
    amount = pl.any_horizontal(pl.col(name).is_not_null() for name in _AMOUNTS)
    named = lines.filter(pl.col("applicant_name").is_not_null() & amount)
    return Counter((fold(row[0]), *row[1:]) for row in named.select("applicant_name", *said).iter_rows())
