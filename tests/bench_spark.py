"""What the models cost on Spark and on DuckDB, on the same invented lines: `python -m tests.bench_spark 1000000`.

Both on two processors of this machine. Spark's time holds its start, and what DuckDB exports for it and says of themes.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from pipelines.warehouse.build import build
from pipelines.warehouse.spark.compute import PROVEN, compute
from pipelines.warehouse.spark.local import missing, session
from tests.bench_staging import inputs, staged

LINES = 1_000_000
SETS = {"applications": ("applications",), "decisions, d'applications": ("decisions",), "tous": PROVEN}


def main(lines: int) -> None:
    """Print the seconds of both, set by set."""
    if absent := missing():
        raise SystemExit(absent)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        staged(folder / "staging", lines)
        given, database = inputs(folder / "staging"), folder / "funding.duckdb"
        built = build(given, database)
        moment = time.perf_counter()
        spark = session(processors=2)
        spark.sql("SELECT 1").collect()
        sys.stdout.write(f"{lines} lignes ; Spark démarre en {time.perf_counter() - moment:.1f} s\n")
        for title, models in SETS.items():
            moment = time.perf_counter()
            compute(spark, models, database=database, inputs=given, folder=folder / "spark")
            told = time.perf_counter() - moment
            ours = sum(built.seconds[model] for model in models) + built.steps["themes"] * ("applications" in models)
            sys.stdout.write(f"{title} : DuckDB {ours:.1f} s, Spark {told:.1f} s\n")
        spark.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else LINES)
