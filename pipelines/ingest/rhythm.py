"""When each depositor usually brings a year, from what it brought before: who is late, and what to ask whom for.

A year is brought on the first day that one of its files holds it: the day that the file states of itself, else the day
it arrived. Who usually brings its years once they are over has not brought one as long as no file dates from after its
end: what comes before tells what is in hand.

The habit is the median number of days after the end of the year, over at least two years seen coming:

- of several years brought on one day, only the latest is seen coming (the others were there long before);
- nor is what arrived on a depositor's first day, when nothing of its dates is stated: that day is ours, not its own;
- a year that holds less than a tenth of the depositor's median year is a stray date, not a year brought.

A year is late after the longest delay ever seen, and never less than thirty days after the median. Without a habit, it
is late after the 31st of March that follows: grants are published within three months of their signature (décret
2017-779, article 1), the last ones being signed in December.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from pipelines.ingest.dates import date_in_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.ingest.deposited import Deposit
    from pipelines.ingest.versions import Version

LEAST_OBSERVATIONS = 2
_GRACE = 30  # days
_STRAY = 10  # a year of less than a tenth of the median year


@dataclass(frozen=True)
class Delivery:
    """The first day on which a depositor brought a fiscal year. `is_observed`: the day tells of its habit.

    `closed_date`: the first one after the end of the year, None when there is none yet.
    """

    depositor: str
    fiscal_year: int
    delivered_date: date
    closed_date: date | None
    date_basis: Literal["stated", "arrival"]
    is_observed: bool


@dataclass(frozen=True)
class Rhythm:
    """One depositor: the last year it brought, its habit in days after the end of a year, and whether it is late.

    `median_lag` and `longest_lag` are None with fewer than two observations. The next year is due on `due_date`.
    """

    depositor: str
    last_year: int
    last_delivered_date: date
    n_observations: int
    median_lag: int | None
    longest_lag: int | None
    next_year: int
    expected_date: date | None
    due_date: date
    is_late: bool


@dataclass(frozen=True)
class Reminder:
    """A year to ask a depositor for. `reason`: `late`, or `gap` when later years came; `n_days_late` after `due_date`.

    `due_basis`: `habit`, or `common` for the rule of the 31st of March.
    """

    depositor: str
    fiscal_year: int
    reason: Literal["late", "gap"]
    due_date: date
    due_basis: Literal["habit", "common"]
    n_days_late: int


def deliveries(brought: Iterable[Mapping[str, Any]], stated: Mapping[str, date | None]) -> list[Delivery]:
    """When each depositor brought each year, sorted.

    `brought`: rows of `Ledger.brought` (depositor, deposit_id, file_name, received_at, fiscal_year, lines). `stated`:
    the date that each deposit of this pass states of itself; that of the others is looked for in their name.
    """
    own: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in brought:
        own[row["depositor"]].append(row)
    return [found for depositor in sorted(own) for found in _of_one(depositor, own[depositor], stated)]


def brought_as_totals(deposits: Iterable[Deposit], brought: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows as `Ledger.brought` has them, for the current files of which the ledger has no year: tables of totals."""
    known = {row["deposit_id"] for row in brought}
    return [
        {
            "depositor": d.depositor, "deposit_id": d.deposit_id, "file_name": d.file_name,
            "received_at": d.received_at.isoformat(), "fiscal_year": year, "lines": d.report.rows_accepted,
        }
        for d in deposits
        if d.is_current and d.deposit_id not in known
        for year in d.report.fiscal_years
    ]  # fmt: skip


def _of_one(depositor: str, rows: list[Mapping[str, Any]], stated: Mapping[str, date | None]) -> list[Delivery]:
    lines: dict[int, int] = defaultdict(int)
    first: dict[int, tuple[date, Literal["stated", "arrival"]]] = {}
    closed: dict[int, date] = {}
    for row in rows:
        year, arrived = int(row["fiscal_year"]), datetime.fromisoformat(row["received_at"]).date()
        said = stated.get(row["deposit_id"]) or date_in_name(row["file_name"])
        day: tuple[date, Literal["stated", "arrival"]] = (
            (said, "stated") if said is not None and said <= arrived else (arrived, "arrival")
        )
        first[year] = min(first.get(year, day), day)
        if day[0].year > year:
            closed[year] = min(closed.get(year, day[0]), day[0])
        lines[year] = max(lines[year], int(row["lines"]))
    usual = median(lines.values())
    kept = {year: day for year, day in sorted(first.items()) if lines[year] * _STRAY >= usual}
    began = min(datetime.fromisoformat(row["received_at"]).date() for row in rows)
    latest = {day: max(year for year, (other, _) in kept.items() if other == day) for day, _ in kept.values()}
    return [
        Delivery(
            depositor, year, day, closed.get(year), basis, latest[day] == year and (basis == "stated" or day > began)
        )
        for year, (day, basis) in kept.items()
    ]


def covered_years(deposits: Iterable[Deposit], versions: Iterable[Version]) -> dict[str, set[int]]:
    """The years that each depositor's counted files hold today, those of tables of totals included."""
    names = {deposit.deposit_id: deposit for deposit in deposits if deposit.is_current}
    years: dict[str, set[int]] = defaultdict(set)
    with_lines = set()
    for version in versions:
        with_lines.add(version.deposit_id)
        if version.is_counted and version.deposit_id in names:
            years[names[version.deposit_id].depositor].add(version.fiscal_year)
    for deposit in names.values():
        if deposit.deposit_id not in with_lines:
            years[deposit.depositor].update(deposit.report.fiscal_years)
    return years


def follow(
    brought: list[Delivery], covered: Mapping[str, set[int]], *, as_of: date
) -> tuple[list[Rhythm], list[Reminder]]:
    """The rhythm of each depositor that brought a year, and the years to ask for, the most overdue first."""
    own: dict[str, list[Delivery]] = defaultdict(list)
    for delivery in brought:
        own[delivery.depositor].append(delivery)
    rhythms, reminders = [], []
    for depositor, found in sorted(own.items()):
        held = {d.fiscal_year for d in found} & covered.get(depositor, set())
        if not held:  # withdrawn, or not counted: there is nothing to follow
            continue
        habit = _habit(found)
        if len(habit) >= LEAST_OBSERVATIONS and median(habit) > 0:  # a file of a year in hand does not bring the year
            held = {d.fiscal_year for d in found if d.fiscal_year in held and d.closed_date} or held
        n_observations, habit = len(habit), habit if len(habit) >= LEAST_OBSERVATIONS else []
        rhythms.append(_rhythm(depositor, found, max(held), n_observations, habit, as_of))
        reminders += _missing(depositor, held, habit, as_of)
    return rhythms, sorted(reminders, key=lambda one: (-one.n_days_late, one.depositor, one.fiscal_year))


def _lag(delivery: Delivery) -> int:
    """Days from the end of the year to its delivery; negative before the end."""
    return (delivery.delivered_date - date(delivery.fiscal_year, 12, 31)).days


def _habit(found: list[Delivery]) -> list[int]:
    """The delays observed: those of years brought once over, unless most are brought before."""
    lags = [_lag(delivery) for delivery in found if delivery.is_observed]
    over = [lag for lag in lags if lag > 0]
    return over if 2 * len(over) >= len(lags) else lags


def _rhythm(
    depositor: str, found: list[Delivery], last: int, n_observations: int, habit: list[int], as_of: date
) -> Rhythm:
    usual = round(median(habit)) if habit else None
    due = _due(last + 1, habit)
    return Rhythm(
        depositor=depositor,
        last_year=last,
        last_delivered_date=max(d.delivered_date for d in found),
        n_observations=n_observations,
        median_lag=usual,
        longest_lag=max(habit) if habit else None,
        next_year=last + 1,
        expected_date=None if usual is None else date(last + 1, 12, 31) + timedelta(days=usual),
        due_date=due,
        is_late=as_of > due,
    )


def _missing(depositor: str, held: set[int], habit: list[int], as_of: date) -> list[Reminder]:
    basis: Literal["habit", "common"] = "habit" if habit else "common"
    return [
        Reminder(depositor, year, "gap" if year < max(held) else "late", due, basis, (as_of - due).days)
        for year in range(min(held), as_of.year + 1)
        if year not in held and (due := _due(year, habit)) < as_of
    ]


def _due(year: int, habit: list[int]) -> date:
    """The last day on which the year is not late."""
    if not habit:
        return date(year + 1, 3, 31)
    return date(year, 12, 31) + timedelta(days=max(max(habit), round(median(habit)) + _GRACE))
