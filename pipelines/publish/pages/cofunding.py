"""« Cofinancements »: the projects that several funders help, who funds with whom, and the largest of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import cofunding, formats
from pipelines.publish.directory import amounts_word, label
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.reports import Output, Report
from pipelines.publish.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context

LARGEST = 50
RULE = (
    "Un projet réunit les attributions de plusieurs financeurs au même bénéficiaire, le même exercice. Il est "
    "« déclaré » quand les fichiers le disent : un identifiant de cofinancement commun, ou un cofinanceur nommé. Il "
    "est « probable » quand seuls les objets, presque identiques, le font penser."
)
AWARDS_ONLY = "Seules les attributions comptent ici : cette page ne dit rien de ce qui a été refusé."


def build(context: Context) -> Iterator[Output]:
    """The page."""
    database, directory = context.database, context.directory
    projects = database.query(
        "SELECT count(*)::INTEGER AS n, (count(*) FILTER (evidence = 'stated'))::INTEGER AS n_stated,"
        " max(n_funders)::INTEGER AS n_funders FROM cofunded_projects"
    )
    total, stated = int(projects["n"].iloc[0]), int(projects["n_stated"].iloc[0])
    funders = int(database.query("SELECT count(DISTINCT funder_id)::INTEGER AS n FROM cofunded_lines")["n"].iloc[0])
    share = cofunding.shares(database, id="part", source=context.source)
    sections = [Section("part", "Combien de projets", (RULE, AWARDS_ONLY), figures=(share,) if share else ())]
    made = [
        ("niveaux", "Quels niveaux financent ensemble", "funder_level", "niveau", lambda c: label("funder_level", c)),
        ("financeurs", "Quels financeurs financent ensemble", "funder_id", "financeur", directory.funder_name),
    ]
    for anchor, title, key, one, name in made:
        figure = cofunding.pairs(database, key=key, id=anchor, one=one, name=name, source=context.source)
        if figure is not None:
            table = "level" if key == "funder_level" else "funder"
            csv = f"data/cofunding_by_{table}_pair_year.csv"
            link = Link("Toutes les paires, par exercice, étape et monnaie (CSV)", csv)
            sections.append(Section(anchor, title, figures=(figure,), links=(link,)))
    if total:
        sections.append(_largest(context))
    yield from context.page(
        REPORT.page,
        "sections.html.j2",
        report=REPORT,
        title="Cofinancements",
        description=REPORT.description,
        figures=figures_of(sections),
        kicker="Qui finance avec qui",
        lead=(
            f"{formats.plural(total, 'projet aidé', 'projets aidés')} par plusieurs financeurs la même année."
            if total
            else "Aucun projet aidé par plusieurs financeurs ne se voit dans ces données."
        ),
        key_figures=[
            KeyFigure("Projets cofinancés", formats.count(total), f"dont {formats.count(stated)} déclarés"),
            KeyFigure(
                "Financeurs concernés",
                f"{formats.count(funders)} sur {formats.count(len(directory.funders))}",
                "au moins un projet partagé",
                "financeurs/index.html",
            ),
        ],
        sections=sections,
    )


def _largest(context: Context) -> Section:
    database, directory = context.database, context.directory
    frame = cofunding.largest(database, LARGEST, directory.funder_name)
    currency, stage, _ = cofunding.main_amounts(database)
    shown = formats.plural(len(frame), "projet cofinancé", "projets cofinancés")
    table = Table(
        "projets-table",
        f"{shown}, du plus grand montant au plus petit ({amounts_word(stage)}, {formats.symbol(currency)})",
        frame,
        (
            Column("title", "Objet", "name", header=True),
            Column(
                "beneficiary_name",
                "Bénéficiaire",
                "name",
                href=lambda row: directory.beneficiary_href(row["organisation_id"]),
            ),
            Column("fiscal_year", "Exercice", "year"),
            Column("funder_names", "Financeurs", "name"),
            Column("amount", "Montant de tous", "money"),
            Column("proof", "Preuve"),
        ),
        sortable=True,
        search="Filtrer les lignes affichées",
    )
    return Section(
        "projets",
        "Les plus grands projets cofinancés",
        ("Le montant est la somme de ce que chaque financeur a mis ; ce n'est pas le coût du projet.",),
        tables=(table,),
        links=(
            Link("Tous les projets cofinancés (CSV)", "data/cofunded_projects.csv"),
            Link("Leurs attributions, avec la preuve (CSV)", "data/cofunded_lines.csv"),
        ),
    )


REPORT = Report(
    name="cofinancements",
    title="Cofinancements",
    description="Les projets que plusieurs financeurs aident : combien, qui finance avec qui, les plus grands.",
    page="cofinancements.html",
    tables=(
        "cofunded_lines",
        "cofunded_projects",
        "cofunding_by_funder_pair_year",
        "cofunding_by_funder_year",
        "cofunding_by_level_pair_year",
        "funders",
    ),
    build=build,
    order=45,
    menu="Cofinancements",
)
