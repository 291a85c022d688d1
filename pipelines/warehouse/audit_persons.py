"""What the audit looks at of the amounts of natural persons and of organisations of unknown kind.

The attacker has every nominative award: of each printed sum he knows what the others received together. The check is
that each printed sum is the nominative part and whole groups (`persons`), that every group is safe, and that no former
publication cuts one into parts that are not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse import persons, persons_former

if TYPE_CHECKING:
    import duckdb

    from pipelines.warehouse.publications import Archive
    from schemas.publication import Disclosure

FINDING_COLUMNS = ("table", "cell", "measure", "low", "high", "given_by")
_MEASURE = "amount"


def findings(
    connection: duckdb.DuckDBPyConnection, told: pl.DataFrame, archive: Archive, limits: Disclosure
) -> pl.DataFrame:
    """What is given away, in the columns of `audit.FINDING`. `told`: the groups, as `persons_former.decide` left them.

    `funding` is attached to `connection`.
    """
    found = [_printed(connection, cells, table) for table, cells in persons.sums(told).items()]
    unsafe = persons.unsafe_groups(told, limits)
    found.append(_described(unsafe, [*persons.BLOCK, "told"], "awards_not_nominative", "un groupe trop petit"))
    moved = persons_former.given_away(archive, told, limits)
    is_now = moved.join(told.filter(pl.col("told") != persons.NONE), on=moved.columns, how="semi")
    found.append(_described(is_now, moved.columns, "awards_not_nominative", "une publication antérieure"))
    return pl.concat(found)


def _printed(connection: duckdb.DuckDBPyConnection, others: pl.DataFrame, table: str) -> pl.DataFrame:
    """The sums that are not what legal persons received and whole groups of others."""
    keys = persons.cell_keys(table)
    is_total = table == "awards_not_nominative"  # made of others alone
    base = f"SELECT {', '.join(keys)}, 0 AS amount FROM {table}" if is_total else f"FROM funding.{table}"
    connection.register("others_by_cell", others)
    same = " AND ".join(f"{{0}}.{key} IS NOT DISTINCT FROM printed.{key}" for key in keys)
    known = "coalesce(whole.amount, 0)" if is_total else "coalesce(whole.amount, 0) - coalesce(others.cents, 0) * 0.01"
    wrong: pl.DataFrame = connection.sql(
        f"SELECT printed.*, (printed.amount - ({known}))::DOUBLE AS left_over "
        f"FROM {table} AS printed JOIN ({base}) AS whole ON {same.format('whole')} "
        f"LEFT JOIN others_by_cell AS others ON {same.format('others')} "
        f"WHERE abs(left_over - coalesce(others.cents_told, 0) * 0.01) > 0.005"
    ).pl()
    connection.unregister("others_by_cell")
    return _described(wrong, keys, table, f"{table} amount, awards amount")


def _described(rows: pl.DataFrame, keys: list[str], table: str, given_by: str) -> pl.DataFrame:
    amount = pl.col("left_over") if "left_over" in rows.columns else pl.lit(None, dtype=pl.Float64)
    return rows.select(
        pl.lit(table).alias("table"),
        pl.concat_str([pl.col(key).cast(pl.String) for key in keys], separator=" · ", ignore_nulls=True).alias("cell"),
        pl.lit(_MEASURE).alias("measure"),
        amount.alias("low"),
        amount.alias("high"),
        pl.lit(given_by).alias("given_by"),
    ).select(FINDING_COLUMNS)
