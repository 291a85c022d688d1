"""What a funder announces to grant, beside what its files say that it granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats
from pipelines.publish.tables import Column, Table

if TYPE_CHECKING:
    import pandas as pd


def table(budgets: pd.DataFrame, years: pd.DataFrame, *, name: str) -> Table:
    """The budgets of one funder (`funder_budgets`); `years`: its rows of `funding_by_funder_year`.

    What is known stands beside a budget of the whole funder, where its files speak of that year in euros and of one
    stage of amounts only: another stage would be another thing.
    """
    euros = years[years["currency"] == "EUR"]
    known = euros.groupby("fiscal_year")["amount"].agg(["sum", "size"])
    single = known[known["size"] == 1]["sum"]
    made = budgets.copy()
    is_whole = (made["service_name"] == "—") & (made["scheme"] == "—")
    made["amount"] = made["fiscal_year"].map(single).where(is_whole)
    made["share"] = made["amount"] / made["amount_budget"]
    return Table(
        "budgets-table",
        f"{formats.plural(len(made), 'budget annoncé', 'budgets annoncés')}, {name}",
        made,
        (
            Column("fiscal_year", "Exercice", "year", header=True),
            Column("service_name", "Service"),
            Column("scheme", "Dispositif"),
            Column("amount_budget", "Budget annoncé", "money"),
            Column("amount", "Connu par les fichiers", "money"),
            Column("share", "Part connue", "share"),
            Column("budget_source", "Source"),
        ),
    )
