"""A table that no format knows: what its columns must mean, as a proposed format, and what must be asked.

Each column takes a field by its title and its cells. When party, amount, year and decision have no rival the proposal
is certain, and the file is read with it like any other. Otherwise nothing is read. Wrong silently is the one outcome
that must not happen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.ingest.fold import fold_words
from pipelines.ingest.format_file import format_toml
from pipelines.ingest.infer_amounts import ask_about_other_amounts, find_amounts
from pipelines.ingest.infer_awards import find_awards
from pipelines.ingest.infer_beside import ask_about_lists_beside
from pipelines.ingest.infer_decision import ask_about_loans, find_decision
from pipelines.ingest.infer_headings import set_headings_aside, set_totals_aside
from pipelines.ingest.infer_others import find_others
from pipelines.ingest.infer_parties import find_parties
from pipelines.ingest.infer_repeats import ask_about_repeats
from pipelines.ingest.infer_subject import ask_about_subject
from pipelines.ingest.infer_table import FEWEST_TITLES, open_guess
from pipelines.ingest.infer_wide import find_wide_amounts
from pipelines.ingest.infer_year import find_year
from pipelines.ingest.personal import mask
from pipelines.ingest.propose import check_reading, meanings, merged, propose
from pipelines.ingest.recognise import find_header
from pipelines.ingest.report import Question
from schemas.format import INFERRED

if TYPE_CHECKING:
    from pipelines.ingest.derive import Origin
    from pipelines.ingest.guess import Guess
    from pipelines.ingest.report import ColumnReport, Report
    from pipelines.ingest.sheet import Member, Sheet
    from schemas.format import Format

_SAYS_AGAIN = {"again": "elle répète l'autre feuille : ne pas la lire"}


@dataclass(frozen=True)
class Inference:
    """What was understood of one file. `format` is None when too little was to propose one.

    `toml`: the proposed format file; `meanings`: what each column was taken for, and why; `asked`: what is open.
    The file is read only without question.
    """

    format: Format | None
    toml: str | None
    meanings: list[ColumnReport]
    asked: list[Question]

    @property
    def questions(self) -> list[str]:
        """The open questions, as they are asked."""
        return [question.text for question in self.asked]

    @property
    def basis(self) -> dict[str, str]:
        """Title of each column that has a field → why it has it."""
        return {m.header: m.why for m in self.meanings if m.field is not None and m.why is not None}


@dataclass(frozen=True)
class _Table:
    """One sheet, understood, and the format it makes."""

    guess: Guess
    format: Format | None


def infer(member: Member, origin: Origin) -> Inference | None:
    """What the sheets of `member` must mean; None when none of them looks like a list of anything."""
    understood = (_understood(sheet, origin) for sheet in member.sheets if not sheet.hidden)
    tables = [table for table in understood if table is not None]
    if not tables:
        return None
    main = max(tables, key=lambda table: (len(table.guess.fields), table.guess.sheet.cells.height))
    asked = list(main.guess.asked)
    format_ = main.format
    for other in tables:
        if other is main:
            continue
        both = merged(format_, other.format, main=main.guess, other=other.guess)
        if both is not None:
            format_ = both
            name = other.guess.sheet.name
            own = [q for q in other.guess.asked if q.text not in main.guess.questions]
            asked += [replace(q, text=f"Feuille « {name} » : {q.text}") for q in own]
        else:
            asked += _asked_of_another_sheet(main, other.guess)
    if format_ is None:
        toml = None
    else:
        remarks = [
            "Proposé d'après les titres et le contenu du fichier : à relire avant de s'en servir.",
            *(f"Question ouverte : {question.text}" for question in asked),
        ]
        toml = mask(format_toml(format_, remarks=remarks, notes=main.guess.basis))
    return Inference(format_, toml, meanings(main.guess), asked)


def explain_accepted(report: Report, inferred: Inference) -> None:
    """Say in `report` that its lines were read by inference, and why each column has its meaning."""
    report.format, report.recognised_by, report.proposed_format = None, "inference", inferred.toml
    for column in report.columns:
        if column.field is not None and column.why is None:
            column.why = inferred.basis.get(column.header)


def explain_held(report: Report, inferred: Inference, questions: list[Question]) -> None:
    """Hold the file of `report`: nothing is read until `questions` have an answer."""
    report.status, report.recognised_by, report.proposed_format = "held", "none", inferred.toml
    report.messages = [
        (
            "Les titres de colonnes de ce fichier ne correspondent à aucun format connu, et leur sens n'est pas "
            "certain. Rien n'a été chargé."
        )
    ]
    report.columns = inferred.meanings
    understood = {column.sheet for column in inferred.meanings}
    for sheet in report.sheets:
        if sheet.name in understood:
            sheet.reason = "ses titres sont trouvés, mais une question reste ouverte"
    report.questions = [question.text for question in questions]
    report.to_choose = [question for question in questions if question.about is not None]


def _asked_of_another_sheet(main: _Table, other: Guess) -> list[Question]:
    """Another list of grants in the same file: it may complete the main one, or say it again."""
    about = f"sheet {fold_words(other.sheet.name)}"
    if main.guess.answers.get(about) in _SAYS_AGAIN:
        return []
    like = main.format is not None and find_header(other.sheet, {INFERRED: main.format}) is not None
    has_money = any(name.startswith("amount") for name in (*other.fields, *other.rivals))
    if like or (has_money and "applicant_name" in other.fields):
        name = main.guess.sheet.name
        question = (
            f"Faut-il lire aussi la feuille « {other.sheet.name} », ou répète-t-elle « {name} » autrement ? Plusieurs "
            "feuilles aux mêmes titres, avec une colonne « Statut » (accordée, refusée), se lisent ensemble."
        )
        return [Question(question, about, _SAYS_AGAIN)]
    return []


def _understood(sheet: Sheet, origin: Origin) -> _Table | None:
    """What one sheet must mean; None without a plausible header."""
    guess = open_guess(sheet, origin)
    if guess is None:
        return None
    set_headings_aside(guess)
    set_totals_aside(guess)
    find_parties(guess)
    ask_about_subject(guess)
    if not find_wide_amounts(guess):
        find_amounts(guess)
        find_year(guess)
    if not find_decision(guess):
        find_awards(guess)
    find_others(guess)
    ask_about_other_amounts(guess)
    ask_about_loans(guess)
    ask_about_repeats(guess)
    ask_about_lists_beside(guess)
    if guess.known < FEWEST_TITLES and not any(name.startswith("amount") for name in (*guess.rivals, *guess.fields)):
        return None  # words above words: any table has that
    format_ = propose(guess)
    if format_ is not None:
        check_reading(guess, format_)
    return _Table(guess, format_)
