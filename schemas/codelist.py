"""Closed lists of codes: one CSV each in `schemas/codelists/`, with the French label people read."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent / "codelists"


@cache
def labels(name: str) -> Mapping[str, str]:
    """Codes of the list `name`, in the file's order, each with its French label.

    Raises `FileNotFoundError` when there is no such list.
    """
    return MappingProxyType({row["code"]: row["label"] for row in rows(name)})


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Every row of the list `name` (code, label, description, further columns) as text."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def codes(name: str) -> list[str]:
    """The codes of the list `name`, in the file's order."""
    return list(labels(name))


def names() -> list[str]:
    """Every codelist of the project, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.csv"))
