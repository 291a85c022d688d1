"""Bytes → sheets of text cells. What a file is, its bytes say: its name does not count.

Nothing is renamed, typed or summed here; every cell keeps its sheet, row and column.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from dataclasses import replace
from pathlib import PurePosixPath

import fastexcel
import polars as pl

from pipelines.ingest.container import DAMAGED, MOST_BYTES, check_compound, check_extents
from pipelines.ingest.delimited import read_delimited
from pipelines.ingest.encodings import repaired_columns
from pipelines.ingest.own_sheets import why_own
from pipelines.ingest.pool import in_threads
from pipelines.ingest.records import looks_like_json, read_records
from pipelines.ingest.sheet import Member, Reading, Sheet, UnreadableFileError, column_letter, column_letters
from schemas.distinct import Distinct

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_NOT_TABLES = {
    b"%PDF": "un document PDF",
    b"\x89PNG": "une image",
    b"\xff\xd8\xff": "une image",
    b"GIF8": "une image",
    b"{\\rtf": "un document texte",
    b"Rar!": "une archive RAR",
    b"7z\xbc\xaf": "une archive 7z",
}
_BLANK = re.compile(rb"[\x00 \r\n\t]*")
_WORKBOOKS = {"[Content_Types].xml", "mimetype", "META-INF/manifest.xml"}
_TABLE_SUFFIXES = {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods", ".json", ".parquet", ".gz"}
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError)
"""What Python's zipfile raises on damaged archives, on features it lacks and on encrypted members."""
_PANIC = "PanicException"
"""The name of what a defect of a library in Rust raises on a damaged file; no module exports the class."""
_MOST_MEMBERS = 500
_DEEPEST = 3  # archives in archives
_PROTECTED = (
    "Le classeur est protégé par un mot de passe : il ne peut pas être lu. "
    "Enregistrez-le sans mot de passe, puis déposez-le à nouveau."
)


def own_sheet(content: bytes, first_cell: str, *, name: str) -> Sheet | None:
    """The sheet of ours that begins with `first_cell` in a workbook, opened as carefully as any; None without it.

    Raises `UnreadableFileError` as `read_file` does.
    """
    sheets = [sheet for member in _read(content, name, 0).members for sheet in member.sheets]
    return next((sheet for sheet in sheets if why_own(sheet) and sheet.cells["A"][0] == first_cell), None)


def read_file(content: bytes, *, name: str) -> Reading:
    """The sheets of a deposited file, archives opened and text encoded twice put right; ours are left aside.

    Raises `UnreadableFileError`, with a message for the author, when it is empty, protected, damaged or no table.
    """
    reading = _read(content, name, 0)
    ours = [(sheet.name, why) for member in reading.members for sheet in member.sheets if (why := why_own(sheet))]
    members = [
        replace(member, sheets=[_repaired(sheet) for sheet in member.sheets if why_own(sheet) is None])
        for member in reading.members
    ]
    return replace(reading, members=members, left_aside=[*reading.left_aside, *ours])


def _read(content: bytes, name: str, depth: int) -> Reading:
    if depth > _DEEPEST:
        raise UnreadableFileError("L'archive contient des archives dans des archives : déposez les fichiers eux-mêmes.")
    if _BLANK.fullmatch(content):
        raise UnreadableFileError("Le fichier est vide : il ne contient aucune ligne.")
    for signature, what in _NOT_TABLES.items():
        if content.startswith(signature):
            raise UnreadableFileError(f"Ce fichier est {what}, pas un tableau. Déposez le tableur lui-même.")
    if content.startswith(_ZIP):
        return _read_zip(content, name, depth)
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise UnreadableFileError(_PROTECTED)
        check_compound(content)
        return Reading([Member(name, _read_workbook(content))])
    if content.startswith(_GZIP):
        return _read(_gunzip(content), name.removesuffix(".gz"), depth + 1)
    stem = PurePosixPath(name).stem
    if content.startswith(_PARQUET):
        return Reading([Member(name, [_read_parquet(content, stem)])])
    records = read_records(content, name=stem) if looks_like_json(content) else None
    return Reading([Member(name, [records or read_delimited(content, name=stem)])])


def _repaired(sheet: Sheet) -> Sheet:
    """The same, with the distinct cells of its columns, and what was encoded twice put right."""
    found = in_threads(
        lambda letter: sheet.distinct.get(letter) or Distinct.of(sheet.cells[letter]),
        sheet.letters,
        lines=sheet.cells.height,
    )
    known = dict(zip(sheet.letters, found, strict=True))
    repaired = repaired_columns(known)
    if not repaired:
        return replace(sheet, distinct=known)
    changed = sum(cells for _, cells in repaired.values())
    known |= {letter: column for letter, (column, _) in repaired.items()}
    columns = [known[letter].over(known[letter].cells).alias(letter) for letter in repaired]
    note = f"{changed} cellules encodées deux fois (« Ã© »), réparées"
    return replace(sheet, cells=sheet.cells.with_columns(columns), distinct=known, notes=(*sheet.notes, note))


def _gunzip(content: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(content)) as file:
            inner = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFileError("L'archive est abîmée ou incomplète : elle ne s'ouvre pas.") from error
    if len(inner) > MOST_BYTES:
        raise UnreadableFileError("L'archive est trop grosse pour être ouverte : déposez le fichier lui-même.")
    return inner


def _read_parquet(content: bytes, name: str) -> Sheet:
    """Titles become row 1, so that the first line is row 2, as in a spreadsheet."""
    try:
        table = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise UnreadableFileError("Le fichier Parquet est abîmé : il ne s'ouvre pas.") from error
    letters = column_letters(table.width)
    nested = [name for name, dtype in table.schema.items() if dtype.is_nested() or dtype == pl.Binary]
    flat = table.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in nested).cast(pl.String)
    titles = pl.DataFrame([table.columns], schema=dict.fromkeys(letters, pl.String), orient="row")
    cells = pl.concat([titles, flat.rename(dict(zip(table.columns, letters, strict=True)))])
    numbered = cells.with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int32))
    return Sheet(name=name, cells=numbered, has_title=False)


def _read_zip(content: bytes, name: str, depth: int) -> Reading:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        names = set(archive.namelist())
        is_workbook = bool(names & _WORKBOOKS)
        if is_workbook:
            check_extents(archive)
    except UnreadableFileError:
        raise
    except _DAMAGED as error:
        raise UnreadableFileError(
            "Le fichier est abîmé ou incomplet : il ne s'ouvre pas. Déposez-le à nouveau."
        ) from error
    if is_workbook:
        return Reading([Member(name, _read_workbook(content))])
    return _read_archive(archive, depth)


def _read_archive(archive: zipfile.ZipFile, depth: int) -> Reading:
    files = [info for info in archive.infolist() if not info.is_dir()]
    if len(files) > _MOST_MEMBERS or sum(info.file_size for info in files) > MOST_BYTES:
        raise UnreadableFileError("L'archive est trop grosse pour être ouverte : déposez les fichiers un par un.")
    members: list[Member] = []
    left_aside: list[tuple[str, str]] = []
    for info in sorted(files, key=lambda info: info.filename):
        path = PurePosixPath(info.filename)
        if "__MACOSX" in path.parts or path.name.startswith((".", "~$")):
            continue
        if path.suffix.lower() not in _TABLE_SUFFIXES:
            left_aside.append((info.filename, "ce n'est pas un tableau"))
            continue
        if info.flag_bits & 1:
            raise UnreadableFileError(_PROTECTED.replace("Le classeur est protégé", "L'archive est protégée"))
        try:
            inner = _read(_unzip(archive, info), info.filename, depth + 1)
        except UnreadableFileError as error:
            left_aside.append((info.filename, str(error)))
            continue
        members += inner.members
        left_aside += inner.left_aside
    if not members:
        raise UnreadableFileError("L'archive ne contient aucun tableau lisible.")
    return Reading(members, left_aside)


def _unzip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        return archive.read(info)
    except _DAMAGED as error:
        raise UnreadableFileError("Ce fichier de l'archive est abîmé : il ne s'ouvre pas.") from error


def _read_workbook(content: bytes) -> list[Sheet]:
    try:
        workbook = fastexcel.read_excel(content)
        return [_read_sheet(workbook, name) for name in workbook.sheet_names]
    except fastexcel.FastExcelError as error:
        if "assword" in str(error):
            raise UnreadableFileError(_PROTECTED) from error
        raise UnreadableFileError(DAMAGED) from error
    except BaseException as error:
        if type(error).__name__ != _PANIC:
            raise
        raise UnreadableFileError(DAMAGED) from error


def _read_sheet(workbook: fastexcel.ExcelReader, name: str) -> Sheet:
    # skip_rows=0 keeps the blank rows above the first filled one, so that row numbers stay those of the author.
    sheet = workbook.load_sheet(
        name, header_row=None, skip_rows=0, dtypes="string", whitespace_as_null=True, skip_whitespace_tail_rows=True
    )
    cells = sheet.to_polars()
    letters = {column.name: column_letter(column.absolute_index) for column in sheet.selected_columns}
    cells = cells.rename(letters).with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int32))
    return Sheet(name=name, cells=cells, hidden=sheet.visible != "visible")
