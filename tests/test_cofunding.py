"""Co-funding: which lines of several funders are one project, on what evidence, what is left apart and unpublished."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.warehouse.build import BuildResult, build
from pipelines.warehouse.disclosure import publish_database
from schemas.publication import load_publication
from tests.warehouse_staging import AS_OF, Line, Staging, line, row, rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CITY = {"funder_name": "Ville de Lez", "funder_level": "commune"}
COUNTY = {"funder_name": "Département du Causse", "funder_level": "departement"}
REGION = {"funder_name": "Région des Deux Rives", "funder_level": "region"}
GARDEN = "Jardin nourricier des Aubes"
NAMELESS = {"applicant_siren": None, "applicant_siret": None}


def built(folder: Path, *deposits: Sequence[Line]) -> tuple[Path, BuildResult]:
    staging = Staging(folder / "staging")
    for number, lines in enumerate(deposits):
        staging.deposit(f"d{number}", list(lines), depositor=f"d{number}")
    return folder / "funding.duckdb", build(staging.inputs(), folder / "funding.duckdb")


def database(folder: Path, *deposits: Sequence[Line]) -> Path:
    """Each sequence of lines is one funder's file."""
    return built(folder, *deposits)[0]


def public(funding: Path) -> Path:
    publish_database(funding, funding.with_name("public.duckdb"), as_of=AS_OF, parameters=load_publication())
    return funding.with_name("public.duckdb")


def projects(funding: Path) -> list[Line]:
    return rows(funding, "FROM cofunded_projects ORDER BY fiscal_year, title")


# what makes a project


SHARED = {"cofunding_id": "COFI-2023-07"}
SHARED_GARDEN = {**SHARED, "title": GARDEN}
ELSEWHERE = {"cofunding_id": "COFI-2023-01", "title": "Maraude d'hiver", "org": 9}


def _twice() -> list[Line]:
    return [line(title=GARDEN, service_name=service, **CITY) for service in ("Culture", "Sport")]


CASES: dict[str, list[list[Line]]] = {
    "shared": [
        [line(title=GARDEN, amount=1000, **CITY, **SHARED), line(title="Autre chose", org=2, **CITY)],
        [line(title="Potager partagé", amount=500, **COUNTY, **SHARED)],
        [line("refused", title="Culture en ville", **REGION, **SHARED)],
    ],
    "near": [
        [line(title="Jardin nourricier des Aubes 2023", **CITY)],
        [line(title="JARDINS NOURRICIERS DES AUBES", **COUNTY)],
        [line(title="Projet : jardin nouricier des Aubes", **REGION)],
    ],
    "named": [
        [line(title=GARDEN, cofunders=f"{COUNTY['funder_name']} named ; Fondation inconnue", **CITY)],
        [line(title=GARDEN, **COUNTY)],
    ],
    "alone": [_twice()],
    "twice": [_twice(), [line(title=GARDEN, **COUNTY)]],
    "silent": [
        [line(title=GARDEN, **CITY), line(**CITY, **ELSEWHERE)],
        [line(title=GARDEN, **COUNTY), line(**COUNTY, **ELSEWHERE)],
    ],
    "half": [[line(title=GARDEN, **CITY), line(**CITY, **ELSEWHERE)], [line(title=GARDEN, **COUNTY)]],
    "mention": [
        [
            line(title=GARDEN, cofunders=f"{COUNTY['funder_name']} mention, {REGION['funder_name']} mention", **CITY),
            line(title="Maraude", org=2, cofunders="Causse ; Fondation Zed ; néant", **CITY),
            line(title="Repas", org=3, year=2021, cofunders="DEPARTEMENT DU CAUSSE MENTION", **CITY),
        ],
        [line(title=GARDEN, **COUNTY)],
        [line(title="Tout autre chose", **REGION)],
    ],
    "refused": [
        [line("refused", amount_requested=900, **SHARED_GARDEN, **CITY)],
        [line(amount=500, **SHARED_GARDEN, **COUNTY)],
        [line("inadmissible", **SHARED_GARDEN, **REGION), line(amount=10, **SHARED_GARDEN, **REGION)],
    ],
    "person": [
        [line(title=GARDEN, applicant_kind="natural", **CITY)],
        [line(title=GARDEN, applicant_kind="natural", **COUNTY)],
    ],
}  # fmt: skip
"""Each sequence of lines is one funder's file."""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each case has its own funders, applicants and identifiers, so that no case touches another."""
    deposits = []
    for number, (case, files) in enumerate(CASES.items()):
        for lines in files:
            own = [{**each, "funder_name": f"{each['funder_name']} {case}"} for each in lines]
            for each in own:
                each["applicant_siren"], each["applicant_siret"] = f"{number + 1:03}{each['applicant_siren'][3:]}", None
                if "cofunding_id" in each:
                    each["cofunding_id"] = f"{each['cofunding_id']}-{number}"
            deposits.append(own)
    return database(tmp_path_factory.mktemp("cases"), *deposits)


def of_case(cases: Path, case: str, table: str, order: str) -> list[Line]:
    """The rows of a table that tell a funder of a case."""
    return rows(cases, f"FROM {table} WHERE funder_id LIKE '%-{case}' ORDER BY {order}")


def projects_of(cases: Path, case: str) -> list[Line]:
    lines = f"SELECT project_id FROM cofunded_lines WHERE funder_id LIKE '%-{case}'"
    return rows(cases, f"FROM cofunded_projects WHERE project_id IN ({lines}) ORDER BY fiscal_year, title")


def test_a_shared_identifier_makes_a_project_whatever_the_titles(cases: Path) -> None:
    [project] = projects_of(cases, "shared")
    assert (project["evidence"], project["basis"], project["n_funders"], project["n_funders_awarding"]) == (
        "stated", "shared_id", 3, 2,
    )  # fmt: skip
    assert (float(project["amount"]), project["n_awarded"], project["n_refused"]) == (1500, 2, 1)


def test_near_identical_titles_of_one_applicant_and_year_make_a_probable_project(cases: Path) -> None:
    [project] = projects_of(cases, "near")
    assert (project["evidence"], project["n_funders"], project["n_funders_awarding"]) == ("probable", 3, 3)
    assert 0.8 <= project["likeness"] < 1
    linked = of_case(cases, "near", "cofunded_lines", "line_id")
    assert len(linked) == 3
    assert all(each["basis"] == "title" and each["linked_line_id"] != each["line_id"] for each in linked)


def test_a_named_funder_with_a_near_identical_title_is_stated(cases: Path) -> None:
    assert [(each["evidence"], each["basis"]) for each in projects_of(cases, "named")] == [("stated", "named")]


def test_two_lines_of_one_funder_are_never_a_cofunding(cases: Path) -> None:
    assert projects_of(cases, "alone") == []
    [project] = projects_of(cases, "twice")
    assert (project["n_funders"], project["n_total"], float(project["amount"])) == (2, 3, 3000)


def test_a_file_that_states_other_cofundings_and_not_this_one_is_believed(cases: Path) -> None:
    """Both files are silent on a project while they state another: left for review."""
    assert len(projects_of(cases, "silent")) == 1
    links = of_case(cases, "silent", "cofunding_links", "left_out_reason")
    assert [each["left_out_reason"] for each in links if not each["is_kept"]] == ["not_stated"]
    assert [each["evidence"] for each in projects_of(cases, "half")] == ["probable"]


def test_a_mention_alone_makes_no_project_and_is_kept(cases: Path) -> None:
    found = of_case(cases, "mention", "cofunding_mentions", "line_id, cofunder_name")
    assert [(each["cofunder_name"], each["mention_status"]) for each in found] == [
        ("Département du Causse mention", "linked"), ("Région des Deux Rives mention", "same_applicant"),
        ("Causse", "unknown_funder"), ("Fondation Zed", "unknown_funder"),
        ("DEPARTEMENT DU CAUSSE MENTION", "not_observed"),
    ]  # fmt: skip
    assert len(projects_of(cases, "mention")) == 1


def test_refused_here_and_granted_there(cases: Path) -> None:
    found = rows(
        cases,
        "FROM cofunding_refused_and_granted WHERE refusing_funder_id LIKE '%-refused' ORDER BY granting_funder_id",
    )
    assert [(each["refusing_funder_id"], each["granting_funder_id"], float(each["amount"])) for each in found] == [
        ("ville-de-lez-refused", "departement-du-causse-refused", 500),
        ("ville-de-lez-refused", "region-des-deux-rives-refused", 10),
    ]


APART: dict[str, tuple[Line, Line, str | None]] = {
    "the same title by chance, two applicants": (line(title=GARDEN), line(title=GARDEN, org=2), None),
    "a renewal in another year": (line(title=GARDEN), line(title=GARDEN, year=2024), None),
    "equal amounts": (line(title=GARDEN, amount=7777), line(title="Maraude d'hiver", amount=7777), None),
    "another number": (line(title=f"{GARDEN} 13e"), line(title=f"{GARDEN} 14e"), "other_numbers"),
    "another Roman numeral": (line(title=f"{GARDEN} Xème"), line(title=f"{GARDEN} XIème"), "other_numbers"),
    "one other word": (
        line(title="Accompagnement vers l'emploi des jeunes du quartier"),
        line(title="Accompagnement vers l'emploi des femmes du quartier"),
        "other_words",
    ),
    "a title that names no project": (
        line(title="Subvention de fonctionnement 2023"),
        line(title="Subvention de fonctionnement"),
        "plain_title",
    ),
    "a title that names the applicant": (
        line(title="Fonctionnement de l'épicerie Figue", applicant_name="Épicerie La Figue"),
        line(title="Fonctionnement épicerie Figue", applicant_name="Épicerie La Figue"),
        "plain_title",
    ),
    "running costs here, equipment there": (
        line(title=f"Fonctionnement {GARDEN}"),
        line(title=f"Équipement {GARDEN}"),
        "other_purpose",
    ),
    "a project and an investment": (
        line(title=GARDEN, purpose="project"),
        line(title=GARDEN, purpose="investment"),
        "other_purpose",
    ),
    "two identifiers": (
        line(title=GARDEN, cofunding_id="COFI-2023-01"),
        line(title=GARDEN, cofunding_id="COFI-2023-02"),
        "other_id",
    ),
    "an identifier given to two applicants by mistake": (
        line(title=GARDEN, cofunding_id="COFI-2023-01"),
        line(title="Maraude d'hiver", org=2, cofunding_id="COFI-2023-01"),
        "other_applicant",
    ),
    "an identifier shared by mistake across years": (
        line(title=GARDEN, cofunding_id="COFI-2023-01"),
        line(title=GARDEN, cofunding_id="COFI-2023-01", year=2024),
        "other_year",
    ),
    "everybody's numbering": (
        line(title=GARDEN, cofunding_id="12"),
        line(title="Maraude d'hiver", cofunding_id="12"),
        "weak_id",
    ),
    "one name, two seats": (
        line(title=GARDEN, **NAMELESS, applicant_name="Comité", seat_commune_code="34172"),
        line(title=GARDEN, **NAMELESS, applicant_name="Comité", seat_commune_code="31555"),
        None,  # two organisations: nothing is even compared
    ),
    "no applicant known": (
        line(title=GARDEN, **NAMELESS, applicant_name=None),
        line(title=GARDEN, **NAMELESS, applicant_name=None),
        None,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each case has its own city and county, so that no case touches another."""
    deposits = []
    for n, (one, other, _) in enumerate(APART.values()):
        for made, funder in ((one, CITY), (other, COUNTY)):
            each = {**made, "funder_level": funder["funder_level"], "funder_name": f"{funder['funder_name']} {n}"}
            if made["applicant_siren"]:
                each["applicant_siren"], each["applicant_siret"] = f"{n + 1:03}{made['applicant_siren'][3:]}", None
            if len(made.get("cofunding_id", "")) > 2:
                each["cofunding_id"] = f"{made['cofunding_id']}-{n}"
            deposits.append([each])
    return database(tmp_path_factory.mktemp("apart"), *deposits)


@pytest.mark.parametrize("case", list(APART))
def test_what_does_not_make_a_project(apart: Path, case: str) -> None:
    number = list(APART).index(case)
    wanted = f"FROM cofunding_links WHERE funder_id LIKE '%-{number}'"
    found = rows(apart, f"SELECT left_out_reason AS r {wanted} ORDER BY r")
    assert [each["r"] for each in found] == ([APART[case][2]] if APART[case][2] else [])
    assert rows(apart, "FROM cofunded_lines") == []


def test_a_large_group_is_compared_by_identical_titles_only_and_reported(tmp_path: Path) -> None:
    ours = [line(title=f"Chantier {chr(97 + n % 26)}{chr(97 + n // 26)}zig", **CITY) for n in range(72)]
    theirs = [{**each, **COUNTY, "application_id": f"t{n}"} for n, each in enumerate(ours)]
    theirs[0] = {**theirs[0], "title": f"{theirs[0]['title']}s"}
    funding, result = built(tmp_path, ours, theirs)
    [check] = [each for each in result.checks if not each.is_passed]
    assert (check.check.name, check.check.is_blocking, check.n_offenders) == ("cofunding_blocks_are_compared", False, 1)
    assert row(funding, "SELECT n_pairs, is_compared FROM cofunding_blocks") == {"n_pairs": 5184, "is_compared": False}
    assert len(projects(funding)) == 71


# what is counted


def test_who_funds_with_whom_adds_up_and_never_mixes_stages(tmp_path: Path) -> None:
    paid = {"headline_stage": "paid", "amount": None, "amount_paid": 40}
    funding = database(
        tmp_path,
        [line(title=GARDEN, amount=100, **CITY), line(title="Maraude d'hiver", amount=1, org=2, **CITY)],
        [line(title=GARDEN, amount=200, **COUNTY), line("refused", title="Maraude d'hiver", org=2, **COUNTY)],
        [line(title=GARDEN, **REGION, **paid), line(title="Maraude d'hiver", amount=None, org=2, **REGION)],
    )
    found = rows(
        funding,
        "SELECT split_part(funder_id, '-', 1) AS f, split_part(other_funder_id, '-', 1) AS o, stage, n_projects AS n,"
        " amount AS a, n_without_amount AS w FROM cofunding_by_funder_pair_year",
    )
    told = {(each["f"], each["o"], each["stage"]): (each["n"], float(each["a"] or 0), each["w"]) for each in found}
    assert told == {
        ("departement", "region", "awarded"): (1, 200, 0), ("departement", "ville", "awarded"): (1, 200, 0),
        ("region", "departement", "paid"): (1, 40, 0), ("region", "ville", "paid"): (1, 40, 0),
        ("region", "ville", "awarded"): (1, 0, 1), ("ville", "departement", "awarded"): (1, 100, 0),
        ("ville", "region", "awarded"): (2, 101, 0),
    }  # fmt: skip
    levels = rows(
        funding,
        "SELECT funder_level || '+' || other_level AS p, sum(n_projects)::INTEGER AS n "
        "FROM cofunding_by_level_pair_year WHERE stage = 'awarded' GROUP BY p ORDER BY p",
    )
    assert {each["p"]: each["n"] for each in levels} == {
        "commune+departement": 1, "commune+region": 2, "departement+commune": 1, "departement+region": 1,
        "region+commune": 1,
    }  # fmt: skip
    share = row(funding, "SELECT sum(n_awards)::INT AS n, sum(n_comparable)::INT AS c, sum(n_cofunded)::INT AS f, "
                         "sum(n_cofunded_stated)::INT AS s FROM cofunding_by_funder_year")  # fmt: skip
    assert share == {"n": 5, "c": 5, "f": 5, "s": 0}


# what the public sees


def test_nothing_public_depends_on_a_refusal(tmp_path: Path) -> None:
    """The public tables of co-funding are the same with and without what was not granted."""
    awards = [
        [line(title=GARDEN, application_id="a1", **CITY),
         line(title="Maraude d'hiver", application_id="a2", org=2, **CITY)],
        [line(title="Jardin nouricier des Aubes", application_id="a3", **COUNTY),
         line(title="Maraude hivernale", application_id="a4", org=2, **COUNTY)],
        [line(title="Repas de quartier", application_id="a5", org=3, **REGION)],
    ]  # fmt: skip
    shared = {"cofunding_id": "COFI-2023-09"}
    others = [
        # would bring together the two « Maraude », which do not resemble each other enough
        [line("refused", title="Maraude hivernale", org=2, application_id="0", **CITY)],
        [line("refused", title="Repas de quartier", org=3, application_id="1", **COUNTY, **shared)],
        [line("pending", title=GARDEN, application_id="2", **REGION, **shared)],
    ]
    tables = [
        "cofunded_lines", "cofunded_projects", "cofunding_by_funder_pair_year", "cofunding_by_level_pair_year",
        "cofunding_by_funder_year",
    ]  # fmt: skip
    told = []
    for name, made in (("awards", awards), ("all", [a + b for a, b in zip(awards, others, strict=True)])):
        funding = database(tmp_path / name, *made)
        published = public(funding)
        told.append({table: rows(published, f"FROM {table} ORDER BY ALL") for table in tables})
        assert len(projects(funding)) == (1 if name == "awards" else 3)
    assert told[0] == told[1]
    assert len(told[0]["cofunded_projects"]) == 1
    known = rows(tmp_path / "all" / "public.duckdb", "SELECT table_name AS t FROM duckdb_tables()")
    analysts = {"cofunding_refused_and_granted", "cofunding_mentions", "cofunding_links", "cofunder_names"}
    assert not analysts & {each["t"] for each in known}


def test_the_public_sees_no_natural_person(cases: Path) -> None:
    assert len(projects_of(cases, "person")) == 1
    published = public(cases)
    for table in ("cofunded_lines", "cofunding_by_funder_pair_year"):
        assert of_case(published, "person", table, "ALL") == []
        assert of_case(published, "shared", table, "ALL") != []
