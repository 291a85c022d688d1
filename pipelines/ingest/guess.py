"""What inference holds true so far of one table: the column of each field, why, its rivals, and what it must ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.ingest.fold import fold_words
from pipelines.ingest.report import Question
from schemas.format import application_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.ingest.derive import Origin
    from pipelines.ingest.evidence import Column
    from pipelines.ingest.recognise import Candidate
    from pipelines.ingest.sheet import Sheet
    from schemas.format import AmountRule, ColumnRule, SectionRule

BY_TITLE = "d'après son titre"
BY_CELLS = "d'après son contenu"
BY_BOTH = "d'après son titre et son contenu"
BY_ANSWER = "d'après votre réponse"
BY_ELIMINATION = "par élimination : l'autre partie a sa colonne"


@dataclass
class Guess:
    """One table being understood, under the header `candidate`, of which `known` titles say something.

    `banner`: the texts above the header; `asides`: the titles, and the lonely texts below, folded.
    """

    sheet: Sheet
    origin: Origin
    candidate: Candidate
    known: int
    columns: list[Column]
    banner: list[str]
    asides: list[str] = field(default_factory=list)
    fields: dict[str, Column] = field(default_factory=dict)
    basis: dict[str, str] = field(default_factory=dict)
    rivals: dict[str, list[Column]] = field(default_factory=dict)
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    blanks: dict[str, str] = field(default_factory=dict)
    """Field → code of its blank cells."""
    constants: dict[str, str] = field(default_factory=dict)
    banner_rules: dict[str, str] = field(default_factory=dict)
    ignored: dict[str, str] = field(default_factory=dict)
    """Letter → why the column is left aside on purpose."""
    asked: list[Question] = field(default_factory=list)
    stage: str | None = None
    wide: list[Column] = field(default_factory=list)
    """The columns of amounts of one year each, if the table has some."""
    wide_fields: dict[str, str] = field(default_factory=dict)
    """Letter of such a column → the field it fills, once its stage is known."""
    wide_patterns: dict[str, str] = field(default_factory=dict)
    """Field → what the folded titles of its columns look like."""
    sections: SectionRule | None = None
    """The rows that title those below them."""
    section_rules: dict[str, ColumnRule] = field(default_factory=dict)
    has_bare_totals: bool = False
    """Rows that name nobody were found to be totals, and left out."""
    merged: tuple[str, ...] = ()
    """Fields whose blank cells say the same as the cell above them."""
    decision: AmountRule | None = None
    """The decision that the author says an amount states."""
    times: int = 1
    """How many euros one of the amounts is, as the author says."""

    @property
    def names(self) -> list[str]:
        """What names the list: the file, the sheet (or member of an archive), the lines above the header; folded."""
        return [fold_words(text) for text in (self.origin.file_name, self.sheet.name, *self.banner)]

    @property
    def free(self) -> Iterator[Column]:
        """The columns that nothing explains yet."""
        placed = {column.letter for column in (*self.fields.values(), *self.wide)} | set(self.ignored)
        return (column for column in self.columns if column.letter not in placed)

    def titled(self, kind: str, *names: str) -> list[Column]:
        """The columns, not empty, whose title has a meaning of this kind (and one of these names)."""
        return [
            column
            for column in self.columns
            if (meaning := column.title.meaning) is not None
            and meaning.kind == kind
            and (not names or meaning.name in names)
            and column.cells.len()
        ]

    def place(self, name: str, column: Column, basis: str = BY_TITLE) -> None:
        """Give the field `name` its column."""
        self.fields[name], self.basis[name] = column, basis

    def ask(self, text: str, *, about: str | None = None, choices: Mapping[str, str] | None = None) -> str | None:
        """What the author answered to this question, as a code of `choices`; None leaves it open, once.

        `about` names it, the same at every reading; `choices`: code → French words, none when a year is expected.
        """
        answer = self.answers.get(about) if about is not None else None
        if answer is not None and (answer in choices if choices else answer.isdecimal()):
            return answer
        self.leave_open(Question(text, about, dict(choices or {})))
        return None

    def leave_open(self, question: Question) -> None:
        """Ask `question`, once."""
        if question.text not in self.questions:
            self.asked.append(question)

    @property
    def questions(self) -> list[str]:
        """The questions left open, as they are asked."""
        return [question.text for question in self.asked]

    @property
    def answers(self) -> dict[str, str]:
        """What the depositor answered about files of this name: name of the question → code."""
        return self.origin.answers

    def one_of(self, name: str, candidates: list[Column], *, ask: bool = True) -> Column | None:
        """The only column among `candidates`, those that repeat it left aside; None, and a question, when several."""
        if not candidates:
            return None
        first, *others = candidates
        different = [column for column in others if not column.says_same(first)]
        if different:
            self.rivals[name] = [first, *different]
            return self._chosen(name) if ask else None
        for column in others:
            self.ignored[column.letter] = f"répète la colonne {first.letter}, qui est lue"
        return first

    def _chosen(self, name: str) -> Column | None:
        """The one of the rivals for `name` that the author chose; None, and a question, until then."""
        titled = {column.key: column for column in self.rivals[name]}
        tells_apart = len(titled) == len(self.rivals[name]) and "" not in titled
        answer = self.ask(
            f"Quelle colonne donne {meaning_of(name)} : {listed_columns(self.rivals[name])} ?",
            about=f"which {name}" if tells_apart else None,
            choices={key: column.called for key, column in titled.items()},
        )
        if answer is None:
            return None
        for column in self.rivals.pop(name):
            if column.key != answer:
                self.ignored[column.letter] = f"{BY_ANSWER} : une autre colonne compte"
        return titled[answer]


_ARTICLES = {
    "applicant_name": "le nom du demandeur",
    "funder_name": "le nom du financeur",
    "fiscal_year": "l'exercice",
    "decision_status": "la décision",
    "amount": "le montant de la subvention",
    "amount_requested": "le montant demandé",
    "amount_proposed": "le montant proposé",
    "amount_awarded": "le montant accordé",
    "amount_committed": "le montant engagé",
    "amount_paid": "le montant versé",
    "decided_date": "la date de décision",
    "signed_date": "la date de convention",
}


def meaning_of(name: str) -> str:
    """What a field is, within a French sentence."""
    known = application_fields().get(name)
    return _ARTICLES.get(name) or f"« {known.title if known else name} »"


def listed_columns(columns: list[Column]) -> str:
    """The columns as a French list."""
    return french_or([column.called for column in columns])


def french_or(texts: list[str]) -> str:
    """`a`, `a ou b`, `a, b ou c`."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} ou {texts[-1]}"
