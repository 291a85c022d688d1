"""Every text of a published site, decoded down to the cell, and what of it identifies a person or a refused applicant.

The shapes sought are this module's own: the code that takes personal values out is not asked what they look like.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import zipfile
from html import unescape
from typing import TYPE_CHECKING

import duckdb
import polars as pl
from stdnum import iban

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

DECODED = {".css", ".csv", ".gz", ".html", ".js", ".json", ".parquet", ".txt", ".xlsx"}
EMAIL = re.compile(r"[\w.%+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")
PHONE = re.compile(
    r"(?<![\w.,-])(?<!\d )(?:\+33[ .\u00a0-]?(?:\(0\)[ .\u00a0-]?)?[1-9](?:[ .\u00a0-]?\d\d){4}"
    r"|0[1-9](?:[ .\u00a0-]\d\d){4}|0[67]\d{8})(?![\w-])(?! \d\d\b)"
)
"""Five pairs and no more: a longer run is a list of départements."""
IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
SIREN = re.compile(r"(?<!\d)(\d{3})([ \u00a0.]?)(\d{3})\2(\d{3})(?:\2\d{5})?(?!\d)")
EXAMPLE = "appels-a-projets@exemple.invalid"
"""What the contract of calls gives as the example of a mailbox: it is in the description of the files."""
_CONTACTS = (
    "SELECT correction_address AS told FROM publication"
    " UNION SELECT contact_mailbox FROM services UNION SELECT contact_function FROM services"
    " UNION SELECT contact_mailbox FROM who_does_what UNION SELECT contact_function FROM who_does_what"
    " UNION SELECT contact_mailbox FROM calls UNION SELECT contact FROM calls"
)
_NEVER_AWARDED = """
    SELECT DISTINCT applicant_siren FROM applications WHERE applicant_siren IS NOT NULL
    EXCEPT SELECT applicant_siren FROM applications WHERE is_award
    EXCEPT SELECT left(funder_siret, 9) FROM applications
    EXCEPT SELECT funder_siren FROM applications
"""


def texts(root: Path) -> Iterator[tuple[str, str]]:
    """Path and text of each file of a site, but for the library of charts; a cell a line, once, where there are cells.

    A workbook gives a text for each of its members.
    """
    for path in sorted(path for path in root.rglob("*") if path.is_file() and not path.name.startswith(".")):
        name = path.relative_to(root).as_posix()
        if name.startswith("assets/plotly-"):
            continue
        assert path.suffix in DECODED, f"{name}: nobody looks into such a file"
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                for member in book.namelist():
                    yield f"{name}/{member}", unescape(book.read(member).decode())
        elif path.suffix == ".gz":  # what parts of the site were made from
            yield name, json.dumps(json.loads(gzip.decompress(path.read_bytes())), ensure_ascii=False)
        elif path.suffix == ".parquet":
            yield name, "\n".join(_cells(pl.read_parquet(path)))
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                rows = csv.reader(file, delimiter=";" if name.endswith("-excel.csv") else ",")
                yield name, "\n".join(dict.fromkeys(cell for row in rows for cell in row))
        else:
            text = path.read_text(encoding="utf-8")
            yield name, unescape(text) if path.suffix == ".html" else text


def _cells(frame: pl.DataFrame) -> Iterator[str]:
    for column in frame.iter_columns():
        cells = column.explode() if isinstance(column.dtype, pl.List) else column
        yield from cells.cast(pl.String).drop_nulls().unique().to_list()


def published_contacts(public: Path) -> frozenset[str]:
    """The mailboxes and numbers that may be read: of the directory, of calls, for corrections."""
    with duckdb.connect(str(public), read_only=True) as db:
        told = " ".join(str(told) for (told,) in db.execute(_CONTACTS).fetchall())
    return frozenset({EXAMPLE, *map(str.lower, EMAIL.findall(told)), *map(_digits, PHONE.findall(told))})


def never_awarded(funding: Path) -> frozenset[str]:
    """The SIREN of applicants that were awarded nothing and fund nobody."""
    with duckdb.connect(str(funding), read_only=True) as db:
        return frozenset(siren for (siren,) in db.execute(_NEVER_AWARDED).fetchall())


def cells_of(public: Path) -> Iterator[tuple[str, str]]:
    """Name and text of each table of a database, the only thing that a site is made from; a cell a line, once."""
    with duckdb.connect(str(public), read_only=True) as db:
        for (table,) in db.execute("SELECT table_name FROM duckdb_tables() ORDER BY ALL").fetchall():
            frame = db.sql(f'FROM "{table}"').pl()
            yield table, "\n".join(_cells(frame.select(pl.col(pl.String, pl.List(pl.String)))))


def identifying(root: Path, public: Path, refused: Collection[str] = ()) -> list[tuple[str, str, str]]:
    """What must not be in the site: (file, kind, value). `refused`: SIREN that no file may name."""
    return identifying_in(texts(root), public, refused)


def identifying_in(
    given: Iterable[tuple[str, str]], public: Path, refused: Collection[str] = ()
) -> list[tuple[str, str, str]]:
    """What must not be in these named texts: (name, kind, value)."""
    contacts, unwanted = published_contacts(public), frozenset(refused)
    found = set()
    for name, text in given:
        for line in (line for line in text.split("\n") if "@" in line):
            found |= {(name, "e-mail", each) for each in EMAIL.findall(line) if each.lower() not in contacts}
        found |= {(name, "phone", each) for each in PHONE.findall(text) if _digits(each) not in contacts}
        found |= {(name, "iban", each) for each in IBAN.findall(text) if iban.is_valid(each)}
        if unwanted:
            numbers = {first + second + third for first, _, second, third in SIREN.findall(text)}
            found |= {(name, "siren", each) for each in numbers & unwanted}
    return sorted(found)


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number.replace("(0)", ""))[-9:]
