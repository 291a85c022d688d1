"""Continuity inside the years that a funder's data show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipelines.warehouse.build import build
from tests.warehouse_staging import Staging, line, row, rows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def funding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The city has data for 2018, 2019, 2021, 2022 and 2023; the département for 2020 to 2023; the region
    awards in 2020 and 2021 and refuses or examines afterwards."""
    staging = Staging(tmp_path_factory.mktemp("staging"))
    funded = {1: (2018, 2019, 2021, 2022, 2023), 2: (2018, 2019, 2022), 3: (2021, 2023), 4: (2019,), 5: (2023,)}
    county, region = {"funder_name": "Département"}, {"funder_name": "Région"}
    staging.deposit(
        "d1",
        [
            *(line(org=org, year=year) for org, years in funded.items() for year in years),
            line(org=6, year=2021, amount=0),
            line("refused", org=7, year=2022),
            line(org=2, year=2020, **county),
            line(org=2, year=2021, **county),
            line(org=8, year=2021, is_multi_year=True, agreement_start_year=2021, agreement_end_year=2024, **county),
            line(org=10, year=2022, **county),
            line(org=10, year=2023, **county),
            line(org=11, year=2020, **region),
            line(org=11, year=2021, **region),
            line("refused", org=9, year=2022, **region),
            line("pending", org=11, year=2023, **region),
            line(org=5, year=2023, applicant_siret="00000000500029"),
        ],
    )
    target = tmp_path_factory.mktemp("warehouse") / "funding.duckdb"
    build(staging.inputs(), target)
    return target


def pair(funding: Path, org: int, funder_id: str = "ville-de-lez") -> dict[str, Any]:
    return row(
        funding,
        "SELECT * FROM continuity_by_beneficiary_funder"
        f" WHERE organisation_id = 'siren:{org:09}' AND funder_id = '{funder_id}'",
    )


def test_a_year_without_data_is_not_a_loss(funding: Path) -> None:
    found = pair(funding, 1)
    assert (
        found["years_observed"],
        found["years_funded"],
        found["run_max"],
        found["run_current"],
        found["gap_years"],
    ) == (5, 5, 5, 5, 0)
    assert (found["is_left_censored"], found["is_right_censored"]) == (True, True)


def test_gaps_are_counted_in_observed_years(funding: Path) -> None:
    found = pair(funding, 2)
    assert (found["years_funded"], found["run_max"], found["run_current"], found["gap_years"]) == (3, 2, 0, 1)
    assert (found["first_year"], found["last_year"], found["is_right_censored"]) == (2018, 2022, False)


def test_an_award_of_zero_is_not_a_funded_year(funding: Path) -> None:
    assert (
        rows(funding, "FROM continuity_by_beneficiary WHERE organisation_id IN ('siren:000000006', 'siren:000000007')")
        == []
    )


def test_an_agreement_funds_its_observed_years_only(funding: Path) -> None:
    found = pair(funding, 8, "departement")
    assert (found["years_funded"], found["run_current"], found["last_year"]) == (3, 3, 2023)


def test_a_beneficiary_is_followed_over_the_years_of_its_own_funders(funding: Path) -> None:
    found = row(funding, "SELECT * FROM continuity_by_beneficiary WHERE organisation_id = 'siren:000000002'")
    assert (found["years_funded"], found["n_funders"], found["run_max"], found["run_current"]) == (5, 2, 5, 0)


def test_flows_of_a_funder(funding: Path) -> None:
    flows = {
        r["fiscal_year"]: r for r in rows(funding, "FROM continuity_by_funder_year WHERE funder_id = 'ville-de-lez'")
    }
    first = flows[2018]
    assert (first["n_funded"], first["n_entries"], first["n_kept_next"], first["n_lost_next"]) == (2, None, 2, 0)
    unseen_next = flows[2019]
    assert (unseen_next["n_entries"], unseen_next["n_lost_next"], unseen_next["retention_rate"]) == (1, None, None)
    after_hole = flows[2021]
    assert (after_hole["n_renewals"], after_hole["n_entries"], after_hole["is_previous_observed"]) == (1, 1, False)
    assert (after_hole["n_kept_next"], after_hole["n_lost_next"], after_hole["retention_rate"]) == (
        1,
        1,
        pytest.approx(0.5),
    )
    last = flows[2023]
    assert (last["n_entries"], last["n_renewals"], last["n_returns"], last["is_next_observed"]) == (1, 1, 1, False)


def test_years_without_any_award_are_not_observed(funding: Path) -> None:
    found = rows(funding, "FROM continuity_by_funder_year WHERE funder_id = 'region' ORDER BY fiscal_year")
    # 2022 has a refusal only and 2023 is under examination: nobody is lost there
    assert [(r["fiscal_year"], r["n_funded"], r["n_lost_next"]) for r in found] == [(2020, 1, 0), (2021, 1, None)]
    assert pair(funding, 11, "region")["years_observed"] == 2


def test_distribution_of_years_by_organisation_and_by_siret(funding: Path) -> None:
    found = rows(funding, "FROM continuity_years_distribution WHERE funder_id = 'ville-de-lez' ORDER BY years_funded")
    # two establishments of organisation 5 are two SIRETs
    assert [(r["years_funded"], r["n_beneficiaries"], r["n_beneficiaries_valid_siret"]) for r in found] == [
        (1, 2, 3),
        (2, 1, 1),
        (3, 1, 1),
        (5, 1, 1),
    ]
    overall = rows(funding, "FROM continuity_years_distribution_overall ORDER BY years_funded")
    assert [(r["years_funded"], r["n_beneficiaries"]) for r in overall] == [(1, 2), (2, 3), (3, 1), (5, 2)]


@pytest.fixture(scope="module")
def incomplete(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A merged county keeps one award of its last year; a town has a first year of one award, then a hole of one award,
    and its current year is not over (the date of reference is in November 2026)."""
    staging = Staging(tmp_path_factory.mktemp("staging"))
    county, town = {"funder_name": "Département"}, {"funder_name": "Ville"}
    staging.deposit(
        "d1",
        [
            *(line(org=org, year=year, **county) for year in (2021, 2022, 2023) for org in range(1, 21)),
            line(org=1, year=2024, **county),
            *(line(org=org, year=year, **town) for year in (2022, 2024, 2025) for org in range(1, 21)),
            line(org=1, year=2021, **town),
            line(org=30, year=2023, **town),
            line(org=1, year=2026, **town),
            line(org=40, year=2026, **town),
            line(org=1, year=2027, **town),
        ],
    )
    target = tmp_path_factory.mktemp("warehouse") / "funding.duckdb"
    build(staging.inputs(), target)
    return target


def test_years_that_are_nearly_empty_or_not_over_are_told(incomplete: Path) -> None:
    found = rows(incomplete, "FROM award_years WHERE completeness != 'complete' ORDER BY funder_id, fiscal_year")
    assert [(r["funder_id"], r["fiscal_year"], r["n_awards"], r["completeness"]) for r in found] == [
        ("departement", 2024, 1, "nearly_empty"),
        ("ville", 2021, 1, "nearly_empty"), ("ville", 2023, 1, "nearly_empty"),
        ("ville", 2026, 2, "in_progress"), ("ville", 2027, 1, "in_progress"),
    ]  # fmt: skip
    observed = rows(incomplete, "FROM observed_years WHERE funder_id = 'ville' ORDER BY fiscal_year")
    assert [(r["fiscal_year"], r["is_complete"]) for r in observed] == [
        (2022, True), (2024, True), (2025, True), (2026, False),
    ]  # fmt: skip


def test_who_is_not_in_an_incomplete_year_is_not_lost(incomplete: Path) -> None:
    rates = rows(incomplete, "FROM continuity_by_funder_year ORDER BY funder_id, fiscal_year")
    assert [(r["funder_id"], r["fiscal_year"], r["n_funded"], r["retention_rate"]) for r in rates] == [
        ("departement", 2021, 20, 1.0), ("departement", 2022, 20, 1.0), ("departement", 2023, 20, None),
        ("departement", 2024, 1, None),
        ("ville", 2022, 20, None), ("ville", 2024, 20, 1.0), ("ville", 2025, 20, None), ("ville", 2026, 2, None),
    ]  # fmt: skip
    assert not any(r["is_ended"] for r in rows(incomplete, "FROM continuity_relations"))
    found = pair(incomplete, 2, "ville")
    assert (found["years_funded"], found["years_observed"], found["run_current"], found["gap_years"]) == (3, 3, 3, 0)
    assert found["is_right_censored"]


def test_who_is_in_an_incomplete_year_is_funded(incomplete: Path) -> None:
    found = pair(incomplete, 1, "ville")
    assert (found["years_funded"], found["years_observed"], found["run_current"], found["last_year"]) == (4, 4, 4, 2026)
    new = pair(incomplete, 40, "ville")
    assert (new["years_funded"], new["run_current"], new["is_right_censored"]) == (1, 1, True)
    overall = row(incomplete, "FROM continuity_by_beneficiary WHERE organisation_id = 'siren:000000001'")
    assert (overall["first_year"], overall["last_year"], overall["run_current"]) == (2021, 2026, 6)
    kept = row(incomplete, "FROM continuity_by_beneficiary WHERE organisation_id = 'siren:000000002'")
    assert (kept["years_funded"], kept["run_current"], kept["last_year"]) == (5, 5, 2025)
    assert rows(incomplete, "FROM continuity_cohorts WHERE fiscal_year >= 2026") == []
