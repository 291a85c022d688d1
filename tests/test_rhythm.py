"""Who is late by its own habit, what to ask for, and whose layout changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ingest.inbox import ingest
from pipelines.ingest.manifest import write_manifest
from pipelines.ingest.rhythm import Delivery, deliveries, follow
from pipelines.warehouse.build import build
from pipelines.warehouse.current import load_inputs

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = date(2026, 6, 1)


@dataclass
class Files:
    """Rows of the ledger: one file a call."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, received: str, *years: int, lines: int = 100, depositor: str = "ville") -> None:
        identifier = f"{len(self.rows)}-{name}"
        self.rows += [
            {"depositor": depositor, "deposit_id": identifier, "file_name": name, "received_at": f"{received}T08:00:00",
             "fiscal_year": year, "lines": lines}
            for year in years
        ]  # fmt: skip

    def delivered(self) -> list[Delivery]:
        return deliveries(self.rows, {})

    def followed(self, as_of: date = AS_OF, covered: set[int] | None = None) -> Any:
        found = self.delivered()
        return follow(found, {"ville": covered or {d.fiscal_year for d in found}}, as_of=as_of)


def dated(*names: tuple[str, int]) -> Files:
    files = Files()
    for name, year in names:
        files.add(name, "2026-05-01", year)
    return files


HABIT = dated(("a_2023-02-10.csv", 2022), ("b_2024-02-20.csv", 2023), ("c_2025-03-01.csv", 2024))


def test_the_habit_is_the_median_of_what_was_seen() -> None:
    [rhythm], reminders = HABIT.followed()
    assert (rhythm.n_observations, rhythm.median_lag, rhythm.longest_lag) == (3, 51, 60)
    assert (rhythm.next_year, rhythm.expected_date, rhythm.due_date) == (2025, date(2026, 2, 20), date(2026, 3, 22))
    assert rhythm.is_late
    [reminder] = reminders
    assert (reminder.fiscal_year, reminder.reason, reminder.due_basis, reminder.n_days_late) == (
        2025,
        "late",
        "habit",
        71,
    )


def test_it_is_not_late_on_the_last_day() -> None:
    assert not HABIT.followed(date(2026, 3, 22))[0][0].is_late
    assert HABIT.followed(date(2026, 3, 22))[1] == []
    assert HABIT.followed(date(2026, 3, 23))[0][0].is_late


def test_one_observation_is_no_habit() -> None:
    [rhythm], [reminder] = dated(("b_2024-02-20.csv", 2023)).followed(date(2025, 4, 1))
    assert (rhythm.n_observations, rhythm.median_lag, rhythm.expected_date) == (1, None, None)
    assert (reminder.due_basis, reminder.due_date) == ("common", date(2025, 3, 31))


def test_a_history_brought_at_once_tells_one_year_only() -> None:
    files = Files()
    files.add("tout_2026-01-15.csv", "2026-01-20", 2021, 2022, 2023, 2024, 2025)
    assert [d.fiscal_year for d in files.delivered() if d.is_observed] == [2025]


def test_the_first_day_tells_nothing_when_no_file_states_its_date() -> None:
    files = Files()
    files.add("2023.csv", "2024-11-27", 2023)
    files.add("2024.csv", "2025-02-01", 2024)
    files.add("2025.csv", "2026-02-03", 2025)
    assert [(d.fiscal_year, d.is_observed) for d in files.delivered()] == [(2023, False), (2024, True), (2025, True)]


def test_the_first_file_of_a_year_counts_not_its_corrections() -> None:
    files = Files()
    files.add("a_2025-02-01.csv", "2026-01-01", 2024)
    files.add("a_2025-09-01.csv", "2026-01-02", 2024)
    assert [d.delivered_date for d in files.delivered()] == [date(2025, 2, 1)]


def test_a_date_after_the_arrival_is_not_believed() -> None:
    files = Files()
    files.add("a_2031-02-01.csv", "2026-01-01", 2024)
    assert [(d.delivered_date, d.date_basis) for d in files.delivered()] == [(date(2026, 1, 1), "arrival")]


def test_a_stray_year_is_no_year_brought() -> None:
    files = Files()
    files.add("a_2025-02-01.csv", "2026-01-01", 2023, 2024)
    files.rows.append({**files.rows[0], "fiscal_year": 2027, "lines": 3})
    assert [d.fiscal_year for d in files.delivered()] == [2023, 2024]


def test_a_year_missing_between_two_is_asked_for() -> None:
    _, reminders = dated(("a_2022-02-10.csv", 2021), ("c_2024-03-01.csv", 2023)).followed(date(2024, 6, 1))
    assert [(r.fiscal_year, r.reason) for r in reminders] == [(2022, "gap")]


def test_what_was_withdrawn_is_asked_for_again() -> None:
    _, reminders = HABIT.followed(covered={2022, 2023})
    assert [r.fiscal_year for r in reminders] == [2024, 2025]


def test_a_depositor_of_whom_nothing_is_counted_is_not_followed() -> None:
    assert follow(HABIT.delivered(), {}, as_of=AS_OF) == ([], [])


def test_who_brings_a_year_before_its_end_is_late_by_that_habit() -> None:
    files = dated(("a_2023-09-30.csv", 2023), ("b_2024-09-30.csv", 2024), ("c_2025-10-05.csv", 2025))
    [rhythm], reminders = files.followed(date(2026, 11, 27))
    assert rhythm.median_lag == -92
    assert [(r.fiscal_year, r.due_date) for r in reminders] == [(2026, date(2026, 10, 30))]


def test_a_file_of_the_year_in_hand_does_not_bring_the_year() -> None:
    files = dated(("a_2023-02-10.csv", 2022), ("b_2024-02-20.csv", 2023), ("c_2024-09-30.csv", 2024))
    [rhythm], reminders = files.followed(date(2025, 6, 1))
    assert (rhythm.n_observations, rhythm.last_year, rhythm.next_year) == (2, 2023, 2024)
    assert [(r.fiscal_year, r.reason) for r in reminders] == [(2024, "late")]
    files.add("d_2025-02-01.csv", "2026-05-01", 2024)
    assert files.followed(date(2025, 6, 1))[1] == []


def test_who_brings_cumulative_files_before_the_end_keeps_that_habit() -> None:
    files = Files()
    for year in (2022, 2023, 2024):
        files.add(f"f_{year}-09-30.csv", "2026-05-01", *range(2022, year + 1))
    [rhythm], reminders = files.followed(date(2025, 6, 1))
    assert (rhythm.n_observations, rhythm.median_lag, rhythm.last_year, reminders) == (3, -92, 2024, [])


@given(
    st.lists(st.tuples(st.integers(2005, 2025), st.dates(date(2006, 1, 1), date(2026, 5, 1)), st.integers(1, 500)),
             min_size=1, max_size=12),
    st.dates(date(2010, 1, 1), date(2027, 12, 31)),
)  # fmt: skip
def test_whatever_came_nobody_is_asked_for_what_is_held_or_not_due(
    came: list[tuple[int, date, int]], as_of: date
) -> None:
    files = Files()
    for year, day, lines in came:
        files.add(f"f_{day.isoformat()}.csv", "2026-05-01", year, lines=lines)
    rhythms, reminders = files.followed(as_of)
    assert len(rhythms) == 1
    closed = {d.fiscal_year for d in files.delivered() if d.closed_date}
    for reminder in reminders:
        assert reminder.fiscal_year not in closed
        assert reminder.due_date < as_of
        assert reminder.n_days_late > 0
    observed = [d for d in files.delivered() if d.is_observed]
    assert rhythms[0].n_observations <= len(observed)
    assert (rhythms[0].median_lag is None) == (rhythms[0].n_observations < 2)


# ---------------------------------------------------------------- from files to tables

HEADER = "nomAttribuant;idAttribuant;dateConvention;nomBeneficiaire;idBeneficiaire;objet;montant;nature"


def csv(year: int, *, header: str = HEADER, extra: str = "") -> str:
    line = f"Ville;21340172300019;{year}-03-01;Association {{n}};77567227221138;Colis {{n}};{{n}}00;aide en numéraire"
    return "\n".join([header, *(line.format(n=n) + extra for n in range(1, 9))]) + "\n"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw" / "ville"
    folder.mkdir(parents=True)
    for year in (2022, 2023, 2024):
        (folder / f"subventions_{year + 1}-02-1{year - 2020}.csv").write_text(csv(year), encoding="utf-8")
    (folder / "funder.toml").write_text('level = "commune"\n', encoding="utf-8")
    return tmp_path / "raw"


def test_the_warehouse_says_whom_to_remind_of_what(raw: Path, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse"
    done = ingest(raw, warehouse, as_of=AS_OF)
    assert [(r.depositor, r.n_observations, r.median_lag) for r in done.rhythms] == [("ville", 3, 44)]
    write_manifest(done, raw=raw, warehouse=warehouse)
    build(load_inputs(warehouse, as_of=AS_OF), warehouse / "funding.duckdb")
    with duckdb.connect(str(warehouse / "funding.duckdb"), read_only=True) as connection:
        asked = connection.execute(
            "SELECT depositor, fiscal_year, reason, due_basis, funder_name, contact_mailbox FROM reminders"
        ).fetchall()
        brought = connection.execute("SELECT count(*), count_if(is_observed) FROM deliveries").fetchall()
    assert asked == [("ville", 2025, "late", "habit", "Ville", None)]
    assert brought == [(3, 3)]


def test_a_changed_layout_is_seen_with_its_columns(raw: Path, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse"
    assert ingest(raw, warehouse, as_of=AS_OF).layout_changes == []
    header = HEADER.replace(";nature", ";quartier")
    (raw / "ville" / "subventions_2026-02-10.csv").write_text(csv(2025, header=header), encoding="utf-8")
    [change] = ingest(raw, warehouse, as_of=AS_OF).layout_changes
    assert (change.depositor, change.file_name) == ("ville", "subventions_2026-02-10.csv")
    assert (change.added, change.removed) == (("quartier",), ("nature",))


def test_a_file_rewritten_in_another_layout_is_seen(raw: Path, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse"
    for path in (raw / "ville").glob("*.csv"):
        path.unlink()
    file = raw / "ville" / "subventions.csv"
    file.write_text(csv(2024), encoding="utf-8")
    assert ingest(raw, warehouse, as_of=AS_OF).layout_changes == []
    file.write_text(csv(2024, header=HEADER + ";commentaire interne", extra=";rien"), encoding="utf-8")
    [change] = ingest(raw, warehouse, as_of=AS_OF).layout_changes
    assert (change.added, change.removed) == (("commentaire interne",), ())


def test_a_file_of_another_sort_is_no_changed_layout(raw: Path, tmp_path: Path) -> None:
    (raw / "ville" / "annuaire_2026-03-01.csv").write_text("a;b;c\n1;2;3\n", encoding="utf-8")
    assert ingest(raw, tmp_path / "warehouse", as_of=AS_OF).layout_changes == []
