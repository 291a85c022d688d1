"""The same lines in two files: which line of one is which line of the other, one to one.

Exact first; then, for one applicant (and one funder where both files state it), a like title with the same amount, a
very like title with another amount (a restated line), or an amount that only one line of each side has. Measured on
the two publications of one city's year: 96 % of the
shorter one is found, against 63 % by equality alone.
"""

from __future__ import annotations

import polars as pl
from rapidfuzz import fuzz, process

from pipelines.ingest.fold import by_value, fold, fold_words

COLUMNS = (
    "fiscal_year",
    "case_number",
    "applicant_siren",
    "applicant_name",
    "amount_awarded",
    "amount_paid",
    "title",
    "funder_name",
)
_LIKE = 80  # rapidfuzz's 0-100 scale
_VERY_LIKE = 90
_MOST_PAIRS = 5_000_000  # above, only exact matches are tried: memory stays bounded


def count_matches(old: pl.DataFrame, new: pl.DataFrame, *, by_case: bool, by_funder: bool) -> int:
    """How many lines of `old` are found in `new`, one to one; both have `COLUMNS` and one fiscal year.

    With `by_case`, and case numbers on every line, a line is its case number and applicant, and nothing else.
    """
    if by_case and not old["case_number"].has_nulls() and not new["case_number"].has_nulls():
        keys = ["case_number", "applicant"]
        left, right = (_numbered(_keyed(lines, by_funder=False), keys) for lines in (old, new))
        return left.join(right, on=[*keys, "ordinal"], how="inner").height
    keys = ["applicant", "amount", "title"]
    left, right = (_numbered(_keyed(lines, by_funder=by_funder), keys) for lines in (old, new))
    exact = left.join(right, on=[*keys, "ordinal"], how="inner", suffix="_new")
    left_rest = left.filter(~pl.col("position").is_in(exact["position"].implode()))
    right_rest = right.filter(~pl.col("position").is_in(exact["position_new"].implode()))
    return exact.height + _count_alike(left_rest, right_rest)


def _keyed(lines: pl.DataFrame, *, by_funder: bool) -> pl.DataFrame:
    name = by_value(lines["applicant_name"], fold)
    party = pl.select(pl.coalesce(lines["applicant_siren"], name, pl.lit(""))).to_series()
    if by_funder:
        party = party + "\x1f" + by_value(lines["funder_name"], fold).fill_null("")
    amount = lines.select(pl.coalesce("amount_awarded", "amount_paid", pl.lit(0)).cast(pl.Decimal(18, 2))).to_series()
    return pl.DataFrame(
        {
            "position": range(lines.height),
            "case_number": lines["case_number"],
            "applicant": party,
            "amount": amount,
            "title": by_value(lines["title"], fold_words).fill_null(""),
        }
    )


def _numbered(lines: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Identical lines are told apart by their order: two grants of one file match two of the other."""
    return lines.with_columns(pl.int_range(pl.len()).over(keys).alias("ordinal"))


def _count_alike(left: pl.DataFrame, right: pl.DataFrame) -> int:
    weights = left.group_by("applicant").len("l").join(right.group_by("applicant").len("r"), on="applicant")
    if weights.select((pl.col("l") * pl.col("r")).sum()).item() > _MOST_PAIRS:
        return 0
    pairs = left.join(right, on="applicant", how="inner", suffix="_new")
    if pairs.is_empty():
        return 0
    likeness = process.cpdist(pairs["title"].to_list(), pairs["title_new"].to_list(), scorer=fuzz.token_set_ratio)
    same = pl.col("amount") == pl.col("amount_new")
    ranked = (
        pairs.with_columns(pl.Series("likeness", likeness))
        .with_columns(
            pl.when(same & (pl.col("likeness") >= _LIKE))
            .then(0)
            .when(pl.col("likeness") >= _VERY_LIKE)
            .then(1)
            .when(same & (pl.col("amount") > 0) & (pl.len().over("applicant", "amount", "amount_new") == 1))
            .then(2)
            .alias("tier")
        )
        .drop_nulls("tier")
        .sort(["tier", "likeness", "position", "position_new"], descending=[False, True, False, False])
    )
    taken_left: set[int] = set()
    taken_right: set[int] = set()
    for position, other in ranked.select("position", "position_new").iter_rows():
        if position not in taken_left and other not in taken_right:
            taken_left.add(position)
            taken_right.add(other)
    return len(taken_left)
