"""Groups of things that are one, joined step by step, with what may never be joined."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


T = TypeVar("T", int, str)


class Groups(Generic[T]):
    """Disjoint groups of members that have an order; one that was never joined is its own, and costs nothing.

    `numbers`: the identifiers of each member that has any, one at most in each scope; a group with two of one scope is
    never made by `join`. `apart`: pairs said to be different; they are never joined at all.
    """

    def __init__(self, numbers: Mapping[T, Mapping[str, str]], apart: Iterable[tuple[T, T]] = ()) -> None:
        self._own: dict[T, Mapping[str, str]] = dict(numbers)
        self._numbers: dict[T, dict[str, set[str]]] = {}
        self._root: dict[T, T] = {}
        self._members: dict[T, list[T]] = {}
        self._apart: defaultdict[T, set[T]] = defaultdict(set)
        for left, right in apart:
            self._apart[left].add(right)
            self._apart[right].add(left)

    def know(self, numbers: Mapping[T, Mapping[str, str]]) -> None:
        """Take note of the identifiers of more members, none of them met yet."""
        self._own |= numbers

    def of(self, member: T) -> T:
        """The group of a member: its first one."""
        while (root := self._root.get(member, member)) != member:
            self._root[member] = self._root.get(root, root)
            member = root
        return member

    def members(self, member: T) -> list[T]:
        """Everything in the group of a member, itself included, sorted."""
        root = self.of(member)
        return self._members.get(root, [root])

    def joined(self) -> list[list[T]]:
        """The groups of several members."""
        return [members for root, members in self._members.items() if self.of(root) == root]

    def numbers(self, member: T) -> dict[str, set[str]]:
        """The identifiers of the group of a member, by scope."""
        root = self.of(member)
        if root not in self._numbers:
            self._numbers[root] = {scope: {number} for scope, number in self._own.get(root, {}).items()}
        return self._numbers[root]

    def are_apart(self, left: T, right: T) -> bool:
        """True when somebody said that the groups of the two are different."""
        others = set(self.members(right))
        return any(self._apart[member] & others for member in self.members(left) if member in self._apart)

    def disagree(self, left: T, right: T) -> bool:
        """True when a scope numbers both groups, otherwise."""
        mine, theirs = self.numbers(left), self.numbers(right)
        return any(theirs.get(scope, found) != found for scope, found in mine.items())

    def join(self, left: T, right: T, *, by_decision: bool = False) -> bool:
        """Make one group of two; False when it may not be. A decision joins what numbers keep apart."""
        one, other = sorted((self.of(left), self.of(right)))
        if one == other:
            return True
        if self.are_apart(one, other) or (not by_decision and self.disagree(one, other)):
            return False
        for scope, found in self.numbers(other).items():
            self.numbers(one).setdefault(scope, set()).update(found)
        self._members[one] = sorted(self.members(one) + self.members(other))
        self._root[other] = one
        return True
