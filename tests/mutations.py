"""Grant files spoilt at random, the same at every run: what `tests.test_mutations` has read and answered.

A source (made at random with its truth, a demonstration deposit, the template, a real file when there is one) is spoilt
as a table, written in one of the file types that people send, then spoilt as bytes. Nothing here judges a reading.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
import zlib
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import openpyxl
import xlwt

from pipelines.ingest.read import read_file
from pipelines.ingest.sheet import UnreadableFileError
from pipelines.ingest.template import template_bytes
from schemas.format import load_formats
from schemas.synonyms import load_synonyms
from tests.conftest import PROJECT, REAL_FILES
from tests.test_campaign import made, text_cell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Rows = list[list[str]]
Book = dict[str, Rows]

LARGEST = 400_000  # bytes of a real or demonstration file
MOST_ROWS = 60
SECRETS = ("quelquun.prive@exemple.invalid", "06 98 76 54 32", "FR7630006000011234567890189")
"""Personal values put into cells: they may be seen nowhere in what a reading says."""


@dataclass(frozen=True)
class Spoilt:
    """One file: its bytes, its name, and what was done to it, in order."""

    content: bytes
    name: str
    source: str
    done: tuple[str, ...]


# ---------------------------------------------------------------- sources


@cache
def files() -> list[Path]:
    """The demonstration deposits and the real files when they are there, small ones, in order."""
    here = [path for folder in (PROJECT / "raw", REAL_FILES) if folder.is_dir() for path in folder.rglob("*.*")]
    kept = [p for p in here if p.is_file() and not any(part.startswith("_") for part in p.parts)]
    kept = [p for p in kept if p.suffix not in (".toml", ".md", ".txt") and p.stat().st_size <= LARGEST]
    return sorted(kept, key=lambda path: path.as_posix())


@cache
def _book(path: Path) -> Book:
    try:
        members = read_file(path.read_bytes(), name=path.name).members
    except UnreadableFileError:
        return {}
    return {
        f"{s.name}"[:28] + f" {n}": [[cell or "" for cell in row[1:]] for row in s.cells.head(3_000).iter_rows()]
        for n, s in enumerate(sheet for member in members for sheet in member.sheets)
        if not s.cells.is_empty()
    }


def _some(rng: random.Random, rows: Rows) -> Rows:
    """The first rows of a table and some of the others, in order."""
    if len(rows) <= MOST_ROWS:
        return [list(row) for row in rows]
    places = [*range(12), *sorted(rng.sample(range(12, len(rows)), MOST_ROWS - 12))]
    return [list(rows[place]) for place in places]


def source(rng: random.Random) -> tuple[Book, bytes, str, str]:
    """A table drawn at random: its sheets, the bytes it was read from (empty when it was made), its name, its kind."""
    kind = rng.choices(["made", "file", "template"], [5, 6, 1])[0]
    if kind == "file" and files():
        path = rng.choice(files())
        book = {name: _some(rng, rows) for name, rows in _book(path).items()}
        real = "real" if path.is_relative_to(REAL_FILES) else "demonstration"
        return book, path.read_bytes(), path.name, f"{real} {path.name}"
    if kind == "template":
        content = template_bytes()
        sheets = read_file(content, name="modele.xlsx").members[0].sheets
        book = {s.name: [[cell or "" for cell in row[1:]] for row in s.cells.iter_rows()] for s in sheets}
        return book, content, "modele.xlsx", "template"
    seed = rng.randrange(10**6)
    sheet = made(seed)
    rows = [[text_cell(cell).strip('"') for cell in row] for row in sheet.rows]
    return {"Liste": rows}, b"", f"{sheet.name}.csv", f"made {seed}"


# ---------------------------------------------------------------- what is done to a table


@cache
def _vocabulary() -> list[str]:
    titles = [title for spelling in load_synonyms().fields.values() for title in (*spelling.titles, *spelling.weak)]
    titles += [title for format_ in load_formats().values() for title in format_.spellings()]
    return [*titles, "Montant", "Statut", "SIRET", "N-1", "2023", "Total", "", "€", "x" * 300, "objet\nde l'aide*"]


def _line(rng: random.Random, rows: Rows) -> int:
    return rng.randrange(len(rows)) if rows else 0


def _cells(rng: random.Random, rows: Rows, change: Callable[[str], str], *, share: float = 0.15) -> None:
    for row in rows:
        for place, cell in enumerate(row):
            if cell and rng.random() < share:
                row[place] = change(cell)


def _header(rows: Rows) -> int:
    """The row with most cells among the first: the titles, nearly always."""
    return max(range(min(len(rows), 12)), key=lambda place: sum(map(bool, rows[place])), default=0)


def _columns(rng: random.Random, rows: Rows, how: str) -> None:
    width = max(map(len, rows), default=0)
    if not width:
        return
    order = list(range(width))
    if how == "shuffle":
        rng.shuffle(order)
    elif how == "drop":
        order.pop(rng.randrange(width))
    else:
        order.insert(rng.randrange(width + 1), rng.randrange(width))
    for row in rows:
        row += [""] * (width - len(row))
        row[:] = [row[place] for place in order]


def _rows(rng: random.Random, rows: Rows, how: str) -> None:
    if len(rows) < 3:
        return
    place, count = _line(rng, rows), rng.randrange(1, 6)
    if how == "shuffle":
        top = _header(rows) + 1
        rows[top:] = rng.sample(rows[top:], len(rows) - top)
    elif how == "drop":
        del rows[place : place + count]
    elif how == "repeat":
        rows[place:place] = [list(row) for row in rows[place : place + count]]
    elif how == "blank":
        rows[place:place] = [[""] * len(rows[place])] * count
    elif how == "cut":
        rows[place] = rows[place][: rng.randrange(len(rows[place]) + 1)]
    elif how == "long":
        rows[place] = rows[place] + [rng.choice(["12", "x", "1 234,50"]) for _ in range(count)]
    elif how == "titles":
        rows.insert(place, list(rows[_header(rows)]))
    elif how == "section":
        rows.insert(place, [rng.choice(["Sport", "CULTURE", "Thème : social"]), *[""] * (len(rows[place]) - 1)])
    elif how == "banner":
        rows.insert(0, [rng.choice(["Ville d'Essai", "Subventions 2023 (en k€)", "Prêts"])])
    elif how == "note":
        rows.append([rng.choice(["* montants en euros", "(42 rows affected)", "Source : direction des finances"])])


def _total(rng: random.Random, rows: Rows) -> None:
    width = max(map(len, rows), default=1)
    label = rng.choice(["TOTAL", "Sous-total culture", "Total général", "dont sport", "Somme"])
    figure = rng.choice(["12 345,00 €", "=SUM(B2:B9)", "0", "1234.5"])
    rows.insert(_line(rng, rows) + 1, [label, *[rng.choice(["", "", figure]) for _ in range(width - 1)]])


def _titles(rng: random.Random, rows: Rows, how: str) -> None:
    if not rows:
        return
    header = rows[_header(rows)]
    for place, title in enumerate(header):
        if rng.random() < 0.3:
            header[place] = {
                "word": rng.choice(_vocabulary()),
                "case": title.upper() if rng.random() < 0.5 else f"  {title.lower()}* ",
                "break": title.replace(" ", "\n"),
                "unit": f"{title} {rng.choice(['(en k€)', '2022', 'N-1', '(facultatif)', 'demandé', '%'])}",
                "same": header[0],
            }[how]


def _two_rows(rng: random.Random, rows: Rows) -> None:
    if not rows:
        return
    place = _header(rows)
    words = [title.split(" ", 1) for title in rows[place]]
    rows[place] = [own[-1] for own in words]
    rows.insert(place, [own[0] if len(own) > 1 and rng.random() < 0.8 else "" for own in words])


def _merged(rng: random.Random, rows: Rows) -> None:
    """A column whose repeated cells are merged: filled on the first row only."""
    place, last = rng.randrange(max(map(len, rows), default=1) or 1), ""
    for row in rows:
        if place < len(row):
            row[place], last = ("" if row[place] == last else row[place]), row[place]


def _amount(rng: random.Random, cell: str) -> str:
    if not any(c.isdigit() for c in cell):
        return cell
    marks = rng.choice([(",", "."), (".", ","), (" ", "\u00a0"), (" ", "."), ("€", "k€"), (",", "")])
    return rng.choice([cell.replace(*marks), f"({cell})", f"-{cell}", f"{cell} €", f"{cell},5", f"{cell}E+13", "N/A"])


def _identifier(rng: random.Random, cell: str) -> str:
    digits = "".join(c for c in cell if c.isdigit())
    if len(digits) < 9:
        return cell
    return rng.choice([digits[:9], digits[1:], f"'{digits}", f"{digits}.0", f"{digits[:8]}000000", digits + digits,
                       f"{float(digits):.3E}", digits[:-1] + "X", " ".join(digits)])  # fmt: skip


def _date(rng: random.Random, cell: str) -> str:
    if not any(mark in cell for mark in "/-"):
        return cell
    return rng.choice(["31/02/2023", "00/00/0000", "44927", "2023", "12/2023", "1er mars 2023 et 4 mai 2024",
                       cell[::-1], "9999-99-99", "2023-30-05", "-1", "31/12/9999"])  # fmt: skip


_ODD = ["=cmd|' /C calc'!A0", "=1+1", "+33", "@SUM(A1)", "<script>alert(1)</script>", "\x07\x00", "\u202egnitset",
        "NULL", "#REF!", "nan", "Ã©tÃ©", "\ufffd", "x" * 40_000, '"', "a;b,c\td", "\n\n", "-", "--------", "0", "1e999",
        "∞", "٣٤", "Oui", "🎉", "\ud7ff", "１２３"]  # fmt: skip


TABLE: dict[str, Callable[[random.Random, Rows], None]] = {
    **{
        f"columns: {how}": (lambda rng, rows, how=how: _columns(rng, rows, how))
        for how in ("shuffle", "drop", "repeat")
    },
    **{
        f"rows: {how}": (lambda rng, rows, how=how: _rows(rng, rows, how))
        for how in "shuffle drop repeat blank cut long titles section banner note".split()  # noqa: SIM905
    },
    **{
        f"titles: {how}": (lambda rng, rows, how=how: _titles(rng, rows, how))
        for how in ("word", "case", "break", "unit", "same")
    },
    "titles on two rows": _two_rows,
    "merged cells": _merged,
    "a total": _total,
    "amounts": lambda rng, rows: _cells(rng, rows, lambda cell: _amount(rng, cell)),
    "identifiers": lambda rng, rows: _cells(rng, rows, lambda cell: _identifier(rng, cell), share=0.4),
    "dates": lambda rng, rows: _cells(rng, rows, lambda cell: _date(rng, cell), share=0.4),
    "odd cells": lambda rng, rows: _cells(rng, rows, lambda _: rng.choice(_ODD), share=0.03),
    "personal cells": lambda rng, rows: _cells(rng, rows, lambda c: f"{c} {rng.choice(SECRETS)}", share=0.03),
    "blank cells": lambda rng, rows: _cells(rng, rows, lambda _: "", share=0.1),
}  # fmt: skip


# ---------------------------------------------------------------- file types


def delimited(rng: random.Random, book: Book) -> bytes:
    """The first sheet as delimited text, in one of the ways met."""
    separator, quotes = rng.choice(";,\t|"), rng.choice(["when needed", "all", "none"])
    rows = next(iter(book.values()), [])

    def written(cell: str) -> str:
        if quotes == "none" or (quotes == "when needed" and not any(mark in cell for mark in f'{separator}"\n')):
            return cell
        return '"' + cell.replace('"', '""') + '"'

    text = rng.choice(["\n", "\r\n", "\r"]).join(separator.join(map(written, row)) for row in rows)
    encoding = rng.choice(["utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16", "mac_roman", "cp850"])
    return text.encode(encoding, errors="replace")


def xlsx(rng: random.Random, book: Book) -> bytes:
    """A workbook: numbers as numbers or as text, some cells merged, a sheet hidden at times."""
    out, typed = openpyxl.Workbook(), rng.random() < 0.6
    out.remove(out.active)
    for name, rows in book.items():
        page = out.create_sheet(name[:31].translate(dict.fromkeys(map(ord, "[]:*?/\\"), " ")))
        for row in rows:
            page.append([_typed(_plain(cell)) if typed else _plain(cell) for cell in row])
        if rng.random() < 0.2 and len(rows) > 3:
            top = rng.randrange(1, len(rows))
            page.merge_cells(start_row=top, end_row=top + 2, start_column=1, end_column=rng.randrange(1, 3))
    if len(out.worksheets) > 1 and rng.random() < 0.2:
        rng.choice(out.worksheets).sheet_state = rng.choice(["hidden", "veryHidden"])
    if not out.worksheets:
        out.create_sheet("Vide")
    stream = io.BytesIO()
    out.save(stream)
    return stream.getvalue()


def _plain(cell: str) -> str:
    return "".join(c for c in cell if c in "\t\n" or (ord(c) >= 32 and c not in "\ufffe\uffff"))[:32_000]


def _typed(cell: str) -> str | float | None:
    try:
        number = float(cell)
    except ValueError:
        return cell or None
    return number if abs(number) < 1e300 else cell


def xls(rng: random.Random, book: Book) -> bytes:
    """A workbook of Excel 97-2003."""
    out = xlwt.Workbook(encoding="utf-8")
    for number, rows in enumerate(list(book.values())[:5] or [[]]):
        page = out.add_sheet(f"Feuille {number}")
        for place, row in enumerate(rows):
            for column, cell in enumerate(row[:250]):
                page.write(place, column, _typed(_plain(cell)) if rng.random() < 0.9 else _plain(cell))
    stream = io.BytesIO()
    out.save(stream)
    return stream.getvalue()


def records(_: random.Random, book: Book) -> bytes:
    """JSON: the rows below the titles as objects under one key."""
    rows = next(iter(book.values()), [])
    if not rows:
        return b'{"lignes": []}'
    top = _header(rows)
    lines = [dict(zip(rows[top], row, strict=False)) for row in rows[top + 1 :]]
    return json.dumps({"total_count": len(lines), "results": lines}, ensure_ascii=False).encode(errors="replace")


def archive(rng: random.Random, book: Book) -> bytes:
    """A zip of one delimited text for each sheet."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        for number, (name, rows) in enumerate(book.items()):
            out.writestr(f"{number} {name[:20]}.csv".replace("/", " "), delimited(rng, {name: rows}))
        out.writestr("lisez-moi.pdf", b"%PDF")
    return stream.getvalue()


TYPES: dict[str, tuple[Callable[[random.Random, Book], bytes], int]] = {
    "csv": (delimited, 10),
    "xlsx": (xlsx, 6),
    "xls": (xls, 1),
    "json": (records, 1),
    "zip": (archive, 1),
    "csv.gz": (lambda rng, book: gzip.compress(delimited(rng, book), mtime=0), 1),
}


# ---------------------------------------------------------------- what is done to bytes


def _bytes(rng: random.Random, content: bytes) -> bytes:
    spoilt = bytearray(content)
    for _ in range(rng.choice([1, 2, 10, 60])):
        if not spoilt:
            break
        place, action = rng.randrange(len(spoilt)), rng.randrange(4)
        if action == 0:
            spoilt[place] = rng.randrange(256)
        elif action == 1:
            del spoilt[place : place + rng.randrange(1, 40)]
        elif action == 2:
            spoilt[place:place] = rng.choice(
                [b'"', b";", b"\n", b"\xff", b"\0", b"\xe9", b"\xc3\xa9", b"\r", b"\t", b","]
            )
        else:
            spoilt[place:place] = spoilt[place : place + rng.randrange(1, 400)]
    return bytes(spoilt)


def _encodings(rng: random.Random, content: bytes) -> bytes:
    """Some lines in another encoding, or encoded twice; a mark that lies."""
    lines = content.split(b"\n")
    for place, line in enumerate(lines):
        if rng.random() < 0.3:
            text = line.decode("utf-8", errors="replace")
            lines[place] = rng.choice([text.encode("cp1252", "replace"), text.encode("latin-1", "replace").decode(
                "latin-1").encode(), line.decode("latin-1").encode()])  # fmt: skip
    return rng.choice([b"", b"\xef\xbb\xbf", b"\xff\xfe"]) + b"\n".join(lines)


def _members(rng: random.Random, content: bytes) -> bytes:
    """One member of a zip (a workbook is one) spoilt, left out or emptied; the archive itself stays whole."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as origin:
            members = {info.filename: origin.read(info) for info in origin.infolist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, RuntimeError, ValueError):
        return _bytes(rng, content)  # already spoilt once
    if not members:
        return _bytes(rng, content)
    victim = rng.choice(list(members))
    body = members.pop(victim)
    how = rng.choice(["spoilt", "gone", "empty", "cut"])
    if how != "gone":
        members[victim] = {"spoilt": _bytes(rng, body), "empty": b"", "cut": body[: len(body) // 2]}[how]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members.items():
            out.writestr(name, data)
    return stream.getvalue()


BYTES: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "bytes": _bytes,
    "encodings": _encodings,
    "members": _members,
    "cut short": lambda rng, content: content[: rng.randrange(len(content) + 1)],
    "glued to itself": lambda _, content: content + content,
}


# ---------------------------------------------------------------- one file


def spoilt(seed: int) -> Spoilt:
    """The file of one seed: the same at every call, as long as the real files are."""
    rng = random.Random(seed)
    book, content, name, kind = source(rng)
    done: list[str] = []
    if content and rng.random() < 0.25:  # as its author sent it, but for its bytes
        file = Spoilt(content, name, kind, ())
        return _with_bytes(rng, file, rng.randrange(1, 3))
    for _ in range(rng.choice([0, 1, 1, 2, 3, 6])):
        how, rows = rng.choice(list(TABLE)), rng.choice(list(book.values()) or [[]])
        TABLE[how](rng, rows)
        done.append(how)
    if book and rng.random() < 0.1:
        first = next(iter(book))
        book[f"{first[:20]} (2)"] = [list(row) for row in book[first]]
        done.append("a sheet repeated")
    suffix = rng.choices(list(TYPES), [weight for _, weight in TYPES.values()])[0]
    written = TYPES[suffix][0](rng, book)
    stem = name.rpartition(".")[0] if rng.random() < 0.8 else "fichier"
    file = Spoilt(written, f"{stem}.{suffix}", kind, (*done, suffix))
    return _with_bytes(rng, file, rng.choice([0, 0, 1]))


def _with_bytes(rng: random.Random, file: Spoilt, times: int) -> Spoilt:
    for _ in range(times):
        how = rng.choice(list(BYTES))
        file = replace(file, content=BYTES[how](rng, file.content), done=(*file.done, how))
    return file
