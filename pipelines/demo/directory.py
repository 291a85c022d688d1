"""Who does what and which calls are open, as some invented funders state them: the lines of `directory.toml`."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipelines.demo.applications import Line

_PATH = Path(__file__).with_name("directory.toml")


@cache
def _stated() -> dict[str, Any]:
    return tomllib.loads(_PATH.read_text(encoding="utf-8"), parse_float=Decimal)


def services(slug: str) -> list[Line]:
    """The lines of one funder's directory, under the names of the contract `service`."""
    return list(_stated()["services"].get(slug, []))


def calls(slug: str) -> list[Line]:
    """The calls that one funder states in the template, under the names of the contract `call`."""
    return list(_stated()["calls"].get(slug, []))


def open_data_calls() -> list[Line]:
    """A private funder's calls, under the names of the French schema « dispositif-aide » 0.0.2."""
    return list(_stated()["open_data"])
