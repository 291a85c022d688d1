"""The questions of a file that waits, as a small workbook: the author chooses each answer from a list and saves it.

Saved under its name in the depositor's folder, it answers for the file it was made from, and for those of the same name
but for their digits (the same list, another year). It holds no data of the file.
"""

from __future__ import annotations

import json
import re
from glob import escape
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill, Protection
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from pipelines.ingest.fold import fold
from pipelines.ingest.french import typeset
from pipelines.ingest.own_sheets import QUESTIONS
from pipelines.ingest.read import own_sheet
from pipelines.ingest.sheet import UnreadableFileError
from pipelines.ingest.workbook import fit_to_width, put_text
from pipelines.workbook_file import workbook_bytes
from schemas.application import FIRST_YEAR, LAST_YEAR
from schemas.funder import Answer

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.report import Question, Report

_NAME = re.compile(r"^QUESTIONS-.+-[0-9a-f]{8}\.(xlsx|xls|ods)$", re.IGNORECASE)
_OF_ONE_FILE = re.compile(r"^(year|year source|only awards|loans|unit|sheet .*|repeats .*|fine .*)$")
"""Questions whose answer may not hold for another file of the same list."""
_DIGITS = re.compile(r"\d+")
_TOP = 6  # row of the titles of the table
_TEXT, _ANSWER, _KEY, _FIRST_CHOICE = 2, 3, 4, 5  # columns
_WIDTHS = {"A": 5, "B": 84, "C": 44}
_LINE = 15  # points
_HOW = (
    "1. Choisissez chaque réponse dans la colonne C : une liste s'ouvre quand on clique sur la case.",
    "2. Enregistrez ce classeur, sous le même nom, dans le dossier où est votre fichier (pas dans « _accuses »).",
    "3. Laissez-le là : vos réponses valent aussi pour la même liste d'une autre année.",
)
_ELSEWHERE = "À régler dans le fichier lui-même"


def questionnaire_name(receipt: str) -> str:
    """The name by which the answers are known again, from that of the receipt beside which it lies."""
    return f"QUESTIONS-{PurePosixPath(receipt).stem}.xlsx"


def questionnaire_bytes(report: Report, *, file_name: str) -> bytes | None:
    """The questions about the deposit `file_name` as an xlsx file; None when no choice would answer any of them."""
    if report.status == "refused" or not report.to_choose:
        return None
    book = Workbook()
    page = book.worksheets[0]
    page.title = "Questions"
    texts = [QUESTIONS, f"Fichier : {file_name}", *_HOW]
    for row, text in enumerate(texts, start=1):
        put_text(page.cell(row, 1), typeset(text))
        page.cell(row, 1).font = Font(name="Calibri", bold=row <= 2, size=12 if row <= 2 else 11)
    page.cell(1, 1).value = QUESTIONS
    for column, title in enumerate(("N°", "Question", "Votre réponse"), start=1):
        head = page.cell(_TOP, column, title)
        head.font, head.fill = Font(name="Calibri", bold=True, color="FFFFFF"), PatternFill("solid", fgColor="FF1F4E79")
    for letter, width in _WIDTHS.items():
        page.column_dimensions[letter].width = width
    for rank, question in enumerate(report.to_choose, start=1):
        _write_question(page, _TOP + rank, rank, question, file_name)
    chosen = {question.text for question in report.to_choose}
    others = [text for text in report.questions if text not in chosen]
    for row, text in enumerate(others, start=_TOP + len(report.to_choose) + 1):
        put_text(page.cell(row, _TEXT), typeset(text))
        put_text(page.cell(row, _ANSWER), typeset(_ELSEWHERE))
        _shape(page, row, text)
    most = max((len(question.choices) for question in report.to_choose), default=0)
    for column in range(_KEY, _FIRST_CHOICE + most):
        page.column_dimensions[get_column_letter(column)].hidden = True
    page.freeze_panes = f"A{_TOP + 1}"
    fit_to_width(page)
    return workbook_bytes(book)


def _write_question(page: Any, row: int, rank: int, question: Question, file_name: str) -> None:
    page.cell(row, 1, rank)
    put_text(page.cell(row, _TEXT), typeset(question.text))
    key = {"about": question.about, "file": _files(question, file_name), "choices": question.choices}
    put_text(page.cell(row, _KEY), json.dumps(key, ensure_ascii=False))
    for place, label in enumerate(question.choices.values(), start=_FIRST_CHOICE):
        put_text(page.cell(row, place), label)
    cell = page.cell(row, _ANSWER)
    cell.fill, cell.protection = PatternFill("solid", fgColor="FFFFF2CC"), Protection(locked=False)
    rule: dict[str, Any]
    if question.choices:
        last = get_column_letter(_FIRST_CHOICE + len(question.choices) - 1)
        rule = {"type": "list", "formula1": f"${get_column_letter(_FIRST_CHOICE)}${row}:${last}${row}"}
        rule["error"] = "Choisissez une réponse de la liste, ou laissez vide."
    else:
        rule = {"type": "whole", "operator": "between", "formula1": FIRST_YEAR, "formula2": LAST_YEAR}
        rule["error"] = "Écrivez une année, par exemple 2024."
    validation = DataValidation(allow_blank=True, showErrorMessage=True, errorTitle="Votre réponse", **rule)
    page.add_data_validation(validation)
    validation.add(cell.coordinate)
    _shape(page, row, question.text)


def _shape(page: Any, row: int, text: str) -> None:
    for column in (1, _TEXT, _ANSWER):
        page.cell(row, column).alignment = Alignment(wrap_text=True, vertical="top")
    page.row_dimensions[row].height = _LINE * (1 + len(text) // _WIDTHS["B"])


def _files(question: Question, file_name: str) -> str:
    """The glob of the names for which an answer holds."""
    exact = escape(file_name)
    return exact if _OF_ONE_FILE.match(question.about or "") else _DIGITS.sub("*", exact)


def is_questionnaire(path: Path) -> bool:
    """Whether the file at `path` is one of ours: by its name, and by its first cell."""
    return bool(_NAME.match(path.name)) and _rows(path) is not None


def read_answers(path: Path) -> tuple[list[Answer], list[str]]:
    """The answers that a questionnaire holds, and what is wrong with the others (French)."""
    answers, problems = [], []
    for said, key in _rows(path) or []:
        if not said or not key or not key.startswith("{"):
            continue
        try:
            asked = json.loads(key)
            about, files, code = asked["about"], asked["file"], _code(said.strip(), asked["choices"])
        except (ValueError, KeyError):
            problems.append(f"« {path.name} » a été modifié hors de la colonne C : reprenez celui de « _accuses ».")
            continue
        if code is None:
            problems.append(
                f"Dans « {path.name} », la réponse « {said[:60]} » n'est pas dans la liste : choisissez-en une autre."
            )
        else:
            answers.append(Answer(about=about, answer=code, file=files))
    return answers, problems


def _code(said: str, choices: dict[str, str]) -> str | None:
    """The code of what was said; a year, as spreadsheets give numbers, where there is no choice."""
    if not choices:
        year = said.removesuffix(".0")
        return year if year.isdecimal() and FIRST_YEAR <= int(year) <= LAST_YEAR else None
    return {fold(label): code for code, label in choices.items()}.get(fold(said))


def _rows(path: Path) -> list[tuple[str | None, str | None]] | None:
    """Each row's answer and key; None when the file is not a questionnaire, or no workbook that opens."""
    try:
        found = own_sheet(path.read_bytes(), QUESTIONS, name=path.name)
    except (UnreadableFileError, OSError):
        return None
    if found is None:
        return None
    letters = (get_column_letter(column) for column in (_ANSWER, _KEY))
    cells = [found.cells[letter] if letter in found.letters else [None] * found.cells.height for letter in letters]
    return list(zip(*cells, strict=True))
