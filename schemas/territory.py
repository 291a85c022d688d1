"""Territories of the official geographic code: communes, EPCI, départements, régions, and what names them.

The tables are in `schemas/reference/`, written by `schemas.refresh_reference`. Here they are read, nothing is resolved:
that is the warehouse's part (`territory_places`).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent / "reference"


@dataclass(frozen=True)
class Vintages:
    """Where the tables come from: the package, its version of each year, and the years that matter."""

    package: str
    current: int
    history: int
    versions: tuple[tuple[int, str], ...]


@cache
def vintages() -> Vintages:
    """What `vintages.toml` declares, versions in the order of years."""
    told = tomllib.loads((FOLDER / "vintages.toml").read_text(encoding="utf-8"))
    versions = sorted((int(year), version) for year, version in told["versions"].items())
    return Vintages(told["package"], told["current"], told["history"], tuple(versions))


@cache
def tables() -> Mapping[str, pl.DataFrame]:
    """Every reference table by its file's name, all columns text but `population`, `first` and `last` (Int64)."""
    paths = sorted([*FOLDER.glob("*.csv"), *FOLDER.glob("*.csv.gz")])
    return MappingProxyType({path.name.split(".")[0]: _read(path) for path in paths})


@cache
def _codes(*names: str) -> pl.Series:
    """The codes of some tables, as one list to look in."""
    return pl.concat(tables()[name]["code"] for name in names).unique().implode()


def is_commune_code(code: pl.Expr) -> pl.Expr:
    """True for the code of a commune, current, delegated or former as far as the tables know; null where no text."""
    return code.is_in(_codes("communes", "former_communes"))


def is_known_place(code: pl.Expr, level: pl.Expr) -> pl.Expr:
    """False for a code that is no territory of the stated level (of any, when the level is null); null where no text.

    Lost zeros and « 20A » are read as `territory_places` repairs them. A SIREN is looked up among the intercommunalités
    only: that of another authority may be right and in no table.
    """
    text = code.str.replace_all(r"\s", "").str.to_uppercase()
    padded = text.str.replace(r"^([0-9])$", "0${1}")
    departement = padded.str.replace(r"^0([0-9][0-9]|2[AB])$", "${1}").str.replace(r"^20([AB])$", "2${1}")
    known = {
        "commune": is_commune_code(text.str.replace(r"^([0-9]{4})$", "0${1}")) | text.str.contains(r"^[0-9]{9}$"),
        "epci": text.is_in(_codes("epci")),
        "departement": departement.is_in(_codes("departements")) | text.str.contains(r"^22[0-9]{7}$"),
        "region": padded.is_in(_codes("regions")) | text.str.contains(r"^2[03][0-9]{7}$"),
    }
    anywhere = pl.any_horizontal(known.values())
    found = pl.when(level.is_null()).then(anywhere).otherwise(pl.lit(True))
    for name, expression in known.items():
        found = pl.when(level == name).then(expression).otherwise(found)
    return pl.when(code.is_not_null()).then(found)


def _read(path: Path) -> pl.DataFrame:
    frame = pl.read_csv(path, infer_schema=False)
    return frame.with_columns(pl.col(name).cast(pl.Int64) for name in ("population", "first", "last") if name in frame)
