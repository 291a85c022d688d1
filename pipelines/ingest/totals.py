"""Totals hidden among the lines: a row without any party whose amount is the sum of others is no grant.

Counting it would double what it adds up. It is ignored only when the sum holds to the cent; any other row without a
party is rejected, and said.
"""

from __future__ import annotations

from decimal import Decimal

import polars as pl

_PARTIES = (
    "applicant_name",
    "applicant_siren",
    "applicant_siret",
    "applicant_rna",
    "applicant_local_id",
    "applicant_id_raw",
    "case_number",
)
_FEWEST = 2  # lines that a total must add up: one line equal to another is a coincidence


def unlabelled_totals(lines: pl.DataFrame) -> list[tuple[int, str]]:
    """Positions of the rows that are totals, each with what it adds up, in French.

    `lines` follows the contract. A row is a total when nobody is named on it and its amount equals the sum of all
    other rows, of those of its year, or of those between it and the total above.
    """
    amount = pl.coalesce("amount_awarded", "amount_paid", "amount_committed", "amount_requested")
    framed = lines.select(
        pl.int_range(pl.len()).alias("position"),
        pl.col("fiscal_year").alias("year"),
        amount.alias("amount"),
        pl.all_horizontal(pl.col(name).is_null() for name in _PARTIES).alias("anonymous"),
    )
    anonymous = framed.filter(pl.col("anonymous") & (pl.col("amount") != 0))
    if anonymous.is_empty():
        return []
    named = _Sums(framed.filter(~pl.col("anonymous")))
    totals = []
    previous = -1
    for row in anonymous.iter_rows(named=True):
        what = named.adding_up_to(row["amount"], row["position"], row["year"], previous)
        if what is not None:
            totals.append((int(row["position"]), what))
            previous = row["position"]
    return totals


class _Sums:
    """The amounts of the lines that name someone, added up once for all the rows that may be their total."""

    def __init__(self, named: pl.DataFrame) -> None:
        self._positions = named["position"]
        self._running = named["amount"].fill_null(0).cum_sum()
        by_year = named.group_by("year").agg(pl.len(), pl.col("amount").sum())
        self._years = {year: (lines, amount) for year, lines, amount in by_year.iter_rows()}

    def adding_up_to(self, amount: Decimal, position: int, year: int | None, previous: int) -> str | None:
        """Which lines add up to `amount`, in French: all, those of `year`, or those after `previous` and above."""
        first, end = self._positions.search_sorted(pl.Series([previous + 1, position + 1])).to_list()
        groups = {
            "toutes les lignes": (self._positions.len(), self._up_to(self._positions.len())),
            f"les lignes de {year}" if year else "les lignes sans année": self._years.get(year, (0, Decimal(0))),
            "les lignes au-dessus": (end - first, self._up_to(end) - self._up_to(first)),
        }
        found = (what for what, (lines, total) in groups.items() if lines >= _FEWEST and total == amount)
        return next(found, None)

    def _up_to(self, end: int) -> Decimal:
        return Decimal(self._running[end - 1]) if end else Decimal(0)


def whole_rows(totals: pl.DataFrame) -> list[tuple[int, str]]:
    """Positions of the stated totals whose row adds up all the others (« Ensemble », « EU »), each with its territory.

    `totals` follows the contract `decision_count`. A row is such when it gives several numbers, not all zero, and each
    is the sum of those of the other rows, two at least, for its year, service, scheme and measure.
    """
    cell = ["fiscal_year", "measure", "funder_name", "service_name", "scheme", "call_id"]
    framed = totals.select(
        pl.int_range(pl.len()).alias("position"),
        "source_row",
        "value",
        pl.coalesce("territory_name", "territory_code", pl.lit("")).alias("territory"),
        (pl.col("value") * 2 == pl.col("value").sum().over(cell)).alias("is_sum"),
        (pl.len().over(cell) > _FEWEST).alias("is_enough"),
    )
    whole = framed.filter(
        pl.col("is_sum").fill_null(False).all().over("source_row")
        & (pl.len().over("source_row") >= _FEWEST)
        & (pl.col("value").sum().over("source_row") > 0)
        & pl.col("is_enough").any().over("source_row")
    )
    if whole["source_row"].n_unique() != 1:  # two rows cannot both be the whole
        return []
    return [(int(position), territory) for position, territory in whole.select("position", "territory").iter_rows()]
