"""« Services »: who examines applications, funder by funder, and one page a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats, funding, refusals
from pipelines.publish.awards import AwardLists
from pipelines.publish.directory import amounts_word, source_words
from pipelines.publish.funding import Scope
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.lists import PER_PAGE, page_path, pager, service_table
from pipelines.publish.reports import Output, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context
    from pipelines.publish.tables import Row

NO_CONTACT = (
    "Contact et calendrier : non publiés. Les fichiers reçus ne disent pas à qui s'adresser ; "
    "cette page le dira dès qu'un financeur déposera l'annuaire de ses services."
)


def build(context: Context) -> Iterator[Output]:
    """The list of services and every service's page."""
    rows = list(context.directory.services.values())
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
                    (NO_CONTACT,),
                    tables=(service_table(context, part, id="liste-table"),),
                    links=pager("services/index", number, len(pages)),
                )
            ],
        )
    lists = AwardLists(context, "service_key")
    for service in rows:
        csv = f"data/services/{service['page']}.csv"
        yield lists.file(service["service_key"], csv)
        sections = [
            *_sections(context, service),
            lists.section(service["service_key"], csv=csv, hide=("funder_name", "service_name")),
        ]
        funder = context.directory.funders[service["funder_id"]]
        yield from context.page(
            str(service["href"]),
            "sections.html.j2",
            report=REPORT,
            title=f"{formats.sentence(str(service['name']))} ({funder['name']})",
            description=f"Ce que le service {service['name']} de {funder['name']} accorde et refuse.",
            trail=[("Financeurs", "financeurs/index.html"), (str(funder["name"]), str(funder["href"]))],
            is_demonstration=bool(funder["is_demonstration"]),
            figures=figures_of(sections),
            kicker="Service",
            lead=(
                f"Service de {funder['name']}. Exercices {formats.years(service['first_year'], service['last_year'])}."
            ),
            key_figures=_key_figures(context, service),
            sections=sections,
        )


def _key_figures(context: Context, service: Row) -> list[KeyFigure]:
    frame = context.database.where("funding_by_service_year", "service_key", service["service_key"])
    found = [
        KeyFigure(
            formats.sentence(amounts_word(stage)),
            formats.money_compact(amount, currency=currency),
            formats.plural(awards, "attribution"),
        )
        for currency, stage, amount, awards in funding.totals(frame)[:2]
    ]
    return [
        *found,
        KeyFigure("Exercices couverts", formats.years(service["first_year"], service["last_year"])),
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
    sections = [Section("annees", "Par exercice", (NO_CONTACT,), figures=tuple(years))]
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
        "services",
        "territories",
    ),
    build=build,
    order=15,
    menu="Services",
)
