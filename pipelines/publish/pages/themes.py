"""« Ce qui est financé »: themes, and running costs, projects or investment, across funders; then one page a theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats, funding
from pipelines.publish.directory import UNKNOWN_TERRITORY, amounts_word, label
from pipelines.publish.funding import Scope
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.reports import Output, Report
from pipelines.publish.tables import records
from schemas.codelist import codes, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from pipelines.publish.context import Context

TABLE = "funding_by_funder_theme_territory_year"
DEDUCED = (
    "Le thème est celui du fichier, ramené à une liste commune ; quand le fichier n'en dit pas, il est déduit par une "
    "règle publique, et peut être faux."
)


def build(context: Context) -> Iterator[Output]:
    """The page of all themes, and the page of each one met."""
    scope = Scope("tous financeurs", context.source, context.publication.as_of.year, funding.SEVERAL_FUNDERS)
    purposes = context.database.table("funding_by_purpose_year")
    themes = context.database.table("funding_by_theme_year")
    met = [code for code in codes("theme") if (themes["theme"] == code).any()]
    natures = funding.by_year_and(
        purposes,
        scope,
        id="natures",
        key="purpose",
        by="nature de dépense",
        others="natures",
        name=lambda c: label("purpose", c),
        interactive=True,
    )
    by_theme = funding.by_category(
        themes,
        scope,
        id="themes",
        key="theme",
        title="Thème",
        by="thème",
        name=lambda c: label("theme", c),
        method="themes",
    )
    by_year = funding.by_year_and(
        themes, scope, id="themes-annees", key="theme", by="thème", others="thèmes", name=lambda c: label("theme", c)
    )
    sections = [
        Section(
            "natures",
            "Fonctionnement, projet ou investissement",
            (
                (
                    "Beaucoup de fichiers ne disent pas la nature de la dépense : lisez d'abord la part « "
                    "nature non précisée »."
                ),
            ),
            figures=tuple(natures),
        ),
        Section(
            "themes",
            "Par thème",
            (DEDUCED,),
            figures=(*by_theme, *by_year),
            links=tuple(Link(formats.sentence(label("theme", code)), page(code)) for code in met),
        ),
    ]
    yield from context.page(
        REPORT.page,
        "sections.html.j2",
        report=REPORT,
        title="Ce qui est financé",
        description=REPORT.description,
        figures=figures_of(sections),
        kicker="Quoi",
        lead="Le fonctionnement, un projet ou un équipement ; l'aide alimentaire, le logement ou le sport.",
        key_figures=[],
        sections=sections,
    )
    for code in met:
        yield from _theme(context, code)


def page(theme: str) -> str:
    """The address of the page of a theme."""
    return f"themes/{formats.slug(label('theme', theme))}.html"


def _theme(context: Context, theme: str) -> Iterator[Output]:
    """Who funds one theme, where and when, and how much of the money has no known theme."""
    directory = context.directory
    frame = context.database.where(TABLE, "theme", theme)
    name = label("theme", theme)
    scope = Scope(name, context.source, context.publication.as_of.year, funding.SEVERAL_FUNDERS)
    funders = funding.by_category(
        frame,
        scope,
        id="financeurs",
        key="funder_id",
        title="Financeur",
        by="financeur",
        name=directory.funder_name,
        href=lambda row: directory.funder_href(row["funder_id"]),
        method="themes",
    )
    places = funding.by_category(
        frame,
        scope,
        id="departements",
        key="departement_code",
        title="Département du siège",
        by="département du siège",
        name=directory.territory_name,
        href=lambda row: directory.territory_href(row["departement_code"]),
        unknown=UNKNOWN_TERRITORY,
        method="territoires",
    )
    sections = [
        Section("financeurs", "Par financeur", (_unknown(context),), figures=tuple(funders)),
        Section(
            "departements",
            "Par département",
            ("Le territoire est celui du siège du bénéficiaire.",),
            figures=tuple(places),
            links=(Link("Chaque financeur, thème, département et exercice en CSV", f"data/{TABLE}.csv"),),
        ),
        Section("annees", "Par exercice", figures=tuple(funding.by_year(frame, scope, id="annees"))),
    ]
    described = next(row["description"] for row in rows("theme") if row["code"] == theme)
    yield from context.page(
        page(theme),
        "sections.html.j2",
        report=REPORT,
        title=formats.sentence(name),
        description=f"Qui finance, où et depuis quand : {name}.",
        figures=figures_of(sections),
        trail=[(REPORT.title, REPORT.page)],
        kicker="Thème",
        lead=f"{described} {DEDUCED}",
        key_figures=_key_figures(frame),
        sections=sections,
    )


def _key_figures(frame: pd.DataFrame) -> list[KeyFigure]:
    return [
        *(
            KeyFigure(
                formats.sentence(amounts_word(stage)),
                formats.money_compact(amount, currency=currency),
                formats.plural(awards, "attribution"),
            )
            for currency, stage, amount, awards in funding.totals(records(frame))[:2]
        ),
        KeyFigure("Financeurs", formats.count(frame["funder_id"].nunique())),
        KeyFigure("Exercices couverts", formats.years(frame["fiscal_year"].min(), frame["fiscal_year"].max())),
    ]


def _unknown(context: Context) -> str:
    """What is said of the awards without a theme, on every page of a theme."""
    everything = context.database.table("funding_by_theme_year")
    total = int(everything["n_lines"].sum())
    unknown = int(everything.loc[everything["theme"] == "unknown", "n_lines"].sum())
    if not unknown:
        return "Toutes les lignes des fichiers ont un thème connu."
    share = formats.percent(unknown / total)
    return f"Sur toutes les lignes des fichiers, {formats.count(unknown)} ({share}) sont sans thème connu."


REPORT = Report(
    name="themes",
    title="Ce qui est financé",
    description="Ce que les subventions paient : fonctionnement, projet ou investissement, et quels thèmes.",
    page="themes.html",
    tables=(TABLE, "funding_by_purpose_year", "funding_by_theme_year"),
    build=build,
    order=35,
    menu="Thèmes",
)
