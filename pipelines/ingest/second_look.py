"""A file read by inference, looked at again: what its lines show that its titles hid.

Totals that do not fall right, a total among the lines, rows with a name and nothing else, amounts that are years or
exceed what was asked: each puts the whole reading in doubt, and is asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import by_value, fold_words
from pipelines.ingest.french import count
from pipelines.ingest.repeats import FEWEST_PASTED, repeated_block
from pipelines.ingest.report import Question
from pipelines.ingest.units import IN_WHICH_UNIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.ingest.outcome import Outcome

_TOTAL = re.compile(r"^(sous )?(total|totaux)\b|^(somme|cumul|report|ensemble) (de|des|du|general)\b")
_NOBODY = re.compile(
    r"^(idem|id|ibid|dito|ditto|voir (ci )?dessus|divers|autres|reserve|provisions?|imprevus?)$|"
    r"^(dont|reste a|provisions?|enveloppe|solde|disponible|a repartir|non affecte|"
    r"(autres|diverses) (associations?|subventions?|structures?|organismes?|aides?)$)\b"
)
_NOBODY_HINT = (
    r"(?i)^\W*(id|ibid|dit|voir|dont|reste|enveloppe|solde|disponible|[aà] r|non affect|divers|autre|r[ée]serve|"
    r"provision|impr[ée]vu)"
)
_TELLING = (
    *("applicant_siret", "applicant_siren", "applicant_rna", "title", "decision_status_raw", "amount_requested"),
    *("decided_date", "signed_date", "amount_loan", "amount_guarantee", "amount_in_kind", "in_kind_type"),
)
_FEWEST = 3
_MUCH = 0.1
_SMALLEST = 100  # euros; grants all below, some with cents, may be thousands
_SHIFTED = "Des lignes n'ont pas autant de cases que de titres ({places}) : les colonnes y sont-elles décalées ?"
_CODES = {
    "total_mismatch": "Un total du fichier n'est pas la somme des lignes lues ({places}) : que manque-t-il ?",
    "count_mismatch": "Le nombre de lignes annoncé n'est pas celui des lignes lues ({places}) : laquelle manque ?",
    "status_unknown": "Des mots de la colonne de la décision ne sont pas compris ({places}) : que veulent-ils dire ?",
    "amount_ambiguous": "Des montants se lisent de deux façons ({places}) : en milliers, ou avec des décimales ?",
    "row_length": _SHIFTED,
    "row_shifted": _SHIFTED,
    "cells_rejoined": _SHIFTED,
}


def second_look(outcome: Outcome, answers: Mapping[str, str]) -> list[Question]:
    """The questions that the lines of a file read by inference raise; none when nothing is odd, or all is answered."""
    lines, stage = outcome.accepted, outcome.report.headline_stage
    if lines.is_empty():
        return [Question("Les titres de colonnes sont compris, mais aucune ligne n'est lue : où sont les aides ?")]
    amount = lines[f"amount_{stage}"]
    asked = [
        *map(Question, _told_by_issues(outcome)),
        *_unless(_totals(lines, amount), "non : c'est une subvention"),
        *_unless(_parents(lines, amount), "non : chaque ligne est une subvention"),
        *_unless(pasted(lines.lazy(), outcome.issues), "non : ce sont d'autres subventions"),
        *_unless(nobody(lines.lazy()), "un demandeur : ces lignes sont des subventions"),
        *_unless(_empty_lines(lines, amount), "des subventions dont le montant manque"),
        *_unless(_odd_amounts(lines, amount), "non : les montants sont justes, en euros"),
    ]
    return [question for question in asked if answers.get(question.about or "") not in question.choices]


def _unless(texts: list[str], fine: str) -> list[Question]:
    """Questions that end when the author says that all is `fine`: in these very words, of these rows and values."""
    return [Question(text, f"fine {fold_words(text)}", {"fine": fine}) for text in texts]


def _told_by_issues(outcome: Outcome) -> list[str]:
    asked = []
    for code, question in _CODES.items():
        found = outcome.issues.filter(pl.col("code") == code)
        if found.height:
            first = found.row(0, named=True)
            place = f"feuille « {first['sheet']} », ligne {first['row']}"
            asked.append(
                question.format(places=place if found.height == 1 else f"{place}, et {found.height - 1} autres")
            )
    words = outcome.issues.filter(
        (pl.col("code") == "amount_unreadable") & ~pl.col("value").str.contains(r"\d").fill_null(False)
    )
    if words.height:
        row, value = words.select("row", "value").row(0)
        asked.append(
            f"À la ligne {row}, « {value} » tient la place du montant : est-ce un autre tableau, ou un oubli ?"
        )
    return asked


def nobody(lines: pl.LazyFrame) -> list[str]:
    """Names that are none: « dont… » details a total, « reste à affecter » is no grant, « idem » is the line above."""
    unknown = pl.all_horizontal(pl.col(name).is_null() for name in ("applicant_siren", "applicant_rna"))
    suspects = lines.filter(unknown & pl.col("applicant_name").str.contains(_NOBODY_HINT))
    odd = suspects.select("source_row", "applicant_name").collect().rows()
    odd = [(row, name) for row, name in odd if _NOBODY.match(fold_words(name))]
    if not odd:
        return []
    row, name = odd[0]
    more = f" ({count(len(odd), 'ligne')} de cette sorte)" if len(odd) > 1 else ""
    question = (
        f"À la ligne {row}, « {name} » est-il un demandeur, un détail déjà compté, ou une répétition{more} ? Retirez "
        "les lignes qui ne sont pas des subventions, ou nommez-y leur bénéficiaire."
    )
    return [question]


def pasted(lines: pl.LazyFrame, issues: pl.DataFrame) -> list[str]:
    """Several different lines said again in the same order (among those told identical): pasted twice, perhaps."""
    identical = issues.filter(pl.col("code") == "identical_lines").height
    found = repeated_block(lines) if identical >= 2 * FEWEST_PASTED else None
    if found is None:
        return []
    first, last, origin = found
    question = (
        f"Les lignes {first} à {last} redisent dans le même ordre celles qui commencent à la ligne {origin} : ont-"
        "elles été collées deux fois ? Elles sont comptées deux fois tant qu'elles y sont."
    )
    return [question]


def _totals(lines: pl.DataFrame, amount: pl.Series) -> list[str]:
    named = by_value(lines["applicant_name"], lambda text: "x" if _TOTAL.match(fold_words(text)) else None)
    rows = lines.filter(named.is_not_null())["source_row"].to_list()
    if rows:
        return [f"La ligne {rows[0]} est-elle un total (elle ne désigne pas un demandeur) ?"]
    whole = amount.sum()
    if lines.height > _FEWEST and whole:
        doubles = lines.filter(amount + amount == whole)["source_row"].to_list()
        if doubles and int((amount.fill_null(0) != 0).sum()) > _FEWEST:
            return [f"La ligne {doubles[0]} est-elle un total ? Son montant est la somme de tous les autres."]
    return []


def _parents(lines: pl.DataFrame, amount: pl.Series) -> list[str]:
    """Lines that add up the others of their party, always above them or always below: both would be counted.

    Two lines and their sum may be three grants; such a sum for most parties is none.
    """
    party = by_value(lines["applicant_name"], fold_words)
    framed = lines.select("source_row", "fiscal_year", party.alias("party"), amount.alias("amount"))
    groups = (
        framed.filter(pl.col("amount") > 0)
        .group_by("party", "fiscal_year", maintain_order=True)
        .agg(
            pl.len().alias("lines"),
            (pl.col("amount").first() == pl.col("amount").sum() - pl.col("amount").first()).alias("above"),
            (pl.col("amount").last() == pl.col("amount").sum() - pl.col("amount").last()).alias("below"),
            pl.col("source_row").first().alias("row"),
        )
        .filter(pl.col("lines") >= _FEWEST)
    )
    sums = max((groups.filter(pl.col(side)) for side in ("above", "below")), key=lambda found: found.height)
    if sums.height < _FEWEST or 2 * sums.height < groups.height:
        return []
    question = (
        f"Pour {count(sums.height, 'demandeur')} (d'abord vers la ligne {sums['row'][0]}), une ligne est la somme des "
        "autres : est-ce un total, que les autres détaillent ? Retirez ces lignes de total, ou les détails."
    )
    return [question]


def _empty_lines(lines: pl.DataFrame, amount: pl.Series) -> list[str]:
    """Rows that hold one text and no amount: titles of sections, or the end of the line above."""
    nothing = pl.all_horizontal(pl.col(name).is_null() for name in _TELLING)
    rows = lines.filter(amount.is_null()).filter(nothing)["source_row"].to_list()
    if not rows:
        return []
    told_of = f"{count(len(rows), 'ligne')} sans montant, qui ne porte qu'un nom (d'abord la ligne {rows[0]})"
    return [f"Est-ce un titre de rubrique, ou une subvention dont le montant manque : {told_of} ?"]


def _odd_amounts(lines: pl.DataFrame, amount: pl.Series) -> list[str]:
    filled = amount.drop_nulls()
    if filled.len() > _FEWEST and bool(filled.is_between(1990, 2100).all()) and filled.n_unique() <= filled.len() / 2:
        return ["Les montants lus ressemblent à des années : quelle colonne donne le montant ?"]
    money = filled.filter(filled != 0)
    if money.len() > _FEWEST and bool((money.abs() < _SMALLEST).all()) and bool((money != money.round(0)).any()):
        return [f"{IN_WHICH_UNIT} Tous sont au-dessous de {_SMALLEST} euros."]
    asked = lines["amount_requested"]
    above = int((amount > asked).sum())
    if above > _MUCH * int((asked.is_not_null() & amount.is_not_null()).sum()):
        where = f"sur {count(above, 'ligne')}"
        return [f"Le montant accordé dépasse le montant demandé {where} : les deux colonnes sont-elles inversées ?"]
    return []
