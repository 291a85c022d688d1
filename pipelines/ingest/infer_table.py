"""A sheet of an unknown format → its header and its columns as evidence, in a guess that still holds nothing.

The header is the row, or two, that says most; where no title is known, the first row of distinct words above rows.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.evidence import Column
from pipelines.ingest.fold import fold_header, fold_words
from pipelines.ingest.french import count
from pipelines.ingest.guess import Guess
from pipelines.ingest.layouts import lay_out
from pipelines.ingest.personal import names_persons, personal_header
from pipelines.ingest.recognise import Candidate, Header, candidates
from pipelines.ingest.titles import read_title
from schemas.format import INFERRED, ColumnRule, Format, RecogniseRule

if TYPE_CHECKING:
    from pipelines.ingest.derive import Origin
    from pipelines.ingest.sheet import Sheet
    from pipelines.ingest.titles import Title

RELATIVE_YEAR = re.compile(r"^\s*(?:année\s+)?N(?:\s*[-+]\s*\d)?\s*$")
"""A title that is a year by its distance to another: N, N-1."""
FEWEST_TITLES = 2
"""Known titles that make a row a header."""
_MOST_COLUMNS = 400
_LONGEST_TITLE = 60
_SAYS_NOTHING = re.compile(
    r"^(?:(?:informations?|donnees|relati(?:f|ve)s?|concernant|de|la|le|les|l|a|au|aux|du|des|d|subventions?|aides?|"
    r"montants?|financements?|dossiers?|euros?|en)\s?)+$"
)


def open_guess(sheet: Sheet, origin: Origin) -> Guess | None:
    """The columns of `sheet` under its most plausible header; None without one."""
    if sheet.cells.is_empty() or len(sheet.letters) > _MOST_COLUMNS:
        return None
    candidate, known = _plausible_header(sheet)
    if candidate is None:
        return None
    guess = Guess(sheet, origin, candidate, known, _columns(sheet, candidate), _banner(sheet, candidate))
    guess.asides = _asides(sheet, candidate)
    _set_row_numbers_aside(guess)
    _ask_about_shifted_rows(guess)
    return guess


def _set_row_numbers_aside(guess: Guess) -> None:
    """A first column without a title that counts the lines, as programs write it: it says nothing."""
    first = guess.columns[0]
    if first.letter != guess.sheet.letters[0] or first.title.text.strip() or first.filled < 1:
        return
    steps = first.text.cast(pl.Int64, strict=False).diff().drop_nulls()
    if steps.len() and steps.len() == first.text.len() - 1 and (steps == 1).all():
        guess.ignored[first.letter] = "numéro d'ordre"


def _ask_about_shifted_rows(guess: Guess) -> None:
    """Rows of delimited text longer than the titles: a comma cut an amount or a sentence, and cells slid aside."""
    if guess.sheet.has_title:
        return
    beyond = [column.text for column in guess.free if not column.title.text.strip()]
    if beyond:
        shifted = int(pl.select(pl.any_horizontal(text.is_not_null() for text in beyond)).to_series().sum())
        guess.ask(
            f"Il y a plus de cases que de titres sur {count(shifted, 'ligne')} : une virgule ou un point-virgule y "
            "coupe-t-il un montant ou un texte ? Mettez-les entre guillemets, ou enregistrez un classeur."
        )


def personal_titles(sheet: Sheet) -> list[str]:
    """The titles of a sheet whose first filled row announces little but personal data; none for another sheet."""
    for candidate in candidates(sheet):
        titles = [" ".join(text.split()) for text in candidate.titles.values() if text.strip()]
        personal = [title for title in titles if personal_header(title) and len(title) <= _LONGEST_TITLE]
        return personal if len(personal) >= FEWEST_TITLES and 2 * len(personal) >= len(titles) else []
    return []


def _plausible_header(sheet: Sheet) -> tuple[Candidate | None, int]:
    """The row (or two) with most known titles; else the first row of distinct words above filled rows."""
    best: Candidate | None = None
    most = 0
    shaped: Candidate | None = None
    for candidate in candidates(sheet):
        read = {letter: read_title(text) for letter, text in candidate.titles.items()}
        told = {_told(title, letter) for letter, title in read.items()} - {None}
        if any(names_persons(title.text) for title in read.values()) and any(map(_is_amount, read.values())):
            told.add(("person",))  # people and an amount: grants to people, maybe
        if _are_years_below(sheet, candidate):
            titles = _titles(sheet, candidate).values()
            told |= {(title.meaning.name, str(title.year)) for title in titles if title.meaning and title.year}
        known = len(told) + _by_year(list(read.values()))
        if known > most:
            best, most = candidate, known
        if shaped is None and candidate.top == candidate.row and _is_shaped(sheet, candidate):
            shaped = candidate
    return (best, most) if most >= FEWEST_TITLES else (shaped, most)


def _by_year(titles: list[Title]) -> bool:
    """Whether several titles are years and nothing else: together they say as much as one that is known."""
    years = [title.year for title in titles if title.year is not None and title.text.strip() == str(title.year)]
    return len(set(years)) > 1


def _are_years_below(sheet: Sheet, candidate: Candidate) -> bool:
    """Whether the second row of a header holds years and nothing else: each title above stands for several columns."""
    if candidate.top == candidate.row:
        return False
    cells = sheet.cells.filter(pl.col("row") == candidate.row).drop("row").row(0)
    own = [read_title(text) for text in cells if text and text.strip()]
    return len(own) > 1 and all(title.year is not None and title.text.strip() == str(title.year) for title in own)


def _told(title: Title, letter: str) -> tuple[str, ...] | None:
    """What a title says, so that two that say the same count once, two amounts twice."""
    if title.meaning is None:
        return None
    return title.meaning.kind, title.meaning.name, letter if title.meaning.kind == "amount" else ""


def _is_amount(title: Title) -> bool:
    return title.meaning is not None and (title.meaning.kind == "amount" or "amount" in title.meaning.name)


def _titles(sheet: Sheet, candidate: Candidate) -> dict[str, Title]:
    """The title of each column; under a title above it, an amount means what both say together, or nothing."""
    groups = _groups(sheet, candidate)
    alike = Counter(fold_header(text) for text in candidate.titles.values())
    titles = {}
    for letter in sheet.letters:
        title = read_title(candidate.titles.get(letter, ""))
        group = groups.get(letter, "")
        if group and (_is_amount(title) or title.meaning is None) and not title.text.startswith(group):
            both = read_title(f"{group} {title.text}")
            by_year = both.year is not None and both.meaning is not None and _is_amount(both)
            title = both if by_year else replace(title, meaning=both.meaning if title.text else None)
            if candidate.top < candidate.row and alike[fold_header(title.text)] > 1:  # « Ville » over one « Accordé »
                title = replace(title, text=both.text)
        titles[letter] = title
    return titles


def _groups(sheet: Sheet, candidate: Candidate) -> dict[str, str]:
    """The titles right above the header, each over the columns from its own to the next one's; a banner is none."""
    row = candidate.top if candidate.top < candidate.row else candidate.row - 1
    above = sheet.cells.filter(pl.col("row") == row).row(0, named=True) if row in set(sheet.cells["row"]) else {}
    filled = {letter: text.strip() for letter, text in above.items() if letter != "row" and text and text.strip()}
    if list(filled) == sheet.letters[:1]:
        return {}
    groups, group = {}, ""
    for letter in sheet.letters:
        group = groups[letter] = filled.get(letter, group)
    return {letter: group for letter, group in groups.items() if not _SAYS_NOTHING.match(fold_words(group))}


def _is_shaped(sheet: Sheet, candidate: Candidate) -> bool:
    titles = [text.strip() for text in candidate.titles.values()]
    words = all(re.search(r"[^\W\d_]{2}", text) or RELATIVE_YEAR.match(text) for text in titles)
    words = words and all(len(text) <= 120 for text in titles)
    below = sheet.cells.filter(pl.col("row") > candidate.row)
    told = any(read_title(text).meaning is not None for text in titles)
    return (
        len(titles) >= (2 if told else 3)
        and len(titles) >= 0.8 * len(sheet.letters)
        and words
        and len({fold_header(text) for text in titles}) == len(titles)
        and below.height >= 3
    )


def _columns(sheet: Sheet, candidate: Candidate) -> list[Column]:
    """The columns that have a title or cells, personal ones left out, with the cells of the rows that are lines."""
    below = sheet.cells.filter(pl.col("row") > candidate.row).with_columns(
        _blank(pl.col(letter)) for letter in sheet.letters
    )
    below = below.filter(pl.any_horizontal(pl.col(letter).is_not_null() for letter in sheet.letters))
    _, laid = lay_out(_provisional(sheet, candidate), below)
    columns = []
    for letter, title in _titles(sheet, candidate).items():
        if title.meaning is not None or not personal_header(title.text):
            columns.append(Column(letter, title, laid.rows[letter]))
    return [column for column in columns if column.title.text.strip() or column.cells.len()]


def _blank(cell: pl.Expr) -> pl.Expr:
    text = cell.str.replace_all(r"^[\s\u00a0\u202f]+|[\s\u00a0\u202f]+$", "")
    return pl.when(text.str.contains(r"[\p{L}\p{N}\p{S}]|^-{2,}")).then(text)


def _provisional(sheet: Sheet, candidate: Candidate) -> Header:
    """A header whose fields only serve to tell lines from totals and repeated titles."""
    fields: dict[str, str] = {}
    for letter, text in candidate.titles.items():
        meaning = read_title(text).meaning
        kinds = {"amount": "amount_total", "name": "applicant_name", "id": "applicant_id", "weak": "applicant_name"}
        name = meaning and (meaning.name if meaning.kind == "field" else kinds.get(meaning.kind))
        if name and name not in fields.values():
            fields[letter] = name
    if not fields:
        fields = {next(iter(candidate.titles)): "title"}
    format_ = Format(
        id=INFERRED,
        title="",
        description="",
        record_kind="award",
        headline_stage="awarded",
        recognise=RecogniseRule(required=()),
        fields={name: ColumnRule(headers=(candidate.titles[letter],)) for letter, name in fields.items()},
    )
    return Header(format_, sheet, candidate.row, candidate.titles, fields, {}, top=candidate.top)


def _banner(sheet: Sheet, candidate: Candidate) -> list[str]:
    above = sheet.cells.filter(pl.col("row") < candidate.top).tail(60)
    return [text.strip() for row in above.iter_rows() for text in row[1:] if text and text.strip()]


def _asides(sheet: Sheet, candidate: Candidate) -> list[str]:
    """The titles, and the last rows that hold one cell only: notes."""
    header = sheet.cells.filter(pl.col("row").is_between(candidate.top, candidate.row))
    titles = [text for row in header.iter_rows() for text in row[1:] if text]
    below = sheet.cells.filter(pl.col("row") > candidate.row).tail(30)
    cells = ([text for text in row[1:] if text and text.strip()] for row in below.iter_rows())
    return [fold_words(text) for text in [*titles, *(texts[0] for texts in cells if len(texts) == 1)]]
