"""The files of every published table: CSV, its twin for a French spreadsheet, XLSX, Parquet; by licence.

Addresses are stable: `data/<table>.csv` for what may be mixed, `data/odbl/<table>.csv` for what is under ODbL.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any

import polars as pl
from pyarrow.parquet import ParquetWriter

from pipelines.publish import comma_separated, formats, workbooks
from pipelines.publish.licensing import Part, updated_words
from pipelines.publish.reports import File, Stream
from pipelines.publish.tables import Row, records

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from pipelines.publish.context import Context


@dataclass(frozen=True)
class FileKind:
    """A format of file: what people and machines call it."""

    title: str
    ending: str
    format: str
    media_type: str


CSV = FileKind("CSV", ".csv", "csv", "text/csv")
EXCEL_CSV = FileKind("CSV pour Excel", "-excel.csv", "csv", "text/csv")
XLSX = FileKind(
    "XLSX", ".xlsx", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)  # fmt: skip
PARQUET = FileKind("Parquet", ".parquet", "parquet", "application/vnd.apache.parquet")
KINDS = (CSV, EXCEL_CSV, XLSX, PARQUET)


@dataclass(frozen=True)
class DataFile:
    """One file: its kind, its path from the site's root, its bytes and their sha256."""

    kind: FileKind
    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """The lines of one table under one licence, with their files and the types of their columns.

    `incomplete`: columns that lack a value in some line. `columns`: the dictionary's lines, in the table's order.
    """

    table: str
    comment: str
    part: Part
    rows: int
    schema: pl.Schema
    incomplete: frozenset[str]
    columns: tuple[Row, ...]
    sources: tuple[Row, ...]
    files: list[DataFile]

    @property
    def name(self) -> str:
        """`awards`, `awards-odbl`."""
        return f"{self.table}{self.part.suffix}"

    @property
    def key(self) -> list[str]:
        """The columns that tell its lines apart."""
        return [str(row["column_name"]) for row in self.columns if row["is_key"]]

    def file(self, kind: FileKind) -> DataFile | None:
        """Its file of one kind, None when there is none."""
        return next((file for file in self.files if file.kind == kind), None)


def data_file(kind: FileKind, path: str, content: bytes) -> DataFile:
    """What is said of a file."""
    return DataFile(kind, path, len(content), hashlib.sha256(content).hexdigest())


def datasets(context: Context) -> Generator[File, None, list[Dataset]]:
    """Every file of every table, one table after the other; returns what they are."""
    found = []
    for table in context.database.tables():
        schema = context.database.typed(f'SELECT * FROM "{table}" LIMIT 0').schema
        for part in context.licensing.parts(table):
            told = yield from context.part(_files, table, part.folder)
            if told is not None:
                kinds = {kind.ending: kind for kind in KINDS}
                files = [DataFile(kinds[ending], path, size, sha) for ending, path, size, sha in told["files"]]
                rows, incomplete = told["rows"], frozenset(told["incomplete"])
                found.append(_dataset(context, table, part, rows, schema, incomplete, files))
    return found


def _dataset(
    context: Context, table: str, part: Part, rows: int, schema: pl.Schema, incomplete: frozenset[str],
    files: list[DataFile],
) -> Dataset:  # fmt: skip
    words = {row["column_name"]: row for row in records(context.database.where("dictionary", "table_name", table))}
    columns = tuple(words[name] for name in schema if name in words)
    comment, sources = context.database.comment(table), context.licensing.sources_in(table, part.folder)
    return Dataset(table, comment, part, rows, schema, incomplete, columns, sources, files)


def _files(context: Context, table: str, folder: str) -> Generator[File, None, dict[str, Any] | None]:
    """The files of one part of a table; returns what they are, None where it has no line."""
    part, database = context.licensing.part(table, folder), context.database
    names = database.columns(table)
    counts = ", ".join(f'count("{name}")' for name in names)
    [(rows, *filled)] = database.typed(
        f'SELECT count(*), {counts} FROM "{table}" WHERE {part.where}', part.parameters
    ).rows()
    if part.folder and not rows:
        return None
    incomplete = frozenset(name for name, n in zip(names, filled, strict=True) if n < rows)
    schema = database.typed(f'SELECT * FROM "{table}" LIMIT 0').schema
    dataset = _dataset(context, table, part, rows, schema, incomplete, [])
    files = []
    for kind, write in _kinds(context, dataset, partial(database.kept, sorted_lines(table, part), part.parameters)):
        made = Stream(f"data/{part.folder}{table}{kind.ending}", write)
        yield made
        files.append([kind.ending, made.path, made.size, made.digest])
    return {"rows": rows, "incomplete": sorted(incomplete), "files": files}


def sorted_lines(table: str, part: Part) -> str:
    """The query of the lines of a part of a table, in the order in which files have them."""
    return f'SELECT * FROM "{table}" WHERE {part.where} ORDER BY ALL'


def _kinds(
    context: Context, dataset: Dataset, lines: Callable[[], Iterator[pl.DataFrame]]
) -> Iterator[tuple[FileKind, Callable[[IO[bytes]], None]]]:
    """The formats that a table of this size is given in, and what writes each of them."""
    yield CSV, lambda file: comma_separated.write(lines(), file)
    if dataset.rows <= comma_separated.MOST_FOR_EXCEL:
        yield EXCEL_CSV, lambda file: comma_separated.write_for_excel(lines(), file)
    if dataset.rows <= workbooks.MOST_LINES:
        yield XLSX, lambda file: _workbook(context, dataset, pl.concat(lines()), file)
    yield PARQUET, lambda file: _parquet(lines(), file)


def _workbook(context: Context, dataset: Dataset, frame: pl.DataFrame, file: IO[bytes]) -> None:
    words = [
        [str(row["column_name"]), str(row["title"]), str(row["description"]), _text(row["unit"])]
        for row in dataset.columns
    ]
    about, day = _about(context, dataset), context.publication.as_of
    file.write(workbooks.to_bytes(frame, name=dataset.table, columns=words, about=about, day=day))


def _about(context: Context, dataset: Dataset) -> list[tuple[str, str]]:
    publication = context.publication
    return [
        ("Table", f"{dataset.table} : {dataset.comment}"),
        ("Lignes", formats.count(dataset.rows)),
        ("État des données", formats.date(publication.as_of)),
        ("Éditeur", publication.publisher_name),
        ("Corriger une erreur", publication.correction_address),
        ("Licence", " ; ".join(terms.title for terms in dataset.part.terms)),
        *(("Source", source_words(row)) for row in dataset.sources),
    ]


def source_words(row: Row) -> str:
    """« Ville d'Exemple : budget des subventions (ODbL 1.0, mise à jour du 3 mars 2026) »."""
    own = str(row["source_name"])
    name = own if row["name"] in own else f"{row['name']} : {own}"
    return f"{name} ({row['terms'].title}, {updated_words(row)})"


def _text(value: object) -> str:
    return "" if formats.is_missing(value) else str(value)


def _parquet(frames: Iterator[pl.DataFrame], file: IO[bytes]) -> None:
    first = next(frames).to_arrow()
    with ParquetWriter(file, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for frame in frames:
            writer.write_table(frame.to_arrow())
