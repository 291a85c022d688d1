"""Figures of co-funding: the share of projects that several funders help, and who funds with whom. Awards only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats, headlines
from pipelines.publish.charts import Bars
from pipelines.publish.directory import amounts_word
from pipelines.publish.figure import Figure
from pipelines.publish.tables import Column, records

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from pipelines.publish.database import PublicDatabase

PAIRS_SHOWN = 50
EVIDENCE_WORDS = {"stated": "déclaré", "probable": "probable"}

_PAIRS = """
    WITH evidence AS (
        SELECT project_id, evidence FROM cofunded_projects
    ),
    lines AS (
        SELECT project_id, funder_id, {key} AS party, currency, stage, amount FROM cofunded_lines
    ),
    met AS (
        SELECT DISTINCT a.project_id, a.party AS first, b.party AS second
        FROM lines AS a JOIN lines AS b USING (project_id)
        WHERE a.funder_id <> b.funder_id AND a.party <= b.party
    ),
    counts AS (
        SELECT
            first, second, count(*)::INTEGER AS n_projects,
            (count(*) FILTER (evidence = 'stated'))::INTEGER AS n_stated
        FROM met JOIN evidence USING (project_id) GROUP BY ALL
    ),
    put AS (
        SELECT met.first, met.second, lines.party, sum(lines.amount) AS amount
        FROM met JOIN lines USING (project_id)
        WHERE lines.party IN (met.first, met.second) AND lines.currency = $1 AND lines.stage = $2
        GROUP BY ALL
    )
    SELECT
        counts.*,
        any_value(put.amount) FILTER (put.party = first) AS amount_first,
        any_value(put.amount) FILTER (put.party = second AND first <> second) AS amount_second
    FROM counts LEFT JOIN put USING (first, second)
    GROUP BY ALL
    ORDER BY n_projects DESC, first, second
"""
"""Unordered pairs met in a project, and what each put in the projects they share, in one currency and stage."""


def main_amounts(database: PublicDatabase) -> tuple[str, str, int]:
    """Currency and stage of most co-funded awards, and how many awards are in others, whose amounts are left out."""
    found = records(
        database.query(
            "SELECT currency, stage, count(*)::INTEGER AS n FROM cofunded_lines GROUP BY ALL"
            " ORDER BY n DESC, currency, stage"
        )
    )
    if not found:
        return "EUR", "awarded", 0
    return str(found[0]["currency"]), str(found[0]["stage"]), sum(int(row["n"]) for row in found[1:])


def shares(database: PublicDatabase, *, id: str, source: str) -> Figure | None:
    """By fiscal year, the share of projects that several funders help, among those where it could be seen."""
    known = database.table("cofunding_by_funder_year")
    measures = ["n_awards", "n_comparable", "n_cofunded", "n_cofunded_stated"]
    tidy = known.groupby("fiscal_year")[measures].sum().reset_index()
    tidy = tidy[tidy["n_comparable"] > 0].reset_index(drop=True)
    if tidy.empty:
        return None
    counted = database.query("SELECT fiscal_year, count(*)::INTEGER AS n FROM cofunded_projects GROUP BY ALL")
    by_year = dict(zip(counted["fiscal_year"], counted["n"], strict=True))
    tidy["n_projects"] = [int(by_year.get(year, 0)) for year in tidy["fiscal_year"]]
    tidy["n_all"] = tidy["n_comparable"] - tidy["n_cofunded"] + tidy["n_projects"]
    tidy["share"] = tidy["n_projects"] / tidy["n_all"]
    projects, everything = int(tidy["n_projects"].sum()), int(tidy["n_all"].sum())
    awards, comparable = int(known["n_awards"].sum()), int(tidy["n_comparable"].sum())
    return Figure(
        id=id,
        headline=headlines.several_funders(projects, everything),
        subtitle=(
            "Projets aidés par plusieurs financeurs ÷ projets où cela peut se voir, par exercice, "
            f"{formats.years(tidy['fiscal_year'].min(), tidy['fiscal_year'].max())}"
        ),
        summary=(
            f"{formats.plural(projects, 'projet')} sur {formats.count(everything)}. "
            f"Cela peut se voir pour {formats.percent(comparable / awards)} des attributions : il faut un bénéficiaire "
            "identifié, un objet qui nomme un projet, et un autre financeur dont les données existent cette année-là. "
            "C'est un minimum : un financeur absent des données ne se voit pas."
        ),
        frame=tidy,
        columns=(
            Column("fiscal_year", "Exercice", "year", header=True),
            Column("n_awards", "Attributions", "count"),
            Column("n_comparable", "Comparables", "count"),
            Column("n_cofunded", "Cofinancées", "count"),
            Column("n_projects", "Projets cofinancés", "count"),
            Column("share", "Part des projets", "share"),
        ),
        chart=Bars("fiscal_year", "share", kind="share", top=40),
        coverage=(
            f"Sur {formats.plural(awards, 'attribution')} à des personnes morales, {formats.count(comparable)} "
            f"comparables et {formats.count(awards - comparable)} sans cette information"
        ),
        source=source,
        method="cofinancements",
    )


def pairs(
    database: PublicDatabase, *, key: str, id: str, one: str, name: Callable[[str], str], source: str
) -> Figure | None:
    """Who funds with whom, by `key` (a column of `cofunded_lines`): projects shared, and what each put in them."""
    currency, stage, others = main_amounts(database)
    frame = database.query(_PAIRS.format(key=key), [currency, stage])
    if frame.empty:
        return None
    total = len(frame)
    tidy = frame.head(PAIRS_SHOWN).copy()
    tidy["first_name"] = [formats.sentence(name(code)) for code in tidy["first"]]
    tidy["second_name"] = [name(code) for code in tidy["second"]]
    tidy["label"] = [
        f"{row['first_name']} et {row['second_name']}"
        if row["first"] != row["second"]
        else f"{row['first_name']}, entre eux"
        for row in records(tidy)
    ]
    tidy["currency"], tidy["stage"] = currency, stage
    projects = int(database.query("SELECT count(*)::INTEGER AS n FROM cofunded_projects")["n"].iloc[0])
    listed = [(str(label), int(n)) for label, n in zip(tidy["label"], tidy["n_projects"], strict=True)]
    word = amounts_word(stage)
    said = " ; ".join(f"{label}, {formats.plural(n, 'projet')}" for label, n in listed[:3])
    return Figure(
        id=id,
        headline=headlines.first_pair(listed, projects, neutral=f"Qui finance avec qui, par {one}"),
        subtitle=f"Projets aidés par les deux, par paire de {one}s, et {word} par chacun à ces projets",
        summary=f"{formats.sentence(said)}. Un projet aidé par trois financeurs compte dans trois paires.",
        frame=tidy,
        columns=(
            Column("first_name", f"Un {one}", "name", header=True),
            Column("second_name", "Avec", "name"),
            Column("n_projects", "Projets", "count"),
            Column("n_stated", "Dont déclarés", "count"),
            Column("amount_first", "Montant du premier", "money"),
            Column("amount_second", "Montant du second", "money"),
        ),
        chart=Bars("label", "n_projects", kind="count"),
        coverage=f"Sur {formats.plural(projects, 'projet')}"
        + (
            f" ; {formats.plural(others, 'attribution')} à une autre étape ou dans une autre monnaie, hors des montants"
            if others
            else " ; tous les montants sont de même nature"
        ),
        source=source,
        method="cofinancements",
        note=_cut(len(tidy), total),
    )


def _cut(shown: int, total: int) -> str:
    words = []
    if shown > 15:
        words.append("Le graphique montre les 15 premières paires.")
    if total > shown:
        words.append(f"Le tableau montre {formats.count(shown)} paires sur {formats.count(total)} ; le CSV suit.")
    return " ".join(words)


def largest(database: PublicDatabase, limit: int, name: Callable[[str], str]) -> pd.DataFrame:
    """The co-funded projects of most money in the main currency and stage, with their funders in words."""
    currency, stage, _ = main_amounts(database)
    found = database.query(
        "WITH put AS (SELECT project_id, funder_id, sum(amount) AS amount FROM cofunded_lines GROUP BY ALL)"
        " SELECT projects.*, list(put.funder_id ORDER BY put.amount DESC NULLS LAST, put.funder_id) AS funders"
        " FROM cofunded_projects AS projects JOIN put USING (project_id)"
        " WHERE currency = $1 AND stage = $2 GROUP BY ALL"
        " ORDER BY projects.amount DESC NULLS LAST, project_id LIMIT $3",
        [currency, stage, limit],
    )
    found["funder_names"] = [formats.joined([name(str(code)) for code in codes]) for codes in found["funders"]]
    found["proof"] = [EVIDENCE_WORDS[str(evidence)] for evidence in found["evidence"]]
    return found
