"""Territories: the reference tables, how places are found, what stays unfound, and the shares reached on real files."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.warehouse.build import build
from pipelines.warehouse.disclosure import publish_database
from schemas import codelist, refresh_reference, territory
from schemas.format import load_formats
from schemas.funder import FunderFile
from schemas.publication import load_publication
from tests.warehouse_staging import AS_OF, Line, Staging, line, row, rows

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = {"applicant_siren": None, "applicant_siret": None, "seat_commune_code": None}


def seat(**values: Any) -> Line:
    """A line whose seat is told by `values` alone."""
    return line(**{**NOWHERE, **values})


def action(level: str | None, code: str | None = None, name: str | None = None) -> Line:
    """A line whose action is somewhere, and whose seat is not told."""
    return seat(action_territory_level=level, action_territory_code=code, action_territory_name=name)


def built(lines: list[Line], folder: Path, **stated: Any) -> Path:
    staging = Staging(folder / "staging")
    staging.deposit("d", lines, **stated)
    build(staging.inputs(), folder / "funding.duckdb")
    return folder / "funding.duckdb"


# the tables


def test_the_tables_hold_together() -> None:
    tables = territory.tables()
    communes, departements, regions = tables["communes"], tables["departements"], tables["regions"]
    assert communes["code"].is_unique().all()
    assert communes.height > 34_900
    assert set(communes["departement_code"]) <= set(departements["code"])
    assert set(departements["region_code"]) <= set(regions["code"])
    assert set(communes["epci_code"].drop_nulls()) <= set(tables["epci"]["code"])
    assert set(tables["former_communes"]["current_code"]) <= set(communes["code"])
    # overseas included, and one population at every level
    assert {"971", "972", "973", "974", "976", "987", "988"} <= set(departements["code"])
    totals = {frame["population"].sum() for frame in (communes, departements, regions)}
    assert len(totals) == 1
    assert 68_000_000 < totals.pop() < 70_000_000


def test_the_tables_are_small_and_say_their_origin() -> None:
    files = list(territory.FOLDER.iterdir())
    assert sum(path.stat().st_size for path in files) < 1_500_000
    told = territory.vintages()
    readme = (territory.FOLDER / "README.md").read_text(encoding="utf-8")
    assert dict(told.versions)[told.current] in readme
    assert all(word in readme for word in (told.package, "MIT License", "Licence Ouverte", str(told.current)))


def test_a_compressed_table_bears_no_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refresh_reference, "FOLDER", tmp_path)
    written = []
    for order in (1, -1):
        refresh_reference.write_table("a.csv.gz", ("code", "n"), [("01", 1), ("02", None)][::order])
        written.append((tmp_path / "a.csv.gz").read_bytes())
    assert written[0] == written[1]


def test_renewing_the_tables_needs_the_npm_client(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert refresh_reference.main() == 2
    assert "npm" in capsys.readouterr().err


def test_a_code_follows_its_commune_where_it_is_now() -> None:
    latest = [
        {"type": "commune-actuelle", "code": "75056"},
        {"type": "commune-actuelle", "code": "92012", "anciensCodes": ["75012"]},
        {"type": "commune-actuelle", "code": "2A004", "anciensCodes": ["20004"]},
        {"type": "commune-actuelle", "code": "60054", "anciensCodes": ["60455", "60001"]},
        {"type": "commune-deleguee", "code": "60455", "chefLieu": "60694"},
        {"type": "commune-actuelle", "code": "60694", "anciensCodes": ["60001"]},
    ]
    moved = {"raisonFin": "changement de département"}
    history = [{"code": "75012", "dateFin": "1968-01-01", **moved}, {"code": "20004", "dateFin": "1976-01-01", **moved}]
    found = refresh_reference.now_known_as(
        latest, history, {r["code"]: r for r in latest if r["type"] == "commune-actuelle"}
    )
    assert found == {
        "20004": {"2A004"},
        "60455": {"60694"},  # delegated today, whatever it was before
        "60001": {"60054", "60694"},  # split: ambiguous
    }


# the rules


SEATS = [
    ({"seat_commune_code": "34172"}, "commune_code", "34172", "34"),
    ({"seat_commune_code": "01015"}, "commune_code", "01015", "01"),  # delegated and current under one code
    ({"seat_commune_code": "01025"}, "commune_code", "01025", "01"),
    ({"seat_commune_code": "14697"}, "commune_code_former", "14654", "14"),  # merged twice
    ({"seat_commune_code": "75111"}, "commune_code_former", "75056", "75"),
    ({"seat_commune_code": "20004"}, "commune_code_former", "2A004", "2A"),
    ({"seat_commune_code": "75012"}, "code_unknown", None, None),  # Boulogne-Billancourt until 1968: not read so
    ({"seat_commune_code": "34999"}, "code_unknown", None, None),
    ({"seat_commune_code": "34999", "seat_postcode": "34000"}, "postcode_commune", "34172", "34"),
    ({"seat_postcode": "34000", "seat_commune_name": "MONTPELLIER"}, "postcode_name", "34172", "34"),
    ({"seat_postcode": "93210", "seat_commune_name": "ST DENIS"}, "postcode_name", "93066", "93"),
    ({"seat_postcode": "75011", "seat_commune_name": "Paris 11ème"}, "postcode_name", "75056", "75"),
    ({"seat_postcode": "17000", "seat_commune_name": "Rochelle (La)"}, "postcode_name", "17300", "17"),
    ({"seat_postcode": "34064", "seat_commune_name": "Montpellier CEDEX 2"}, "name_departement", "34172", "34"),
    ({"seat_commune_name": "Sète (34)"}, "name_departement", "34301", "34"),
    ({"seat_postcode": "34000"}, "postcode_commune", "34172", "34"),
    ({"seat_postcode": "34150"}, "postcode_departement", None, "34"),  # several communes
    ({"seat_postcode": "34150", "seat_commune_name": "Nulle-Part"}, "postcode_departement", None, "34"),
    ({"seat_postcode": "01200"}, "ambiguous", None, None),  # one postcode, two départements
    ({"seat_postcode": "00000"}, "postcode_unknown", None, None),
    ({"seat_commune_name": "Montpellier"}, "name_alone", None, None),
    ({"applicant_siren": "213401722"}, "siren_commune", "34172", "34"),
    ({"applicant_siret": "21340172200011"}, "siren_commune", "34172", "34"),
    ({"applicant_siren": "223400011"}, "siren_departement", None, "34"),
    ({"applicant_siren": "229740014"}, "siren_departement", None, "974"),
    ({"applicant_siren": "229850003"}, "siren_departement", None, "976"),
    ({"applicant_siren": "200053791"}, "siren_region", None, None),
    ({"applicant_siren": "237500079"}, "siren_region", None, None),
    ({"applicant_siren": "243400017"}, "siren_epci", None, "34"),
    ({"applicant_siren": "246201149"}, "siren_epci_former", None, "62"),
    ({"applicant_siren": "200067221"}, "siren_epci_former", None, "56"),  # split: its département only
    ({"applicant_siren": "209999999"}, "siren_unknown", None, None),
    ({"applicant_siren": "775672272"}, "none_given", None, None),  # an association's SIREN is no place
    ({}, "none_given", None, None),
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every seat and every place of action, a deposit each."""
    folder = tmp_path_factory.mktemp("places")
    staging = Staging(folder / "staging")
    staging.deposit("seats", [seat(case_number=f"s{n:03}", **SEATS[n][0]) for n in range(len(SEATS))])
    staging.deposit("actions", [{**action(*ACTIONS[n][0]), "case_number": f"a{n:03}"} for n in range(len(ACTIONS))])
    build(staging.inputs(), folder / "funding.duckdb")
    return folder / "funding.duckdb"


def test_the_rules_of_the_seat(database: Path) -> None:
    found = rows(
        database,
        "SELECT seat_territory_rule AS rule, seat_commune_code AS commune, seat_departement_code AS departement"
        " FROM applications WHERE deposit_id = 'seats' ORDER BY case_number",
    )
    for (stated, *expected), got in zip(SEATS, found, strict=True):
        assert list(got.values()) == expected, stated
    regions = rows(database, "SELECT DISTINCT seat_region_code AS r FROM applications WHERE seat_territory_rule = "
                             "'siren_region' ORDER BY r")  # fmt: skip
    assert regions == [{"r": "11"}, {"r": "76"}]
    epci = rows(database, "SELECT seat_epci_code AS e FROM applications WHERE seat_territory_rule LIKE 'siren_epci%' "
                          "ORDER BY case_number")  # fmt: skip
    assert epci == [{"e": "243400017"}, {"e": "200090751"}, {"e": None}]
    # what the file writes is kept beside what was found
    assert row(
        database, "SELECT seat_commune_code_stated AS c FROM applications WHERE seat_commune_code = '14654'"
    ) == {"c": "14697"}


ACTIONS = [
    (("departement", "1", "Ain"), "departement_code", "01", "84"),
    (("departement", "20A", None), "departement_code", "2A", "94"),
    (("departement", "034", None), "departement_code", "34", "76"),
    (("departement", None, "Département de l'Hérault"), "label", "34", "76"),
    (("departement", "99", None), "code_unknown", None, None),
    (("region", "76", None), "region_code", None, "76"),
    (("region", None, "Région Occitanie"), "label", None, "76"),
    (("region", None, "La Réunion"), "label", None, "04"),
    (("epci", "243400017", None), "siren_epci", "34", "76"),
    (("epci", None, "Communauté de communes du Grand Pic Saint-Loup"), "label", "34", "76"),
    (("commune", "1004", None), "commune_code_repaired", "01", "84"),
    (("commune", None, "Sète (34)"), "name_departement", "34", "76"),
    (("commune", None, "Sète"), "name_alone", None, None),
    ((None, "76", None), "ambiguous", None, None),  # Seine-Maritime or Occitanie
    ((None, None, "Martinique"), "label", "972", "02"),
    ((None, "34172", None), "commune_code", "34", "76"),
    (("country", None, "France"), "country", None, None),
    ((None, None, None), "none_given", None, None),
]


def test_the_rules_of_the_place_of_action_and_that_it_is_not_the_seat(database: Path) -> None:
    found = rows(
        database,
        "SELECT action_territory_rule AS rule, action_departement_code AS departement, action_region_code AS region,"
        " seat_departement_code AS seat FROM applications WHERE deposit_id = 'actions' ORDER BY case_number",
    )
    for (stated, *expected), got in zip(ACTIONS, found, strict=True):
        assert list(got.values()) == [*expected, None], stated


def test_a_commune_code_wins_over_what_contradicts_it(tmp_path: Path) -> None:
    stated = [
        {"seat_commune_code": "34172", "seat_postcode": "34080"},
        {"seat_commune_code": "34172", "seat_postcode": "34250"},
        {"seat_commune_code": "34172", "seat_postcode": "30000"},
        {"seat_commune_code": "34999", "seat_postcode": "30000", "seat_commune_name": "Nîmes"},
        {"seat_commune_code": "34172", "seat_postcode": "34064"},
    ]
    database = built([seat(case_number=str(n), **values) for n, values in enumerate(stated)], tmp_path)
    found = rows(database, "SELECT seat_commune_code AS c, seat_territory_conflict AS w FROM applications ORDER BY ALL "
                           "DESC NULLS LAST")  # fmt: skip
    assert sorted((r["c"], r["w"] or "") for r in found) == [
        ("30189", "code"), ("34172", ""), ("34172", ""), ("34172", "departement"), ("34172", "postcode"),
    ]  # fmt: skip
    assert row(database, "SELECT sum(n_contradicted) AS n FROM territory_resolution") == {"n": 3}


CELLS = [  # commune of the seat, level and code of the place of action, issues
    ("34999", "commune", "34172", [("A", "34999", "commune_code_unknown")]),
    ("34172", "departement", "99", [("C", "99", "action_code_unknown")]),
    ("1004", "departement", "1", []),  # lost zeros
    ("14697", "region", "76", []),  # a former commune
    ("34172", "epci", "243400018", [("C", "243400018", "action_code_unknown")]),
    ("34172", "departement", "76", []),
    ("34172", "region", "34", [("C", "34", "action_code_unknown")]),  # a département is no région
    ("34172", "country", "FR", []),
]


def test_a_code_that_never_existed_is_an_issue_with_its_cell() -> None:
    modele = load_formats()["modele"]
    names = (
        "seat_commune_code", "action_territory_level", "action_territory_code", "fiscal_year", "funder_name",
        "applicant_name", "title", "amount_requested", "amount_awarded", "decision_status",
    )  # fmt: skip
    rows_ = [[modele.headers_of(name)[0] for name in names]]
    for number, (commune, level, code, _) in enumerate(CELLS):
        told = codelist.labels("territory_level")[level]
        rows_.append(
            [commune, told, code, "2024", "Ville", f"Association {number}", "Jardin", "200", "100", "accordée"]
        )
    content = "\n".join(";".join(cells) for cells in rows_).encode()
    outcome = check_file(content, Origin("d", "ville", "demandes.csv", FunderFile()))
    assert outcome.report.format == "modele"
    told = {code for *_, issues in CELLS for *_, code in issues}
    found: dict[int, list[tuple[str, str, str]]] = {}
    for issue in outcome.report.issues:
        if issue.code in told:
            found.setdefault(issue.row - 2, []).append((issue.column, issue.value, issue.code))
    assert found == {number: issues for number, (*_, issues) in enumerate(CELLS) if issues}
    # the code stays: the warehouse says which lines it leaves without territory
    assert outcome.accepted["seat_commune_code"].to_list()[0] == "34999"


def test_the_contract_knows_a_place_where_the_warehouse_finds_it() -> None:
    frame = pl.DataFrame(
        [(level, code, rule) for (level, code, _), rule, *_ in ACTIONS if code is not None],
        schema=["level", "code", "rule"],
        orient="row",
    )
    told = frame.with_columns(known=territory.is_known_place(pl.col("code"), pl.col("level")))
    assert told.filter(pl.col("known") == (pl.col("rule") == "code_unknown")).is_empty()


def test_what_is_not_found_is_counted_and_warned_of(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "staging")
    staging.deposit("d", [seat(seat_commune_name="Sète"), seat(), line("refused", **NOWHERE), line()])
    result = build(staging.inputs(), tmp_path / "funding.duckdb")
    assert [(c.check.name, c.check.is_blocking, c.n_offenders) for c in result.checks if not c.is_passed] == [
        ("territories_are_found", False, 1)
    ]
    found = rows(tmp_path / "funding.duckdb", "SELECT territory_rule, is_resolved, n_lines, n_award_lines, n_distinct"
                                              " FROM territory_resolution WHERE role = 'seat'")  # fmt: skip
    assert [tuple(r.values()) for r in found] == [
        ("commune_code", True, 1, 1, 1), ("none_given", False, 2, 1, 1), ("name_alone", False, 1, 1, 1),
    ]  # fmt: skip


def test_every_rule_has_its_words() -> None:
    used = {rule for _, rule, *_ in (*SEATS, *ACTIONS)}
    assert used == set(codelist.codes("territory_rule"))


def test_euros_per_inhabitant_at_three_levels(tmp_path: Path) -> None:
    lines = [line(amount=1_000_000), line(org=2, amount=500_000, seat_commune_code="30189"), seat(amount=100)]
    database = built([*lines, line("refused", org=3, seat_commune_code="48095")], tmp_path)
    public = tmp_path / "public.duckdb"
    publish_database(database, public, as_of=AS_OF, parameters=load_publication())
    population = dict(territory.tables()["departements"].select("code", "population").rows())
    for place in (database, public):
        told = rows(place, "SELECT departement_code AS c, amount, population AS p, amount_per_inhabitant AS e "
                           "FROM funding_by_territory_year")  # fmt: skip
        assert [(r["c"], r["p"]) for r in told] == [("30", population["30"]), ("34", population["34"]), ("—", None)]
        assert [float(r["e"] or 0) for r in told] == [
            round(500_000 / population["30"], 2), round(1_000_000 / population["34"], 2), 0,
        ]  # fmt: skip
        regions = rows(place, "SELECT region_code AS c, amount FROM funding_by_region_year")
        assert [(r["c"], float(r["amount"])) for r in regions] == [("76", 1_500_000), ("—", 100)]
        epci = rows(place, "SELECT epci_code AS c FROM funding_by_epci_year")
        assert epci == [{"c": "243000643"}, {"c": "243400017"}, {"c": "—"}]
    known = {r["territory_id"]: r for r in rows(database, "SELECT * FROM territories")}
    assert known["commune:34172"]["parent_id"] == "departement:34"
    assert known["departement:34"]["parent_id"] == "region:76"
    assert known["region:76"]["vintage"] == territory.vintages().current
    # a territory where nobody was awarded anything is in no public table
    assert "departement:48" in known
    assert {r["code"] for r in rows(public, "SELECT code FROM territories WHERE level = 'departement'")} == {
        "30", "34", "—",
    }  # fmt: skip


# what real files allow


def _share(database: Path, where: str, resolved: str) -> tuple[int, int]:
    found = row(
        database, f"SELECT count(*) FILTER ({resolved}) AS n, count(*) AS total FROM applications WHERE {where}"
    )
    return found["n"], found["total"]


def _say(what: str, database: Path, role: str = "seat") -> None:
    print(f"\n{what}")
    for found in rows(database, f"FROM territory_resolution WHERE role = '{role}'"):
        print(f"  {found['territory_rule']:<24}{found['n_lines']:>7}  {found['rule_label']}")


def test_fonds_vert(real_files: Path, tmp_path: Path) -> None:
    path = next((real_files / "fonds-vert").glob("*.csv"))
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [
            {name: None if value in ("", "NULL") else value for name, value in record.items()}
            for record in csv.DictReader(file, delimiter=";")
        ]
    lines = [
        seat(
            applicant_siren=cell["siren"],
            seat_commune_code=cell["code_commune"] and cell["code_commune"].zfill(5),  # as ingest pads it
            action_territory_level="departement",
            action_territory_code=cell["code_departement"],
        )
        for cell in cells
    ]
    database = built(lines, tmp_path)
    _say("Fonds vert, siège", database)
    _say("Fonds vert, action", database, "action")
    given, total = _share(database, "seat_commune_code_stated IS NOT NULL", "seat_commune_code IS NOT NULL")
    assert total == 9_955
    assert given >= 0.999 * total
    departements, total = _share(database, "true", "action_departement_code IS NOT NULL")
    assert departements >= 0.999 * total
    # the code of the commune decides of the seat; another département is counted beside it
    elsewhere, _ = _share(
        database, "seat_territory_rule LIKE 'commune%'", "seat_departement_code <> action_departement_code"
    )
    print(f"  département énoncé autre que celui de la commune : {elsewhere}")
    assert elsewhere == 203


def test_dotations_2019(real_files: Path, tmp_path: Path) -> None:
    path = next((real_files / "dotations-investissement").glob("*.xlsx"))
    cells = pl.read_excel(path, sheet_id=2, infer_schema_length=0).select("id_terr", "echelon", "id_dep")
    lines = [
        seat(
            applicant_local_id=code,
            seat_commune_code=code if level == "commune" else None,
            applicant_siren=code if level == "epci" else None,
            action_territory_level="departement",
            action_territory_code=code if level == "conseil_departemental" else departement,
            case_number=f"{level}-{n}",
        )
        for n, (code, level, departement) in enumerate(cells.iter_rows())
    ]
    database = built(lines, tmp_path)
    _say("Dotations 2019, siège", database)
    _say("Dotations 2019, département", database, "action")
    communes, total = _share(database, "case_number LIKE 'commune%'", "seat_commune_code IS NOT NULL")
    assert (communes >= 0.999 * total, total) == (True, 22_014)
    epci, total = _share(database, "case_number LIKE 'epci%'", "seat_territory_rule LIKE 'siren_epci%'")
    assert (epci >= 0.985 * total, total) == (True, 2_440)
    departements, total = _share(database, "true", "action_departement_code IS NOT NULL")
    assert departements >= 0.999 * total
    assert _share(database, "case_number LIKE 'conseil%'", "action_departement_code IS NOT NULL") == (357, 357)


def test_paris_2013(real_files: Path, tmp_path: Path) -> None:
    path = real_files / "paris" / "subventions-accordees-et-refusees-2013.csv"
    with path.open(encoding="utf-8", newline="") as file:  # quotes do not balance: cells are split on the separator
        header, *cells = csv.reader(file.read().splitlines(), delimiter=";", quoting=csv.QUOTE_NONE)
    postcode, name = header.index("Code postal"), header.index("Ville")
    lines = [seat(seat_postcode=cell[postcode] or None, seat_commune_name=cell[name] or None) for cell in cells]
    database = built(lines, tmp_path)
    _say("Paris 2013, siège", database)
    sure, total = _share(database, "true", "seat_commune_code IS NOT NULL")
    print(f"  commune trouvée par une règle sûre : {sure} / {total}")
    assert total == 6_491
    assert sure >= 0.99 * total
