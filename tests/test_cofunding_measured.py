"""How well co-funding is found: on the demonstration, whose truth is known, and on lines of Paris labelled by hand."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from pipelines.demo import funders
from pipelines.demo.applicants import dice, wording
from pipelines.demo.deposits import lines_of_years
from pipelines.demo.layouts import in_capitals
from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.warehouse.build import build
from schemas.application import Application
from schemas.contract import describe
from schemas.funder import FunderFile
from tests.warehouse_staging import Staging, line, row, rows

if TYPE_CHECKING:
    from random import Random


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
            WITH compared AS (
                SELECT lines.*, coalesce(repeats.node_id, lines.line_id) AS node_id
                FROM applications AS lines
                SEMI JOIN cofunding_blocks AS blocks
                    ON blocks.block = lines.organisation_id AND blocks.fiscal_year = lines.fiscal_year
                LEFT JOIN cofunding_repeats AS repeats USING (line_id)
            ),
            pairs AS (
                SELECT a.node_id AS one, b.node_id AS other, labels.was_linked, labels.is_same
                FROM labels
                JOIN compared AS a ON a.deposit_id = 'partie' || part AND a.source_row = "row"
                JOIN compared AS b ON b.deposit_id = 'partie' || other_part AND b.source_row = other_row
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
