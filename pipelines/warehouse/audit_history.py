"""What the audit looks at across publications: rows whose new figures differ by too little from ones printed before.

Row by row; what sums and differences of rows tell is in `audit_margins`.

Reads the public tables (current database) and the rows archived, not the decision of `holding`, which it checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse.former import RATES

if TYPE_CHECKING:
    import duckdb

    from pipelines.warehouse.publications import Archive
    from schemas.publication import Disclosure

_COUNTS = (
    "n_refused", "n_inadmissible", "n_withdrawn", "n_closed", "n_pending", "n_cancelled", "n_unknown", "n_decided",
    "n_submitted",
)  # fmt: skip


def findings(connection: duckdb.DuckDBPyConnection, archive: Archive, limits: Disclosure) -> pl.DataFrame:
    """The figures that moved by 1 to `min_count - 1` since a former publication, in the columns of `audit.FINDING`."""
    found = [
        pl.DataFrame(
            schema={
                "table": pl.String, "cell": pl.String, "measure": pl.String, "low": pl.Float64, "high": pl.Float64,
                "given_by": pl.String,
            }
        )
    ]  # fmt: skip
    for table, keys in RATES.items():
        past = archive.read(f"rows_{table}")
        if past.is_empty():
            continue
        new: pl.DataFrame = connection.sql(f"FROM {table} WHERE NOT is_former").pl()
        counts = [name for name in _COUNTS if name in new.columns and name in past.columns]
        both = new.select(*keys, *counts).join(
            past.select(*keys, "publication", *counts), on=list(keys), how="inner", nulls_equal=True, suffix="_then"
        )
        cell = pl.concat_str([pl.col(key).cast(pl.String) for key in keys], separator=" · ", ignore_nulls=True)
        for name in counts:
            moved = (pl.col(name).cast(pl.Float64) - pl.col(f"{name}_then").cast(pl.Float64)).alias("moved")
            found.append(
                both.select(cell.alias("cell"), "publication", moved)
                .filter(pl.col("moved").abs().is_between(1, limits.min_count - 1))
                .select(
                    pl.lit(table).alias("table"),
                    "cell",
                    pl.lit(name).alias("measure"),
                    pl.col("moved").alias("low"),
                    pl.col("moved").alias("high"),
                    pl.format("la publication n° {}", "publication").alias("given_by"),
                )
            )
    return pl.concat(found)
