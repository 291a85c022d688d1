"""Amounts of natural persons and of organisations of unknown kind: no sum, difference or publication tells one."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import polars as pl
import pytest

from pipelines.warehouse import persons, persons_former
from pipelines.warehouse.audit import UnsafePublication
from pipelines.warehouse.build import build
from pipelines.warehouse.disclosure import publish_database
from pipelines.warehouse.publications import Archive
from schemas.publication import load_publication
from tests.warehouse_staging import AS_OF, Staging, line, lines, row, rows

if TYPE_CHECKING:
    from pathlib import Path

PARAMETERS = load_publication()
LIMITS = PARAMETERS.disclosure
OF_LEGAL_PERSONS = {
    "awards", "beneficiaries", "call_results", "cofunded_lines", "cofunded_projects", "cofunding_by_funder_pair_year",
    "cofunding_by_level_pair_year", "continuity_agreements", "continuity_by_funder_year",
    "continuity_multi_year_by_funder_year", "continuity_secured_by_funder_year", "continuity_terms_by_funder_year",
    "data_quality_by_deposit", "funding_by_beneficiary_year", "funding_concentration_by_beneficiary_year",
    "funding_concentration_by_funder_year", "funding_coverage_by_funder_year", "funding_distribution",
    "funding_flows_by_funder_year", "refusal_rates_by_funder_year", "refusal_rates_by_scheme_year",
    "refusal_rates_by_service_territory_year", "refusal_rates_by_service_year",
}  # fmt: skip
"""Public tables with amounts of legal persons only; requested amounts obey `amount_rules`."""
OF_FUNDERS = {"calls", "funder_budgets"}
"""What funders announce, of nobody."""
OF_YEARS = {"funders", "changes_by_funder"}
"""Made of the sums of other public tables."""


def person(org: int, amount: float | None, **values: Any) -> dict[str, Any]:
    kind = values.pop("kind", "natural")
    return line(org=org, amount=amount, applicant_kind=kind, applicant_name=f"Personne {org}", **values)


def published(folder: Path, given: list[dict[str, Any]], archive: Archive | None = None) -> Path:
    staging = Staging(folder / "staging")
    staging.deposit("d1", given)
    build(staging.inputs(), folder / "funding.duckdb")
    target = folder / "public.duckdb"
    publish_database(folder / "funding.duckdb", target, as_of=AS_OF, parameters=PARAMETERS, archive=archive)
    return target


def atoms(*given: dict[str, Any]) -> pl.DataFrame:
    every = {
        "funder_id": "f", "fiscal_year": 2023, "currency": "EUR", "stage": "awarded", "funder_level": "commune",
        "level_group": "bloc_communal", "applicant_kind": "natural", "service_key": "f/a", "scheme": "—",
        "theme": "unknown", "theme_raw": None, "purpose": "unknown", "aid_form": "cash", "departement_code": "34",
        "region_code": "76", "epci_code": "—", "n_lines": 1,
    }  # fmt: skip
    return pl.DataFrame([every | one for one in given], schema=persons.ATOMS, orient="row")


def test_a_person_alone_is_in_no_sum() -> None:
    told = persons.grouped(atoms({"unit": "a", "cents": 100}, {"unit": "b", "cents": 200}), LIMITS)
    assert set(told["told"]) == {persons.NONE}


def test_one_that_outweighs_the_others_is_in_no_sum() -> None:
    told = persons.grouped(
        atoms(*({"unit": u, "cents": c} for u, c in zip("abcd", (1, 1, 1, 97), strict=True))), LIMITS
    )
    assert set(told["told"]) == {persons.NONE}


def test_those_left_over_take_the_smallest_group_with_them() -> None:
    here = [{"unit": f"a{i}", "cents": 100, "service_key": "f/a"} for i in range(6)]
    there = [{"unit": f"b{i}", "cents": 100, "service_key": "f/b"} for i in range(3)]
    alone = {"unit": "c", "cents": 100, "service_key": "f/c"}
    told = persons.grouped(atoms(*here, *there, alone), LIMITS)
    by_service = dict(told.group_by("service_key").agg(pl.col("told").unique().first()).iter_rows())
    assert by_service == {"f/a": "full", "f/b": "total", "f/c": "total"}


def test_no_combination_of_sums_is_that_of_too_few() -> None:
    """An attacker who solves every table at once: no person's amount, nor that of two, is a combination of sums."""
    dice = random.Random(20261127)
    choices = {"service_key": "ab", "theme": "xyz", "departement_code": ["34", "30"], "applicant_kind": ["n", "u"]}
    compared = 0
    for _ in range(12):
        given = atoms(
            *(
                {"unit": f"u{i}", "cents": dice.choice([100, 100, 250, 4000, -50]),
                 **{name: dice.choice(list(values)) for name, values in choices.items()}}
                for i in range(dice.randint(6, 14))
            )
        )  # fmt: skip
        told = persons.grouped(given, LIMITS)
        assert persons.unsafe_groups(told, LIMITS).is_empty()
        every = persons.group_names(told).to_dicts()
        groups: dict[str, set[int]] = {}
        for index, atom in enumerate(every):
            if atom["group"] is not None:
                groups.setdefault(atom["group"], set()).add(index)
        sums = []
        for table in persons.TABLES:
            # each cell as hold() fills it: the groups that are whole in it
            cells: dict[tuple[Any, ...], set[int]] = {}
            for index, atom in enumerate(every):
                cells.setdefault(tuple(atom[key] for key in persons.cell_keys(table)), set()).add(index)
            for cell in cells.values():
                held = set().union(*(group for group in groups.values() if group <= cell))
                sums.append([1.0 if index in held else 0.0 for index in range(len(every))])
        _, sizes, directions = np.linalg.svd(np.array(sums))
        free = directions[(sizes > 1e-9).sum() :]  # what the sums leave free to move
        for first in range(len(every)):
            for second in range(first, len(every)):
                target = np.zeros(len(every))
                target[[first, second]] = 1.0
                assert np.abs(free @ target).max() > 1e-9
                compared += 1
    assert compared > 300


def test_the_amount_of_one_person_changes_nothing_anywhere(tmp_path: Path) -> None:
    """Two warehouses that differ by what one person was awarded give one public database."""
    requested = {"amount_requested": 90_000}
    given = [
        *lines(20, org=1, **requested),
        *lines(15, "refused", org=500, **requested),
        *(line(org=o, year=2022) for o in range(1, 20)),
        person(900, 300, theme="food_aid", seat_commune_code="34172", scheme="S", **requested),
        person(900, 300, year=2022, purpose="project"),
        person(
            902, 300, year=2022, is_multi_year=True, agreement_start_year=2022, agreement_end_year=2027,
            agreement_id="CPO", year_certainty="firm",
        ),
        line(
            org=30, year=2022, is_multi_year=True, agreement_start_year=2022, agreement_end_year=2028,
            agreement_id="CPO2", year_certainty="firm",
        ),
        line(
            org=903, applicant_kind="natural", amount=None, amount_loan=300, aid_form="loan",
            applicant_name="Personne",
        ),
        person(904, 300, kind="unknown", applicant_siren=None, applicant_siret=None, funder_name="Autre"),
    ]  # fmt: skip
    found = []
    for number, amount in enumerate((300, 77_000)):
        made = [{name: amount if value == 300 else value for name, value in one.items()} for one in given]
        target = published(tmp_path / str(number), made)
        tables = [r["table_name"] for r in rows(target, "SELECT table_name FROM duckdb_tables() ORDER BY ALL")]
        found.append({table: rows(target, f"FROM {table} ORDER BY ALL") for table in tables})
    assert {name for name in found[0] if found[0][name] != found[1][name]} == set()
    assert sum(r["n_withheld"] for r in found[0]["funding_by_funder_year"]) == 4


@pytest.fixture(scope="module")
def three_persons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = [*lines(5, org=1), *(person(900 + i, 100) for i in range(3)), person(950, 7, year=2022)]
    return published(tmp_path_factory.mktemp("three"), given)


def test_three_persons_are_in_the_total(three_persons: Path) -> None:
    target = three_persons
    total = row(target, "SELECT amount, n_withheld FROM funding_by_funder_year WHERE fiscal_year = 2023")
    assert total == {"amount": Decimal("5300.00"), "n_withheld": 0}
    alone = row(target, "SELECT n_awards, amount, n_withheld FROM funding_by_funder_year WHERE fiscal_year = 2022")
    assert alone == {"n_awards": 1, "amount": None, "n_withheld": 1}
    assert row(target, "SELECT amount_awarded FROM funders") == {"amount_awarded": Decimal("5300.00")}
    others = rows(target, "SELECT fiscal_year, n_awards, amount FROM awards_not_nominative ORDER BY ALL")
    assert [tuple(r.values()) for r in others] == [(2022, 1, None), (2023, 3, Decimal("300.00"))]


def test_one_more_person_waits_until_there_are_enough(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "publications")
    given = [*lines(5, org=1), *(person(900 + i, 100) for i in range(4))]
    totals = []
    for number, more in enumerate(([], [(910, 30)], [(910, 30), (911, 40)], [(910, 30), (911, 40), (912, 50)])):
        made = [*given, *(person(org, amount) for org, amount in more)]
        target = published(tmp_path / str(number), made, archive)
        totals.append(row(target, "SELECT amount, n_withheld FROM funding_by_funder_year"))
    assert [(t["amount"], t["n_withheld"]) for t in totals] == [(5400, 0), (5400, 1), (5400, 2), (5520, 0)]


def test_a_changed_amount_takes_its_group_out(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "publications")
    told = persons.grouped(atoms(*({"unit": u, "cents": 100} for u in "abcd")), LIMITS)
    archive.write({persons_former.NAME: persons_former.new_state(archive, told)}, {})
    assert persons_former.decide(archive, told, LIMITS).equals(told)
    changed = told.with_columns(pl.when(pl.col("unit") == "a").then(150).otherwise("cents").alias("cents"))
    assert set(persons_former.decide(archive, changed, LIMITS)["told"]) == {persons.NONE}
    assert persons_former.given_away(archive, changed, LIMITS).height == 1


def test_a_publication_that_forgets_to_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persons, "hold", lambda connection, told: None)
    with pytest.raises(UnsafePublication, match="montant") as refused:
        published(tmp_path, [*lines(5, org=1), person(900, 123)])
    findings = refused.value.audit.findings
    assert "funding_by_theme_year" in set(findings["table"])
    assert findings.filter(pl.col("table") == "funding_by_funder_year")["low"].to_list() == [123.0]
    assert not (tmp_path / "public.duckdb").exists()


def test_every_public_amount_is_under_one_rule(three_persons: Path) -> None:
    with duckdb.connect(str(three_persons), read_only=True) as connection:
        found = connection.sql("SELECT DISTINCT table_name FROM duckdb_columns() WHERE data_type LIKE 'DECIMAL%'")
        tables = {name for (name,) in found.fetchall()}
    assert tables == {*persons.TABLES, *OF_LEGAL_PERSONS, *OF_FUNDERS, *OF_YEARS}
