"""Which rows may take new figures, given every publication already made: the others keep their former figures.

Two publications tell their differences. For one funder and year (a *block*) each publication printed some rows; by
subtraction it told the count of each *piece* of the applications (`suppression`): what a printed row holds and no
printed row inside it does. What two publications both tell is the change of the unions of pieces of one that are unions
of pieces of the other. Rules, for every measure and every former publication of the block:

- each row printed by both, and each such union: the number of decisions (awards and count) and the count each moved by
  0 or by at least `min_count` (DESIGN 7). Pieces are taken as cut by the printed schemes, finer than what is told: sums
  of such parts may be told where the parts are not, so that all the parts then move one way;
- where the pieces of the two cut one another, each common part is itself a count that may be shown: otherwise a reader
  who assumes that little changed in between could subtract across dates.

While a rule is broken the finest and smallest new row that can mend it is given up: it then says nothing new, and
the pieces grow. A block without any new row keeps all its former figures. Giving up rows only takes knowledge away, so
what `suppression` and the audit found safe stays so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipelines.warehouse.suppression import Thresholds

FUNDER, SERVICE, TERRITORY, SCHEME = "funder", "service", "territory", "scheme"
_GIVEN_UP_FIRST = (SCHEME, TERRITORY, SERVICE, FUNDER)
_HIDDEN = ("",)


class Atom(NamedTuple):
    """Applications of one funder and year that no public table tells apart."""

    service: str
    departement: str
    scheme: str


class Row(NamedTuple):
    """A row of a public table of one funder and year: its level, and the keys of that level."""

    level: str
    keys: tuple[str, ...]


Count = tuple[int, int]
"""Awards, and the count of one measure."""


@dataclass(frozen=True)
class Edition:
    """What one publication told of a block.

    `counts`: measure → atom → (awards, count), of the atoms not known to be zero. `rows`: measure → rows printed.
    """

    counts: Mapping[str, Mapping[Atom, Count]]
    rows: Mapping[str, frozenset[Row]]


def row_of(level: str, atom: Atom) -> Row:
    """The row of a level that an atom belongs to."""
    keys = {
        FUNDER: (),
        SERVICE: (atom.service,),
        TERRITORY: (atom.service, atom.departement),
        SCHEME: (atom.scheme,),
    }[level]
    return Row(level, keys)


def fresh_rows(new: Edition, former: Sequence[Edition], limits: Thresholds) -> frozenset[Row]:
    """The rows of `new` whose figures may be printed; the others keep those they had."""
    fresh = {row for rows in new.rows.values() for row in rows}
    blamed = fresh
    while blamed:
        blamed = set()
        for edition in former:
            for measure in sorted({*new.rows, *edition.rows}):
                mine = _to_give_up(new, edition, measure, fresh, limits)
                blamed |= mine
                fresh -= mine
    return frozenset(fresh)


def _to_give_up(new: Edition, former: Edition, measure: str, fresh: set[Row], limits: Thresholds) -> set[Row]:
    """One row for each broken rule: the finest and smallest of those that can mend it."""
    rows = new.rows.get(measure, frozenset()).intersection(fresh)
    if not rows or not former.rows.get(measure):
        return set()
    now, then = new.counts.get(measure, {}), former.counts.get(measure, {})
    sizes = _sizes(now)

    def finest(row: Row) -> tuple[int, int, Row]:
        return _GIVEN_UP_FIRST.index(row.level), sizes.get(row, 0), row

    broken = _broken(sorted({*now, *then}), now, then, rows, former.rows[measure], limits)
    return {min(rows & taking_part, key=finest) for taking_part in broken}


def _sizes(counts: Mapping[Atom, Count]) -> dict[Row, int]:
    sizes: dict[Row, int] = {}
    for atom, count in counts.items():
        for row in _rows_of(atom):
            sizes[row] = sizes.get(row, 0) + sum(count)
    return sizes


def _rows_of(*atoms: Atom) -> set[Row]:
    return {row_of(level, atom) for atom in atoms for level in _GIVEN_UP_FIRST}


def _broken(
    atoms: Sequence[Atom],
    now: Mapping[Atom, Count],
    then: Mapping[Atom, Count],
    rows: frozenset[Row],
    former_rows: frozenset[Row],
    limits: Thresholds,
) -> Iterator[set[Row]]:
    """The rows that take part in each rule that is broken: one of them has to be given up."""
    by_row: dict[Row, list[Atom]] = {}
    for atom in atoms:
        for row in _rows_of(atom):
            by_row.setdefault(row, []).append(atom)
    for row in sorted(rows & former_rows):
        if not _moved_enough(by_row.get(row, []), now, then, limits):
            yield {row}
    has_schemes = any(row.level == SCHEME for row in rows | former_rows)
    here = [_piece(atom, rows) for atom in atoms]
    there = [_piece(atom, former_rows) for atom in atoms]
    unions = [[atoms[i] for i in union] for union in _unions(here, there)]
    for union in unions:
        if not _moved_enough(union, now, then, limits):
            yield _rows_of(*union)
    if has_schemes:
        moves = [_moved(union, now, then) for union in unions]
        if any(len({move[i] > 0 for move in moves if move[i]}) > 1 for i in (0, 1)):
            yield _rows_of(*(atom for union, move in zip(unions, moves, strict=True) if any(move) for atom in union))
    for part in _unsafe_parts(atoms, now, rows, former_rows, limits):
        yield _rows_of(*part)


def _moved(atoms: Iterable[Atom], now: Mapping[Atom, Count], then: Mapping[Atom, Count]) -> Count:
    """By how much the count, and the decisions (awards and count), moved."""
    moved = moved_decisions = 0
    for atom in atoms:
        (awards, count), (former_awards, former_count) = now.get(atom, (0, 0)), then.get(atom, (0, 0))
        moved += count - former_count
        moved_decisions += awards + count - former_awards - former_count
    return moved, moved_decisions


def _moved_enough(
    atoms: Iterable[Atom], now: Mapping[Atom, Count], then: Mapping[Atom, Count], limits: Thresholds
) -> bool:
    return all(change == 0 or abs(change) >= limits.min_count for change in _moved(atoms, now, then))


def _piece(atom: Atom, rows: frozenset[Row]) -> tuple[str, ...]:
    """The finest printed row of the tree that holds an atom, cut by its scheme when that is printed."""
    scheme = (atom.scheme,) if row_of(SCHEME, atom) in rows else ("",)
    for level in (TERRITORY, SERVICE, FUNDER):
        row = row_of(level, atom)
        if row in rows:
            return (level, *row.keys, *scheme)
    return _HIDDEN if scheme == ("",) else (SCHEME, *scheme)


def _unions(here: Sequence[tuple[str, ...]], there: Sequence[tuple[str, ...]]) -> list[list[int]]:
    """The smallest sets of atoms that are unions of pieces on both sides, without what either side leaves untold."""
    parent: dict[tuple[int, tuple[str, ...]], tuple[int, tuple[str, ...]]] = {}

    def top(node: tuple[int, tuple[str, ...]]) -> tuple[int, tuple[str, ...]]:
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    for mine, theirs in zip(here, there, strict=True):
        parent[top((0, mine))] = top((1, theirs))
    untold = {top((0, _HIDDEN)), top((1, _HIDDEN))}
    found: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for index, mine in enumerate(here):
        if top((0, mine)) not in untold:
            found.setdefault(top((0, mine)), []).append(index)
    return list(found.values())


def _unsafe_parts(
    atoms: Sequence[Atom],
    now: Mapping[Atom, Count],
    rows: frozenset[Row],
    former_rows: frozenset[Row],
    limits: Thresholds,
) -> Iterable[list[Atom]]:
    """Common parts of two different pieces, one of each publication, whose count may not be shown."""
    parts: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Atom]] = {}
    sizes: dict[tuple[int, tuple[str, ...]], int] = {}
    for atom in atoms:
        mine = _piece(atom, rows)
        theirs = _piece(atom, former_rows)
        parts.setdefault((mine, theirs), []).append(atom)
        for node in ((0, mine), (1, theirs)):
            sizes[node] = sizes.get(node, 0) + 1
    for (mine, theirs), members in parts.items():
        if _HIDDEN in (mine, theirs) or len(members) == sizes[0, mine] == sizes[1, theirs]:
            continue
        awards, count = (sum(now.get(atom, (0, 0))[i] for atom in members) for i in (0, 1))
        if not _is_safe(awards, count, limits):
            yield members


def _is_safe(awards: int, count: int, limits: Thresholds) -> bool:
    """`suppression.is_safe`, and nothing at all."""
    if count == 0:
        return awards == 0 or awards >= limits.min_decisions
    return min(awards, count) >= limits.min_count and awards + count >= limits.min_decisions
