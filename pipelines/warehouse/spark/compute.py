"""Models computed by Spark, from the staging folders and the small tables that DuckDB made before.

The lines are read by Spark where ingest left them. What is small, or comes of linking and themes, is exported from
`funding.duckdb`, or from what `inputs` and `themes` make readable beside it.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse import themes
from pipelines.warehouse.build import is_made_from
from pipelines.warehouse.connection import opened, quoted, run, set_variables, variables
from pipelines.warehouse.graph import Model, models
from pipelines.warehouse.inputs import ISSUES, REJECTIONS, Inputs, register
from pipelines.warehouse.spark.translation import BY_DUCKDB, UntranslatableError, Value, translate
from pipelines.warehouse.spark.workers import computed_by_duckdb
from schemas.application import Application
from schemas.contract import polars_schema

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    import duckdb
    from pyspark.sql import DataFrame, SparkSession

PROVEN = (
    "applications", "decisions", "funder_identities", "issues", "rejections",
    "funding_years", "funded_years", "observed_years",
    "relation_amounts", "relation_masks", "relation_years", "continuity_relations", "continuity_agreements",
    "continuity_multi_year_by_funder_year", "cofunding_mentions",
    "funding_by_aid_form_year", "funding_by_beneficiary_year", "funding_by_funder_theme_year",
    "funding_by_funder_year", "funding_by_level_year", "funding_by_purpose_year", "funding_by_scheme_year",
    "funding_by_service_year", "funding_by_theme_year", "funding_by_territory_year", "funding_by_epci_year",
    "funding_by_region_year", "funding_by_level_territory_year",
    "decision_counts", "purpose_mix_by_funder_year", "refusal_rates_by_deposit_year", "refusal_reasons_by_funder_year",
    "resubmissions_by_service_year",
    "data_quality_by_deposit", "service_departements", "service_schemes", "theme_resolution", "who_does_what",
)  # fmt: skip
"""Each was found equal to DuckDB's, line by line, by the tests. Others are not translated on trust."""
_STAGED = {
    "staged_applications": ("accepted", polars_schema(Application)),
    "staged_issues": ("issues", ISSUES),
    "staged_rejections": ("rejected", REJECTIONS),
}
"""What Spark reads by itself: the file of each staging folder, and what it may hold."""


class StaleDatabaseError(RuntimeError):
    """The database was not built from these inputs: what it holds of the lines would not fit them. In French."""


def translated(model: Model, values: Mapping[str, Value]) -> str:
    """The query of `model` in Spark's SQL, with the `values` of its variables.

    Raises `UntranslatableError` for a model that is not `PROVEN`, or that holds what has no sure translation.
    """
    if model.name not in PROVEN:
        raise UntranslatableError(f"{model.name}: not among the models that were proven equal on Spark")
    return translate(model.sql, name=model.name, variables=values)


def compute(
    spark: SparkSession, names: Collection[str], *, database: Path, inputs: Inputs, folder: Path
) -> dict[str, Path]:
    """Compute the models `names` on Spark, each into a folder of Parquet under `folder`; returns where.

    `database` is the `funding.duckdb` that was built from `inputs`. `folder` and the staging folders are where every
    worker sees them. Columns are in DuckDB's order, and of types that hold the same values. Raises, before anything
    is computed: `KeyError` for what is no model, `UntranslatableError`, `StaleDatabaseError` for another database.
    """
    if unknown := set(names) - {model.name for model in models()}:
        raise KeyError(f"no such model: {', '.join(sorted(unknown))}")
    values = variables(as_of=inputs.as_of, publication=inputs.publication)
    chosen = [(model, translated(model, values)) for model in models() if model.name in names]
    if not is_made_from(inputs, database):
        raise StaleDatabaseError(
            f"{database} ne vient pas de ces lectures, au {inputs.as_of.isoformat()} et par ce programme : "
            "donnez la date du dernier passage (--as-of), ou relancez « qfq run »."
        )
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    for macro, kind in BY_DUCKDB.items():
        _register_function(spark, macro, kind)
    sources = folder / "_sources"
    computed: dict[str, Path] = {}
    read: set[str] = set()
    sources.mkdir(parents=True, exist_ok=True)
    try:
        with opened(database) as connection:
            set_variables(connection, as_of=inputs.as_of, publication=inputs.publication)
            register(connection, inputs)
            for model, sql in chosen:
                for source in sorted({*model.depends_on, *model.reads} - read - computed.keys()):
                    _source(spark, source, connection=connection, inputs=inputs, folder=sources)
                    read.add(source)
                target = folder / model.name
                told = spark.sql(sql).select(*_columns(connection, model.name))
                told.write.mode("overwrite").parquet(str(target))
                spark.read.parquet(str(target)).createOrReplaceTempView(model.name)
                computed[model.name] = target
    finally:
        for name in read:
            spark.catalog.dropTempView(name)
        shutil.rmtree(sources)
    return computed


def _columns(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """The columns of a table of the database, in their order: Spark puts those of a `using` first."""
    return [row[0] for row in run(connection, f'DESCRIBE "{name}"')]


def _register_function(spark: SparkSession, macro: str, kind: str) -> None:
    """Make a macro that DuckDB computes a function of Spark's SQL."""
    from pyspark.sql.functions import pandas_udf

    spark.udf.register(macro, pandas_udf(computed_by_duckdb(macro), kind))


def _source(
    spark: SparkSession, name: str, *, connection: duckdb.DuckDBPyConnection, inputs: Inputs, folder: Path
) -> None:
    """Make what models read a view of that name."""
    path = folder / f"{name}.parquet"
    if name in _STAGED:
        lines = _staged(spark, name, inputs=inputs, empty=path)
    else:
        if name in (themes.TEXTS, themes.PROGRAMMES):
            themes.register(connection)
        run(connection, f'COPY (FROM "{name}") TO {quoted(path)} (FORMAT parquet)')
        lines = spark.read.parquet(str(path))
    lines.createOrReplaceTempView(name)


def _staged(spark: SparkSession, name: str, *, inputs: Inputs, empty: Path) -> DataFrame:
    """The lines of a staged file of every deposit, with all the columns that it may have, and their deposit.

    `empty`: where a file without lines is written, which tells Spark the columns and their types.
    """
    from pyspark.sql import functions

    stem, schema = _STAGED[name]
    pl.DataFrame(schema=schema).write_parquet(empty)
    kinds = spark.read.parquet(str(empty)).schema
    files = [str(folder / f"{stem}.parquet") for _, folder in inputs.stagings]
    lines = spark.read.schema(kinds).parquet(str(empty), *files)
    if "deposit_id" in schema:
        return lines
    deposits = spark.createDataFrame(
        [(folder.name, deposit) for deposit, folder in inputs.stagings], "folder string, deposit_id string"
    )
    named = lines.withColumn("folder", functions.element_at(functions.split(functions.input_file_name(), "/"), -2))
    return named.join(functions.broadcast(deposits), "folder").select("deposit_id", *lines.columns)
