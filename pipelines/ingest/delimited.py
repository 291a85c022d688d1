"""Delimited text (csv, tsv): bytes → text → rows of cells, each with the row number a spreadsheet shows.

A fast reader takes files that every reader understands alike. A tolerant one takes the rest: quotes left open, line
breaks inside cells, rows too long or too short; what it repaired is reported, never silent.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.encodings import as_utf8, pieces
from pipelines.ingest.pool import in_threads
from pipelines.ingest.sheet import Problem, Sheet, UnreadableFileError, column_letters
from schemas.distinct import Distinct

if TYPE_CHECKING:
    from collections.abc import Iterator

SEPARATORS = (";", ",", "\t", "|")
_SEPARATOR_WORDS = {"\t": "tabulation"}
_SAMPLE_LINES = 400
_LONGEST_CELL = 60  # physical lines that one quoted cell may span

csv.field_size_limit(10_000_000)


def read_delimited(content: bytes, *, name: str) -> Sheet:
    """The rows of a delimited text. Raises `UnreadableFileError` when the bytes are not text."""
    text, encoding = as_utf8(content)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    sample = b"".join(islice(io.BytesIO(text), _SAMPLE_LINES)).decode()
    if not sample.strip() and not text.decode().strip():
        raise UnreadableFileError("Le fichier est vide : il ne contient aucune ligne.")
    separator = find_separator(sample)
    notes = (f"encodage {encoding}, séparateur « {_SEPARATOR_WORDS.get(separator, separator)} »",)
    columns = _read_fast(text, separator)
    if columns is not None:
        cells = _numbered(pl.DataFrame([column.over(column.cells) for column in columns]))
        distinct = dict(zip(cells.columns[1:], columns, strict=True))
        return Sheet(name=name, cells=cells, notes=notes, has_title=False, distinct=distinct)
    cells, problems = _read_tolerant(text.decode(), separator)
    return Sheet(name=name, cells=cells, problems=problems, notes=notes, has_title=False)


def find_separator(text: str) -> str:
    """The separator that cuts the first lines into the steadiest number of cells (`;` when none does)."""
    sample = "\n".join(text.split("\n", _SAMPLE_LINES)[:_SAMPLE_LINES])
    best, best_score = ";", 0.0
    for separator in SEPARATORS:
        widths = Counter(len(row) for row in csv.reader(io.StringIO(sample, newline=""), delimiter=separator) if row)
        width, rows = max(widths.items(), key=lambda item: (item[1] if item[0] > 1 else 0, item[0]), default=(1, 0))
        score = rows / max(sum(widths.values()), 1) * (width - 1) ** 0.5 if width > 1 else 0.0
        if score > best_score:
            best, best_score = separator, score
    return best


def _read_fast(text: bytes, separator: str) -> list[Distinct] | None:
    """The columns of a text whose every line is a whole row of the same length; None when one is not."""
    quoted = b'"' in text
    try:
        cells = pl.read_csv(
            text, separator=separator, has_header=False, infer_schema=False, quote_char='"' if quoted else None
        )
    except pl.exceptions.ComputeError:
        return None
    # polars leaves out blank lines and completes short rows without a word: the tolerant reader says so.
    if cells.height != text.count(b"\n") + (not text.endswith(b"\n")):
        return None
    if quoted and not all(_has_whole_quotes(piece, separator, cells.width) for piece in pieces(text)):
        return None
    if not quoted and text.count(separator.encode()) != cells.height * (cells.width - 1):
        return None
    columns, lines = cells.get_columns(), cells.height
    del cells
    return in_threads(_compact, _let_go(columns), lines=lines)


def _let_go(columns: list[pl.Series]) -> Iterator[pl.Series]:
    """The `columns` in order, each held no longer by the list."""
    columns.reverse()
    while columns:
        yield columns.pop()


def _compact(column: pl.Series) -> Distinct:
    """The column in one piece, its equal cells stored once."""
    distinct = Distinct.of(column)
    return Distinct(column.rechunk()) if distinct.places is None else distinct


def _has_whole_quotes(text: bytes, separator: str, width: int) -> bool:
    """Whether each line closes the quotes it opens and has `width` cells."""
    lines = pl.read_lines(io.BytesIO(text)).to_series()
    quotes = lines.str.count_matches('"', literal=True)
    if (quotes % 2 != 0).any():
        return False
    separators = lines.str.count_matches(separator, literal=True)
    unquoted = lines.filter(quotes > 0).str.replace_all(r'"[^"]*"', "")
    return bool(
        (separators.filter(quotes == 0) == width - 1).all()
        and (unquoted.str.count_matches(separator, literal=True) == width - 1).all()
    )


def _numbered(cells: pl.DataFrame) -> pl.DataFrame:
    renamed = cells.rename(dict(zip(cells.columns, column_letters(cells.width), strict=True)))
    return renamed.with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int32))


def _read_tolerant(text: str, separator: str) -> tuple[pl.DataFrame, list[Problem]]:
    lines = text.removesuffix("\n").split("\n")
    width = _usual_width(lines, separator)
    rows: list[list[str]] = []
    problems: list[Problem] = []
    for number, (cells, unbalanced) in enumerate(_records(lines, separator, width), start=1):
        if unbalanced:
            problems.append(Problem(row=number, code="unbalanced_quote"))
        if len(cells) != width and any(cell.strip() for cell in cells):
            detail = f"{len(cells)} cellules au lieu de {width}"
            problems.append(Problem(number, "row_length", detail, cells=len(cells)))
        rows.append(cells)
    widest = max(map(len, rows))
    padded = [cells + [""] * (widest - len(cells)) for cells in rows]
    return _numbered(pl.DataFrame(padded, schema=[str(i) for i in range(widest)], orient="row")), problems


def _usual_width(lines: list[str], separator: str) -> int:
    whole = (line for line in lines if line.count('"') % 2 == 0 and line.strip())
    widths = Counter(len(row) for row in csv.reader(whole, delimiter=separator))
    return widths.most_common(1)[0][0] if widths else 1


def _records(lines: list[str], separator: str, width: int) -> Iterator[tuple[list[str], bool]]:
    """Rows of cells, each with True when an open quote had to be read as an ordinary character.

    A line with an odd number of quotes either opens a cell that goes on below, or holds a stray quote. It goes on
    when the joined lines have the usual number of cells and those below are no rows of their own.
    """
    position = 0
    while position < len(lines):
        line = lines[position]
        if line.count('"') % 2 == 0:
            yield _cut(line, separator), False
            position += 1
            continue
        end = _closing_line(lines, position)
        alone = _cut_unquoted(line, separator)
        joined = _cut("\n".join(lines[position : end + 1]), separator) if end is not None else None
        swallowed = lines[position + 1 : (end or position) + 1]
        rows_below = any(len(_cut_unquoted(other, separator)) == width for other in swallowed)
        goes_on = joined is not None and (
            (len(joined) == width and not (rows_below and len(alone) == width))
            or (len(alone) != width and not rows_below)
        )
        if joined is not None and goes_on:
            yield joined, False
            position += 1 + len(swallowed)
        else:
            yield alone, True
            position += 1


def _closing_line(lines: list[str], start: int) -> int | None:
    for position in range(start + 1, min(start + _LONGEST_CELL, len(lines))):
        if lines[position].count('"') % 2:
            return position
    return None


def _cut(record: str, separator: str) -> list[str]:
    return next(csv.reader(io.StringIO(record, newline=""), delimiter=separator), [])


def _cut_unquoted(line: str, separator: str) -> list[str]:
    cells = line.split(separator)
    return [cell[1:-1] if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell for cell in cells]
