"""What was decided, in a file of a known format: words its author explained, a column that the format does not know.

A format maps the words of its publisher. Another word is asked, and answered from a list. A column of decisions in a
format of awards only is read when each of its words means one thing everywhere, or has been explained.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.amounts import parse_amounts
from pipelines.ingest.evidence import Column
from pipelines.ingest.fold import by_value, fold, fold_header, fold_words
from pipelines.ingest.french import count
from pipelines.ingest.infer_decision import decision_choices, status_words
from pipelines.ingest.personal import mask
from pipelines.ingest.report import Question
from pipelines.ingest.titles import read_title, title_key
from schemas.contracts import APPLICATION
from schemas.format import INFERRED, ColumnRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.ingest.derive import Origin
    from pipelines.ingest.recognise import Header
    from pipelines.ingest.titles import Title

_MOST_WORDS = 12
_DECIDES = {
    "yes": "oui : ses mots disent ce qui a été décidé",
    "no": "non : toutes les lignes sont des subventions accordées",
}


def with_decisions(header: Header, origin: Origin) -> Header:
    """The header whose format also knows the words that the author explained, and the column that decides, if any."""
    format_ = header.format
    if format_.id == INFERRED or format_.contract != APPLICATION:
        return header
    rule = format_.fields.get("decision_status")
    if rule is not None:
        said = {about.removeprefix(_ABOUT): code for about, code in origin.answers.items() if about.startswith(_ABOUT)}
        known = {fold(word) for word in rule.values}
        said = {word: code for word, code in said.items() if code in decision_choices() and fold(word) not in known}
        if not said:
            return header
        rule = rule.model_copy(update={"values": {**rule.values, **said}})
        return _with_rule(header, rule)
    column = _deciding(header, origin.answers)
    if column is None:
        return header
    words = _known_words(origin.answers)
    values = {cell: words[title_key(cell)] for cell in column.cells.unique(maintain_order=True)}
    extended = _with_rule(header, ColumnRule(headers=(column.title.text.strip(),), values=values))
    fields = {**header.fields, column.letter: "decision_status"}
    ordered = {letter: fields[letter] for letter in header.sheet.letters if letter in fields}
    return replace(extended, fields=ordered)


def _with_rule(header: Header, rule: ColumnRule) -> Header:
    format_ = header.format
    update = {
        "fields": {**format_.fields, "decision_status": rule},
        "constants": {name: value for name, value in format_.constants.items() if name != "decision_status"},
        "record_kind": "application" if format_.record_kind == "award" else format_.record_kind,
    }
    return replace(header, format=format_.model_copy(update=update))


def _deciding(header: Header, answers: Mapping[str, str]) -> Column | None:
    """The only column of decisions that the format does not know, when each of its cells is understood."""
    if header.format.decision is not None or header.format.constants.get("decision_status") != "awarded":
        return None
    aside = {fold_header(title) for title in header.format.ignore}
    unread = {
        letter: read_title(text)
        for letter, text in header.titles.items()
        if letter not in header.fields and letter not in header.duplicates and fold_header(text) not in aside
    }
    found = [letter for letter, title in unread.items() if title.text.strip() and _may_tell(title, answers)]
    named = next((letter for letter, name in header.fields.items() if name == "applicant_name"), None)
    if len(found) != 1 or named is None:
        return None
    below = header.sheet.cells.filter(
        (pl.col("row") > header.row) & pl.col(named).str.contains(r"[\p{L}\p{N}]").fill_null(False)
    )
    [letter] = found
    column = Column(letter, unread[letter], below[letter].str.strip_chars().replace("", None))
    known = _known_words(answers)
    if column.filled < 1 or any(key not in known for key in column.words):
        return None
    sure = answers.get(about_column(column)) == "yes" or not _pays_refusals(header, below, column, known)
    return column if sure else None


def _may_tell(title: Title, answers: Mapping[str, str]) -> bool:
    """Whether a column of this title is one of decisions: by its author's answer, else by its title."""
    column = Column("", title, pl.Series(dtype=pl.String))
    said = answers.get(about_column(column))
    return said == "yes" or (said is None and is_titled(column))


def _pays_refusals(header: Header, below: pl.DataFrame, column: Column, known: Mapping[str, str]) -> bool:
    """Whether some line bears an amount that its decision denies: then neither is sure."""
    main = f"amount_{header.format.headline_stage}"
    letter = next((key for key, name in header.fields.items() if name == main), None)
    if letter is None:
        return False
    status = by_value(column.text, lambda text: known.get(title_key(text)))
    money = parse_amounts(below[letter].str.strip_chars().replace("", None)).values.fill_null(0) != 0
    return bool((money & status.is_in(["refused", "inadmissible", "closed_no_action"]).fill_null(False)).any())


def _known_words(answers: Mapping[str, str]) -> dict[str, str]:
    said = {title_key(about.removeprefix(_ABOUT)): code for about, code in answers.items() if about.startswith(_ABOUT)}
    return said | status_words()


def is_titled(column: Column) -> bool:
    """Whether the title of a column says that it holds decisions."""
    meaning = column.title.meaning
    return meaning is not None and (meaning.kind, meaning.name) == ("field", "decision_status")


def about_column(column: Column) -> str:
    """How the answer about a whole column is named."""
    return f"decides {column.key}"


_ABOUT = "status "


def word_questions(words: list[str]) -> list[Question]:
    """What is asked of each word of decisions that is not understood (`words` as the file writes them, masked)."""
    return [
        Question(
            f"Que veut dire « {word} » dans la colonne de la décision : accordée, refusée, irrecevable, retirée, "
            "classée ou en cours ?",
            f"{_ABOUT}{fold_words(word)}" if fold_words(word) else None,
            decision_choices(),
        )
        for word in words
    ]


def column_questions(column: Column, answers: Mapping[str, str]) -> list[Question]:
    """What is asked of a column that may decide, in a format that holds every line to be an award."""
    said = answers.get(about_column(column))
    if said == "no":
        return []
    unknown = [(mask(word) or "")[:60] for key, word in column.words.items() if key not in _known_words(answers)]
    closed = len(column.words) <= _MOST_WORDS and column.filled == 1
    mostly_known = is_titled(column) and 2 * len(unknown) <= len(column.words)
    if closed and unknown and (said == "yes" or mostly_known):
        return word_questions(unknown)
    blank = column.text.len() - column.cells.len()
    but = f" (elle est vide sur {count(blank, 'ligne')})" if blank else ""
    text = (
        f"La colonne {column.called}{but} dit-elle ce qui a été décidé ? Ce format tient chaque ligne pour une "
        "subvention accordée : s'il y a des refus ou des demandes en cours, ils seraient comptés à tort."
    )
    choices = _DECIDES if closed and said is None else {"no": _DECIDES["no"]}
    return [Question(text, about_column(column), choices)]
