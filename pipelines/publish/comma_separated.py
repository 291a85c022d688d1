"""Comma-separated files as RFC 4180 has them: UTF-8, CRLF, point decimals, ISO dates; no cell a spreadsheet would run.

A text cell that begins with = + - @ (or a tab, a carriage return, a line feed) gets a leading apostrophe: opening the
file never executes anything (OWASP, "CSV injection"). Numbers keep their sign.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import IO, TYPE_CHECKING, Any

import polars as pl

from pipelines.publish import formats

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

DANGEROUS_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
MOST_FOR_EXCEL = 1_048_575
"""Lines that a sheet of Excel holds below its headers: it cuts a longer file, and hardly says so."""
DANGEROUS = r"^[=+\-@\t\r\n]"


def neutralised(frame: pl.DataFrame) -> pl.DataFrame:
    """`frame` with its lists joined by « ; » and its dangerous text cells prefixed by an apostrophe."""
    lists = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
    flat = frame.with_columns(pl.col(lists).cast(pl.List(pl.String)).list.join("; ")) if lists else frame
    texts = [name for name, dtype in flat.schema.items() if dtype == pl.String]
    texts = [name for name in texts if flat[name].str.contains(DANGEROUS).any()]
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
    return written(neutralised(frame))


def written(safe: pl.DataFrame) -> bytes:
    """The file of a frame whose cells are `neutralised` already."""
    buffer = io.BytesIO()
    write_safe(safe, buffer)
    return buffer.getvalue()


def write_safe(safe: pl.DataFrame, file: IO[bytes], *, is_first: bool = True) -> None:
    """Write the lines of a frame whose cells are `neutralised` already, below the headers when it `is_first`."""
    safe.write_csv(file, include_header=is_first, line_terminator="\r\n", quote_style="necessary")


def write(frames: Iterable[pl.DataFrame], file: IO[bytes]) -> None:
    """Write the file of `frames`, one after the other, as `to_bytes` would all their lines."""
    for number, frame in enumerate(frames):
        write_safe(neutralised(frame), file, is_first=number == 0)


def write_for_excel(frames: Iterable[pl.DataFrame], file: IO[bytes]) -> None:
    """The same file for a spreadsheet set in French: byte order mark, semicolons, decimal commas, VRAI and FAUX."""
    booleans = pl.selectors.boolean()
    words = pl.when(booleans).then(pl.lit("VRAI")).when(booleans.not_()).then(pl.lit("FAUX")).name.keep()
    for number, frame in enumerate(frames):
        neutralised(frame).with_columns(words).write_csv(
            file, include_header=number == 0, include_bom=number == 0, separator=";", decimal_comma=True,
            line_terminator="\r\n", quote_style="necessary",
        )  # fmt: skip


def from_pandas(frame: pd.DataFrame) -> bytes:
    """The file of one figure's frame: columns in order, whole numbers without decimals, absences empty."""
    columns = [_column(frame[name].tolist()) for name in frame.columns]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(frame.columns)
    writer.writerows(zip(*columns, strict=True))
    return buffer.getvalue().encode()


def _column(values: list[Any]) -> list[str]:
    """The cells of one column of a figure as they are written."""
    plain = [_plain(value) for value in values]
    if all(value is None or (isinstance(value, float) and value.is_integer()) for value in plain):
        plain = [None if value is None else int(value) for value in plain]
    return ["" if value is None else _safe(value) if isinstance(value, str) else _written(value) for value in plain]


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(DANGEROUS_STARTS) else text


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    """None for an absence; a date for a timestamp (figures hold days, never hours)."""
    if formats.is_missing(value):
        return None
    return value.date() if isinstance(value, dt.datetime) else value
