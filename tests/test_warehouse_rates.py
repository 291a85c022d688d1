"""Refusal rates: what is published, the interval, what enters no denominator, bounds while undecided."""

from __future__ import annotations

from decimal import Decimal
from math import sqrt
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pipelines.warehouse.build import build
from pipelines.warehouse.connection import MACROS
from tests.warehouse_staging import Staging, line, lines, row, rows

if TYPE_CHECKING:
    from pathlib import Path


def wilson(x: int, n: int) -> tuple[float, float]:
    """The score interval as the quadratic's roots: (p - π)² = z² π (1 - π) / n."""
    z2, p = 1.959963984540054**2, x / n
    a, b, c = 1 + z2 / n, -(2 * p + z2 / n), p * p
    root = sqrt(max(0.0, b * b - 4 * a * c))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


@pytest.fixture(scope="module")
def funding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One database, one funder per case."""
    staging = Staging(tmp_path_factory.mktemp("staging"))
    staging.deposit(
        "d1",
        [
            *lines(20, funder_name="Attributions seules"),
            *lines(15, "pending", funder_name="Tout en cours"),
            *lines(1, "refused", funder_name="Une décision"),
            *lines(12, "refused", funder_name="Tout refusé"),
            *lines(70, funder_name="Ordinaire", amount_requested=2000),
            *lines(30, "refused", org=100, funder_name="Ordinaire", amount_requested=1000),
            *lines(6, "inadmissible", org=200, funder_name="Ordinaire"),
            *lines(3, "withdrawn", org=210, funder_name="Ordinaire"),
            *lines(2, "closed_no_action", org=220, funder_name="Ordinaire"),
            *lines(1, "cancelled", org=230, funder_name="Ordinaire"),
            *lines(4, "pending", org=240, funder_name="Ordinaire"),
            *lines(12, funder_name="À moitié décidé"),
            *lines(6, "refused", org=100, funder_name="À moitié décidé"),
            *lines(10, "pending", org=200, funder_name="À moitié décidé"),
            *lines(2, "unknown", org=300, funder_name="À moitié décidé"),
            *lines(20, funder_name="Irrecevables seules"),
            *lines(7, "inadmissible", org=100, funder_name="Irrecevables seules"),
            *lines(20, funder_name="Deux services", service_name="Publie"),
            *lines(10, "refused", org=100, funder_name="Deux services", service_name="Publie"),
            *lines(20, org=200, funder_name="Deux services", service_name="Tait"),
            line("refused", org=1, funder_name="Motifs", refusal_reason="budget_exhausted"),
            line("refused", org=2, funder_name="Motifs"),
            line("inadmissible", org=3, funder_name="Motifs"),
            line("inadmissible", org=4, funder_name="Motifs", refusal_reason="late"),
            line("pending", org=5, funder_name="Motifs"),
        ],
    )
    declared = [
        *lines(20, funder_name="Zéro déclaré"),
        *lines(20, funder_name="Déclarations", service_name="A", year=2022),
        *lines(20, funder_name="Déclarations", service_name="A", year=2023),
        *lines(20, funder_name="Déclarations", service_name="B", year=2023),
        *lines(9, "refused", org=100, funder_name="Déclarations", service_name="B", year=2023),
    ]
    staging.deposit("d2", declared, depositor="autre")
    staging.declare(depositor="autre", funder_name="Zéro déclaré", publishes_refusals=True)
    staging.declare(depositor="autre", funder_name="DECLARATIONS", publishes_refusals=True)
    staging.declare(
        depositor="autre", funder_name="Déclarations", service_name="A", fiscal_year=2022, publishes_refusals=False
    )
    staging.declare(depositor="autre", funder_name="Déclarations", service_name="b", publishes_refusals=False)
    staging.deposit("d3", lines(20, funder_name="Nom du fichier"), depositor="dossier")
    staging.declare(depositor="dossier", funder_name="Nom du dossier", publishes_refusals=True)
    staging.declare(depositor="ailleurs", funder_name="Attributions seules", publishes_refusals=True)
    target = tmp_path_factory.mktemp("warehouse") / "funding.duckdb"
    build(staging.inputs(), target)
    return target


def rates(funding: Path, funder_id: str) -> dict[str, Any]:
    return row(
        funding, f"SELECT * FROM refusal_rates_by_funder_year WHERE funder_id = '{funder_id}' AND fiscal_year = 2023"
    )


def test_awards_alone_have_no_rate(funding: Path) -> None:
    found = rates(funding, "attributions-seules")
    assert (found["published"], found["refusal_rate"], found["n_awarded"], found["wilson_low"]) == (
        None,
        None,
        20,
        None,
    )
    assert row(funding, "SELECT refusals_published FROM funders WHERE funder_id = 'attributions-seules'") == {
        "refusals_published": "unknown"
    }


def test_all_pending_has_no_rate(funding: Path) -> None:
    found = rates(funding, "tout-en-cours")
    assert (found["refusal_rate"], found["n_decided"], found["pending_share"], found["decided_share"]) == (
        None,
        0,
        1,
        0,
    )


def test_below_ten_decisions_counts_only(funding: Path) -> None:
    found = rates(funding, "une-decision")
    assert (found["published"], found["n_refused"], found["n_decided"], found["refusal_rate"]) == (True, 1, 1, None)


def test_all_refused(funding: Path) -> None:
    found = rates(funding, "tout-refuse")
    assert found["refusal_rate"] == 1
    assert found["wilson_low"] == pytest.approx(wilson(12, 12)[0])
    assert found["wilson_high"] == 1


def test_rates_and_what_stays_out_of_the_denominator(funding: Path) -> None:
    found = rates(funding, "ordinaire")
    assert found["n_decided"] == 100
    assert found["n_total"] == 116
    assert found["refusal_rate"] == pytest.approx(0.3)
    assert (found["wilson_low"], found["wilson_high"]) == pytest.approx(wilson(30, 100))
    assert found["inadmissibility_rate"] == pytest.approx(6 / 106)
    assert found["non_success_rate"] == pytest.approx(36 / 106)
    assert found["pending_share"] == pytest.approx(4 / 116)
    assert (found["bound_low"], found["bound_high"]) == pytest.approx((30 / 104, 34 / 104))


def test_rates_by_amount(funding: Path) -> None:
    found = rates(funding, "ordinaire")
    assert found["amount_requested"] == Decimal("170000.00")
    assert found["n_requested_known"] == 100
    assert found["amount_awarded"] == Decimal("70000.00")
    assert found["satisfaction_rate_amount"] == pytest.approx(70 / 170)


@pytest.mark.parametrize(("x", "n"), [(0, 10), (1, 10), (5, 10), (37, 412), (412, 412)])
def test_wilson_is_the_root_of_its_quadratic(funding: Path, x: int, n: int) -> None:
    with duckdb.connect() as connection:
        connection.execute(MACROS.read_text(encoding="utf-8")).fetchall()
        low, high = connection.execute(f"SELECT wilson_low({x}, {n}), wilson_high({x}, {n})").fetchall()[0]
    assert (low, high) == pytest.approx(wilson(x, n), abs=1e-12)


def test_undecided_applications_give_bounds_instead_of_a_rate(funding: Path) -> None:
    found = rates(funding, "a-moitie-decide")
    assert (found["refusal_rate"], found["wilson_low"]) == (None, None)
    assert (found["bound_low"], found["bound_high"]) == pytest.approx((6 / 30, 18 / 30))


def test_inadmissible_alone_is_no_true_zero(funding: Path) -> None:
    found = rates(funding, "irrecevables-seules")
    assert (found["published"], found["refusal_rate"]) == (True, None)
    assert found["inadmissibility_rate"] == pytest.approx(7 / 27)


def test_a_true_zero_needs_a_declaration(funding: Path) -> None:
    found = rates(funding, "zero-declare")
    assert (found["published"], found["refusal_rate"]) == (True, 0)
    assert found["wilson_low"] == 0


def test_one_silent_service_in_two_leaves_the_funder_without_rate(funding: Path) -> None:
    found = rates(funding, "deux-services")
    assert (found["published"], found["refusal_rate"], found["published_share"]) == (None, None, pytest.approx(0.6))
    services = rows(
        funding,
        "SELECT service_key, refusal_rate FROM refusal_rates_by_service_year"
        " WHERE funder_id = 'deux-services' ORDER BY service_key",
    )
    assert [r["refusal_rate"] for r in services] == [pytest.approx(1 / 3), None]
    assert row(funding, "SELECT refusals_published FROM funders WHERE funder_id = 'deux-services'") == {
        "refusals_published": "partly"
    }


def test_the_most_precise_declaration_wins(funding: Path) -> None:
    found = rows(
        funding,
        "SELECT service_key, fiscal_year, published, basis FROM refusal_publication"
        " WHERE funder_id = 'declarations' ORDER BY ALL",
    )
    assert [(r["service_key"], r["fiscal_year"], r["published"], r["basis"]) for r in found] == [
        ("declarations/a", 2022, False, "declared"),
        ("declarations/a", 2023, True, "declared"),
        ("declarations/b", 2023, False, "declared"),
    ]


def test_a_declaration_speaks_for_its_folder_and_no_other(funding: Path) -> None:
    published = "SELECT published FROM refusal_publication WHERE funder_id = "
    assert row(funding, f"{published}'nom-du-fichier'") == {"published": True}
    assert row(funding, f"{published}'attributions-seules'") == {"published": None}


def test_reasons_follow_the_decision(funding: Path) -> None:
    found = rows(
        funding,
        "SELECT stage, refusal_reason, n FROM refusal_reasons_by_funder_year WHERE funder_id = 'motifs' ORDER BY ALL",
    )
    assert [(r["stage"], r["refusal_reason"], r["n"]) for r in found] == [
        ("examined", "budget_exhausted", 1),
        ("examined", "not_disclosed", 1),
        ("inadmissible", "late", 1),
        ("inadmissible", "not_disclosed", 1),
    ]
