"""One grant told on several lines of a table of an unknown format: its amount, counted on each, would be multiplied.

A list with a line for each payment, place or partner repeats the whole amount of the grant. So may two real grants:
lines alike in all that is read are asked about when they are many and something that is not read tells them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.french import count
from pipelines.ingest.guess import french_or

if TYPE_CHECKING:
    from pipelines.ingest.evidence import Column
    from pipelines.ingest.guess import Guess

_OF_A_PAYMENT = ("payment_period", "first_paid_date", "payment_conditions", "amount_paid", "amount_clawed_back")
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
    told = [column for name, column in guess.fields.items() if name not in _OF_A_PAYMENT]
    others = [column for column in guess.columns if column not in told and column.distinct < amount.text.len()]
    lines = pl.DataFrame({column.letter: column.folded for column in (*told, *others)})
    lines = lines.filter(amount.amounts.fill_null(0) != 0).unique()  # lines alike in every column are kept as they are
    alike = [column.letter for column in told]
    again = lines.height - lines.select(alike).n_unique()
    if again < max(_FEWEST, _SHARE * amount.text.len()):
        return
    changing = _changing(lines, alike, others)
    guess.ask(
        f"Sur {count(again, 'ligne')}, le même demandeur et le même montant ({amount.called}) reviennent, et seul "
        f"change ce que dit {french_or([column.called for column in changing[:_MOST_NAMED]])} : est-ce une subvention "
        "par ligne, ou la même, répétée pour chaque versement, lieu ou partenaire ? Si elle est répétée, ne gardez "
        "qu'une ligne par subvention.",
        about=f"repeats {amount.key}",
        choices=_EACH_COUNTS,
    )


def _changing(lines: pl.DataFrame, alike: list[str], others: list[Column]) -> list[Column]:
    """Those of the columns that tell apart lines alike in all that is read."""
    several = lines.group_by(alike).agg(pl.col(column.letter).n_unique() for column in others)
    return [column for column in others if (several[column.letter] > 1).any()]
