"""What was decided, in a table of an unknown format: a column of known words, else a list that holds awards only.

Words are mapped per format, never globally: only those that mean one thing everywhere are taken (`synonyms.toml`); any
other, blank or contradicted by the amounts, is asked. Without such a column, a zero or a refusal met anywhere is asked.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import by_value, fold_words
from pipelines.ingest.french import count
from pipelines.ingest.guess import BY_ANSWER, BY_BOTH, BY_CELLS, french_or
from pipelines.ingest.personal import mask
from pipelines.ingest.titles import title_key
from schemas import codelist
from schemas.synonyms import load_synonyms

if TYPE_CHECKING:
    from pipelines.ingest.evidence import Column
    from pipelines.ingest.guess import Guess

_MOST_WORDS = 15
_MOST_ASKED = 12
_NOT_GRANTED = (
    r"(refus|rejet|irrecevab|ineligib|defavorab|ajourn|annul|abandon|desist|sans suite|non (retenu|accord|attribu|"
    r"finance|recevab|elig))"
)
_SAYS_NO = (
    r"^(refus|refusee?s?|rejet|rejetee?s?|irrecevables?|ineligibles?|annulee?s?|abandon|abandonnee?s?|ajournee?s?|"
    r"non (retenu|accord|attribu|finance)\w*)\b"
)
_SHORT = 40  # characters of a cell that answers; longer ones describe
_MOST_ANSWERS = 100  # distinct cells above which a column describes, unless some cell begins with a refusal
_SOME = 0.2
_RATES = re.compile(r"^(pct|pourcentage|taux|part|montant)\b")
_DECIDES = re.compile(
    r"\b(accord|attribu|finance|retenu|decision|statut|etat (de|du)|suite|avis|eligib|recevab|valid|vote|annul|refus|"
    r"rejet|abandon|caduc|desist|retir)"
)
_ENDS = re.compile(r"\b(refus|rejet|annulation|abandon|desistement|caducite|irrecevabilite)\b")
_TELLS = re.compile(r"\b(decisions?|statuts?|avis|suites?|resultats?|issue|vote|verdict|arbitrage|etat (de|du))\b")
_OPINION = re.compile(r"^avis\b")
_LOANS_OR_NOT = {
    "no": "non, ce sont des subventions",
    "loan": "oui, des prêts ou des avances remboursables",
    "guarantee": "oui, des garanties",
}
_LOAN_LISTS = re.compile(r"\b(prets?|garanties?|emprunts?|avances?)\b")
_LOAN_TITLES = (
    r"^(prets? (garanti|d honneur|a taux|bonifi|participatif|sans interet)"
    r"|avances? remboursables?|garanties? d emprunt)"
)
_LOANS = r"^(prets?\b|avances? remboursables?|garanties? d emprunt|garanties?$|avances?$)"


@cache
def status_words() -> dict[str, str]:
    """Each word that means one thing everywhere, by its key → the code of the decision."""
    return {title_key(word): code for code, words in load_synonyms().statuses.items() for word in words}


@cache
def decision_choices() -> dict[str, str]:
    """What a word may mean: the code of each decision with its label, but the one that nobody can mean."""
    return {code: label for code, label in codelist.labels("decision_status").items() if code != "unknown"}


@cache
def _unclear_words() -> dict[str, str]:
    return {title_key(word): told for word, told in load_synonyms().unclear.items()}


def find_decision(guess: Guess) -> bool:
    """Place the column of the decision and its words, or ask which it is; False when there is none."""
    column = _status_column(guess)
    if column is None:
        return "decision_status" in guess.rivals
    blank = column.text.len() - column.cells.len()
    unsaid = None
    if blank:
        unsaid = guess.ask(
            f"Que veut dire une case vide dans la colonne {column.called} ({count(blank, 'ligne')}) ?",
            about=f"blank {column.key}",
            choices=decision_choices(),
        )
    if unsaid is not None:
        guess.blanks["decision_status"] = unsaid
    known = status_words() | _answered_words(guess, column)
    unknown = [key for key in column.words if key not in known]
    guess.rivals.pop("decision_status", None)
    guess.place("decision_status", column, BY_BOTH if column.title.meaning is not None else BY_CELLS)
    guess.values["decision_status"] = {
        cell: known[title_key(cell)] for cell in column.cells.unique(maintain_order=True) if title_key(cell) in known
    }
    if not unknown:
        _check_against_amounts(guess, column, known)
    return True


def _answered_words(guess: Guess, column: Column) -> dict[str, str]:
    """The words of `column` that do not mean one thing everywhere: what the author said of them, the others asked."""
    said: dict[str, str] = {}
    unclear = [key for key in column.words if key not in status_words()]
    for key in unclear[:_MOST_ASKED]:
        word = (mask(column.words[key]) or "")[:60]
        told = _unclear_words().get(key, "accordée, refusée, irrecevable, retirée, classée sans suite ou en cours")
        answer = guess.ask(
            f"Que veut dire « {word} » dans la colonne {column.called} : {told} ?",
            about=f"word {column.key} : {title_key(word)}",
            choices=decision_choices(),
        )
        if answer is not None:
            said[key] = answer
    return said


def _status_column(guess: Guess) -> Column | None:
    known, unclear = status_words(), _unclear_words()
    chosen = [column for column in guess.free if guess.answers.get(f"decides {column.key}") == "yes"]
    if len(chosen) == 1:
        return chosen[0]
    titled = [c for c in guess.titled("field", "decision_status") if c in list(guess.free)]
    titled = [c for c in titled if len(c.words) <= _MOST_WORDS or any(key in known for key in c.words)]
    titled = [c for c in titled if c.share(c.amounts) < _SOME]  # « État » may be who pays: its cells are amounts
    by_cells = [
        column
        for column in guess.free
        if column not in titled
        and column.title.text.strip()
        and column.share(column.amounts) < _SOME  # « refus » among amounts is asked about the amounts
        and column.cells.len()
        and len(column.words) <= _MOST_WORDS
        and 2 * sum(key in known or key in unclear for key in column.words) >= len(column.words)
    ]
    for column in [c for c in by_cells if _OPINION.match(fold_words(c.title.text))]:
        by_cells.remove(column)  # an opinion comes before the decision: beside none, whether it tells it is asked
        if titled:
            guess.ignored[column.letter] = "avis, avant la décision : non repris"
    return guess.one_of("decision_status", [*titled, *by_cells])


def _check_against_amounts(guess: Guess, column: Column, known: dict[str, str]) -> None:
    """A refusal with money, or an award without, says that the words or the amounts are not what they seem."""
    amount = guess.fields.get(f"amount_{guess.stage}")
    if amount is None:
        return
    status = by_value(column.text, lambda text: known.get(title_key(text)))
    status = status.fill_null(pl.lit(guess.blanks.get("decision_status")))
    money = amount.amounts.fill_null(0)
    awarded, refused = status == "awarded", status.is_in(["refused", "inadmissible", "closed_no_action"])
    for mask_, what in (
        (refused & (money != 0), "sont refusées ou écartées et portent pourtant un montant"),
        (awarded & (money == 0), "sont accordées sans montant"),
    ):
        lines = int(mask_.fill_null(False).sum())
        if lines:
            guess.ask(
                f"{count(lines, 'ligne')} {what} (colonnes {column.called} et {amount.called}) : laquelle des deux "
                "colonnes faut-il croire ?"
            )


def says_some(column: Column) -> bool:
    """A few short words of which some is a decision's."""
    known = status_words()
    return len(column.words) <= _MOST_WORDS and any(key in known for key in column.words)


def may_decide(column: Column) -> bool:
    """A column nobody announced where some cell says no, or a yes-or-no that bears on the decision."""
    cells = column.cells.unique()
    folded = by_value(cells, fold_words)
    short = folded.filter((folded.str.len_chars() <= _SHORT) & (cells.len() <= _MOST_ANSWERS))
    if short.str.contains(rf"\b{_NOT_GRANTED}").any() or folded.str.contains(_SAYS_NO).any():
        return True
    title = fold_words(column.title.text)
    if _ENDS.search(title) and cells.len() and not _RATES.match(title):  # a date of refusal, a motive
        return True
    if _TELLS.search(title) and not _is_reference(column) and _are_verdicts(column, folded):
        return True
    answers = set(folded.to_list()) <= {"oui", "non", "o", "n", "x", "vrai", "faux", "0", "1"}
    return bool(answers and cells.len() and _DECIDES.search(title) and not _RATES.match(title))


def _is_reference(column: Column) -> bool:
    """« Référence décision »: the number of the act, however few its cells."""
    return column.title.meaning is not None and column.title.meaning.name == "decision_reference"


def _are_verdicts(column: Column, folded: pl.Series) -> bool:
    """A few short words, no numbers nor dates: what was said of each line."""
    said = 1 < folded.n_unique() <= _MOST_WORDS and bool((folded.str.len_chars() <= _SHORT).all())
    return said and column.has_names and not column.dates.is_not_null().any()


def ask_about_loans(guess: Guess) -> None:
    """A loan is in no grant total: a list or a column that speaks of loans is asked."""
    if any(_LOAN_LISTS.search(name) for name in guess.names):
        answer = guess.ask(
            "Ces lignes sont-elles des prêts ou des garanties, à ne pas compter comme subventions ?",
            about="loans",
            choices=_LOANS_OR_NOT,
        )
        if answer in ("loan", "guarantee"):
            guess.constants["aid_form"] = answer
    _ask_about_titles_of_loans(guess)
    for column in guess.columns:
        named = column in (guess.fields.get("applicant_name"), guess.fields.get("title"))
        if not named and column.cells.len() and column.distinct <= 2 * _MOST_WORDS:
            for question in loans_in(column):
                answer = guess.ask(question, about=f"loans {column.key}", choices=_loan_choices(guess, column))
                if answer in ("loan", "guarantee"):
                    guess.place("aid_form", column, BY_ANSWER)
                    cells = column.cells.unique(maintain_order=True)
                    guess.values["aid_form"] = {c: answer if re.search(_LOANS, fold_words(c)) else "" for c in cells}


def _ask_about_titles_of_loans(guess: Guess) -> None:
    """Titles that are those of loans on most lines; « Prêt de salle » is none."""
    title = guess.fields.get("title")
    if title is not None and title.share(by_value(title.text, fold_words).str.contains(_LOAN_TITLES)) >= 0.5:
        guess.ask(
            f"Les lignes sont-elles des prêts ou des garanties ({title.called}), à ne pas compter comme subventions ?",
            about="loans",
            choices={"no": _LOANS_OR_NOT["no"]},
        )


def _loan_choices(guess: Guess, column: Column) -> dict[str, str]:
    """A column that is read as something else, or beside one that says the form of the aid, cannot say it too."""
    says_it = "aid_form" not in guess.fields and "aid_form" not in guess.constants and column in list(guess.free)
    return _LOANS_OR_NOT if says_it else {"no": _LOANS_OR_NOT["no"]}


def loans_in(column: Column) -> list[str]:
    """What is asked of a column some of whose cells say that their line is a loan or a guarantee."""
    words = [word for word in column.cells.unique().sort().to_list() if re.search(_LOANS, fold_words(word))]
    if not words:
        return []
    said = french_or([f"« {(mask(word) or '')[:40]} »" for word in words[:3]])
    question = (
        f"Les lignes qui disent {said} dans la colonne {column.called} sont-elles des prêts ou des garanties, à ne pas "
        "compter comme subventions ?"
    )
    return [question]
