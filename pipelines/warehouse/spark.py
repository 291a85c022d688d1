"""Models that touch every line, on Spark: their SQL file is the source, translated by sqlglot, and refused if in doubt.

What is here reads the staging folders, and the tables of `funding.duckdb` that linking and themes went into. Neither
Spark nor sqlglot is needed for anything else: they are the option `spark`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import duckdb
import sqlglot
from sqlglot import exp

from pipelines.warehouse.connection import MACROS, quoted, run
from pipelines.warehouse.graph import Model, models

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

PROVEN = (
    "funding_by_aid_form_year", "funding_by_beneficiary_year", "funding_by_funder_theme_year",
    "funding_by_funder_year", "funding_by_level_year", "funding_by_purpose_year", "funding_by_scheme_year",
    "funding_by_service_year", "funding_by_theme_year", "funding_by_territory_year", "funding_by_epci_year",
    "funding_by_region_year", "funding_by_level_territory_year",
    "funding_years", "observed_years", "issues", "rejections",
    "cofunding_mentions", "relation_amounts",
)  # fmt: skip
"""Each was found equal to DuckDB's, on generated lines, by the tests. Others are not translated on trust."""
_STAGED = {"staged_issues": "issues.parquet", "staged_rejections": "rejected.parquet"}
_MACRO = re.compile(r"^create temp macro (\w+)\(([^)]*)\) as (?!table)(.+?);", re.MULTILINE | re.DOTALL)


class UntranslatableError(ValueError):
    """A model that Spark cannot be given; the message names what has no translation."""


def translated(model: Model) -> str:
    """The query of `model` in Spark's SQL, its macros expanded.

    Raises `UntranslatableError` for a model that is not `PROVEN`, or that calls what sqlglot does not know: it would
    pass such a function through as it is.
    """
    if model.name not in PROVEN:
        raise UntranslatableError(f"{model.name}: not among the models that were proven equal on Spark")
    return translate(model.sql, name=model.name)


def translate(sql: str, *, name: str) -> str:
    """A DuckDB query in Spark's SQL. Raises `UntranslatableError` when it calls a function unknown to sqlglot."""
    query = sqlglot.parse_one(sql, read="duckdb").transform(_expanded)
    if unknown := sorted({call.name for call in query.find_all(exp.Anonymous)}):
        raise UntranslatableError(f"{name}: no translation of {', '.join(unknown)}")
    return str(query.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE))


@cache
def _macros() -> dict[str, tuple[list[str], str]]:
    """The macros of the models that are one expression: their parameters and their body."""
    return {
        name: ([parameter.strip() for parameter in parameters.split(",") if parameter.strip()], body)
        for name, parameters, body in _MACRO.findall(MACROS.read_text(encoding="utf-8"))
    }


def _expanded(node: exp.Expression) -> exp.Expression:
    """A call of a macro replaced by the macro's body, its arguments in their place."""
    if not isinstance(node, exp.Anonymous) or node.name.lower() not in _macros():
        return node
    parameters, text = _macros()[node.name.lower()]
    body = sqlglot.parse_one(text, read="duckdb")
    given = dict(zip(parameters, node.expressions, strict=True))

    def bound(inner: exp.Expression) -> exp.Expression:
        if isinstance(inner, exp.Column) and not inner.table and inner.name in given:
            return exp.paren(given[inner.name].copy())
        return inner

    return exp.paren(body.transform(bound).transform(_expanded))


def compute(
    spark: SparkSession, names: Collection[str], *, database: Path, stagings: Sequence[tuple[str, Path]], folder: Path
) -> dict[str, Path]:
    """Compute the models `names` on Spark, each into a folder of Parquet under `folder`; returns where.

    `database` is a `funding.duckdb` built from `stagings` (deposit, staging folder): the tables that the models read
    and that are not computed here are exported from it. Raises `UntranslatableError` before anything is computed.
    """
    chosen = [(model, translated(model)) for model in models() if model.name in names]
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    computed: dict[str, Path] = {}
    read: set[str] = set()
    for model, sql in chosen:
        for source in sorted({*model.depends_on, *model.reads} - read - set(computed)):
            _source(spark, source, database=database, stagings=stagings, folder=folder)
            read.add(source)
        target = folder / model.name
        spark.sql(sql).write.mode("overwrite").parquet(str(target))
        spark.read.parquet(str(target)).createOrReplaceTempView(model.name)
        computed[model.name] = target
    return computed


def _source(
    spark: SparkSession, name: str, *, database: Path, stagings: Sequence[tuple[str, Path]], folder: Path
) -> None:
    """Make what models read a view of that name."""
    if name in _STAGED:
        _staged(spark, _STAGED[name], stagings=stagings).createOrReplaceTempView(name)
        return
    path = folder / "_sources" / f"{name}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(database), read_only=True) as connection:
        run(connection, f'COPY (FROM "{name}") TO {quoted(path)} (FORMAT parquet)')
    spark.read.parquet(str(path)).createOrReplaceTempView(name)


def _staged(spark: SparkSession, file_name: str, *, stagings: Sequence[tuple[str, Path]]) -> DataFrame:
    """The lines of a staged file of every deposit, with the deposit that its folder tells."""
    from pyspark.sql import functions

    deposits = spark.createDataFrame(
        [(folder.name, deposit) for deposit, folder in stagings], "folder string, deposit_id string"
    )
    lines = spark.read.parquet(*(str(folder / file_name) for _, folder in stagings))
    parts = functions.split(functions.input_file_name(), "/")
    named = lines.withColumn("folder", functions.element_at(parts, -2))
    return named.join(functions.broadcast(deposits), "folder").select("deposit_id", *lines.columns)
