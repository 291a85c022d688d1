"""Amounts awarded to natural persons and to organisations of unknown kind: in public sums by groups only.

Awards to legal persons are nominative, so a public sum less those of its cell is what the others received: a cell with
one person among them would tell that person's amount, and so would the difference of two tables. The amounts of these
others are therefore put in groups, once for every table: a group has at least `min_persons` of them, none with more
than `max_share` of it, and enters whole a cell whose keys all of it has, or does not enter the table at all. Whatever
is computed from the tables is then a combination of sums of groups, and no group is one person's.

Groups are sought from the finest keys to the coarsest (`LEVELS`), within one funder, year, currency and stage. What is
left at the end takes the smallest groups with it until all is safe; if nothing is, the amounts are in no public sum.
How many awards there are stays public everywhere: a number says nothing of who nor of how much.

Pure functions on frames, then what they change in the tables (`hold`). Source: DOMAIN 6 (Insee: three units at least,
none above 85 %).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse.connection import run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

    from schemas.publication import Disclosure

BLOCK = ("funder_id", "fiscal_year", "currency", "stage", "funder_level", "level_group")
LEVELS: Mapping[str, tuple[str, ...]] = {
    "full": (
        "applicant_kind", "service_key", "scheme", "theme", "theme_raw", "purpose", "aid_form", "departement_code",
        "region_code", "epci_code",
    ),
    "place": ("applicant_kind", "service_key", "theme", "departement_code", "region_code"),
    "theme": ("applicant_kind", "service_key", "theme"),
    "service": ("applicant_kind", "service_key"),
    "funder": ("applicant_kind",),
    "total": (),
}  # fmt: skip
"""What a group shares besides its block, from the finest to the coarsest."""
NONE = "none"
TABLES: Mapping[str, tuple[str, ...]] = {
    "awards_not_nominative": ("funder_id", "applicant_kind"),
    "funding_by_aid_form_year": ("funder_id", "aid_form"),
    "funding_by_epci_year": ("funder_id", "epci_code"),
    "funding_by_funder_theme_territory_year": ("funder_id", "theme", "departement_code"),
    "funding_by_funder_theme_year": ("funder_id", "theme", "theme_raw"),
    "funding_by_funder_year": ("funder_id",),
    "funding_by_level_territory_year": ("level_group", "departement_code"),
    "funding_by_level_year": ("funder_level",),
    "funding_by_purpose_year": ("funder_id", "purpose"),
    "funding_by_region_year": ("funder_id", "region_code"),
    "funding_by_scheme_year": ("funder_id", "scheme"),
    "funding_by_service_year": ("funder_id", "service_key"),
    "funding_by_territory_year": ("funder_id", "departement_code"),
    "funding_by_theme_year": ("theme",),
}
"""The public tables whose column `amount` adds groups, and their keys besides year, currency and stage."""
ATOMS = pl.Schema({
    **dict.fromkeys((*BLOCK, *LEVELS["full"], "unit"), pl.String), "fiscal_year": pl.Int32, "cents": pl.Int64,
    "n_lines": pl.Int64,
})  # fmt: skip
"""One row per block, keys and beneficiary (`unit`): net amount in cents and number of lines that state an amount."""
LINES = """
    WITH others AS (  -- a person may hide behind several identities of one name; those without a name count as one
        SELECT organisation_id, kind, coalesce(slug(name), '-') AS unit FROM funding.organisations WHERE kind <> 'legal'
    )
    SELECT
        lines.funder_id, lines.fiscal_year, lines.currency, lines.stage,
        coalesce(lines.funder_level, 'unknown') AS funder_level, level_group(lines.funder_level) AS level_group,
        others.kind AS applicant_kind, lines.service_key, coalesce(lines.scheme, '—') AS scheme,
        coalesce(lines.theme, 'unknown') AS theme, lines.theme_raw, coalesce(lines.purpose, 'unknown') AS purpose,
        coalesce(lines.aid_form, 'unknown') AS aid_form, coalesce(lines.seat_departement_code, '—') AS departement_code,
        coalesce(lines.seat_region_code, '—') AS region_code, coalesce(lines.seat_epci_code, '—') AS epci_code,
        others.unit, (sum(lines.amount_headline) * 100)::BIGINT AS cents, count(*) AS n_lines
    FROM funding.applications AS lines JOIN others USING (organisation_id)
    WHERE lines.is_counted AND lines.is_award AND lines.is_grant AND lines.amount_headline IS NOT NULL
    GROUP BY ALL
    ORDER BY ALL
"""


def read(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """The amounts of others than legal persons, of `funding` (attached): see `ATOMS`."""
    found: pl.DataFrame = connection.sql(LINES).pl()
    return found.select(pl.col(name).cast(dtype) for name, dtype in ATOMS.items())


def grouped(atoms: pl.DataFrame, limits: Disclosure) -> pl.DataFrame:
    """`atoms` with `told`: the level of `LEVELS` whose keys may be told of their amount, or `NONE`."""
    found = atoms.with_columns(told=pl.lit(NONE))
    for level in LEVELS:
        found = _take(found, level, limits)
    settled = []
    while True:
        # blocks with something left over, and groups to give up for it
        open_ = (
            found.group_by(BLOCK)
            .agg((pl.col("told") == NONE).any().alias("is_left"), (pl.col("told") != NONE).any().alias("is_told"))
            .filter(pl.col("is_left") & pl.col("is_told"))
            .select(BLOCK)
        )
        settled.append(found.join(open_, on=list(BLOCK), how="anti", nulls_equal=True))
        if open_.is_empty():
            return pl.concat(settled)
        found = _shared(found.join(open_, on=list(BLOCK), how="semi", nulls_equal=True))
        given_up = _smallest_groups(found).with_columns(_given_up=pl.lit(True))
        found = (
            found.join(given_up, on=_group_keys(), how="left", nulls_equal=True)
            .with_columns(pl.when(pl.col("_given_up")).then(pl.lit(NONE)).otherwise(pl.col("told")).alias("told"))
            .drop("_given_up", *_shared_names())
        )
        found = _take(found, "total", limits)


def unsafe_groups(told: pl.DataFrame, limits: Disclosure) -> pl.DataFrame:
    """The groups of `grouped` that are told and should not be: block, keys that they share, `told`."""
    groups = _shared(told.filter(pl.col("told") != NONE))
    return judged(groups, [*BLOCK, "told", *_shared_names()], limits).filter(~pl.col("is_safe"))


def judged(atoms: pl.DataFrame, keys: Sequence[str], limits: Disclosure) -> pl.DataFrame:
    """`keys` and `is_safe`, one row a group. A beneficiary whose net amount is zero protects nobody."""
    units = atoms.group_by([*keys, "unit"]).agg(pl.col("cents").sum().abs())
    size = pl.col("cents")
    return units.group_by(keys).agg(
        (
            (size.sum() == 0)
            | (((size > 0).sum() >= limits.min_persons) & (size.max() <= limits.max_share * size.sum()))
        ).alias("is_safe")
    )


def group_names(told: pl.DataFrame) -> pl.DataFrame:
    """`told` with `group`: what tells its group from every other, null where the amount is not told."""
    parts = [pl.col(name).cast(pl.String).fill_null("") for name in _group_keys()]
    name = pl.when(pl.col("told") != NONE).then(pl.concat_str(parts, separator="|"))
    return _shared(told).with_columns(name.alias("group")).drop(_shared_names())


def sums(told: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """By table and cell: its keys, `cents` of all and `cents_told`, `n_lines` of all and `n_told`.

    A group enters a cell when all that it is made of has the keys of the cell, whatever its level.
    """
    named = group_names(told).with_columns(
        ((pl.col(name).n_unique().over("group") == 1) & pl.col("group").is_not_null()).alias(f"one_{name}")
        for name in LEVELS["full"]
    )
    found = {}
    for table, keys in TABLES.items():
        ones = [pl.col(f"one_{name}") for name in keys if name not in BLOCK]
        is_told = pl.all_horizontal(pl.col("told") != NONE, *ones)
        found[table] = named.group_by(cell_keys(table)).agg(
            pl.col("cents").sum(),
            pl.col("cents").filter(is_told).sum().alias("cents_told"),
            pl.col("n_lines").sum(),
            pl.col("n_lines").filter(is_told).sum().alias("n_told"),
        )
    return found


def cell_keys(table: str) -> list[str]:
    """What tells the cells of a table apart."""
    return [*TABLES[table], "fiscal_year", "currency", "stage"]


def hold(connection: duckdb.DuckDBPyConnection, told: pl.DataFrame) -> None:
    """Take out of the public tables (current database) the amounts that may not be told, and count their lines."""
    for table, every in sums(told).items():
        cells = every.filter(pl.col("n_told") < pl.col("n_lines"))
        if cells.is_empty():
            continue
        same = " AND ".join(f"cells.{key} IS NOT DISTINCT FROM current.{key}" for key in cell_keys(table))
        connection.register("withheld_cells", cells)
        left = "current.amount - ((cells.cents - cells.cents_told) * 0.01)::DECIMAL(18, 2)"
        run(
            connection,
            # a sum of which nothing is left is unknown, not zero
            f"UPDATE {table} AS current SET amount = CASE WHEN cells.n_told > 0 OR {left} <> 0 THEN {left} END, "
            f"n_withheld = (cells.n_lines - cells.n_told)::INTEGER FROM withheld_cells AS cells WHERE {same}",
        )
        connection.unregister("withheld_cells")
        _follow(connection, table)
    _hold_funders(connection, told)


def _follow(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Compute again what a table derives from its amounts."""
    columns = {name for (name,) in run(connection, f"SELECT column_name FROM (DESCRIBE {table})")}
    if "amount_per_inhabitant" in columns:
        run(connection, f"UPDATE {table} SET amount_per_inhabitant = per_inhabitant(amount, population)")
    if "level_share" in columns:
        cell = "departement_code, fiscal_year, currency, stage"
        run(
            connection,
            f"UPDATE {table} AS current SET level_share = ratio(current.amount, cells.amount) "
            f"FROM (SELECT {cell}, sum(amount) AS amount FROM {table} GROUP BY ALL) AS cells "
            "WHERE (current.departement_code, current.fiscal_year, current.currency, current.stage) "
            "IS NOT DISTINCT FROM (cells.departement_code, cells.fiscal_year, cells.currency, cells.stage)",
        )


def _hold_funders(connection: duckdb.DuckDBPyConnection, told: pl.DataFrame) -> None:
    """The total of a funder is that of its years."""
    if told.filter(pl.col("told") == NONE).is_empty():
        return
    run(
        connection,
        "UPDATE funders SET amount_awarded = years.amount FROM (SELECT funder_id, currency, stage, "
        "sum(amount) AS amount FROM funding_by_funder_year GROUP BY ALL) AS years WHERE "
        "(funders.funder_id, funders.currency, funders.stage) "
        "IS NOT DISTINCT FROM (years.funder_id, years.currency, years.stage)",
    )


def _take(found: pl.DataFrame, level: str, limits: Disclosure) -> pl.DataFrame:
    """Give `level` to the atoms without a level that make a safe group there."""
    keys = [*BLOCK, *LEVELS[level]]
    safe = judged(found.filter(pl.col("told") == NONE), keys, limits).filter("is_safe").select(keys)
    return (
        found.join(safe.with_columns(_safe=pl.lit(True)), on=keys, how="left", nulls_equal=True)
        .with_columns(
            pl.when((pl.col("told") == NONE) & pl.col("_safe").fill_null(False))
            .then(pl.lit(level))
            .otherwise(pl.col("told"))
            .alias("told")
        )
        .drop("_safe")
    )


def _shared_names() -> list[str]:
    return [f"shared_{name}" for name in LEVELS["full"]]


def _group_keys() -> list[str]:
    return [*BLOCK, "told", *_shared_names()]


def _shared(told: pl.DataFrame) -> pl.DataFrame:
    """`told` with what each group shares (null where its level does not tell it)."""
    return told.with_columns(
        pl.when(pl.col("told").is_in([level for level, shared in LEVELS.items() if name in shared]))
        .then(pl.col(name))
        .otherwise(pl.lit(None, dtype=pl.String))
        .alias(f"shared_{name}")
        for name in LEVELS["full"]
    )


def _smallest_groups(told: pl.DataFrame) -> pl.DataFrame:
    """In each block, the group with the fewest atoms and money, to be given up: `_group_keys`."""
    keys = _group_keys()
    sizes = (
        _shared(told.filter(pl.col("told") != NONE))
        .group_by(keys)
        .agg(pl.col("unit").n_unique().alias("_units"), pl.col("cents").abs().sum().alias("_cents"))
    )
    return sizes.sort([*BLOCK, "_units", "_cents", *keys]).unique(BLOCK, keep="first", maintain_order=True).select(keys)
