"""« Années »: a page for each fiscal year, with what changed from the year before, among funders that have both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import comma_separated, formats, funding, year_changes
from pipelines.publish.directory import amounts_word
from pipelines.publish.funding import Scope
from pipelines.publish.layout import KeyFigure, Link, Section, figures_of
from pipelines.publish.reports import Output, Report
from pipelines.publish.tables import records
from pipelines.publish.year_changes import Year

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from pipelines.publish.context import Context


def build(context: Context) -> Iterator[Output]:
    """The page of each year, then their list."""
    table = context.database.table("funding_by_funder_year")
    values = sorted({int(year) for year in table["fiscal_year"]})
    for value in values:
        year = Year(
            value,
            value < context.publication.as_of.year,
            table[table["fiscal_year"] == value],
            table[table["fiscal_year"] == value - 1],
        )
        yield from _page(context, year, values)
    yield from _index(context, table, values)


def _path(year: int) -> str:
    return f"annees/{year}.html"


def _index(context: Context, table: pd.DataFrame, values: list[int]) -> Iterator[Output]:
    scope = Scope("tous financeurs", context.source, context.publication.as_of.year, funding.SEVERAL_FUNDERS)
    sections = [
        Section("exercices", "Chaque exercice", links=tuple(Link(str(year), _path(year)) for year in reversed(values))),
        Section("montants", "Montants", figures=tuple(funding.by_year(table, scope, id="annees", interactive=True))),
    ]
    yield from context.page(
        REPORT.page,
        "sections.html.j2",
        report=REPORT,
        title="Années",
        description=REPORT.description,
        figures=figures_of(sections),
        kicker="Quand",
        lead="D'un exercice à l'autre : montants, entrées, retours et pertes, par financeur et par thème.",
        key_figures=[],
        sections=sections,
    )


def _page(context: Context, year: Year, values: list[int]) -> Iterator[Output]:
    sections = [
        *year_changes.amounts(context, year),
        *year_changes.people(context, year),
        *year_changes.themes(context, year),
    ]
    for section_id, frame in (
        ("montants", year_changes.by_funder(context, year)),
        ("beneficiaires", year_changes.flows(context, year)),
    ):
        if len(frame):
            yield Output(f"data/annees/{year.value}-{section_id}.csv", comma_separated.from_pandas(frame))
    others = [Link(str(other), _path(other)) for other in (year.value - 1, year.value + 1) if other in values]
    links = (*others, Link(f"Les attributions de {year.value}", f"attributions.html#annee={year.value}"))
    sections.append(Section("suite", "Autres exercices", links=links))
    state = "" if year.is_complete else f" L'exercice {year.value} est en cours : il est incomplet."
    yield from context.page(
        _path(year.value),
        "sections.html.j2",
        report=REPORT,
        title=f"Exercice {year.value}",
        description=f"Ce qui a changé entre {year.value - 1} et {year.value}, par financeur et par thème.",
        trail=[("Années", REPORT.page)],
        figures=figures_of(sections),
        kicker="Année",
        lead=_lead(year) + state,
        key_figures=_key_figures(context, year),
        sections=sections,
    )


def _lead(year: Year) -> str:
    funders, both = year.frame["funder_id"].nunique(), len(year.both)
    verb = "ont" if both > 1 else "a"
    return (
        f"{formats.plural(funders, 'financeur')} {'ont' if funders > 1 else 'a'} des données pour {year.value} ; "
        f"{formats.count(both)} {verb} aussi celles de {year.value - 1} : les comparaisons ne portent que sur "
        f"{'ceux-là' if both > 1 else 'celui-là' if both else 'ceux qui ont les deux'}."
    )


def _key_figures(context: Context, year: Year) -> list[KeyFigure]:
    people = context.database.query(
        "SELECT count(DISTINCT organisation_id) AS n FROM funding_by_beneficiary_year WHERE fiscal_year = ?",
        [year.value],
    )
    return [
        *(
            KeyFigure(
                formats.sentence(amounts_word(stage)),
                formats.money_compact(amount, currency=currency),
                formats.plural(awards, "attribution"),
            )
            for currency, stage, amount, awards in funding.totals(records(year.frame))[:2]
        ),
        KeyFigure("Financeurs", formats.count(year.frame["funder_id"].nunique())),
        KeyFigure("Bénéficiaires nommés", formats.count(int(people["n"].iloc[0])), "personnes morales"),
    ]


REPORT = Report(
    name="annees",
    title="Années",
    description="Un exercice après l'autre : ce qui a changé, chez les financeurs dont les données couvrent les deux.",
    page="annees/index.html",
    tables=(
        "continuity_by_funder_year",
        "funders",
        "funding_by_beneficiary_year",
        "funding_by_funder_theme_year",
        "funding_by_funder_year",
    ),
    build=build,
    order=35,
)
