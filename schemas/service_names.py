"""Spellings of services settled by hand: `service_names.csv`, one spelling a line, with who settled it and why.

`funder` is the SIREN or the name of the funder, `variant` what the files say, `service` the service that it is. Most
spellings need no line here: a directory gives those of its services itself.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

PATH = Path(__file__).parent / "service_names.csv"
COLUMNS = ("funder", "variant", "service", "reason", "author")


class ServiceNamesError(ValueError):
    """A look-up that cannot be used; the message names the row."""


@cache
def service_names(path: Path = PATH) -> pl.DataFrame:
    """The look-up, all text. Raises `ServiceNamesError` for an absent column or cell."""
    frame = pl.read_csv(path, infer_schema=False)
    if tuple(frame.columns) != COLUMNS:
        raise ServiceNamesError(f"{path.name} : les colonnes sont {', '.join(COLUMNS)}.")
    blank = frame.select(pl.any_horizontal(pl.all().str.strip_chars().fill_null("") == "")).to_series().arg_true()
    if blank.len():
        raise ServiceNamesError(f"{path.name}, ligne {blank[0] + 2} : toutes les colonnes sont obligatoires.")
    return frame
