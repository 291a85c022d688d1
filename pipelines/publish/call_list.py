"""Calls for projects in the order that serves who looks for one, where each has its table, and those to answer next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.publish import formats, offers
from pipelines.publish.directory import label
from pipelines.publish.lists import page_path
from pipelines.publish.tables import Column, Row, Table, records

if TYPE_CHECKING:
    from pipelines.publish.context import Context

PER_PAGE = 20
"""Calls of one page, each with its own table: about 2 000 elements."""
STEM = "appels/index"
STATES = ("open", "upcoming", "unknown", "closed")


def ordered(context: Context) -> list[Row]:
    """Open calls by closing date, upcoming ones by opening date, then those without dates, closed ones last.

    Each has `anchor`, the name of its own table, and `href`, the page that holds it.
    """
    calls = records(context.database.table("calls"))

    def place(call: Row) -> tuple[Any, ...]:
        opening, closing = (_day(call[name]) for name in ("opening_date", "closing_date"))
        when = {"open": closing or "9", "upcoming": opening or "9", "closed": ""}.get(str(call["status"]), "")
        recent = -int((closing or "0").replace("-", "")) if call["status"] == "closed" else 0
        return STATES.index(str(call["status"])), when, recent, formats.slug(str(call["title"])), call["call_key"]

    calls.sort(key=place)
    for number, call in enumerate(calls, start=1):
        call["anchor"] = f"appel-{number}"
        call["href"] = f"{page_path(STEM, (number - 1) // PER_PAGE + 1)}#{call['anchor']}"
    return calls


def _day(value: Any) -> str | None:
    return None if formats.is_missing(value) else f"{value:%Y-%m-%d}"


def state(call: Row) -> str:
    """The state in words, with the day that matters."""
    if call["status"] == "unknown":
        return "Dates absentes ou contradictoires"
    words = formats.sentence(label("call_status", call["status"]))
    if call["status"] == "upcoming":
        return f"{words} : ouvre le {formats.date(call['opening_date'])}"
    if call["status"] == "closed":
        return f"{words} depuis le {formats.date(call['closing_date'])}"
    if formats.is_missing(call["closing_date"]):
        return f"{words} toute l'année"
    return f"{words} jusqu'au {formats.date(call['closing_date'])}"


def next_table(context: Context, calls: list[Row], *, id: str, most: int) -> Table | None:
    """The first `most` calls still to answer: what they pay, until when, whom to write to; None when there is none."""
    awaited = [call for call in calls if call["status"] in {"open", "upcoming"}][:most]
    if not awaited:
        return None
    directory = context.directory
    frame = pd.DataFrame(
        {
            **{name: call[name] for name in ("title", "href", "funder_name", "funder_id")},
            "state": state(call),
            "pays": offers.codes_words("purpose", call["purposes"]),
            "contact": offers.joined(call["contact"], call["contact_mailbox"]),
        }
        for call in awaited
    )
    return Table(
        id=id,
        caption=f"Appels à projets, état au {formats.date(context.publication.as_of)}",
        frame=frame,
        columns=(
            Column("title", "Appel", "name", href=lambda row: str(row["href"]), header=True),
            Column("state", "État"),
            Column("funder_name", "Financeur", "name", href=lambda row: directory.funder_href(row["funder_id"])),
            Column("pays", "Ce qui est payé", absent=offers.NOT_STATED),
            Column("contact", "À qui écrire", "name", absent=offers.NOT_STATED),
        ),
    )
