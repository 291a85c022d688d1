"""The directory of services and the calls in the warehouse: declared beside observed, successions, what is wrong."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from pipelines.warehouse.build import build
from pipelines.warehouse.disclosure import publish_database
from schemas.contract import polars_schema
from schemas.contracts import CONTRACTS, staged_name
from schemas.publication import load_publication
from schemas.service_names import ServiceNamesError, service_names
from tests.warehouse_staging import AS_OF, Staging, line, lines, row, rows

if TYPE_CHECKING:
    from pathlib import Path

CITY = "ville-de-lez"
SOLIDARITY = f"{CITY}/direction-de-la-solidarite"
SERVICES: list[dict[str, Any]] = [
    {
        "service_name": "Direction de la solidarité",
        "service_id": "SOL",
        "service_variants": "Dir. Sol. ; DSOL",
        "area_code": "34",
        "area_level": "departement",
        "scheme": "Aide A",
        "themes": "food_aid;housing",
        "pays": "project",
        "valid_from": dt.date(2021, 4, 1),
        "predecessors": "Ancienne direction",
        "contact_mailbox": "solidarite@exemple.invalid",
        "reviewed_date": dt.date(2026, 9, 1),
    },
    {"service_name": "Direction de la solidarité", "service_id": "SOL", "scheme": "Aide B", "pays": "operating"},
    {
        "service_name": "Ancienne direction",
        "service_id": "ANC",
        "valid_to": dt.date(2021, 3, 31),
        "predecessors": "Disparue",
    },
    {"service_name": "Premier", "service_id": "P", "predecessors": "Second"},
    {"service_name": "Second", "service_id": "S", "predecessors": "Premier"},
    {"service_name": "Jumeau", "service_id": "J1", "area_code": "76", "area_level": "region"},
    {"service_name": "Jumeau", "service_id": "J2"},
    {"service_name": "Successeur", "service_id": "N1", "valid_to": dt.date(2020, 12, 31)},
    {"service_name": "Successeur", "service_id": "N2", "valid_from": dt.date(2021, 1, 1)},
]
CALLS: list[dict[str, Any]] = [
    {
        "call_id": "AAP-2027",
        "previous_call_id": "AAP-2025",
        "title": "Ouvert",
        "service_name": "DSOL",
        "scheme": "Aide A",
        "opening_date": dt.date(2026, 11, 1),
        "closing_date": dt.date(2026, 12, 31),
        "area_name": "Occitanie",
    },
    {"call_id": "AAP-2025", "title": "Clos", "opening_date": dt.date(2025, 1, 1), "closing_date": dt.date(2025, 2, 1)},
    {
        "call_id": "FUT",
        "title": "À venir",
        "scheme": "aide a",
        "opening_date": AS_OF + dt.timedelta(1),
        "area_name": "France",
    },
    {"call_id": "PERM", "title": "Permanent", "recurrence": "permanent"},
    {
        "call_id": "REV",
        "title": "À l'envers",
        "service_name": "Inconnu",
        "opening_date": dt.date(2026, 5, 1),
        "closing_date": dt.date(2026, 1, 1),
    },
    {"call_id": "DERNIER", "title": "Dernier jour", "opening_date": dt.date(2026, 1, 1), "closing_date": AS_OF},
    {"call_id": "SANS", "title": "Sans fin dite", "opening_date": dt.date(2024, 1, 1)},
]


def put(folder: Path, deposit_id: str, contract: str, given: list[dict[str, Any]], **stated: Any) -> None:
    """Lines of a contract beside the applications of a deposit."""
    every = {
        "deposit_id": deposit_id,
        "source_sheet": "Services",
        "source_name": "Ville",
        "format_id": "modele-services",
        "recognised_by": "format",
        "is_demonstration": False,
        "funder_name": "Ville de Lez",
        **stated,
    }
    frame = [
        {**every, "line_id": f"{deposit_id}:{contract}:{n}", "source_row": n, **values}
        for n, values in enumerate(given, start=2)
    ]
    schema = polars_schema(CONTRACTS[contract])
    pl.DataFrame(frame, schema=schema, orient="row").write_parquet(folder / f"{staged_name(contract)}.parquet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("directory")


@pytest.fixture(scope="module")
def funding(folder: Path) -> Path:
    staging = Staging(folder)
    given = [
        *lines(12, scheme="Aide A", call_id="AAP-2025", year=2025, purpose="project", theme="food_aid"),
        *lines(8, "refused", scheme="Aide A", call_id="AAP-2025", year=2025, org=50),
        *lines(3, service_name="DIR. SOL.", scheme="Aide C", org=90, seat_commune_code="31555"),
        line(service_name="Ancienne direction", year=2019, org=120),
        line(service_name="Personne ne connaît", org=130),
    ]
    n_rows = len(given) + len(SERVICES) + len(CALLS)
    staging.deposit("d1", given, rows_accepted=n_rows, rows_read=n_rows)
    put(folder / "d1", "d1", "service", SERVICES)
    put(folder / "d1", "d1", "call", CALLS, source_sheet="Appels")
    staging.deposit("ancien", [], received_at=dt.datetime(2025, 1, 1), rows_accepted=1, rows_read=1)
    put(folder / "ancien", "ancien", "service", [{**SERVICES[0], "contact_mailbox": "perime@exemple.invalid"}])
    build(staging.inputs(), folder / "funding.duckdb")
    return folder / "funding.duckdb"


@pytest.fixture(scope="module")
def public(folder: Path, funding: Path) -> Path:
    publish_database(funding, folder / "public.duckdb", as_of=AS_OF, parameters=load_publication())
    return folder / "public.duckdb"


def test_spellings_of_a_service_are_one_service(funding: Path) -> None:
    found = row(funding, f"from services where service_key = '{SOLIDARITY}'")
    assert (found["name"], found["n_lines"], found["is_declared"]) == ("Direction de la solidarité", 23, True)
    assert found["area"] == "Hérault (34)"
    known = rows(funding, "from service_names where service_slug = 'direction-de-la-solidarite'")
    assert {item["name_slug"] for item in known} == {"direction-de-la-solidarite", "dir-sol", "dsol"}


def test_the_latest_directory_speaks(funding: Path) -> None:
    found = row(funding, f"from services where service_key = '{SOLIDARITY}'")
    assert found["contact_mailbox"] == "solidarite@exemple.invalid"


def test_a_call_is_open_upcoming_or_closed_at_the_date_of_reference(funding: Path) -> None:
    states = {item["call_id"]: item["status"] for item in rows(funding, "from calls where is_declared")}
    assert states == {
        "AAP-2027": "open",
        "AAP-2025": "closed",
        "FUT": "upcoming",
        "PERM": "open",
        "REV": "unknown",
        "DERNIER": "open",
        "SANS": "unknown",
    }


def test_a_call_finds_its_service_and_its_territory(funding: Path) -> None:
    found = row(funding, "from calls where call_id = 'AAP-2027'")
    assert (found["service_key"], found["area_id"]) == (SOLIDARITY, "region:76")
    assert found["departement_codes"] == "09 11 12 30 31 32 34 46 48 65 66 81 82"
    assert row(funding, "from calls where call_id = 'FUT'")["is_national"]


def test_the_last_edition_is_found_by_call_then_previous_call_then_scheme(funding: Path) -> None:
    found = {item["call_key"].split("/")[1]: item for item in rows(funding, "from call_results")}
    bases = {name: item["basis"] for name, item in found.items()}
    assert bases == {"aap-2025": "call", "aap-2027": "previous_call", "fut": "scheme"}
    assert {(item["n_total"], item["n_awarded"], item["n_refused"]) for item in found.values()} == {(20, 12, 8)}


def test_public_results_take_refusals_from_published_cells_only(public: Path, folder: Path) -> None:
    found = row(public, "from call_results where call_key like '%aap-2027'")
    cell = row(public, "from refusal_rates_by_scheme_year where scheme = 'Aide A'")
    assert found["status"] == cell["status"] == "shown"
    assert (found["n_awarded"], found["n_refused"], found["n_total"]) == (12, cell["n_refused"], cell["n_total"])
    assert "amount_requested" not in found


def test_results_of_a_part_of_a_scheme_say_nothing_of_refusals(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    given = [
        *lines(12, scheme="Aide A", call_id="X", year=2025),
        *lines(6, "refused", scheme="Aide A", call_id="X", year=2025, org=50),
        *lines(1, "refused", scheme="Aide A", year=2025, org=70),
    ]
    staging.deposit("d1", given, rows_accepted=len(given) + 1, rows_read=len(given) + 1)
    put(tmp_path / "d1", "d1", "call", [{"call_id": "X", "title": "Appel"}])
    build(staging.inputs(), tmp_path / "f.duckdb")
    publish_database(tmp_path / "f.duckdb", tmp_path / "p.duckdb", as_of=AS_OF, parameters=load_publication())
    assert row(tmp_path / "p.duckdb", "select n_refused from refusal_rates_by_scheme_year")["n_refused"] == 7
    found = row(tmp_path / "p.duckdb", "from call_results")
    assert (found["n_awarded"], found["n_refused"], found["n_total"], found["status"]) == (12, None, None, "suppressed")


def test_successions_are_followed_and_circles_are_not(funding: Path) -> None:
    chain = rows(funding, "from service_chains")
    assert [(c["name"], c["predecessor_name"], c["predecessor_to"]) for c in chain] == [
        ("Direction de la solidarité", "Ancienne direction", dt.date(2021, 3, 31))
    ]


@pytest.mark.parametrize(
    ("code", "places"),
    [
        ("service_predecessor_circular", {("Services", 5), ("Services", 6)}),
        ("service_predecessor_unknown", {("Services", 4)}),
        ("service_name_claimed_twice", {("Services", 7), ("Services", 8)}),
        ("service_unlisted", {("Appels", 6), ("Feuille1", 26)}),
    ],
)
def test_what_is_wrong_is_named_with_its_file_sheet_and_row(funding: Path, code: str, places: set[Any]) -> None:
    found = rows(funding, f"from directory_issues where code = '{code}'")
    assert {(item["source_sheet"], item["source_row"]) for item in found} == places
    assert all(item["file_name"] == "d1.csv" and "{" not in item["message"] for item in found)


def test_one_name_after_the_other_is_no_quarrel(funding: Path) -> None:
    assert not rows(funding, "from service_entries where name = 'Successeur' and is_claimed_twice")
    assert row(funding, "from services where name = 'Jumeau'")["area"] is None


def test_differences_between_directory_and_data_are_told(funding: Path) -> None:
    found = {
        (d["service_key"].split("/")[1], d["difference"], d["subject"])
        for d in rows(funding, "from service_differences")
    }
    assert {
        ("direction-de-la-solidarite", "scheme_not_declared", "Aide C"),
        ("direction-de-la-solidarite", "scheme_not_observed", "Aide B"),
        ("direction-de-la-solidarite", "outside_area", "31"),
        ("personne-ne-connait", "service_not_declared", None),
        ("premier", "service_not_observed", None),
    } <= found


def test_who_does_what_puts_both_side_by_side(funding: Path) -> None:
    found = rows(funding, f"from who_does_what where service_key = '{SOLIDARITY}' and scheme = 'Aide A'")
    both = [item for item in found if item["is_declared"] and item["is_observed"]]
    assert [(item["theme"], item["pays"], item["n_awards"], item["last_year"]) for item in both] == [
        ("food_aid", "project", 12, 2025)
    ]
    assert {item["theme"] for item in found if not item["is_observed"]} == {"housing"}
    total = row(funding, "select sum(n_awards) as n from who_does_what")["n"]
    assert total == row(funding, "select count(*) as n from decisions where decision_status = 'awarded'")["n"]


def test_services_settled_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "service_names.csv"
    path.write_text(
        "funder,variant,service,reason,author\nVille,Soc,Action sociale,vu avec elle,AB\n", encoding="utf-8"
    )
    assert service_names(path)["variant"].to_list() == ["Soc"]
    wrong = tmp_path / "faux.csv"
    wrong.write_text("funder,variant,service,reason,author\nVille,Soc,,vu,AB\n", encoding="utf-8")
    with pytest.raises(ServiceNamesError, match="ligne 2"):
        service_names(wrong)


def test_a_spelling_settled_by_hand_joins_its_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settled = pl.DataFrame(
        {"funder": ["Ville de Lez"], "variant": ["D. Soli"], "service": ["Direction de la solidarité"]}
    )
    monkeypatch.setattr("pipelines.warehouse.inputs.service_names", lambda: settled)
    staging = Staging(tmp_path)
    staging.deposit("d1", [*lines(2), *lines(3, service_name="D. SOLI", org=20)])
    build(staging.inputs(), tmp_path / "f.duckdb")
    assert row(tmp_path / "f.duckdb", "from services")["n_lines"] == 5


def test_a_funder_is_the_same_with_and_without_its_siren(tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    given = [*lines(2), *lines(2, funder_name="Région", funder_siren="999900012", org=20)]
    staging.deposit("d1", given, rows_accepted=len(given) + 4, rows_read=len(given) + 4)
    named = [
        {"call_id": "A", "title": "A", "funder_siren": "999900020"},
        {"call_id": "B", "title": "B", "funder_name": "Région"},
        {"call_id": "C", "title": "C", "funder_name": "Région", "funder_siren": "999900020"},
        {"call_id": "D", "title": "D", "funder_name": "Conseil régional", "funder_siren": "999900012"},
    ]
    put(tmp_path / "d1", "d1", "call", named)
    build(staging.inputs(), tmp_path / "f.duckdb")
    found = {item["call_id"]: item["funder_id"] for item in rows(tmp_path / "f.duckdb", "from calls")}
    assert found == {"A": CITY, "B": "999900012", "C": "999900020", "D": "999900012"}
