"""« Services »: who examines applications, funder by funder, and one page a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.publish import awards, formats, funding, offers, refusals
from pipelines.publish.directory import amounts_word, source_words
from pipelines.publish.figure import Figure
from pipelines.publish.funding import Scope
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.lists import PER_PAGE, page_path, pager, service_table
from pipelines.publish.reports import File, Report
from pipelines.publish.tables import Column, Table, records
from pipelines.publish.who_does_what import SOURCE, columns, differences, frame, read_offers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context
    from pipelines.publish.tables import Row
    from pipelines.publish.who_does_what import Offer

NO_CONTACT = (
    "Contact et calendrier : non publiés. Les fichiers reçus ne disent pas à qui s'adresser ; "
    "cette page le dira dès que le financeur déposera l'annuaire de ses services."
)
CLAIMED_TWICE = (
    "Deux services de l'annuaire portent ce nom au même moment : rien n'en est repris ici, tant que le financeur "
    "ne les a "
    "pas distingués."
)


def build(context: Context) -> Iterator[File]:
    """The list of services and every service's page."""
    rows = list(context.directory.services.values())
    described = sum(row["is_declared"] is True for row in rows)
    pages = [rows[start : start + PER_PAGE] for start in range(0, len(rows), PER_PAGE)] or [[]]
    for number, part in enumerate(pages, start=1):
        yield from context.page(
            page_path("services/index", number),
            "sections.html.j2",
            report=REPORT,
            title="Services" if number == 1 else f"Services, page {number}",
            description=REPORT.description,
            kicker="Qui fait quoi",
            lead=(
                f"{formats.plural(len(rows), 'service')} qui examinent des demandes. Chaque nom mène à une "
                "page : montants, refus, attributions."
            ),
            key_figures=[],
            sections=[
                Section(
                    "liste",
                    "Tous les services",
                    (f"Décrits par un annuaire : {formats.count(described)} sur {formats.count(len(rows))}.",),
                    tables=(service_table(context, part, id="liste-table"),),
                    links=(
                        *pager("services/index", number, len(pages)),
                        Link("Qui fait quoi, par territoire et par besoin", "qui-fait-quoi/index.html"),
                    ),
                )
            ],
        )
    for service_key in context.directory.services:
        yield from context.part(_service, service_key)


def _service(context: Context, service_key: str) -> Iterator[File]:
    service = context.directory.service(service_key)
    csv = f"data/services/{service['page']}.csv"
    yield awards.file(context, "service_key", service_key, csv)
    sections = [
        *_directory(context, service, read_offers(context, service_key)),
        *_sections(context, service),
        awards.section(context, "service_key", service_key, csv=csv, hide=("funder_name", "service_name")),
    ]
    funder = context.directory.funder(service["funder_id"])
    yield from context.page(
        str(service["href"]),
        "sections.html.j2",
        report=REPORT,
        title=f"{formats.sentence(str(service['name']))} ({funder['name']})",
        description=f"Ce que le service {service['name']} de {funder['name']} accorde et refuse.",
        trail=[("Financeurs", "financeurs/index.html"), (str(funder["name"]), str(funder["href"]))],
        is_demonstration=bool(funder["is_demonstration"]),
        data_of={str(funder["funder_id"])},
        figures=figures_of(sections),
        kicker="Service",
        lead=_lead(service, funder),
        key_figures=_key_figures(context, service),
        sections=sections,
    )


def _lead(service: Row, funder: Row) -> str:
    if formats.is_missing(service["first_year"]):
        return f"Service de {funder['name']}. Aucune attribution connue."
    return f"Service de {funder['name']}. Exercices {formats.years(service['first_year'], service['last_year'])}."


def _directory(context: Context, service: Row, offered: list[Offer]) -> list[Section]:
    """What the directory says of the service, its schemes and places beside what the data show, and what differs."""
    database, key = context.database, service["service_key"]
    sections = [_entry(context, service)]
    place = f"{service['name']}, {service['funder_name']}"
    shown: list[Figure] = []
    if offered:
        listed = frame(context, offered)
        shown.append(
            Figure(
                id="dispositifs",
                headline=f"{formats.plural(len(offered), 'dispositif connu', 'dispositifs connus')}",
                subtitle=f"Ce que l'annuaire déclare et ce que montrent les attributions, {place}",
                summary=_declared_words(offered),
                frame=listed,
                columns=tuple(c for c in columns(context, listed) if c.name not in {"service_name", "funder_name"}),
                chart=None,
                coverage=f"Sur {formats.plural(len(offered), 'dispositif')}",
                source=SOURCE,
                method="annuaire",
            )
        )
    places = database.where("service_departements", "service_key", key)
    if len(places):
        shown.append(_places(context, places, place))
    sections.append(Section("offre", "Ce qu'il paie, et où", figures=tuple(shown)))
    found = database.where("service_differences", "service_key", key)
    if len(found):
        figure = differences(context, found, place=place, is_one=True)
        sections.append(Section("differences", "Annuaire et données", figures=(figure,)))
    return [section for section in sections if section.paragraphs or section.figures or section.tables]


def _declared_words(offered: list[Offer]) -> str:
    declared = sum(offer.declared is not None for offer in offered)
    seen = sum(bool(offer.n_awards) for offer in offered)
    return f"{formats.count(declared)} dans l'annuaire, {formats.count(seen)} avec au moins une attribution connue."


def _entry(context: Context, service: Row) -> Section:
    if service["is_claimed_twice"] is True:
        return Section("annuaire", "Annuaire", (CLAIMED_TWICE,))
    if service["is_declared"] is not True:
        return Section("annuaire", "Annuaire", (NO_CONTACT,))
    chain = context.database.where("service_chains", "service_key", service["service_key"])
    former = [
        f"{row['predecessor_name']}{_until(row)}" for row in records(chain.sort_values(["n_steps", "predecessor_key"]))
    ]
    told = {
        "Contact": offers.joined(service["contact_function"], service["contact_mailbox"]),
        "Calendrier": service["calendar"],
        "Territoire de compétence": service["area"],
        "Existe": _existence(service),
        "Succède à": formats.joined(former) or service["predecessors"],
        "Page": service["url"],
        "Vérifié le": None if formats.is_missing(service["reviewed_date"]) else formats.date(service["reviewed_date"]),
    }
    entry = Table(
        "annuaire-table",
        "Ce que l'annuaire dit du service",
        pd.DataFrame({"what": list(told), "said": list(told.values())}),
        (
            Column("what", "Information", header=True),
            Column("said", "Ce que dit l'annuaire", "name", absent=offers.NOT_STATED),
        ),
    )
    return Section("annuaire", "Annuaire", tables=(entry,))


def _until(row: Row) -> str:
    return "" if formats.is_missing(row["predecessor_to"]) else f" (jusqu'au {formats.date(row['predecessor_to'])})"


def _existence(service: Row) -> str | None:
    first, last = service["valid_from"], service["valid_to"]
    words = [
        "" if formats.is_missing(first) else f"depuis le {formats.date(first)}",
        "" if formats.is_missing(last) else f"jusqu'au {formats.date(last)}",
    ]
    return " ".join(word for word in words if word) or None


def _places(context: Context, places: pd.DataFrame, place: str) -> Figure:
    directory = context.directory
    rows = records(places.sort_values(["n_awards", "departement_code"], ascending=[False, True]))
    made = pd.DataFrame(
        {
            "departement_code": [row["departement_code"] for row in rows],
            "departement": [directory.territory_name(row["departement_code"]) for row in rows],
            "declared": ["oui" if row["is_declared"] is True else "non" for row in rows],
            "n_awards": [row["n_awards"] for row in rows],
            "last_year": [row["last_year"] for row in rows],
        }
    )
    seen = int((made["n_awards"] > 0).sum())
    return Figure(
        id="departements",
        headline=f"Des bénéficiaires dans {formats.plural(seen, 'département')}"
        if seen
        else "Aucune attribution connue",
        subtitle=f"Départements de compétence et sièges des bénéficiaires, {place}",
        summary=f"{formats.count(int((made['declared'] == 'oui').sum()))} dans le territoire de compétence déclaré.",
        frame=made,
        columns=(
            Column(
                "departement",
                "Département",
                href=lambda row: directory.territory_href(row["departement_code"]),
                header=True,
            ),
            Column("declared", "Dans le territoire déclaré"),
            Column("n_awards", "Attributions", "count"),
            Column("last_year", "Dernier exercice", "year"),
        ),
        chart=None,
        coverage=f"Sur {formats.plural(int(made['n_awards'].sum()), 'attribution')} dont le siège est connu",
        source=SOURCE,
        method="annuaire",
    )


def _key_figures(context: Context, service: Row) -> list[KeyFigure]:
    frame = context.database.where("funding_by_service_year", "service_key", service["service_key"])
    found = [
        KeyFigure(
            formats.sentence(amounts_word(stage)),
            formats.money_compact(amount, currency=currency),
            formats.plural(number, "attribution"),
        )
        for currency, stage, amount, number in funding.totals(records(frame))[:2]
    ]
    return [
        *found,
        KeyFigure("Exercices couverts", formats.years(service["first_year"], service["last_year"])),
        *([KeyFigure("Territoire", str(service["area"]))] if not formats.is_missing(service["area"]) else []),
        KeyFigure("Refus", refusals.published_words(service["refusals_published"]), "", "methode.html#couverture"),
    ]


def _sections(context: Context, service: Row) -> list[Section]:
    database, directory, key = context.database, context.directory, service["service_key"]
    funder = directory.funders[service["funder_id"]]
    source, place = source_words(funder), f"{service['name']}, {funder['name']}"
    scope = Scope(place, source, context.publication.as_of.year)
    years = funding.by_year(
        database.where("funding_by_service_year", "service_key", key), scope, id="annees", interactive=True
    )
    if not years:
        return []
    sections = [Section("annees", "Par exercice", figures=tuple(years))]
    link = (Link("Refus, tous services", "refus.html"),)
    frame = database.where("refusal_rates_by_service_year", "service_key", key)
    if str(service["refusals_published"]) in {"no", "unknown"} or frame.empty:
        words = "Refus non publiés pour ce service : ce n'est pas un taux de refus nul."
        return [*sections, Section("refus", "Refus", (words,), links=link)]
    figures = refusals.by_year(frame, place=place, source=source)
    territories = database.where("refusal_rates_by_service_territory_year", "service_key", key)
    latest = territories[territories["fiscal_year"] == territories["fiscal_year"].max()]
    if len(latest):
        figures.append(
            refusals.rates(
                latest,
                id="refus-territoires",
                title="Département du siège",
                label=lambda row: directory.territory_name(row["departement_code"]),
                href=lambda row: directory.territory_href(row["departement_code"]),
                subtitle=(
                    "Refus ÷ (accords + refus), par département du siège, exercice "
                    f"{int(latest['fiscal_year'].max())}, {place}"
                ),
                source=source,
            )
        )
    return [*sections, Section("refus", "Refus", figures=tuple(figures), links=link)]


REPORT = Report(
    name="services",
    title="Services",
    description="Qui examine les demandes : chaque service, ce qu'il accorde et ce qu'il refuse.",
    page="services/index.html",
    tables=(
        "awards",
        "funders",
        "funding_by_service_year",
        "refusal_rates_by_service_territory_year",
        "refusal_rates_by_service_year",
        "service_chains",
        "service_departements",
        "service_differences",
        "services",
        "territories",
        "who_does_what",
    ),
    build=build,
    order=15,
    menu="Services",
    length=3,
)
