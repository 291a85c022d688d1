"""Totals hidden among the lines: a row without any party whose amount is the sum of others is no grant.

Counting it would double what it adds up. It is ignored only when the sum holds to the cent; any other row without a
party is rejected, and said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from decimal import Decimal

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
    named = framed.filter(~pl.col("anonymous"))
    totals = []
    previous = -1
    for row in framed.filter(pl.col("anonymous") & (pl.col("amount") != 0)).iter_rows(named=True):
        what = _adds_up(row["amount"], row["position"], row["year"], previous, named)
        if what is not None:
            totals.append((int(row["position"]), what))
            previous = row["position"]
    return totals


def _adds_up(amount: Decimal, position: int, year: int | None, previous: int, named: pl.DataFrame) -> str | None:
    groups = {
        "toutes les lignes": named,
        f"les lignes de {year}" if year else "les lignes sans année": named.filter(
            pl.col("year").eq_missing(pl.lit(year, dtype=pl.Int32))
        ),
        "les lignes au-dessus": named.filter(pl.col("position").is_between(previous + 1, position)),
    }
    for what, group in groups.items():
        if group.height >= _FEWEST and group["amount"].sum() == amount:
            return what
    return None


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
