"""The hard cases of the three analyses: what must not be counted, followed or compared, and why it is said so."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.warehouse.build import build
from pipelines.warehouse.disclosure import publish_database
from pipelines.warehouse.inputs import TWINS
from schemas.funder import FunderFile, load_funder_file
from schemas.publication import load_publication
from tests.warehouse_staging import AS_OF, Staging, line, lines, put, row, rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.warehouse_staging import Line


def of(funder: str, *lists: list[Line]) -> list[Line]:
    return [{**given, "funder_name": funder} for given in [item for found in lists for item in found]]


def agreement(start: int, end: int, **values: Any) -> Line:
    return line(is_multi_year=True, agreement_start_year=start, agreement_end_year=end, year=start, **values)


SERVICES = [
    {"service_name": "Nouveau", "service_id": "N", "predecessors": "Ancien A ; Ancien B",
     "valid_from": dt.date(2022, 1, 1)},
    {"service_name": "Ancien A", "service_id": "A", "valid_to": dt.date(2021, 12, 31)},
    {"service_name": "Ancien B", "service_id": "B", "valid_to": dt.date(2021, 12, 31)},
    {"service_name": "Coupé", "service_id": "C", "valid_to": dt.date(2021, 12, 31)},
    {"service_name": "Moitié 1", "service_id": "M1", "predecessors": "Coupé"},
    {"service_name": "Moitié 2", "service_id": "M2", "predecessors": "Coupé"},
]  # fmt: skip
CALLS = [
    {"call_id": "AAP-1", "title": "Doté", "envelope": 50000},
    {"call_id": "AAP-2", "title": "Sans enveloppe"},
    {"call_id": "AAP-3", "title": "Muet", "envelope": 1000},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("edges")


@pytest.fixture(scope="module")
def funding(folder: Path) -> Path:
    """One funder by case."""
    staging = Staging(folder)
    asked = {"amount_requested": 2000}
    tool = line("refused", org=1, funder_name="Deux outils", amount=None)
    given = [
        *of("Attributions seules", lines(20, scheme="A")),
        *of("Deux services", lines(20, service_name="Publie"), lines(10, "refused", org=50, service_name="Publie"),
            lines(20, org=100, service_name="Tait")),
        *of("Tout en cours", lines(15, "pending", deposited_date=dt.date(2026, 9, 1))),
        *of("Une décision", lines(1, "refused")),
        *of("Tout refusé", lines(12, "refused", **asked)),
        *of("Partiel", lines(6, amount=1000, **asked), lines(6, amount=2000, org=20, **asked),
            lines(8, "refused", org=40, **asked), [line(amount=None, org=60, **asked)],
            [line(amount=3000, org=61, **asked)]),
        *of("Refus chiffré", lines(12), lines(12, "refused", org=30, amount_awarded=500, amount=None)),
        *of("Sans statut", lines(30, "unknown", amount=None)),
        *of("Monnaies", lines(10, **asked), lines(10, "refused", org=30, currency="XTS", **asked)),
        *of("Trou", [line(org=1, year=y) for y in (2018, 2019, 2021, 2022)],
            [line(org=2, year=y) for y in (2019, 2021)], [line(org=3, year=2019), line(org=9, year=2018)]),
        *of("Conventions", [agreement(2021, 2024, amount=40000, org=1, agreement_id="C1")],
            [line(org=1, year=2022, amount=500),
            *(line(org=2, year=y) for y in range(2020, 2025))]),
        *of("Échéances", [agreement(2025, 2027, amount=3000, org=1), agreement(2025, 2028, amount=4000, org=2),
            line(org=3, year=2026, amount=9000), line(org=4, year=2025, amount=6000)]),
        *of("SIRET", [line(org=1, year=2021), line(org=1, year=2022, applicant_siret="00000000100029"),
            line(org=2, year=2021)]),
        *of("Reprises", [line(org=1, year=2021), line(org=1, year=2022), line(org=1, year=2022, amount=-1000),
            line(org=2, year=2022, amount=500), line(org=2, year=2022, amount=-100),
            line(org=3, year=2022, amount=-50)]),
        *of("Représentées", lines(10), lines(10, "refused", org=30),
            [line("refused", org=80, case_number="D-1", scheme="A"),
             line(org=80, case_number="D-2", previous_application_id="D-1", scheme="A"),
             line("refused", org=81, case_number="D-3", scheme="A"),
             line(org=81, case_number="D-4", scheme="A", title="Un autre projet")]),
        *of("Appels", lines(20, call_id="AAP-1", amount=1000, amount_requested=4000),
            lines(10, "refused", org=50, call_id="AAP-1", amount_requested=2000), lines(2, call_id="AAP-2", org=90),
            lines(3, call_id="AAP-3", org=95, service_name="Muet")),
        *of("Fusion", [line(org=1, year=2021, service_name="Ancien A"), line(org=2, year=2021, service_name="Ancien B"),
            line(org=1, year=2022, service_name="Nouveau"), line(org=2, year=2022, service_name="Nouveau"),
            line(org=5, year=2021, service_name="Coupé"), line(org=5, year=2022, service_name="Moitié 1")]),
        *of("Seuil", [line(org=i, year=y, amount=30000, publication_scope="above_threshold") for i in range(1, 5)
            for y in (2020, 2021)], [line(org=9, year=y, amount=30000, publication_scope="above_threshold")
            for y in (2021, 2022, 2023)], [line(org=10, year=y, amount=30000, publication_scope="above_threshold")
            for y in (2021, 2023)]),
        *of("Délais", [line(org=i, deposited_date=dt.date(2023, 1, 1), first_paid_date=dt.date(2023, 9, 1),
            decided_date=dt.date(2023, 1, 1) + dt.timedelta(10 * i)) for i in range(1, 12)],
            [line(org=50, deposited_date=dt.date(2023, 2, 1), decided_date=dt.date(2023, 1, 1)), line(org=51)]),
        *of("Entonnoir", *(made for n, (granted, refused) in enumerate([(80, 20), (40, 60), (70, 30)]) for made in (
                lines(granted, service_name=f"S{n}", org=1), lines(refused, "refused", service_name=f"S{n}", org=200))),
            lines(50, service_name="Muet"), lines(20, service_name="Irrecevables"),
            lines(10, "refused", service_name="Irrecevables", org=50),
            lines(5, "inadmissible", service_name="Irrecevables", org=90)),
    ]  # fmt: skip
    n_rows = len(given) + len(SERVICES) + len(CALLS)
    staging.deposit("d1", given, rows_accepted=n_rows, rows_read=n_rows)
    staging.deposit("outil-a", [tool, *lines(11, "refused", org=20, funder_name="Deux outils"),
                                *lines(10, org=40, funder_name="Deux outils")], depositor="ville")  # fmt: skip
    staging.deposit("outil-b", [{**tool, "application_id": "autre-identifiant"}], depositor="etat")
    put(folder / "d1", "d1", "service", SERVICES, funder_name="Fusion")
    put(folder / "d1", "d1", "call", CALLS, source_sheet="Appels", funder_name="Appels")
    inputs = staging.inputs()
    twin = {"line_id": "outil-b:Feuille1:2", "deposit_id": "outil-b", "other_line_id": "outil-a:Feuille1:2",
            "other_deposit_id": "outil-a", "fiscal_year": 2023, "stage": "awarded", "rule": "same_case",
            "likeness": None, "is_sure": True}  # fmt: skip
    inputs = type(inputs)(**{**vars(inputs), "twins": pl.DataFrame([twin], schema=TWINS, orient="row")})
    result = build(inputs, folder / "funding.duckdb")
    assert result.blocking == []
    return folder / "funding.duckdb"


def rates(funding: Path, funder_id: str, level: str = "funder", **where: str) -> dict[str, Any]:
    more = "".join(f" AND {name} = '{value}'" for name, value in where.items())
    return row(funding, f"FROM refusal_rates WHERE level = '{level}' AND funder_id = '{funder_id}'{more}")


@pytest.mark.parametrize(
    ("funder_id", "rate", "comparability"),
    [
        ("attributions-seules", None, "not_known_published"),
        ("deux-services", None, "partly_published"),
        ("tout-en-cours", None, "not_known_published"),
        ("une-decision", None, "too_few"),
        ("tout-refuse", 1, "comparable"),
        ("sans-statut", None, "unknown_statuses"),
        ("refus-chiffre", 0.5, "comparable"),
        ("deux-outils", 12 / 22, "comparable"),
    ],
)
def test_a_rate_or_the_reason_why_there_is_none(
    funding: Path, funder_id: str, rate: float | None, comparability: str
) -> None:
    found = rates(funding, funder_id)
    assert found["comparability"] == comparability
    assert found["refusal_rate"] == (None if rate is None else pytest.approx(rate, abs=1e-12))
    assert (found["wilson_low"] is None) == (rate is None)


def test_a_silent_service_beside_one_that_publishes(funding: Path) -> None:
    assert rates(funding, "deux-services", "service", service_key="deux-services/publie")["refusal_rate"] == 1 / 3
    silent = rates(funding, "deux-services", "service", service_key="deux-services/tait")
    assert (silent["refusal_rate"], silent["comparability"]) == (None, "not_known_published")
    assert rows(funding, "FROM effort_without_return WHERE service_key = 'deux-services/tait'") == []


def test_awards_alone_say_nothing_of_effort_or_demand(funding: Path) -> None:
    assert rows(funding, "FROM effort_without_return WHERE funder_id = 'attributions-seules'") == []
    mix = row(funding, "FROM purpose_mix_by_funder_year WHERE funder_id = 'attributions-seules'")
    assert (mix["asked_scope"], mix["requested_share"], mix["awarded_share"]) == ("awards_only", None, 1)


def test_partial_awards(funding: Path) -> None:
    found = rates(funding, "partiel")
    assert (found["n_partial"], found["n_above_requested"], found["n_awarded_both_known"]) == (6, 1, 13)
    assert found["partial_share"] == 6 / 13
    assert found["award_intensity"] == pytest.approx((6 * 1000 + 6 * 2000 + 3000) / (13 * 2000), abs=1e-12)
    # the award of an unknown amount is no award of nothing: neither its request nor its grant is counted
    assert found["satisfaction_rate_amount"] == pytest.approx(21000 / (21 * 2000), abs=1e-12)
    assert (found["n_requested_known"], found["n_decided"]) == (21, 22)


def test_a_refusal_with_an_amount_brings_nothing(funding: Path) -> None:
    assert rates(funding, "refus-chiffre")["amount_awarded"] == Decimal(12000)
    effort = row(funding, "FROM effort_without_return WHERE level = 'service' AND funder_id = 'refus-chiffre'")
    assert (effort["without_award_share"], effort["median_obtained"], effort["median_awarded"]) == (0.5, 500, 1000)


def test_the_same_decision_in_two_tools_is_one(funding: Path) -> None:
    found = rates(funding, "deux-outils")
    assert (found["n_refused"], found["n_total"]) == (12, 22)


def test_nothing_adds_two_currencies(funding: Path) -> None:
    found = rates(funding, "monnaies")
    assert (found["amount_status"], found["currency"], found["amount_requested"]) == ("several_currencies", None, None)
    assert (found["refusal_rate"], found["satisfaction_rate_amount"]) == (0.5, None)
    effort = row(funding, "FROM effort_without_return WHERE level = 'service' AND funder_id = 'monnaies'")
    assert (effort["currency"], effort["median_obtained"]) == (None, None)


def test_a_year_without_data_stops_what_can_be_followed(funding: Path) -> None:
    found = {
        r["organisation_id"][-1]: (r["first_year"], r["n_years"], r["is_ended"], r["is_entry_observed"])
        for r in rows(funding, "FROM continuity_relations WHERE level = 'funder' AND relation_key = 'trou'")
    }
    assert found == {"1": (2018, 2, False, False), "9": (2018, 1, True, False), "2": (2019, 1, False, True),
                     "3": (2019, 1, False, True)}  # fmt: skip
    assert rows(funding, "FROM continuity_survival WHERE level = 'funder' AND relation_key = 'trou'") == []
    cohort = rows(
        funding, "FROM continuity_cohorts WHERE level = 'funder' AND relation_key = 'trou' ORDER BY fiscal_year"
    )
    assert [(c["fiscal_year"], c["n_funded"], c["n_uninterrupted"]) for c in cohort] == [
        (2019, 2, 2), (2020, None, None), (2021, 1, None), (2022, 0, None),
    ]  # fmt: skip


def test_an_agreement_beside_annual_grants(funding: Path) -> None:
    agreed = row(
        funding,
        "FROM continuity_by_beneficiary_funder WHERE funder_id = 'conventions' AND organisation_id = 'siren:000000001'",
    )
    assert (agreed["years_funded"], agreed["run_max"]) == (4, 4)
    terms = row(funding, "FROM continuity_terms_by_funder_year WHERE funder_id = 'conventions'")
    assert (terms["n_agreements"], terms["mean_term"], terms["amount"]) == (1, 4, Decimal(40000))
    amounts = rows(
        funding,
        "SELECT fiscal_year, amount FROM relation_amounts WHERE level = 'funder' AND relation_key = 'conventions'"
        " AND organisation_id = 'siren:000000001' ORDER BY fiscal_year",
    )
    assert [(a["fiscal_year"], int(a["amount"])) for a in amounts] == [
        (2021, 10000), (2022, 10500), (2023, 10000), (2024, 10000),
    ]  # fmt: skip


def test_what_is_contracted_and_what_ends(funding: Path) -> None:
    found = rows(funding, "FROM continuity_secured_by_funder_year WHERE funder_id = 'echeances' ORDER BY fiscal_year")
    assert [(r["fiscal_year"], int(r["amount_contracted"]), r["n_ending"], int(r["amount_ending"])) for r in found] == [
        (2026, 2000, 0, 0), (2027, 2000, 1, 1000), (2028, 1000, 1, 1000),
    ]  # fmt: skip
    assert {(r["base_year"], int(r["base_amount"])) for r in found} == {(2025, 8000)}  # 2026 is not over
    assert found[1]["secured_share"] == 0.25
    assert {int(r["amount_estimated"]) for r in found} == {2000, 1000}
    assert {int(r["amount_firm"]) for r in found} == {0}  # no file says that these years are firm


def test_a_merger_of_services_loses_nobody(funding: Path) -> None:
    merged = rows(funding, "FROM continuity_by_service_year WHERE relation_key = 'fusion/nouveau' ORDER BY fiscal_year")
    assert [(r["fiscal_year"], r["n_funded"], r["retention_rate"]) for r in merged] == [(2021, 2, 1), (2022, 2, None)]
    assert rows(funding, "FROM continuity_by_service_year WHERE relation_key LIKE 'fusion/ancien%'") == []
    # one service cut in two is followed by neither
    alone = row(funding, "FROM continuity_by_service_year WHERE relation_key = 'fusion/coupe'")
    assert (alone["n_funded"], alone["is_next_observed"], alone["retention_rate"]) == (1, False, None)


def test_a_new_siret_is_the_same_beneficiary(funding: Path) -> None:
    found = row(funding, "FROM continuity_by_funder_year WHERE funder_id = 'siret' AND fiscal_year = 2021")
    assert (found["n_funded"], found["n_kept_next"]) == (2, 1)


def test_reversals_and_negative_lines(funding: Path) -> None:
    kept = rows(funding, "FROM relation_years WHERE level = 'funder' AND relation_key = 'reprises' ORDER BY ALL")
    assert [(r["organisation_id"][-1], r["fiscal_year"]) for r in kept] == [("1", 2021), ("2", 2022)]
    concentration = row(
        funding,
        "FROM funding_concentration_by_funder_year WHERE scope = 'all' AND funder_id = 'reprises'"
        " AND fiscal_year = 2022",
    )
    assert (concentration["n_beneficiaries"], concentration["amount"], concentration["hhi"]) == (1, Decimal(400), 1)
    assert concentration["n_without_positive_amount"] == 2
    spread = row(
        funding,
        "FROM funding_distribution WHERE scope = 'all' AND level = 'funder' AND funder_id = 'reprises'"
        " AND fiscal_year = 2022",
    )
    assert (spread["n_positive"], spread["n_not_positive"], spread["median_amount"]) == (2, 3, 750)
    assert spread["amount"] == Decimal(350)
    assert row(
        funding, "SELECT amount FROM funding_by_funder_year WHERE funder_id = 'reprises' AND fiscal_year = 2022"
    ) == {"amount": Decimal(350)}


def test_resubmissions_collapsed_and_raw(funding: Path) -> None:
    found = row(funding, "FROM resubmissions_by_service_year WHERE funder_id = 'representees'")
    assert (found["n_refused"], found["n_decided"], found["n_resubmitted"]) == (12, 24, 1)
    assert (found["n_refused_linked"], found["n_decided_linked"]) == (11, 23)
    assert found["refusal_rate_linked"] == pytest.approx(11 / 23, abs=1e-12)
    # two projects of one applicant under one scheme count as one here, and the description says so
    assert (found["n_refused_by_applicant"], found["n_decided_by_applicant"]) == (10, 22)


def test_demand_in_front_of_the_envelope(funding: Path) -> None:
    found = {r["call_key"]: r for r in rows(funding, "FROM call_demand")}
    known = found["appels/aap-1"]
    assert (known["status"], known["demand_to_envelope"], known["awarded_to_envelope"]) == ("shown", 2.0, 0.4)
    assert found["appels/aap-2"]["status"] == "envelope_not_stated"
    silent = found["appels/aap-3"]
    assert (silent["status"], silent["demand_to_envelope"]) == ("refusals_not_published", None)


def test_an_end_below_the_publication_threshold_may_be_false(funding: Path) -> None:
    found = {
        r["organisation_id"][-2:]: (r["is_ended"], r["below_threshold_possible"])
        for r in rows(funding, "FROM continuity_relations WHERE level = 'funder' AND relation_key = 'seuil'")
    }
    assert (found["01"], found["09"], found["10"]) == ((True, True), (False, None), (True, True))
    step = row(funding, "FROM continuity_survival WHERE level = 'funder' AND relation_key = 'seuil' AND age = 1")
    assert (step["n_at_risk"], step["n_ended"], step["n_below_threshold_possible"], step["survival"]) == (2, 1, 1, 0.5)


def test_delays_and_dates_out_of_order(funding: Path) -> None:
    found = {
        r["step"]: r for r in rows(funding, "FROM decision_delays WHERE level = 'funder' AND funder_id = 'delais'")
    }
    examined = found["deposit_to_decision"]
    assert (examined["n_applications"], examined["n_measured"], examined["n_out_of_order"]) == (13, 11, 1)
    assert (examined["median_days"], examined["days_90"], examined["n_late"]) == (60, 100, 6)
    assert found["decision_to_payment"]["n_measured"] == 11
    waiting = row(
        funding, "FROM decision_delays WHERE level = 'funder' AND funder_id = 'tout-en-cours' AND step = 'pending'"
    )
    assert (waiting["median_days"], waiting["n_late"]) == ((AS_OF - dt.date(2026, 9, 1)).days, 15)


def test_the_funnel_compares_what_is_comparable(funding: Path) -> None:
    found = rows(
        funding,
        "FROM refusal_funnel WHERE comparison = 'funder' AND funder_id = 'entonnoir' ORDER BY service_key",
    )
    assert [r["service_key"][-2:] for r in found] == ["s0", "s1", "s2"]
    pooled = 110 / 300
    half = 1.959963984540054 * math.sqrt(pooled * (1 - pooled) / 100)
    for cell in found:
        assert cell["group_rate"] == pytest.approx(pooled, abs=1e-12)
        assert cell["limit_95_high"] == pytest.approx(pooled + half, abs=1e-12)
    assert [r["funnel_position"] for r in found] == ["below_998", "above_998", "inside"]


def test_a_year_out_of_range_reaches_no_mart(tmp_path: Path) -> None:
    text = "exercice;nom bénéficiaire;SIRET bénéficiaire;montant accordé;statut\n"
    text += "".join(f"2023;Les Amis {n};44306184100047;{1000 + n};Accordé\n" for n in range(20))
    text += "3023;Les Amis;44306184100047;1000;Accordé\n"
    origin = Origin("d1", "ville", "fichier.csv", FunderFile(), funder_name="Ville de Lez")
    found = check_file(text.encode(), origin)
    assert (found.report.rows_accepted, found.report.rows_rejected) == (20, 1)
    staging = Staging(tmp_path)
    staging.frame("d1", found.accepted, rows_read=21, rows_rejected=1)
    build(staging.inputs(), tmp_path / "funding.duckdb")
    assert rows(tmp_path / "funding.duckdb", "SELECT fiscal_year, n_lines FROM funding_by_funder_year") == [
        {"fiscal_year": 2023, "n_lines": 20}
    ]


def test_a_declared_budget_stands_beside_what_is_known(tmp_path: Path) -> None:
    """From funder.toml to the table: for all, and for a service; two folders that disagree say nothing."""
    (tmp_path / "funder.toml").write_text(
        '[[budgets]]\nyear = 2023\namount = 50000.50\nsource = "BP 2023"\n'
        '[[budgets]]\nyear = 2023\namount = 20000\nservice = "Culture"\n'
        "[[budgets]]\nyear = 2024\namount = 100\n",
        encoding="utf-8",
    )
    said = load_funder_file(tmp_path / "funder.toml")
    assert [(b.year, b.service) for b in said.budgets] == [(2023, None), (2023, "Culture"), (2024, None)]
    staging = Staging(tmp_path / "staging")
    staging.deposit("d1", lines(12, year=2023))
    staging.deposit("d2", lines(3, year=2024, org=50), depositor="autre")
    for budget in said.budgets:
        told = {"service_name": budget.service, "fiscal_year": budget.year, "budget_source": budget.source}
        staging.declare(funder_name="Ville de Lez", budget=str(budget.amount), **told)
    staging.declare(depositor="autre", funder_name="Ville de Lez", budget="200", fiscal_year=2024)
    build(staging.inputs(), tmp_path / "funding.duckdb")
    found = rows(tmp_path / "funding.duckdb", "FROM funder_budgets ORDER BY ALL")
    assert [(r["fiscal_year"], r["service_name"], r["amount_budget"], r["budget_source"]) for r in found] == [
        (2023, "Culture", 20000, None), (2023, "—", Decimal("50000.50"), "BP 2023"), (2024, "—", None, None),
    ]  # fmt: skip
    publish_database(
        tmp_path / "funding.duckdb", tmp_path / "public.duckdb", as_of=AS_OF, parameters=load_publication()
    )
    assert rows(tmp_path / "public.duckdb", "FROM funder_budgets ORDER BY ALL") == found


def test_nothing_on_those_refused_goes_to_the_public(folder: Path, funding: Path) -> None:
    public = folder / "public.duckdb"
    publish_database(funding, public, as_of=AS_OF, parameters=load_publication())
    tables = {r["table_name"] for r in rows(public, "SELECT table_name FROM duckdb_tables()")}
    assert not tables & {
        "refusal_rates", "refusal_rates_by_deposit_year", "refusal_reasons_by_service_year", "decision_delays",
        "resubmissions_by_service_year", "call_demand", "effort_without_return", "refusal_funnel",
        "purpose_mix_by_funder_year", "relation_amounts", "continuity_relations",
    }  # fmt: skip
    assert rows(public, "SELECT DISTINCT scope FROM funding_distribution") == [{"scope": "legal"}]
    assert rows(public, "FROM continuity_survival WHERE survival IS NOT NULL AND n_at_risk < 20") == []
