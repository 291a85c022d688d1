"""Which column is the amount of the grant, and at which stage, in a table of an unknown format.

A title that says no stage takes that of the list (« subventions attribuées 2023 »), or is asked. A column of money that
nothing explains is a rival: it may be the one that counts, or one to be added up.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.amounts import parse_amounts
from pipelines.ingest.fold import fold_words
from pipelines.ingest.guess import BY_ANSWER, BY_BOTH, BY_TITLE, listed_columns
from pipelines.ingest.infer_subject import OF_GRANTS
from pipelines.ingest.infer_table import RELATIVE_YEAR
from pipelines.ingest.personal import mask
from pipelines.ingest.titles import Meaning, convention_keys, mandate_keys, title_key
from pipelines.ingest.units import ABOUT, times, unit_question
from schemas.synonyms import load_synonyms

if TYPE_CHECKING:
    from pipelines.ingest.evidence import Column
    from pipelines.ingest.guess import Guess

STAGED = ("amount_requested", "amount_proposed", "amount_awarded", "amount_committed", "amount_paid")
_ASIDE = ("amount_clawed_back", "amount_loan", "amount_guarantee", "amount_in_kind")
HEADLINE = ("awarded", "committed", "paid")
_BEFORE_GRANT = ("amount_requested", "amount_proposed")
_GRANTS = frozenset(f"amount_{stage}" for stage in HEADLINE)
_REMINDER = "rappel d'une année antérieure à celle de la liste : non lu"
STAGES = {"requested": "demandé", "awarded": "accordé", "committed": "engagé", "paid": "versé"}
_OTHERS = "amount_other"
_FEWEST_PARTS = 2
_CODE = r"^[A-Z]{3}$"  # of a currency (ISO 4217)
_FOREIGN = r"[$£¥]|\b(?:CHF|GBP|USD|CAD|XPF)\b"
_PART_OF = re.compile(r"^dont\b")
_TOTAL = re.compile(
    r"^(total|totaux|montant total|cumul)\b(?!.*\b(cout|budget|depense|charge|projet|action|operation)s?\b)"
)
_OTHER = {"other": "autre chose : ne pas lire cette colonne"}
_FEWEST_CONVENTION_TITLES = 2
_FEWEST_MANDATE_TITLES = 2
_FUNDERS = re.compile(
    r"^(etat|anct|europe|fse|feder|region|conseil regional|departement|conseil departemental|cd|caf|msa|ars|dreets|"
    r"draaf|ddets|drajes|ville|commune|communaute|agglo\w*|metropole|epci|ccas|bailleurs?)\b"
)
_FEWEST_FUNDERS = 2
_MOST_ASKED = 8
_MONEY_WORDS = re.compile(
    r"\b(montants?|mt|mnt|sommes?|subventions?|subv|sub|subsides?|aides?|financements?|credits?|mandats?|mandates?|ae|cp|dotations?|"
    r"versements?|verses?|votes?|vote|accordee?s?|attribuee?s?|alloue|allouee?s?|demandee?s?|totaux|total|cumul|solde|"
    r"acompte|avances?|prets?|garanties?|recettes?|euros?|reste|report|k|keur|meur|milliers?|millions?|fonctionnement|"
    r"investissement|realise|engage|budget|cout|complements?|complementaires?|supplements?|regularisation|precedente?|amount|grant|awarded|bedrag|betrag|importe)\b"
)
_YEARS = re.compile(r"^(annees?|exercices?|millesimes?)\b")
_NO_MONEY = re.compile(
    r"^(n|no|num|numero|code|id|identifiant|ref|reference|nb|nbre|nombre|effectif|siret|siren|date|pct|pourcentage|taux)\b"
)


def find_amounts(guess: Guess) -> None:
    """Place the amounts whose title says the stage, then the one whose title does not; ask what is left."""
    ask_about_units(guess)
    for name in (*STAGED, *_ASIDE):
        column = guess.one_of(name, _of_this_list(guess, _with_amounts(guess.titled("field", name))))
        if column is None:
            continue
        if column.share(column.amounts) >= 0.9:
            guess.place(name, column)
        elif column.share(column.amounts) > 0 or name in STAGED:
            guess.rivals[name] = [column]
            guess.ask(_about_cells(column))
    _set_reminders_aside(guess)
    _place_answered(guess)
    _set_parts_aside(guess)
    _find_unstaged(guess)
    found = [stage for stage in HEADLINE if f"amount_{stage}" in guess.fields]
    guess.stage = found[0] if found else None


def _with_amounts(columns: list[Column]) -> list[Column]:
    """Those of the columns of one title that hold some amount, if any does: « Subvention » may head words."""
    return [column for column in columns if column.share(column.amounts) > 0] or columns


def _set_parts_aside(guess: Guess) -> None:
    """Columns of money that one column adds up on every line, or « dont… », are its parts; it alone is the amount."""
    money = [column for column in guess.columns if column.has_numbers and column.letter not in guess.ignored]
    parts = [column for column in money if column in list(guess.free) and _may_be_part(column)]
    for part in [column for column in parts if _PART_OF.match(fold_words(column.title.text))]:
        if any((part.amounts.fill_null(0) <= total.amounts).all() for total in money if total is not part):
            guess.ignored[part.letter] = "« dont » : part d'un autre montant"
    parts = [column for column in parts if column.letter not in guess.ignored]
    for total in money:
        others = [column for column in parts if column is not total]
        if len(others) < _FEWEST_PARTS or not (_is_total(total) or total in guess.fields.values()):
            continue
        added = pl.select(pl.sum_horizontal(column.amounts.fill_null(0) for column in others)).to_series()
        if (added != total.amounts.fill_null(0)).any() or not all((c.amounts != 0).any() for c in others):
            continue
        guess.ignored |= {column.letter: f"part de la colonne {total.letter}, qui est lue" for column in others}
        if total.title.meaning is None:
            read = replace(total, title=replace(total.title, meaning=Meaning("amount")))
            guess.columns[guess.columns.index(total)] = read
        return


def _is_total(column: Column) -> bool:
    """Whether a title announces an amount whose stage it does not say."""
    meaning = column.title.meaning
    return meaning.kind == "amount" if meaning is not None else bool(_TOTAL.match(fold_words(column.title.text)))


def _may_be_part(column: Column) -> bool:
    """Whether a column of money may be a part of the grant: neither a year's, a funder's nor a stage's."""
    meaning = column.title.meaning
    known = meaning is not None and meaning.kind in ("field", "ignore")
    is_funder = _FUNDERS.match(fold_words(column.title.text)) is not None
    return _may_be_money(column) and column.title.year is None and not known and not is_funder


def _set_reminders_aside(guess: Guess) -> None:
    """Beside the amount granted, or asked for, whose title bears its year, an earlier one is of another list."""
    _set_former_grants_aside(guess)
    main = [guess.fields[f"amount_{stage}"] for stage in HEADLINE if f"amount_{stage}" in guess.fields]
    main = main or [guess.fields[name] for name in STAGED if name in guess.fields]
    years = {column.title.year for column in main}
    year = years.pop() if len(years) == 1 else None
    if year is None:
        return
    for column in list(guess.free):
        if column.title.year is not None and column.title.year < year and _may_be_money(column):
            guess.ignored[column.letter] = _REMINDER


def answers_one_request(guess: Guess, granted: list[Column]) -> bool:
    """« Demandé 2023 » alone, beside « Attribué 2022 » and « Attribué 2023 »: the list is of that one year."""
    asked = [column.title.year for column in guess.titled("field", *_BEFORE_GRANT)]
    years = [column.title.year for column in granted if column.title.year is not None]
    return len(set(years)) == len(granted) > 1 and bool(asked) and set(asked) == {max(years)}


def _of_this_list(guess: Guess, columns: list[Column]) -> list[Column]:
    """Of the columns of one stage, that of the only year that is asked for; the earlier ones are of other lists."""
    is_grant = any(column.title.meaning is not None and column.title.meaning.name in _GRANTS for column in columns)
    if not is_grant or not answers_one_request(guess, columns):
        return columns
    latest = max(columns, key=lambda column: column.title.year or 0)
    guess.ignored |= {column.letter: _REMINDER for column in columns if column is not latest}
    return [latest]


def _set_former_grants_aside(guess: Guess) -> None:
    """« Attribué 2022 » beside « Demandé 2023 » answers another year's request: it is no grant of this list."""
    asked = [guess.fields[name].title.year for name in _BEFORE_GRANT if name in guess.fields]
    latest = max((year for year in asked if year is not None), default=None)
    for name in (f"amount_{stage}" for stage in HEADLINE):
        year = guess.fields[name].title.year if name in guess.fields else None
        if latest is not None and year is not None and year < latest:
            guess.ignored[guess.fields.pop(name).letter] = _REMINDER
            guess.basis.pop(name, None)


def ask_about_units(guess: Guess) -> None:
    """Ask in what the amounts are, if something speaks of thousands or another currency; keep what was answered."""
    money = [column.title.text for column in guess.columns if _may_be_money(column)]
    titles = set(map(fold_words, money))
    others = [text for text in (*guess.names, *guess.asides) if text not in titles]
    has_codes = any(
        column.text.str.contains(_CODE).fill_null(False).all() for column in guess.titled("field", "currency")
    )
    question = unit_question(money, others, has_codes=has_codes)
    guess.times = times(question, guess.answers)
    if question is not None and guess.answers.get(ABOUT) not in question.choices:
        guess.leave_open(question)


def _find_unstaged(guess: Guess) -> None:
    bare = [column for column in _with_amounts(guess.titled("amount")) if column.letter not in guess.ignored]
    bare = [column for column in bare if column in list(guess.free)]
    if not bare:
        return
    known = [guess.fields[name] for name in STAGED if name in guess.fields]
    bare = [column for column in bare if column.share(column.amounts) > 0 or not known]  # else words, of no amount
    bare = [column for column in bare if not _repeats(guess, column, known)]
    column = guess.one_of("amount", bare)
    if column is None:
        return
    if column.share(column.amounts) < 0.9:
        guess.rivals["amount"] = [column]
        guess.ask(_about_cells(column))
        return
    stage = None if known or guess.titled("field", "decision_status") else stage_of_list(guess)
    answer = None
    if stage is None:
        answer = guess.ask(
            f"Le montant de la colonne {column.called} est-il demandé, accordé ou versé ? Dites-le dans son titre : "
            "« Montant accordé », par exemple.",
            about=f"stage {column.key}",
            choices={stage: STAGES[stage] for stage in STAGES if f"amount_{stage}" not in guess.fields},
        )
    if answer is not None:
        guess.place(f"amount_{answer}", column, BY_ANSWER)
    elif stage is None:
        guess.rivals["amount"] = [column]
    else:
        guess.place(f"amount_{stage}", column, BY_BOTH if stage == "paid" else BY_TITLE)
        guess.basis[f"amount_{stage}"] = "d'après son titre et le nom de la liste"


def _about_cells(column: Column) -> str:
    """What is asked of a column whose cells are not all amounts: the first that may be read in two ways, or at all."""
    read = parse_amounts(column.text)
    doubtful = column.text.filter(read.ambiguous).to_list()
    if doubtful:
        return (
            f"Dans la colonne {column.called}, « {doubtful[0]} » se lit-il en milliers, ou avec des décimales ? Les "
            "deux usages s'y mêlent : écrivez-les sans séparateur de milliers."
        )
    foreign = column.text.filter(column.amounts.is_null() & column.text.str.contains(_FOREIGN)).to_list()
    if foreign:
        return (
            f"Dans la colonne {column.called}, « {(mask(foreign[0]) or '')[:40]} » est-il dans une autre monnaie que "
            "l'euro ? Si oui, écrivez les nombres seuls et ajoutez une colonne « Devise »."
        )
    return f"La colonne {column.called} ne contient pas que des montants : que veut-elle dire ?"


def _repeats(guess: Guess, column: Column, known: list[Column]) -> bool:
    for other in known:
        if column.says_same(other):
            guess.ignored[column.letter] = f"répète la colonne {other.letter}, qui est lue"
            return True
    return False


def stage_of_list(guess: Guess) -> str | None:
    """`awarded` or `paid`, when the list says so of itself and nothing says otherwise; else None."""
    lists = load_synonyms().lists
    names = guess.names
    if any(re.search(lists.others, name) for name in names):
        return None
    titles = {title_key(column.title.text) for column in guess.columns}
    awards = any(re.search(lists.awards, name) for name in names)
    awards = awards or len(titles & convention_keys()) >= _FEWEST_CONVENTION_TITLES
    payments = any(re.search(lists.payments, name) for name in names)
    if any(OF_GRANTS.search(name) for name in names):  # other payment orders buy goods and services
        payments = payments or any(re.search(lists.accounts, name) for name in names)
        payments = payments or len(titles & mandate_keys()) >= _FEWEST_MANDATE_TITLES
    if awards == payments:
        return None
    return "awarded" if awards else "paid"


def ask_about_other_amounts(guess: Guess) -> None:
    """Ask what the columns of money are that nothing explains; call it once all other fields have their columns."""
    _ask_about_others(guess)
    if guess.stage is None and not any(name.startswith("amount") for name in guess.rivals):
        guess.ask(
            "Quelle colonne donne le montant accordé ou versé ? S'il n'y en a pas encore, déposez la liste après la "
            "décision."
            if any(name in guess.fields for name in STAGED)
            else "Quelle colonne donne le montant de la subvention, et s'agit-il du montant demandé, accordé ou versé ?"
        )


def _ask_about_others(guess: Guess) -> None:
    # In delimited text, a cell without a title is the end of a row that a comma cut: that is asked elsewhere.
    others = [c for c in guess.free if (c.title.text.strip() or guess.sheet.has_title) and _may_be_money(c)]
    known = [guess.fields[name] for name in STAGED if name in guess.fields]
    rivals = [column for name, columns in guess.rivals.items() if name.startswith("amount") for column in columns]
    others = [column for column in others if column not in rivals and not _repeats(guess, column, known)]
    if not others:
        return
    guess.rivals[_OTHERS] = others
    years = {column.title.year for column in [*others, *known, *rivals]} - {None}
    if len(years) > 1:
        guess.ask(
            f"Les montants sont-ils répartis par année, une colonne pour chacune ({listed_columns(others)}) ? "
            "Si oui, mettez une ligne par subvention et par année."
        )
        return
    funders = [column for column in others if _FUNDERS.match(fold_words(column.title.text))]
    if len(funders) >= _FEWEST_FUNDERS:
        guess.ask(
            f"Chaque colonne parmi {listed_columns(funders)} donne-t-elle ce qu'un financeur apporte, et est-ce "
            "demandé, accordé ou versé ? Une ligne par action et par financeur, avec une colonne « Financeur » et une "
            "colonne « Montant accordé », se lit sans question."
        )
        others = [column for column in others if column not in funders]
        if not others:
            return
    apart = {column.key for column in others if column.key}
    if len(apart) < len(others) or len(others) > _MOST_ASKED:
        guess.ask(
            f"Des montants restent sans explication ({listed_columns(others)}) : font-ils partie de la subvention, "
            "faut-il les additionner, ou s'agit-il d'autre chose ?"
        )
        return
    for column in others:
        guess.ask(
            f"Que sont les montants de {column.called} : demandés, accordés, versés, ou autre chose ? S'il faut les "
            "additionner à d'autres, faites-en une seule colonne.",
            about=f"amount {column.key}",
            choices={**STAGES, **_OTHER},
        )


def _place_answered(guess: Guess) -> None:
    """Columns of money that the author explained when he was asked about them."""
    for column in list(guess.free):
        answer = guess.answers.get(f"amount {column.key}")
        if answer in _OTHER:
            guess.ignored[column.letter] = f"{BY_ANSWER} : autre chose qu'une subvention"
        elif answer in STAGES and f"amount_{answer}" in guess.fields:
            both = guess.rivals[f"amount_{answer}_again"] = [guess.fields[f"amount_{answer}"], column]
            guess.ask(
                f"Deux colonnes donnent un montant {STAGES[answer]} ({listed_columns(both)}) : s'il faut les "
                "additionner, faites-en une seule."
            )
        elif answer in STAGES and column.share(column.amounts) > 0:
            guess.place(f"amount_{answer}", column, BY_ANSWER)


def _may_be_money(column: Column) -> bool:
    """Whether a column that nothing explains may hold money: by its title, or by how its numbers are written."""
    meaning = column.title.meaning
    if not column.has_numbers or column.has_identifiers or (meaning is not None and meaning.kind in ("id", "date")):
        return False
    words = fold_words(column.title.text)
    if not words:
        return True
    if RELATIVE_YEAR.match(column.title.text):
        return True
    if _YEARS.match(words) and column.share(column.years) == 1:  # « Année d'octroi de la subvention »
        return False
    if _NO_MONEY.match(words):
        return column.has_money and not column.dates.is_not_null().any()
    is_year = column.title.year is not None and words == str(column.title.year)
    return is_year or bool(_MONEY_WORDS.search(words)) or column.has_money or column.has_round_numbers
