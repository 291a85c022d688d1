"""What leaves for the public: names of legal persons that were awarded, and counts that point at nobody."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.warehouse.build import build
from pipelines.warehouse.connection import MACROS
from pipelines.warehouse.disclosure import publish_database
from schemas.funder import FunderFile
from schemas.publication import load_publication
from tests.warehouse_staging import AS_OF, Staging, line, lines, row, rows

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "Secret"  # in every text of a line that may not leave
UNNAMED: dict[str, Any] = {"applicant_siren": None, "applicant_siret": None}


def hidden(status: str, *, org: int, **values: Any) -> dict[str, Any]:
    """An application whose every text is a secret; its organisation has no award."""
    return line(
        status, org=org, amount=None, applicant_name=f"{SECRET} {org}", applicant_id_raw=f"{SECRET} id {org}",
        title=f"{SECRET} objet {org}", refusal_reason_raw=f"{SECRET} motif", case_number=f"{SECRET}-{org}",
        application_id=f"{SECRET}-app-{org}", seat_commune_name=f"{SECRET}-ville", **values,
    )  # fmt: skip


def many(number: int, status: str, *, org: int, **values: Any) -> list[dict[str, Any]]:
    return [hidden(status, org=org + i, **values) for i in range(number)]


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One database, one funder per case, one deposit per need."""
    staging = Staging(tmp_path_factory.mktemp("staging"))
    county = {"seat_commune_code": "48095"}
    staging.deposit(
        "d1",
        [
            *lines(40, org=1, funder_name="Grande", service_name="A", amount_requested=1500),
            *many(
                20,
                "refused",
                org=1000,
                funder_name="Grande",
                service_name="A",
                amount_requested=900,
                refusal_reason="late",
            ),
            *many(3, "withdrawn", org=1100, funder_name="Grande", service_name="A"),
            *lines(30, org=1, funder_name="Grande", service_name="B", amount_requested=1500),
            *many(10, "refused", org=1200, funder_name="Grande", service_name="B", amount_requested=900),
            *lines(8, org=1, funder_name="Grande", service_name="C"),
            *many(2, "refused", org=1300, funder_name="Grande", service_name="C"),
            *many(2, "refused", org=1400, funder_name="Grande", service_name="D"),
            hidden("refused", org=1500, funder_name="Grande", service_name="A", **county),
            *lines(20, org=1, funder_name="Petite"),
            *many(4, "refused", org=2000, funder_name="Petite"),
            *many(30, "refused", org=2100, funder_name="Sans attribution"),
            *lines(20, org=1, funder_name="Muette"),
            *many(9, "withdrawn", org=2200, funder_name="Muette"),
            *lines(20, org=1, funder_name="En cours"),
            *many(10, "refused", org=2300, funder_name="En cours"),
            *many(30, "pending", org=2400, funder_name="En cours"),
            *many(10, "unknown", org=2500, funder_name="En cours"),
            *lines(20, org=1, funder_name="Un gros", amount_requested=10),
            *many(9, "refused", org=2600, funder_name="Un gros", amount_requested=10),
            hidden("refused", org=2700, funder_name="Un gros", amount_requested=1_000_000),
        ],
        issues=[{"sheet": "s", "row": n, "code": "siret_invalid", "severity": "warning"} for n in range(12)]
        + [
            {"sheet": "s", "row": n, "code": code, "severity": "warning"}
            for n, code in enumerate(("status_unknown", "date_unreadable"))
        ],
        message="190 lignes",
    )
    staging.deposit(
        "d2",
        [
            *lines(10, org=500, funder_name="Ouverte", title="Écrire à jean.été@exemple.fr ou 06 12 34 56 78 en 2024"),
            *lines(2, org=510, funder_name="Ouverte", headline_stage="paid", amount_paid=50),
            line(org=520, applicant_name=SECRET + " M", applicant_kind="natural", amount=300, funder_name="Ouverte"),
            line(
                funder_name="Ouverte", applicant_name=SECRET + " Collectif", applicant_kind="unknown", amount=200,
                **UNNAMED,
            ),
            line(org=500, funder_name="Ouverte", amount=None, amount_loan=5000, aid_form="loan", title=SECRET),
            line(
                org=521, funder_name="Ouverte", is_multi_year=True, agreement_start_year=2023, agreement_end_year=2027,
                agreement_id="CPO",
            ),
        ],
        depositor="autre", source_updated_at=AS_OF,
    )  # fmt: skip
    staging.version(
        "d1", 2023, is_counted=True, reason="counted", other_deposit_id="d2", lines=233, lines_matched=12, shared=0.0515
    )
    funding = tmp_path_factory.mktemp("warehouse") / "funding.duckdb"
    build(staging.inputs(), funding)
    target = funding.with_name("public.duckdb")
    publish_database(funding, target, as_of=AS_OF, parameters=load_publication())
    return target


def rates(public: Path, funder_id: str, table: str = "funder") -> list[dict[str, Any]]:
    return rows(public, f"FROM refusal_rates_by_{table}_year WHERE funder_id = '{funder_id}' ORDER BY ALL")


def test_no_text_of_a_hidden_line_is_anywhere(public: Path) -> None:
    with duckdb.connect(str(public), read_only=True) as connection:
        tables = [found[0] for found in connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()]
        for table in tables:
            text = connection.sql(f'SELECT string_agg(t::TEXT) AS text FROM "{table}" AS t').fetchall()[0][0] or ""
            assert SECRET not in text, table
            assert SECRET.lower() not in text, table
    assert SECRET.encode() not in public.read_bytes()


def test_nothing_is_attached_nor_kept_beside(public: Path) -> None:
    assert rows(public, "SELECT view_name FROM duckdb_views() WHERE NOT internal") == []
    names = {r["table_name"] for r in rows(public, "SELECT table_name FROM duckdb_tables()")}
    assert not names & {
        "applications",
        "decisions",
        "organisations",
        "rejections",
        "issues",
        "nominative_awards",
        "amount_rules",
    }


def test_awards_are_those_of_legal_persons(public: Path) -> None:
    assert row(public, "SELECT count(*) AS n FROM awards WHERE funder_id = 'ouverte'") == {"n": 13}
    assert row(public, "SELECT count(*) AS n FROM beneficiaries") == {"n": 53}
    beneficiary = row(
        public, "SELECT amount_total, currency, stage, n_awards FROM beneficiaries WHERE siren = '000000510'"
    )
    assert beneficiary == {"amount_total": Decimal("50.00"), "currency": "EUR", "stage": "paid", "n_awards": 1}


def test_natural_and_unknown_applicants_are_in_totals_only(public: Path) -> None:
    others = rows(public, "SELECT applicant_kind, n_awards, amount FROM awards_not_nominative ORDER BY ALL")
    # two of them together are still too few for an amount
    assert [tuple(r.values()) for r in others] == [("natural", 1, None), ("unknown", 1, None)]
    total = row(
        public,
        "SELECT sum(n_awards) AS n, sum(n_loans_excluded) AS loans FROM funding_by_funder_year"
        " WHERE funder_id = 'ouverte'",
    )
    assert total == {"n": 15, "loans": 1}


def test_personal_values_in_titles_are_masked(public: Path) -> None:
    title = row(public, "SELECT DISTINCT title FROM awards WHERE title IS NOT NULL")["title"]
    assert title == "Écrire à [adresse électronique retirée] ou [téléphone retiré] en 2024"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("FR76 3000 6000 0112 3456 7890 189 pour l'achat", "[coordonnées bancaires retirées]"),
        ("aide à 1 84 12 76 451 089 46", "aide à [numéro personnel retiré]"),
        ("+33 6 12 34 56 78", "[téléphone retiré]"),
        ("04.67.12.34.56", "[téléphone retiré]"),
        ("Action 2023-2024, 3 500 repas, 12 000 €", "Action 2023-2024, 3 500 repas, 12 000 €"),
        ("SIRET 78428050500019", "SIRET 78428050500019"),
        ("Aide à Mme Paule Martin", "Aide à [nom retiré]"),
        ("M. Jean de la Fontaine et Mme DURAND : secours", "[nom retiré] et [nom retiré] : secours"),
        ("(MONSIEUR DUPONT)", "([nom retiré])"),
        ("bourse à DUPONT Jean", "bourse à [nom retiré]"),
        ("Allocation attribuée à Hélène Martin-Durand, 2e part", "Allocation attribuée à [nom retiré], 2e part"),
        ("né le 12/03/80 à Sète", "[date de naissance retirée] à Sète"),
        ("(née le 3 mars 1980)", "([date de naissance retirée])"),
        ("12 rue Jean Jaurès", "12 rue Jean Jaurès"),
        ("gymnase Pierre de Coubertin", "gymnase Pierre de Coubertin"),
        ("Soutien au collège Madame de Staël", "Soutien au collège Madame de Staël"),
        ('École "Monsieur Seguin"', 'École "Monsieur Seguin"'),
        ("Spectacle Madame Bovary", "Spectacle Madame Bovary"),
        ("Monsieur le Maire, MONSIEUR LE PREFET", "Monsieur le Maire, MONSIEUR LE PREFET"),
        ("bourse pour Lycée Jean Moulin", "bourse pour Lycée Jean Moulin"),
        ("SECOURS A AMICALE JEAN MOULIN", "SECOURS A AMICALE JEAN MOULIN"),
        ("secours à ATD Quart Monde", "secours à ATD Quart Monde"),
        ("M.J.C. du centre", "M.J.C. du centre"),
    ],
)
def test_masks(text: str, kept: str) -> None:
    with duckdb.connect() as connection:
        connection.execute(MACROS.read_text(encoding="utf-8")).fetchall()
        found = str(connection.execute("SELECT masked($1)", [text]).fetchall()[0][0])
    assert found == kept or (kept.startswith("[coord") and found.startswith(kept) and "7890" not in found)


def test_names_in_real_titles(real_files: Path) -> None:
    """Paris: few titles lose a name, and none of those that name a place after somebody (measured: 48 of 38 175)."""
    titles: set[str] = set()
    for part in (1, 2):
        file = real_files / f"paris/subventions-accordees-et-refusees-2013-2019-partie-{part}.csv"
        found = check_file(file.read_bytes(), Origin(str(part), file.parent.name, file.name, FunderFile()))
        titles |= set(found.accepted["title"].drop_nulls())
    with duckdb.connect() as connection:
        connection.execute(MACROS.read_text(encoding="utf-8")).fetchall()
        connection.register("titles", pl.DataFrame({"title": sorted(titles)}))
        masked = connection.sql("SELECT title, masked(title) AS shown FROM titles").pl()
    place = (
        r"(?i:\b(?:rue|avenue|place|square|gymnase|stade|piscine|coll[eè]ge|lyc[ée]e|boulevard|quai)\b)[^,;.]{0,15}"
        r"\b\p{Lu}\p{Ll}+ (?:de )?\p{Lu}\p{Ll}+"
    )
    named_after = masked.with_columns(pl.col("title").str.extract(f"({place})").alias("place")).drop_nulls("place")
    assert named_after.height > 300
    assert named_after.select(pl.col("shown").str.contains(pl.col("place"), literal=True).all()).item()
    touched = masked.filter(pl.col("title") != pl.col("shown"))
    assert 0 < touched.height < 0.005 * masked.height


def test_what_was_masked_is_counted(public: Path) -> None:
    found = rows(public, "FROM masked_titles ORDER BY mask")
    assert [tuple(r.values()) for r in found] == [("adresse électronique retirée", 10), ("téléphone retiré", 10)]


def test_a_large_cell_is_shown_with_its_small_counts_hidden(public: Path) -> None:
    (found,) = rates(public, "grande")
    assert (found["status"], found["n_awarded"], found["n_refused"], found["n_decided"]) == ("shown", 78, 35, 113)
    assert found["refusal_rate"] == pytest.approx(35 / 113)
    assert (found["n_withdrawn"], found["n_total"], found["pending_share"], found["decided_share"]) == (
        None,
        None,
        None,
        None,
    )
    assert found["suppressed_columns"] == "n_withdrawn,n_total"
    assert found["n_pending"] == 0


def test_hidden_services_take_another_with_them(public: Path) -> None:
    found = {r["service_key"]: r for r in rates(public, "grande", "service")}
    # C has two refusals and D has no award at all: B, the next smallest, is hidden so that they cannot be subtracted
    assert sorted(found) == ["grande/a", "grande/b", "grande/c"]
    assert [found[key]["status"] for key in sorted(found)] == ["shown", "suppressed", "suppressed"]
    for key in ("grande/b", "grande/c"):
        given = {name for name, value in found[key].items() if value is not None}
        assert given == {
            "funder_id", "service_key", "fiscal_year", "published", "status", "n_awarded", "amount_awarded",
            "currency", "suppressed_columns", "is_former",
        }  # fmt: skip


def test_departements_without_award_have_no_row(public: Path) -> None:
    found = rates(public, "grande", "service_territory")
    assert {r["departement_code"] for r in found} == {"34"}
    # 20 refusals of 60 in Hérault and one in Lozère: showing Hérault would give Lozère away
    assert {r["service_key"]: r["status"] for r in found}["grande/a"] == "suppressed"


def test_a_small_number_of_refusals_is_hidden(public: Path) -> None:
    (found,) = rates(public, "petite")
    assert (found["status"], found["n_refused"], found["n_decided"], found["refusal_rate"], found["bound_low"]) == (
        "suppressed",
        None,
        None,
        None,
        None,
    )


def test_a_funder_that_granted_nothing_is_absent(public: Path) -> None:
    assert rates(public, "sans-attribution") == []
    assert rows(public, "FROM funders WHERE funder_id = 'sans-attribution'") == []
    assert rows(public, "FROM refusal_publication WHERE funder_id = 'sans-attribution'") == []


def test_not_published_is_not_zero(public: Path) -> None:
    (found,) = rates(public, "muette")
    assert (found["status"], found["published"], found["n_refused"], found["n_withdrawn"]) == (
        "not_published",
        None,
        None,
        None,
    )
    assert found["suppressed_columns"] is None


def test_bounds_while_undecided(public: Path) -> None:
    (found,) = rates(public, "en-cours")
    assert (found["status"], found["refusal_rate"], found["n_pending"]) == ("bounds", None, 30)
    assert (found["bound_low"], found["bound_high"]) == pytest.approx((10 / 70, 50 / 70))


def test_requested_amounts_need_several_applicants_and_none_dominant(public: Path) -> None:
    (large,) = rates(public, "grande")
    assert large["amount_requested"] == Decimal("132000.00")
    (dominated,) = rates(public, "un-gros")
    assert (dominated["status"], dominated["amount_requested"], dominated["satisfaction_rate_amount"]) == (
        "shown",
        None,
        None,
    )


def test_reasons_obey_the_same_rule(public: Path) -> None:
    found = rows(public, "SELECT funder_id, refusal_reason, n FROM refusal_reasons_by_funder_year ORDER BY ALL")
    # « Grande »: 20 late and 15 undisclosed; none of « Petite »
    assert [(r["refusal_reason"], r["n"]) for r in found if r["funder_id"] == "grande"] == [
        ("late", 20),
        ("not_disclosed", 15),
    ]
    assert not [r for r in found if r["funder_id"] == "petite"]


def test_counts_of_lines_do_not_betray_refusals(public: Path) -> None:
    by_file = {r["file_name"]: r for r in rows(public, "FROM data_quality_by_deposit")}
    mixed, awards_only = by_file["d1.csv"], by_file["d2.csv"]
    assert (mixed["rows_read"], mixed["rows_accepted"], mixed["rows_status"], mixed["message"]) == (
        None,
        None,
        "suppressed",
        None,
    )
    assert (awards_only["rows_accepted"], awards_only["rows_status"], awards_only["message"]) == (
        16,
        "shown",
        "Fichier accepté.",
    )
    assert not {"sha256", "size_bytes", "relative_path", "receipt"} & set(mixed)
    assert mixed["deposit_id"] != "d1"
    versions = row(public, "FROM data_quality_versions")
    assert (versions["lines"], versions["lines_matched"], versions["shared"]) == (None, None, None)
    assert row(public, "SELECT max(n_lines) AS n FROM data_quality_by_field WHERE field = 'title'") == {"n": 158}


def test_issue_counts_are_rounded_beside_refusals(public: Path) -> None:
    found = rows(public, "SELECT code, n FROM data_quality_issues ORDER BY code")
    assert [(r["code"], r["n"]) for r in found] == [("date_unreadable", None), ("siret_invalid", 10)]


def test_every_count_of_lines_is_of_awards(public: Path) -> None:
    assert row(public, "SELECT n_lines FROM funders WHERE funder_id = 'grande'") == {"n_lines": 78}
    assert row(public, "SELECT n_lines FROM services WHERE service_key = 'grande/a'") == {"n_lines": 40}
    assert row(public, "SELECT n_lines FROM refusal_publication WHERE service_key = 'grande/a'") == {"n_lines": 40}


def test_publication_says_by_what_rules(public: Path) -> None:
    found = row(public, "FROM publication")
    assert (found["as_of"], found["min_decisions"], found["min_count"], found["n_deposits"]) == (AS_OF, 10, 5, 2)
    assert found["n_awards"] == row(public, "SELECT sum(n_awards) AS n FROM funding_by_funder_year")["n"]


def test_agreements_of_legal_persons(public: Path) -> None:
    assert row(public, "SELECT agreement_id, end_year, ends_next_year FROM continuity_agreements") == {
        "agreement_id": "CPO", "end_year": 2027, "ends_next_year": True,
    }  # fmt: skip


def test_a_single_file_with_large_counts_tells_its_lines(tmp_path: Path) -> None:
    staging = Staging(tmp_path / "staging")
    staging.deposit("d1", lines(40) + many(20, "refused", org=1000))
    staging.version("d1", 2023, is_counted=True, reason="counted", lines=60, shared=0.123456)
    build(staging.inputs(), tmp_path / "funding.duckdb")
    publish_database(
        tmp_path / "funding.duckdb", tmp_path / "public.duckdb", as_of=AS_OF, parameters=load_publication()
    )
    assert row(tmp_path / "public.duckdb", "SELECT rows_accepted FROM data_quality_by_deposit") == {"rows_accepted": 60}
    assert row(tmp_path / "public.duckdb", "SELECT lines, shared FROM data_quality_versions") == {
        "lines": 60,
        "shared": 0.12,
    }


def test_a_year_of_refusals_alone_leaves_no_trace(tmp_path: Path) -> None:
    """Every public table is the same with and without the years in which a funder only refuses or examines.

    Left out: the file's own figures, which say of a file (not of a funder or a year) that it holds non-awards.
    """
    awards = [*lines(30, org=1, year=2020), *lines(25, org=1, year=2021), *lines(20, org=1, year=2023)]
    others = [*many(7, "refused", org=1000, year=2022), *many(40, "refused", org=2000, year=2024)]
    others += many(9, "pending", org=3000, year=2025)
    found = {}
    for name, given in (("without", awards), ("with", [*awards, *others])):
        staging = Staging(tmp_path / name)
        staging.deposit("d1", given)
        for year in sorted({one["fiscal_year"] for one in given}):
            staging.version("d1", year, is_counted=True, reason="counted", lines=10)
        build(staging.inputs(), tmp_path / name / "funding.duckdb")
        target = tmp_path / name / "public.duckdb"
        publish_database(target.with_name("funding.duckdb"), target, as_of=AS_OF, parameters=load_publication())
        tables = [r["table_name"] for r in rows(target, "SELECT table_name FROM duckdb_tables() ORDER BY ALL")]
        found[name] = {table: rows(target, f"FROM {table} ORDER BY ALL") for table in tables}
    assert found["with"]["data_quality_versions"] != []
    assert {r["fiscal_year"] for r in found["with"]["data_quality_versions"]} == {2020, 2021, 2023}
    of_the_file = {"data_quality_by_deposit", "data_quality_versions"}
    differ = {name for name in found["with"] if found["with"][name] != found["without"][name]}
    assert differ <= of_the_file
    assert len(found["with"]["continuity_by_funder_year"]) == 3
