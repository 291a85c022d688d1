"""What a part of the site was made from: each thing it asked of the database or the directory, and what it was told.

A part is given a `Context` whose every door notes what goes through it. When each of those questions has the same
answer again, the same code would write the same files: they need not be written. Nothing is declared by who writes a
page, so nothing can be forgotten. A question is asked by its name and plain arguments, hence can be asked again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd

from pipelines.publish.award_lines import KEYS
from pipelines.publish.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pipelines.publish.context import Marks
    from pipelines.publish.database import PublicDatabase

    Reading = tuple[Any, ...]
    """A door, a question, its arguments."""

_QUERIES = {("database", question) for question in ("query", "lists", "typed", "batches", "kept")}
_TOLD = (bool, int, float, str, Decimal, dt.date, type(pd.NaT))
WHOLE = "0"
"""The key that all rows of a table have the same value of."""
AWARDS = frozenset({*KEYS.values(), "fiscal_year", WHOLE})
"""What parts read awards by: they are gone through once for all of it."""
GONE = "gone"
"""The answer to a question that was answered once and cannot be any more: another than any."""
_PLAIN = {bool, int, float, str, type(None)}
_HASHED = 64  # characters of an answer beyond which its hash is kept in its place


class Readings:
    """The answers of one database, each worked out once, as short texts that differ when the answers do."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._answers: dict[Reading, str] = {}
        self._slices = dict(context.marks)

    def answer(self, reading: Reading) -> str:
        """What tells the answer to one question."""
        if reading not in self._answers:
            try:
                self._answers[reading] = self._asked(*reading)
            except (LookupError, StopIteration, duckdb.Error):  # who or what it is about is no longer there
                self._answers[reading] = GONE
        return self._answers[reading]

    def of(self, readings: set[Reading]) -> str:
        """A hash of questions and of their answers."""
        told = sorted((repr(reading), self.answer(reading)) for reading in readings)
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def _asked(self, door: str, question: str, *arguments: Any) -> str:
        if door == "awards":
            return self._slice("awards", KEYS[question], arguments[0])
        if (door, question) == ("database", "slice"):
            return self._slice(*arguments[:3])
        target = getattr(self._context, door)
        if (door, question) in _QUERIES:
            return " ".join(
                f"{table} {self._slice(table, WHOLE, 0)}" for table in sorted(target.tables_of(arguments[0]))
            )
        found = target if not question else getattr(target, question)
        return _short(found(*arguments) if callable(found) else found)

    def _slice(self, table: str, key: str, value: Any) -> str:
        """What tells the rows of a table where an expression has this value."""
        if (table, key) not in self._slices:
            self._slices |= slices(self._context.database, table, AWARDS if table == "awards" else {key})
        return self._slices[table, key].get(value, "none")


def everything(database: PublicDatabase) -> Marks:
    """What tells every table, and awards by what parts read them by, but for the many beneficiaries."""
    few = AWARDS - {KEYS["organisation_id"]}
    found: Marks = {}
    for table in database.tables():
        found |= slices(database, table, few if table == "awards" else {WHOLE})
    return found


def slices(database: PublicDatabase, table: str, keys: Collection[str]) -> Marks:
    """For `table` and each of `keys`, expressions on it, what tells the rows of each value, in any order of rows.

    Each row is hashed twice, in both orders of its columns, to 64 bits; the hashes are added up.
    """
    names = _short(database.types(table))
    found: Marks = {}
    for key, told in database.marks(table, sorted(keys)).items():
        lines = zip(told["k"], told["n"], told["forth"], told["back"], strict=True)
        found[table, key] = {value: f"{names} {n} {forth} {back}" for value, n, forth, back in lines}
    return found


def _short(value: Any) -> str:
    text = repr(_exact(value))
    return text if len(text) <= _HASHED else hashlib.sha256(text.encode()).hexdigest()


def _exact(value: Any) -> Any:
    """`value` in types whose `repr` tells all of them. Raises `TypeError` for any other."""
    if value is None or value is pd.NA or isinstance(value, _TOLD):
        return value
    if isinstance(value, dict):
        return {key: _exact(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_exact(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, np.ndarray):
        return ["array", *_exact(value.tolist())]
    if isinstance(value, pd.DataFrame):
        kinds = [(str(name), str(kind)) for name, kind in value.dtypes.items()]
        rows = value.to_numpy(dtype=object).tolist()
        is_told = {type(cell) for row in rows for cell in row} <= _PLAIN
        return [kinds, rows if is_told else _exact(rows)]
    if is_dataclass(value):
        return [type(value).__name__, *(_exact(getattr(value, each.name)) for each in fields(value))]
    raise TypeError(f"on ne sait pas comparer {type(value)}")


class Seen(Context):
    """A context that notes in `read` every question asked through it.

    `shared` keeps what parts work out once for all of them, with the questions that it took.
    """

    def __init__(self, own: Context, shared: dict[str, tuple[Any, set[Reading]]]) -> None:
        self.read: set[Reading] = set()
        self._own, self._shared = own, shared
        self._menu = own._menu
        for door in ("database", "directory", "licensing", "publication"):
            setattr(self, door, _Door(door, getattr(own, door), self._note))

    def _note(self, *reading: Any) -> None:
        self.read.add(reading)

    @property
    def source(self) -> str:
        """The source line of figures that bring several funders together."""
        self._note("source", "")
        return self._own.source

    def awards(self, key: str) -> Any:
        """The awards of each value of a key: asking for those of one value notes it."""
        return _Door("awards", self._own.awards(key), lambda _, __, value: self._note("awards", key, value))

    def remembered(self, name: str, made: Callable[[], Any]) -> Any:
        """What `made` gives, worked out once; whoever asks for it has asked all that it took."""
        if name not in self._shared:
            outer, self.read = self.read, set()
            self._shared[name] = made(), self.read
            self.read = outer
        found, read = self._shared[name]
        self.read |= read
        return found


class _Door:
    """Something that is asked questions, and notes them."""

    def __init__(self, name: str, behind: Any, note: Callable[..., None]) -> None:
        self._name, self._behind, self._note = name, behind, note

    def __getattr__(self, question: str) -> Any:
        found = getattr(self._behind, question)
        if not callable(found):
            self._note(self._name, question)
            return found

        def asked(*arguments: Any) -> Any:
            self._note(self._name, question, *map(plain, arguments))
            return found(*arguments)

        return asked


def plain(argument: Any) -> Any:
    """An argument as it can be written and asked again: several in no order are sorted.

    Raises `TypeError` for what cannot.
    """
    if argument is None or isinstance(argument, (bool, int, float, str)):
        return argument
    if isinstance(argument, (set, frozenset)):
        return tuple(sorted(argument))
    if isinstance(argument, (list, tuple)):
        return tuple(map(plain, argument))
    raise TypeError(f"on ne sait pas redemander {type(argument)}")
