"""Every award as a line of a comma-separated file, written once for all the lists that it is in.

An award is listed by its funder, its service, its région… with the same cells everywhere. What no list changes is made
once, in a folder: the lines of all awards, one after the other; for each key, which of them are of each of its values,
in the order of lists; the awards that pages show, with their cells. A list is then bytes put one after the other.
"""

from __future__ import annotations

import fcntl
import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from pipelines.publish import comma_separated
from pipelines.publish.database import framed
from pipelines.publish.directory import UNKNOWN_TERRITORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipelines.publish.database import PublicDatabase

    Numbers = np.ndarray[Any, np.dtype[Any]]

SHOWN = 50
"""Awards of a list that a page shows."""
SHOWN_COLUMNS = (
    "fiscal_year", "funder_id", "funder_name", "organisation_id", "beneficiary_name", "amount", "currency", "title",
    "theme", "purpose", "service_key", "service_name",
)  # fmt: skip
KEYS = {
    "funder_id": "funder_id",
    "service_key": "service_key",
    "organisation_id": "organisation_id",
    "region_code": "region_code",
    "departement_code": f"coalesce(departement_code, '{UNKNOWN_TERRITORY}')",
    "epci_code": "epci_code",
}
"""What awards are listed by, as an expression on `awards`."""
_ORDER = "fiscal_year DESC, amount DESC NULLS LAST, application_id, beneficiary_name, title, organisation_id, currency"
_LINES, _STARTS, _HEADER, _MADE = "lines", "starts.npy", "header", "made"
_NOBODY = -1
_READ_AT_ONCE = 1 << 16
"""Lines read at once."""
_WRITTEN_AT_ONCE = 16_384
"""Lines written at once: larger blocks of memory cost more to get than to fill."""
_MARKS = [chr(code) for code in range(32) if chr(code) not in "\t\n\r"]


def made(database: PublicDatabase, folder: Path, values: Mapping[str, Sequence[str]]) -> AwardLines:
    """The lines in `folder`, for lists of each of the `values` of keys: made by the first process that asks for them.

    The others wait for it; one that ends before it has made them leaves that to the next one.
    """
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _MADE).exists():
            _make(database, folder, values)
            (folder / _MADE).touch()
    return AwardLines(folder)


def _make(database: PublicDatabase, folder: Path, values: Mapping[str, Sequence[str]]) -> None:
    rows, holders = _listed(database, values)
    lists = {key: _grouped(held, len(values[key])) for key, held in holders.items()}
    is_shown = np.zeros(int(rows.max(initial=-1)) + 1, dtype=bool)
    for order, counts in lists.values():
        is_shown[rows[order[_first(counts)]]] = True
    line_of, shown = _written(database, folder, is_shown)
    for key, (order, counts) in lists.items():
        np.save(folder / f"{key}.npy", line_of[rows[order]])
        np.save(folder / f"{key}-counts.npy", counts)
        first = pl.DataFrame({"_line": line_of[rows[order[_first(counts)]]]})
        cells = first.join(shown, on="_line", how="left", maintain_order="left")
        cells.drop("_line").write_ipc(folder / f"{key}.arrow")


def _listed(database: PublicDatabase, values: Mapping[str, Sequence[str]]) -> tuple[Numbers, dict[str, Numbers]]:
    """The number of the row of each award, in the order of lists, and for each key which of its values it is of."""
    kinds = {key: pl.Enum(held) for key, held in values.items()}
    rows: list[Numbers] = []
    holders: dict[str, list[Numbers]] = {key: [] for key in values}
    told = ", ".join(f"{KEYS[key]} AS {key}" for key in values)
    for frame in database.batches(f"SELECT rowid AS _row, {told} FROM awards ORDER BY {_ORDER}"):
        rows.append(np.array(frame["_row"], dtype=np.int32))  # a copy: a column alone would hold all those read with it
        for key, kind in kinds.items():
            held = frame[key].cast(kind, strict=False).to_physical().cast(pl.Int32).fill_null(_NOBODY)
            holders[key].append(held.to_numpy())
    return np.concatenate(rows), {key: np.concatenate(held) for key, held in holders.items()}


def _grouped(holders: Numbers, n_values: int) -> tuple[Numbers, Numbers]:
    """Where the awards of each value are, one value after the other, and how many each has."""
    order = np.argsort(holders, kind="stable").astype(np.int32)
    counts = np.bincount(holders + 1, minlength=n_values + 1)
    return order[counts[0] :], counts[1:]


def _first(counts: Numbers) -> Numbers:
    """Of what is grouped in runs of `counts`, where the first `SHOWN` of each are."""
    kept = np.minimum(counts, SHOWN)
    return np.repeat(_begins(counts) - _begins(kept), kept) + np.arange(kept.sum())


def _begins(counts: Numbers) -> Numbers:
    return np.cumsum(counts) - counts


def _written(database: PublicDatabase, folder: Path, is_shown: Numbers) -> tuple[Numbers, pl.DataFrame]:
    """Write all lines; returns the number of the line of each row, and the cells of those that pages show."""
    line_of = np.zeros(len(is_shown), dtype=np.int32)
    sizes, shown, n_lines = [np.zeros(1, dtype=np.int64)], [], 0
    with (folder / _LINES).open("wb") as file:
        for frame in database.batches("SELECT rowid AS _row, * FROM awards"):
            if not n_lines:
                (folder / _HEADER).write_bytes(comma_separated.to_bytes(frame.drop("_row").clear()))
            rows = frame["_row"].to_numpy()
            line_of[rows] = np.arange(n_lines, n_lines + len(rows))
            is_held = is_shown[rows]
            told = frame.select(SHOWN_COLUMNS).with_columns(_line=pl.Series(line_of[rows]))
            # as bytes of their own: texts of a frame would hold those of all the lines read with them
            shown.append(told.filter(pl.Series(is_held)).to_arrow(compat_level=pl.CompatLevel.oldest()))
            for part in comma_separated.neutralised(frame.drop("_row")).iter_slices(_WRITTEN_AT_ONCE):
                lines, ends = _marked(part)
                file.write(lines.data)
                sizes.append(np.diff(ends, prepend=0))
            n_lines += len(rows)
    np.save(folder / _STARTS, np.cumsum(np.concatenate(sizes)))
    return line_of, framed(pa.concat_tables(shown))


def _marked(safe: pl.DataFrame) -> tuple[Numbers, Numbers]:
    """The lines of a frame whose cells are `neutralised`, and where each ends.

    Cells may hold ends of lines: lines end with a character that no cell has while they are told apart.
    """
    for mark in _MARKS:
        buffer = io.BytesIO()
        safe.write_csv(buffer, include_header=False, line_terminator=f"\r{mark}", quote_style="necessary")
        lines = np.frombuffer(buffer.getbuffer(), dtype=np.uint8)
        ends = np.flatnonzero(lines == ord(mark))
        if len(ends) == safe.height:
            lines[ends] = ord("\n")
            return lines, ends + 1
    raise ValueError("une cellule a tous les caractères de contrôle")


class AwardLines:
    """What is in the folder: lines by their numbers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.header = (folder / _HEADER).read_bytes()

    def listed(self, key: str) -> tuple[Numbers, Numbers]:
        """The lines of each value of a key, one value after the other in the order of lists, and how many each has."""
        return np.load(self._folder / f"{key}.npy"), np.load(self._folder / f"{key}-counts.npy")

    def shown(self, key: str) -> pl.DataFrame:
        """The first `SHOWN` awards of each value of a key, one value after the other."""
        return pl.read_ipc(self._folder / f"{key}.arrow")

    @cached_property
    def _starts(self) -> Numbers:
        found: Numbers = np.load(self._folder / _STARTS)
        return found

    def sizes(self, lines: Numbers) -> Numbers:
        """How many bytes each of some lines has."""
        found: Numbers = self._starts[lines + 1] - self._starts[lines]
        return found

    def held(self, lines: Numbers) -> HeldLines:
        """Some lines, read in one go through the file."""
        wanted = np.sort(lines)
        ends = np.concatenate([[0], np.cumsum(self.sizes(wanted))])
        content = np.empty(ends[-1], dtype=np.uint8)
        firsts = np.arange(0, len(self._starts) - 1, _READ_AT_ONCE)
        cuts = [*np.searchsorted(wanted, firsts), len(wanted)]
        with (self._folder / _LINES).open("rb") as file:
            for first, begin, end in zip(firsts, cuts, cuts[1:], strict=False):
                if begin == end:
                    continue
                starts = self._starts[first : first + _READ_AT_ONCE + 1]
                file.seek(starts[0])
                read = _lines(starts - starts[0], file.read(starts[-1] - starts[0]))
                content[ends[begin] : ends[end]] = _taken(read, wanted[begin:end] - first)
        return HeldLines(wanted, _lines(ends, content))


@dataclass(frozen=True)
class HeldLines:
    """Lines in memory, by their numbers."""

    _numbers: Numbers
    _held: pa.LargeBinaryArray

    def taken(self, lines: Numbers) -> Numbers:
        """The bytes of some of them, one after the other in the order asked."""
        return _taken(self._held, np.searchsorted(self._numbers, lines))


def _lines(ends: Numbers, content: Any) -> pa.LargeBinaryArray:
    buffers = [None, pa.py_buffer(np.ascontiguousarray(ends, dtype=np.int64)), pa.py_buffer(content)]
    return pa.Array.from_buffers(pa.large_binary(), len(ends) - 1, buffers)


def _taken(lines: pa.LargeBinaryArray, places: Numbers) -> Numbers:
    taken = lines.take(pa.array(places))
    _, ends, content = taken.buffers()
    size = np.frombuffer(ends, dtype=np.int64)[len(places)]
    return np.frombuffer(content, dtype=np.uint8)[:size] if size else np.empty(0, dtype=np.uint8)
