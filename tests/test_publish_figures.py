"""One frame feeds picture, table, CSV and Plotly; headlines only claim what holds; absences keep their mark."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import schemas
from pipelines.publish import continuity, duration, funding, headlines, inhabitants, refusals, spread, tile_map
from pipelines.publish.charts import YearGrid
from pipelines.publish.context import Context
from pipelines.publish.database import PublicDatabase
from pipelines.publish.directory import addresses, label
from pipelines.publish.tables import NOT_PUBLISHED, SUPPRESSED, Column, cell
from tests.publish_database import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.figure import Figure

REFERENCE = Path(schemas.__file__).parent / "reference"
SCOPE = funding.Scope("essai", "fichier", 2026)


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    with PublicDatabase(build(tmp_path_factory.mktemp("figures") / "public.duckdb", size=60)) as database:
        yield Context(database)


def _drawn(figure: Figure) -> list[list[float]]:
    assert figure.chart is not None
    rows = re.findall(r'data-values="([^"]*)"', str(figure.chart.html(figure.frame)))
    return [[float(value) for value in row.split(" ") if value] for row in rows]


def _csv(figure: Figure) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(figure.csv().decode(), newline="")))


def _figures(context: Context) -> list[Figure]:
    """One figure of each kind, from the fixture's tables."""
    database, directory = context.database, context.directory
    levels, funder = database.table("funding_by_level_year"), "130000003"
    rates = database.where("refusal_rates_by_funder_year", "funder_id", "130000006")
    by_year = {
        "title": "Exercice",
        "label": lambda row: str(row["fiscal_year"]),
        "subtitle": "essai",
        "source": "essai",
    }
    return [
        duration.survival(
            database.table("continuity_survival"),
            id="k",
            label=lambda row: str(row["funder_id"]),
            href=lambda _: None,
            source="essai",
        ),
        *funding.by_year(database.where("funding_by_funder_year", "funder_id", funder), SCOPE, id="a"),
        *funding.by_category(
            database.where("funding_by_territory_year", "funder_id", funder),
            SCOPE,
            id="b",
            key="departement_code",
            title="Département",
            by="département",
            name=directory.territory_name,
            unknown="—",
        ),
        *inhabitants.by_territory(
            database.where("funding_by_territory_year", "funder_id", funder),
            SCOPE,
            id="m",
            key="departement_code",
            title="Département",
            by="département",
            name=directory.territory_name,
            level="departement",
        ),
        *funding.by_year_and(
            levels,
            SCOPE,
            id="c",
            key="funder_level",
            by="niveau",
            others="niveaux",
            name=lambda c: label("funder_level", c),
        ),
        refusals.rates(rates, id="d", **by_year),
        continuity.retention(database.where("continuity_by_funder_year", "funder_id", funder), id="e", **by_year),
        continuity.multi_year(
            database.where("continuity_multi_year_by_funder_year", "funder_id", funder), id="f", **by_year
        ),
    ]


def test_picture_table_csv_and_plotly_hold_the_same_numbers(context: Context) -> None:
    figures = _figures(context)
    assert len(figures) > 6
    for figure in figures:
        table, rows = figure.table.rows(), _csv(figure)
        assert len(table) == len(rows) == len(figure.frame)
        for column in figure.columns:
            place = figure.columns.index(column)
            for cells, row, value in zip(table, rows, figure.frame[column.name], strict=True):
                if value != value or value is None:
                    assert row[column.name] == ""
                    assert cells[place].is_mark
                    assert cells[place].text, "never blank"
                elif column.kind in {"count", "money", "share"}:
                    assert float(row[column.name]) == pytest.approx(float(value), abs=1e-9)
                    assert float(cells[place].key or "nan") == pytest.approx(float(value), abs=1e-6)
        plotly = json.loads(figure.plotly_json())
        axis = [value for trace in plotly["data"] for value in trace["x"] if value is not None]
        drawn = _drawn(figure)
        if figure.id.startswith(("d", "e", "f")):
            shown = [row[0] for row in drawn if row and len(row) != 2]
            assert axis == pytest.approx(shown, abs=1e-5)
        else:
            assert sorted(axis) == pytest.approx(sorted(value for row in drawn for value in row), abs=0.006)


@pytest.mark.parametrize("level", ["departement", "region"])
def test_the_map_has_one_tile_for_every_inhabited_territory(level: str) -> None:
    places = pd.read_csv(REFERENCE / f"{level}s.csv", dtype=str)
    placed = [code for line in tile_map.layout(level) for code in line if code != tile_map.EMPTY]
    assert sorted(placed) == sorted(places.loc[places["population"].notna(), "code"])


def test_the_map_tells_a_value_from_an_absence_and_loses_nobody() -> None:
    frame = pd.DataFrame(
        {"code": ["34", "2A", "09", "999"], "label": ["Hérault", "Corse-du-Sud", "Ariège", "Ailleurs"],
         "value": [2.5, 0.0, None, 1.0]}
    )  # fmt: skip
    chart = tile_map.TileMap("departement", "code", "label", "value")
    html = str(chart.html(frame))
    assert re.findall(r'title="([^ "]+)[^>]*data-values="([^"]*)"', html) == [
        ("Hérault", "2.5"), ("Corse-du-Sud", "0"), ("Ailleurs", "1"),
    ]  # fmt: skip
    assert '<span class="tile">09</span>' in html, "no value is no zero"
    assert chart.legend(frame)[-1].label == "aucune attribution connue"


def test_plotly_sends_nothing_and_cannot_break_out_of_its_script(context: Context) -> None:
    frame = context.database.table("funding_by_territory_year")
    figure = funding.by_category(
        frame, SCOPE, id="x", key="funder_id", title="F", by="f", name=lambda _: "</script><b>"
    )[0]
    text = figure.plotly_json()
    assert "<" not in text
    config = json.loads(text)["config"]
    assert config["showSendToCloud"] is False
    assert config["displaylogo"] is False
    assert json.loads(text)["layout"]["separators"] == ",\u202f"


def test_totals_of_a_figure_are_those_of_the_table(context: Context) -> None:
    frame = context.database.where("funding_by_funder_year", "funder_id", "130000003")
    figure = funding.by_year(frame, SCOPE, id="a")[0]
    assert figure.frame["amount"].sum() == pytest.approx(frame["amount"].sum())
    assert figure.frame["n_awards"].sum() == frame["n_awards"].sum()


def test_euros_per_inhabitant_are_those_of_the_last_complete_year(context: Context) -> None:
    frame = context.database.table("funding_by_region_year")
    figures = inhabitants.by_territory(frame, SCOPE, id="h", key="region_code", title="R", by="région", name=str)
    assert len({figure.id for figure in figures}) == len(figures) > 1
    for figure in figures:
        assert list(figure.frame["label"]) == ["76"], "a seat that is not known has no inhabitants"
        told = figure.frame.iloc[0]
        rows = frame[(frame["region_code"] == "76") & (frame["fiscal_year"] == told["fiscal_year"])]
        same = rows[(rows["currency"] == told["currency"]) & (rows["stage"] == told["stage"])]
        assert told["fiscal_year"] < SCOPE.before
        assert told["per_inhabitant"] == pytest.approx(same["amount"].sum() / 6_000_000, abs=0.005)


def test_currencies_and_stages_are_never_added_up(context: Context) -> None:
    figures = funding.by_year(context.database.table("funding_by_funder_year"), SCOPE, id="a")
    assert {(figure.frame["currency"].iloc[0], figure.frame["stage"].iloc[0]) for figure in figures} == {
        ("EUR", "awarded"),
        ("EUR", "paid"),
        ("EUR", "committed"),
        ("CHF", "awarded"),
    }
    assert len({figure.id for figure in figures}) == len(figures)


def test_a_year_without_data_is_not_a_zero() -> None:
    row = {"currency": "EUR", "stage": "awarded", "n_awards": 1, "n_lines": 1, "amount": 10.0, "n_without_amount": 0}
    rows = [
        {**row, "fiscal_year": year, "n_beneficiaries": 1, "n_loans_excluded": 0, "funder_id": "f"}
        for year in (2020, 2022)
    ]
    figure = funding.by_year(pd.DataFrame(rows), SCOPE, id="a")[0]
    assert figure.frame["fiscal_year"].tolist() == [2020, 2021, 2022]
    assert [cells[2].text for cells in figure.table.rows()][1] == "–"
    assert "Aucune donnée pour 2021" in figure.summary


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ({2023: 100.0, 2024: 120.0}, "Montants accordés en hausse de 20\u00a0% entre 2023 et 2024"),
        ({2023: 100.0, 2024: 80.0, 2026: 1.0}, "Montants accordés en baisse de 20\u00a0% entre 2023 et 2024"),
        ({2023: 100.0, 2024: 101.0}, "Montants accordés presque stables entre 2023 et 2024"),
        ({2022: 100.0, 2024: 120.0}, "Montants accordés par exercice"),
        ({2024: 0.0, 2025: 120.0}, "Montants accordés par exercice"),
        ({2025: 120.0, 2026: 1.0}, "Montants accordés par exercice"),
        ({2024: 120.0, 2025: 1.0}, "Montants accordés par exercice"),
        ({2024: 1.0, 2025: 120.0}, "Montants accordés par exercice"),
        ({}, "Montants accordés par exercice"),
    ],
)
def test_trend_claims_only_what_holds(amounts: dict[int, float], expected: str) -> None:
    assert headlines.trend(amounts, what="montants accordés", before=2026) == expected


def test_a_funder_whose_data_begin_is_not_a_rise() -> None:
    amounts = {2023: 100.0, 2024: 500.0}
    sources = {2023: frozenset({"a"}), 2024: frozenset({"a", "b"})}
    said = headlines.trend(amounts, what="montants accordés", before=2026, sources=sources)
    assert said == "Montants accordés par exercice"


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ([("sport", 60.0), ("santé", 40.0)], "Sport : 60\u00a0% des montants"),
        ([("sport", 40.0), ("santé", 35.0), ("logement", 25.0)], "Sport en tête, avec 40\u00a0% des montants"),
        ([(str(n), 10.0) for n in range(10)], "Neutre"),
        ([("inconnu", 60.0), ("santé", 40.0)], "Neutre"),
        ([("sport", 0.0), ("santé", 0.0)], "Neutre"),
    ],
)
def test_leader_claims_only_what_holds(amounts: list[tuple[str, float]], expected: str) -> None:
    assert headlines.leader(amounts, neutral="Neutre", unknown="inconnu") == expected


@pytest.mark.parametrize(
    ("status", "words"),
    [("not_published", NOT_PUBLISHED), ("suppressed", SUPPRESSED), ("not_applicable", "–")],
)
def test_refusals_that_are_not_shown_say_why(status: str, words: str) -> None:
    nothing = float("nan")
    row = {"status": status, "refusal_rate": nothing, "n_refused": nothing, "n_decided": nothing}
    row |= {"bound_low": nothing, "bound_high": nothing, "suppressed_columns": None}
    assert refusals.note(row) == words
    assert cell(Column("n_refused", "Refusées", "count", absent=refusals.mark("n_refused")), row).text == words


def test_bounds_are_words_too() -> None:
    row = {"status": "bounds", "refusal_rate": None, "bound_low": 0.1, "bound_high": 0.25}
    assert refusals.note(row) == "entre 10\u00a0% et 25\u00a0%"


def test_one_hidden_count_is_hidden_alone() -> None:
    row = {"status": "shown", "suppressed_columns": "n_inadmissible, n_pending", "n_inadmissible": None, "n_refused": 0}
    assert cell(Column("n_inadmissible", "", "count", absent=refusals.mark("n_inadmissible")), row).text == SUPPRESSED
    assert cell(Column("n_refused", "", "count", absent=refusals.mark("n_refused")), row).text == "0"


def test_a_grid_tells_a_zero_from_a_year_without_data() -> None:
    frame = pd.DataFrame(
        {"label": ["A"] * 3, "fiscal_year": [2020, 2021, 2022], "v": [5.0, 0.0, None], "status": ["0", "0", "–"]}
    )
    html = str(YearGrid("label", "v", "status").html(frame))
    assert '<td class="mark">–</td>' in html
    assert 'data-values="0">0\u00a0€' in html


def test_page_names_are_safe_unique_and_stable() -> None:
    rows = [
        {"id": "a", "slug": "secours", "name": "Secours"},
        {"id": "b", "slug": "secours", "name": "Secours"},
        {"id": "c", "slug": "../../etc", "name": "Etc"},
        {"id": "d", "slug": "index", "name": "Index"},
        {"id": "e", "slug": None, "name": "جمعية"},
    ]
    pages = addresses(rows, "id")
    assert len(set(pages.values())) == len(rows)
    assert all(re.fullmatch(r"[a-z0-9-]+", page) for page in pages.values())
    assert pages["c"] == "etc"
    assert "index" not in pages.values()
    assert addresses(rows[::-1], "id") == pages


def test_an_unobserved_year_of_the_triangle_is_no_zero(context: Context) -> None:
    frame = context.database.where("continuity_cohorts", "relation_key", "130000003")
    table = duration.cohorts(frame, id="t", place="essai", source="essai").table
    cells = {row[0].text: [cell.text for cell in row[1:]] for row in table.rows()}
    assert cells["entrés en 2020"] == ["12", "10", duration.NOT_OBSERVED, "6"]
    assert cells["entrés en 2021"] == ["12", duration.NOT_OBSERVED, "8", "6"]


def test_too_few_relations_have_no_share(context: Context) -> None:
    figure = duration.survival(
        context.database.table("continuity_survival"),
        id="s",
        label=lambda row: str(row["funder_id"]),
        href=lambda _: None,
        source="essai",
    )
    first = figure.table.rows()[0]
    assert [cell.text for cell in first[1:5]] == ["60", "80\u00a0%", "60\u00a0%", "40\u00a0%"]
    assert first[5].text == duration.TOO_FEW
    assert figure.note == duration.MAY_BE_FALSE


def test_concentration_and_spread_speak_of_one_stage(context: Context) -> None:
    frame = context.database.where("funding_concentration_by_funder_year", "funder_id", "130000003")
    currency, stage, part = spread.main_part(frame, "n_beneficiaries")
    assert set(part["currency"]) == {currency}
    assert set(part["stage"]) == {stage}
    assert spread.concentration(frame, id="c", place="essai", source="essai").columns[-1].title == "Nombre équivalent"
