"""`python -m pipelines.demo [--out raw]`: write the demonstration and print what its files must give."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipelines.demo.control import table
from pipelines.demo.deposits import control_figures, write


def main() -> None:
    """Write every folder under `--out`, then print the control table."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.demo", description="Écrit les données de démonstration.")
    parser.add_argument("--out", type=Path, default=Path("raw"), help="dossier où écrire (défaut : raw)")
    target: Path = parser.parse_args().out
    write(target)
    sys.stdout.write(table(control_figures()) + "\n")


if __name__ == "__main__":
    main()
