"""Bytes → sheets of text cells. What a file is, its bytes say: its name does not count.

Nothing is renamed, typed or summed here; every cell keeps its sheet, row and column.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath

import fastexcel
import polars as pl

from pipelines.ingest.delimited import read_delimited
from pipelines.ingest.sheet import Member, Reading, Sheet, UnreadableFileError, column_letter

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_NOT_TABLES = {
    b"%PDF": "un document PDF",
    b"\x89PNG": "une image",
    b"\xff\xd8\xff": "une image",
    b"GIF8": "une image",
    b"{\\rtf": "un document texte",
    b"Rar!": "une archive RAR",
    b"7z\xbc\xaf": "une archive 7z",
}
_TABLE_SUFFIXES = {".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".xls", ".ods"}
_MOST_MEMBERS = 500
_MOST_BYTES = 2 * 1024**3
_PROTECTED = (
    "Le classeur est protégé par un mot de passe : il ne peut pas être lu. "
    "Enregistrez-le sans mot de passe, puis déposez-le à nouveau."
)


def read_file(content: bytes, *, name: str) -> Reading:
    """The sheets of a deposited file, archives opened.

    Raises `UnreadableFileError`, with a message for the author, when it is empty, protected, damaged or no table.
    """
    if not content.strip(b"\x00 \r\n\t"):
        raise UnreadableFileError("Le fichier est vide : il ne contient aucune ligne.")
    for signature, what in _NOT_TABLES.items():
        if content.startswith(signature):
            raise UnreadableFileError(f"Ce fichier est {what}, pas un tableau. Déposez le tableur lui-même.")
    if content.startswith(_ZIP):
        return _read_zip(content, name)
    if content.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise UnreadableFileError(_PROTECTED)
        return Reading([Member(name, _read_workbook(content))])
    return Reading([Member(name, [read_delimited(content, name=PurePosixPath(name).stem)])])


def _read_zip(content: bytes, name: str) -> Reading:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        names = set(archive.namelist())
    except zipfile.BadZipFile as error:
        raise UnreadableFileError(
            "Le fichier est abîmé ou incomplet : il ne s'ouvre pas. Déposez-le à nouveau."
        ) from error
    if "[Content_Types].xml" in names or "mimetype" in names or "META-INF/manifest.xml" in names:
        return Reading([Member(name, _read_workbook(content))])
    return _read_archive(archive)


def _read_archive(archive: zipfile.ZipFile) -> Reading:
    files = [info for info in archive.infolist() if not info.is_dir()]
    if len(files) > _MOST_MEMBERS or sum(info.file_size for info in files) > _MOST_BYTES:
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
            inner = read_file(_unzip(archive, info), name=info.filename)
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
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError) as error:
        raise UnreadableFileError("Ce fichier de l'archive est abîmé : il ne s'ouvre pas.") from error


def _read_workbook(content: bytes) -> list[Sheet]:
    try:
        workbook = fastexcel.read_excel(content)
        return [_read_sheet(workbook, name) for name in workbook.sheet_names]
    except fastexcel.FastExcelError as error:
        if "assword" in str(error):
            raise UnreadableFileError(_PROTECTED) from error
        raise UnreadableFileError(
            "Le classeur est abîmé ou n'est pas un tableur : il ne s'ouvre pas. "
            "Ouvrez-le dans votre tableur, enregistrez-le à nouveau, puis déposez-le."
        ) from error


def _read_sheet(workbook: fastexcel.ExcelReader, name: str) -> Sheet:
    # skip_rows=0 keeps the blank rows above the first filled one, so that row numbers stay those of the author.
    sheet = workbook.load_sheet(
        name, header_row=None, skip_rows=0, dtypes="string", whitespace_as_null=True, skip_whitespace_tail_rows=True
    )
    cells = sheet.to_polars()
    letters = {column.name: column_letter(column.absolute_index) for column in sheet.selected_columns}
    cells = cells.rename(letters).with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int32))
    return Sheet(name=name, cells=cells, hidden=sheet.visible != "visible")
