"""What a reader of `public.duckdb` knows of the non-awards, read from its tables and from nothing we meant to do.

Here: the printed figures as equations. The bounds they give are in `audit_bounds`, the verdict in `audit`. The
attacker is a strong one: he knows which services, départements and schemes received applications, and the number of
awards of each (`atoms`), since the awards are nominative.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse import suppression
from pipelines.warehouse.stated_disclosure import STATED_ATOMS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

NOT_AWARDED = "not_awarded"
MEASURES = (*suppression.MEASURES, NOT_AWARDED)
BLOCK = ("funder_id", "fiscal_year")
ATOM = (*BLOCK, "service_key", "departement_code", "scheme")
LEVELS: Mapping[str, tuple[str, ...]] = {
    "funder": BLOCK,
    "service": (*BLOCK, "service_key"),
    "territory": (*BLOCK, "service_key", "departement_code"),
    "scheme": (*BLOCK, "scheme"),
    "atom": ATOM,
}
"""What tells the cells of a level apart."""
CELL = ("table", "level", *ATOM)

_TABLES = {
    "refusal_rates_by_funder_year": "funder",
    "refusal_rates_by_service_year": "service",
    "refusal_rates_by_service_territory_year": "territory",
    "refusal_rates_by_scheme_year": "scheme",
}
_CALLS = """
    SELECT DISTINCT  -- several calls of one scheme print the same figures
        rates.funder_id, rates.fiscal_year, rates.scheme, rates.n_awarded,
        calls.n_total, calls.n_refused, calls.n_inadmissible, calls.n_pending, calls.refusal_rate
    FROM call_results AS calls JOIN refusal_rates_by_scheme_year AS rates USING (funder_id, scheme, fiscal_year)
"""
_STATED = """
    SELECT
        named.stated_table AS funder_id, shown.fiscal_year,
        if(shown.is_whole, NULL, named.cell) AS departement_code,
        shown.n_awarded, shown.n_submitted, shown.success_rate, shown.is_whole, shown.figures_date, shown.is_former
    FROM stated_success_rates AS shown
    JOIN (FROM funding.stated_success_rates WHERE is_public_table) AS named
        ON shown.funder_id = named.funder_id AND shown.fiscal_year = named.fiscal_year
        AND (shown.is_whole OR (
            shown.service_name IS NOT DISTINCT FROM named.service_name
            AND shown.scheme IS NOT DISTINCT FROM named.scheme
            AND shown.call_id IS NOT DISTINCT FROM named.call_id
            AND shown.territory_level IS NOT DISTINCT FROM named.territory_level
            AND shown.territory_name IS NOT DISTINCT FROM named.territory_name
        ))
    WHERE named.status IN ('shown', 'counts_only')
    GROUP BY ALL
    ORDER BY ALL
"""
_UNDECIDED = ("pending", "unknown")
_TINY = 1e-7
_MOST = 10_000_000
"""More applications than any cell has."""


@dataclass(frozen=True)
class Facts:
    """What is known.

    `atoms`: `suppression.ATOMS` without the counts, one row per atom and measure. `cells`: one row per public row
    (`CELL`, n_awarded). `values`: `CELL`, measure, value, column: a count that is printed or follows from printed
    figures of its own row. `mixed`: `CELL`, measure, coefficient, constant, column: equations between several
    hidden measures of one row, sum of coefficient × count = constant. `contradictions`: `CELL`, column, of the figures
    that do not agree with those beside them.
    """

    atoms: pl.DataFrame
    cells: pl.DataFrame
    values: pl.DataFrame
    mixed: pl.DataFrame
    contradictions: pl.DataFrame


def read(connection: duckdb.DuckDBPyConnection, atoms: pl.DataFrame) -> Facts:
    """The facts of the current database of `connection`, to which `funding` is attached.

    `atoms`: the applications as `disclosure` counts them, of which only what an attacker knows is used. Rows whose
    figures are former ones (`is_former`) tell nothing new and are left out.
    """
    rows = [_shaped(connection.sql(f"FROM {table}").pl(), table, level) for table, level in _TABLES.items()]
    rows.append(_shaped(connection.sql(_CALLS).pl(), "call_results", "scheme"))
    stated: pl.DataFrame = connection.sql(_STATED).pl()
    for level, is_whole in (("funder", True), ("territory", False)):
        part = stated.filter(pl.col("is_whole") == is_whole)
        rows.append(_shaped(part.with_columns(pl.lit("—").alias("service_key")), "stated_success_rates", level))
    printed = pl.concat(rows, how="diagonal")
    stated_atoms: pl.DataFrame = connection.sql(STATED_ATOMS).pl()
    columns = [pl.col(name).cast(dtype) for name, dtype in suppression.ATOMS.items()]
    known = pl.concat([atoms.select(columns), stated_atoms.select(columns)])
    values, mixed, contradictions = _solved(*_equations(printed))
    return Facts(known.drop("count"), printed.select(*CELL, "n_awarded"), values, mixed, contradictions)


def _shaped(frame: pl.DataFrame, table: str, level: str) -> pl.DataFrame:
    """Rows under the keys of every level (null where theirs has none) and their figures as numbers."""
    keys = LEVELS[level]
    is_figure = [
        name.startswith(("n_", "wilson_", "bound_")) or name.endswith(("_rate", "_share")) for name in frame.columns
    ]
    figures = [name for name, is_one in zip(frame.columns, is_figure, strict=True) if is_one]
    if "is_former" in frame.columns:
        frame = frame.filter(~pl.col("is_former"))
    return frame.select(
        pl.lit(table).alias("table"),
        pl.lit(level).alias("level"),
        *(_key(name, present=name in keys) for name in ATOM),
        *(pl.col(name).cast(pl.Float64) for name in figures),
    )


def _key(name: str, *, present: bool) -> pl.Expr:
    dtype = suppression.ATOMS[name]
    return pl.col(name).cast(dtype) if present else pl.lit(None, dtype=dtype).alias(name)


def _equations(printed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Counts printed as such (`CELL`, measure, value, column), and every other figure as an equation between counts."""
    names = {**{measure: f"n_{measure}" for measure in suppression.MEASURES}, NOT_AWARDED: "n_not_awarded"}
    awarded = pl.col("n_awarded")
    counts = [
        printed.filter(pl.col(column).is_not_null()).select(
            *CELL, pl.lit(measure).alias("measure"), pl.col(column).alias("value"), pl.lit(column).alias("column")
        )
        for measure, column in names.items()
        if column in printed.columns
    ]
    found = []
    for column, (share, among, constant) in _WRITTEN.items():
        if column not in printed.columns:
            continue
        rows = printed.filter(pl.col(column).is_not_null())
        rate = pl.col(column)
        for measure in among:
            in_share = pl.lit(1.0 if measure in share else 0.0)
            coefficient = pl.lit(1.0) if constant == "count" else in_share - rate
            right = rate - awarded if constant == "count" else rate * awarded
            found.append(_equation(rows, column, measure, coefficient, right))
    found += _read_back(printed)
    return pl.concat(counts), pl.concat(found)


_ALL = suppression.MEASURES
_WRITTEN: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "n_decided": ((), ("refused",), "count"),
    "n_total": ((), _ALL, "count"),
    "n_submitted": ((), (NOT_AWARDED,), "count"),
    "refusal_rate": (("refused",), ("refused",), "share"),
    "inadmissibility_rate": (("inadmissible",), ("refused", "inadmissible"), "share"),
    "non_success_rate": (("refused", "inadmissible"), ("refused", "inadmissible"), "share"),
    "bound_low": (("refused",), ("refused", *_UNDECIDED), "share"),
    "bound_high": (("refused", *_UNDECIDED), ("refused", *_UNDECIDED), "share"),
    "pending_share": (("pending",), _ALL, "share"),
}
"""Figure → measures counted above, measures counted below, and whether it is a count (awards included) or a share."""


def _read_back(printed: pl.DataFrame) -> list[pl.DataFrame]:
    """Figures that are turned round before they are an equation: complements of shares, and ends of intervals."""
    awarded = pl.col("n_awarded")
    found = []
    if "decided_share" in printed.columns:
        undecided = 1 - pl.col("decided_share")
        found += [
            _equation(
                printed.filter(pl.col("decided_share").is_not_null()),
                "decided_share",
                measure,
                pl.lit(1.0 if measure in _UNDECIDED else 0.0) - undecided,
                undecided * awarded,
            )
            for measure in _ALL
        ]
    if "success_rate" in printed.columns:
        rate = pl.col("success_rate")
        rows = printed.filter(rate.is_not_null())
        found.append(_equation(rows, "success_rate", NOT_AWARDED, rate, awarded * (1 - rate)))
    for column in ("wilson_low", "wilson_high"):
        for measure, count in (("refused", "n_refused"), (NOT_AWARDED, "n_submitted")):
            if column not in printed.columns or count not in printed.columns:
                continue
            is_stated = pl.col("table") == "stated_success_rates"
            mine = is_stated if measure == NOT_AWARDED else ~is_stated
            rows = printed.filter(pl.col(column).is_not_null() & pl.col(count).is_null() & mine)
            behind = [
                _behind(end, round(a), is_low=column == "wilson_low", of_awards=measure == NOT_AWARDED)
                for end, a in rows.select(column, "n_awarded").iter_rows()
            ]
            constant = pl.Series("constant", behind, dtype=pl.Float64)
            found.append(_equation(rows, column, measure, pl.lit(1.0), pl.lit(constant)))
    return found


def _equation(rows: pl.DataFrame, column: str, measure: str, coefficient: pl.Expr, constant: pl.Expr) -> pl.DataFrame:
    return rows.select(
        *CELL,
        pl.lit(measure).alias("measure"),
        coefficient.alias("coefficient"),
        constant.alias("constant"),
        pl.lit(column).alias("column"),
    )


def _behind(end: float, awarded: int, *, is_low: bool, of_awards: bool) -> float:
    """The count of non-awards whose Wilson interval ends there, given the awards: one end tells the count."""
    sign = -1.0 if of_awards else 1.0  # with more non-awards the share of refusals rises, that of awards falls

    def at(count: int) -> float:
        n = awarded + count
        share = awarded if of_awards else count
        return sign * wilson_end(share, n, is_low=is_low) if n else -2.0

    return float(bisect_left(range(_MOST), sign * end - 1e-12, key=at))


def wilson_end(x: int, n: int, *, is_low: bool) -> float:
    """One end of Wilson's 95 % interval (1927) of the proportion x ÷ n; n > 0."""
    z2 = 1.959963984540054**2
    centre, half = (x + z2 / 2) / (n + z2), math.sqrt(z2) / (n + z2) * math.sqrt(x * (n - x) / n + z2 / 4)
    return centre - half if is_low else centre + half


def _solved(values: pl.DataFrame, equations: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Put known counts in the equations until none has a single unknown left: values, what remains, what clashes."""
    equations = equations.filter(pl.col("coefficient").abs() > _TINY)
    clashes = []
    while True:
        known = values.group_by([*CELL, "measure"], maintain_order=True).agg(pl.col("value").first())
        reduced = (
            equations.join(known, on=[*CELL, "measure"], how="left", nulls_equal=True)
            .group_by([*CELL, "column"], maintain_order=True)
            .agg(
                (pl.col("constant").first() - (pl.col("coefficient") * pl.col("value")).sum()).alias("left"),
                pl.col("constant").first().abs().alias("size"),
                pl.col("value").is_null().sum().alias("unknown"),
                pl.col("measure").filter(pl.col("value").is_null()).first().alias("measure"),
                pl.col("coefficient").filter(pl.col("value").is_null()).first().alias("coefficient"),
            )
        )
        wrong = (pl.col("unknown") == 0) & (pl.col("left").abs() > _TINY * (1 + pl.col("size")))
        clashes.append(reduced.filter(wrong).select(*CELL, "column"))
        equations = equations.join(
            reduced.filter(pl.col("unknown") > 1), on=[*CELL, "column"], how="semi", nulls_equal=True
        )
        found = reduced.filter(pl.col("unknown") == 1).with_columns(
            (pl.col("left") / pl.col("coefficient")).round(6).alias("value")
        )
        if found.is_empty():
            break
        values = pl.concat([values, found.select(*CELL, "measure", "value", "column")])
    told = values.group_by([*CELL, "measure"], maintain_order=True).agg(
        pl.col("value").first(),
        pl.col("column").unique(maintain_order=True).str.join(", "),
        (pl.col("value").max() - pl.col("value").min() > 0.5).alias("clashes"),
    )
    clashes.append(told.filter(pl.col("clashes")).select(*CELL, "column"))
    return told.drop("clashes"), equations, pl.concat(clashes).unique(maintain_order=True)
