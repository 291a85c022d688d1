"""One grant told on several lines of a table: its amount, counted on each, would be multiplied.

A list with a line for each payment, place or partner repeats the whole amount of the grant. So may two real grants:
lines alike in all that is read are asked about when they are many and something that is not read tells them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.french import count
from pipelines.ingest.guess import french_or
from pipelines.ingest.report import Question

if TYPE_CHECKING:
    from pipelines.ingest.evidence import Column
    from pipelines.ingest.guess import Guess

OF_A_PAYMENT = ("payment_period", "first_paid_date", "payment_conditions", "amount_paid", "amount_clawed_back")
"""Fields that change from one payment of a grant to the next."""
_FEWEST = 3  # lines said again
_SHARE = 0.1
_MOST_NAMED = 3
_EACH_COUNTS = {"each": "une subvention par ligne : les compter toutes"}


def ask_about_repeats(guess: Guess) -> None:
    """Ask whether lines that only differ by what is not read are one grant each; payments are, and are not asked."""
    amount = guess.fields.get(f"amount_{guess.stage}")
    if amount is None or guess.stage == "paid" or "applicant_name" not in guess.fields:
        return
    told = [column for name, column in guess.fields.items() if name not in OF_A_PAYMENT]
    others = [column for column in guess.columns if column not in told]
    question = repeats_question(amount, told, others)
    if question is not None:
        guess.ask(question.text, about=question.about, choices=question.choices)


def repeats_question(amount: Column, told: list[Column], others: list[Column]) -> Question | None:
    """What is asked when many lines with money say the same in the columns `told`, and differ by some of `others`.

    Lines alike in every column are kept as they are; a column that differs on every line only numbers them.
    """
    many = max(_FEWEST, _SHARE * amount.text.len())
    if any(amount.text.len() - column.distinct < many for column in told):  # lines that say the same share each cell
        return None
    others = [column for column in others if column.distinct < amount.text.len()]
    lines = pl.DataFrame({column.letter: column.folded for column in (*told, *others)})
    lines = lines.filter(amount.amounts.fill_null(0) != 0).unique()
    alike = [column.letter for column in told]
    again = lines.height - lines.select(alike).n_unique()
    if again < many:
        return None
    several = lines.group_by(alike).agg(pl.col(column.letter).n_unique() for column in others)
    changing = [column for column in others if (several[column.letter] > 1).any()]
    return Question(
        f"Sur {count(again, 'ligne')}, le même demandeur et le même montant ({amount.called}) reviennent, et seul "
        f"change ce que dit {french_or([column.called for column in changing[:_MOST_NAMED]])} : est-ce une subvention "
        "par ligne, ou la même, répétée pour chaque versement, lieu ou partenaire ? Si elle est répétée, ne gardez "
        "qu'une ligne par subvention.",
        f"repeats {amount.key}",
        _EACH_COUNTS,
    )
