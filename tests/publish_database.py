"""A small public database for the tests of publication: invented funders of every level, 2019-2026, with every trap."""

from __future__ import annotations

import datetime as dt
import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from pipelines.publish.site import publish
from pipelines.warehouse.comments import key_of
from tests.shared import once

if TYPE_CHECKING:
    from pathlib import Path

Funder = tuple[str, str, str, str, int, int, str, list[str | None]]
AS_OF = dt.date(2026, 3, 12)
SHARE_ALIKE = "130000008"
"""The funder whose data are under ODbL."""
NASTY = '<script>alert("1")</script> & Cie'
RTL = "جمعية التضامن"
QUOTES = 'Association "L\'Épicerie" des <b>Quatre</b> Vents'
FORMULA = "=HYPERLINK(1)"
CALL_PAGE = "https://exemple.invalid/appel"

# id, name, level, stage, first year, last year, refusals published, services
FUNDERS: list[Funder] = [
    (
        "130000001",
        "Programme européen d'aide alimentaire",
        "europe",
        "awarded",
        2022,
        2025,
        "no",
        ["Autorité de gestion"],
    ),
    (
        "130000002",
        "État en Occitanie",
        "state",
        "awarded",
        2019,
        2026,
        "partly",
        ["Cohésion sociale", "Alimentation et agriculture", "Jeunesse et vie associative"],
    ),
    (
        "130000003",
        "Région des Deux Rives",
        "region",
        "awarded",
        2019,
        2025,
        "yes",
        ["Direction des solidarités", "Direction de l'économie sociale"],
    ),
    (
        "130000004",
        "Département du Causse",
        "departement",
        "awarded",
        2020,
        2025,
        "yes",
        ["Insertion", "Action sociale"],
    ),
    ("130000005", "Département de la Garrigue", "departement", "paid", 2019, 2025, "unknown", ["Pôle social"]),
    (
        "130000006",
        "Métropole du Midi",
        "epci",
        "awarded",
        2019,
        2025,
        "yes",
        ["Politique de la ville", "Agriculture urbaine"],
    ),
    ("130000007", "Communauté de communes des Hauts Cantons", "epci", "awarded", 2023, 2025, "unknown", [None]),
    ("130000008", "Commune de Sainte-Croix-d'Exemple", "commune", "awarded", 2021, 2025, "no", [None]),
    ("130000009", "CCAS de Sainte-Croix-d'Exemple", "ccas", "awarded", 2022, 2024, "unknown", ["Aide sociale"]),
    ("130000010", "CAF du Causse", "caf", "awarded", 2021, 2025, "yes", ["Action sociale"]),
    ("130000011", "MSA Grand Plateau", "msa", "awarded", 2021, 2025, "partly", ["Vie rurale"]),
    (
        "130000012",
        "Agence fictive de la transition",
        "other_public",
        "committed",
        2022,
        2025,
        "unknown",
        ["Alimentation durable"],
    ),
    ("fondation-d-exemple", "Fondation d'exemple <b>solidaire</b>", "private", "awarded", 2023, 2025, "no", [None]),
]
DEPARTEMENTS = {
    "09": "Ariège",
    "11": "Aude",
    "12": "Aveyron",
    "30": "Gard",
    "31": "Haute-Garonne",
    "32": "Gers",
    "34": "Hérault",
    "46": "Lot",
    "48": "Lozère",
    "65": "Hautes-Pyrénées",
    "66": "Pyrénées-Orientales",
    "81": "Tarn",
    "82": "Tarn-et-Garonne",
}
THEMES = [
    "food_aid",
    "food_aid",
    "food_aid",
    "social_inclusion",
    "housing",
    "health",
    "employment",
    "youth_education",
    "environment",
    None,
]
PURPOSES = ["operating", "project", "project", "investment", None, None]
WORDS = [
    "Les Paniers",
    "Épicerie solidaire",
    "Le Jardin",
    "Maraude",
    "La Cantine",
    "Banque alimentaire",
    "Accueil",
    "Ressourcerie",
    "Entraide",
    "Secours",
]
PLACES = [
    "du Causse",
    "de la Plaine",
    "des Cévennes",
    "du Canal",
    "de l'Aubrac",
    "du Vallon",
    "des Quatre Chemins",
    "d'Oc",
    "de la Serre",
    "du Marché",
]
RATES = (
    "published BOOLEAN, n_decided INTEGER, n_awarded INTEGER, n_refused INTEGER, n_inadmissible INTEGER, "
    "n_withdrawn INTEGER, n_closed INTEGER,"
    " n_pending INTEGER, n_cancelled INTEGER, n_unknown INTEGER, n_total INTEGER, refusal_rate "
    "DOUBLE, wilson_low DOUBLE, wilson_high DOUBLE,"
    " bound_low DOUBLE, bound_high DOUBLE, pending_share DOUBLE, inadmissibility_rate DOUBLE, "
    "non_success_rate DOUBLE,"
    " satisfaction_rate_amount DOUBLE, amount_requested DECIMAL(18,2), n_requested_known INTEGER, "
    "amount_awarded DECIMAL(18,2),"
    " decided_share DOUBLE, status VARCHAR, suppressed_columns VARCHAR"
)
SLUG = "trim(regexp_replace(lower(strip_accents({})), '[^a-z0-9]+', '-', 'g'), '-')"


@dataclass(frozen=True)
class World:
    """What a database is made from: one row an award, its funders, its territories (id, level, code, name, parent)."""

    rows: pl.DataFrame
    funders: list[Funder]
    places: list[tuple[str, str, str, str, str | None]]


def small_world(size: int = 150, seed: int = 7) -> World:
    """`size` beneficiaries in one région, a few thousand awards."""
    rows = pl.DataFrame(_applications(random.Random(seed), size), infer_schema_length=None)
    places: list[tuple[str, str, str, str, str | None]] = [
        *((f"departement:{c}", "departement", c, n, "region:76") for c, n in DEPARTEMENTS.items()),
        ("departement:—", "departement", "—", "non précisé", None),
        ("region:76", "region", "76", "Occitanie", None),
    ]
    for code, name in DEPARTEMENTS.items():
        epci, parent = f"24{code}00017", "region:76" if code == "48" else f"departement:{code}"
        places.append((f"epci:{epci}", "epci", epci, f"Communauté de communes <{name}>", parent))
    return World(rows, FUNDERS, places)


def build(
    target: Path, *, is_demonstration: bool = False, size: int = 150, seed: int = 7, world: World | None = None
) -> Path:
    """Write the database of `world` (else of a small one) at `target` and return it."""
    target.unlink(missing_ok=True)
    world = world or small_world(size, seed)
    with duckdb.connect(str(target)) as db:
        db.register("generated", world.rows.to_arrow())
        db.execute("CREATE TEMP TABLE app AS SELECT * REPLACE (amount::DECIMAL(18,2) AS amount) FROM generated")
        _entities(db, world, is_demonstration)
        _funding(db)
        _cofunding(db)
        _continuity(db)
        _analyses(db)
        _refusals(db, world.funders, random.Random(seed))
        _quality(db, is_demonstration)
        _directory(db, is_demonstration)
        _changes(db)
        _dictionary(db)
    return target


def _applications(random: random.Random, size: int) -> list[dict[str, Any]]:
    people = []
    for n in range(size):
        name = f"{random.choice(WORDS)} {random.choice(PLACES)}" + (f" {n}" if n % 3 == 0 else "")
        people.append(
            {
                "name": [NASTY, RTL, QUOTES, FORMULA][n] if n < 4 else name,
                "n": n,
                "dep": random.choice([*DEPARTEMENTS, None]),
                "weight": random.paretovariate(1.1),
            }
        )
    rows: list[dict[str, Any]] = []
    for place, (funder_id, funder, level, stage, first, last, _, services) in enumerate(FUNDERS):
        for person in random.sample(people, k=min(size, 18 + 6 * place % 50 + 20)):
            start = random.randint(first, last)
            for year in range(start, min(last, start + random.choice([0, 0, 1, 2, 3, 6])) + 1):
                if random.random() < 0.12:
                    continue
                natural = person["n"] % 17 == 5
                multi = level in {"region", "epci"} and person["n"] % 4 == 0
                service = random.choice(services)
                known = random.random() > 0.03
                rows.append(
                    {
                        "application_id": f"{funder_id}-{len(rows):06d}",
                        "funder_id": funder_id,
                        "funder_name": funder,
                        "level": level,
                        "stage": stage,
                        "service_name": service,
                        "scheme": random.choice(["Appel à projets solidarité", "Subvention annuelle", None]),
                        "organisation_id": f"siren:{900000000 + person['n']}",
                        "beneficiary_name": person["name"],
                        "kind": "natural" if natural else "legal",
                        "beneficiary_siren": f"{900000000 + person['n']}",
                        "region_code": person["dep"] and "76",
                        "departement_code": person["dep"],
                        "epci_code": person["dep"] and f"24{person['dep']}00017",
                        "commune_name": None
                        if person["dep"] is None
                        else random.choice(["Sainte-Croix-d'Exemple", "Villefranche-la-Fictive", "Montbel"]),
                        "title": random.choice(
                            [
                                "Aide au fonctionnement",
                                "Distribution alimentaire <2025>",
                                "Achat d'un véhicule frigorifique",
                                "Ateliers cuisine",
                                "-1 gaspillage",
                            ]
                        ),
                        "theme": random.choice(THEMES),
                        "purpose": random.choice(PURPOSES),
                        "fiscal_year": year,
                        "amount": str(round(random.uniform(800, 9000) * person["weight"] + random.choice([0, 0.5]), 2))
                        if known
                        else None,
                        "currency": "CHF" if funder_id == "fondation-d-exemple" and person["n"] % 9 == 0 else "EUR",
                        "decided_date": dt.date(year, random.randint(1, 12), random.randint(1, 28)),
                        "agreement_id": f"cpo-{funder_id}-{person['n']}" if multi else None,
                        "agreement_start_year": start if multi else None,
                        "agreement_end_year": start + 3 if multi else None,
                    }
                )
    return rows


def _entities(db: duckdb.DuckDBPyConnection, world: World, is_demonstration: bool) -> None:
    db.execute(
        "CREATE TABLE publication AS SELECT ?::DATE AS as_of, 'Observatoire d''exemple' AS "
        "publisher_name, '' AS site_url, 'corrections@exemple.invalid' AS"
        " correction_address, 'Licence Ouverte 2.0' AS licence, ?::BOOLEAN AS is_demonstration, 10 AS "
        "min_decisions, 5 AS min_count, 5 AS min_applicants,"
        " 0.85 AS max_share, 3 AS min_persons, 0.9 AS min_decided_share,"
        " 0.1 AS min_year_share, 14 AS n_deposits, (SELECT count(*) FROM app)::INTEGER AS n_awards,"
        " ?::INTEGER AS n_funders",
        [AS_OF, is_demonstration, len(world.funders)],
    )
    db.execute(
        "CREATE TEMP TABLE known (funder_id VARCHAR, name VARCHAR, level VARCHAR, stage VARCHAR, refusals VARCHAR)"
    )
    db.executemany("INSERT INTO known VALUES (?, ?, ?, ?, ?)", [(f[0], f[1], f[2], f[3], f[6]) for f in world.funders])
    db.execute(
        f"CREATE TABLE funders AS SELECT funder_id, {SLUG.format('name')} AS slug, name, CASE WHEN "
        "funder_id LIKE '13%' THEN funder_id END AS siren,"
        " known.level, min(fiscal_year) AS first_year, max(fiscal_year) AS last_year, count(*)::INTEGER "
        "AS n_lines, count(DISTINCT application_id)::INTEGER AS n_awards,"
        " sum(amount) AS amount_awarded, any_value(known.stage) AS stage, false AS has_other_amounts, "
        " refusals AS refusals_published, "
        "?::BOOLEAN AS is_demonstration, if(funder_id = '" + SHARE_ALIKE + "', 'Open Database License (ODbL)', 'Licence"
        " Ouverte 2.0') AS licence, if(funder_id = '130000003', NULL, DATE '2026-01-01') AS source_updated_at,"
        " ['subventions ' || name] AS source_names FROM known JOIN app USING (funder_id)"
        " GROUP BY ALL",
        [is_demonstration],
    )
    db.execute(
        f"CREATE TEMP MACRO service_of(funder_id, name) AS funder_id || '/' || coalesce({SLUG.format('name')}, '-')"
    )
    db.execute(
        "CREATE TABLE services AS SELECT service_of(app.funder_id, service_name) AS service_key,"
        f" coalesce({SLUG.format('service_name')}, '-') AS slug, app.funder_id, coalesce(service_name, "
        "'service non précisé') AS name, min(fiscal_year) AS first_year,"
        " max(fiscal_year) AS last_year, count(*)::INTEGER AS n_lines, count(*)::INTEGER AS n_awards, "
        "any_value(refusals) AS refusals_published"
        " FROM app JOIN known USING (funder_id) GROUP BY ALL"
    )
    db.execute(
        "CREATE TABLE territories (territory_id VARCHAR, level VARCHAR, code VARCHAR, name VARCHAR, parent_id VARCHAR)"
    )
    db.executemany("INSERT INTO territories VALUES (?, ?, ?, ?, ?)", world.places)
    db.execute(
        "CREATE TABLE territory_resolution AS SELECT * FROM (VALUES"
        " ('seat', 'commune_code', 'code de la commune', true, 900, 0.9),"
        " ('seat', 'ambiguous', 'plusieurs territoires possibles', false, 100, 0.1),"
        " ('action', 'none_given', 'rien d''écrit', false, 1000, 1.0)"
        ") AS t (role, territory_rule, rule_label, is_resolved, n_award_lines, line_share)"
    )
    db.execute(
        "CREATE TABLE awards AS SELECT application_id, funder_id, funder_name, service_of(funder_id, "
        "service_name) AS service_key,"
        " coalesce(service_name, 'service non précisé') AS service_name, scheme, organisation_id, "
        "beneficiary_name, beneficiary_siren, '13000000600018' AS funder_siret, NULL::VARCHAR AS call_id,"
        " beneficiary_siren || '00012' AS beneficiary_siret, NULL::VARCHAR AS beneficiary_rna, "
        "region_code, departement_code, epci_code, commune_name, title, theme, purpose, 'cash' AS aid_form,"
        " fiscal_year, amount, stage, currency, decided_date, agreement_id, agreement_start_year, "
        "agreement_end_year, 'subventions ' || funder_name AS source_name,"
        " 'https://exemple.invalid/donnees' AS source_url, DATE '2026-01-01' AS source_updated_at, "
        "funders.licence, NULL::DATE AS signed_date, 'DEL-' || fiscal_year AS decision_reference,"
        " 'unique' AS payment_conditions, decided_date AS payment_start_date, NULL::DATE AS payment_end_date,"
        " NULL::VARCHAR AS rae_id, if(hash(application_id) % 3 = 0, NULL, false) AS eu_notification"
        " FROM app JOIN (SELECT funder_id, licence FROM funders) AS funders USING (funder_id) WHERE kind = 'legal'"
    )
    db.execute(
        "CREATE TABLE sources AS SELECT funder_id, 'grants' AS content, source_name, source_url, licence,"
        " max(source_updated_at) AS source_updated_at FROM awards GROUP BY ALL"
    )
    db.execute(
        "CREATE TABLE awards_not_nominative AS SELECT funder_id, fiscal_year, kind AS applicant_kind, "
        "count(*)::INTEGER AS n_awards, sum(amount) AS amount, 0::INTEGER AS n_withheld FROM app "
        "WHERE kind <> 'legal' GROUP BY ALL"
    )
    db.execute(
        "CREATE TABLE funder_budgets AS SELECT funder_id, max(fiscal_year) AS fiscal_year, '—' AS service_name, "
        "'—' AS scheme, 1000000::DECIMAL(18,2) AS amount_budget, 'Budget primitif' AS budget_source FROM app "
        "GROUP BY funder_id ORDER BY funder_id LIMIT 1"
    )
    db.execute("CREATE TABLE masked_titles AS SELECT 'nom retiré' AS mask, 3::INTEGER AS n_awards")
    db.execute(
        f"CREATE TABLE beneficiaries AS SELECT organisation_id, {SLUG.format('beneficiary_name')} AS slug, "
        "beneficiary_name AS name, beneficiary_siren AS siren, NULL::VARCHAR AS rna,"
        " any_value(departement_code) AS departement_code, min(commune_name) AS commune_name, "
        "min(fiscal_year) AS first_year, max(fiscal_year) AS last_year,"
        " count(DISTINCT fiscal_year)::INTEGER AS years_funded, 1 AS run_current, least(3, count(DISTINCT "
        "fiscal_year))::INTEGER AS run_max,"
        " count(DISTINCT funder_id)::INTEGER AS n_funders, sum(amount) AS amount_total, 'EUR' AS currency "
        "FROM app WHERE kind = 'legal' AND currency = 'EUR' GROUP BY ALL"
    )
    db.execute("ALTER TABLE beneficiaries ADD COLUMN stage VARCHAR DEFAULT 'awarded'")
    db.execute("ALTER TABLE beneficiaries ADD COLUMN has_other_amounts BOOLEAN DEFAULT false")
    db.execute("UPDATE beneficiaries SET has_other_amounts = true WHERE n_funders > 3")


def _funding(db: duckdb.DuckDBPyConnection) -> None:
    measures = (
        "currency, stage, count(DISTINCT application_id)::INTEGER AS n_awards, count(*)::INTEGER AS "
        "n_lines, sum(amount) AS amount,"
        " count(*) FILTER (amount IS NULL)::INTEGER AS n_without_amount, count(DISTINCT "
        "organisation_id)::INTEGER AS n_beneficiaries,"
        " count(*) FILTER (hash(application_id) % 200 = 0)::INTEGER AS n_loans_excluded"
    )
    keys = {
        "funder": "funder_id",
        "service": ("funder_id, service_of(funder_id, service_name) AS service_key"),
        "scheme": "funder_id, scheme",
        "theme": "coalesce(theme, 'unknown') AS theme",
        "funder_theme": ("funder_id, coalesce(theme, 'unknown') AS theme"),
        "funder_theme_territory": (
            "funder_id, coalesce(theme, 'unknown') AS theme, coalesce(departement_code, '—') AS departement_code"
        ),
        "purpose": ("funder_id, coalesce(purpose, 'unknown') AS purpose"),
        "territory": "coalesce(departement_code, '—') AS departement_code, funder_id",
        "region": "coalesce(region_code, '—') AS region_code, funder_id",
        "epci": "coalesce(epci_code, '—') AS epci_code, funder_id",
        "level": "level AS funder_level",
        "beneficiary": "organisation_id, funder_id",
    }
    for name, expressions in keys.items():
        where = "WHERE kind = 'legal'" if name == "beneficiary" else ""
        db.execute(
            f"CREATE TABLE funding_by_{name}_year AS SELECT {expressions}, fiscal_year, {measures} FROM "
            f"app {where} GROUP BY ALL"
        )
    db.execute(
        "CREATE TABLE theme_resolution AS SELECT *, n_award_lines / sum(n_award_lines) OVER (PARTITION BY funder_id)"
        " AS line_share FROM (SELECT funder_id, if(theme IS NULL, 'none', 'title') AS theme_basis, if(theme IS NULL,"
        " 'aucune règle', 'objet') AS basis_label, count(*)::INTEGER AS n_award_lines FROM app GROUP BY ALL)"
    )
    for name, key, population in (
        ("territory", "departement_code", 400_000),
        ("region", "region_code", 6_000_000),
        ("epci", "epci_code", 50_000),
    ):
        db.execute(
            f"ALTER TABLE funding_by_{name}_year ADD COLUMN population INTEGER; "
            f"UPDATE funding_by_{name}_year SET population = {population} WHERE {key} <> '—'"
        )


def _cofunding(db: duckdb.DuckDBPyConnection) -> None:
    """The awards of one beneficiary and year by several funders are one project; one in three is stated."""
    db.execute("""
        CREATE TABLE cofunded_lines AS
        SELECT
            'projet-' || left(md5(organisation_id || fiscal_year), 12) AS project_id, application_id, organisation_id,
            beneficiary_name, fiscal_year, funder_id, level AS funder_level, title, purpose, currency, stage, amount,
            if(hash(organisation_id) % 3 = 0, 'shared_id', 'title') AS basis, 1.0 AS likeness
        FROM app
        WHERE kind = 'legal'
        QUALIFY count(DISTINCT funder_id) OVER (PARTITION BY organisation_id, fiscal_year) > 1
    """)
    db.execute("""
        CREATE TABLE cofunded_projects AS
        SELECT
            project_id, organisation_id, any_value(beneficiary_name) AS beneficiary_name,
            1 AS n_beneficiaries, fiscal_year,
            min(title) AS title, if(bool_or(basis = 'title'), 'probable', 'stated') AS evidence, 1.0 AS likeness,
            count(DISTINCT funder_id)::INTEGER AS n_funders, count(*)::INTEGER AS n_awards,
            sum(amount) FILTER (stage = 'awarded' AND currency = 'EUR') AS amount, 'EUR' AS currency,
            'awarded' AS stage,
            bool_or(stage <> 'awarded' OR currency <> 'EUR') AS has_other_amounts
        FROM cofunded_lines GROUP BY ALL
    """)
    for table, key, other in (("funder", "funder_id", "other_funder_id"), ("level", "funder_level", "other_level")):
        db.execute(f"""
            CREATE TABLE cofunding_by_{table}_pair_year AS
            SELECT
                a.{key}, b.{key} AS {other}, a.fiscal_year, evidence, a.currency, a.stage,
                count(DISTINCT project_id)::INTEGER AS n_projects,
                count(DISTINCT a.application_id)::INTEGER AS n_awards, sum(a.amount) AS amount, 0 AS n_without_amount
            FROM cofunded_lines AS a
            JOIN cofunded_lines AS b USING (project_id)
            JOIN cofunded_projects USING (project_id)
            WHERE a.funder_id <> b.funder_id GROUP BY ALL
        """)
    db.execute("""
        CREATE TABLE cofunding_by_funder_year AS
        SELECT
            app.funder_id, app.fiscal_year, count(*)::INTEGER AS n_awards,
            (count(*) FILTER (app.title <> 'Aide au fonctionnement' OR basis IS NOT NULL))::INTEGER AS n_comparable,
            count(basis)::INTEGER AS n_cofunded, (count(*) FILTER (basis = 'shared_id'))::INTEGER AS n_cofunded_stated
        FROM app LEFT JOIN cofunded_lines USING (application_id) WHERE kind = 'legal' GROUP BY ALL
    """)


def _continuity(db: duckdb.DuckDBPyConnection) -> None:
    db.execute(
        "CREATE TEMP TABLE fy AS SELECT DISTINCT funder_id, organisation_id, fiscal_year, departement_code FROM app"
    )
    db.execute("CREATE TEMP TABLE seen AS SELECT DISTINCT funder_id, fiscal_year FROM fy")
    db.execute(
        "CREATE TABLE continuity_by_funder_year AS WITH pairs AS (SELECT a.*, b.organisation_id IS NOT "
        "NULL AS kept, c.organisation_id IS NOT NULL AS had FROM fy a"
        " LEFT JOIN fy b ON b.funder_id = a.funder_id AND b.organisation_id = a.organisation_id AND "
        "b.fiscal_year = a.fiscal_year + 1"
        " LEFT JOIN fy c ON c.funder_id = a.funder_id AND c.organisation_id = a.organisation_id AND "
        "c.fiscal_year = a.fiscal_year - 1)"
        " SELECT funder_id, fiscal_year, count(*)::INTEGER AS n_funded, CASE WHEN bool_or(p) THEN "
        "count(*) FILTER (NOT had) END::INTEGER AS n_entries,"
        " CASE WHEN bool_or(p) THEN count(*) FILTER (had) END::INTEGER AS n_renewals, CASE WHEN "
        "bool_or(p) THEN 0 END AS n_returns,"
        " CASE WHEN bool_or(n) THEN count(*) FILTER (NOT kept) END::INTEGER AS n_lost_next, CASE WHEN "
        "bool_or(n) THEN count(*) FILTER (kept) END::INTEGER AS n_kept_next,"
        " CASE WHEN bool_or(n) THEN count(*) FILTER (kept) / count(*) END::DOUBLE AS retention_rate, "
        "true AS is_complete, n AS is_next_observed, p AS is_previous_observed, 1000.00::DECIMAL(18,2) AS amount"
        " FROM (SELECT *, EXISTS (FROM seen s WHERE s.funder_id = pairs.funder_id AND s.fiscal_year = "
        "pairs.fiscal_year + 1) AS n,"
        " EXISTS (FROM seen s WHERE s.funder_id = pairs.funder_id AND s.fiscal_year = pairs.fiscal_year - "
        "1) AS p FROM pairs) GROUP BY ALL"
    )
    db.execute(
        "CREATE TABLE continuity_by_beneficiary_funder AS SELECT organisation_id, funder_id, (SELECT "
        "count(*) FROM seen WHERE seen.funder_id = f.funder_id)::INTEGER AS years_observed,"
        " count(*)::INTEGER AS years_funded, 1 AS run_current, least(2, count(*))::INTEGER AS run_max, "
        "(max(fiscal_year) - min(fiscal_year) + 1 - count(*))::INTEGER AS gap_years,"
        " min(fiscal_year) AS first_year, max(fiscal_year) AS last_year, false AS is_left_censored, true "
        "AS is_right_censored FROM"
        " (SELECT DISTINCT organisation_id, funder_id, fiscal_year FROM app WHERE kind = 'legal') f GROUP BY ALL"
    )
    db.execute(
        "CREATE TABLE continuity_by_beneficiary AS SELECT organisation_id, count(DISTINCT "
        "fiscal_year)::INTEGER AS years_funded, count(DISTINCT funder_id)::INTEGER AS n_funders,"
        " 2 AS run_max, 1 AS run_current, min(fiscal_year) AS first_year, max(fiscal_year) AS last_year "
        "FROM app WHERE kind = 'legal' GROUP BY ALL"
    )
    db.execute(
        "CREATE TABLE continuity_years_distribution AS SELECT funder_id, years_funded, count(*)::INTEGER "
        "AS n_beneficiaries, count(*)::INTEGER AS n_beneficiaries_valid_siret FROM"
        " (SELECT funder_id, organisation_id, count(DISTINCT fiscal_year)::INTEGER AS years_funded FROM "
        "fy GROUP BY ALL) GROUP BY ALL"
    )
    db.execute(
        "CREATE TABLE continuity_multi_year_by_funder_year AS SELECT funder_id, fiscal_year, "
        "count(*)::INTEGER AS n_awards, count(agreement_id)::INTEGER AS n_multi_year,"
        " sum(amount) AS amount, coalesce(sum(amount) FILTER (agreement_id IS NOT NULL), 0) AS amount_multi_year,"
        " CASE WHEN any_value(level) IN ('region', 'epci') THEN 0 ELSE count(*) END::INTEGER AS "
        "n_not_stated FROM app GROUP BY ALL"
    )
    db.execute(
        "CREATE TABLE continuity_agreements AS SELECT agreement_id, funder_id, organisation_id, "
        "min(agreement_start_year) AS start_year, max(agreement_end_year) AS end_year,"
        " sum(amount) AS amount, max(agreement_end_year) BETWEEN 2026 AND 2027 AS ends_next_year FROM app "
        "WHERE agreement_id IS NOT NULL AND kind = 'legal' GROUP BY ALL"
    )


def _analyses(db: duckdb.DuckDBPyConnection) -> None:
    """Distribution, concentration, survival, cohorts and secured years, in the shapes of the public models."""
    db.execute("""
        CREATE TABLE funding_distribution AS
        SELECT
            'legal' AS scope, 'funder' AS level, funder_id, funder_id AS breakdown_key, fiscal_year, currency, stage,
            (count(*) FILTER (amount > 0))::INTEGER AS n_positive,
            (count(*) FILTER (amount <= 0))::INTEGER AS n_not_positive,
            (count(*) FILTER (amount IS NULL))::INTEGER AS n_without_amount,
            avg(amount) FILTER (amount > 0) AS mean_amount,
            if(count(*) < 10, NULL, quantile_cont(amount::DOUBLE, 0.1) FILTER (amount > 0)) AS decile_1,
            quantile_cont(amount::DOUBLE, 0.5) FILTER (amount > 0) AS median_amount,
            if(count(*) < 10, NULL, quantile_cont(amount::DOUBLE, 0.9) FILTER (amount > 0)) AS decile_9
        FROM app WHERE kind = 'legal' GROUP BY ALL
    """)
    db.execute("""
        CREATE TABLE funding_concentration_by_funder_year AS
        SELECT
            'legal' AS scope, funder_id, fiscal_year, currency, stage,
            (count(DISTINCT organisation_id) FILTER (amount > 0))::INTEGER AS n_beneficiaries,
            0 AS n_without_positive_amount, sum(amount) AS amount, 0.25 AS share_top_1, 0.5 AS share_top_5,
            0.75 AS share_top_10, 0.125 AS hhi, 8.0 AS effective_number
        FROM app WHERE kind = 'legal' GROUP BY ALL
    """)
    db.execute("""
        CREATE TABLE continuity_survival AS
        SELECT
            'funder' AS level, funder_id, funder_id AS relation_key, age::INTEGER AS age, 60 AS n_relations,
            (60 - 20 * (age - 1))::INTEGER AS n_at_risk, 10 AS n_ended, 10 AS n_censored,
            if(funder_id = '130000003', 10, 0) AS n_below_threshold_possible,
            if(age < 4, 1 - age / 5, NULL) AS survival, 0.1 AS survival_error, age < 4 AS is_enough
        FROM (SELECT DISTINCT funder_id FROM app), range(1, 5) AS ages(age)
    """)
    db.execute("""
        CREATE TABLE continuity_cohorts AS
        SELECT
            'funder' AS level, funder_id, funder_id AS relation_key, cohort_year::INTEGER AS cohort_year,
            (cohort_year + age)::INTEGER AS fiscal_year, age::INTEGER AS age, 12 AS n_cohort,
            cohort_year + age <> 2022 AS is_year_observed,
            if(cohort_year + age = 2022, NULL, 12 - 2 * age)::INTEGER AS n_funded,
            if(cohort_year + age >= 2022, NULL, 12 - 3 * age)::INTEGER AS n_uninterrupted,
            if(cohort_year + age = 2022, NULL, (12 - 2 * age) / 12) AS funded_share
        FROM (SELECT DISTINCT funder_id FROM app), range(2020, 2022) AS c(cohort_year), range(0, 4) AS a(age)
    """)
    db.execute("""
        CREATE TABLE continuity_secured_by_funder_year AS
        SELECT
            funder_id, 2026 AS fiscal_year, currency, stage, count(*)::INTEGER AS n_agreements, 0 AS n_without_amount,
            sum(amount) AS amount_contracted, 0::DECIMAL(18, 2) AS amount_estimated, 0::DECIMAL(18, 2) AS amount_firm,
            0::DECIMAL(18, 2) AS amount_forecast, 1 AS n_ending, max(amount) AS amount_ending, 2025 AS base_year,
            sum(amount) * 4 AS base_amount, 0.25 AS secured_share
        FROM app WHERE agreement_id IS NOT NULL GROUP BY ALL
    """)


def _wilson(k: int, n: int) -> tuple[float, float]:
    z, p = 1.959963984540054, k / n
    centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)


def _rates(random: random.Random, awarded: int, published: bool | None) -> list[Any]:
    """One row of RATES for `awarded` awards, with the disclosure rule applied."""
    if not published:
        return [published, None, awarded, *[None] * 20, None, "not_published", None]
    refused, inadmissible, pending = random.randint(0, awarded), random.randint(0, 9), random.choice([0, 0, 0, awarded])
    decided, total = awarded + refused, awarded + refused + inadmissible + pending
    if decided == 0:
        return [True, 0, awarded, *[None] * 20, None, "not_applicable", None]
    if decided < 10 or not (refused == 0 or 5 <= refused <= decided - 5):
        return [
            True,
            None,
            awarded,
            *[None] * 20,
            None,
            "suppressed",
            "n_refused,n_inadmissible,n_withdrawn,n_closed,n_pending",
        ]
    hidden = ["n_inadmissible"] if 0 < inadmissible < 5 else []
    low, high = _wilson(refused, decided)
    bounds = pending > 0
    everything = decided + pending
    return [
        True,
        decided,
        awarded,
        refused,
        None if hidden else inadmissible,
        0,
        0,
        pending,
        0,
        0,
        total,
        None if bounds else refused / decided,
        None if bounds else low,
        None if bounds else high,
        refused / everything if bounds else None,
        (refused + pending) / everything if bounds else None,
        pending / total,
        None,
        None,
        None,
        None,
        None,
        None,
        decided / everything,
        "bounds" if bounds else "shown",
        ",".join(hidden) or None,
    ]


def _refusals(db: duckdb.DuckDBPyConnection, funders: list[Funder], random: random.Random) -> None:
    published = {row[0]: {"yes": True, "partly": True, "no": False, "unknown": None}[row[6]] for row in funders}
    keys = {
        "funder": ["funder_id"],
        "service": ["funder_id", "service_key"],
        "service_territory": ["funder_id", "service_key", "departement_code"],
        "scheme": ["funder_id", "scheme"],
    }
    for name, columns in keys.items():
        declared = ", ".join(f"{column} VARCHAR" for column in columns)
        db.execute(f"CREATE TABLE refusal_rates_by_{name}_year ({declared}, fiscal_year INTEGER, {RATES})")
        found = db.execute(
            f"SELECT {', '.join(columns)}, fiscal_year, sum(n_awards) FROM (SELECT *, service_of(funder_id, "
            "service_name) AS service_key, 1 AS n_awards FROM app) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        rows = [[*row[:-1], *_rates(random, int(row[-1]), published[row[0]])] for row in found]
        db.register("rates", pl.DataFrame(rows, orient="row", infer_schema_length=None).to_arrow())
        db.execute(f"INSERT INTO refusal_rates_by_{name}_year FROM rates")
    db.execute(
        "CREATE TABLE refusal_reasons_by_funder_year (funder_id VARCHAR, fiscal_year INTEGER, stage "
        "VARCHAR, refusal_reason VARCHAR, n INTEGER)"
    )
    db.executemany(
        "INSERT INTO refusal_reasons_by_funder_year VALUES (?, ?, ?, ?, ?)",
        [
            ("130000003", 2024, "inadmissible", "late", 12),
            ("130000003", 2024, "examined", "budget_exhausted", 31),
            ("130000004", 2024, "examined", "low_priority", 9),
            ("130000004", 2024, "inadmissible", "incomplete", None),
        ],
    )
    db.execute(
        "CREATE TABLE refusal_publication AS SELECT funder_id, service_key, fiscal_year, published, "
        "'declared' AS basis, n_total AS n_lines FROM refusal_rates_by_service_year"
    )


def _quality(db: duckdb.DuckDBPyConnection, is_demonstration: bool) -> None:
    db.execute(
        "CREATE TABLE data_quality_by_deposit AS SELECT 'd-' || funder_id || '-' || version AS "
        "deposit_id, slug AS depositor, slug || '-' || version || '.xlsx' AS file_name,"
        " slug || '/' || slug || '-' || version || '.xlsx' AS relative_path, 'abc' AS sha256, 20000 AS "
        "size_bytes, TIMESTAMP '2026-02-01 10:00:00' + version * INTERVAL 1 DAY AS received_at,"
        " CASE WHEN version = 2 THEN DATE '2026-01-15' END AS source_updated_at, 'modele' AS format_id, "
        "'format' AS recognised_by, CASE WHEN version = 2 AND level = 'caf' THEN 'held' ELSE"
        " 'accepted' END AS status, true AS is_current, ?::BOOLEAN AS is_demonstration, n_lines + 7 AS "
        "rows_read, n_lines AS rows_accepted, 4 AS rows_rejected, 3 AS rows_ignored,"
        " 4 AS issues_error, 9 AS issues_warning, 1 AS issues_info, "
        "version * 3 - 3 AS n_awards_elsewhere FROM funders CROSS JOIN (VALUES (1), "
        "(2)) v(version) WHERE version = 1 OR level IN ('caf', 'region')",
        [is_demonstration],
    )
    db.execute(
        "CREATE TABLE data_quality_by_field AS SELECT deposit_id, field, title, CAST(rows_accepted * "
        "share AS INTEGER) AS n_filled, rows_accepted AS n_lines, share FROM data_quality_by_deposit "
        "CROSS JOIN"
        " (VALUES ('applicant_name', 'Nom du demandeur', 1.0), ('amount_awarded', 'Montant accordé', "
        "0.97), ('applicant_siret', 'SIRET du demandeur', 0.8), ('theme', 'Thème', 0.6),"
        " ('refusal_reason', 'Motif de refus', 0.05), ('agreement_id', 'Convention', 0.0)) f(field, title, share)"
    )
    db.execute(
        "CREATE TABLE data_quality_issues AS SELECT deposit_id, code, severity, n FROM "
        "data_quality_by_deposit CROSS JOIN"
        " (VALUES ('siret_invalid', 'warning', 6), ('amount_unreadable', 'error', 4), ('jamais_vu', "
        "'info', 1)) i(code, severity, n)"
    )
    db.execute(
        "CREATE TABLE data_quality_versions AS SELECT deposit_id, 2024 AS fiscal_year, deposit_id LIKE "
        "'%-1' AS is_counted, CASE WHEN deposit_id LIKE '%-1' THEN 'counted' ELSE 'replaced' END AS "
        "reason,"
        " CASE WHEN deposit_id LIKE '%-2' THEN replace(deposit_id, '-2', '-1') END AS other_deposit_id, "
        "rows_accepted AS lines, CASE WHEN deposit_id LIKE '%-2' THEN rows_accepted - 1 END AS "
        "lines_matched,"
        " CASE WHEN deposit_id LIKE '%-2' THEN 0.98 END AS shared, 'rule' AS decided_by FROM data_quality_by_deposit"
    )
    db.execute(
        "CREATE TABLE data_quality_rhythms AS SELECT DISTINCT depositor, 2024 AS last_year, DATE '2025-01-20' AS "
        "last_delivered_date, length(depositor) % 4 AS n_observations, CASE WHEN length(depositor) % 4 >= 2 THEN 20 "
        "END AS median_lag, 2025 AS next_year, CASE WHEN length(depositor) % 4 >= 2 THEN DATE '2026-01-20' END AS "
        "expected_date, DATE '2026-03-31' AS due_date, length(depositor) % 2 = 0 AS is_late "
        "FROM data_quality_by_deposit"
    )
    db.execute("ALTER TABLE data_quality_versions ADD COLUMN file_name VARCHAR")
    db.execute("ALTER TABLE data_quality_versions ADD COLUMN other_file_name VARCHAR")
    for column, key in (("file_name", "deposit_id"), ("other_file_name", "other_deposit_id")):
        db.execute(
            f"UPDATE data_quality_versions SET {column} = d.file_name FROM data_quality_by_deposit d"
            f" WHERE d.deposit_id = data_quality_versions.{key}"
        )
    hidden = "rows_read = NULL, rows_accepted = NULL, rows_rejected = NULL, rows_ignored = NULL"
    db.execute(f"UPDATE data_quality_by_deposit SET {hidden} WHERE depositor = 'msa-grand-plateau'")


def _directory(db: duckdb.DuckDBPyConnection, is_demonstration: bool) -> None:
    """A directory that describes one service in two, with every kind of hole; calls in every state."""
    described = "n_awards % 2 = 0"
    db.execute(
        f"CREATE OR REPLACE TABLE services AS SELECT *, {described} AS is_declared, name = 'Insertion' AS "
        f"is_claimed_twice,"
        f" if({described}, 'S' || n_awards, NULL) AS service_id, if({described}, 'departement:34', NULL) AS area_id,"
        f" if({described}, 'Hérault (34)', NULL) AS area, if({described}, DATE '2021-04-01', NULL) AS valid_from,"
        " NULL::DATE AS valid_to, NULL::VARCHAR AS predecessors, if(n_awards % 4 = 0, 'Dépôt en janvier', NULL) "
        "AS calendar,"
        f" if({described}, 'Chargé de mission', NULL) AS contact_function,"
        f" if({described}, 'contact@exemple.invalid', NULL) AS contact_mailbox, NULL::VARCHAR AS url,"
        f" if({described}, DATE '2026-02-01', NULL) AS reviewed_date FROM services"
    )
    db.execute(
        "INSERT INTO services (service_key, slug, funder_id, name, n_lines, n_awards, refusals_published, is_declared,"
        " is_claimed_twice) VALUES ('130000006/tout-neuf', 'tout-neuf', '130000006', 'Tout neuf', 0, 0, "
        "'unknown', true, false)"
    )
    db.execute(
        "CREATE TABLE who_does_what AS WITH seen AS (SELECT service_of(funder_id, service_name) AS service_key, "
        "funder_id,"
        " scheme, coalesce(theme, 'unknown') AS theme, coalesce(purpose, 'unknown') AS pays,"
        " count(DISTINCT application_id)::INTEGER AS n_awards, min(fiscal_year) AS first_year, max(fiscal_year) "
        "AS last_year"
        " FROM app GROUP BY ALL) SELECT seen.funder_id, seen.service_key, if(is_declared, 's', NULL) AS "
        "service_ref, scheme,"
        " theme, pays, if(is_declared, 'Les murs', NULL) AS pays_not, NULL::VARCHAR AS budget_programme, area_id, area,"
        " false AS is_national, if(is_declared, '34', NULL) AS departement_codes, calendar, contact_function, "
        "contact_mailbox,"
        " url, reviewed_date, valid_from, valid_to, is_declared AND theme <> 'unknown' AS is_declared, true AS "
        "is_observed,"
        " seen.n_awards, seen.first_year, seen.last_year FROM seen JOIN services USING (service_key)"
    )
    db.execute(
        "INSERT INTO who_does_what (funder_id, service_key, service_ref, theme, pays, is_declared, is_observed, "
        "n_awards)"
        " VALUES ('130000006', '130000006/tout-neuf', 'neuf', '—', '—', true, false, 0)"
    )
    db.execute(
        "CREATE TABLE service_departements AS SELECT service_of(funder_id, service_name) AS service_key, funder_id,"
        " departement_code, departement_code = '34' AS is_declared, true AS is_observed,"
        " count(DISTINCT application_id)::INTEGER AS n_awards, min(fiscal_year) AS first_year, max(fiscal_year) "
        "AS last_year"
        " FROM app WHERE departement_code IS NOT NULL GROUP BY ALL"
    )
    db.execute(
        "CREATE TABLE service_differences AS SELECT funder_id, service_key, 'outside_area' AS difference,"
        " departement_code AS subject, n_awards, first_year, last_year FROM service_departements"
        " WHERE NOT is_declared AND departement_code = '31' UNION ALL SELECT '130000006', '130000006/tout-neuf',"
        " 'service_not_observed', NULL, 0, NULL, NULL UNION ALL SELECT '130000006',"
        " '130000006/politique-de-la-ville', 'pays_not_declared', 'Aide · operating', 3, 2020, 2024"
    )
    db.execute(
        "CREATE TABLE service_schemes AS SELECT service_key, funder_id, coalesce(scheme, '—') AS scheme, true AS "
        "is_declared,"
        " true AS is_observed, sum(n_awards)::INTEGER AS n_awards, min(first_year) AS first_year, max(last_year) "
        "AS last_year"
        " FROM who_does_what GROUP BY ALL"
    )
    db.execute(
        "CREATE TABLE service_chains AS SELECT '130000006' AS funder_id, '130000006/tout-neuf' AS service_key, "
        "'Tout neuf' AS"
        " name, '130000006/politique-de-la-ville' AS predecessor_key, 'Politique de la ville' AS predecessor_name,"
        " NULL::DATE AS predecessor_from, DATE '2025-12-31' AS predecessor_to, 1 AS n_steps"
    )
    texts = (
        "call_id title funder_name cofunders service_name service_key scheme programmes previous_call_id status "
        "recurrence "
        "applicants aid_types purposes themes theme_raw project_stages description project_examples criteria "
        "rate_comment "
        "area_id area departement_codes contact contact_mailbox info_url apply_url source_name licence"
    )
    dates = "opening_date predeposit_date closing_date decision_expected_date source_updated_at"
    db.execute(
        f"CREATE TABLE calls (call_key VARCHAR, funder_id VARCHAR, "
        f"{', '.join(f'{name} VARCHAR' for name in texts.split())},"
        f" {', '.join(f'{name} DATE' for name in dates.split())}, is_call BOOLEAN, is_national BOOLEAN,"
        " is_demonstration BOOLEAN, rate_min DECIMAL(9,6), rate_max DECIMAL(9,6), amount_ceiling DECIMAL(18,2),"
        " envelope DECIMAL(18,2), n_awards INTEGER)"
    )
    for number in range(26):
        state = ("open", "upcoming", "closed", "unknown")[number % 4]
        db.execute(
            "INSERT INTO calls (call_key, funder_id, call_id, title, funder_name, service_key, status, recurrence,"
            " applicants, purposes, themes, closing_date, opening_date, rate_max, info_url, source_name, "
            "is_demonstration,"
            " criteria) VALUES (?, '130000006', ?, ?, 'Métropole du Midi', '130000006/politique-de-la-ville', ?,"
            " 'recurring', 'association;commune', 'project', 'food_aid', ?, ?, 0.5, ?, 'Métropole', ?, ?)",
            [
                f"130000006/{number}", f"AAP-{number}", f"Appel {number} {NASTY if number == 3 else ''}",
                state,
                AS_OF + dt.timedelta({"open": number + 3, "upcoming": 300, "closed": -number - 1}.get(state, 0)),
                AS_OF + dt.timedelta({"open": -9, "upcoming": 9 + number}.get(state, -400)),
                "javascript:alert(1)" if number == 1 else CALL_PAGE, is_demonstration, RTL,
            ],
        )  # fmt: skip
    db.execute(
        "CREATE TABLE call_results AS SELECT call_key, funder_id, 'scheme' AS basis, 'Aide' AS edition, 'Aide' "
        "AS scheme, 2025"
        " AS fiscal_year, 12 AS n_awarded, 3000.5::DECIMAL(18,2) AS amount_awarded, 'EUR' AS currency,"
        " ['shown', 'suppressed', 'not_published'][1 + ascii(call_id[-1:]) % 3] AS status,"
        " if(status = 'shown', 20, NULL) AS n_total, if(status = 'shown', 8, NULL) AS n_refused, NULL::INTEGER "
        "AS n_inadmissible,"
        " NULL::INTEGER AS n_pending, NULL::DOUBLE AS refusal_rate FROM calls WHERE call_id <> 'AAP-0'"
    )


def _changes(db: duckdb.DuckDBPyConnection) -> None:
    """Two former publications: the first adds everything, the second moves two funders."""
    db.execute(
        "CREATE TABLE changes_by_table AS SELECT * FROM (VALUES"
        " (2, DATE '2025-12-01', DATE '2025-11-01', 'awards', 0, 900, 900, 0, 0),"
        " (2, DATE '2025-12-01', DATE '2025-11-01', 'sources', NULL, 13, 13, 0, 0),"
        " (3, DATE '2026-03-12', DATE '2025-12-01', 'awards', 900, 905, 10, 5, 3),"
        " (3, DATE '2026-03-12', DATE '2025-12-01', 'former_table', 7, NULL, 0, 7, 0)"
        ") AS t (publication, as_of, former_as_of, table_name, n_rows_before, n_rows_after, n_added, n_removed,"
        " n_changed)"
    )
    db.execute(
        "CREATE TABLE changes_by_funder AS SELECT 3 AS publication, DATE '2026-03-12' AS as_of, DATE '2025-12-01' AS"
        " former_as_of, funder_id, name AS funder_name, 'EUR' AS currency, 'awarded' AS stage, 10 AS n_added,"
        " 5 AS n_removed, 3 AS n_changed, 1000.50::DECIMAL(38,2) AS amount_added, 20::DECIMAL(38,2) AS amount_removed,"
        " -3::DECIMAL(38,2) AS amount_changed, if(level = 'msa', NULL, 5000)::DECIMAL(38,2) AS amount_before,"
        " 5977.5::DECIMAL(38,2) AS amount_after FROM funders WHERE level IN ('msa', 'commune', 'private')"
    )


def _dictionary(db: duckdb.DuckDBPyConnection) -> None:
    names = [
        row[0]
        for row in db.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY ALL").fetchall()
    ]
    for name in [*names, "dictionary"]:
        if name != "dictionary":
            db.execute(f"COMMENT ON TABLE \"{name}\" IS 'Description de la table {name}.'")
    db.execute(
        "CREATE TABLE dictionary AS SELECT table_name, column_name, 'Titre de ' || column_name AS title, "
        "'Ce que dit la colonne.' AS description,"
        " CASE WHEN column_name LIKE 'amount%' THEN 'euros' END AS unit, false AS is_key FROM duckdb_columns() WHERE "
        "NOT internal AND table_name IN (SELECT table_name FROM duckdb_tables() WHERE NOT temporary)"
    )
    for name in names:
        if key := key_of(name):
            listed = ", ".join(f"'{column}'" for column in key)
            db.execute(f"UPDATE dictionary SET is_key = true WHERE table_name = '{name}' AND column_name IN ({listed})")


def site(base: Path) -> Path:
    """The whole site of a small database, for all tests that look at pages; `public.duckdb` is beside it.

    `base`: the folder of the run (`run_folder`). Nobody writes in it.
    """
    return once(base / "publish", lambda folder: _published(folder, size=60)) / "reports"


def small_site(base: Path) -> tuple[Path, int]:
    """A folder with `public.duckdb`, the smallest with everything in it, and its whole site in `reports`; its files.

    For tests that publish again: each takes a copy.
    """
    folder = once(base / "small", lambda folder: _published(folder, size=20))
    return folder, int((folder / "files").read_text())


def _published(folder: Path, *, size: int) -> None:
    result = publish(build(folder / "public.duckdb", size=size), folder / "reports")
    assert result.written == result.files
    (folder / "files").write_text(str(result.files))
