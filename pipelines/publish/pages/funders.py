"""« Financeurs »: the list, and one page a funder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.publish import (
    awards,
    budgets,
    continuity,
    duration,
    formats,
    funding,
    leaf,
    refusals,
    spread,
    theme_origin,
)
from pipelines.publish.directory import amounts_word, label, source_words
from pipelines.publish.funding import Scope
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.lists import PER_PAGE, funder_table, page_path, pager
from pipelines.publish.reports import File, Output, Report
from pipelines.publish.tables import records

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context
    from pipelines.publish.figure import Figure
    from pipelines.publish.tables import Row


def build(context: Context) -> Iterator[File]:
    """The list of funders and every funder's page."""
    yield from _list(context)
    for funder_id in context.directory.funders:
        yield from context.part(_funder, funder_id)


def _funder(context: Context, funder_id: str) -> Iterator[File]:
    funder = context.directory.funder(funder_id)
    csv = f"data/financeurs/{funder['page']}.csv"
    yield awards.file(context, "funder_id", funder_id, csv)
    sections = _sections(context, funder)
    sections.append(awards.section(context, "funder_id", funder_id, csv=csv, hide=("funder_name",)))
    key_figures = _key_figures(context, funder)
    yield _leaf(context, funder, sections, key_figures)
    yield from context.page(
        str(funder["href"]),
        "sections.html.j2",
        report=REPORT,
        title=str(funder["name"]),
        description=f"Ce que finance {funder['name']}, à qui, pendant combien d'années, et ce qui est refusé.",
        trail=[("Financeurs", REPORT.page)],
        is_demonstration=bool(funder["is_demonstration"]),
        data_of={str(funder["funder_id"])},
        figures=figures_of(sections),
        kicker=f"Financeur · {label('funder_level', funder['level'])}",
        lead=_lead(funder),
        key_figures=key_figures,
        sections=sections,
        leaf=leaf.path_of(str(funder["href"])),
    )


def _leaf(context: Context, funder: Row, sections: list[Section], key_figures: list[KeyFigure]) -> Output:
    """The funder's leaf: amounts, whom and what for, continuity, refusals or why there are none, contacts."""
    figures = {figure.id: figure for figure in figures_of(sections)}
    shown = (
        ("annees", "Par exercice", ("fiscal_year", "n_awards", "amount"), "amount", True),
        ("themes", "Pour quoi", ("label", "n_awards", "amount", "share"), "amount", False),
        ("territoires", "Où (siège des bénéficiaires)", ("label", "n_awards", "amount", "share"), "amount", False),
        ("maintien", "Continuité", ("label", "n_funded", "n_kept_next", "retention_rate"), None, True),
    )
    blocks = [
        leaf.from_figure(figures[name], title, columns, bar=bar, newest=newest)
        for name, title, columns, bar, newest in shown
        if name in figures
    ]
    if "maintien" not in figures:
        blocks.append(leaf.Block("continuite", "Continuité", ("Rien n'est observable : une seule année de données.",)))
    refused = next(section for section in sections if section.id == "refus")
    columns = ("label", "n_awarded", "n_refused", "n_decided", "refusal_rate")
    blocks.append(
        leaf.from_figure(refused.figures[0], "Refus", columns, newest=True)
        if refused.figures
        else leaf.said(refused, "Refus")
    )
    blocks.append(leaf.contacts(context.directory.services_by(funder["funder_id"])))
    return leaf.leaf(
        context,
        str(funder["href"]),
        title=str(funder["name"]),
        kicker=f"Financeur · {label('funder_level', funder['level'])}",
        lead=_lead(funder),
        key_figures=key_figures,
        blocks=blocks,
        source=source_words(funder),
        data_of={str(funder["funder_id"])},
        is_demonstration=bool(funder["is_demonstration"]),
    )


def _list(context: Context) -> Iterator[Output]:
    frame = context.database.table("funding_by_level_year")
    scope = Scope("tous financeurs", context.source, context.publication.as_of.year, funding.SEVERAL_FUNDERS)
    figures = funding.by_category(
        frame,
        scope,
        id="niveaux",
        key="funder_level",
        title="Niveau",
        by="niveau de financeur",
        name=lambda c: label("funder_level", c),
        interactive=True,
    )
    years = funding.by_year_and(
        frame,
        scope,
        id="niveaux-annees",
        key="funder_level",
        by="niveau",
        others="niveaux",
        name=lambda c: label("funder_level", c),
    )
    rows = list(context.directory.funders.values())
    pages = [rows[start : start + PER_PAGE] for start in range(0, len(rows), PER_PAGE)] or [[]]
    for number, part in enumerate(pages, start=1):
        sections = [
            Section(
                "liste",
                "Tous les financeurs",
                tables=(funder_table(context, part, id="liste-table"),),
                links=pager("financeurs/index", number, len(pages)),
            )
        ]
        if number == 1:
            sections.append(Section("niveaux", "Qui paie : de l'Europe à la commune", figures=(*figures, *years)))
        yield from context.page(
            page_path("financeurs/index", number),
            "sections.html.j2",
            report=REPORT,
            title="Financeurs" if number == 1 else f"Financeurs, page {number}",
            description=REPORT.description,
            figures=figures_of(sections),
            kicker="Qui fait quoi",
            lead=(
                f"{formats.plural(len(rows), 'financeur')}, du plus local à l'Europe. Chaque nom mène à une "
                "page : montants, services, continuité, refus."
            ),
            key_figures=[],
            sections=sections,
        )


def _lead(funder: Row) -> str:
    siren = "" if formats.is_missing(funder["siren"]) else f" SIREN {funder['siren']}."
    return f"Exercices {formats.years(funder['first_year'], funder['last_year'])}.{siren}"


def _key_figures(context: Context, funder: Row) -> list[KeyFigure]:
    frame = context.database.where("funding_by_funder_year", "funder_id", funder["funder_id"])
    services = context.directory.services_by(funder["funder_id"])
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
        KeyFigure(
            "Exercices couverts",
            formats.years(funder["first_year"], funder["last_year"]),
            "hors de ces années, rien n'est observable",
        ),
        KeyFigure("Services", formats.count(len(services)), "qui examinent les demandes"),
        KeyFigure("Refus", refusals.published_words(funder["refusals_published"]), "", "methode.html#couverture"),
    ]


def _sections(context: Context, funder: Row) -> list[Section]:
    database, directory, funder_id = context.database, context.directory, funder["funder_id"]
    scope = Scope(str(funder["name"]), source_words(funder), context.publication.as_of.year)

    def of(table: str, **options: Any) -> list[Figure]:
        return funding.by_category(database.where(table, "funder_id", funder_id), scope, **options)

    services = of(
        "funding_by_service_year",
        id="services",
        key="service_key",
        title="Service",
        by="service",
        name=directory.service_name,
        href=lambda row: directory.service_href(row["service_key"]),
        unknown=f"{funder_id}/-",
    )
    themes = of(
        "funding_by_funder_theme_year",
        id="themes",
        key="theme",
        title="Thème",
        by="thème",
        name=lambda c: label("theme", c),
        method="themes",
    )
    territories = of(
        "funding_by_territory_year",
        id="territoires",
        key="departement_code",
        title="Département du siège",
        by="département du siège",
        name=directory.territory_name,
        href=lambda row: directory.territory_href(row["departement_code"]),
        unknown="—",
        method="territoires",
    )
    purposes = funding.by_year_and(
        database.where("funding_by_purpose_year", "funder_id", funder_id),
        scope,
        id="natures",
        key="purpose",
        by="nature de dépense",
        others="natures",
        name=lambda c: label("purpose", c),
    )
    years = funding.by_year(
        database.where("funding_by_funder_year", "funder_id", funder_id), scope, id="annees", interactive=True
    )
    return [
        Section("annees", "Par exercice", figures=tuple(years)),
        *_budgets(context, funder),
        Section(
            "services",
            "Par service",
            ("Le service est celui qui examine la demande et propose la décision.",),
            figures=tuple(services),
        ),
        Section("themes", "Par thème", (theme_origin.words(database, funder_id),), figures=tuple(themes)),
        Section("natures", "Fonctionnement, projet ou investissement", figures=tuple(purposes)),
        Section(
            "territoires",
            "Par territoire",
            ("Le territoire est celui du siège du bénéficiaire, pas toujours celui de l'action.",),
            figures=tuple(territories),
        ),
        Section("repartition", "Petites et grosses subventions", figures=tuple(_spread(context, funder))),
        Section(
            "continuite",
            "Continuité",
            figures=tuple(_continuity(context, funder)),
            links=(Link("Continuité, tous financeurs", "continuite.html"),),
        ),
        refusal_section(context, funder),
    ]


def _budgets(context: Context, funder: Row) -> list[Section]:
    database, funder_id = context.database, funder["funder_id"]
    found = database.where("funder_budgets", "funder_id", funder_id)
    if found.empty:
        return []
    years = database.where("funding_by_funder_year", "funder_id", funder_id)
    words = "Le budget est celui que le financeur annonce. Ce que ses fichiers ne disent pas n'est pas connu ici."
    return [Section("budgets", "Budget annoncé", (words,), tables=(budgets.table(found, years, name=funder["name"]),))]


def _spread(context: Context, funder: Row) -> list[Figure]:
    database, funder_id, source = context.database, funder["funder_id"], source_words(funder)
    found = []
    amounts = database.where("funding_distribution", "funder_id", funder_id)
    amounts = amounts[amounts["level"] == "funder"]
    if amounts["n_positive"].sum() > 0:
        found.append(spread.distribution(amounts, id="repartition", place=str(funder["name"]), source=source))
    shares = database.where("funding_concentration_by_funder_year", "funder_id", funder_id)
    if shares["n_beneficiaries"].sum() > 0:
        found.append(spread.concentration(shares, id="concentration", place=str(funder["name"]), source=source))
    return found


def _continuity(context: Context, funder: Row) -> list[Figure]:
    database, funder_id, source = context.database, funder["funder_id"], source_words(funder)
    found = []
    years = database.where("continuity_by_funder_year", "funder_id", funder_id)
    if len(years):
        found.append(
            continuity.retention(
                years,
                id="maintien",
                title="Exercice",
                label=lambda row: f"{row['fiscal_year']:.0f}{'' if row['is_complete'] else ' (incomplet)'}",
                source=source,
                subtitle=f"Part des bénéficiaires d'un exercice financés aussi l'exercice suivant, {funder['name']}",
            )
        )
    distribution = database.where("continuity_years_distribution", "funder_id", funder_id)
    if len(distribution):
        found.append(
            continuity.years_funded(distribution, id="annees-financees", place=str(funder["name"]), source=source)
        )
    cohorts = database.where("continuity_cohorts", "relation_key", funder_id)
    if (cohorts["age"] > 0).any():
        found.append(duration.cohorts(cohorts, id="cohortes", place=str(funder["name"]), source=source))
    multi = database.where("continuity_multi_year_by_funder_year", "funder_id", funder_id)
    if len(multi):
        found.append(
            continuity.multi_year(
                multi,
                id="pluriannuel",
                title="Exercice",
                label=lambda row: str(int(row["fiscal_year"])),
                source=source,
                subtitle=f"Part des montants de chaque exercice dans une convention pluriannuelle, {funder['name']}",
            )
        )
    return found


def refusal_section(context: Context, funder: Row) -> Section:
    """The section « Refus » of a funder: the rates by year, or the words that nothing is published."""
    database, funder_id = context.database, funder["funder_id"]
    frame = database.where("refusal_rates_by_funder_year", "funder_id", funder_id)
    link = (Link("Refus, tous services", "refus.html"),)
    if str(funder["refusals_published"]) in {"no", "unknown"} or frame.empty:
        words = (
            "Refus non publiés. Ce financeur ne publie que ce qu'il accorde, ou rien ne dit qu'il publie le "
            "reste : ce n'est pas un taux de refus nul."
        )
        return Section("refus", "Refus", (words,), links=link)
    figures = refusals.by_year(frame, place=str(funder["name"]), source=source_words(funder))
    causes = database.where("refusal_reasons_by_funder_year", "funder_id", funder_id)
    reasons = refusals.reasons(
        causes, id="motifs", subtitle=f"Tous exercices, {funder['name']}", source=source_words(funder)
    )
    return Section("refus", "Refus", figures=(*figures, *([reasons] if reasons else [])), links=link)


REPORT = Report(
    name="financeurs",
    title="Financeurs",
    description="Qui finance quoi : chaque financeur, ses services, ses montants, sa continuité et ses refus.",
    page="financeurs/index.html",
    tables=(
        "awards",
        "continuity_by_funder_year",
        "continuity_cohorts",
        "continuity_multi_year_by_funder_year",
        "continuity_years_distribution",
        "funder_budgets",
        "funders",
        "funding_by_funder_theme_year",
        "funding_by_funder_year",
        "funding_by_level_year",
        "funding_by_purpose_year",
        "funding_by_service_year",
        "funding_by_territory_year",
        "funding_concentration_by_funder_year",
        "funding_distribution",
        "refusal_rates_by_funder_year",
        "refusal_reasons_by_funder_year",
        "services",
        "territories",
        "theme_resolution",
    ),
    build=build,
    order=10,
    menu="Financeurs",
    length=1,
)
