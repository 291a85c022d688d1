"""What is counted, once: versions, demonstrations, repeated applications, loans, agreements spread over their years."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pytest

from pipelines.warehouse.build import build
from pipelines.warehouse.connection import run
from pipelines.warehouse.graph import checks
from tests.warehouse_staging import Staging, line, lines, row, rows

if TYPE_CHECKING:
    from pathlib import Path


BY_YEAR = "funding_by_funder_year"


def agreement(start: int, end: int, **values: object) -> dict[str, object]:
    return line(is_multi_year=True, agreement_start_year=start, agreement_end_year=end, **values)


@pytest.fixture(scope="module")
def funding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One database, one funder per case."""
    staging = Staging(tmp_path_factory.mktemp("staging"))
    staging.deposit("demonstration", lines(4, funder_name="Ville de démonstration"), is_demonstration=True)
    twice = line(funder_name="Deux fois", application_id="same", case_number="7", amount_requested=1500)
    staging.deposit(
        "main",
        [
            twice,
            dict(twice),
            line("refused", funder_name="Deux fois", application_id="same", case_number="7", amount=None),
            line(funder_name="Prêteur", org=1),
            line(funder_name="Prêteur", org=2, aid_form="loan", amount=None, amount_loan=9000),
            line(funder_name="Prêteur", org=3, amount=None, amount_guarantee=5000),
            line("refused", funder_name="Prêteur", org=4, aid_form="loan", amount=None, amount_loan=100),
            line(funder_name="Prêteur", org=5, amount=300, amount_loan=100),
            line(funder_name="Étapes", headline_stage="paid", amount=999, amount_paid=10, org=1),
            line(funder_name="Étapes", amount=20, org=1),
            line(funder_name="Étapes", amount=None, org=2),
            line(funder_name="Étapes", amount=5, currency="GBP", org=3),
            line("refused", funder_name="Étapes", amount=None, amount_awarded=77, org=4),
        ],
    )
    staging.deposit(
        "agreements",
        [
            agreement(2021, 2024, funder_name="Quatre ans", year=2021, amount=1000.01, agreement_id="CPO-1", org=1),
            agreement(2022, 2023, funder_name="Deux ans dits", year=2022, amount=300, agreement_id="CPO-2", org=1),
            agreement(2022, 2023, funder_name="Deux ans dits", year=2023, amount=500, agreement_id="CPO-2", org=1),
            agreement(2025, 2027, funder_name="Sans numéro", year=2025, amount=90, org=2),
        ],
    )
    staging.deposit("old", lines(3, funder_name="Versions", year=2022) + lines(2, funder_name="Versions", year=2021))
    staging.deposit("new", lines(4, funder_name="Versions", year=2022))
    staging.version("old", 2022, is_counted=False, reason="replaced", other_deposit_id="new")
    staging.version("old", 2021, is_counted=True, reason="counted")
    staging.deposit("held", lines(5, funder_name="Retenu"), status="held")
    staging.deposit("gone", lines(5, funder_name="Parti"), is_current=False)
    staging.deposit(
        "identities",
        [
            line(funder_name="Identités", funder_siren="219900010", org=1),
            line(funder_name="IDENTITÉS", org=1, service_name=None),
            line(
                funder_name="Identités",
                org=1,
                applicant_name="Autre nom",
                seat_commune_code=None,
                seat_postcode="20250",
            ),
            line(
                funder_name="Identités",
                applicant_siren=None,
                applicant_siret=None,
                applicant_rna="W341234567",
                seat_commune_code="97411",
            ),
            line(
                funder_name="Identités",
                applicant_siren=None,
                applicant_siret=None,
                applicant_local_id="42",
                seat_commune_code=None,
            ),
            line(
                funder_name="Identités",
                applicant_siren=None,
                applicant_siret=None,
                applicant_name="Œuvre de l'Été",
                seat_commune_code="2B033",
            ),
        ],
    )
    unnamed = {"applicant_siren": None, "applicant_siret": None}
    staging.deposit(
        "doubts",
        [
            line(org=801, applicant_kind_basis="name"),
            line(org=801, applicant_kind="unknown"),
            line(org=802),
            line(org=802, applicant_kind="natural"),
            line(applicant_name="Les Amis", **unnamed),
            line(applicant_name="Les amis", applicant_kind="unknown", **unnamed),
        ],
    )
    target = tmp_path_factory.mktemp("warehouse") / "funding.duckdb"
    assert all(result.is_passed or not result.check.is_blocking for result in build(staging.inputs(), target).checks)
    return target


def test_a_demonstration_is_dropped_when_a_real_deposit_arrives(funding: Path) -> None:
    lines_ = rows(funding, "SELECT DISTINCT is_counted, not_counted_reason FROM applications WHERE is_demonstration")
    assert lines_ == [{"is_counted": False, "not_counted_reason": "demonstration"}]
    assert rows(funding, "FROM funders WHERE name = 'Ville de démonstration'") == []


def test_a_demonstration_alone_is_counted(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    staging.deposit("demonstration", lines(4), is_demonstration=True)
    staging.deposit("held", lines(2), status="held")
    build(staging.inputs(), tmp_path / "funding.duckdb")
    assert row(tmp_path / "funding.duckdb", "SELECT n_awards, is_demonstration FROM funders") == {
        "n_awards": 4,
        "is_demonstration": True,
    }


def test_only_current_accepted_deposits_are_loaded(funding: Path) -> None:
    assert rows(funding, "FROM applications WHERE deposit_id IN ('held', 'gone')") == []


def test_a_replaced_year_is_kept_and_not_counted(funding: Path) -> None:
    counted = rows(
        funding,
        "SELECT deposit_id, fiscal_year, not_counted_reason, count(*) AS n FROM applications"
        " WHERE funder_name = 'Versions' GROUP BY ALL ORDER BY ALL",
    )
    assert [(r["deposit_id"], r["fiscal_year"], r["not_counted_reason"], r["n"]) for r in counted] == [
        ("new", 2022, None, 4),
        ("old", 2021, None, 2),
        ("old", 2022, "replaced", 3),
    ]
    assert row(funding, "SELECT sum(n_awards) AS n FROM funding_by_funder_year WHERE funder_id = 'versions'") == {
        "n": 6
    }


def test_one_application_on_several_lines_is_one_decision(funding: Path) -> None:
    decision = row(
        funding,
        "SELECT decision_status AS status, n_lines, amount_requested, amount_awarded FROM decisions"
        " WHERE application_id = 'same'",
    )
    assert decision == {
        "status": "awarded",
        "n_lines": 3,
        "amount_requested": Decimal("1500.00"),
        "amount_awarded": Decimal("1000.00"),
    }
    rates = row(
        funding, "SELECT n_awarded, n_refused, n_total FROM refusal_rates_by_funder_year WHERE funder_id = 'deux-fois'"
    )
    assert rates == {"n_awarded": 1, "n_refused": 0, "n_total": 1}
    assert row(funding, f"SELECT n_awards, n_lines, amount FROM {BY_YEAR} WHERE funder_id = 'deux-fois'") == {
        "n_awards": 1, "n_lines": 2, "amount": Decimal("2000.00"),
    }  # fmt: skip


def test_loans_and_guarantees_are_in_no_grant_total_nor_decision(funding: Path) -> None:
    total = row(
        funding,
        "SELECT n_awards, n_lines, amount, n_beneficiaries, n_loans_excluded"
        f" FROM {BY_YEAR} WHERE funder_id = 'preteur'",
    )
    assert total == {
        "n_awards": 2,
        "n_lines": 2,
        "amount": Decimal("1300.00"),
        "n_beneficiaries": 2,
        "n_loans_excluded": 2,
    }
    assert row(
        funding, "SELECT n_awarded, n_refused FROM refusal_rates_by_funder_year WHERE funder_id = 'preteur'"
    ) == {"n_awarded": 2, "n_refused": 0}


def test_stages_and_currencies_are_never_added(funding: Path) -> None:
    totals = rows(
        funding,
        f"SELECT currency, stage, amount, n_without_amount FROM {BY_YEAR} WHERE funder_id = 'etapes' ORDER BY ALL",
    )
    assert [(r["currency"], r["stage"], r["amount"], r["n_without_amount"]) for r in totals] == [
        ("EUR", "awarded", Decimal("20.00"), 1),
        ("EUR", "paid", Decimal("10.00"), 0),
        ("GBP", "awarded", Decimal("5.00"), 0),
    ]
    funder = row(
        funding, "SELECT amount_awarded, currency, stage, has_other_amounts FROM funders WHERE funder_id = 'etapes'"
    )
    assert funder == {
        "amount_awarded": Decimal("20.00"),
        "currency": "EUR",
        "stage": "awarded",
        "has_other_amounts": True,
    }


def test_an_amount_on_a_refused_line_is_in_no_total(funding: Path) -> None:
    assert row(funding, "SELECT amount_headline FROM applications WHERE amount_awarded = 77") == {
        "amount_headline": None
    }


def test_a_four_year_agreement_is_spread_to_the_cent(funding: Path) -> None:
    parts = rows(
        funding,
        "SELECT fiscal_year, amount, spread FROM funding_years WHERE funder_id = 'quatre-ans' ORDER BY fiscal_year",
    )
    assert [(r["fiscal_year"], r["amount"]) for r in parts] == [
        (2021, Decimal("250.00")),
        (2022, Decimal("250.00")),
        (2023, Decimal("250.00")),
        (2024, Decimal("250.01")),
    ]
    assert {r["spread"] for r in parts} == {"estimated"}


def test_years_that_a_file_states_are_kept(funding: Path) -> None:
    parts = rows(
        funding,
        "SELECT fiscal_year, amount, spread FROM funding_years WHERE funder_id = 'deux-ans-dits' ORDER BY fiscal_year",
    )
    assert [(r["fiscal_year"], r["amount"], r["spread"]) for r in parts] == [
        (2022, Decimal("300.00"), "stated"),
        (2023, Decimal("500.00"), "stated"),
    ]


def test_agreements_are_listed_with_their_end(funding: Path) -> None:
    found = rows(
        funding, "SELECT agreement_id, end_year, amount, ends_next_year FROM continuity_agreements ORDER BY end_year"
    )
    assert [(r["end_year"], r["amount"], r["ends_next_year"]) for r in found] == [
        (2023, Decimal("800.00"), False),
        (2024, Decimal("1000.01"), False),
        (2027, Decimal("90.00"), True),
    ]


def test_a_funder_is_its_siren_where_its_folder_gives_it(funding: Path) -> None:
    ids = rows(
        funding, "SELECT DISTINCT funder_id, service_key FROM applications WHERE deposit_id = 'identities' ORDER BY ALL"
    )
    assert [(r["funder_id"], r["service_key"]) for r in ids] == [
        ("219900010", "219900010/-"),
        ("219900010", "219900010/direction-de-la-solidarite"),
    ]
    assert row(funding, "SELECT name, slug FROM funders WHERE funder_id = '219900010'") == {
        "name": "Identités",
        "slug": "identites",
    }
    assert row(funding, "SELECT name FROM services WHERE service_key = '219900010/-'") == {
        "name": "service non précisé"
    }


def test_an_organisation_is_its_best_identifier(funding: Path) -> None:
    found = rows(
        funding,
        "SELECT organisation_id, seat_departement_code AS d FROM applications"
        " WHERE deposit_id = 'identities' ORDER BY source_row",
    )
    assert [(r["organisation_id"], r["d"]) for r in found] == [
        ("siren:000000001", "34"),
        ("siren:000000001", "34"),
        ("siren:000000001", "2B"),
        ("rna:W341234567", "974"),
        ("local:219900010:42", None),
        ("name:219900010:oeuvre-de-l-ete:2B033", "2B"),
    ]
    organisation = row(funding, "SELECT name, names FROM organisations WHERE organisation_id = 'siren:000000001'")
    assert organisation["name"] == "Association 1"
    assert organisation["names"][-1] == "Autre nom"


def test_a_doubt_keeps_an_organisation_out_of_names(funding: Path) -> None:
    kinds = rows(
        funding,
        "SELECT organisation_id, kind FROM organisations SEMI JOIN applications USING (organisation_id)"
        " WHERE organisation_id IN ('siren:000000801', 'siren:000000802')"
        " OR organisation_id LIKE 'name:%:les-amis%' ORDER BY ALL",
    )
    assert [r["kind"] for r in kinds] == ["unknown", "legal", "natural"]


@pytest.mark.parametrize(
    ("decided", "found"),
    [
        ("('a'), ('b')", []),
        ("('a')", [("b", 0)]),
        ("('a'), ('b'), ('b')", [("b", 2)]),
        ("('a'), ('b'), ('of no counted line')", [("of no counted line", 1)]),
    ],
)
def test_the_check_of_decisions_finds_those_missing_repeated_or_of_no_line(
    decided: str, found: list[tuple[str, int]]
) -> None:
    check = next(check for check in checks() if check.name == "decisions_are_counted_once")
    with duckdb.connect(":memory:") as connection:
        run(
            connection,
            "CREATE TABLE applications AS SELECT * FROM (VALUES ('a', true, true), ('a', true, true),"
            " ('b', true, true), ('uncounted', false, true), ('loan', true, false))"
            " AS t (application_id, is_counted, is_grant)",
        )
        run(connection, f"CREATE TABLE decisions AS SELECT * FROM (VALUES {decided}) AS t (application_id)")
        assert run(connection, check.sql) == found


@pytest.mark.parametrize(
    ("spread", "found"),
    [
        ("('a', 10.00), ('a', 5.00), ('b', NULL)", []),
        ("('a', 10.00), ('a', 4.99), ('b', NULL)", ["a"]),
        ("('b', NULL)", ["a"]),
        ("('a', 15.00), ('b', 1.00), ('c', 2.00)", ["b", "c"]),
    ],
)
def test_the_check_of_spread_amounts_finds_a_cent(spread: str, found: list[str]) -> None:
    check = next(check for check in checks() if check.name == "every_spread_amount_adds_up")
    with duckdb.connect(":memory:") as connection:
        run(
            connection,
            "CREATE TABLE applications AS SELECT application_id, amount_headline::decimal(18, 2) AS amount_headline,"
            " 'EUR' AS currency, 'awarded' AS stage, true AS is_counted, true AS is_award, true AS is_grant"
            " FROM (VALUES ('a', 12.00), ('a', 3.00), ('b', NULL)) AS t (application_id, amount_headline)",
        )
        run(
            connection,
            "CREATE TABLE funding_years AS SELECT application_id, amount::decimal(18, 2) AS amount, 'EUR' AS currency,"
            f" 'awarded' AS stage FROM (VALUES {spread}) AS t (application_id, amount)",
        )
        assert sorted(row[0] for row in run(connection, check.sql)) == found
