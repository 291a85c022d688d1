"""The awards in the format of the law and in the 360Giving standard: what is there conforms, what is not is counted."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
from frictionless import Detector, Resource, Schema
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn

from pipelines.publish import comma_separated, grants_export
from pipelines.publish.database import Publication
from pipelines.publish.grants_export import LONGEST_TITLE, NO_TITLE, OWN
from pipelines.publish.licensing import Terms
from pipelines.publish.scdl_export import NOT_TOLD, Conforming, conforming
from pipelines.publish.standards import _lacking
from schemas.scdl import REQUIRED, Scdl, words
from tests.publish_database import AS_OF, FORMULA, RTL

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = (
    "application_id", "funder_id", "funder_name", "funder_siret", "service_key", "service_name", "scheme", "call_id",
    "organisation_id", "beneficiary_name", "beneficiary_siren", "beneficiary_siret", "beneficiary_rna", "commune_name",
    "title", "aid_form", "stage", "currency", "decision_reference", "payment_conditions", "rae_id", "source_url",
)  # fmt: skip
DATES = ("decided_date", "signed_date", "payment_start_date", "payment_end_date")
SCHEMA = pl.Schema({
    **dict.fromkeys(TEXTS, pl.String()), **dict.fromkeys(DATES, pl.Date()), "amount": pl.Decimal(38, 2),
    "eu_notification": pl.Boolean(),
})  # fmt: skip
PUBLICATION = Publication(
    AS_OF, "Observatoire d'exemple", "", "x", "Licence Ouverte 2.0", True, 10, 5, 5, 0.85, 3, 0.9, 0.1, 1, 1, 1
)
TERMS = Terms("Licence Ouverte 2.0", "https://exemple.invalid/licence", "etalab-2.0")


def siret(siren8: str = "21340172", nic: str = "0001") -> str:
    siren = siren8 + luhn.calc_check_digit(siren8)
    return siren + nic + luhn.calc_check_digit(siren + nic)


def award(**values: Any) -> dict[str, Any]:
    return {
        "application_id": "a1", "funder_id": "213401722", "funder_name": "Ville d'Exemple", "funder_siret": siret(),
        "service_key": "213401722/solidarite", "service_name": "Solidarité", "scheme": "Aide", "call_id": None,
        "organisation_id": "siren:90000001", "beneficiary_name": "Association d'Exemple",
        "beneficiary_siren": siret("90000001")[:9], "beneficiary_siret": siret("90000001"), "beneficiary_rna": None,
        "commune_name": "Exemple", "title": "Aide alimentaire", "aid_form": "cash", "stage": "awarded",
        "currency": "EUR", "decision_reference": "DEL-1", "payment_conditions": "unique", "rae_id": None,
        "source_url": None, "decided_date": dt.date(2024, 3, 15), "signed_date": None,
        "payment_start_date": dt.date(2024, 4, 1), "payment_end_date": None, "amount": Decimal("12500.50"),
        "eu_notification": False, **values,
    }  # fmt: skip


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def content(found: Conforming) -> bytes:
    return comma_separated.to_bytes(found.cells)


def written(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_the_law_has_its_columns_and_words() -> None:
    [line] = written(content(conforming(frame(award(payment_end_date=dt.date(2024, 12, 31))))))
    assert list(line) == list(Scdl.to_schema().columns)
    assert line == {
        "nomAttribuant": "Ville d'Exemple", "idAttribuant": siret(), "dateConvention": "2024-03-15",
        "referenceDecision": "DEL-1", "nomBeneficiaire": "Association d'Exemple", "idBeneficiaire": siret("90000001"),
        "rnaBeneficiaire": "", "objet": "Aide alimentaire", "montant": "12500.50", "nature": "aide en numéraire",
        "conditionsVersement": "unique", "datesPeriodeVersement": "2024-04-01/2024-12-31", "idRAE": "",
        "notificationUE": "non", "pourcentageSubvention": "1.00", "dispositifAide": "",
    }  # fmt: skip


def test_what_is_not_stated_is_not_made_up() -> None:
    """Each of these lacks one thing the law asks for; what may be missing does not hold a line back."""
    lacking = [
        award(eu_notification=None), award(decided_date=None), award(payment_start_date=None), award(amount=None),
        award(title=None), award(aid_form=None), award(aid_form="loan"), award(funder_siret=None),
        award(beneficiary_siret=None), award(beneficiary_siret="12345678901234"),
    ]  # fmt: skip
    found = conforming(frame(*lacking, award(), award(payment_conditions=None), award(decision_reference=None)))
    assert (found.frame.height, found.n_left_out) == (3, len(lacking))
    assert found.frame["conditionsVersement"].to_list() == ["unique", NOT_TOLD, "unique"]
    assert set(found.lacking) == {
        ("notificationUE", "scdl_required"), ("dateConvention", "scdl_required"), ("montant", "scdl_required"),
        ("datesPeriodeVersement", "scdl_required"), ("objet", "scdl_required"), ("nature", "scdl_required"),
        ("idAttribuant", "scdl_required"), ("idBeneficiaire", "scdl_one_identifier"), ("idBeneficiaire", "scdl_siret"),
    }  # fmt: skip
    assert sum(found.lacking.values()) >= found.n_left_out
    said = _lacking(found.n_left_out, found.lacking)
    assert said.startswith("10\u00a0attributions : nature, case vide (2) ; ")
    assert said.endswith("d’autres raisons")
    assert _lacking(0, {}) == ""


def test_only_awards_in_euros_are_awards_of_the_law() -> None:
    found = conforming(frame(award(stage="paid"), award(currency="CHF"), award(stage="committed")))
    assert (found.frame.height, found.n_left_out) == (0, 0)
    assert written(content(found)) == []


def test_texts_are_cut_and_made_harmless_and_amounts_stay_numbers() -> None:
    rows = [
        award(title=FORMULA), award(title="x" * 300), award(beneficiary_name=RTL, rae_id="trop long"),
        award(amount=Decimal("-5")), award(beneficiary_rna="W2A1000001"),
        award(beneficiary_siret=None, beneficiary_rna="W341000001"),
    ]  # fmt: skip
    lines = written(content(conforming(frame(*rows))))
    assert [line["objet"][:3] for line in lines] == ["'=H", "xxx", "Aid", "Aid", "Aid", "Aid"]
    assert len(lines[1]["objet"]) == 256
    assert lines[2]["idRAE"] == ""
    assert lines[3]["montant"] == "-5.00"
    assert lines[4]["rnaBeneficiaire"] == ""  # a number that the law's pattern does not know, beside a SIRET
    assert lines[5]["rnaBeneficiaire"] == "W341000001"


def test_the_official_schema_finds_nothing(real_files: Path, tmp_path: Path) -> None:
    rows = [
        award(), award(payment_conditions=None, title=RTL), award(amount=Decimal("-5"), title=FORMULA),
        award(beneficiary_siret=None, beneficiary_rna="W341000001"), award(aid_form="both", eu_notification=True),
        award(eu_notification=None), award(title=None),
    ]  # fmt: skip
    (tmp_path / "subventions.csv").write_bytes(content(conforming(frame(*rows))))
    declared = json.loads((real_files / "scdl/schema-2.1.1.json").read_text(encoding="utf-8"))
    assert {field["name"] for field in declared["fields"] if field.get("constraints", {}).get("required")} == set(
        REQUIRED
    )
    schema = Schema.from_descriptor({"fields": declared["fields"]})
    resource = Resource(path="subventions.csv", basepath=str(tmp_path), schema=schema, detector=Detector())
    report = resource.validate()
    assert report.valid, report.flatten(["fieldName", "note"])
    assert report.stats["tasks"] == 1
    assert report.tasks[0].stats["rows"] == 5


def read(*rows: dict[str, Any], at_once: int = 100) -> dict[str, Any]:
    file = io.BytesIO()
    parts = frame(*rows).iter_slices(at_once)
    grants_export.write(parts, file, publication=PUBLICATION, terms=TERMS, title="Subventions")
    found: dict[str, Any] = json.loads(file.getvalue())
    return found


def check_package(package: dict[str, Any]) -> None:
    """What the standard's JSON Schema requires of a package and of each grant."""
    assert isinstance(package["publisher"]["name"], str)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", package["issued"])
    assert len({grant["id"] for grant in package["grants"]}) == len(package["grants"])
    for grant in package["grants"]:
        for name in ("id", "title", "description", "currency", "awardDate"):
            assert isinstance(grant[name], str), name
            assert grant[name], name
        assert len(grant["title"]) <= LONGEST_TITLE
        assert isinstance(grant["amountAwarded"], float | int)
        assert re.fullmatch(r"[A-Z]{3}", grant["currency"])
        assert re.fullmatch(r"\d{4}-(0[1-9]|1[012])-(0[1-9]|[12]\d|3[01])", grant["awardDate"])
        for side in ("fundingOrganization", "recipientOrganization"):
            [organisation] = grant[side]
            assert re.match(rf"(FR-SIREN-\d{{9}}|FR-RNA-W\w{{9}}|{OWN}-.+)$", organisation["id"])
            assert isinstance(organisation["name"], str)
        assert all(value is not None for value in grant.values())


def test_grants_have_what_the_standard_requires() -> None:
    package = read(
        award(), award(application_id="a2", beneficiary_siren=None, beneficiary_rna="W341000001"),
        award(application_id="a3", beneficiary_siren=None, organisation_id="local:ville:12", title=None, scheme=None),
        award(application_id="a4", funder_id="fondation-d-exemple", funder_siret=None, title="x" * 200),
        award(application_id="a5", service_key="213401722/-", source_url="javascript:alert(1)"),
        award(application_id="a1", organisation_id="siren:2", currency="CHF", source_url="https://exemple.invalid/x"),
    )  # fmt: skip
    check_package(package)
    first, second, third, fourth, fifth, sixth = package["grants"]
    assert first["recipientOrganization"][0]["id"] == f"FR-SIREN-{siret('90000001')[:9]}"
    assert first["fundingOrganization"][0] == {
        "id": "FR-SIREN-213401722", "name": "Ville d'Exemple", "department": "Solidarité",
    }  # fmt: skip
    assert (first["amountAwarded"], first["awardDate"]) == (12500.5, "2024-03-15")
    assert second["recipientOrganization"][0]["id"] == "FR-RNA-W341000001"
    assert third["recipientOrganization"][0]["id"] == f"{OWN}-local-ville-12"
    assert third["title"] == "Objet non précisé"
    assert "grantProgramme" not in third
    assert fourth["fundingOrganization"][0]["id"] == f"{OWN}-fondation-d-exemple"
    assert len(fourth["description"]) == 200
    assert "department" not in fifth["fundingOrganization"][0]
    assert "dataSource" not in fifth
    assert sixth["dataSource"] == "https://exemple.invalid/x"
    assert package["license"] == "https://exemple.invalid/licence"


def test_awards_without_amount_or_date_are_counted() -> None:
    rows = [award(), award(amount=None), award(decided_date=None), award(stage="paid")]
    assert grants_export.counted(frame(*rows)) == (1, 2)
    assert len(read(*rows)["grants"]) == 1
    assert grants_export.counted(frame()) == (0, 0)
    assert read(award(amount=None))["grants"] == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries({
            "title": st.none() | st.text(max_size=300), "beneficiary_name": st.text(min_size=1, max_size=20),
            "amount": st.none() | st.decimals(-10**9, 10**9, places=2, allow_nan=False),
            "payment_conditions": st.none() | st.text(max_size=300), "rae_id": st.none() | st.text(max_size=8),
            "beneficiary_rna": st.none() | st.from_regex(r"\AW\d{9}\Z"), "eu_notification": st.none() | st.booleans(),
            "beneficiary_siret": st.none() | st.just(siret("90000001")) | st.text(max_size=15),
        }),
        max_size=8,
    )
)  # fmt: skip
def test_any_award_is_exported_whole_or_counted(values: list[dict[str, Any]]) -> None:
    awards = frame(*(award(application_id=f"a{n}", **given) for n, given in enumerate(values)))
    law = conforming(awards)
    assert law.frame.height + law.n_left_out == awards.height
    assert Scdl.validate(law.frame).height == law.frame.height
    assert {rule for _, rule in law.lacking} <= set(words())
    n_grants, n_left_out = grants_export.counted(awards)
    package = read(*awards.rows(named=True), at_once=3)
    assert len(package["grants"]) == n_grants == awards.height - n_left_out
    check_package(package)
    wanted = [row for row in awards.rows(named=True) if row["amount"] is not None]
    assert [grant["amountAwarded"] for grant in package["grants"]] == [float(row["amount"]) for row in wanted]
    names = [grant["recipientOrganization"][0]["name"] for grant in package["grants"]]
    assert names == [row["beneficiary_name"] for row in wanted]
    assert [grant["description"] for grant in package["grants"]] == [row["title"] or NO_TITLE for row in wanted]
