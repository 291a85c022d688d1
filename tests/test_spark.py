"""Models that touch every line give on Spark what they give on DuckDB; what has no sure translation is refused."""

from __future__ import annotations

import shutil
from datetime import date
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pipelines.ingest.inbox import ingest
from pipelines.ingest.manifest import write_manifest
from pipelines.warehouse.build import build
from pipelines.warehouse.current import load_inputs
from pipelines.warehouse.graph import Model, models

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HAS_SQLGLOT = find_spec("sqlglot") is not None
if HAS_SQLGLOT:
    from pipelines.warehouse import spark as on_spark
PROVEN = on_spark.PROVEN if HAS_SQLGLOT else ("(none: the extra `spark` is not installed)",)
DAY = date(2026, 9, 30)
needs_sqlglot = pytest.mark.skipif(not HAS_SQLGLOT, reason="sqlglot is not installed: extra `spark`")
needs_spark = pytest.mark.skipif(
    not (HAS_SQLGLOT and find_spec("pyspark") and shutil.which("java")), reason="no Java, or no extra `spark`"
)


@pytest.fixture(scope="module")
def warehouse(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's deposits, read and built by DuckDB."""
    root = tmp_path_factory.mktemp("projet")
    shutil.copytree(project / "raw", root / "raw", ignore=shutil.ignore_patterns("_*"))
    done = ingest(root / "raw", root / "warehouse", as_of=DAY)
    write_manifest(done, raw=root / "raw", warehouse=root / "warehouse")
    build(load_inputs(root / "warehouse", as_of=DAY), root / "warehouse" / "funding.duckdb")
    return root / "warehouse"


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.sql.shuffle.partitions": "2",
        "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.memory": "1g",
    }  # fmt: skip
    builder = SparkSession.builder.master("local[2]").appName("qui-finance-quoi")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@needs_spark
def test_every_proven_model_equals_duckdb(warehouse: Path, session: Any, tmp_path: Path) -> None:
    database = warehouse / "funding.duckdb"
    stagings = load_inputs(warehouse, as_of=DAY).stagings
    computed = on_spark.compute(session, PROVEN, database=database, stagings=stagings, folder=tmp_path)
    assert set(computed) == set(PROVEN)
    wrong, empty = {}, []
    with duckdb.connect(str(database), read_only=True) as connection:
        for name, folder in computed.items():
            columns = connection.execute(
                "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [name]
            ).fetchall()
            given = connection.sql(f"FROM read_parquet('{folder}/*.parquet')")
            assert sorted(given.columns) == sorted(column for column, _ in columns), name  # Spark puts USING's first
            typed = ", ".join(f'"{column}"::{kind} AS "{column}"' for column, kind in columns)
            theirs, ours = f"SELECT {typed} FROM read_parquet('{folder}/*.parquet')", f'SELECT * FROM "{name}"'
            [(n_rows, n_theirs)] = connection.execute(
                f"SELECT (SELECT count(*) FROM ({ours})), (SELECT count(*) FROM ({theirs}))"
            ).fetchall()
            [(missing,)] = connection.execute(f"SELECT count(*) FROM ({ours} EXCEPT ALL {theirs})").fetchall()
            if missing or n_rows != n_theirs:
                wrong[name] = (n_rows, n_theirs, missing)
            if not n_rows:
                empty.append(name)
        [(spreads,)] = connection.execute("SELECT count(DISTINCT spread) FROM funding_years").fetchall()
    assert wrong == {}
    assert empty == []
    assert spreads == 3  # what is spread over years is in the data too


@needs_sqlglot
def test_what_spark_would_take_for_something_else_is_refused() -> None:
    with pytest.raises(on_spark.UntranslatableError, match="getvariable"):
        on_spark.translate("select getvariable('as_of') as day", name="jour")
    with pytest.raises(on_spark.UntranslatableError, match="strip_accents"):
        on_spark.translate("select slug(name) as slug from given", name="noms")
    unproven = Model(name="autre", description="", depends_on=(), sql="select 1 as one")
    with pytest.raises(on_spark.UntranslatableError, match="proven"):
        on_spark.translated(unproven)


@needs_sqlglot
def test_a_macro_is_expanded_with_its_arguments() -> None:
    told = on_spark.translate("select ratio(n_kept + 1, n_all) as share from counts", name="parts")
    assert "ratio(" not in told.lower()
    assert "(n_kept + 1)" in told


@needs_sqlglot
def test_every_proven_model_is_one_of_ours_and_translates() -> None:
    ours = {model.name: model for model in models()}
    assert set(PROVEN) <= set(ours)
    assert all(on_spark.translated(ours[name]) for name in PROVEN)
