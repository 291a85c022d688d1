"""The annotated copy of a deposit: the author's own workbook, with the cells in question coloured and explained.

A first sheet lists every problem with a link to its cell. Corrected and dropped in the depositor's folder, the copy
takes the place of its origin (`origin_mark`). What is wrong is decided elsewhere; how the author's sheets are carried
over is in `author_book`.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.worksheet.hyperlink import Hyperlink

from pipelines.ingest.author_book import COLOURS, SIGNATURE, AuthorBook, extract_book, plain_book, styled_book
from pipelines.ingest.french import count, listed, typeset, visible
from pipelines.ingest.origin_mark import Mark, put_mark
from pipelines.ingest.own_sheets import TO_CORRECT
from pipelines.ingest.read import read_file
from pipelines.ingest.receipt import place, receipt_name
from pipelines.ingest.workbook import fit_to_width, put_text, quote_title, sheet_title
from pipelines.workbook_file import AUTHOR, workbook_bytes
from schemas.issues import issue_kinds

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from pipelines.ingest.report import Issue, Report

MOST_LINES = 20_000
"""Above this many lines the copy is an extract of those in question."""
MOST_CELLS = 400_000
MOST_COMMENTS = 1_000
MOST_LISTED = 60_000  # Excel opens no sheet with more than 65 530 links

_TITLE = "À corriger"
_LINE = 15  # points
_MOST_TEXT_LINES = 6
_SEVERITIES = ("error", "warning", "info")
_WORDS = {"error": "Bloquant", "warning": "À vérifier", "info": "Pour information"}
_LEGEND = {
    "error": "Bloquant : la ligne est écartée tant que la cellule n'est pas corrigée",
    "warning": "À vérifier : la ligne est gardée",
    "info": "Pour information : rien à faire",
}
_COLUMNS = {"Cellule": 10, "Gravité": 16, "Feuille": 20, "Ligne": 9, "Colonne": 14, "Titre de la colonne": 26,
            "Valeur lue": 26, "Problème": 64, "Que faire": 64}  # fmt: skip
_FULL = (
    "Corrigez les cellules colorées, dans les feuilles qui suivent : un clic sur la première colonne y mène.",
    "Gardez toutes les lignes, même celles qui n'ont pas de problème.",
    "Enregistrez ce classeur dans votre dossier, pas dans « _accuses », sous le nom que vous voulez.",
    "Dès qu'il y sera lu, il remplacera le fichier d'origine.",
)
_EXTRACT = (
    "Votre fichier est trop grand pour être recopié : ce classeur ne contient que les lignes en cause.",
    "Corrigez votre fichier d'origine : la dernière colonne donne le numéro de chaque ligne.",
    "Enregistrez-le sous le même nom, dans le même dossier : la nouvelle version remplacera celle-ci.",
    "Ne déposez pas cet extrait : il ne serait pas pris en compte, car il y manque des lignes.",
)


@dataclass
class _Marked:
    """One cell in question: its problems, worst first."""

    cell: Cell
    issues: list[Issue] = field(default_factory=list)


def is_wanted(report: Report) -> bool:
    """Whether a copy is made: something has to be corrected or checked, in a file that is not an archive of several."""
    return not report.members and any(issue.severity != "info" for issue in report.issues)


def is_extract(report: Report) -> bool:
    """Whether the copy holds only the lines in question, the file being too large for a spreadsheet to be marked."""
    return report.rows_read > MOST_LINES or report.rows_read * len(report.columns) > MOST_CELLS


def copy_path(report: Report, folder: Path, *, file_name: str) -> Path:
    """Where the copy lies: beside the receipt, with its name."""
    return folder / Path(receipt_name(report, file_name=file_name)).with_suffix(".xlsx")


def write_annotated(report: Report, content: bytes, folder: Path, *, file_name: str) -> Path | None:
    """Write the annotated copy of `content` into `folder`; an equal one is left untouched, None when none is wanted.

    `report` is that of the deposit with these bytes. Never seen half-written. Raises `OSError` when it cannot be
    written, `UnreadableFileError` when `content` is not what the report speaks of.
    """
    if not is_wanted(report):
        return None
    path = copy_path(report, folder, file_name=file_name)
    place(path, annotated_bytes(report, content, file_name=file_name))
    return path


def annotated_bytes(report: Report, content: bytes, *, file_name: str) -> bytes:
    """The annotated copy as an xlsx file; equal inputs give equal bytes."""
    issues = sorted(report.issues, key=lambda issue: _SEVERITIES.index(issue.severity))
    copy = _copy(report, issues, content, file_name)
    links = _mark(copy, report, issues)
    _list(copy, report, issues, links, file_name)
    put_mark(copy.book, Mark(report.sha256, is_extract=copy.moved is not None))
    return workbook_bytes(copy.book)


def _copy(report: Report, issues: list[Issue], content: bytes, file_name: str) -> AuthorBook:
    """The author's sheets: with their look, else as text; only the lines in question when there are too many."""
    headers = {sheet.name: sheet.header_row for sheet in report.sheets if sheet.kept}
    if is_extract(report):
        sheets = [sheet for sheet in read_file(content, name=file_name).members[0].sheets if sheet.name in headers]
        return extract_book(sheets, headers, _rows_in_question(report, issues))
    styled = styled_book(content, set(headers))
    if styled is not None:
        return styled
    sheets = read_file(content, name=file_name).members[0].sheets
    if sum(sheet.cells.height * len(sheet.letters) for sheet in sheets) <= MOST_CELLS:
        return plain_book(sheets, headers)
    copy = plain_book([sheet for sheet in sheets if sheet.name in headers], headers)
    copy.lost.append("les feuilles qui ne sont pas lues")
    return copy


def _rows_in_question(report: Report, issues: list[Issue]) -> dict[str, set[int]]:
    """The rows with something to correct or check, the worst first, as many as a spreadsheet opens with ease."""
    most = min(MOST_LINES, MOST_CELLS // max(1, len(report.columns)))
    places = dict.fromkeys(
        (issue.sheet, issue.row)
        for issue in issues
        if issue.severity != "info" and issue.sheet is not None and issue.row is not None
    )
    rows: dict[str, set[int]] = {}
    for sheet, row in list(places)[:most]:
        rows.setdefault(sheet, set()).add(row)
    return rows


def _mark(copy: AuthorBook, report: Report, issues: list[Issue]) -> dict[int, Cell]:
    """Colour the cells in question and comment the first ones; gives the cell of each issue, by its rank."""
    first_letters: dict[str, str] = {}
    for column in report.columns:
        if column.column.isalpha():
            first_letters.setdefault(column.sheet, column.column)
    links: dict[int, Cell] = {}
    marked: dict[tuple[str, str], _Marked] = {}
    for rank, issue in enumerate(issues):
        sheet = copy.sheets.get(issue.sheet or "")
        row = copy.row_of(issue.sheet or "", issue.row) if issue.row is not None else None
        if sheet is None or row is None:
            continue
        letter = issue.column or ""
        if not letter.isalpha():  # of the whole row, or of another sheet joined to it (`Tiers!B`)
            letter = first_letters.get(issue.sheet or "", "A")
        cell = _cell(sheet, f"{letter}{row}")
        links[rank] = cell
        marked.setdefault((sheet.title, cell.coordinate), _Marked(cell)).issues.append(issue)
    for rank, mark in enumerate(marked.values()):
        mark.cell.fill = PatternFill("solid", fgColor=COLOURS[mark.issues[0].severity])
        if rank < MOST_COMMENTS:
            mark.cell.comment = _comment(mark)
    return links


def _cell(sheet: Worksheet, coordinate: str) -> Cell:
    """The cell, or the one that shows where it is merged into others."""
    cell = sheet[coordinate]
    if isinstance(cell, MergedCell):
        merged = next(area for area in sheet.merged_cells.ranges if coordinate in area)
        cell = sheet.cell(merged.min_row, merged.min_col)
    return cell


def _comment(mark: _Marked) -> Comment:
    """Every problem of a cell, below what its author noted there."""
    lines = [f"{typeset(visible(i.message, limit=1_000))}\n→ {typeset(_remedy(i))}" for i in mark.issues]
    own = f"{mark.cell.comment.text}\n\n" if mark.cell.comment is not None else ""
    text = own + SIGNATURE + "\n\n".join(dict.fromkeys(lines))
    return Comment(text, AUTHOR, width=340, height=min(400, 40 + 18 * (len(text) // 45 + text.count("\n"))))


def _remedy(issue: Issue) -> str:
    kind = issue_kinds().get(issue.code)
    return kind.remedy if kind else ""


def _list(copy: AuthorBook, report: Report, issues: list[Issue], links: dict[int, Cell], file_name: str) -> None:
    """The first sheet: what to do, what the colours mean, what the copy does not keep, every problem."""
    page = copy.book.create_sheet(sheet_title(_TITLE, copy.book.sheetnames), 0)
    copy.book.active = 0
    page.sheet_properties.tabColor = COLOURS["error"]
    page.sheet_view.showGridLines = False
    fit_to_width(page)
    put_text(page["A1"], TO_CORRECT)
    page["A1"].font = Font(name="Calibri", bold=True, size=14)
    row = 2
    for line in (_counted(report, issues, file_name), *(_EXTRACT if copy.moved is not None else _FULL)):
        put_text(page.cell(row, 1), typeset(line))
        row += 1
    if copy.lost:
        put_text(page.cell(row, 1), typeset(f"Cette copie ne garde pas : {' ; '.join(copy.lost)}. {_UNTOUCHED}"))
        row += 1
    if len(issues) > MOST_LISTED:
        put_text(page.cell(row, 1), typeset(_beyond(len(issues) - MOST_LISTED)))
        row += 1
    for severity in _SEVERITIES:
        if any(issue.severity == severity for issue in issues):
            page.cell(row, 1).fill = PatternFill("solid", fgColor=COLOURS[severity])
            put_text(page.cell(row, 2), typeset(_LEGEND[severity]))
            row += 1
    _table(page, row + 1, report, issues[:MOST_LISTED], links)


_UNTOUCHED = "Votre fichier d'origine n'est pas modifié."


def _beyond(more: int) -> str:
    return f"{count(more, 'autre problème n’est pas listé', 'autres problèmes ne sont pas listés')} ici."


def _counted(report: Report, issues: list[Issue], file_name: str) -> str:
    """How many problems of each kind, in which file."""
    numbers = {severity: sum(issue.severity == severity for issue in issues) for severity in _SEVERITIES}
    nouns = {"error": ("point bloquant", "points bloquants"), "warning": ("point à vérifier", "points à vérifier"),
             "info": ("remarque pour information", "remarques pour information")}  # fmt: skip
    told = [count(numbers[severity], *nouns[severity]) for severity in _SEVERITIES if numbers[severity]]
    rejected = f" {count(report.rows_rejected, 'ligne est écartée', 'lignes sont écartées')}." * bool(numbers["error"])
    return f"Dans « {visible(file_name)} » : {listed(told)}.{rejected}"


def _table(page: Worksheet, top: int, report: Report, issues: list[Issue], links: dict[int, Cell]) -> None:
    titles: dict[tuple[str | None, str | None], str] = {(c.sheet, c.column): c.header for c in report.columns}
    widths = list(_COLUMNS.values())
    for position, (title, width) in enumerate(_COLUMNS.items(), start=1):
        cell = page.cell(top, position)
        put_text(cell, title)
        cell.font, cell.fill = Font(name="Calibri", bold=True, color="FFFFFF"), PatternFill("solid", fgColor="FF1F4E79")
        page.column_dimensions[cell.column_letter].width = width
    looks = _looks(page)
    for rank, issue in enumerate(issues):
        row, target = top + 1 + rank, links.get(rank)
        texts = (
            target.coordinate if target is not None else None,
            _WORDS[issue.severity],
            issue.sheet,
            None,
            issue.column or "toute la ligne",
            titles.get((issue.sheet, issue.column)),
            visible(issue.value) if issue.value else None,
            typeset(visible(issue.message, limit=2_000)),
            typeset(_remedy(issue)),
        )
        for position, text in enumerate(texts, start=1):
            if text:
                look = {1: "link", 2: issue.severity, 3: "name"}.get(position, "text")
                put_text(page.cell(row, position), text, like=looks[look])
        page.cell(row, 4)._style = copy(looks["name"]._style)
        page.cell(row, 4).value = issue.row
        longest = max(len(text) // width for text, width in zip(texts[3:], widths[3:], strict=True) if text)
        page.row_dimensions[row].height = _LINE * min(_MOST_TEXT_LINES, 1 + longest)
        if target is not None:
            cell = page.cell(row, 1)
            where = f"{quote_title(target.parent.title)}!{target.coordinate}"
            cell.hyperlink = Hyperlink(ref=cell.coordinate, location=where, display=target.coordinate)
    page.freeze_panes = f"A{top + 1}"
    page.auto_filter.ref = f"A{top}:{page.cell(top, len(_COLUMNS)).column_letter}{top + len(issues)}"


def _looks(page: Worksheet) -> dict[str, Cell]:
    """Model cells for the table: a link, a name, a text, a severity. Giving each cell its own look costs seconds."""
    looks = {name: Cell(page, row=1, column=1) for name in ("link", "name", "text", *_SEVERITIES)}
    for name, look in looks.items():
        look.alignment = Alignment(wrap_text=name == "text", vertical="top")
    looks["link"].font = Font(name="Calibri", underline="single", color="0563C1")
    for severity in _SEVERITIES:
        looks[severity].fill = PatternFill("solid", fgColor=COLOURS[severity])
    return looks
