"""Co-funding: which lines of several funders are one project, on what evidence, what is left apart and unpublished."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl
import pytest

from pipelines.demo import funders
from pipelines.demo.applicants import dice, wording
from pipelines.demo.deposits import lines_of_years
from pipelines.demo.layouts import in_capitals
from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.warehouse.build import BuildResult, build
from pipelines.warehouse.disclosure import publish_database
from schemas.application import Application
from schemas.contract import describe
from schemas.funder import FunderFile
from schemas.publication import load_publication
from tests.warehouse_staging import AS_OF, Line, Staging, line, row, rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

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


def left_out(funding: Path) -> list[str]:
    found = rows(funding, "SELECT left_out_reason AS r FROM cofunding_links WHERE NOT is_kept ORDER BY r")
    return [each["r"] for each in found]


def projects(funding: Path) -> list[Line]:
    return rows(funding, "FROM cofunded_projects ORDER BY fiscal_year, title")


# what makes a project


def test_a_shared_identifier_makes_a_project_whatever_the_titles(tmp_path: Path) -> None:
    shared = {"cofunding_id": "COFI-2023-07"}
    funding = database(
        tmp_path,
        [line(title=GARDEN, amount=1000, **CITY, **shared), line(title="Autre chose", org=2, **CITY)],
        [line(title="Potager partagé", amount=500, **COUNTY, **shared)],
        [line("refused", title="Culture en ville", **REGION, **shared)],
    )
    [project] = projects(funding)
    assert (project["evidence"], project["basis"], project["n_funders"], project["n_funders_awarding"]) == (
        "stated", "shared_id", 3, 2,
    )  # fmt: skip
    assert (float(project["amount"]), project["n_awarded"], project["n_refused"]) == (1500, 2, 1)


def test_near_identical_titles_of_one_applicant_and_year_make_a_probable_project(tmp_path: Path) -> None:
    funding = database(
        tmp_path,
        [line(title="Jardin nourricier des Aubes 2023", **CITY)],
        [line(title="JARDINS NOURRICIERS DES AUBES", **COUNTY)],
        [line(title="Projet : jardin nouricier des Aubes", **REGION)],
    )
    [project] = projects(funding)
    assert (project["evidence"], project["n_funders"], project["n_funders_awarding"]) == ("probable", 3, 3)
    assert 0.8 <= project["likeness"] < 1
    linked = rows(funding, "SELECT basis, likeness, linked_line_id <> line_id AS other FROM cofunded_lines")
    assert all(each["basis"] == "title" and each["other"] for each in linked)


def test_a_named_funder_with_a_near_identical_title_is_stated(tmp_path: Path) -> None:
    named = [line(title=GARDEN, cofunders="Département du Causse ; Fondation inconnue", **CITY)]
    funding = database(tmp_path, named, [line(title=GARDEN, **COUNTY)])
    assert [(each["evidence"], each["basis"]) for each in projects(funding)] == [("stated", "named")]


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


def test_two_lines_of_one_funder_are_never_a_cofunding(tmp_path: Path) -> None:
    twice = [line(title=GARDEN, service_name="Culture", **CITY), line(title=GARDEN, service_name="Sport", **CITY)]
    assert projects(database(tmp_path / "one", twice)) == []
    [project] = projects(database(tmp_path / "two", twice, [line(title=GARDEN, **COUNTY)]))
    assert (project["n_funders"], project["n_total"], float(project["amount"])) == (2, 3, 3000)


def test_a_file_that_states_other_cofundings_and_not_this_one_is_believed(tmp_path: Path) -> None:
    """Both files are silent on a project while they state another: left for review."""
    stated = {"cofunding_id": "COFI-2023-01", "title": "Maraude d'hiver", "org": 9}
    ours, theirs = [line(title=GARDEN, **CITY)], [line(title=GARDEN, **COUNTY)]
    both = database(tmp_path / "both", [*ours, line(**CITY, **stated)], [*theirs, line(**COUNTY, **stated)])
    assert len(projects(both)) == 1
    assert left_out(both) == ["not_stated"]
    one = database(tmp_path / "one", [*ours, line(**CITY, **stated)], theirs)
    assert [each["evidence"] for each in projects(one)] == ["probable"]


def test_a_mention_alone_makes_no_project_and_is_kept(tmp_path: Path) -> None:
    funding = database(
        tmp_path,
        [
            line(title=GARDEN, cofunders="Département du Causse, Région des Deux Rives", **CITY),
            line(title="Maraude", org=2, cofunders="Causse ; Fondation Zed ; néant", **CITY),
            line(title="Repas", org=3, year=2021, cofunders="DEPARTEMENT DU CAUSSE", **CITY),
        ],
        [line(title=GARDEN, **COUNTY)],
        [line(title="Tout autre chose", **REGION)],
    )
    found = rows(funding, "SELECT cofunder_name AS n, mention_status AS s FROM cofunding_mentions ORDER BY line_id, n")
    assert [(each["n"], each["s"]) for each in found] == [
        ("Département du Causse", "linked"), ("Région des Deux Rives", "same_applicant"),
        ("Causse", "unknown_funder"), ("Fondation Zed", "unknown_funder"), ("DEPARTEMENT DU CAUSSE", "not_observed"),
    ]  # fmt: skip
    assert len(projects(funding)) == 1


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


def test_refused_here_and_granted_there(tmp_path: Path) -> None:
    shared = {"cofunding_id": "COFI-2023-01", "title": GARDEN}
    funding = database(
        tmp_path,
        [line("refused", amount_requested=900, **shared, **CITY)],
        [line(amount=500, **shared, **COUNTY)],
        [line("inadmissible", **shared, **REGION), line(amount=10, **shared, **REGION)],
    )
    found = rows(funding, "FROM cofunding_refused_and_granted ORDER BY granting_funder_id")
    assert [(each["refusing_funder_id"], each["granting_funder_id"], float(each["amount"])) for each in found] == [
        ("ville-de-lez", "departement-du-causse", 500), ("ville-de-lez", "region-des-deux-rives", 10),
    ]  # fmt: skip


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
        told.append({table: rows(public(funding), f"FROM {table} ORDER BY ALL") for table in tables})
        assert len(projects(funding)) == (1 if name == "awards" else 3)
    assert told[0] == told[1]
    assert len(told[0]["cofunded_projects"]) == 1
    known = rows(tmp_path / "all" / "public.duckdb", "SELECT table_name AS t FROM duckdb_tables()")
    analysts = {"cofunding_refused_and_granted", "cofunding_mentions", "cofunding_links", "cofunder_names"}
    assert not analysts & {each["t"] for each in known}


def test_the_public_sees_no_natural_person(tmp_path: Path) -> None:
    person = {"applicant_kind": "natural", "title": GARDEN}
    funding = database(tmp_path, [line(**person, **CITY)], [line(**person, **COUNTY)])
    assert len(projects(funding)) == 1
    assert rows(public(funding), "FROM cofunded_lines") == []
    assert rows(public(funding), "FROM cofunding_by_funder_pair_year") == []


# measures


def demonstration(folder: Path, *, hide: bool, titles: dict[str, str] | None = None) -> Path:
    """A database of the lines that the demonstration's generator made; `hide` leaves out what states co-funding."""
    staging = Staging(folder / "staging")
    known = set(describe(Application))
    hidden = {"cofunding_id", "cofunders"} if hide else set()
    for funder in funders.FUNDERS:
        lines = []
        for n, made in enumerate(lines_of_years(funder, funder.years)):
            values = {name: value for name, value in made.items() if name in known - hidden}
            values["title"] = (titles or {}).get(f"{funder.slug}:{n}", values["title"])
            siret = made["applicant_siret"]
            lines.append({
                **line(), **values, "application_id": f"{funder.slug}:{n}", "funder_level": funder.level,
                "applicant_siren": str(siret)[:9] if siret else None, "funder_siren": funder.siret[:9],
            })  # fmt: skip
        staging.deposit(funder.slug, lines, depositor=funder.folder)
    build(staging.inputs(), folder / "funding.duckdb")
    return folder / "funding.duckdb"


def truth() -> dict[str, list[str]]:
    """Co-funding identifier → applications, those of projects that two funders let out."""
    found: dict[str, dict[str, str]] = {}
    for funder in funders.FUNDERS:
        for n, made in enumerate(lines_of_years(funder, funder.years)):
            if made.get("cofunding_id"):
                found.setdefault(str(made["cofunding_id"]), {})[f"{funder.slug}:{n}"] = funder.siret
    return {key: list(lines) for key, lines in found.items() if len(set(lines.values())) > 1}


def measured(funding: Path, what: str) -> tuple[float, float]:
    """Precision and recall of pairs of lines of two funders in one project, printed."""
    wanted = {frozenset(pair) for lines in truth().values() for pair in combinations(lines, 2)}
    linked: dict[str, list[tuple[str, str]]] = {}
    for each in rows(funding, "SELECT project_id AS p, application_id AS a, funder_id AS f FROM cofunded_lines"):
        linked.setdefault(each["p"], []).append((each["a"], each["f"]))
    found = {
        frozenset((one[0], other[0]))
        for lines in linked.values()
        for one, other in combinations(lines, 2)
        if one[1] != other[1]
    }
    wanted = {pair for pair in wanted if len({_funder(a) for a in pair}) > 1}
    precision, recall = len(wanted & found) / len(found), len(wanted & found) / len(wanted)
    print(
        f"\n{what} : {len(found)} paires trouvées, {len(wanted)} vraies ; "
        f"précision {precision:.3f}, rappel {recall:.3f}"
    )
    return precision, recall


def _funder(application_id: str) -> str:
    slug = application_id.split(":")[0]
    return next(funder.siret for funder in funders.FUNDERS if funder.slug == slug)


def test_demonstration_by_identifier(tmp_path: Path) -> None:
    funding = demonstration(tmp_path, hide=False)
    stated = row(funding, "SELECT count(*)::INT AS n, count(DISTINCT cofunding_id)::INT AS ids FROM cofunded_projects "
                          "WHERE evidence = 'stated'")  # fmt: skip
    assert stated["n"] == stated["ids"] == len(truth())
    lines = rows(funding, "SELECT application_id AS a, cofunding_id AS c FROM cofunded_lines WHERE basis = 'shared_id'")
    assert {each["a"] for each in lines} == {a for found in truth().values() for a in found}
    assert all(each["c"] for each in lines)
    reasons = rows(
        funding, "SELECT coalesce(left_out_reason, basis) AS r, count(*) AS n FROM cofunding_links GROUP BY r"
    )
    print(f"\n{len(truth())} projets déclarés ; paires : { ({each['r']: each['n'] for each in reasons}) }")


def test_demonstration_by_title_alone(tmp_path: Path) -> None:
    """Nothing states the co-funding; the titles are those of a short list that independent requests share by chance.

    So the precision measures that list: two requests of one applicant, in one year, under the very same words.
    """
    funding = demonstration(tmp_path, hide=True)
    _, recall = measured(funding, "Démonstration, titres seuls, liste courte")
    assert recall == 1
    assert row(funding, "SELECT count(*) AS n FROM cofunding_links WHERE is_kept AND likeness < 1") == {"n": 0}


def test_demonstration_by_title_with_its_own_words_and_slips(tmp_path: Path) -> None:
    """Each project has its own words, and each funder's clerk writes them their own way."""
    rng = dice("cofunding/titles")
    words = wording()
    names = [f"{noun} {adjective}" for kind in ("feminine", "masculine") for noun in words[f"nouns_{kind}"]
             for adjective in words[f"adjectives_{kind}"]]  # fmt: skip
    project_of = {a: key for key, lines in truth().items() for a in lines}
    own: dict[str, str] = {}
    titles = {}
    for funder in funders.FUNDERS:
        for n, made in enumerate(lines_of_years(funder, funder.years)):
            key = f"{funder.slug}:{n}"
            project = project_of.get(key, f"{made['case_number']}/{funder.slug}/{made['fiscal_year']}")
            name = own.setdefault(project, rng.choice(names))
            titles[key] = _as_a_clerk_writes(rng, f"{made['title']} : {name}", int(str(made["fiscal_year"])))
    funding = demonstration(tmp_path, hide=True, titles=titles)
    precision, recall = measured(funding, "Démonstration, titres seuls, mots propres et fautes")
    assert precision >= 0.98
    assert recall >= 0.9


def _as_a_clerk_writes(rng: Random, title: str, year: int) -> str:
    slip = rng.randrange(6)
    if slip == 0:
        return in_capitals(title)
    if slip == 1:
        return f"{title} {year}"
    if slip == 2:
        return f"Projet « {title} »"
    if slip == 3:  # two letters swapped in the longest word
        longest = max(title.split(), key=len)
        place = rng.randrange(3, len(longest) - 2)
        return title.replace(longest, longest[:place] + longest[place + 1] + longest[place] + longest[place + 2 :])
    if slip == 4:
        return f"Subvention : {title.lower()}"
    return title


PARTS = {n: f"paris/subventions-accordees-et-refusees-2013-2019-partie-{n}.csv" for n in (1, 2)}


def test_paris_city_and_departement(real_files: Path, tmp_path: Path) -> None:
    """Two funders in one real publication. Every pair then linked under unequal titles was read, and 60 of those left.

    Labels by line number (`cofunding_labels.csv`): the same project or not, from the two titles.
    """
    lines = pl.concat(
        check_file(
            (real_files / path).read_bytes(), Origin("essai", "paris", Path(path).name, FunderFile())
        ).accepted.with_columns(pl.lit(f"partie{n}").alias("deposit_id"))
        for n, path in PARTS.items()
    )
    several = pl.col("funder_name").n_unique().over("applicant_name", "fiscal_year") > 1
    staging = Staging(tmp_path / "staging")
    for part, kept in lines.filter(several).drop("line_id").group_by("deposit_id", maintain_order=True):
        staging.deposit(str(part[0]), kept.to_dicts(), depositor="paris")
    funding = tmp_path / "funding.duckdb"
    build(staging.inputs(), funding)
    with duckdb.connect(str(funding), read_only=True) as connection:
        labels = connection.read_csv(str(Path(__file__).with_name("cofunding_labels.csv")))
        assert labels
        found = connection.sql("""
            WITH pairs AS (
                SELECT a.node_id AS one, b.node_id AS other, labels.was_linked, labels.is_same
                FROM labels
                JOIN applications AS la ON la.deposit_id = 'partie' || part AND la.source_row = "row"
                JOIN applications AS lb ON lb.deposit_id = 'partie' || other_part AND lb.source_row = other_row
                JOIN cofunding_candidates AS a ON a.line_id = la.line_id
                JOIN cofunding_candidates AS b ON b.line_id = lb.line_id
            )
            SELECT pairs.is_same, pairs.was_linked, coalesce(links.is_kept, false) AS is_kept, count(*) AS n
            FROM pairs
            LEFT JOIN cofunding_links AS links ON (one, other) IN (
                (links.node_id, links.other_node_id), (links.other_node_id, links.node_id)
            )
            GROUP BY ALL
        """).fetchall()
    told = {(same, was, kept): n for same, was, kept, n in found}
    reasons = rows(
        funding,
        "SELECT coalesce(left_out_reason, if(likeness = 1, 'titres égaux', 'titres presque égaux')) AS r,"
        " count(*)::INT AS n FROM cofunding_links GROUP BY r ORDER BY n DESC",
    )
    counts = {each["r"]: each["n"] for each in reasons}
    print(f"\nParis, Ville et Département : {counts}")
    linked = {same: sum(n for (s, _, kept), n in told.items() if s is same and kept) for same in (True, False)}
    missed = told.get((True, False, False), 0) / sum(n for (_, was, _), n in told.items() if not was)
    missing = missed * (counts["other_words"] + counts["other_numbers"])
    unequal = counts["titres presque égaux"]
    all_linked = counts["titres égaux"] + unequal
    print(
        f"  {sum(told.values())} étiquettes ; reliées à raison {linked[True]}, à tort {linked[False]} ; rappel estimé "
        f"{all_linked / (all_linked + missing):.3f}, titres inégaux seuls {unequal / (unequal + missing):.3f}"
    )
    # of 221 labels, one is an applicant without identifier, of two funders that nothing ties to one place: it is asked
    assert sum(told.values()) == 220
    assert linked[True] / (linked[True] + linked[False]) >= 0.98
    assert all_linked / (all_linked + missing) >= 0.9
