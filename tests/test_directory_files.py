"""Lists of calls and directories of services as they are deposited: every known form, and every kind of bad cell."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.check import check_file
from pipelines.ingest.derive import Origin
from pipelines.ingest.several import parse_several
from schemas import codelist
from schemas.contracts import fields_of
from schemas.format import load_formats
from schemas.funder import FunderFile
from schemas.mailbox import is_functional_address

if TYPE_CHECKING:
    from pipelines.ingest.outcome import Outcome

OLD: dict[str, object] = {
    "id_aide": "A-1",
    "nom_aide": "Table ronde",
    "nom_aide_normalise": "Équiper les épiceries",
    "programme_aides": "Pacte",
    "porteur_aide": "Région d'Essai,Agence d'Essai",
    "porteur_siren": "999900012,999900020",
    "instructeurs_aide": "Direction des solidarités",
    "beneficiaires_aide": "Communes,Associations,Entreprises publiques locales (Sem, Spl, SemOp)",
    "types_aides": "Subvention,Technique",
    "taux_subvention_minimum": 20,
    "taux_subvention_maximum": 50,
    "taux_subvention_commentaire": "selon la taille",
    "aap_ami": "Oui",
    "description": "Un appel.",
    "exemple_projet": "Chambre froide",
    "thematique_aide": "Alimentation > Aide alimentaire",
    "recurrence_aide": "Récurrente",
    "date_ouverture": "2026-09-01",
    "date_pre_depot": "",
    "date_cloture": "2026-12-15",
    "condition_eligibilite": "Un an d'existence",
    "etat_avancement_projet": "Mise en oeuvre - réalisation,Usage - valorisation",
    "type_depense": "Fonctionnement,Investissement",
    "zone_geographique": "Occitanie",
    "url_descriptif": "https://exemple.invalid/a",
    "url_demarche": "https://exemple.invalid/b",
    "contact": "Ecrire à aides-solidarites@region.invalid ou au 05 61 00 00 00",
    "date_mise_a_jour": "2026-08-01",
}
API: dict[str, object] = {
    "id": 12,
    "slug": "12-equiper",
    "url": "/aides/12-equiper/",
    "name": "Équiper les épiceries",
    "name_initial": None,
    "short_title": None,
    "financers": ["Région d'Essai", "Agence d'Essai"],
    "financers_full": [{"id": 3, "name": "Région d'Essai", "logo": None}],
    "instructors": ["Direction"],
    "programs": [],
    "description": "<p>Un appel &amp; plus.</p>",
    "eligibility": "<ul><li>Un an</li></ul>",
    "perimeter": "Occitanie",
    "perimeter_scale": "Région",
    "mobilization_steps": ["op"],
    "origin_url": "https://exemple.invalid/a",
    "categories": ["Alimentation / Solidarité"],
    "is_call_for_project": True,
    "application_url": None,
    "targeted_audiences": ["association", "commune"],
    "aid_types": ["grant", "technical-engineering"],
    "is_charged": False,
    "destinations": ["supply", "investment"],
    "start_date": "2026-09-01",
    "predeposit_date": None,
    "submission_deadline": "2026-12-15",
    "subvention_rate_lower_bound": 20,
    "subvention_rate_upper_bound": 50,
    "subvention_comment": None,
    "loan_amount": None,
    "contact": "<p>aap@region.invalid</p>",
    "recurrence": "oneoff",
    "project_examples": "",
    "date_updated": "2026-08-01T10:00:00Z",
    "is_live": True,
}
EXPORT: dict[str, object] = {
    "Nom de l'aide": "Équiper les épiceries",
    "Programmes": "",
    "Nom initial": "",
    "Porteurs d’aides": "Région d'Essai\nAgence d'Essai",
    "Instructeurs de l'aide": "",
    "Bénéficiaires": "Communes\nAssociations",
    "Types d'aide": "Subvention",
    "Taux de subvention, min. et max. (en %, nombre entier)": " Min : 20 Max : 50",
    "Taux de subvention (commentaire optionnel)": "",
    "Appel à projet / Manifestation d’intérêt": "Oui",
    "Description": "Un appel",
    "Exemples d'applications": "",
    "Sous thématiques": "Alimentation",
    "Récurrence": "Ponctuelle",
    "Date d'ouverture": "01/09/2026",
    "Date de clôture": "15/12/2026",
    "Conditions d'éligibilité": "",
    "État d'avancement du projet pour bénéficier du dispositif": "Usage / valorisation",
    "Types de dépenses / actions couvertes": "Dépenses de fonctionnement",
    "Zone géographique couverte par l'aide*": "Occitanie",
    "Lien vers le descriptif complet": "https://exemple.invalid/a",
    "Lien vers la démarche en ligne": "",
    "Contact(s) pour candidater": "Direction des solidarités",
    "Auteur de l'aide": "prenom.nom@exemple.invalid",
    "url": "x",
    "Statut": "published",
}
NEW: dict[str, object] = {
    "id": "u-1",
    "titre": "Table ronde",
    "promesse": "Équipez votre épicerie",
    "description": "Un appel",
    "eligibilite": "Un an",
    "types_aides": "financement|formation",
    "porteurs": (
        "[{ nom: 'Direction des solidarités', siren: '999900020', roles: [ 'instructeur' ]}, "
        "{ nom: \"Région d'Essai\", siren: '999900012', roles: [ 'financeur' ]}]"
    ),
    "programmes_parents": "Pacte",
    "url_source": "https://exemple.invalid/a",
    "cibles": "professionnels|associations",
    "eligibilite_geographique": "REG-76",
    "eligibilite_geographique_exclusions": "",
    "date_ouverture": "2026-09-01T08:00:00Z",
    "date_cloture": "2026-12-15T08:00:00Z",
    "date_mise_a_jour": "2026-08-01T08:00:00Z",
}


def as_csv(*rows: dict[str, object]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def read(content: bytes, name: str = "liste.csv") -> Outcome:
    return check_file(content, Origin("d", "portail", name, FunderFile()))


def only(outcome: Outcome, contract: str = "call") -> dict[str, Any]:
    assert outcome.report.status == "accepted", outcome.report.messages
    assert outcome.report.rows_read == outcome.report.rows_accepted + outcome.report.rows_rejected
    [row] = outcome.others[contract].to_dicts()
    return row


def issues(outcome: Outcome) -> list[tuple[str, str | None, int]]:
    return [(issue.code, issue.column, issue.row) for issue in outcome.report.issues]


def test_the_contract_has_every_field_of_the_french_schema() -> None:
    named = [info.aide for info in fields_of("call").values() if info.aide]
    assert sorted(named) == sorted(OLD)
    assert len(named) == 28


def test_the_older_schema_is_read_whole() -> None:
    outcome = read(as_csv(OLD))
    row = only(outcome)
    assert outcome.report.format == "dispositif-aide"
    assert all(column.field for column in outcome.report.columns)
    assert (row["call_id"], row["title"], row["original_title"]) == ("A-1", "Équiper les épiceries", "Table ronde")
    assert (row["funder_name"], row["cofunders"], row["funder_siren"]) == (
        "Région d'Essai",
        "Agence d'Essai",
        "999900012",
    )
    assert row["applicants"] == "association;commune;public_company"
    assert row["aid_types"] == "grant;engineering"
    assert (row["rate_min"], row["rate_max"]) == (Decimal("0.2"), Decimal("0.5"))
    assert (row["opening_date"], row["closing_date"]) == (date(2026, 9, 1), date(2026, 12, 15))
    assert (row["recurrence"], row["purposes"], row["project_stages"]) == (
        "recurring",
        "operating;investment",
        "delivery;use",
    )
    assert row["contact_mailbox"] == "aides-solidarites@region.invalid"
    assert "05 61" not in row["contact"]


def test_the_newer_schema_is_read() -> None:
    outcome = read(as_csv(NEW))
    row = only(outcome)
    assert outcome.report.format == "dispositif-aide-0-2"
    assert (row["funder_name"], row["funder_siren"]) == ("Région d'Essai", "999900012")
    assert row["service_name"] == "Direction des solidarités"
    assert (row["area_code"], row["area_level"]) == ("76", "region")
    assert (row["applicants"], row["aid_types"]) == ("association;company", "grant;engineering")
    assert row["opening_date"] == date(2026, 9, 1)


def test_the_platform_is_read_by_its_api_and_by_its_export() -> None:
    api = only(read(json.dumps({"count": 1, "results": [API, {**API, "slug": "13"}][:1]}).encode(), "aides.json"))
    export = only(read(as_csv(EXPORT)))
    for name in (
        "title",
        "funder_name",
        "cofunders",
        "applicants",
        "rate_min",
        "rate_max",
        "recurrence",
        "closing_date",
    ):
        if name != "applicants":
            assert api[name] == export[name], name
    assert set(api["applicants"].split(";")) == set(export["applicants"].split(";"))
    assert (api["description"], api["contact_mailbox"]) == ("Un appel & plus.", "aap@region.invalid")
    assert api["purposes"] == "operating;investment"
    assert export["project_stages"] == "use"
    assert not any("prenom.nom" in str(value) for value in export.values())


@pytest.mark.parametrize(
    ("change", "code", "column", "field", "kept"),
    [
        ({"date_cloture": "2026-08-01"}, "call_reversed", "T", "closing_date", date(2026, 8, 1)),
        ({"beneficiaires_aide": "Associations,Martiens"}, "codes_unlisted", "H", "applicants", "association"),
        ({"taux_subvention_maximum": 150}, "share_out_of_range", "K", "rate_max", None),
        ({"contact": "prenom.nom@region.invalid"}, "mailbox_private", "AA", "contact_mailbox", None),
        ({"contact": "Mme Martin, service social"}, "contact_person", "AA", "contact", None),
        ({"date_ouverture": "31/02/2026"}, "date_unreadable", "R", "opening_date", None),
    ],
)
def test_a_bad_cell_is_named(change: dict[str, object], code: str, column: str, field: str, kept: object) -> None:
    outcome = read(as_csv({**OLD, **change}))
    assert (code, column, 2) in issues(outcome)
    assert only(outcome)[field] == kept


def test_a_private_address_goes_no_further() -> None:
    outcome = read(as_csv({**OLD, "contact": "prenom.nom@region.invalid"}, {**OLD, "id_aide": "B", "contact": "x"}))
    told = outcome.report.issues, outcome.rejected.write_json(), outcome.others["call"].write_json()
    assert "prenom.nom" not in repr(told)


def test_a_call_without_any_name_is_set_aside() -> None:
    outcome = read(
        as_csv({**OLD, "nom_aide": "", "nom_aide_normalise": ""}, *[{**OLD, "id_aide": str(n)} for n in range(9)])
    )
    assert (outcome.report.rows_accepted, outcome.report.rows_rejected) == (9, 1)
    assert outcome.rejected["reasons"].to_list() == ["call_title_missing"]


@pytest.mark.parametrize(
    ("address", "about", "functional"),
    [
        ("contact@exemple.invalid", [], True),
        ("ddets34-aide.alimentaire@exemple.invalid", [], True),
        ("politique-de-la-ville@exemple.invalid", [], True),
        ("cuisine@exemple.invalid", ["Cuisine centrale"], True),
        ("pole-garonnac@garonnac.invalid", [], True),
        ("prenom.nom@exemple.invalid", [], False),
        ("p.martin@exemple.invalid", [], False),
        ("martin@martin.invalid", [], False),
        ("martin34@gmail.com", [], False),
        ("contact.martin@exemple.invalid", [], False),
        ("contact@exemple", [], False),
        ("deux adresses@exemple.invalid", [], False),
        ("jean.ville@exemple.invalid", [], False),
    ],
)
def test_only_addresses_of_functions_are_functional(address: str, about: list[str], functional: bool) -> None:
    assert is_functional_address(address, about=about) is functional


@given(
    st.lists(st.sampled_from([*codelist.codes("purpose"), "autre"]), max_size=5),
    st.sampled_from([",", ";", " | ", "\n"]),
)
def test_several_codes_are_read_whatever_separates_them(codes: list[str], separator: str) -> None:
    order = codelist.codes("purpose")
    parsed = parse_several(pl.Series([separator.join(codes)]), {code: code for code in order}, order)
    found = (parsed.codes[0] or "").split(";") if parsed.codes[0] else []
    assert found == [code for code in order if code in codes]
    assert parsed.is_unlisted[0] == ("autre" in codes)


@given(st.text(max_size=40))
def test_any_cell_of_codes_gives_codes_of_the_list(cell: str) -> None:
    order = codelist.codes("theme")
    parsed = parse_several(pl.Series([cell], dtype=pl.String), {code: code for code in order}, order)
    assert set((parsed.codes[0] or "").split(";")) <= {*order, ""}


@pytest.mark.parametrize(
    ("code", "level", "kept"),
    [
        ("34", "département", "34"),
        ("99", "département", None),
        ("76", "région", "76"),
        ("99", None, None),
        ("34", None, "34"),
    ],
)
def test_a_territory_code_that_never_existed_is_named_with_its_cell(code: str, level: str, kept: str | None) -> None:
    titles = {name: info.title for name, info in fields_of("service").items()}
    line = {"service_name": "Direction", "area_code": code, "area_level": level, "pays": "projet", "reviewed_date": ""}
    outcome = read(as_csv({titles[name]: value or "" for name, value in line.items()}))
    assert only(outcome, "service")["area_code"] == kept
    assert (("territory_code_unknown", "B", 2) in issues(outcome)) == (kept is None)


def test_formats_of_calls_and_services_name_their_contract() -> None:
    contracts = {format_.contract for format_ in load_formats().values()}
    assert {"call", "service"} <= contracts
