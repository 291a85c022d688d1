"""« Territoires »: régions, départements and intercommunalités where beneficiaries have their seat, a page for each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.publish import awards, formats, funding, inhabitants, leaf, places, refusals, territory_leaf
from pipelines.publish.directory import SEATS, UNKNOWN_TERRITORY, amounts_word, label
from pipelines.publish.funding import Scope
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.reports import File, Output, Report
from pipelines.publish.tables import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pandas as pd

    from pipelines.publish.context import Context
    from pipelines.publish.figure import Figure
    from pipelines.publish.tables import Row

SEAT = (
    "Le territoire est celui du siège du bénéficiaire, d'après la commune, le code postal ou, pour une collectivité, "
    "le SIREN. Une action menée ailleurs compte au siège."
)

WHERE_EPCI = (
    "Chaque intercommunalité a sa page : celle de son département la donne, ou celle de sa région quand elle touche "
    "plusieurs départements. Celles qui touchent plusieurs régions sont ici."
)


@dataclass(frozen=True)
class Level:
    """One level of territories, in the words of its pages."""

    code: str
    one: str
    title: str
    by: str
    unknown: str

    @property
    def key(self) -> str:
        """The column that tells the seat."""
        return SEATS[self.code][0]

    @property
    def table(self) -> str:
        """The table of amounts by seat."""
        return SEATS[self.code][1]


REGION = Level("region", "région", "Région du siège", "région du siège", "région non précisée")
DEPARTEMENT = Level("departement", "département", "Département du siège", "département du siège", UNKNOWN_TERRITORY)
EPCI = Level("epci", "intercommunalité", "Intercommunalité du siège", "intercommunalité du siège", UNKNOWN_TERRITORY)
LEVELS = (REGION, DEPARTEMENT, EPCI)
BY_CODE = {level.code: level for level in LEVELS}


def build(context: Context) -> Iterator[File]:
    """The list of territories and every territory's page."""
    yield from _index(context)
    for level in LEVELS:
        for code in context.directory.places(level.code):
            yield from context.part(_territory, level.code, code)


def _index(context: Context) -> Iterator[Output]:
    database, directory = context.database, context.directory
    scope = _scope(context, "tous financeurs")
    apart = [row for row in directory.places("epci").values() if row["parent_id"] is None]
    sections = [
        Section(
            "regions",
            "Par région",
            (SEAT,),
            figures=_amounts(context, REGION, database.table(REGION.table), scope, is_mapped=True),
            links=_links(directory.places("region").values()),
        ),
        Section(
            "departements",
            "Par département",
            (SEAT,),
            figures=_amounts(
                context, DEPARTEMENT, database.table(DEPARTEMENT.table), scope, interactive=True, is_mapped=True
            ),
            links=_links(directory.territories.values()),
        ),
        Section("intercommunalites", "Par intercommunalité", (WHERE_EPCI,), links=_links(apart)),
        places.resolution(context),
    ]
    counted = [
        formats.plural(len(found), level.one)
        for level in LEVELS
        if (found := [code for code in directory.places(level.code) if code != UNKNOWN_TERRITORY])
    ]
    yield from context.page(
        REPORT.page,
        "sections.html.j2",
        report=REPORT,
        title="Territoires",
        description=REPORT.description,
        figures=figures_of(sections),
        kicker="Où",
        lead=f"{formats.joined(counted) or 'Aucun territoire'}, selon le siège des bénéficiaires.",
        key_figures=[],
        sections=sections,
    )


def _territory(context: Context, level_code: str, code: str) -> Iterator[File]:
    level, territory = BY_CODE[level_code], context.directory.place(level_code, code)
    csv = f"data/territoires/{territory['page']}.csv"
    yield awards.file(context, level.key, code, csv)
    frame = context.database.where(level.table, level.key, territory["code"])
    parts = [*_sections(context, level, territory, frame), awards.section(context, level.key, code, csv=csv)]
    known = territory["code"] != UNKNOWN_TERRITORY
    data_of = {str(funder) for funder in frame["funder_id"]}
    seat = " ".join([SEAT, *_not_placed(context, level, data_of)])
    key_figures = [
        *(
            KeyFigure(
                formats.sentence(amounts_word(stage)),
                formats.money_compact(amount, currency=currency),
                formats.plural(number, "attribution"),
            )
            for currency, stage, amount, number in funding.totals(records(frame))[:2]
        ),
        *_per_inhabitant(context, frame),
        KeyFigure("Financeurs", formats.count(frame["funder_id"].nunique())),
        KeyFigure("Exercices couverts", formats.years(frame["fiscal_year"].min(), frame["fiscal_year"].max())),
    ]
    if known:
        yield territory_leaf.leaf_of(
            context, territory, key=level.key, kicker=level.one, lead=seat, key_figures=key_figures, sections=parts,
            data_of=data_of,
        )  # fmt: skip
    yield from context.page(
        str(territory["href"]),
        "sections.html.j2",
        report=REPORT,
        title=str(territory["title"]),
        description=f"Qui finance quoi : bénéficiaires dont le siège est dans le territoire {territory['title']}.",
        trail=[("Territoires", REPORT.page), *places.trail(context, territory)],
        data_of=data_of,
        figures=figures_of(parts),
        kicker=formats.sentence(level.one) if known else "Territoire",
        lead=seat if known else "Attributions dont le fichier ne dit pas où est le siège du bénéficiaire.",
        key_figures=key_figures,
        sections=parts,
        leaf=leaf.path_of(str(territory["href"])) if known else None,
    )


def _not_placed(context: Context, level: Level, funders: set[str]) -> list[str]:
    """What the funders of a place granted to seats that nothing tells: it may be of that place, and is in no figure."""
    nowhere = context.remembered(
        f"nowhere {level.code}", lambda: records(context.database.where(level.table, level.key, UNKNOWN_TERRITORY))
    )
    return [
        f"Ces chiffres sont un minimum : {formats.plural(number, 'attribution')} des mêmes financeurs "
        f"({formats.money_compact(amount, currency=currency)}, {amounts_word(stage)}), dont le fichier ne dit pas où "
        f"est le siège, {'ne sont comptées' if number > 1 else 'n’est comptée'} dans aucun territoire."
        for currency, stage, amount, number in funding.totals(row for row in nowhere if row["funder_id"] in funders)[:1]
        if number
    ]


def _per_inhabitant(context: Context, frame: pd.DataFrame) -> list[KeyFigure]:
    """Amount ÷ population of the last complete year, main currency and stage; none without a population."""
    for currency, stage, rows in funding.parts(records(frame)):
        years = {int(row["fiscal_year"]) for row in rows}
        year = max({year for year in years if year < context.publication.as_of.year} or years)
        of_year = [row for row in rows if row["fiscal_year"] == year]
        amount = funding.added(row["amount"] for row in of_year)
        population = max((float(p) for row in of_year if not formats.is_missing(p := row["population"])), default=0.0)
        if formats.is_missing(amount) or population <= 0:
            return []
        value = formats.money(amount / population, currency=currency)
        detail = f"{amounts_word(stage)}, {formats.plural(int(population), 'habitant')}"
        return [KeyFigure(f"Par habitant, {year}", value, detail, "methode.html#territoires")]
    return []


def _scope(context: Context, place: str) -> Scope:
    return Scope(place, context.source, context.publication.as_of.year, funding.SEVERAL_FUNDERS)


def _links(rows: Iterable[Row]) -> tuple[Link, ...]:
    return tuple(Link(str(row["title"]), str(row["href"])) for row in rows)


def _amounts(
    context: Context,
    level: Level,
    frame: pd.DataFrame,
    scope: Scope,
    *,
    interactive: bool = False,
    is_brief: bool = False,
    is_mapped: bool = False,
) -> tuple[Figure, ...]:
    """Amounts of the territories of one level, and per inhabitant; `is_brief` keeps the main currency and stage.

    `is_mapped` draws the amounts per inhabitant as a map.
    """
    directory = context.directory

    def name(code: str) -> str:
        if code == UNKNOWN_TERRITORY and level is not DEPARTEMENT:
            return level.unknown
        return directory.territory_name(code, level.code)

    per_inhabitant = inhabitants.by_territory(
        frame, scope, id=f"par-{level.code}-par-habitant", key=level.key, title=level.title, by=level.by, name=name,
        level=level.code if is_mapped else None,
    )  # fmt: skip
    kept = 1 if is_brief else None
    return (
        *funding.by_category(
            frame, scope, id=f"par-{level.code}", key=level.key, title=level.title, by=level.by, name=name,
            href=lambda row: directory.territory_href(row[level.key], level.code), unknown=UNKNOWN_TERRITORY,
            interactive=interactive, method="territoires",
        )[:kept],
        *per_inhabitant[:kept],
    )  # fmt: skip


def _sections(context: Context, level: Level, territory: Row, frame: pd.DataFrame) -> list[Section]:
    directory = context.directory
    scope = _scope(context, str(territory["title"]))
    # a thousand pages of intercommunalités: an interactive twin each would cost more than all the rest
    years = funding.by_year(frame, scope, id="annees", interactive=level is not EPCI)
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
    sections = [
        Section("annees", "Par exercice", figures=tuple(years)),
        Section("financeurs", "Par financeur", figures=tuple(funders)),
    ]
    if level is REGION:
        sections += _inside(context, DEPARTEMENT, territory, scope) + _inside(context, EPCI, territory, scope)
    elif level is DEPARTEMENT:
        sections += [_themes(context, territory, scope), *_inside(context, EPCI, territory, scope)]
    return [*sections, _refusals(context, level, territory)]


def _themes(context: Context, territory: Row, scope: Scope) -> Section:
    figures = funding.by_category(
        context.database.where("funding_by_funder_theme_territory_year", "departement_code", territory["code"]),
        scope,
        id="themes",
        key="theme",
        title="Thème",
        by="thème",
        name=lambda theme: label("theme", theme),
        method="themes",
    )
    return Section("themes", "Par thème", figures=tuple(figures))


def _inside(context: Context, level: Level, territory: Row, scope: Scope) -> list[Section]:
    """The territories of a lower level that this one holds whole; none, no section."""
    own = f"{territory['level']}:{territory['code']}"
    inside = [row for row in context.directory.places(level.code).values() if row["parent_id"] == own]
    if not inside:
        return []
    table = context.database.table(level.table)
    part = table[table[level.key].isin([row["code"] for row in inside])]
    title = f"Par {level.one}"
    words = [SEAT]
    if level is EPCI:
        several = "de plusieurs départements" if territory["level"] == "region" else "de ce seul département"
        words = [f"Les intercommunalités {several} ; les autres ne sont pas dans cette figure."]
        scope = replace(scope, place=f"{scope.place}, intercommunalités {several}")
    if len(part[["currency", "stage"]].drop_duplicates()) > 1:
        words.append("D'autres monnaies ou natures de montant existent : elles sont sur la page de chaque territoire.")
    figures = _amounts(context, level, part, scope, is_brief=True)
    return [Section(f"par-{level.code}", title, tuple(words), figures=figures, links=_links(inside))]


def _refusals(context: Context, level: Level, territory: Row) -> Section:
    link = (Link("Refus, tous services", "refus.html"),)
    if level is not DEPARTEMENT:
        words = "Les refus ne sont publiés que par service et département : les effectifs seraient trop faibles ici."
        return Section("refus", "Refus", (words,), links=link)
    directory, code = context.directory, territory["code"]
    rates = context.database.where("refusal_rates_by_service_territory_year", "departement_code", code)
    rates = rates[rates["fiscal_year"] == rates["fiscal_year"].max()]
    if rates.empty:
        return Section("refus", "Refus", ("Aucun service ne publie ses refus pour ce territoire.",), links=link)
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
    return Section("refus", "Refus", figures=(figure,), links=link)


REPORT = Report(
    name="territoires",
    title="Territoires",
    description="Ce que reçoit chaque territoire, de quels financeurs, et ce que les services y refusent.",
    page="territoires/index.html",
    tables=(
        "awards",
        "funders",
        "funding_by_epci_year",
        "funding_by_funder_theme_territory_year",
        "funding_by_region_year",
        "funding_by_territory_year",
        "refusal_rates_by_service_territory_year",
        "services",
        "territories",
        "territory_resolution",
    ),
    build=build,
    order=30,
    menu="Territoires",
    length=4,
)
