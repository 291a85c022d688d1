"""Suppression against arithmetic: no set of applications that published counts give back is an unsafe one."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest

from pipelines.warehouse.suppression import ATOMS, Shown, Thresholds, is_safe, protect, shown_reasons

LIMITS = Thresholds(min_decisions=10, min_count=5)
KEY = {"funder_id": "f", "fiscal_year": 2023}


def atoms_of(
    cells: dict[tuple[str, str, str], tuple[int, int]], *, zeros: frozenset[str] = frozenset()
) -> pl.DataFrame:
    """(service, département, scheme) → (awards, count), for one measure; `zeros`: services known to have none."""
    records = [
        {
            **KEY, "service_key": service, "departement_code": departement, "scheme": scheme, "measure": "refused",
            "n_awarded": awarded, "count": count, "is_known_zero": service in zeros,
        }
        for (service, departement, scheme), (awarded, count) in cells.items()
    ]  # fmt: skip
    return pl.DataFrame(records, schema=ATOMS, orient="row")


def protected(atoms: pl.DataFrame, *, silent: frozenset[str] = frozenset(), is_root_public: bool = True) -> Shown:
    """`protect`, with every service but the `silent` ones published, and the funder unless said otherwise."""
    services = [name for name in atoms["service_key"].unique().sort() if name not in silent]
    keys: list[str | None] = [*services, *([None] if is_root_public else [])]
    published = pl.DataFrame(
        [{**KEY, "service_key": name} for name in keys],
        schema={"funder_id": pl.String, "fiscal_year": pl.Int32, "service_key": pl.String},
    )
    schemes = pl.DataFrame(
        [{**KEY, "scheme": name} for name in atoms["scheme"].unique().sort()],
        schema={"funder_id": pl.String, "fiscal_year": pl.Int32, "scheme": pl.String},
    )
    return protect(atoms, LIMITS, published=published, published_schemes=schemes)


def services_shown(shown: Shown) -> list[str]:
    return shown.service_year["service_key"].to_list()


@pytest.mark.parametrize(
    ("awarded", "count", "expected"),
    [
        (9, 0, False), (10, 0, True), (100, 1, False), (100, 4, False), (100, 5, True),
        (5, 5, True), (4, 6, False), (0, 12, False), (4, 100, False), (5, 100, True),
    ],
)  # fmt: skip
def test_rule_of_one_cell(awarded: int, count: int, expected: bool) -> None:
    frame = pl.DataFrame({"n_awarded": [awarded], "count": [count]})
    assert frame.select(is_safe(LIMITS)).item() is expected


def test_one_unsafe_service_takes_the_next_smallest_with_it() -> None:
    atoms = atoms_of({("a", "34", "-"): (50, 20), ("b", "34", "-"): (30, 12), ("c", "34", "-"): (8, 2)})
    shown = protected(atoms)
    assert shown.funder_year.height == 1
    assert services_shown(shown) == ["a"]


def test_enough_unsafe_services_hide_each_other() -> None:
    atoms = atoms_of({("a", "34", "-"): (50, 20), ("b", "34", "-"): (8, 3), ("c", "34", "-"): (8, 2)})
    assert services_shown(protected(atoms)) == ["a"]


def test_the_zero_of_an_undecided_territory_is_not_told_by_the_others() -> None:
    atoms = atoms_of({("a", "34", "-"): (50, 20), ("a", "30", "-"): (40, 15), ("a", "11", "-"): (0, 0)})
    assert protected(atoms).territory_year.is_empty()
    decided = atoms.filter(pl.col("departement_code") != "11")
    assert protected(decided).territory_year["departement_code"].to_list() == ["30", "34"]


def test_hidden_services_without_any_refusal_would_give_themselves_away() -> None:
    atoms = atoms_of(
        {("a", "34", "-"): (50, 20), ("b", "34", "-"): (30, 12), ("c", "34", "-"): (6, 0), ("d", "34", "-"): (7, 0)}
    )
    assert services_shown(protected(atoms)) == ["a"]


def test_an_unsafe_funder_hides_its_services() -> None:
    shown = protected(atoms_of({("a", "34", "-"): (20, 3), ("b", "34", "-"): (20, 0)}))
    assert (shown.funder_year.height, shown.service_year.height, shown.territory_year.height) == (0, 0, 0)


def test_services_stand_for_themselves_under_a_funder_that_is_not_published() -> None:
    atoms = atoms_of({("a", "34", "-"): (50, 20), ("b", "34", "-"): (8, 2)})
    shown = protected(atoms, silent=frozenset("b"), is_root_public=False)
    assert services_shown(shown) == ["a"]
    assert shown.funder_year.height == 0


def test_a_service_known_to_refuse_nobody_protects_no_other() -> None:
    cells = {("a", "34", "-"): (50, 20), ("b", "34", "-"): (8, 2), ("z", "34", "-"): (30, 0)}
    shown = protected(atoms_of(cells, zeros=frozenset("z")), silent=frozenset("z"))
    assert services_shown(shown) == []
    alone = atoms_of({("b", "34", "-"): (3, 8), ("z", "34", "-"): (30, 0)}, zeros=frozenset("z"))
    assert protected(alone, silent=frozenset("z")).funder_year.height == 0


def test_departements_follow_their_service() -> None:
    cells = {
        ("a", "34", "-"): (30, 12),
        ("a", "30", "-"): (20, 6),
        ("a", "48", "-"): (2, 1),
        ("b", "34", "-"): (30, 10),
    }
    shown = protected(atoms_of(cells))
    assert shown.territory_year.rows() == [("f", 2023, "a", "34", "refused"), ("f", 2023, "b", "34", "refused")]


def test_schemes_do_not_open_what_services_hide() -> None:
    # scheme x minus service a would give the two refusals of (b, x)
    cells = {("a", "—", "x"): (30, 10), ("b", "—", "x"): (30, 2), ("b", "—", "y"): (30, 20)}
    shown = protected(atoms_of(cells))
    assert services_shown(shown) == ["a", "b"]
    assert shown.scheme_year.height == 0
    separate = protected(atoms_of({("a", "—", "x"): (30, 10), ("b", "—", "y"): (30, 20)}))
    assert separate.scheme_year["scheme"].to_list() == ["x", "y"]


def test_reasons_hide_until_the_rest_reaches_the_minimum() -> None:
    roots = pl.DataFrame(
        {**{k: [v] for k, v in KEY.items()}, "measure": ["refused"]}, schema_overrides={"fiscal_year": pl.Int32}
    )
    counts = {"late": 2, "other": 6, "budget_exhausted": 30}
    reasons = pl.DataFrame(
        [{**KEY, "measure": "refused", "refusal_reason": name, "count": n} for name, n in counts.items()],
        schema_overrides={"fiscal_year": pl.Int32},
    )
    assert shown_reasons(reasons, roots, min_count=5)["refusal_reason"].to_list() == ["budget_exhausted"]
    assert shown_reasons(reasons, roots.clear(), min_count=5).height == 0


def _membership(atoms: pl.DataFrame, shown: Shown) -> np.ndarray:
    """One row per shown count over the atoms, plus one per atom known to be zero."""
    known = []
    for cells, columns in (
        (shown.funder_year, ()), (shown.service_year, ("service_key",)),
        (shown.territory_year, ("service_key", "departement_code")), (shown.scheme_year, ("scheme",)),
    ):  # fmt: skip
        known += [
            np.all([(atoms[c] == cell[c]).to_numpy() for c in columns] or [np.ones(atoms.height, bool)], axis=0)
            for cell in cells.iter_rows(named=True)
        ]
    known += list(np.eye(atoms.height, dtype=bool)[atoms["is_known_zero"].to_numpy()])
    return np.array(known, dtype=float).reshape(len(known), atoms.height)


def _derivable_sets(known: np.ndarray) -> np.ndarray:
    """Every subset of atoms whose count is a linear combination of what is known, by trying them all."""
    every = np.array(list(product((0.0, 1.0), repeat=known.shape[1])))[1:]
    if not len(known):
        return every[:0]
    basis = np.linalg.svd(known, full_matrices=False)
    rows = basis[2][basis[1] > 1e-9]
    return every[np.abs(every - every @ rows.T @ rows).max(axis=1) < 1e-7]


def test_no_sum_or_difference_of_published_counts_is_a_small_one() -> None:
    rng = np.random.default_rng(20261120)
    n_shown = n_sets = n_hidden = 0
    for _ in range(120):
        names = [(s, d, k) for s in "abc" for d in ("34", "48") for k in "xy"]
        picked = [names[i] for i in rng.choice(len(names), size=int(rng.integers(3, 11)), replace=False)]
        scale = rng.choice([4, 15, 60])
        zeros = frozenset("c") if rng.random() < 0.3 else frozenset()
        cells = {
            name: (
                int(rng.integers(0, 2 * scale)),
                0 if name[0] in zeros else int(rng.poisson(rng.choice([1, 6, scale]))),
            )
            for name in picked
        }
        atoms = atoms_of(cells, zeros=zeros)
        silent = zeros | (frozenset("b") if rng.random() < 0.2 else frozenset())
        shown = protected(atoms, silent=silent, is_root_public=bool(rng.random() < 0.8))
        awarded, count = atoms["n_awarded"].to_numpy(), atoms["count"].to_numpy()
        is_open = ~atoms["is_known_zero"].to_numpy()
        for members in _derivable_sets(_membership(atoms, shown)):
            a, c = int((members * is_open * awarded).sum()), int((members * count).sum())
            safe = pl.DataFrame({"n_awarded": [a], "count": [c]}).select(is_safe(LIMITS)).item()
            assert safe or (a == 0 and c == 0) or not (members * is_open).any(), (cells, members, a, c)
            n_sets += 1
        n_shown += shown.service_year.height + shown.territory_year.height + shown.scheme_year.height
        n_hidden += len({name[0] for name in picked}) - shown.service_year.height
    # the panel is neither all hidden nor all shown
    assert n_shown > 100
    assert n_hidden > 100
    assert n_sets > 300
