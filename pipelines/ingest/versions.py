"""Several files of one depositor: which one counts for which year.

A file that holds most of an older one's lines replaces it; one that holds almost none adds to it; in between it is a
restatement, of which one is counted and the author is asked. Files of one format that add up form one set, and sets
of different formats are compared as wholes. What `funder.toml` says comes before any threshold. Nothing depends on
the order in which files arrive, unless no file states its own date.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.matching import COLUMNS, count_matches

if TYPE_CHECKING:
    from datetime import date

    from schemas.funder import FunderFile

REPLACES = 0.80
ADDS = 0.05
MOST_LINES_LOST = 0.05
MOST_EUROS_LOST = 0.10


@dataclass(frozen=True)
class Candidate:
    """A current, accepted deposit. `lines` has at least `matching.COLUMNS`; `arrival` is its rank in the ledger."""

    deposit_id: str
    file_name: str
    format_id: str
    stated_date: date | None
    arrival: int
    lines: pl.DataFrame
    states_funder: bool
    is_released: bool = False

    @property
    def age(self) -> tuple[bool, date | int, int, str]:
        """Sort key, oldest first: files that state no date come before those that do."""
        return (self.stated_date is not None, self.stated_date or 0, self.arrival, self.file_name)


@dataclass
class Version:
    """What is decided of one deposit for one year.

    `reason`: `counted`, `replaced`, `restated` or `held`; `lines_matched` of its `lines` are found in
    `other_deposit_id`; `decided_by`: `rule` or `funder_file`.
    """

    deposit_id: str
    fiscal_year: int
    lines: int
    is_counted: bool = True
    reason: str = "counted"
    other_deposit_id: str | None = None
    lines_matched: int | None = None
    shared: float | None = None
    decided_by: str = "rule"


@dataclass
class _Group:
    """Files of one format that add up, for one year."""

    format_id: str
    members: list[Candidate] = field(default_factory=list)

    def lines(self, year: int) -> pl.DataFrame:
        return pl.concat([m.lines.filter(pl.col("fiscal_year") == year).select(COLUMNS) for m in self.members])

    @property
    def age(self) -> tuple[bool, date | int, int, str]:
        return max(member.age for member in self.members)


def decide(candidates: list[Candidate], funder_file: FunderFile) -> list[Version]:
    """One `Version` for each deposit and each year it has lines for, sorted by year then deposit."""
    years = sorted({year for c in candidates for year in c.lines["fiscal_year"].unique().to_list()})
    versions = [version for year in years for version in _decide_year(candidates, year, funder_file)]
    return sorted(versions, key=lambda version: (version.fiscal_year, version.deposit_id))


def _decide_year(candidates: list[Candidate], year: int, funder_file: FunderFile) -> list[Version]:
    present = sorted((c for c in candidates if (c.lines["fiscal_year"] == year).any()), key=lambda c: c.age)
    versions = {c.deposit_id: Version(c.deposit_id, year, int((c.lines["fiscal_year"] == year).sum())) for c in present}
    winners = _declared_winners(present, year, funder_file)
    groups: list[_Group] = []
    for format_id in dict.fromkeys(c.format_id for c in present):
        same = [c for c in present if c.format_id == format_id]
        groups.append(_set_of(same, year, versions, {c.deposit_id for c in winners}))
    _compare_sets(groups, year, versions, winners)
    return list(versions.values())


def _declared_winners(present: list[Candidate], year: int, funder_file: FunderFile) -> list[Candidate]:
    patterns = [wins.file for wins in funder_file.wins if year in wins.years]
    return [c for c in present if any(fnmatch.fnmatch(c.file_name, pattern) for pattern in patterns)]


def _set_of(same: list[Candidate], year: int, versions: dict[str, Version], winners: set[str]) -> _Group:
    """The files of one format that are left after replacements and restatements, oldest first."""
    group = _Group(same[0].format_id)
    declared = [c for c in same if c.deposit_id in winners]
    for new in same:
        for old in list(group.members):
            if old in declared and new in declared:
                continue
            _compare(_Group(old.format_id, [old]), _Group(new.format_id, [new]), year, versions, winners)
            if not versions[old.deposit_id].is_counted:
                group.members.remove(old)
        if versions[new.deposit_id].is_counted:
            group.members.append(new)
    return group


def _compare_sets(groups: list[_Group], year: int, versions: dict[str, Version], winners: list[Candidate]) -> None:
    standing: list[_Group] = []
    names = {c.deposit_id for c in winners}
    for new in sorted(groups, key=lambda group: group.age):
        for old in standing:
            _compare(old, new, year, versions, names)
        standing = [g for g in (*standing, new) if any(versions[m.deposit_id].is_counted for m in g.members)]


def _compare(old: _Group, new: _Group, year: int, versions: dict[str, Version], winners: set[str]) -> None:
    """Decide between two groups of files for `year`, and write it in `versions`."""
    old_lines, new_lines = old.lines(year), new.lines(year)
    by_case = old.format_id == new.format_id
    states_funder = all(m.states_funder for m in (*old.members, *new.members))
    matched = count_matches(old_lines, new_lines, by_case=by_case, by_funder=states_funder)
    share_of_old, share_of_new = matched / old_lines.height, matched / new_lines.height
    old_wins = any(m.deposit_id in winners for m in old.members)
    new_wins = any(m.deposit_id in winners for m in new.members)
    if old_wins != new_wins:
        loser, winner = (new, old) if old_wins else (old, new)
        _set_aside(loser, winner, "restated", year, versions, matched, "funder_file")
    elif max(share_of_old, share_of_new) > ADDS:
        reason = "replaced" if share_of_old >= REPLACES else "restated"
        if loses_too_much(old_lines, new_lines) and not all(m.is_released for m in new.members):
            _set_aside(new, old, "held", year, versions, matched, "rule")
        else:
            _set_aside(old, new, reason, year, versions, matched, "rule")


def _set_aside(
    loser: _Group, winner: _Group, reason: str, year: int, versions: dict[str, Version], matched: int, by: str
) -> None:
    total = loser.lines(year).height
    for member in loser.members:
        version = versions[member.deposit_id]
        version.is_counted, version.reason, version.decided_by = False, reason, by
        version.other_deposit_id = winner.members[0].deposit_id
        version.lines_matched, version.shared = matched, round(matched / total, 4)
    for member in winner.members:
        version = versions[member.deposit_id]
        if version.is_counted and version.other_deposit_id is None:
            version.other_deposit_id = loser.members[0].deposit_id
            version.lines_matched = matched
            version.shared = round(matched / winner.lines(year).height, 4)
            version.decided_by = by


def loses_too_much(old: pl.DataFrame, new: pl.DataFrame) -> bool:
    """Whether `new` has 5 % fewer lines or 10 % fewer euros than `old`; both have `matching.COLUMNS`."""
    euros = pl.coalesce("amount_awarded", "amount_paid")
    before, after = (float(lines.select(euros.sum()).item() or 0) for lines in (old, new))
    return new.height < (1 - MOST_LINES_LOST) * old.height or after < (1 - MOST_EUROS_LOST) * before
