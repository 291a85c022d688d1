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

While a rule is broken the finest and smallest new row that takes part in it is given up: it then says nothing new, and
the pieces grow. A block without any new row keeps all its former figures. Giving up rows only takes knowledge away, so
what `suppression` and the audit found safe stays so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
    given_up = True
    while given_up:
        given_up = False
        for edition in former:
            for measure in sorted({*new.rows, *edition.rows}):
                blamed = _to_give_up(new, edition, measure, fresh, limits)
                if blamed is not None:
                    fresh.remove(blamed)
                    given_up = True
    return frozenset(fresh)


def _to_give_up(new: Edition, former: Edition, measure: str, fresh: set[Row], limits: Thresholds) -> Row | None:
    """The row that takes part in the first broken rule, or None."""
    rows = new.rows.get(measure, frozenset()).intersection(fresh)
    if not rows or not former.rows.get(measure):
        return None
    now, then = new.counts.get(measure, {}), former.counts.get(measure, {})
    atoms = sorted({*now, *then})
    for wrong in _broken(atoms, now, then, rows, former.rows[measure], limits):
        inside = {row_of(level, atom) for atom in wrong for level in _GIVEN_UP_FIRST}
        return min(rows & inside, key=lambda row: (_GIVEN_UP_FIRST.index(row.level), _size(row, now), row))
    return None


def _size(row: Row, counts: Mapping[Atom, Count]) -> int:
    return sum(sum(count) for atom, count in counts.items() if row_of(row.level, atom) == row)


def _broken(
    atoms: Sequence[Atom],
    now: Mapping[Atom, Count],
    then: Mapping[Atom, Count],
    rows: frozenset[Row],
    former_rows: frozenset[Row],
    limits: Thresholds,
) -> Iterable[list[Atom]]:
    """The sets of atoms whose change, or whose common part, tells too few applications."""
    by_row: dict[Row, list[Atom]] = {}
    for atom in atoms:
        for level in _GIVEN_UP_FIRST:
            by_row.setdefault(row_of(level, atom), []).append(atom)
    for row in sorted(rows & former_rows):
        inside = by_row.get(row, [])
        if not _moved_enough(inside, now, then, limits):
            yield inside
    has_schemes = any(row.level == SCHEME for row in rows | former_rows)
    here = [_piece(atom, rows, with_schemes=True) for atom in atoms]
    there = [_piece(atom, former_rows, with_schemes=True) for atom in atoms]
    unions = [[atoms[i] for i in union] for union in _unions(here, there)]
    for union in unions:
        if not _moved_enough(union, now, then, limits):
            yield union
    if has_schemes:
        moves = [_moved(union, now, then) for union in unions]
        if any(len({move[i] > 0 for move in moves if move[i]}) > 1 for i in (0, 1)):
            yield [atom for union, move in zip(unions, moves, strict=True) if any(move) for atom in union]
    yield from _unsafe_parts(atoms, now, rows, former_rows, limits)


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


def _piece(atom: Atom, rows: frozenset[Row], *, with_schemes: bool) -> tuple[str, ...]:
    """The finest printed row of the tree that holds an atom, cut by its scheme when that is printed."""
    scheme = (atom.scheme,) if with_schemes and row_of(SCHEME, atom) in rows else ("",)
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
        mine = _piece(atom, rows, with_schemes=True)
        theirs = _piece(atom, former_rows, with_schemes=True)
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
