"""The blank workbook that services fill: made from the contracts, their codelists and the formats of its sheets.

What a column is called, what it may hold and what its lists offer is read from `schemas`; the guide's words, the
groups of columns and the fictitious examples are in `template.toml`. A filled workbook reads back as any deposit.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.datavalidation import DataValidation

from pipelines.ingest.french import listed, typeset
from pipelines.ingest.own_sheets import EXAMPLES, GUIDE, LISTS
from pipelines.ingest.workbook import fit_to_width, put_text
from pipelines.workbook_file import AUTHOR, workbook_bytes
from schemas import codelist
from schemas.application import EARLIEST, FIRST_YEAR, LAST_YEAR, LATEST
from schemas.contract import YEAR, Euro, Share
from schemas.format import load_formats
from schemas.publication import load_publication

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from schemas.contract import FieldInfo

FORMAT = "modele"
SHEETS = {"Demandes": FORMAT, "Services": "modele-services", "Appels à projets": "modele-appels"}
"""The sheets to fill, each with its format."""
LAST_ROW = 1_048_576
NOT_OFFERED = frozenset({"unknown"})
"""Codes that stand for « not understood »: nobody should choose them."""

_WORDS = Path(__file__).with_name("template.toml")
_LISTS_SHEET = "Listes"
_FIRST_LISTED = 4  # row of a list's first value
_MOST_SENTENCE = 255  # characters of a validation message (Excel)
_IDENTIFIER = re.compile(r"(_id|_siret|_siren|_rna|_code|_postcode|_number|_programme|_reference)$")
_LONG_TEXTS = frozenset(
    {
        "title", "cofunders", "applicant_name", "payment_conditions", "in_kind_type", "service_variants", "pays_not",
        "calendar", "predecessors", "criteria", "description", "rate_comment", "themes", "applicants",
    }
)  # fmt: skip
_OLDEST = date(1900, 3, 1)  # Excel counts days wrongly before
_FACE = "Calibri"
_WHITE = Font(name=_FACE, bold=True, color="FFFFFF")
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_THIN = Side(style="thin", color="BFBFBF")
# The keys of a SIRET (Luhn, or La Poste's sum), as a validation formula: no array constant is allowed there.
_DIGIT = "MID({cell},ROW(Listes!$1:$14),1)"
_DOUBLED = f"{_DIGIT}*(1+MOD(ROW(Listes!$1:$14),2))"
_SIRET = f'AND(LEN({{cell}})=14,OR(LEFT({{cell}},9)="356000000",MOD(SUMPRODUCT({_DOUBLED}-9*({_DOUBLED}>9)),10)=0))'


@dataclass(frozen=True)
class TemplateColumn:
    """One column of the data sheet: its field, what the contract says of it, its group, and when to fill it."""

    info: FieldInfo
    letter: str
    group: str
    colour: str
    advice: str
    is_required: bool
    """Without this column the workbook is not recognised."""

    @property
    def choices(self) -> list[str]:
        """The drop-down list: French labels of the codelist, or yes and no; empty for free cells."""
        if self.info.dtype == pl.Boolean:
            return ["oui", "non"]
        if self.info.codelist is None:
            return []
        return [label for code, label in codelist.labels(self.info.codelist).items() if code not in NOT_OFFERED]

    @property
    def entry(self) -> str:
        """What kind of thing is written there, in French."""
        if self.info.is_several:
            return "une ou plusieurs valeurs de la liste, séparées par des points-virgules"
        if self.choices:
            return "oui ou non" if self.info.dtype == pl.Boolean else "liste"
        kinds = {pl.Date: "date", pl.Int32: YEAR, Euro: "montant en euros", Share: "pourcentage"}
        if self.info.dtype in kinds:
            return kinds[self.info.dtype]
        return "numéro ou code (format Texte)" if _IDENTIFIER.search(self.info.name) else "texte"

    @property
    def example(self) -> str | None:
        """An example as a clerk would write it."""
        if self.info.dtype == pl.Date and self.info.example:
            return f"{date.fromisoformat(self.info.example):%d/%m/%Y}"
        if self.info.dtype == Euro and self.info.example:
            return self.info.example.replace(".", ",")
        if self.info.dtype == Share and self.info.example:
            return f"{float(self.info.example):.0%}".replace("%", " %")
        if self.info.is_several:
            return " ; ".join(self.choices[:2])
        return self.info.example or (self.choices[0] if self.choices else None)


@cache
def template_words() -> dict[str, Any]:
    """The words of `template.toml`: `groups` and `advice` of each format, `guide`, `examples`."""
    return tomllib.loads(_WORDS.read_text(encoding="utf-8"))


def template_columns(format_id: str = FORMAT) -> list[TemplateColumn]:
    """The columns of a sheet to fill, in the order of its format. Raises `KeyError` for a field without a group."""
    format_, words = load_formats()[format_id], template_words()
    groups = {name: group for group in words["groups"][format_id] for name in group["fields"]}
    advice = words["advice"][format_id]
    return [
        TemplateColumn(
            info=format_.contract_fields()[name],
            letter=get_column_letter(position),
            group=groups[name]["title"],
            colour=groups[name]["colour"],
            advice=advice.get(name, "Si vous l'avez"),
            is_required=name in format_.recognise.required,
        )
        for position, name in enumerate(format_.fields, start=1)
    ]


def template_bytes() -> bytes:
    """The blank workbook as an xlsx file; the same bytes while the schemas are the same."""
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title, book.properties.language = load_formats()[FORMAT].title, "fr"
    sheets = {name: template_columns(format_id) for name, format_id in SHEETS.items()}
    data = {name: book.create_sheet(name) for name in sheets}
    guide, examples = book.create_sheet("Guide"), book.create_sheet("Exemples")
    places = _write_lists(
        book.create_sheet(_LISTS_SHEET), [column for columns in sheets.values() for column in columns]
    )
    for name, columns in sheets.items():
        _write_data_sheet(data[name], columns, places)
    _write_guide(guide, sheets)
    _write_examples(examples, template_columns())
    return workbook_bytes(book)


def _write_lists(sheet: Worksheet, columns: list[TemplateColumn]) -> dict[str, str]:
    """Every list once, with the meaning of its values; returns the cells of each list's values, for validation."""
    _banner(sheet, LISTS)
    sheet.sheet_properties.tabColor = "808080"
    places: dict[str, str] = {}
    position = 1
    for column in columns:
        if column.info.codelist is None or column.info.codelist in places:
            continue
        meanings = {row["label"]: row["description"] for row in codelist.rows(column.info.codelist)}
        letter = get_column_letter(position)
        _headers(sheet, _FIRST_LISTED - 1, [column.info.title, "Ce que cela veut dire"], column.colour, start=position)
        for row, label in enumerate(column.choices, start=_FIRST_LISTED):
            put_text(sheet.cell(row, position), label)
            put_text(sheet.cell(row, position + 1), typeset(meanings[label]))
            sheet.cell(row, position).alignment = sheet.cell(row, position + 1).alignment = _WRAPPED
        last = _FIRST_LISTED + len(column.choices) - 1
        places[column.info.codelist] = f"{_LISTS_SHEET}!${letter}${_FIRST_LISTED}:${letter}${last}"
        sheet.column_dimensions[letter].width = 30
        sheet.column_dimensions[get_column_letter(position + 1)].width = 46
        position += 2
    sheet.freeze_panes = f"A{_FIRST_LISTED}"
    return places


def _write_data_sheet(sheet: Worksheet, columns: list[TemplateColumn], places: dict[str, str]) -> None:
    sheet.freeze_panes = "A2"
    sheet.row_dimensions[1].height = 48
    fit_to_width(sheet)
    sheet.print_title_rows = "1:1"
    for position, column in enumerate(columns, start=1):
        _headers(sheet, 1, [column.info.title], column.colour, start=position)
        cell = sheet.cell(1, position)
        if column.is_required:
            cell.font = Font(name=_FACE, bold=True, color="FFFFFF", underline="single")
        cell.comment = _comment(column)
        shape = sheet.column_dimensions[column.letter]
        shape.width = _width(column)
        shape.number_format = _number_format(column)
        validation = _validation(column, places.get(column.info.codelist or ""))
        if validation is not None:
            sheet.add_data_validation(validation)
            validation.add(f"{column.letter}2:{column.letter}{LAST_ROW}")


def _width(column: TemplateColumn) -> float:
    if column.info.name in _LONG_TEXTS:
        return 38
    longest = max((len(choice) for choice in column.choices), default=0)
    return max(16, min(34, max(longest, len(column.info.title) * 0.7) + 4))


def _number_format(column: TemplateColumn) -> str:
    formats = {pl.Date: "dd/mm/yyyy", pl.Int32: "0", Euro: "#,##0.00", Share: "0%"}
    return formats.get(column.info.dtype) or ("@" if _IDENTIFIER.search(column.info.name) else "General")


def _validation(column: TemplateColumn, place: str | None) -> DataValidation | None:
    """The input rule of a column: what Excel refuses, or only doubts; None where any text will do."""
    name, dtype, first = column.info.name, column.info.dtype, f"{column.letter}2"
    rule: dict[str, Any]
    if column.choices:
        cells = place if place is not None else f'"{",".join(column.choices)}"'
        rule = {"type": "list", "formula1": cells, "error": "Choisissez une valeur de la liste, ou laissez vide."}
        if column.info.is_several:
            error = "Plusieurs valeurs ? Séparez-les par des points-virgules, puis gardez ce que vous avez écrit."
            rule |= {"errorStyle": "information", "error": error}
    elif dtype == Share:
        error = "Écrivez un pourcentage, par exemple 50 %."
        rule = {"type": "decimal", "operator": "between", "formula1": "0", "formula2": "1", "error": error}
    elif dtype == pl.Date:
        earliest = _OLDEST if name.startswith("valid_") else EARLIEST
        limits = {"formula1": str(int(to_excel(earliest))), "formula2": str(int(to_excel(LATEST)))}
        rule = {"type": "date", "operator": "between", **limits, "error": "Écrivez une date, par exemple 15/03/2024."}
    elif dtype == pl.Int32:
        limits = {"formula1": str(FIRST_YEAR), "formula2": str(LAST_YEAR)}
        error = "Écrivez une année sur quatre chiffres, par exemple 2024."
        rule = {"type": "whole", "operator": "between", **limits, "error": error}
    elif dtype == Euro:
        limits = {"formula1": "-10000000000", "formula2": "10000000000"}
        error = "Écrivez un nombre, par exemple 12500 ou 12500,50, sans autre texte."
        rule = {"type": "decimal", "operator": "between", **limits, "error": error}
    elif name.endswith("_siret"):
        error = "Un SIRET compte quatorze chiffres, sans espace, et une clé de contrôle. Vérifiez le numéro."
        rule = {"type": "custom", "formula1": _SIRET.format(cell=first), "errorStyle": "warning", "error": error}
    elif name.endswith("_rna"):
        error = "Un numéro RNA compte dix caractères : un W, puis des chiffres. Vérifiez le numéro."
        formula = f'AND(LEN({first})=10,LEFT({first},1)="W")'
        rule = {"type": "custom", "formula1": formula, "errorStyle": "warning", "error": error}
    elif name == "contact_mailbox":
        error = "Donnez la boîte du service, jamais celle d'une personne : aide-alimentaire@…, contact@…"
        formula = f'ISNUMBER(FIND("@",{first}))'
        rule = {"type": "custom", "formula1": formula, "errorStyle": "warning", "error": error}
    elif name in ("seat_commune_code", "seat_postcode"):
        error = "Ce code compte cinq caractères, zéro du début compris."
        rule = {"type": "textLength", "operator": "equal", "formula1": "5", "errorStyle": "warning", "error": error}
    else:
        return None
    rule["error"] = typeset(rule["error"])[:_MOST_SENTENCE]
    return DataValidation(allow_blank=True, showErrorMessage=True, errorTitle=column.info.title[:32], **rule)


def _comment(column: TemplateColumn) -> Comment:
    lines = [
        f"{column.group}. {column.info.description}",
        f"À remplir : {column.advice[0].lower()}{column.advice[1:]}.",
    ]
    if column.example:
        lines.append(f"Exemple : {column.example}")
    if column.is_required:
        lines.append("Gardez cette colonne : sans elle, le fichier n'est pas reconnu.")
    return Comment(typeset("\n".join(lines)), AUTHOR, width=320, height=40 + 22 * (len(lines) + 1))


def _write_guide(sheet: Worksheet, sheets: dict[str, list[TemplateColumn]]) -> None:
    """The guide: how to fill, what becomes public, why refusals, each decision, each column of each sheet."""
    _banner(sheet, GUIDE)
    sheet.sheet_properties.tabColor = "1F4E79"
    for letter, width in zip("ABCDEF", (30, 26, 36, 40, 24, 26), strict=True):
        sheet.column_dimensions[letter].width = width
    row = 3
    for section in template_words()["guide"]:
        row = _section(sheet, row, section["title"])
        for line in section["lines"]:
            row = _paragraph(sheet, row, f"•  {_told(line, template_columns())}")
        if section["title"].startswith("Les décisions"):
            row = _decisions(sheet, row)
        row += 1
    for name, columns in sheets.items():
        row = _write_columns(sheet, row, name, columns) + 2


def _write_columns(sheet: Worksheet, row: int, name: str, columns: list[TemplateColumn]) -> int:
    """The columns of one sheet, one by one; returns the last row written."""
    row = _section(sheet, row, f"Les colonnes de la feuille « {name} », une par une")
    titles = ["Colonne", "Groupe (couleur)", "À remplir", "Ce qu'on y met", "Ce qu'on écrit", "Exemple"]
    _headers(sheet, row, titles, "404040")
    for column in columns:
        row += 1
        texts = [column.info.title, column.group, column.advice, column.info.description, column.entry, column.example]
        for position, text in enumerate(texts, start=1):
            cell = sheet.cell(row, position)
            put_text(cell, typeset(text or ""))
            cell.alignment, cell.border = _WRAPPED, Border(bottom=_THIN)
        sheet.cell(row, 1).font = Font(name=_FACE, bold=True, underline="single" if column.is_required else None)
        sheet.cell(row, 2).fill, sheet.cell(row, 2).font = PatternFill("solid", fgColor=column.colour), _WHITE
        sheet.row_dimensions[row].height = 32
    return row


def _told(line: str, columns: list[TemplateColumn]) -> str:
    publication = load_publication()
    address = publication.publisher.correction_address
    reachable = re.search(r"@|^https?://", address)
    return line.format(
        required=listed([f"« {column.info.title} »" for column in columns if column.is_required]),
        min_decisions=publication.disclosure.min_decisions,
        min_count=publication.disclosure.min_count,
        contact=f"Écrivez à {address}." if reachable else "Écrivez à la personne qui vous a transmis ce modèle.",
    )


def _decisions(sheet: Worksheet, row: int) -> int:
    """What each word of the decision means, from the codelist."""
    _headers(sheet, row, ["Décision", "Ce que cela veut dire"], "8C1B38")
    for entry in codelist.rows("decision_status"):
        if entry["code"] in NOT_OFFERED:
            continue
        row += 1
        put_text(sheet.cell(row, 1), entry["label"])
        sheet.merge_cells(start_row=row, end_row=row, start_column=2, end_column=6)
        put_text(sheet.cell(row, 2), typeset(entry["description"]))
        sheet.cell(row, 1).font = Font(name=_FACE, bold=True)
        sheet.cell(row, 1).alignment = sheet.cell(row, 2).alignment = _WRAPPED
    return row + 1


def _write_examples(sheet: Worksheet, columns: list[TemplateColumn]) -> None:
    """Fictitious lines, one a column, beside the titles: laid out so that they cannot be taken for data."""
    _banner(sheet, EXAMPLES)
    sheet.sheet_properties.tabColor = "375623"
    examples = template_words()["examples"]
    _headers(sheet, 3, ["Colonne de la feuille « Demandes »", *(example["title"] for example in examples)], "404040")
    sheet.row_dimensions[3].height = 32
    for row, column in enumerate(columns, start=4):
        _headers(sheet, row, [column.info.title], column.colour)
        for position, example in enumerate(examples, start=2):
            cell = sheet.cell(row, position)
            value = example["cells"].get(column.info.name)
            if value is not None:
                cell.value = example_value(column, value)
                cell.number_format = _number_format(column)
            cell.alignment = Alignment(wrap_text=True, vertical="top", horizontal="left")
            cell.border = Border(bottom=_THIN, right=_THIN)
    sheet.freeze_panes = "B4"
    sheet.column_dimensions["A"].width = 36
    for position in range(2, len(examples) + 2):
        sheet.column_dimensions[get_column_letter(position)].width = 34


def example_value(column: TemplateColumn, value: object) -> object:
    """The value of an example as a cell holds it: a code's French label, yes or no, a date, a number, a text."""
    if isinstance(value, bool):
        return "oui" if value else "non"
    return codelist.labels(column.info.codelist)[str(value)] if column.info.codelist is not None else value


def _headers(sheet: Worksheet, row: int, titles: list[str], colour: str, *, start: int = 1) -> None:
    for position, title in enumerate(titles, start=start):
        cell = sheet.cell(row, position)
        put_text(cell, title)
        cell.font, cell.fill = _WHITE, PatternFill("solid", fgColor=colour)
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        cell.border = Border(left=Side(style="thin", color="FFFFFF"), right=Side(style="thin", color="FFFFFF"))


def _banner(sheet: Worksheet, text: str) -> None:
    put_text(sheet.cell(1, 1), text)
    sheet.cell(1, 1).font = Font(name=_FACE, bold=True, size=14)
    sheet.row_dimensions[1].height = 24
    sheet.sheet_view.showGridLines = False
    fit_to_width(sheet)


def _section(sheet: Worksheet, row: int, title: str) -> int:
    put_text(sheet.cell(row, 1), title)
    sheet.cell(row, 1).font = Font(name=_FACE, bold=True, size=12, color="1F4E79")
    return row + 1


def _paragraph(sheet: Worksheet, row: int, text: str) -> int:
    sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=6)
    put_text(sheet.cell(row, 1), typeset(text))
    sheet.cell(row, 1).alignment = _WRAPPED
    sheet.row_dimensions[row].height = 16 * (1 + len(text) // 180)
    return row + 1
