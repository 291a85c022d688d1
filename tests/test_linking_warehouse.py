"""Identities in the warehouse: identifiers that lines carry together, names, decisions and registers."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from pipelines.warehouse.build import build
from pipelines.warehouse.linking.registers import RegisterError, read_registers
from schemas.decisions import LINES, ORGANISATIONS, DecisionsError, load_decisions
from tests.warehouse_staging import Staging, line, row, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEADER = "left,right,decision,author,reason,date\n"
NOBODY = {"applicant_siren": None, "applicant_siret": None}


def said(name: str, **values: Any) -> dict[str, Any]:
    """A line whose applicant is known by what `values` give only."""
    return line(
        **{**NOBODY, "applicant_name": name, "seat_commune_code": None, "applicant_kind_basis": "name", **values}
    )


def lines_of_all() -> dict[str, list[dict[str, Any]]]:
    city = {"funder_name": "Ville de Montpellier", "funder_siren": "213401722"}
    caf = {"funder_name": "CAF", "funder_siren": None}
    return {
        "numbers": [
            said("Zinzolin", applicant_siren="000000011", applicant_rna="W340000011", **city),
            said("Zinzolin", applicant_rna="W340000011", applicant_local_id="11", **city),
            said("Zinzolin", applicant_local_id="11", applicant_kind="unknown", **city),
            # one number with two SIRENs: nothing is joined
            said("Amarante", applicant_siren="000000012", applicant_local_id="12", **city),
            said("Garance", applicant_siren="000000013", applicant_local_id="12", **city),
            said("Garance", applicant_local_id="12", **city),
            # the same local number elsewhere is somebody else's
            said("Outremer", applicant_local_id="11", **caf),
            # a number whose name of unknown kind is like nothing else of the organisation's
            said("Cramoisi Vermillon", applicant_siren="000000014", applicant_local_id="14", **city),
            said("Jeanne Ixe", applicant_local_id="14", applicant_kind="unknown", **city),
        ],
        "names": [
            said("Association Les Farfadets de l'Étang", applicant_siren="000000021", seat_commune_code="34172", **caf),
            said("LES FARFADETS DE L'ETANG", seat_commune_code="34172", **city),
            said("Secours populaire français", seat_commune_code="34172", **caf),
            said("SECOURS POPULAIRE FRANCAIS", seat_commune_code="34032", **caf),
            said("Jeanne Igrec", applicant_kind="natural", **caf),
            said("Jeanne Igrec", applicant_kind="natural", **city),
            said("Mystère Lagune", applicant_kind="unknown", **caf),
            said("Mystère Lagune", applicant_kind="unknown", **city),
        ],
    }  # fmt: skip


def built(folder: Path, deposits: dict[str, list[dict[str, Any]]], **inputs: Any) -> Path:
    staging = Staging(folder / "staging")
    for name, lines in deposits.items():
        staging.deposit(name, lines)
    build(replace(staging.inputs(), **inputs), folder / "funding.duckdb")
    return folder / "funding.duckdb"


@pytest.fixture(scope="module")
def funding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("linking"), lines_of_all())


def identities(funding: Path, *keys: str) -> set[str]:
    found = {r["organisation_key"]: r["organisation_id"] for r in rows(funding, "FROM organisation_keys")}
    return {found[key] for key in keys}


def test_identifiers_on_one_line_are_one_organisation(funding: Path) -> None:
    keys = ("siren:000000011", "rna:W340000011", "local:213401722:11")
    assert identities(funding, *keys) == {"siren:000000011"}
    lines = rows(funding, "SELECT organisation_id FROM applications WHERE applicant_name = 'Zinzolin'")
    assert [r["organisation_id"] for r in lines] == ["siren:000000011"] * 3
    found = rows(
        funding,
        "SELECT kind, identifier, funder_id FROM organisation_identifiers WHERE organisation_id = 'siren:000000011'"
        " ORDER BY kind",
    )
    assert [(r["kind"], r["identifier"], r["funder_id"]) for r in found] == [
        ("local", "11", "213401722"),
        ("rna", "W340000011", None),
        ("siren", "000000011", None),
    ]
    links = rows(funding, "SELECT basis, probability FROM organisation_links WHERE organisation_id = 'siren:000000011'")
    assert links == [{"basis": "shared_identifier", "probability": None}] * 2


def test_a_local_number_never_joins_two_sirens(funding: Path) -> None:
    keys = ("siren:000000012", "siren:000000013", "local:213401722:12")
    assert identities(funding, *keys) == set(keys)
    asked = rows(funding, "FROM organisation_link_reviews WHERE right_key = 'local:213401722:12'")
    assert {(r["left_key"], r["reason"]) for r in asked} >= {
        ("siren:000000012", "identifiers"),
        ("siren:000000013", "identifiers"),
    }


def test_a_local_number_belongs_to_its_funder(funding: Path) -> None:
    assert identities(funding, "local:caf:11") == {"local:caf:11"}


def test_names_are_linked_with_their_probability(funding: Path) -> None:
    link = row(funding, "FROM organisation_links WHERE basis = 'name'")
    assert link["organisation_id"] == "siren:000000021"
    assert link["probability"] >= 0.65
    assert row(funding, "SELECT names FROM organisations WHERE organisation_id = 'siren:000000021'")["names"] == [
        "Association Les Farfadets de l'Étang",
        "LES FARFADETS DE L'ETANG",
    ]


def test_networks_persons_and_doubts_are_not_linked(funding: Path) -> None:
    for pattern, number in (("%secours%", 2), ("%igrec%", 2), ("%lagune%", 2)):
        sql = f"SELECT DISTINCT organisation_id FROM organisation_keys WHERE organisation_key LIKE '{pattern}'"
        assert len(rows(funding, sql)) == number
    sql = "SELECT * FROM organisation_link_reviews WHERE concat(left_name, right_name) ILIKE '%jeanne%'"
    assert rows(funding, sql) == []


def test_kinds_stay_careful(funding: Path) -> None:
    kinds = {
        r["organisation_id"]: (r["kind"], r["kind_basis"])
        for r in rows(funding, "SELECT organisation_id, kind, kind_basis FROM organisations")
    }
    assert kinds["siren:000000011"] == ("legal", "identifier")  # the unknown line bears the legal person's name
    assert kinds["siren:000000014"] == ("unknown", "doubt")  # another name: a person may stand behind the number
    assert kinds["siren:000000021"] == ("legal", "lines")
    assert kinds["name:caf:mystere-lagune"] == ("unknown", "doubt")


def test_the_outcome_does_not_depend_on_the_order_of_deposits(tmp_path: Path, funding: Path) -> None:
    told = rows(funding, "FROM organisation_keys")
    for number, order in enumerate(permutations(lines_of_all().items())):
        turned = {name: lines[::-1] for name, lines in order}
        assert rows(built(tmp_path / str(number), turned), "FROM organisation_keys") == told


def test_decisions_are_honoured_at_the_next_run(tmp_path: Path, funding: Path) -> None:
    far, near = (
        r["organisation_key"]
        for r in rows(
            funding, "FROM organisation_keys WHERE organisation_key LIKE '%secours%' ORDER BY organisation_key"
        )
    )
    farfadets = row(funding, "SELECT right_key FROM organisation_links WHERE basis = 'name'")["right_key"]
    path = tmp_path / "decisions.csv"
    path.write_text(
        f"{HEADER}{far},{near},same,A. Nalyste,même association départementale,2026-11-02\n"
        f"siren:000000021,{farfadets},different,A. Nalyste,deux associations,2026-11-02\n"
        "siren:000000012,siren:999999999,same,A. Nalyste,fusion,2026-11-03\n",
        encoding="utf-8",
    )
    decided = built(tmp_path, lines_of_all(), organisation_decisions=path)
    assert len(identities(decided, far, near)) == 1
    assert len(identities(decided, "siren:000000021", farfadets)) == 2
    assert rows(decided, "FROM organisation_links WHERE basis = 'name'") == []
    waiting = row(decided, "FROM organisation_decisions WHERE NOT is_applied")
    assert waiting["problem"].startswith("ligne 4 : aucun organisme n'a la clé « siren:999999999 »")


def test_a_part_rebuilt_honours_decisions_too(tmp_path: Path) -> None:
    target = built(tmp_path, {"names": lines_of_all()["names"]})
    pair = row(target, "FROM organisation_links WHERE basis = 'name'")
    path = tmp_path / "decisions.csv"
    path.write_text(
        f"{HEADER}{pair['left_key']},{pair['right_key']},different,A. Nalyste,deux associations,2026-11-02\n",
        encoding="utf-8",
    )
    again = Staging(tmp_path / "again")
    again.deposit("names", lines_of_all()["names"])
    result = build(replace(again.inputs(), organisation_decisions=path), target, select={"organisation_keys"})
    assert "territory_places" not in result.seconds
    assert len(identities(target, pair["left_key"], pair["right_key"])) == 2
    assert rows(target, "SELECT 1 FROM applications WHERE organisation_id = $$" + pair["right_key"] + "$$")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("left,right,decision,author,reason\n", "ligne 1 : colonne absente : date"),
        (f"{HEADER}a,b,same,,doublon,2026-11-02\n", "ligne 2 : cellule vide : author"),
        (f"{HEADER}a,b,maybe,A,doublon,2026-11-02\n", "ligne 2 : décision inconnue « maybe »"),
        (f"{HEADER}a,b,same,A,doublon,hier\n", "ligne 2 : date illisible"),
        (f"{HEADER}a,a,same,A,doublon,2026-11-02\n", "ligne 2 : « a » est comparé à lui-même"),
        (f"{HEADER}a,b,same,A,x,2026-11-02\nb,a,different,A,x,2026-11-02\n", "ligne 3 : la ligne 2 dit le contraire"),
        (f"{HEADER}a,b,same,A,x,2026-11-02\nb,a,same,A,x,2026-11-02\n", "ligne 3 : la ligne 2 dit déjà la même chose"),
        (
            f"{HEADER}a,b,same,A,x,2026-11-02\nb,c,same,A,x,2026-11-02\nc,a,different,A,x,2026-11-02\n",
            "ligne 4 : cercle contradictoire : les lignes 2, 3",
        ),
    ],
)
def test_a_wrong_decisions_file_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "decisions.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DecisionsError, match=rf"decisions\.csv, {message}"):
        load_decisions(path)


def test_the_project_s_own_decisions_are_readable() -> None:
    assert all(decision.date <= dt.date.today() for path in (ORGANISATIONS, LINES) for decision in load_decisions(path))


UNITS = {
    "siren": ["000000011", "000000021", "000000012", "000000099"],
    "statutDiffusionUniteLegale": ["O", "O", "P", "O"],
    "sigleUniteLegale": ["ZZ", None, None, None],
    "identifiantAssociationUniteLegale": ["W340000011", None, None, None],
    "etatAdministratifUniteLegale": ["A", "C", "A", "A"],
    "denominationUniteLegale": ["ZINZOLIN OFFICIEL", None, "AMARANTE", "AUTRE"],
    "categorieJuridiqueUniteLegale": ["9220", "1000", "9220", "9220"],
    "nicSiegeUniteLegale": ["00011", "00011", "00011", "00011"],
    "nomUniteLegale": [None, "SECRET", None, None],
}
SEATS = {
    "siret": ["00000001100011", "00000002100011", "00000001200011"],
    "statutDiffusionEtablissement": ["O", "O", "P"],
    "codeCommuneEtablissement": ["34172", "34172", "34172"],
    "libelleCommuneEtablissement": ["MONTPELLIER", "MONTPELLIER", "MONTPELLIER"],
}
WALDEC = {
    "id": ["W340000011", "W999999999"], "siret": [None, None], "titre": ["ZINZOLIN RNA", "AUTRE"],
    "position": ["A", "D"], "adrs_codeinsee": ["34172", "34172"], "telephone": ["0400000000", None],
}  # fmt: skip


def csv(frame: pl.DataFrame, path: Path) -> None:
    frame.write_csv(path.with_suffix(".csv"), separator=";" if path.name.startswith("rna") else ",")


def parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path.with_suffix(".parquet"))


def stock(folder: Path, write: Callable[[pl.DataFrame, Path], None]) -> Path:
    folder.mkdir(parents=True)
    write(pl.DataFrame(UNITS), folder / "StockUniteLegale_utf8")
    write(pl.DataFrame(SEATS), folder / "StockEtablissement_utf8")
    write(pl.DataFrame(WALDEC), folder / "rna_waldec_20261101")
    return folder


def test_csv_and_parquet_say_the_same(tmp_path: Path) -> None:
    wanted = {"sirens": ["000000011", "000000021", "000000012"], "rnas": ["W340000011"]}
    found = read_registers(stock(tmp_path / "csv", csv), **wanted)
    assert found.equals(read_registers(stock(tmp_path / "parquet", parquet), **wanted))
    assert found["organisation_key"].to_list() == [
        "rna:W340000011", "siren:000000011", "siren:000000012", "siren:000000021"
    ]  # fmt: skip
    assert found["is_natural"].to_list() == [False, False, False, True]
    assert found["is_restricted"].to_list() == [False, False, True, False]
    # of a natural person or of a body that restricts its diffusion, neither the name nor the place is kept
    assert found["legal_name"].to_list() == ["ZINZOLIN RNA", "ZINZOLIN OFFICIEL", None, None]
    assert found["seat_commune_code"].to_list() == ["34172", "34172", None, None]
    assert "SECRET" not in found.write_json()


def test_registers_complete_organisations(tmp_path: Path) -> None:
    funding = built(tmp_path, lines_of_all(), registers=stock(tmp_path / "reference", csv))
    found = {
        r["organisation_id"]: r
        for r in rows(funding, "SELECT * FROM organisations WHERE organisation_id LIKE 'siren:%'")
    }
    first = found["siren:000000011"]
    assert (first["legal_name"], first["is_active"], first["commune_name"]) == (
        "ZINZOLIN OFFICIEL",
        True,
        "Montpellier",
    )
    assert (first["kind"], first["seat_basis"]) == ("legal", "register")
    assert (found["siren:000000021"]["kind"], found["siren:000000021"]["kind_basis"]) == ("natural", "register")
    assert (found["siren:000000012"]["kind"], found["siren:000000012"]["kind_basis"]) == ("unknown", "restricted")


def test_a_register_without_its_columns_is_named(tmp_path: Path) -> None:
    pl.DataFrame({"siren": ["000000011"]}).write_csv(tmp_path / "StockUniteLegale.csv")
    with pytest.raises(RegisterError, match=r"StockUniteLegale\.csv : colonne absente : denominationUniteLegale"):
        read_registers(tmp_path, sirens=["000000011"], rnas=[])


def test_no_register_is_no_news(tmp_path: Path) -> None:
    assert read_registers(tmp_path / "absent", sirens=["000000011"], rnas=[]).is_empty()


def test_an_unknown_kind_becomes_legal_by_sure_evidence_only(tmp_path: Path) -> None:
    """A SIREN said once of a name that no organisation bears, beside lines without it, may be a shifted cell."""
    nobody: dict[str, Any] = {"applicant_siren": None, "applicant_siret": None, "applicant_kind": "unknown"}
    given = []
    for org, name, told in (
        (701, "Dupont Jean", [2023]),  # one line of two states a number
        (702, "Martin Paule", [2022, 2023]),  # the same number in two years
        (703, "Club de lecture", [2023]),  # a word that only organisations bear
    ):
        for year in (2021, 2022, 2023):
            basis = "name" if org == 703 else "identifier"
            kind = {"applicant_kind_basis": basis} if year in told else nobody
            given.append(line(org=org, year=year, applicant_name=name, applicant_local_id=f"L{org}", **kind))
    staging = Staging(tmp_path / "staging")
    staging.deposit("d1", given)
    build(staging.inputs(), tmp_path / "funding.duckdb")
    found = rows(tmp_path / "funding.duckdb", "SELECT name, kind, kind_basis FROM organisations ORDER BY name")
    assert [tuple(r.values()) for r in found] == [
        ("Club de lecture", "legal", "identifier"),
        ("Dupont Jean", "unknown", "doubt"),
        ("Martin Paule", "legal", "identifier"),
    ]
