"""Groups of things that are one, joined step by step, with what may never be joined."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Groups:
    """Disjoint groups of the members 0 … n-1.

    `numbers`: the identifiers of each member, one at most in each scope; a group with two of one scope is never made by
    `join`. `apart`: pairs said to be different; they are never joined at all.
    """

    def __init__(self, numbers: Iterable[Mapping[str, str]], apart: Iterable[tuple[int, int]] = ()) -> None:
        self._numbers: list[dict[str, set[str]]] = [
            {scope: {number} for scope, number in own.items()} for own in numbers
        ]
        self._root = list(range(len(self._numbers)))
        self._members = [[member] for member in self._root]
        self._apart: defaultdict[int, set[int]] = defaultdict(set)
        for left, right in apart:
            self._apart[left].add(right)
            self._apart[right].add(left)

    def of(self, member: int) -> int:
        """The group of a member: the place of its first one."""
        while self._root[member] != member:
            self._root[member] = self._root[self._root[member]]
            member = self._root[member]
        return member

    def members(self, member: int) -> list[int]:
        """Everything in the group of a member, itself included, sorted."""
        return self._members[self.of(member)]

    def numbers(self, member: int) -> dict[str, set[str]]:
        """The identifiers of the group of a member, by scope."""
        return self._numbers[self.of(member)]

    def are_apart(self, left: int, right: int) -> bool:
        """True when somebody said that the groups of the two are different."""
        others = set(self.members(right))
        return any(self._apart[member] & others for member in self.members(left) if member in self._apart)

    def disagree(self, left: int, right: int) -> bool:
        """True when a scope numbers both groups, otherwise."""
        mine, theirs = self.numbers(left), self.numbers(right)
        return any(theirs.get(scope, found) != found for scope, found in mine.items())

    def join(self, left: int, right: int, *, by_decision: bool = False) -> bool:
        """Make one group of two; False when it may not be. A decision joins what numbers keep apart."""
        one, other = sorted((self.of(left), self.of(right)))
        if one == other:
            return True
        if self.are_apart(one, other) or (not by_decision and self.disagree(one, other)):
            return False
        self._root[other] = one
        self._members[one] = sorted(self._members[one] + self._members[other])
        for scope, found in self._numbers[other].items():
            self._numbers[one].setdefault(scope, set()).update(found)
        return True
