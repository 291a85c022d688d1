"""Attacks on what is published: by the audit, and by an attacker of its own who tries every whole number."""

from __future__ import annotations

import shutil
from itertools import product
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix

from pipelines.warehouse import disclosure, suppression
from pipelines.warehouse.audit import CONTRADICTION, UnsafePublication, attack, given_away
from pipelines.warehouse.audit_bounds import NoSolution, System, narrow
from pipelines.warehouse.audit_facts import read, wilson_end
from pipelines.warehouse.build import build
from pipelines.warehouse.connection import MACROS, quoted, run
from pipelines.warehouse.crossing import meant, without_narrow_schemes
from pipelines.warehouse.disclosure import publish_database
from pipelines.warehouse.publications import PRINTED
from schemas.publication import load_publication
from tests.bench_audit import wanted
from tests.warehouse_staging import AS_OF, Staging, line, rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARAMETERS = load_publication()
K, N = PARAMETERS.disclosure.min_count, PARAMETERS.disclosure.min_decisions
WORLDS = 60
NEVER_AWARDED = 912_345_000
"""The first of the SIREN that only have refusals."""
SEED = 20261127
PLACES = {"34": "34172", "48": "48095"}
World = dict[tuple[str, str, str], tuple[int, int]]
"""(service, département, scheme) → (awards, refusals)."""


def worlds() -> dict[str, World]:
    """Small funders, the same at every call: two or three services in two départements with two schemes."""
    rng = np.random.default_rng(SEED)
    found = {}
    for number in range(WORLDS):
        names = list(product(("a", "b", "c"), PLACES, ("x", "y")))
        picked = sorted(rng.choice(len(names), size=int(rng.integers(2, 7)), replace=False))
        scale = int(rng.choice([3, 8, 14]))
        drawn = {
            names[i]: (int(rng.integers(0, 2 * scale)), int(rng.poisson(rng.choice([1, 5, scale])))) for i in picked
        }
        found[f"monde-{number:02}"] = {name: counts for name, counts in drawn.items() if sum(counts)}
    return found


def atoms_of(world: World) -> pl.DataFrame:
    """The refusals of one funder and year. See `suppression.ATOMS`."""
    return pl.DataFrame(
        [("f", 2023, *name, "refused", *counts, False) for name, counts in world.items()],
        schema=suppression.ATOMS,
        orient="row",
    )


def lines_of(funder: str, world: World) -> list[dict[str, Any]]:
    found = []
    for (service, departement, scheme), (awarded, refused) in world.items():
        place = {"seat_commune_code": PLACES[departement], "service_name": service, "scheme": scheme}
        for status, number in (("awarded", awarded), ("refused", refused)):
            first = 1 if status == "awarded" else NEVER_AWARDED
            found += [line(status, org=first + n, funder_name=funder, **place) for n in range(number)]
    return found


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All the worlds in one warehouse, with what the funders declare; the folder that holds both databases."""
    staging = Staging(tmp_path_factory.mktemp("staging"))
    staging.deposit("d1", [found for name, world in worlds().items() for found in lines_of(name, world)])
    staging.declare(publishes_refusals=True)
    folder = tmp_path_factory.mktemp("warehouse")
    build(staging.inputs(), folder / "funding.duckdb")
    publish_database(folder / "funding.duckdb", folder / "public.duckdb", as_of=AS_OF, parameters=PARAMETERS)
    return folder


def possible(world: World, shown: list[tuple[np.ndarray, int]]) -> np.ndarray:
    """Every vector of whole numbers that fits what is shown, by trying all values of what the equations leave free."""
    matrix = np.array([members for members, _ in shown], dtype=float).reshape(len(shown), len(world))
    system = np.column_stack([matrix, [value for _, value in shown]])
    pivots: list[int] = []
    for column in range(len(world)):
        rest = [row for row in range(len(pivots), len(system)) if abs(system[row, column]) > 1e-9]
        if not rest:
            continue
        system[[len(pivots), rest[0]]] = system[[rest[0], len(pivots)]]
        system[len(pivots)] /= system[len(pivots), column]
        for row in range(len(system)):
            if row != len(pivots):
                system[row] -= system[row, column] * system[len(pivots)]
        pivots.append(column)
    free = [column for column in range(len(world)) if column not in pivots]
    ceilings = [min((value for members, value in shown if members[column]), default=12) for column in free]
    grid = np.array(list(product(*(range(ceiling + 1) for ceiling in ceilings))), dtype=float)
    grid = grid.reshape(int(np.prod([ceiling + 1 for ceiling in ceilings])), len(free))
    found = np.zeros((len(grid), len(world)))
    found[:, free] = grid
    for row, column in enumerate(pivots):
        found[:, column] = system[row, -1] - grid @ system[row, free]
    return found[(found > -1e-9).all(axis=1)].round()


def facts_of(public: Path, funder: str, world: World) -> list[tuple[np.ndarray, int]]:
    """What the four tables print of the refusals of a funder, as (atoms, sum)."""
    found = []
    for table, keys in (
        ("funder", ()), ("service", ("service_key",)), ("service_territory", ("service_key", "departement_code")),
        ("scheme", ("scheme",)),
    ):  # fmt: skip
        for cell in rows(public, f"FROM refusal_rates_by_{table}_year WHERE funder_id = '{funder}'"):
            names = [{"service_key": f"{funder}/{s}", "departement_code": d, "scheme": k} for s, d, k in world]
            members = np.array([all(name[key] == cell[key] for key in keys) for name in names])
            if cell["n_refused"] is not None:
                found.append((members, cell["n_refused"]))
    return found


def test_no_whole_number_is_pinned_beyond_the_rule(published: Path) -> None:
    n_shown = n_hidden = n_tried = 0
    for funder, world in worlds().items():
        shown = facts_of(published / "public.duckdb", funder, world)
        n_shown += len(shown)
        if not shown:
            continue
        every = possible(world, shown)
        truth = np.array([count for _, count in world.values()])
        assert (every == truth).all(axis=1).any()
        is_told = np.any([members for members, value in shown if value == 0] or [np.zeros(len(world), bool)], axis=0)
        keys = list(world)
        cells = {("atom", key): np.array([key == other for other in keys]) for key in keys}
        cells |= {("service", s): np.array([other[0] == s for other in keys]) for s, _, _ in keys}
        cells |= {("place", (s, d)): np.array([other[:2] == (s, d) for other in keys]) for s, d, _ in keys}
        cells |= {("scheme", k): np.array([other[2] == k for other in keys]) for _, _, k in keys}
        for name, whole in cells.items():
            members = whole & ~is_told
            if not members.any() or any((whole == told).all() for told, _ in shown):
                continue
            values = every[:, members].sum(axis=1)
            low, high = values.min(), values.max()
            awarded = sum(a for (a, _), inside in zip(world.values(), members, strict=True) if inside)
            is_large = low >= K and awarded >= K and awarded + low >= N
            assert high - low >= K - 2 or is_large or (high == 0 and awarded >= N), (funder, world, name, low, high)
            n_hidden += 1
        n_tried += len(every)
    assert n_shown > 60
    assert n_hidden > 100
    assert n_tried > 10_000


@pytest.fixture
def opened(published: Path, tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy of the public database that may be spoilt, with the analysts' one attached."""
    shutil.copy(published / "public.duckdb", tmp_path / "public.duckdb")
    with duckdb.connect(str(tmp_path / "public.duckdb")) as connection:
        run(connection, f"ATTACH {quoted(published / 'funding.duckdb')} AS funding (READ_ONLY)")
        connection.execute(MACROS.read_text(encoding="utf-8")).fetchall()
        yield connection


def found_in(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    atoms: pl.DataFrame = connection.sql(disclosure.COUNTED_ATOMS).pl()
    return attack(read(connection, atoms), PARAMETERS.disclosure)


def test_the_audit_agrees_with_the_attacker(opened: duckdb.DuckDBPyConnection) -> None:
    assert found_in(opened).is_empty()


SECRET = """
    SELECT a.rowid AS id, b.n_refused, b.n_awarded, b.n_total
    FROM refusal_rates_by_service_year AS a
    JOIN funding.refusal_rates_by_service_year AS b USING (funder_id, service_key, fiscal_year)
    WHERE a.status = 'suppressed' AND b.n_refused BETWEEN 1 AND 4 AND b.n_awarded >= 3
"""


@pytest.mark.parametrize(
    "figure",
    [
        "n_refused = secret.n_refused", "n_decided = secret.n_awarded + secret.n_refused",
        "refusal_rate = ratio(secret.n_refused, secret.n_awarded + secret.n_refused)",
        "wilson_low = wilson_low(secret.n_refused, secret.n_awarded + secret.n_refused)",
        "wilson_high = wilson_high(secret.n_refused, secret.n_awarded + secret.n_refused)",
        "bound_low = ratio(secret.n_refused, secret.n_total), n_pending = 0, n_unknown = 0",
        "non_success_rate = ratio(secret.n_refused, secret.n_total), n_inadmissible = 0",
        f"n_total = secret.n_total, {', '.join(f'n_{name} = 0' for name in suppression.MEASURES[1:])}",
    ],
)  # fmt: skip
def test_every_figure_that_tells_a_hidden_count_is_caught(opened: duckdb.DuckDBPyConnection, figure: str) -> None:
    run(
        opened,
        f"UPDATE refusal_rates_by_service_year AS a SET {figure} FROM ({SECRET} LIMIT 1) AS secret "
        "WHERE a.rowid = secret.id",
    )
    found = found_in(opened).filter(pl.col("measure") == "refused")
    assert found.height, figure
    assert found["low"].min() == found["high"].min()
    assert found["given_by"].str.contains("refusal_rates_by_service_year").any()


def test_a_rate_that_contradicts_its_counts_is_caught(opened: duckdb.DuckDBPyConnection) -> None:
    run(opened, "UPDATE refusal_rates_by_funder_year SET refusal_rate = refusal_rate + 0.01 WHERE status = 'shown'")
    assert CONTRADICTION in found_in(opened)["measure"].to_list()


def test_a_scheme_that_crosses_a_hidden_service_is_caught(opened: duckdb.DuckDBPyConnection) -> None:
    run(
        opened,
        "UPDATE refusal_rates_by_scheme_year AS a SET n_refused = b.n_refused "
        "FROM funding.refusal_rates_by_scheme_year AS b WHERE a.funder_id = b.funder_id AND a.scheme = b.scheme",
    )
    assert found_in(opened).height > 3


def _without_secondary(
    atoms: pl.DataFrame, thresholds: suppression.Thresholds, *, published: pl.DataFrame, published_schemes: pl.DataFrame
) -> suppression.Shown:
    """The primary rule alone: each cell judged by itself."""

    def safe(keys: tuple[str, ...]) -> pl.DataFrame:
        cells = atoms.group_by([*keys, "measure"]).agg(pl.col("n_awarded", "count").sum())
        return cells.filter(suppression.is_safe(thresholds) & (pl.col("n_awarded") > 0)).select(*keys, "measure")

    return suppression.Shown(
        safe(suppression.FUNDER_YEAR),
        safe(suppression.SERVICE_YEAR),
        safe(suppression.TERRITORY_YEAR),
        safe(suppression.SCHEME_YEAR),
    )


def test_a_sabotaged_suppression_publishes_nothing(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suppression, "protect", _without_secondary)
    target = tmp_path / "public.duckdb"
    target.write_bytes(b"former")
    with pytest.raises(UnsafePublication, match="laisseraient deviner") as caught:
        publish_database(published / "funding.duckdb", target, as_of=AS_OF, parameters=PARAMETERS)
    assert target.read_bytes() == b"former"
    assert not (tmp_path / "publications").exists()
    findings = caught.value.audit.findings
    assert findings.height > 5
    assert findings["table"].str.contains("refusal_rates_by_service_year").any()
    message = str(caught.value)
    assert "« " in message
    assert "monde-" in message


def test_sound_blocks_are_not_bounded_again(published: Path, tmp_path: Path) -> None:
    shutil.copytree(published / "publications", tmp_path / "publications")
    again = publish_database(
        published / "funding.duckdb", tmp_path / "public.duckdb", as_of=AS_OF, parameters=PARAMETERS
    )
    assert again.audit.n_bounded == 0
    assert len(again.audit.blocks) > 10
    assert sorted(path.name for path in (tmp_path / "publications").iterdir()) == ["0001", "last.duckdb", "sound.txt"]


def test_no_applicant_without_award_is_named(published: Path) -> None:
    with duckdb.connect(str(published / "public.duckdb"), read_only=True) as connection:
        for (table,) in run(connection, "SELECT table_name FROM duckdb_tables()"):
            text = run(connection, f'SELECT string_agg(t::TEXT) FROM "{table}" AS t')[0][0] or ""
            assert "912345" not in text, table
    assert b"912345" not in (published / "public.duckdb").read_bytes()


def bounds_of(matrix: list[list[float]], constants: list[float], targets: list[list[float]]) -> list[list[float]]:
    held = csr_matrix(np.array(targets, dtype=float))
    system = System(csr_matrix(np.array(matrix, dtype=float)), np.array(constants, dtype=float), held, held)
    return narrow(system, width=float("inf")).round(6).tolist()


def test_bounds_of_a_small_table() -> None:
    # two rows of 10 and 4, first column 12: the corner is between 8 and 10
    matrix = [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0]]
    assert bounds_of(matrix, [10, 4, 12], [[1, 0, 0, 0], [0, 0, 0, 1]]) == [[8, 10], [0, 2]]
    assert bounds_of([[1, 1, 0]], [7], [[0, 0, 1], [1, 0, 1]]) == [[0, float("inf")], [0, float("inf")]]
    with pytest.raises(NoSolution):
        bounds_of([[1, 1], [1, 0]], [3, 5], [[0, 1]])


def test_a_zero_that_may_be_told_is_told_by_subtraction_too() -> None:
    # the row of département 33 hides what may be shown: twelve awards and no refusal, as 34 and the service tell
    world: World = {
        ("a", "33", "x"): (10, 0),
        ("a", "33", "y"): (2, 0),
        ("a", "34", "x"): (90, 20),
        ("b", "34", "x"): (50, 9),
    }
    printed = [("service", "a", None), ("territory", "a", "34")]
    rows_ = pl.DataFrame(
        [("f", 2023, level, service, departement, None, "refused") for level, service, departement in printed],
        schema=PRINTED,
        orient="row",
    )
    assert given_away(meant(atoms_of(world), rows_), PARAMETERS.disclosure).is_empty()
    fewer = world | {("a", "33", "x"): (7, 0)}
    given = given_away(meant(atoms_of(fewer), rows_), PARAMETERS.disclosure)
    assert "33" in given["departement_code"].to_list()


def test_schemes_that_tell_a_zero_by_whole_numbers_are_not_printed() -> None:
    # scheme x has ten refusals and service d ten of them: the services b and c, hidden with a, refused nobody under x
    world: World = {
        ("a", "34", "y"): (0, 2), ("a", "48", "y"): (6, 7), ("b", "48", "x"): (6, 0), ("c", "34", "x"): (6, 0),
        ("d", "34", "x"): (6, 8), ("d", "48", "x"): (5, 2),
    }  # fmt: skip
    atoms = atoms_of(world)
    rows_ = wanted(atoms)
    assert rows_.filter(pl.col("level") == "scheme").height
    given = given_away(meant(atoms, rows_), PARAMETERS.disclosure)
    assert {(found["service_key"], found["high"]) for found in given.iter_rows(named=True)} >= {("b", 0.0), ("c", 0.0)}
    kept = without_narrow_schemes(atoms, rows_, PARAMETERS.disclosure)
    assert not kept.filter(pl.col("level") == "scheme").height
    assert kept.height == rows_.filter(pl.col("level") != "scheme").height
    assert given_away(meant(atoms, kept), PARAMETERS.disclosure).is_empty()


def test_ends_of_intervals_are_those_of_the_models() -> None:
    with duckdb.connect() as connection:
        connection.execute(MACROS.read_text(encoding="utf-8")).fetchall()
        low, high = run(connection, "SELECT wilson_low(7, 40), wilson_high(7, 40)")[0]
    assert wilson_end(7, 40, is_low=True) == pytest.approx(low, abs=1e-12)
    assert wilson_end(7, 40, is_low=False) == pytest.approx(high, abs=1e-12)
