"""Comma-separated files as RFC 4180 has them: UTF-8, CRLF, point decimals, ISO dates; no cell a spreadsheet would run.

A text cell that begins with = + - @ (or a tab, a carriage return, a line feed) gets a leading apostrophe: opening the
file never executes anything (OWASP, "CSV injection"). Numbers keep their sign.
"""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.publish import formats

if TYPE_CHECKING:
    import pandas as pd

DANGEROUS = r"^[=+\-@\t\r\n]"


def neutralised(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with its lists joined by « ; » and its dangerous text cells prefixed by an apostrophe."""
    lists = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
    flat = frame.with_columns(pl.col(lists).cast(pl.List(pl.String)).list.join("; ")) if lists else frame
    texts = [name for name, dtype in flat.schema.items() if dtype == pl.String]
    cells = [
        pl.when(pl.col(name).str.contains(DANGEROUS))
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in texts
    ]
    return flat.with_columns(cells)


def to_bytes(frame: pl.DataFrame) -> bytes:
    """The whole file, header included."""
    buffer = io.BytesIO()
    neutralised(frame).write_csv(buffer, line_terminator="\r\n", quote_style="necessary")
    return buffer.getvalue()


def to_excel_bytes(frame: pl.DataFrame) -> bytes:
    """The same file for a spreadsheet set in French: byte order mark, semicolons, decimal commas, VRAI and FAUX."""
    booleans = pl.selectors.boolean()
    shown = neutralised(frame).with_columns(
        pl.when(booleans).then(pl.lit("VRAI")).when(booleans.not_()).then(pl.lit("FAUX")).name.keep()
    )
    buffer = io.BytesIO()
    shown.write_csv(
        buffer, separator=";", decimal_comma=True, include_bom=True, line_terminator="\r\n", quote_style="necessary"
    )
    return buffer.getvalue()


def from_pandas(frame: pd.DataFrame) -> bytes:
    """The file of one figure's frame: columns in order, whole numbers without decimals, absences empty."""
    columns: dict[str, pl.Series] = {}
    for name in frame.columns:
        values = [_plain(value) for value in frame[name].tolist()]
        if values and all(value is None or (isinstance(value, float) and value.is_integer()) for value in values):
            values = [None if value is None else int(value) for value in values]
        columns[str(name)] = pl.Series(str(name), values, strict=False)
    return to_bytes(pl.DataFrame(columns))


def _plain(value: Any) -> Any:
    """None for an absence; a date for a timestamp (figures hold days, never hours)."""
    if formats.is_missing(value):
        return None
    return value.date() if isinstance(value, dt.datetime) else value
