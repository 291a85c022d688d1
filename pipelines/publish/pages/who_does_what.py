"""« Qui fait quoi »: by territory and need, who pays what, what it does not pay, when, and whom to write to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats, offers
from pipelines.publish.directory import UNKNOWN_TERRITORY, label
from pipelines.publish.figure import Figure
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.lists import page_path, pager
from pipelines.publish.reports import Output, Report
from pipelines.publish.tables import records
from pipelines.publish.who_does_what import NO_DIRECTORY, SOURCE, columns, differences, frame, read_offers, table
from schemas.codelist import codes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.publish.context import Context
    from pipelines.publish.tables import Row
    from pipelines.publish.who_does_what import Offer

PER_PAGE = 60
"""Rows of one page: about 1 500 elements."""
MOST_ROWS = 90
"""Rows of one département's page, shared between its needs."""
STEM = "qui-fait-quoi/index"
BESIDE = (
    "L'annuaire dit ce qu'un service déclare payer. À côté, ce que montrent les attributions connues : "
    "une aide ancienne n'annonce pas une aide à venir."
)
PLACE = (
    "Sont montrés les services dont le territoire de compétence contient ce département, et ceux qui y ont "
    "accordé au moins "
    "une aide (siège du bénéficiaire)."
)


def build(context: Context) -> Iterator[Output]:
    """The whole list, then one page a département."""
    found = read_offers(context)
    places = [row for code, row in context.directory.territories.items() if code != UNKNOWN_TERRITORY]
    pages = [found[start : start + PER_PAGE] for start in range(0, len(found), PER_PAGE)] or [[]]
    for number, part in enumerate(pages, start=1):
        sections = [
            *([_choice(places)] if number == 1 else []),
            _all(context, found, part, number, len(pages)),
            *([_differences(context)] if number == 1 else []),
        ]
        yield from context.page(
            page_path(STEM, number),
            "sections.html.j2",
            report=REPORT,
            title="Qui fait quoi" if number == 1 else f"Qui fait quoi, page {number}",
            description=REPORT.description,
            figures=figures_of(sections),
            kicker="À qui s'adresser",
            lead=(
                "Qui paie quoi, où, quand, et à qui écrire. Choisissez un territoire pour voir ses services besoin par "
                "besoin, ou cherchez dans la liste entière."
            ),
            key_figures=_key_figures(context, found) if number == 1 else [],
            sections=sections,
        )
    for place in places:
        yield from _territory(context, place, found)


def _key_figures(context: Context, found: Sequence[Offer]) -> list[KeyFigure]:
    services = {offer.service_key for offer in found}
    declared = {offer.service_key for offer in found if offer.declared is not None}
    reachable = {
        offer.service_key
        for offer in found
        if offer.declared is not None
        and offers.joined(offer.declared["contact_function"], offer.declared["contact_mailbox"])
    }
    return [
        KeyFigure("Services connus", formats.count(len(services)), "", "services/index.html"),
        KeyFigure("Décrits par un annuaire", f"{formats.count(len(declared))} sur {formats.count(len(services))}"),
        KeyFigure("Avec un contact", f"{formats.count(len(reachable))} sur {formats.count(len(services))}"),
        KeyFigure("Différences annuaire / données", formats.count(len(context.database.table("service_differences")))),
    ]


def _choice(places: Sequence[Row]) -> Section:
    return Section(
        "territoires",
        "Choisir un territoire",
        links=tuple(Link(str(place["title"]), f"qui-fait-quoi/{place['page']}.html") for place in places),
    )


def _all(context: Context, found: Sequence[Offer], part: Sequence[Offer], number: int, last: int) -> Section:
    if not found:
        return Section("liste", "Tous les services", ("Aucun service n'est encore connu.",))
    declared = sum(offer.declared is not None for offer in found)
    shown = frame(context, part)
    figure = Figure(
        id="qui-fait-quoi",
        headline=(
            f"{formats.plural(declared, 'dispositif décrit', 'dispositifs décrits')} par un annuaire sur "
            f"{formats.count(len(found))}"
        ),
        subtitle="Chaque service et chacun de ses dispositifs, par financeur",
        summary=BESIDE,
        frame=shown,
        columns=columns(context, shown),
        chart=None,
        coverage=f"Sur {formats.plural(len(found), 'dispositif')}, dont {formats.count(len(part))} sur cette page",
        source=SOURCE,
        method="annuaire",
        search="Filtrer : un besoin, un lieu, un service",
    )
    links = (*pager(STEM, number, last), Link("Les appels à projets", "appels/index.html"))
    return Section("liste", "Tous les services", figures=(figure,), links=links)


def _differences(context: Context) -> Section:
    found = context.database.table("service_differences")
    if found.empty:
        return Section("differences", "Annuaire et données", ("Aucune différence entre les annuaires et les données.",))
    return Section("differences", "Annuaire et données", figures=(differences(context, found, place="tous services"),))


def _territory(context: Context, place: Row, found: Sequence[Offer]) -> Iterator[Output]:
    code = str(place["code"])
    there = {
        str(row["service_key"])
        for row in records(context.database.where("service_departements", "departement_code", code))
        if row["is_observed"] is True
    }
    near = [offer for offer in found if offer.is_national or code in offer.departements or offer.service_key in there]
    needs = {theme: [offer for offer in near if offer.is_about(theme)] for theme in codes("theme")}
    needs["unknown"] = [offer for offer in near if not any(offer.is_about(theme) for theme in codes("theme"))]
    needs = {theme: about for theme, about in needs.items() if about}
    most = MOST_ROWS // max(1, len(needs))
    sections = [_need(context, about, theme, place, most) for theme, about in needs.items()]
    calls = Link("Les appels à projets", "appels/index.html")
    links = (Link(f"Les montants et les refus : {place['title']}", str(place["href"])), calls)
    yield from context.page(
        f"qui-fait-quoi/{place['page']}.html",
        "sections.html.j2",
        report=REPORT,
        title=f"Qui fait quoi : {place['title']}",
        description=f"Qui paie quoi, quand et à qui écrire : {place['title']}.",
        trail=[("Qui fait quoi", REPORT.page)],
        kicker="À qui s'adresser",
        lead=_lead(context, near),
        key_figures=[],
        sections=[*sections, Section("suite", "Aller plus loin", (BESIDE,), links=links)],
    )


def _lead(context: Context, near: Sequence[Offer]) -> str:
    services = {offer.service_key for offer in near}
    told = "" if any(map(context.directory.is_declared, services)) else f" {NO_DIRECTORY}"
    return f"{formats.plural(len(services), 'service')} pour ce territoire. {PLACE}{told if services else ''}"


def _need(context: Context, about: list[Offer], theme: str, place: Row, most: int) -> Section:
    """Those that answer one need: the directory's first, then those with most awards; `most` of them."""
    about = sorted(about, key=lambda offer: (offer.declared is None, -offer.n_awards.get(theme, 0), offer.service_key))
    name = formats.sentence(label("theme", theme))
    anchor = "theme-inconnu" if theme == "unknown" else theme.replace("_", "-")
    made = table(
        context,
        frame(context, about[:most], theme=theme),
        id=f"{anchor}-table",
        caption=f"{name} : {formats.plural(len(about), 'dispositif')}, {place['title']}",
        hide="themes",
    )
    return Section(anchor, name, (_cut(about, most),) if len(about) > most else (), tables=(made,))


def _cut(about: Sequence[Offer], most: int) -> str:
    return (
        f"Les {formats.count(most)} premiers sur {formats.count(len(about))} : ceux de l'annuaire, "
        f"puis ceux qui ont "
        "le plus d'attributions. La table entière est dans les données."
    )


REPORT = Report(
    name="qui-fait-quoi",
    title="Qui fait quoi",
    description="Par territoire et par besoin : qui paie quoi, ce qui n'est pas payé, le calendrier et le contact.",
    page="qui-fait-quoi/index.html",
    tables=("funders", "service_departements", "service_differences", "services", "territories", "who_does_what"),
    build=build,
    order=16,
    menu="Qui fait quoi",
)
