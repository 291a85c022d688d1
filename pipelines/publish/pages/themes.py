"""« Ce qui est financé »: themes, and running costs, projects or investment, across funders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import funding
from pipelines.publish.directory import label
from pipelines.publish.funding import Scope
from pipelines.publish.layout import Section, figures_of
from pipelines.publish.reports import Output, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context


def build(context: Context) -> Iterator[Output]:
    """The page."""
    scope = Scope("tous financeurs", context.source, context.publication.as_of.year, funding.SEVERAL_FUNDERS)
    purposes = context.database.table("funding_by_purpose_year")
    themes = context.database.table("funding_by_theme_year")
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
            ("Les thèmes sont ceux des fichiers, ramenés à une liste commune.",),
            figures=(*by_theme, *by_year),
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


REPORT = Report(
    name="themes",
    title="Ce qui est financé",
    description="Ce que les subventions paient : fonctionnement, projet ou investissement, et quels thèmes.",
    page="themes.html",
    tables=("funding_by_purpose_year", "funding_by_theme_year"),
    build=build,
    order=35,
    menu="Thèmes",
)
