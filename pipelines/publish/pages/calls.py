"""« Appels à projets »: what is open, upcoming or closed, one table a call, and two or three of them side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.publish import formats, offers
from pipelines.publish.call_list import PER_PAGE, STATES, STEM, ordered, state
from pipelines.publish.figure import Figure
from pipelines.publish.layout import KeyFigure, Link
from pipelines.publish.lists import page_path, pager
from pipelines.publish.reports import Output, Report
from pipelines.publish.tables import NOT_PUBLISHED, SUPPRESSED, Column, Row, records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context

_LONGEST = 1200  # characters of a description
NO_CALL = (
    "Aucune liste d'appels à projets n'a été déposée. Un financeur peut remplir la feuille « Appels à projets » "
    "du modèle, "
    "ou déposer sa liste au format national « dispositif-aide » ou Aides-territoires."
)
_BASIS = {
    "call": "d'après le code de cet appel",
    "previous_call": "d'après le code de l'édition précédente",
    "scheme": "d'après le dispositif, dernier exercice décidé",
}


@dataclass(frozen=True)
class Detail:
    """One line of a call's table: what it is, what is said, and the page that a value leads to."""

    what: str
    text: str
    is_mark: bool = False
    href: str | None = None
    outside: str | None = None


def build(context: Context) -> Iterator[Output]:
    """The pages of calls: the open ones first."""
    calls = ordered(context)
    results = {row["call_key"]: row for row in records(context.database.table("call_results"))}
    pages = [calls[start : start + PER_PAGE] for start in range(0, len(calls), PER_PAGE)] or [[]]
    counts = {code: sum(call["status"] == code for call in calls) for code in STATES}
    for number, part in enumerate(pages, start=1):
        path = page_path(STEM, number)
        figures = [_figure(context, part, results, counts, len(calls))] if part else []
        yield from context.page(
            path,
            "calls.html.j2",
            report=REPORT,
            title="Appels à projets" if number == 1 else f"Appels à projets, page {number}",
            description=REPORT.description,
            figures=figures,
            is_demonstration=any(call["is_demonstration"] is True for call in part),
            kicker="Où demander",
            lead=_lead(counts, context),
            key_figures=[
                KeyFigure("Ouverts", formats.count(counts["open"])),
                KeyFigure("À venir", formats.count(counts["upcoming"])),
                KeyFigure("Clos", formats.count(counts["closed"])),
                KeyFigure("Dates absentes ou contradictoires", formats.count(counts["unknown"])),
            ],
            words=() if calls else (NO_CALL,),
            calls=[
                (str(call["anchor"]), str(call["title"]), state(call), _details(context, call, results))
                for call in part
            ],
            links=(
                *pager(STEM, number, len(pages)),
                Link("Qui fait quoi : les services et ce qu'ils paient", "qui-fait-quoi/index.html"),
            ),
        )


def _lead(counts: dict[str, int], context: Context) -> str:
    day = formats.date(context.publication.as_of)
    return (
        f"Au {day} : {formats.plural(counts['open'], 'appel ouvert', 'appels ouverts')}, "
        f"{formats.count(counts['upcoming'])} à "
        "venir. Pour chacun : qui peut demander, ce qui est payé, les critères, le contact, et ce qu'a donné la "
        "dernière édition."
    )


def _figure(context: Context, part: list[Row], results: dict[Any, Row], counts: dict[str, int], total: int) -> Figure:
    directory = context.directory
    frame = pd.DataFrame(
        [
            {
                "call_key": call["call_key"],
                "href": call["href"],
                "title": call["title"],
                "state": state(call),
                "funder_name": call["funder_name"],
                "funder_id": call["funder_id"],
                "applicants": offers.codes_words("call_applicant", call["applicants"]),
                "pays": offers.codes_words("purpose", call["purposes"]),
                "themes": offers.codes_words("theme", call["themes"]) or call["theme_raw"],
                "area": call["area"],
                "closing_date": call["closing_date"],
                "last_edition": _edition_words(results.get(call["call_key"])),
            }
            for call in part
        ]
    )
    day = formats.date(context.publication.as_of)
    opened = formats.plural(counts["open"], "appel ouvert", "appels ouverts")
    return Figure(
        id="appels",
        headline=f"{opened} au {day}" if counts["open"] else f"Aucun appel ouvert au {day}",
        subtitle=f"Appels à projets connus, les ouverts d'abord, état au {day}",
        summary=(
            f"{formats.plural(counts['open'], 'ouvert')}, {formats.count(counts['upcoming'])} à venir, "
            f"{formats.plural(counts['closed'], 'clos', 'clos')}."
        ),
        frame=frame,
        columns=(
            Column("title", "Appel", "name", href=lambda row: str(row["href"]), header=True),
            Column("state", "État"),
            Column("funder_name", "Financeur", "name", href=lambda row: directory.funder_href(row["funder_id"])),
            Column("applicants", "Qui peut demander", absent=offers.NOT_STATED),
            Column("pays", "Ce qui est payé", absent=offers.NOT_STATED),
            Column("themes", "Thèmes", absent=offers.NOT_STATED),
            Column("area", "Territoire", "name", absent=offers.NOT_STATED),
            Column("closing_date", "Clôture", "date", absent=offers.NOT_STATED),
            Column("last_edition", "Dernière édition"),
        ),
        chart=None,
        coverage=f"Sur {formats.plural(total, 'appel')}, dont {formats.count(len(part))} sur cette page",
        source="listes d'appels déposées par les financeurs",
        method="appels",
        search="Filtrer les appels",
    )


def _edition_words(result: Row | None) -> str | None:
    if result is None:
        return None
    awarded = formats.plural(int(result["n_awarded"]), "accordée")
    return f"{int(result['fiscal_year'])} : {awarded}, {_refused_words(result)}"


def _refused_words(result: Row) -> str:
    if result["status"] in {"shown", "bounds"} and not formats.is_missing(result["n_refused"]):
        return formats.plural(int(result["n_refused"]), "refusée")
    return f"refus : {NOT_PUBLISHED if result['status'] == 'not_published' else SUPPRESSED}"


def _details(context: Context, call: Row, results: dict[Any, Row]) -> list[Detail]:
    directory = context.directory
    found = [
        Detail("État", state(call)),
        Detail("Financeur", str(call["funder_name"]), href=directory.funder_href(call["funder_id"])),
        _detail("Avec", call["cofunders"]),
        _detail("Service", call["service_name"], href=directory.service_href(call["service_key"])),
        _detail("Dispositif", call["scheme"]),
        _detail("Qui peut demander", offers.codes_words("call_applicant", call["applicants"])),
        _detail("Ce qui est payé", offers.codes_words("purpose", call["purposes"])),
        _detail("Types d'aide", offers.codes_words("call_aid_type", call["aid_types"])),
        _detail("Thèmes", offers.codes_words("theme", call["themes"]) or call["theme_raw"]),
        _detail("Critères", call["criteria"]),
        _detail("Taux", offers.joined(offers.rate_words(call["rate_min"], call["rate_max"]), call["rate_comment"])),
        _detail("Plafond d'une aide", _money(call["amount_ceiling"])),
        _detail("Enveloppe", _money(call["envelope"])),
        _detail("Ouverture", _date(call["opening_date"])),
        _detail("Pré-dépôt", _date(call["predeposit_date"])),
        _detail("Clôture", _date(call["closing_date"])),
        _detail("Décision attendue", _date(call["decision_expected_date"])),
        _detail("Récurrence", offers.codes_words("recurrence", call["recurrence"])),
        _detail("Territoire", call["area"]),
        _detail("Contact", offers.joined(call["contact"], call["contact_mailbox"])),
        _link("Descriptif", call["info_url"]),
        _link("Démarche", call["apply_url"]),
        _detail("Description", _short(call["description"])),
        *_result_details(results.get(call["call_key"])),
        _detail("Source", call["source_name"]),
    ]
    optional = {"Avec", "Pré-dépôt", "Description", "Types d'aide"}
    return [detail for detail in found if not (detail.is_mark and detail.what in optional)]


def _result_details(result: Row | None) -> list[Detail]:
    what = "Dernière édition"
    if result is None:
        return [Detail(what, "aucune décision connue", is_mark=True)]
    asked = "" if formats.is_missing(result["n_total"]) else f"{formats.plural(int(result['n_total']), 'demande')}, "
    words = (
        f"{int(result['fiscal_year'])}, {_BASIS[str(result['basis'])]} : {asked}"
        f"{formats.plural(int(result['n_awarded']), 'accordée')}"
    )
    amount = result["amount_awarded"]
    if not formats.is_missing(amount):
        currency = "EUR" if formats.is_missing(result["currency"]) else str(result["currency"])
        words += f" pour {formats.money(amount, currency=currency)}"
    return [Detail(what, f"{words}, {_refused_words(result)}")]


def _detail(what: str, value: object, *, href: str | None = None) -> Detail:
    if formats.is_missing(value) or not str(value).strip():
        return Detail(what, offers.NOT_STATED, is_mark=True)
    return Detail(what, str(value), href=href)


def _link(what: str, address: object) -> Detail:
    found = offers.outside(address)
    return _detail(what, address) if found is None else Detail(what, found, outside=found)


def _date(value: Any) -> str | None:
    return None if formats.is_missing(value) else formats.date(value)


def _money(value: Any) -> str | None:
    return None if formats.is_missing(value) else formats.money(value)


def _short(value: Any) -> str | None:
    if formats.is_missing(value):
        return None
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rsplit(' ', 1)[0]}…"


REPORT = Report(
    name="appels",
    title="Appels à projets",
    description="Les appels à projets ouverts, à venir et clos : critères, contacts, taux, et la dernière édition.",
    page="appels/index.html",
    tables=("call_results", "calls", "funders", "services"),
    build=build,
    order=17,
    menu="Appels",
)
