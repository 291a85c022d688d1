"""Whether a table of an unknown format is a list of grants at all: a budget, payment orders or bills read like one.

They have a body, an amount voted or paid and a year, and no column that says otherwise. Something must speak of grants,
or the author is asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.ingest.fold import fold_words
from pipelines.ingest.french import listed
from pipelines.ingest.titles import mandate_keys, title_key
from schemas.synonyms import load_synonyms

if TYPE_CHECKING:
    from pipelines.ingest.evidence import Column
    from pipelines.ingest.guess import Guess

OF_GRANTS = re.compile(r"\b(subventions?|subv|subsides?|aides?|concours|dotations?)\b")
_CELLS = r"(?i)\b(?:subventions?|subv|subsides?|aides?|concours)\b|^(?:657|204|674)\d*$"
"""A word of grants, or the account that they are paid from (instructions M14 and M57)."""
_ANYBODY = re.compile(r"\b(tiers|fournisseurs?|creanciers?|libelle|designation|organisme|nom|entite)\b")
_RECEIVES = re.compile(r"\b(beneficiaires?|associations?|demandeurs?|porteurs?|laureats?)\b")
_BUDGET = re.compile(
    r"^(libelle |code |n )?(chapitre|article|compte|imputation|fonction|sous fonction|nature|section|sens)"
    r"( comptable)?$"
)
_CODES = r"^\d{3,6}$"
_FEWEST = 2
_ABOUT = "subject"
_ONLY_GRANTS = {"yes": "oui, seulement des subventions"}


def ask_about_subject(guess: Guess) -> None:
    """Ask whether the lines are grants, when the list's name or its titles say another thing and nothing says grants.

    Call it once the applicant has its column.
    """
    if any(OF_GRANTS.search(name) for name in guess.names):
        return
    said = [match[0] for name in guess.names if (match := re.search(load_synonyms().lists.subjects, name))]
    anybody = _may_be_anybody(guess)
    if said and not (said[0].startswith("budget") and not anybody):  # « Association » says what a budget is of
        text = f"Le nom de la liste parle de « {said[0]} » : ses lignes sont-elles des subventions, et rien d'autre ?"
    else:
        accounts = _accounts(guess)
        enough = len(accounts) >= _FEWEST or any(c.share(c.text.str.contains(_CODES)) >= 0.9 for c in accounts)
        if not (anybody and enough) or _speaks_of_grants(guess):
            return
        titles = [f"« {' '.join(column.title.text.split())} »" for column in accounts[:3]]
        many = len(titles) > 1
        text = (
            f"{'Les titres' if many else 'Le titre'} {listed(titles)} {'sont ceux' if many else 'est celui'} d'un "
            "budget ou de mandats : ce tableau contient-il seulement des subventions, ou aussi des achats et d'autres "
            "dépenses ?"
        )
    guess.ask(text, about=_ABOUT, choices=_ONLY_GRANTS)


def _accounts(guess: Guess) -> list[Column]:
    """The columns, not empty, that budgets and payment orders have."""
    return [
        column
        for column in guess.columns
        if column.cells.len()
        and (_BUDGET.match(fold_words(column.title.text)) or title_key(column.title.text) in mandate_keys())
    ]


def _may_be_anybody(guess: Guess) -> bool:
    """Whether the title of the names would suit a supplier, or a line of a budget, as well."""
    columns = [
        column for column in (guess.fields.get("applicant_name"), *guess.rivals.get("applicant_name", [])) if column
    ]
    titles = [fold_words(column.title.text) for column in columns]
    return any(_ANYBODY.search(title) and not _RECEIVES.search(title) for title in titles)


def _speaks_of_grants(guess: Guess) -> bool:
    """Whether a title, or nearly every cell of some column, speaks of grants."""
    return any(OF_GRANTS.search(fold_words(column.title.text)) or _holds_grants(column) for column in guess.columns)


def _holds_grants(column: Column) -> bool:
    return column.filled >= 0.9 and column.share(column.text.str.contains(_CELLS)) >= 0.9
