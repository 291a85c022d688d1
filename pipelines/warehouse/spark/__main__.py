"""`python -m pipelines.warehouse.spark [MODÈLE…]`: compute models on Spark, on this machine, into Parquet."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

from pipelines.warehouse.current import NothingStagedError, load_inputs
from pipelines.warehouse.spark.local import missing, session


def main() -> int:
    """Compute what the command line asks for and print where it is. Returns the exit code: 1 when it cannot be."""
    asked = _parser().parse_args()
    if absent := missing():
        return _said(absent)
    from pipelines.warehouse.spark.compute import PROVEN, StaleDatabaseError, compute

    if unproven := sorted(set(asked.models) - set(PROVEN)):
        return _said(f"Pas sur Spark : {', '.join(unproven)}. Ceux qui le sont : {', '.join(PROVEN)}.")
    target = asked.out or asked.warehouse / "spark"
    try:
        inputs = load_inputs(asked.warehouse.resolve(), as_of=asked.as_of, registers=asked.raw.resolve() / "reference")
        spark = session()
        try:
            computed = compute(
                spark, asked.models or PROVEN, database=asked.warehouse / "funding.duckdb", inputs=inputs, folder=target
            )
        finally:
            spark.stop()
    except (NothingStagedError, StaleDatabaseError) as error:
        return _said(str(error))
    for name, folder in computed.items():
        sys.stdout.write(f"{name} : {folder}\n")
    return 0


def _said(message: str) -> int:
    sys.stderr.write(message + "\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.warehouse.spark",
        description="Calcule sur Spark, en Parquet, les tables qui touchent chaque ligne, d'après les lectures.",
    )
    parser.add_argument("models", nargs="*", metavar="MODÈLE", help="tables à calculer (défaut : toutes)")
    folders = (
        ("--raw", "QFQ_RAW", "raw", "dossier des dépôts"),
        ("--warehouse", "QFQ_WAREHOUSE", "warehouse", "entrepôt"),
    )
    for option, variable, usual, told in folders:
        parser.add_argument(
            option,
            type=Path,
            default=Path(os.environ.get(variable) or usual),
            help=f"{told} (défaut : {variable}, {usual})",
        )
    parser.add_argument("--out", type=Path, help="où écrire, un dossier par table (défaut : spark, dans l'entrepôt)")
    parser.add_argument(
        "--as-of", type=date.fromisoformat, default=date.today(), help="date du dernier passage (défaut : aujourd'hui)"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
