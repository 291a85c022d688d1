"""« Territoires »: the régions and départements where applicants have their seat, and one page per département."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats, funding, inhabitants, refusals
from pipelines.publish.awards import AwardLists
from pipelines.publish.directory import UNKNOWN_TERRITORY, amounts_word, label
from pipelines.publish.funding import Scope
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.reports import Output, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context
    from pipelines.publish.figure import Figure
    from pipelines.publish.tables import Row

SEAT = (
    "Le territoire est celui du siège du bénéficiaire, d'après la commune, le code postal ou, pour une collectivité, "
    "le SIREN. "
    "Une action menée dans plusieurs départements compte au siège."
)
UNKNOWN_REGION = "région non précisée"


def build(context: Context) -> Iterator[Output]:
    """The list of territories and every territory's page."""
    database, directory = context.database, context.directory
    before = context.publication.as_of.year
    scope = Scope("tous financeurs", context.source, before, funding.SEVERAL_FUNDERS)
    figures = funding.by_category(
        database.table("funding_by_territory_year"),
        scope,
        id="departements",
        key="departement_code",
        title="Département du siège",
        by="département du siège",
        name=directory.territory_name,
        href=lambda row: directory.territory_href(row["departement_code"]),
        unknown=UNKNOWN_TERRITORY,
        interactive=True,
        method="territoires",
    )
    per_inhabitant = inhabitants.by_territory(
        database.table("funding_by_territory_year"),
        scope,
        id="departements-par-habitant",
        key="departement_code",
        title="Département du siège",
        by="département du siège",
        name=directory.territory_name,
    )
    sections = [
        Section("regions", "Par région", (SEAT,), figures=tuple(_regions(context, scope))),
        Section("departements", "Par département", (SEAT,), figures=tuple(figures)),
        Section("par-habitant", "Par habitant", figures=tuple(per_inhabitant)),
    ]
    known = [row for code, row in directory.territories.items() if code != UNKNOWN_TERRITORY]
    yield from context.page(
        REPORT.page,
        "sections.html.j2",
        report=REPORT,
        title="Territoires",
        description=REPORT.description,
        figures=figures_of(sections),
        kicker="Où",
        lead=f"{formats.plural(len(known), 'département')}, selon le siège des bénéficiaires.",
        key_figures=[],
        sections=[
            Section(
                "liste",
                "Choisir un territoire",
                links=tuple(Link(str(r["title"]), str(r["href"])) for r in directory.territories.values()),
            ),
            *sections,
        ],
    )
    lists = AwardLists(context, "departement_code")
    for territory in directory.territories.values():
        csv = f"data/territoires/{territory['page']}.csv"
        yield lists.file(territory["code"], csv)
        parts = [*_sections(context, territory), lists.section(territory["code"], csv=csv)]
        frame = database.where("funding_by_territory_year", "departement_code", territory["code"])
        yield from context.page(
            str(territory["href"]),
            "sections.html.j2",
            report=REPORT,
            title=str(territory["title"]),
            description=f"Qui finance quoi : bénéficiaires dont le siège est dans le territoire {territory['title']}.",
            trail=[("Territoires", REPORT.page)],
            figures=figures_of(parts),
            kicker="Territoire",
            lead=SEAT
            if territory["code"] != UNKNOWN_TERRITORY
            else "Attributions dont le fichier ne dit pas où est le siège du bénéficiaire.",
            key_figures=[
                *(
                    KeyFigure(
                        formats.sentence(amounts_word(stage)),
                        formats.money_compact(amount, currency=currency),
                        formats.plural(awards, "attribution"),
                    )
                    for currency, stage, amount, awards in funding.totals(frame)[:2]
                ),
                KeyFigure("Financeurs", formats.count(frame["funder_id"].nunique())),
                KeyFigure("Exercices couverts", formats.years(frame["fiscal_year"].min(), frame["fiscal_year"].max())),
            ],
            sections=parts,
        )


def _regions(context: Context, scope: Scope) -> list[Figure]:
    """Amounts by région, and per inhabitant."""
    database = context.database
    territories = database.table("territories")
    regions = territories[territories["level"] == "region"]
    names = dict(zip(regions["code"], regions["name"], strict=True))

    def name(code: str) -> str:
        return str(names.get(code, UNKNOWN_REGION if code == UNKNOWN_TERRITORY else code))

    frame, by = database.table("funding_by_region_year"), "région du siège"
    title = "Région du siège"
    return [
        *funding.by_category(
            frame,
            scope,
            id="regions",
            key="region_code",
            title=title,
            by=by,
            name=name,
            unknown=UNKNOWN_TERRITORY,
            method="territoires",
        ),
        *inhabitants.by_territory(
            frame, scope, id="regions-par-habitant", key="region_code", title=title, by=by, name=name
        ),
    ]


def _sections(context: Context, territory: Row) -> list[Section]:
    database, directory, code = context.database, context.directory, territory["code"]
    frame = database.where("funding_by_territory_year", "departement_code", code)
    scope = Scope(str(territory["title"]), context.source, context.publication.as_of.year, funding.SEVERAL_FUNDERS)
    years = funding.by_year(frame, scope, id="annees", interactive=True)
    funders = funding.by_category(
        frame,
        scope,
        id="financeurs",
        key="funder_id",
        title="Financeur",
        by="financeur",
        name=directory.funder_name,
        href=lambda row: directory.funder_href(row["funder_id"]),
    )
    themes = funding.by_category(
        database.where("funding_by_funder_theme_territory_year", "departement_code", code),
        scope,
        id="themes",
        key="theme",
        title="Thème",
        by="thème",
        name=lambda theme: label("theme", theme),
        method="themes",
    )
    sections = [
        Section("annees", "Par exercice", figures=tuple(years)),
        Section("financeurs", "Par financeur", figures=tuple(funders)),
        Section("themes", "Par thème", figures=tuple(themes)),
    ]
    rates = database.where("refusal_rates_by_service_territory_year", "departement_code", code)
    rates = rates[rates["fiscal_year"] == rates["fiscal_year"].max()]
    link = (Link("Refus, tous services", "refus.html"),)
    if rates.empty:
        return [
            *sections,
            Section("refus", "Refus", ("Aucun service ne publie ses refus pour ce territoire.",), links=link),
        ]
    year = int(rates["fiscal_year"].max())
    figure = refusals.rates(
        rates,
        id="refus-services",
        title="Service",
        label=lambda row: f"{directory.service_name(row['service_key'])} ({directory.funder_name(row['funder_id'])})",
        href=lambda row: directory.service_href(row["service_key"]),
        subtitle=f"Refus ÷ (accords + refus), par service, exercice {year}, {territory['title']}",
        source=context.source,
    )
    return [*sections, Section("refus", "Refus", figures=(figure,), links=link)]


REPORT = Report(
    name="territoires",
    title="Territoires",
    description="Ce que reçoit chaque territoire, de quels financeurs, et ce que les services y refusent.",
    page="territoires/index.html",
    tables=(
        "awards",
        "funders",
        "funding_by_funder_theme_territory_year",
        "funding_by_region_year",
        "funding_by_territory_year",
        "refusal_rates_by_service_territory_year",
        "services",
        "territories",
    ),
    build=build,
    order=30,
    menu="Territoires",
)
