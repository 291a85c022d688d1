"""A sheet read by a known format, looked at again: what the format leaves unread, or reads against the evidence.

A format knows the columns of its own publisher. A column that it does not know and that bears on the decision, on an
amount or on the year would change the figures without a word; so would the number of one party under the title of the
other. Each of them is asked. Columns that the format leaves aside on purpose are not looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.decisions_told import column_questions, is_titled
from pipelines.ingest.evidence import Column
from pipelines.ingest.fold import fold_words
from pipelines.ingest.french import count
from pipelines.ingest.guess import listed_columns
from pipelines.ingest.infer_decision import loans_in, may_decide, status_words
from pipelines.ingest.infer_repeats import OF_A_PAYMENT, repeats_question
from pipelines.ingest.report import Question
from pipelines.ingest.second_look import nobody, pasted
from pipelines.ingest.titles import read_title
from pipelines.ingest.units import question_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.ingest.map import MappedSheet
    from pipelines.ingest.normalise import Normalised

UNKNOWN = "colonne inconnue de ce format"
_SAMPLE = 2_000  # first lines, where a grant would already be told several times
_FEWEST = 3  # lines below which numbers and names may be alike by chance
_MOST_FUNDERS = 3  # of one list, below which nothing says that the parties are exchanged
_GRANT_WORDS = re.compile(
    r"\b(montants?|mt|subventions?|aides?|dotations?|accordee?s?|attribuee?s?|allouee?s?|votee?s?|versee?s?|payee?s?|"
    r"mandatee?s?|engagee?s?|tranches?|rappels?|reliquats?|primes?|bonus|regularisations?|versements?|complements?|complementaires?|supplements?|avenants?|acomptes?|soldes?)\b"
)
_OTHER_MONEY = re.compile(
    r"\b(n|no|numero|code|date|nb|nombre|taux|pct|pourcentage|part|autres?|cofinance\w*|couts?|budgets?|depenses?|"
    r"charges|recettes|projet|devis|prevision\w*|plan)\b"
)
_DATES = ("decided_date", "signed_date")
_WHOSE = (
    *("funder_name", "service_name", "scheme", "call_id", "territory_code", "territory_level", "territory_name"),
    *("fiscal_year", "measure"),
)
_SAYS_YEAR = ("column", "decision_date", "signature_date")


def doubts(mapped: MappedSheet, normalised: Normalised, answers: Mapping[str, str]) -> list[Question]:
    """The questions that one sheet raises, `answers` given; none when every column that counts is read."""
    unread = _unread(mapped)
    texts = [
        *_amounts(normalised.lines, unread),
        *_years(normalised.lines, unread),
        *_parties(mapped, normalised.lines),
        *_twins(mapped),
        *_other_tables(mapped, normalised),
        *_loans(mapped, normalised.lines),
    ]
    repeated = _repeats(mapped, unread, answers)
    return [*_decision(mapped, unread, answers), *repeated, *_units(mapped, answers), *map(Question, texts)]


def total_doubts(mapped: MappedSheet, normalised: Normalised) -> list[str]:
    """The questions (French) that a table of totals raises: an unread column may say whose totals they are.

    A column that names who asks makes of the table a list of grants; one that tells apart rows otherwise alike is a
    territory, a scheme or a service, without which their totals would be taken for one another's.
    """
    lines, asked = normalised.lines, []
    same = lines.select(_WHOSE).is_duplicated()
    for column in _unread(mapped):
        meaning = column.title.meaning
        names_parties = meaning is not None and meaning.name in ("applicant_name", "applicant_id", "funder_id")
        if names_parties or (meaning is not None and meaning.kind in ("name", "id")):
            asked.append(
                f"La colonne {column.called} dit-elle qui a demandé ? Ce fichier est lu comme un tableau de totaux : "
                "si c'est une liste de subventions, nommez ses colonnes « Nom du bénéficiaire » et « Montant accordé »."
            )
        elif (same & ~lines.select(*_WHOSE, column.text.alias("cell")).is_duplicated()).any():
            asked.append(
                f"Que dit la colonne {column.called} ? Elle seule distingue des lignes qui seraient sinon les totaux "
                "de la même chose. Titres compris : « Territoire », « Code du territoire », « Niveau du territoire », "
                "« Service instructeur », « Dispositif », « Exercice »."
            )
    return asked


def remarks(mapped: MappedSheet, lines: pl.LazyFrame, issues: pl.DataFrame) -> list[str]:
    """What is asked of `lines` without holding them: names that may be nobody's, lines pasted twice, empty awards."""
    return [*nobody(lines), *pasted(lines, issues), *_awards_of_nothing(mapped, lines)]


def _awards_of_nothing(mapped: MappedSheet, lines: pl.LazyFrame) -> list[str]:
    """A zero is this publisher's refusal, perhaps."""
    format_ = mapped.header.format
    if "decision_status" in mapped.letters or format_.decision is not None or format_.headline_stage != "awarded":
        return []
    others = ("amount_loan", "amount_guarantee", "amount_in_kind", "in_kind_type")
    nothing = (pl.col("amount_awarded") == 0) & pl.all_horizontal(pl.col(name).is_null() for name in others)
    awarded = lines.filter(nothing & (pl.col("decision_status") == "awarded"))
    rows = awarded.select("source_row").collect()["source_row"]
    if not rows.len():
        return []
    question = (
        f"{count(rows.len(), 'ligne')} à zéro euro (d'abord la ligne {rows[0]}) : est-ce votre façon d'écrire un "
        "refus ? Elles sont comptées comme des subventions accordées."
    )
    return [question]


def _unread(mapped: MappedSheet) -> list[Column]:
    """The columns that the format does not know, with the cells of the lines."""
    letters = [report.column for report in mapped.columns if report.field is None and report.why == UNKNOWN]
    if not letters:
        return []
    cells = mapped.lines.select(pl.col("source_row").alias("row")).join(
        mapped.header.sheet.cells.select("row", *letters), on="row", how="left", maintain_order="left"
    )
    titles = {report.column: report.header for report in mapped.columns}
    columns = [Column(letter, read_title(titles[letter]), _trimmed(cells[letter])) for letter in letters]
    return [column for column in columns if column.cells.len()]


def _trimmed(cells: pl.Series) -> pl.Series:
    text = cells.str.replace_all(r"^[\s\u00a0\u202f]+|[\s\u00a0\u202f]+$", "")
    return pl.select(pl.when(text.str.contains(r"[\p{L}\p{N}]")).then(text)).to_series()


def _decision(mapped: MappedSheet, unread: list[Column], answers: Mapping[str, str]) -> list[Question]:
    """A column of decisions in a file that its format holds to be a list of awards."""
    format_ = mapped.header.format
    if format_.decision is not None or "decision_status" in mapped.letters:
        return []
    known = status_words()
    asked = []
    for column in unread:
        titled = is_titled(column)
        # Few words under such a title, some of which are not a grant; many different ones describe, and decide nothing.
        if (titled and any(known.get(key) != "awarded" for key in column.words)) or (not titled and may_decide(column)):
            asked += column_questions(column, answers)
    return asked


def _amounts(lines: pl.DataFrame, unread: list[Column]) -> list[str]:
    """Columns of money that the format does not know, and that repeat no amount that it reads."""
    read = [lines[name] for name in lines.columns if name.startswith("amount_")]
    found = [c for c in unread if _tells_money(c) and not _is_harmless(c, read)]
    if not found:
        return []
    question = (
        f"Que sont les montants de {listed_columns(found)} ? Ce format ne les connaît pas : ils ne sont ni lus, ni "
        "additionnés. Font-ils partie de la subvention ?"
    )
    return [question]


def _tells_money(column: Column) -> bool:
    """Numbers under a title that speaks of a grant; any other number of a form (a turnover, a staff) is none."""
    meaning, words = column.title.meaning, fold_words(column.title.text)
    titled = meaning is not None and (meaning.kind == "amount" or meaning.name.startswith("amount_"))
    return (
        column.has_numbers
        and not column.has_identifiers
        and (titled or (bool(_GRANT_WORDS.search(words)) and not _OTHER_MONEY.search(words)))
    )


def _is_harmless(column: Column, read: list[pl.Series]) -> bool:
    """A cost, a rate, nothing but zeros, or an amount that is read elsewhere."""
    meaning = column.title.meaning
    if meaning is not None and meaning.kind in ("ignore", "year", "nature"):
        return True
    amounts = column.amounts.fill_null(0)
    return bool((amounts == 0).all()) or any((amounts == other.fill_null(0)).all() for other in read)


def _years(lines: pl.DataFrame, unread: list[Column]) -> list[str]:
    """A year, or a date of decision, that the format does not know and that is not the year taken."""
    asked = []
    for column in unread:
        meaning = column.title.meaning
        name = meaning.name if meaning is not None and meaning.kind == "field" else ""
        if name == "fiscal_year":
            weaker = lines["fiscal_year_basis"] != "column"
        elif name in _DATES:
            weaker = ~lines["fiscal_year_basis"].is_in(_SAYS_YEAR)
        else:
            continue
        other = int((weaker & (column.years != lines["fiscal_year"])).fill_null(False).sum())
        if other:
            asked.append(
                f"L'exercice est-il celui de la colonne {column.called} ? Ce format ne la connaît pas, et l'année "
                f"prise ailleurs n'est pas la même sur {count(other, 'ligne')}."
            )
    return asked


def _repeats(mapped: MappedSheet, unread: list[Column], answers: Mapping[str, str]) -> list[Question]:
    """A grant on several of the first lines, that only its payments, or what the format does not read, tell apart."""
    format_ = mapped.header.format
    main = f"amount_{format_.headline_stage}"
    if main not in mapped.letters or "applicant_name" not in mapped.letters or mapped.cell_letters:
        return []
    if format_.record_kind == "payment" or format_.layout.details is not None:
        return []
    known = {
        name: Column(letter, read_title(mapped.header.titles[letter]), mapped.lines[name].head(_SAMPLE))
        for name, letter in mapped.letters.items()
        if name in mapped.lines.columns
    }
    told = [column for name, column in known.items() if name not in OF_A_PAYMENT]
    others = [column for name, column in known.items() if name in OF_A_PAYMENT]
    others += [Column(column.letter, column.title, column.text.head(_SAMPLE)) for column in unread]
    question = repeats_question(known[main], told, others) if others else None
    return [] if question is None or answers.get(question.about or "") in question.choices else [question]


def _parties(mapped: MappedSheet, lines: pl.DataFrame) -> list[str]:
    """Signs that the numbers or the names of one party stand in the columns of the other."""
    asked = []
    number = next((n for n in ("applicant_id", "applicant_siret", "applicant_siren") if n in mapped.letters), None)
    sirens = lines["applicant_siren"].drop_nulls()
    if number is not None and sirens.len() >= max(_FEWEST, lines.height / 2):
        own = int((lines["applicant_siren"] == lines["funder_siren"]).fill_null(False).sum())
        meaning = read_title(mapped.header.titles[mapped.letters[number]]).meaning
        either = meaning is not None and meaning.kind == "id"  # « SIRET » alone does not say whose
        is_funders = (either and sirens.n_unique() == 1) or own > lines.height / 2
        if is_funders and lines["applicant_name"].n_unique() >= _FEWEST:
            asked.append(
                f"Le numéro de la colonne {_called(mapped, number)} est-il celui du financeur ? Il est le même pour "
                "des demandeurs différents."
            )
    if "funder_name" in mapped.letters and "applicant_name" in mapped.letters:
        funders = lines["funder_name"].n_unique()
        if funders > _MOST_FUNDERS and funders > lines["applicant_name"].n_unique():
            asked.append(
                f"Il y a plus de financeurs ({_called(mapped, 'funder_name')}) que de demandeurs "
                f"({_called(mapped, 'applicant_name')}) : ces deux colonnes sont-elles inversées ?"
            )
    if "rae_id" in mapped.letters:
        numbers = Column(mapped.letters["rae_id"], read_title(""), mapped.lines["rae_id"])
        if numbers.cells.len() >= _FEWEST and numbers.has_sirets:
            asked.append(
                f"La colonne {_called(mapped, 'rae_id')} contient des SIRET : sont-ils ceux des demandeurs ou du "
                "financeur ?"
            )
    return asked


def _twins(mapped: MappedSheet) -> list[str]:
    """Two columns for one field, in two spellings that the format knows, that do not say the same."""
    asked = []
    for letter, first in mapped.header.duplicates.items():
        name = mapped.header.fields[first]
        if not (name.startswith("amount_") or name in ("applicant_name", "fiscal_year")):
            continue
        rows = mapped.lines.select(pl.col("source_row").alias("row"))
        cells = rows.join(mapped.header.sheet.cells, on="row", how="left", maintain_order="left")
        one, other = (
            Column(key, read_title(mapped.header.titles[key]), _trimmed(cells[key])) for key in (first, letter)
        )
        if other.cells.len() and not other.says_same(one):
            asked.append(f"{one.called} et {other.called} ne disent pas la même chose : laquelle des deux compte ?")
    return asked


def _units(mapped: MappedSheet, answers: Mapping[str, str]) -> list[Question]:
    """Thousands of euros, or another currency, in the title of an amount or above the titles."""
    question = question_of(mapped.header)
    return [] if question is None or answers.get(question.about or "") in question.choices else [question]


def _other_tables(mapped: MappedSheet, normalised: Normalised) -> list[str]:
    """The title of another amount among the amounts: from there on, another table."""
    for position, name, code, text, _ in normalised.findings.rows:
        if code != "amount_unreadable" or not text:
            continue
        meaning = read_title(text).meaning
        if meaning is not None and (meaning.kind == "amount" or meaning.name.startswith("amount_")):
            row, letter = normalised.lines["source_row"][position], mapped.letters.get(name or "", "")
            question = (
                f"À la ligne {row} (colonne {letter}), « {text} » est-il le titre d'un autre tableau ? Les "
                "montants qui suivent seraient d'une autre sorte : mettez chaque tableau dans sa feuille."
            )
            return [question]
    return []


def _loans(mapped: MappedSheet, lines: pl.DataFrame) -> list[str]:
    """Loans among the forms of aid, in a format that has no column for them."""
    if "aid_form" not in mapped.letters or not lines["aid_form"].is_null().any():
        return []
    letter = mapped.letters["aid_form"]
    column = Column(letter, read_title(mapped.header.titles[letter]), mapped.lines["aid_form"])
    known = lines["aid_form"].is_in(["loan", "guarantee"]).fill_null(False)
    return loans_in(Column(letter, column.title, column.text.filter(~known)))


def _called(mapped: MappedSheet, name: str) -> str:
    letter = mapped.letters[name]
    return Column(letter, read_title(mapped.header.titles[letter]), pl.Series(dtype=pl.String)).called
