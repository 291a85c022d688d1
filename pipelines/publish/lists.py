"""Lists of funders, services and beneficiaries, cut into pages small enough to read without a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.publish import formats, offers
from pipelines.publish.directory import label
from pipelines.publish.layout import Link
from pipelines.publish.refusals import published_words
from pipelines.publish.tables import Column, Row, Table, records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.publish.context import Context

PER_PAGE = 150
"""Rows of a list on one page: about 1 500 elements."""


def funder_table(context: Context, rows: Sequence[Row], *, id: str) -> Table:
    """Funders with their level, years, amounts and whether refusals are published."""
    names = [
        "funder_id",
        "href",
        "name",
        "level_words",
        "span",
        "n_awards",
        "amount_awarded",
        "stage_words",
        "refusals",
    ]
    made = [
        {
            **row,
            "level_words": label("funder_level", row["level"]),
            "span": formats.years(row["first_year"], row["last_year"]),
            "stage_words": _stage_words(row),
            "refusals": published_words(row["refusals_published"]),
        }
        for row in rows
    ]
    return Table(
        id=id,
        caption=f"{formats.plural(len(rows), 'financeur')}, par ordre alphabétique",
        frame=pd.DataFrame(made, columns=names),
        columns=(
            Column("name", "Financeur", "name", href=lambda row: str(row["href"]), header=True),
            Column("level_words", "Niveau"),
            Column("span", "Exercices"),
            Column("n_awards", "Attributions", "count"),
            Column("amount_awarded", "Montant", "money"),
            Column("stage_words", "Nature du montant"),
            Column("refusals", "Refus"),
        ),
        sortable=True,
        search="Filtrer les financeurs",
    )


def _stage_words(row: Row) -> str:
    """The nature of an amount, with a word when the same entity has others that are not added to it."""
    words = label("headline_stage", row["stage"])
    return f"{words} ; d’autres à part" if row["has_other_amounts"] is True else words


def service_table(context: Context, rows: Sequence[Row], *, id: str) -> Table:
    """Services with their funder, area, contact, years, awards and whether refusals are published."""
    directory = context.directory
    names = ["funder_id", "funder_name", "href", "name", "area", "contact", "span", "n_awards", "refusals"]
    made = [
        {
            **row,
            "contact": offers.joined(row["contact_function"], row["contact_mailbox"]),
            "span": formats.years(row["first_year"], row["last_year"]),
            "refusals": published_words(row["refusals_published"]),
        }
        for row in rows
    ]
    return Table(
        id=id,
        caption=f"{formats.plural(len(rows), 'service')}, par financeur",
        frame=pd.DataFrame(made, columns=names),
        columns=(
            Column("name", "Service", "name", href=lambda row: str(row["href"]), header=True),
            Column("funder_name", "Financeur", "name", href=lambda row: directory.funder_href(row["funder_id"])),
            Column("area", "Territoire", "name", absent=offers.NOT_STATED),
            Column("contact", "Contact", "name", absent="non publié"),
            Column("span", "Exercices"),
            Column("n_awards", "Attributions", "count"),
            Column("refusals", "Refus"),
        ),
        sortable=True,
        search="Filtrer les services",
    )


def beneficiary_table(context: Context, frame: pd.DataFrame, *, id: str, caption: str) -> Table:
    """Beneficiaries with their place, years and total."""
    directory = context.directory
    made = frame.assign(
        stage_words=[_stage_words(row) for row in records(frame)],
        span=[formats.years(a, b) for a, b in zip(frame["first_year"], frame["last_year"], strict=True)],
    )
    return Table(
        id=id,
        caption=caption,
        frame=made,
        columns=(
            Column(
                "name",
                "Bénéficiaire",
                "name",
                href=lambda row: directory.beneficiary_href(row["organisation_id"]),
                header=True,
            ),
            Column("siren", "SIREN", "code", absent="non renseigné"),
            Column("commune_name", "Commune du siège", "name", absent="non renseignée"),
            Column("span", "Exercices"),
            Column("years_funded", "Années financées", "count"),
            Column("n_funders", "Financeurs", "count"),
            Column("amount_total", "Montant total", "money"),
            Column("stage_words", "Nature du montant"),
        ),
        sortable=True,
        search="Filtrer cette page",
    )


def pager(stem: str, number: int, last: int) -> tuple[Link, ...]:
    """Links to the other pages of a list: `stem`.html, `stem`-2.html…"""
    return tuple(Link(f"Page {n}", page_path(stem, n)) for n in range(1, last + 1) if n != number)


def page_path(stem: str, number: int) -> str:
    """The path of page `number` of a list."""
    return f"{stem}.html" if number == 1 else f"{stem}-{number}.html"
