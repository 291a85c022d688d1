"""Projects put to several funders at once, under one identifier: refused here, granted there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.demo.applicants import dice
from pipelines.demo.applications import Line, Request, decide
from pipelines.demo.funders import YEARS, Funder, Service

if TYPE_CHECKING:
    from random import Random

    from pipelines.demo.applicants import Applicant

PROJECTS_A_YEAR = 6
FIRST_NUMBER = 9001
REFUSED = 0.35


@dataclass(frozen=True)
class Desk:
    """One service of one folder."""

    funder: Funder
    service: Service


def cofunded_lines(funders: tuple[Funder, ...], applicants: tuple[Applicant, ...]) -> dict[tuple[str, str], list[Line]]:
    """(folder's slug, service's name) → lines of the co-funded projects. Each project has at least one award."""
    rng = dice("cofunding")
    desks = [Desk(funder, service) for funder in funders if funder.states_cofunding for service in funder.services]
    lines: dict[tuple[str, str], list[Line]] = {}
    able = [one for one in applicants if one.siret and one.size >= 2 and "food_aid" in one.themes]
    for year in YEARS:
        for rank, applicant in enumerate(rng.sample(able, PROJECTS_A_YEAR)):
            round_table = _round_table(rng, desks, applicant, year)
            if len(round_table) < 2:
                continue
            outcomes = ["awarded", *("refused" if rng.random() < REFUSED else "awarded" for _ in round_table[1:])]
            for desk, outcome in zip(round_table, outcomes, strict=True):
                line = _share(rng, desk, applicant, year, rank, outcome)
                others = sorted({other.funder.name for other in round_table} - {desk.funder.name})
                line |= {"title": f"Projet alimentaire partagé de {applicant.commune.name}", "purpose": "project",
                         "cofunding_id": f"COFI-{year}-{rank + 1:02d}", "cofunders": ", ".join(others)}  # fmt: skip
                lines.setdefault((desk.funder.slug, desk.service.name), []).append(line)
    return lines


def _round_table(rng: Random, desks: list[Desk], applicant: Applicant, year: int) -> list[Desk]:
    """Two to four funders that may pay this applicant that year, each once."""
    near = [desk for desk in desks
            if applicant.commune.departement in desk.service.area and year in desk.funder.years
            and any("food_aid" in scheme.themes and scheme.purposes != ("investment",) for scheme in
                    desk.service.schemes)
            and year not in desk.service.awards_only]  # fmt: skip
    rng.shuffle(near)
    by_funder = {desk.funder.serial: desk for desk in near}
    return list(by_funder.values())[: rng.randint(2, 4)]


def _share(rng: Random, desk: Desk, applicant: Applicant, year: int, rank: int, outcome: str) -> Line:
    scheme = next(scheme for scheme in desk.service.schemes
                  if "food_aid" in scheme.themes and scheme.purposes != ("investment",))  # fmt: skip
    number = FIRST_NUMBER + rank
    request = Request(desk.funder, desk.service, scheme, applicant, year, number, renewal=False, first=False)
    return decide(rng, request, outcome)
