"""The accepted applications of a staging folder, on disk: only the columns that hold something are written.

A list of grants fills a third of the contract's columns; to write the others, empty, took as long as to write those.
Whoever reads finds them all: the contract says what is missing, and it is null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from schemas.application import Application
from schemas.contract import polars_schema

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.lines import Lines

ACCEPTED = "accepted.parquet"


def filled_columns(lines: Lines) -> pl.LazyFrame:
    """`lines` without the columns that have no value on any of them; the number of lines is never lost."""
    every = lines.every
    filled = [name for name in every.columns if every[name].null_count() < every.height]
    return lines.lazy().select(filled or every.columns[:1])


def scan_accepted(*folders: Path) -> pl.LazyFrame:
    """The accepted lines of the staging `folders`, one after the other, with every column of `Application`.

    One query for all of them: one each, a thousand small files take longer to open than to be read.
    """
    files = [folder / ACCEPTED for folder in folders]
    return pl.scan_parquet(files, schema=polars_schema(Application), missing_columns="insert")
