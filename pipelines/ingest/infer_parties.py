"""Who asks and who pays, in a table of an unknown format. « SIRET » or « attributaire » alone may be either.

A party whose column has a rival is asked. A number whose owner is unsure is not read: the names are enough.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import fold_words
from pipelines.ingest.french import count
from pipelines.ingest.guess import BY_ANSWER, BY_BOTH, BY_CELLS, BY_ELIMINATION, french_or, listed_columns
from pipelines.ingest.personal import mask, names_persons

if TYPE_CHECKING:
    from pipelines.ingest.evidence import Column
from pipelines.ingest.guess import Guess

_FEW_LINES = 10
_FEWEST_PARTIES = 4  # distinct names in a list of more than a few lines; fewer is a flag, not a name
_MOST_FUNDERS = 20
_ABOVE = {"above": "la suite : le même demandeur que sur la ligne du dessus"}
_DEMANDS = {"applicant": "les demandeurs (ou bénéficiaires)"}
_LABEL = re.compile(r"^(libelle|designation|intitule)\b")


def find_parties(guess: Guess) -> None:
    """Place the applicant, the funder and their numbers; ask what has rivals."""
    _find_names(guess)
    _find_numbers(guess)
    _check_funder(guess)


def _find_names(guess: Guess) -> None:
    funder = guess.one_of("funder_name", guess.titled("field", "funder_name"))
    applicants = guess.titled("field", "applicant_name")
    applicant = guess.one_of("applicant_name", applicants)
    either = guess.titled("name")
    if funder is not None:
        guess.place("funder_name", funder)
    if applicant is not None:
        guess.place("applicant_name", applicant)
        if funder is None and either:
            _other_party(guess, "funder_name", either)
    elif funder is not None and either and not applicants:
        _other_party(guess, "applicant_name", either)
    elif not applicants:
        _only_a_weak_name(guess, either)
    named = guess.fields.get("applicant_name")
    if named is not None:
        _check_names(guess, named)
    _set_codes_aside(guess, either)
    left = [column for column in either if column in list(guess.free)]
    if left and "applicant_name" in guess.fields and "applicant_name" not in guess.rivals:
        guess.ask(f"Que contient {listed_columns(left)} : le demandeur, le financeur, ou autre chose ?")


def _other_party(guess: Guess, name: str, either: list[Column]) -> None:
    """A title that may be either party is the one that has no column of its own, when the cells agree."""
    if name == "funder_name":  # « Collectivité » may hold the code of « Nom Collectivité »
        either = [column for column in either if column.has_public_bodies] or either
    column = guess.one_of(name, either)
    if column is None:
        return
    if name == "funder_name":
        other = guess.fields["applicant_name"]
        agrees = column.has_public_bodies and column.distinct <= min(_MOST_FUNDERS, other.distinct)
    else:
        agrees = column.has_names and column.distinct >= guess.fields["funder_name"].distinct
    if agrees:
        guess.place(name, column, BY_ELIMINATION)


def _set_codes_aside(guess: Guess, either: list[Column]) -> None:
    """Beside the funder's column, one that changes with it, cell for cell, says the same in another way."""
    funder = guess.fields.get("funder_name")
    for column in [column for column in either if column in list(guess.free)]:
        if funder is not None and column.cells.len() == column.text.len() and _same_parties(column, funder):
            guess.ignored[column.letter] = f"va avec la colonne {funder.letter}, qui est lue"


def _same_parties(column: Column, other: Column) -> bool:
    """Whether each cell of one column has its one cell of the other."""
    pairs = pl.DataFrame({"one": column.folded, "other": other.folded}).unique()
    return pairs.height == pairs["one"].n_unique() == pairs["other"].n_unique()


def _only_a_weak_name(guess: Guess, either: list[Column]) -> None:
    weak = guess.titled("weak", "applicant_name")
    if either:
        answer = guess.ask(
            f"Qui sont les noms de {listed_columns(either)} : les demandeurs ou les financeurs ?",
            about=f"party {either[0].key}" if len(either) == 1 else None,
            choices=_DEMANDS,
        )
        if answer is not None:
            guess.place("applicant_name", either[0], BY_ANSWER)
        else:
            guess.rivals["applicant_name"] = either
        return
    weak = [column for column in weak if column.has_names] or weak  # « Tiers » may hold its code
    if len(weak) > 1:  # a label may be that of the grant
        weak = [c for c in weak if c.has_organisations or not _LABEL.match(fold_words(c.title.text))] or weak
    column = guess.one_of("applicant_name", weak)
    if column is None:
        if not weak:
            guess.ask(_persons(guess) or "Quelle colonne donne le nom du demandeur (ou du bénéficiaire) ?")
        return
    persons = _persons(guess)
    if column.has_names and column.has_organisations and persons is None:
        guess.place("applicant_name", column, BY_BOTH)
    elif persons is not None:
        guess.rivals["applicant_name"] = [column]
        guess.ask(persons)
    elif guess.ask(
        f"La colonne {column.called} donne-t-elle le nom du demandeur ?",
        about=f"party {column.key}",
        choices=_DEMANDS,
    ):
        guess.place("applicant_name", column, BY_ANSWER)
    else:
        guess.rivals["applicant_name"] = [column]


def _persons(guess: Guess) -> str | None:
    """What is asked of a list that names people: their names are never read. None when no title announces any."""
    titles = [" ".join(title.split()) for title in guess.candidate.titles.values() if names_persons(title)]
    if not titles:
        return None
    said = french_or([f"« {(mask(title) or '')[:60]} »" for title in titles[:3]])
    return (
        f"Les bénéficiaires sont-ils des particuliers ({said}) ? Leurs noms et leurs adresses ne sont jamais lus. Si "
        "oui, déposez plutôt un tableau de totaux (nombre d'aides et montant, par dispositif et par exercice) ; si ce "
        "sont des organismes, mettez leur nom dans une colonne « Nom du bénéficiaire »."
    )


def _check_names(guess: Guess, column: Column) -> None:
    lines = column.text.len()
    flag = lines > _FEW_LINES and column.distinct < _FEWEST_PARTIES
    if not column.has_names or flag:
        guess.ask(f"La colonne {column.called} ne semble pas contenir des noms : où est le nom du demandeur ?")
    elif column.filled < 0.98:
        blank = lines - column.cells.len()
        follows = column.text.head(1).is_not_null().all() and not guess.has_bare_totals
        answer = guess.ask(
            f"Le nom du demandeur manque sur {count(blank, 'ligne')} ({column.called}) : est-ce la suite de la ligne "
            "du dessus, un total, ou une ligne incomplète ?",
            about=f"blank name {column.key}" if follows else None,
            choices=_ABOVE,
        )
        if answer is not None:
            _say_again(guess, column)
    funder = guess.fields.get("funder_name")
    if funder is not None and funder.distinct > column.distinct:
        guess.ask(
            f"Il y a plus de financeurs ({funder.called}) que de demandeurs ({column.called}) : ces deux colonnes "
            "sont-elles inversées ?"
        )


def _say_again(guess: Guess, name: Column) -> None:
    """Where the name is blank the line above goes on: what is blank there too, each time, is the same."""
    blank = name.text.is_null()
    alike = [column for column in guess.columns if _says_whose(column) and (column.text.is_null() == blank).all()]
    guess.merged = tuple(column.title.meaning.name for column in alike if column.title.meaning is not None)
    for column in alike:
        whole = replace(column, text=column.text.forward_fill())
        guess.columns[guess.columns.index(column)] = whole
        for field, placed in guess.fields.items():
            if placed is column:
                guess.fields[field] = whole


def _says_whose(column: Column) -> bool:
    """Whether a column tells who asks, or when: what stays the same from one action of a party to the next."""
    meaning = column.title.meaning
    return (
        meaning is not None
        and meaning.kind in ("field", "weak")
        and meaning.name.startswith(("applicant_", "funder_", "seat_", "fiscal_year", "decided_date", "signed_date"))
    )


def _find_numbers(guess: Guess) -> None:
    for name in ("applicant_id", "funder_id"):
        own = [column for column in guess.titled("field", name) if column.has_identifiers]
        column = guess.one_of(name, own, ask=False) or _longest(own)
        if column is not None:
            guess.place(name, column)
    unsure = [column for column in guess.titled("id") if column.has_identifiers]
    unsure += [c for c in guess.free if c.title.meaning is None and c.title.text.strip() and c.has_sirets]
    for column in sorted(unsure, key=lambda column: not column.has_sirets):
        _owned(guess, column)
    for column in [*guess.titled("id"), *guess.titled("field", "applicant_id", "funder_id")]:
        if not column.has_identifiers:
            guess.ignored.setdefault(
                column.letter, "ses cellules ne sont ni des SIRET, ni des SIREN, ni des RNA : non lue"
            )


def _longest(columns: list[Column]) -> Column | None:
    """Of a SIRET and a SIREN of one party, the SIRET."""
    sirets = [column for column in columns if column.share(column.identifiers.siret) >= 0.5]
    return sirets[0] if len(sirets) == 1 else None


def _owned(guess: Guess, column: Column) -> None:
    """Whose number it is: the party that changes when it changes."""
    for name in ("applicant_id", "funder_id"):
        known = guess.fields.get(name)
        if known is not None and _same_siren(known, column):
            guess.ignored[column.letter] = f"déjà lu dans la colonne {known.letter}"
            return
    applicant, funder = guess.fields.get("applicant_name"), guess.fields.get("funder_name")
    if applicant is None:
        return
    basis = BY_BOTH if column.title.meaning is not None else BY_CELLS
    if column.share(column.identifiers.destroyed) >= 0.5 and funder is None and "applicant_id" not in guess.fields:
        guess.place("applicant_id", column, basis)  # no number is left to read: the receipt says so, cell by cell
        return
    follows_applicant = column.distinct >= 2 and _follows(column, applicant)
    follows_funder = funder is not None and _follows(column, funder)
    if follows_applicant and not follows_funder and "applicant_id" not in guess.fields:
        guess.place("applicant_id", column, basis)
    elif follows_funder and not follows_applicant and "funder_id" not in guess.fields:
        guess.place("funder_id", column, basis)


def _same_siren(known: Column, column: Column) -> bool:
    pairs = pl.DataFrame({"known": known.identifiers.siren, "other": column.identifiers.siren}).drop_nulls()
    return pairs.height > 0 and pairs.filter(pl.col("known") == pl.col("other")).height >= 0.9 * pairs.height


def _follows(number: Column, name: Column) -> bool:
    """Whether numbers and names go together: as many of one as of the other, nearly, pair by pair."""
    pairs = pl.DataFrame({"number": number.folded, "name": name.folded}).drop_nulls().unique()
    if not pairs.height:
        return False
    numbers, names = pairs["number"].n_unique(), pairs["name"].n_unique()
    return min(numbers, names) >= 0.5 * max(numbers, names) and pairs.height <= 1.5 * max(numbers, names)


def _check_funder(guess: Guess) -> None:
    """A funder nobody announced: a column of public bodies under an unknown title would give way to the folder."""
    funder = guess.fields.get("funder_name")
    if funder is not None and funder.distinct > 1 and funder.filled < 1:
        guess.ask(f"Qui est le financeur des lignes où la colonne {funder.called} est vide ?")
    if funder is not None or "funder_name" in guess.rivals:
        return
    party = guess.fields.get("applicant_name")
    asked = guess.rivals.get("applicant_name", [])
    for column in guess.free:
        if column in asked:
            continue
        unknown = column.title.meaning is None or column.title.meaning.kind in ("name", "weak")
        if unknown and column is not party and column.distinct <= _MOST_FUNDERS and column.has_public_bodies:
            guess.rivals["funder_name"] = [column]
            other = "qui reçoit, ou " if party is None and not asked else ""
            guess.ask(f"La colonne {column.called} dit-elle {other}qui est le financeur ?")
