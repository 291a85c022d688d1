"""Successive publications: what two of them tell by subtraction is never the fate of a few applications."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from pipelines.warehouse import audit_margins, holding
from pipelines.warehouse.audit import UnsafePublication
from pipelines.warehouse.build import build
from pipelines.warehouse.disclosure import publish_database
from pipelines.warehouse.holding import FUNDER, SCHEME, SERVICE, Atom, Edition, Row, fresh_rows
from pipelines.warehouse.publications import PRINTED, Archive, DamagedArchiveError, decide
from pipelines.warehouse.suppression import ATOMS, Thresholds
from schemas.publication import load_publication
from tests.warehouse_staging import AS_OF, Staging, lines, row, rows, total

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

LIMITS = Thresholds(min_decisions=10, min_count=5)
DAYS = [AS_OF.replace(day=day) for day in (20, 21, 22, 23)]
_folders = count()
Lines = list[dict[str, Any]]


class City:
    """One warehouse published again and again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.public = folder / "public.duckdb"

    def publish(self, given: Lines, *, day: dt.date, **stated: Any) -> None:
        """A whole new state of the data: one deposit of these lines."""
        staging = Staging(self.folder / f"staging-{next(_folders)}")
        staging.deposit("d1", given, **stated)
        staging.declare(publishes_refusals=True)
        self.publish_staging(staging, day=day)

    def publish_staging(self, staging: Staging, *, day: dt.date) -> None:
        build(staging.inputs(as_of=day), self.folder / "funding.duckdb")
        publish_database(self.folder / "funding.duckdb", self.public, as_of=day, parameters=load_publication())

    def told(self, where: str = "true") -> dict[str, Any]:
        return told(self.public, where=where)

    def archived(self) -> list[int]:
        return Archive(self.folder / "publications").numbers()


def told(public: Path, table: str = "funder", where: str = "true") -> dict[str, Any]:
    """The counts of the only row of a table of rates."""
    return row(
        public,
        "SELECT status, n_awarded, n_refused, n_total, figures_date, is_former "
        f"FROM refusal_rates_by_{table}_year WHERE {where}",
    )


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path)


@pytest.fixture(scope="module")
def _first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    City(folder).publish(world(40, 20), day=DAYS[0])
    return folder


@pytest.fixture
def published(_first: Path, tmp_path: Path) -> City:
    """A city of one's own, published once, on the first day, with forty awards and twenty refusals."""
    shutil.copytree(_first, tmp_path / "city")
    return City(tmp_path / "city")


def world(awarded: int, refused: int, *, service: str = "A", **values: Any) -> Lines:
    return lines(awarded, org=1, service_name=service, **values) + lines(
        refused, "refused", org=1000, service_name=service, **values
    )


def test_nothing_is_published_against_a_damaged_memory(published: City) -> None:
    """One byte in a place that still reads: only the sum kept beside it tells."""
    archive, public = Archive(published.folder / "publications"), published.public
    assert archive.damaged() == []
    path = archive.folder / "0001" / "counts.parquet"
    sound, before = path.read_bytes(), public.read_bytes()
    frame = pl.read_parquet(path)
    frame.with_columns(pl.col("count") + 1).write_parquet(path)
    assert archive.damaged() == [path]
    with pytest.raises(DamagedArchiveError, match=r"0001/counts\.parquet.*Rien n'est publié"):
        published.publish(world(40, 26), day=DAYS[1])
    path.unlink()
    assert archive.damaged() == [path]
    with pytest.raises(DamagedArchiveError):
        published.publish(world(40, 26), day=DAYS[1])
    assert public.read_bytes() == before
    path.write_bytes(sound)
    published.publish(world(40, 26), day=DAYS[1])
    assert archive.numbers() == [1, 2]


def test_the_memory_of_an_earlier_version_is_read_without_sums(published: City) -> None:
    said = published.folder / "publications" / "0001" / "publication.json"
    said.write_text('{"as_of": "2024-01-01"}', encoding="utf-8")
    archive = Archive(published.folder / "publications")
    assert archive.read("counts").height > 0
    assert archive.damaged() == []
    said.write_text('{"as_of"', encoding="utf-8")
    assert archive.damaged() == [said]


def test_the_same_data_are_the_same_publication(published: City) -> None:
    published.publish(world(40, 20), day=DAYS[1])
    assert published.archived() == [1]
    assert (published.told()["figures_date"], published.told()["is_former"]) == (DAYS[1], False)


def test_a_killed_archive_leaves_nothing_half_written(published: City) -> None:
    folder = published.folder / "publications"
    (folder / ".0002.building").mkdir()
    (folder / ".0002.building" / "counts.parquet").write_bytes(b"half")
    published.publish(world(40, 26), day=DAYS[1])
    assert published.archived() == [1, 2]
    assert not (folder / ".0002.building").exists()
    assert published.told()["n_refused"] == 26


def test_demonstration_data_leave_with_the_first_real_deposit(city: City) -> None:
    staging = Staging(city.folder / "demo")
    staging.deposit("d0", world(40, 20, funder_name="Exemple"), is_demonstration=True, depositor="exemple")
    city.publish_staging(staging, day=DAYS[0])
    assert city.told()["n_refused"] == 20
    staging.deposit("d1", world(30, 12))
    city.publish_staging(staging, day=DAYS[1])
    assert (city.told("NOT funder_id LIKE 'exemple%'")["n_refused"]) == 12


# Histories: each is that of one funder, whose file is another at each publication; what it was last, it stays.


def _given(late: int, asked: int) -> Lines:
    return [
        *lines(40, amount_requested=1500),
        *lines(late, "refused", org=1000, amount_requested=900, refusal_reason="late"),
        *lines(20 - late, "refused", org=2000, amount_requested=asked, refusal_reason="budget_exhausted"),
    ]


def _totals(submitted: int) -> Lines:
    return [
        total(measure, value, territory=place, funder_name="totaux")
        for place, given, asked in (("Autriche", 20, submitted), ("Italie", 30, 60))
        for measure, value in (("submitted", asked), ("awarded", given))
    ]


HISTORIES: dict[str, list[Lines | None]] = {
    "un de plus": [world(40, 20), world(40, 21), world(40, 26)],
    "deux a deux": [world(40, 20), world(40, 27), world(40, 22), world(40, 20)],
    "assez": [world(40, 20) + world(40, 20, service="B"), world(40, 26) + world(40, 21, service="B")],
    "va et vient": [
        world(40, 20) + world(40, 8, service="B"),
        world(40, 20) + world(40, 4, service="B"),
        world(40, 20) + world(40, 8, service="B") + world(30, 9, service="C"),
    ],
    "nouveau": [world(40, 20), world(40, 20) + world(10, 1, service="B")],
    "retire": [world(40, 20), None, world(40, 22)],
    "motifs": [_given(6, 900), _given(7, 901)],
    "totaux": [lines(12)],
}
TOTALS = [_totals(50), _totals(51)]


@dataclass(frozen=True)
class History:
    """What one funder was told of at each publication."""

    funder: str
    publics: list[Path]

    def told(self, number: int, table: str = "funder", *, service: str | None = None) -> dict[str, Any]:
        of = f"funder_id = '{self.funder}'" + (f" AND service_key LIKE '%/{service}'" if service else "")
        return told(self.publics[number], table, of)

    def rows(self, number: int, table: str) -> list[dict[str, Any]]:
        return rows(self.publics[number], f"FROM {table} WHERE funder_id = '{self.funder}'")


@pytest.fixture(scope="module")
def publications(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The public database of each day, and the archive that they leave."""
    city, kept = City(tmp_path_factory.mktemp("histories")), []
    for number, day in enumerate(DAYS):
        staging = Staging(city.folder / f"staging-{number}")
        for name, states in HISTORIES.items():
            if (state := states[min(number, len(states) - 1)]) is None:
                continue
            totals = TOTALS[min(number, 1)] if name == "totaux" else None
            own = [{**line, "funder_name": name} for line in state]
            staging.deposit(name.replace(" ", "-"), own, totals=totals, depositor=name)
            if name != "totaux":
                staging.declare(depositor=name, publishes_refusals=True)
        city.publish_staging(staging, day=day)
        kept.append(shutil.copy(city.public, city.folder / f"public-{number}.duckdb"))
    assert city.archived() == [1, 2, 3, 4]
    return kept


@pytest.fixture
def history(publications: list[Path], request: pytest.FixtureRequest) -> History:
    return History(request.param.replace(" ", "-"), publications)


def of(name: str) -> pytest.MarkDecorator:
    """The test is of this history."""
    assert name in HISTORIES
    return pytest.mark.parametrize("history", [name], indirect=True)


@of("un de plus")
def test_one_more_refusal_leaves_the_former_figures_with_their_date(history: History) -> None:
    shown = {"status": "shown", "n_awarded": 40, "n_refused": 20, "n_total": 60, "figures_date": DAYS[0]}
    assert history.told(0) == {**shown, "is_former": False}
    assert history.told(1) == {**shown, "is_former": True}
    assert history.told(1, "service") == {**shown, "is_former": True}
    # six more than the first publication, five more than the second: nothing in between can be subtracted
    again = history.told(2)
    assert (again["n_refused"], again["figures_date"], again["is_former"]) == (26, DAYS[2], False)


@of("deux a deux")
def test_three_publications_are_compared_two_by_two(history: History) -> None:
    # five less than the second, but two more than the first
    held, again = history.told(2), history.told(3)
    assert (held["n_refused"], held["figures_date"]) == (27, DAYS[1])
    assert (again["n_refused"], again["is_former"]) == (20, False)


@of("assez")
def test_services_that_moved_enough_do_not_give_the_one_that_did_not(history: History) -> None:
    # A moved by six, B by one: the funder's seven less six would be B's one
    new = {
        r["service_key"][-1]: r["n_refused"]
        for r in history.rows(1, "refusal_rates_by_service_year")
        if not r["is_former"] and (r["n_refused"] or 0) > 0
    }
    whole = history.told(1)
    assert "b" not in new
    assert not (new and not whole["is_former"])
    assert new or not whole["is_former"]


@of("va et vient")
def test_a_cell_that_appears_or_goes_tells_nothing_of_the_others(history: History) -> None:
    assert history.told(0, "service", service="b")["n_refused"] == 8
    # B falls under the rule by losing four refusals: its former figures stay, and those it could be subtracted from
    assert history.told(1, "service", service="b")["n_refused"] == 8
    assert (history.told(1)["n_refused"], history.told(1)["is_former"]) == (28, True)
    # a service that was not there, large enough by itself
    assert history.told(2, "service", service="c")["n_refused"] == 9
    assert (history.told(2)["n_refused"], history.told(2)["is_former"]) == (37, False)


@of("nouveau")
def test_a_new_service_with_one_refusal_is_not_the_difference(history: History) -> None:
    assert (history.told(1)["n_refused"], history.told(1)["is_former"]) == (20, True)
    assert history.told(1, "service", service="b")["n_refused"] is None


@of("retire")
def test_a_file_withdrawn_and_deposited_again(history: History) -> None:
    assert history.told(0)["n_refused"] == 20
    assert [r for r in history.rows(1, "refusal_rates_by_funder_year") if r["n_refused"] is not None] == []
    again = history.told(2)
    assert (again["n_refused"], again["figures_date"], again["is_former"]) == (20, DAYS[0], True)


@of("motifs")
def test_reasons_and_amounts_do_not_move_by_a_few(history: History) -> None:
    [first] = history.rows(0, "refusal_rates_by_funder_year")
    assert int(first["amount_requested"]) == 78000
    reasons = history.rows(1, "refusal_reasons_by_funder_year")
    found = {r["refusal_reason"]: (r["n"], r["is_former"]) for r in reasons}
    assert found == {"late": (6, True), "budget_exhausted": (14, True)}
    [again] = history.rows(1, "refusal_rates_by_funder_year")
    assert (again["n_refused"], again["amount_requested"]) == (20, None)


@of("un de plus")
def test_numbers_of_lines_do_not_move_by_a_few(history: History) -> None:
    where = f"FROM data_quality_by_deposit WHERE file_name = '{history.funder}.csv'"
    assert [row(history.publics[n], f"SELECT rows_accepted AS n {where}")["n"] for n in (0, 1)] == [60, None]


@of("totaux")
def test_stated_totals_do_not_move_by_a_few(history: History) -> None:
    first, again = (
        {(r["is_whole"], r["territory_name"], r["n_submitted"]) for r in history.rows(n, "stated_success_rates")}
        for n in (0, 1)
    )
    assert first == {(False, "Autriche", 50), (False, "Italie", 60), (True, None, 110)}
    assert again == first
    assert len(history.rows(1, "stated_success_rates")) == 3
    assert any(r["is_former"] for r in history.rows(1, "stated_success_rates"))


# The rule by itself, against an attacker who solves the two publications together.

Counts = dict[Atom, tuple[int, int]]


def rows_of(atoms: list[Atom]) -> list[Row]:
    return sorted(
        {Row(FUNDER, ())} | {Row(SERVICE, (a.service,)) for a in atoms} | {Row(SCHEME, (a.scheme,)) for a in atoms}
    )


def members(row_: Row, atoms: list[Atom]) -> list[bool]:
    inside = {
        FUNDER: lambda a: True,
        SERVICE: lambda a: a.service == row_.keys[0],
        SCHEME: lambda a: a.scheme == row_.keys[0],
    }
    return [inside[row_.level](atom) for atom in atoms]


def span(rows_: frozenset[Row], atoms: list[Atom]) -> np.ndarray:
    return np.array([members(r, atoms) for r in sorted(rows_)], dtype=float).reshape(len(rows_), len(atoms))


def test_no_change_that_two_publications_both_tell_is_a_small_one() -> None:
    rng = np.random.default_rng(20261127)
    atoms = [Atom(s, "34", k) for s in "abc" for k in "xy"]
    n_fresh = n_held = n_told = 0
    for _ in range(150):
        then: Counts = {a: (int(rng.integers(10, 40)), int(rng.integers(5, 30))) for a in atoms}
        now = {
            a: (then[a][0] + int(rng.choice([0, 0, 6])), then[a][1] + int(rng.choice([0, 0, 0, 1, 6, 9, -5])))
            for a in atoms
        }
        every = rows_of(atoms)
        printed = frozenset(r for r in every if rng.random() < 0.8)
        wanted = frozenset(r for r in every if rng.random() < 0.8)
        former = Edition({"refused": then}, {"refused": printed})
        fresh = fresh_rows(Edition({"refused": now}, {"refused": wanted}), [former], LIMITS)
        assert fresh <= wanted
        n_fresh, n_held = n_fresh + len(fresh), n_held + len(wanted - fresh)
        moved = np.array([now[a][1] - then[a][1] for a in atoms])
        known_now, known_then = span(fresh, atoms), span(printed, atoms)
        both = {_as_number(members(row_, atoms)) for row_ in fresh & printed}
        is_fine: dict[int, bool] = {}
        for picked in range(1, 2 ** len(atoms)):  # a set comes after its subsets
            inside = np.array([bool(picked >> i & 1) for i in range(len(atoms))], dtype=float)
            if not (_in_span(inside, known_now) and _in_span(inside, known_then)):
                continue
            change = int(inside @ moved)
            # a sum of changes that are told by themselves, each large enough, tells of nobody more
            is_sum = any(
                is_fine[part] and is_fine.get(picked ^ part, False) for part in is_fine if part & picked == part
            )
            is_fine[picked] = change == 0 or abs(change) >= 5 or (is_sum and picked not in both)
            assert is_fine[picked], (then, now, inside)
        n_told += len(is_fine)
    assert n_fresh > 100
    assert n_held > 100
    assert n_told > 200


def _frames(atoms: list[Atom], moved: list[int], *printed: frozenset[Row]) -> list[pl.DataFrame]:
    """Atoms with their moves, then the printed rows of each publication, as the audit reads them."""
    found = [pl.DataFrame({
        "service_key": [a.service for a in atoms], "departement_code": [a.departement for a in atoms],
        "scheme": [a.scheme for a in atoms], "moved": moved,
    })]  # fmt: skip
    schema = {"level": pl.String, "service_key": pl.String, "departement_code": pl.String, "scheme": pl.String}
    for rows_ in printed:
        made = [
            (r.level, r.keys[0] if r.level == SERVICE else None, None, r.keys[0] if r.level == SCHEME else None)
            for r in sorted(rows_)
        ]
        found.append(pl.DataFrame(made, schema=schema, orient="row"))
    return found


def test_margins_of_two_publications_that_share_no_row_are_caught() -> None:
    """A total less one service before, the two others after: the same applications, one refusal more."""
    atoms = [Atom(s, "34", "-") for s in "abc"]
    before = frozenset({Row(FUNDER, ()), Row(SERVICE, ("a",))})
    after = frozenset({Row(SERVICE, ("b",)), Row(SERVICE, ("c",))})
    frames = _frames(atoms, [0, 7, -6], after, before)
    assert audit_margins.small_moves(*frames, min_count=5) == [(2, 1.0)]
    assert audit_margins.small_moves(*_frames(atoms, [0, 7, -2], after, before), min_count=5) == []


def test_the_audit_of_margins_agrees_with_the_attacker() -> None:
    """Nothing is found where rows were held; where they were not, what is found is told, and by too few."""
    rng = np.random.default_rng(20261128)
    atoms = [Atom(s, "34", k) for s in "abc" for k in "xy"]
    n_found = 0
    for _ in range(60):
        then: Counts = {a: (int(rng.integers(10, 40)), int(rng.integers(5, 30))) for a in atoms}
        now = {a: (then[a][0], then[a][1] + int(rng.choice([0, 0, 0, 1, 6, 9, -5]))) for a in atoms}
        every = rows_of(atoms)
        printed = frozenset(r for r in every if rng.random() < 0.8)
        wanted = frozenset(r for r in every if rng.random() < 0.8)
        fresh = fresh_rows(
            Edition({"refused": now}, {"refused": wanted}), [Edition({"refused": then}, {"refused": printed})], LIMITS
        )
        moved = [now[a][1] - then[a][1] for a in atoms]
        assert audit_margins.small_moves(*_frames(atoms, moved, fresh, printed), min_count=5) == []
        found = audit_margins.small_moves(*_frames(atoms, moved, wanted, printed), min_count=5)
        known_now, known_then = span(wanted, atoms), span(printed, atoms)
        small = {
            int(inside @ np.array(moved))
            for picked in range(1, 2 ** len(atoms))
            if _in_span(inside := np.array([bool(picked >> i & 1) for i in range(len(atoms))], dtype=float), known_now)
            and _in_span(inside, known_then)
        }
        assert {change for _, change in found} <= small
        n_found += len(found)
    assert n_found > 10


def test_an_archive_without_its_rule_is_refused(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were rows printed anew whatever they moved by, the audit would keep the former database."""
    before = world(40, 20) + world(30, 15, service="B") + world(30, 15, service="C")
    city.publish(before, day=DAYS[0])
    monkeypatch.setattr(holding, "fresh_rows", lambda now, *_: frozenset().union(*now.rows.values()))
    with pytest.raises(UnsafePublication) as refused:
        city.publish(before + world(0, 1, service="C"), day=DAYS[1])
    assert refused.value.audit.findings["given_by"].str.contains("soustraction").any()


def _in_span(vector: np.ndarray, known: np.ndarray) -> bool:
    if not len(known):
        return False
    solved = np.linalg.lstsq(known.T, vector, rcond=None)[0]
    return bool(np.abs(known.T @ solved - vector).max() < 1e-7)


def _as_number(inside: list[bool]) -> int:
    return sum(1 << i for i, is_in in enumerate(inside) if is_in)


def test_a_block_that_prints_nothing_leaves_no_trace(tmp_path: Path) -> None:
    atoms = pl.DataFrame([("f", 2023, "a", "34", "-", "refused", 9, 2, False)], schema=ATOMS, orient="row")
    found = decide(Archive(tmp_path), atoms, pl.DataFrame(schema=PRINTED), LIMITS, narrowed=lambda _, rows: rows)
    assert found.fresh.is_empty()
    assert found.changed.is_empty()
