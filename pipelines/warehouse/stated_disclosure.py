"""Which totals stated by a funder may be shown: the rule and the tree of `suppression`, on what was not awarded.

A table of totals that gives what was submitted and what was awarded gives what was not: each cell is an atom of its
table and year, counted as `submitted - awarded`, and is protected as a refusal would be, its own total included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse import suppression

if TYPE_CHECKING:
    import duckdb

    from schemas.publication import Disclosure

_ONLY = "—"
STATED_ATOMS = """
    SELECT
        stated_table AS funder_id, fiscal_year, '—' AS service_key, cell AS departement_code, '—' AS scheme,
        'not_awarded' AS measure, n_awarded::BIGINT AS n_awarded, (n_submitted - n_awarded)::BIGINT AS "count",
        false AS is_known_zero
    FROM funding.stated_success_rates
    WHERE is_public_table AND status IN ('shown', 'counts_only')
    ORDER BY ALL
"""


def shown_cells(atoms: pl.DataFrame, limits: Disclosure) -> pl.DataFrame:
    """The cells (level « territory ») and wholes (level « funder ») to show. `atoms`: the result of `STATED_ATOMS`."""
    tables = atoms.select("funder_id", "fiscal_year").unique()
    published = pl.concat(
        [
            tables.with_columns(pl.lit(None, dtype=pl.String).alias("service_key")),
            tables.with_columns(pl.lit(_ONLY).alias("service_key")),
        ]
    )
    shown = suppression.protect(
        atoms,
        suppression.Thresholds(limits.min_decisions, limits.min_count),
        published=published,
        published_schemes=pl.DataFrame(schema={name: suppression.ATOMS[name] for name in suppression.SCHEME_YEAR}),
    )
    return pl.concat(
        [
            shown.funder_year.with_columns(level=pl.lit("funder")),
            shown.territory_year.with_columns(level=pl.lit("territory")),
        ],
        how="diagonal",
    )


def register(connection: duckdb.DuckDBPyConnection, cells: pl.DataFrame) -> dict[str, int]:
    """Make `shown_stated_cells` and `shown_stated_wholes` readable by the models; returns how many there are."""
    of_table = cells.with_columns(pl.col("funder_id").alias("stated_table"))
    parts = of_table.filter(pl.col("level") == "territory")
    parts = parts.select("stated_table", "fiscal_year", pl.col("departement_code").alias("cell"))
    wholes = of_table.filter(pl.col("level") == "funder").select("stated_table", "fiscal_year")
    connection.register("shown_stated_cells", parts)
    connection.register("shown_stated_wholes", wholes)
    return {"stated_cell": parts.height, "stated_whole": wholes.height}
