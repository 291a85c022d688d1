"""Models that touch every line give on Spark what they give on DuckDB; what has no sure translation is refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
import unicodedata
from datetime import date
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest

from pipelines.ingest.inbox import ingest
from pipelines.ingest.manifest import write_manifest
from pipelines.warehouse.build import Inputs, build
from pipelines.warehouse.connection import MACROS
from pipelines.warehouse.current import load_inputs
from pipelines.warehouse.graph import Model, models
from pipelines.warehouse.spark import __main__ as command
from pipelines.warehouse.spark import local
from schemas.publication import load_publication
from tests import bench_staging

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HAS_SQLGLOT = find_spec("sqlglot") is not None
if HAS_SQLGLOT:
    from pipelines.warehouse.connection import variables
    from pipelines.warehouse.spark import compute as on_spark
    from pipelines.warehouse.spark import translation
DAY = date(2026, 9, 30)
needs_sqlglot = pytest.mark.skipif(not HAS_SQLGLOT, reason="sqlglot is not installed: extra `spark`")
needs_spark = pytest.mark.skipif(local.missing() is not None, reason=f"no Spark here: {local.missing()}")


def read_and_built(raw: Path, warehouse: Path) -> tuple[Inputs, Path]:
    write_manifest(ingest(raw, warehouse, as_of=DAY), raw=raw, warehouse=warehouse)
    inputs = load_inputs(warehouse, as_of=DAY, registers=raw / "reference")
    build(inputs, warehouse / "funding.duckdb")
    return inputs, warehouse / "funding.duckdb"


@pytest.fixture(scope="module")
def demonstration(project: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Inputs, Path]:
    """The demonstration's deposits, read and built by DuckDB."""
    root = tmp_path_factory.mktemp("projet")
    shutil.copytree(project / "raw", root / "raw", ignore=shutil.ignore_patterns("_*"))
    return read_and_built(root / "raw", root / "warehouse")


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    session = local.session(processors=2, memory="1g")
    session.conf.set("spark.sql.shuffle.partitions", "2")  # little to share out
    yield session
    session.stop()


def unlike(spark: Any, made: tuple[Inputs, Path], folder: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
    """Of every proven model: what is not in both bases (rows here, rows there, missing here, missing there); rows."""
    inputs, database = made
    computed = on_spark.compute(spark, on_spark.PROVEN, database=database, inputs=inputs, folder=folder)
    assert set(computed) == set(on_spark.PROVEN)
    wrong, rows = {}, {}
    with duckdb.connect(str(database), read_only=True) as connection:
        for name, parquet in computed.items():
            table = connection.table(name)
            assert connection.sql(f"FROM read_parquet('{parquet}/*.parquet')").columns == table.columns
            typed = ", ".join(
                f'"{column}"::{kind} AS "{column}"' for column, kind in zip(table.columns, table.types, strict=True)
            )
            theirs, ours = f"SELECT {typed} FROM read_parquet('{parquet}/*.parquet')", f'SELECT * FROM "{name}"'
            [found] = connection.execute(
                f"SELECT (SELECT count(*) FROM ({ours})), (SELECT count(*) FROM ({theirs})), "
                f"(SELECT count(*) FROM ({theirs} EXCEPT ALL {ours})), "
                f"(SELECT count(*) FROM ({ours} EXCEPT ALL {theirs}))"
            ).fetchall()
            rows[name] = found[0]
            if found != (found[0], found[0], 0, 0):
                wrong[name] = found
    return wrong, rows


@needs_spark
def test_every_proven_model_equals_duckdb(demonstration: tuple[Inputs, Path], session: Any, tmp_path: Path) -> None:
    wrong, rows = unlike(session, demonstration, tmp_path / "spark")
    assert wrong == {}
    assert [name for name, n in rows.items() if not n] == []
    with duckdb.connect(str(demonstration[1]), read_only=True) as connection:
        [(n_spreads, n_named, n_bases, n_left_out)] = connection.execute(
            "SELECT (SELECT count(DISTINCT spread) FROM funding_years), "
            "count(*) FILTER (organisation_key LIKE 'name:%'), count(DISTINCT theme_basis), "
            "count(*) FILTER (NOT is_counted) FROM applications"
        ).fetchall()
    # what the models tell apart is in the data: years spread, names folded, what says the theme, lines left out
    assert n_spreads == 3
    assert n_named > 100
    assert n_bases > 5
    assert n_left_out > 0


@needs_spark
def test_it_holds_on_invented_lines(session: Any, tmp_path: Path) -> None:
    bench_staging.staged(tmp_path / "staging", 20_000)
    inputs = bench_staging.inputs(tmp_path / "staging")
    for _, folder in inputs.stagings:  # lines of one application, whose decisions and amounts may differ
        lines = pl.read_parquet(folder / "accepted.parquet")
        several = pl.col("application_id").gather(pl.int_range(pl.len()) // 3 * 3)
        few = pl.int_range(pl.len()) < 30
        lines.with_columns(application_id=pl.when(few).then(several).otherwise("application_id")).write_parquet(
            folder / "accepted.parquet"
        )
    build(inputs, tmp_path / "funding.duckdb")
    with duckdb.connect(str(tmp_path / "funding.duckdb"), read_only=True) as connection:
        [(n_several,)] = connection.execute(
            "SELECT count(*) FROM (SELECT application_id FROM applications WHERE is_counted AND is_grant "
            "GROUP BY ALL HAVING count(DISTINCT decision_status) > 1 AND count(DISTINCT amount_requested) > 1)"
        ).fetchall()
    assert n_several > 100
    wrong, rows = unlike(session, (inputs, tmp_path / "funding.duckdb"), tmp_path / "spark")
    assert wrong == {}
    assert rows["applications"] >= 20_000


@needs_spark
@pytest.mark.slow
def test_it_holds_on_real_files(real_files: Path, session: Any, tmp_path: Path) -> None:
    for name in ("paris", "montpellier", "loire-atlantique"):
        shutil.copytree(real_files / name, tmp_path / "raw" / name)
    wrong, rows = unlike(session, read_and_built(tmp_path / "raw", tmp_path / "warehouse"), tmp_path / "spark")
    assert wrong == {}
    assert rows["applications"] > 80_000


@needs_spark
def test_a_macro_that_duckdb_computes_is_the_same_of_every_character(session: Any, tmp_path: Path) -> None:
    points = [point for point in range(1, 0x110000) if not 0xD800 <= point < 0xE000]
    words = [None, "", "Épicerie du Lez", *(f"a{chr(point)}B" for point in points)]
    words += [unicodedata.normalize("NFD", f"{chr(point)} L'Œuvre") for point in range(0xC0, 0x1E00)]
    pl.DataFrame({"words": words}).write_parquet(tmp_path / "words.parquet")
    for macro, kind in translation.BY_DUCKDB.items():
        on_spark._register_function(session, macro, kind)
        session.read.parquet(str(tmp_path / "words.parquet")).createOrReplaceTempView("given")
        told = session.sql(f"select words, {macro}(words) as told from given")
        told.write.parquet(str(tmp_path / macro))
        with duckdb.connect() as connection:
            connection.execute(MACROS.read_text(encoding="utf-8")).fetchall()
            [(n_rows, n_wrong)] = connection.execute(
                f"SELECT count(*), count(*) FILTER ({macro}(words) IS DISTINCT FROM told) "
                f"FROM read_parquet('{tmp_path}/{macro}/*.parquet')"
            ).fetchall()
        assert (n_rows, n_wrong) == (len(words), 0), macro


@needs_spark
def test_another_database_is_refused(demonstration: tuple[Inputs, Path], session: Any, tmp_path: Path) -> None:
    inputs, database = demonstration
    others = Inputs(**{**vars(inputs), "stagings": inputs.stagings[1:]})
    with pytest.raises(on_spark.StaleDatabaseError, match="ne vient pas de ces lectures"):
        on_spark.compute(session, ["decisions"], database=database, inputs=others, folder=tmp_path / "spark")
    with pytest.raises(KeyError, match="demandes"):
        on_spark.compute(session, ["demandes"], database=database, inputs=inputs, folder=tmp_path / "spark")
    assert not (tmp_path / "spark").exists()


@needs_spark
def test_the_command_writes_what_is_asked(demonstration: tuple[Inputs, Path], tmp_path: Path) -> None:
    warehouse = demonstration[1].parent
    given = ["--warehouse", str(warehouse), "--raw", str(warehouse.parent / "raw"), "--out", str(tmp_path)]
    start = [sys.executable, "-m", "pipelines.warehouse.spark"]
    asked = [*start, "observed_years", "issues", *given, "--as-of", DAY.isoformat()]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"observed_years : {tmp_path}/observed_years", f"issues : {tmp_path}/issues"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["issues", "observed_years"]
    assert pl.scan_parquet(tmp_path / "issues" / "*.parquet").select(pl.len()).collect().item() > 0


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["spark", *arguments])
    return command.main()


@needs_sqlglot
def test_the_command_says_what_it_cannot_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "missing", lambda: None)
    assert run_command(monkeypatch, "organisations") == 1
    assert "Pas sur Spark : organisations." in capsys.readouterr().err
    assert run_command(monkeypatch, "decisions", "--warehouse", str(tmp_path)) == 1
    assert "Aucun dépôt n'a encore été lu" in capsys.readouterr().err


def test_what_spark_lacks_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(local, "find_spec", lambda name: None)
    assert run_command(monkeypatch, "decisions") == 1
    assert capsys.readouterr().err == (
        "L'option « spark » n'est pas installée (pyspark, sqlglot) : pip install -e '.[spark]'.\n"
    )
    monkeypatch.setattr(local, "find_spec", lambda name: name)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert run_command(monkeypatch, "decisions") == 1
    assert f"il n'y en a pas ici (JAVA_HOME, {tmp_path}, n'en contient pas)" in capsys.readouterr().err
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "ni la commande java, ni JAVA_HOME" in str(local.missing())
    java = tmp_path / "java"
    for told, is_enough in (('openjdk version "17.0.15"', True), ('java version "1.8.0_401"', False), ("?", False)):
        java.write_text(f"#!/bin/sh\necho '{told}' >&2\n")
        java.chmod(0o755)
        assert (local.missing() is None) == is_enough, told


@needs_sqlglot
@pytest.mark.parametrize(
    ("sql", "lost"),
    [
        ("select getvariable('as_of') as day", "getvariable"),
        ("select strip_accents(name) as bare from given", "strip_accents"),
        ("select regexp_replace(name, 'a', 'b') as name from given", "first match"),
        ("select 1 as a union all by name select 2 as a", "union by name"),
        ("select list(a order by b) as all_a from given", "ordered list"),
        ("select a[i:j] as part from given", "slice"),
        ("with a as (select * replace (1 as k) from b) from a union all from c", "order"),
        ("select b.* from a join b using (k) union all select * from c", "order"),
    ],
)  # fmt: skip
def test_what_spark_would_take_for_something_else_is_refused(sql: str, lost: str) -> None:
    with pytest.raises(translation.UntranslatableError, match=lost):
        translation.translate(sql, name="essai")


@needs_sqlglot
def test_an_unproven_model_is_refused() -> None:
    unproven = Model(name="autre", description="", depends_on=(), sql="select 1 as one")
    with pytest.raises(translation.UntranslatableError, match="proven"):
        on_spark.translated(unproven, {})


@needs_sqlglot
def test_what_is_said_otherwise_on_spark() -> None:
    def told(sql: str, **values: Any) -> str:
        return " ".join(translation.translate(sql, name="essai", variables=values).split())

    expanded = told("select ratio(n_kept + 1, n_all) as share from counts")
    assert "ratio(" not in expanded.lower()
    assert "(n_kept + 1)" in expanded
    assert told("select slug(name) as slug from given") == "SELECT SLUG(name) AS slug FROM given"
    assert told("select t.* exclude (a) replace (b + 1 as b) from t") == "SELECT t.* EXCEPT (a, b), b + 1 AS b FROM t"
    assert told("with t as not materialized (select 1 as a) from t") == "WITH t AS (SELECT 1 AS a) SELECT * FROM t"
    assert told("select arg_min(a, row(b, c)) as a from t") == "SELECT MIN_BY(a, STRUCT(b, c)) AS a FROM t"
    assert told("select code[3:7] as code from t") == "SELECT SUBSTRING(code, 3, 5) AS code FROM t"
    bits = told("select grouping(a, b) as g from t group by cube (a, b)")
    assert bits.startswith("SELECT (GROUPING(a) * 2 + GROUPING(b) * 1) AS g")
    union = "SELECT b.* EXCEPT (k) FROM a JOIN b USING (k) UNION ALL SELECT * FROM c"
    assert told(union.replace("EXCEPT", "exclude")) == union
    assert told("select quantile_cont(a, 0.5) as a from t") == "SELECT PERCENTILE(a, 0.5) AS a FROM t"
    assert told("select row(left(a[1:3], 1)) as a from t") == "SELECT STRUCT(LEFT(SUBSTRING(a, 1, 3), 1)) AS a FROM t"
    assert told("select a::hugeint as a from t") == "SELECT CAST(a AS DECIMAL(38, 0)) AS a FROM t"
    given = told("select getvariable('day') as d, getvariable('share') as s", day=DAY, share=0.9)
    assert given == "SELECT CAST('2026-09-30' AS DATE) AS d, CAST(0.9 AS DOUBLE) AS s"


@needs_sqlglot
def test_every_proven_model_is_one_of_ours_and_translates() -> None:
    ours = {model.name: model for model in models()}
    values = variables(as_of=DAY, publication=load_publication())
    assert set(on_spark.PROVEN) <= set(ours)
    assert all(on_spark.translated(ours[name], values) for name in on_spark.PROVEN)
