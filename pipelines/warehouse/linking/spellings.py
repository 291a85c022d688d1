"""The names of nodes in columns, each read once: what comparing millions of pairs of them needs.

Objects for each name took most of the memory of linking; numbers take a tenth of it.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.warehouse.linking.names import KINDS, parts, read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

MOST = 8  # spellings of one node that are compared, the most frequent first
_KIND = {kind: number for number, kind in enumerate(KINDS)}


class Names:
    """Names by their numbers, in columns.

    `words` (places in `vocabulary`, which is sorted) and their `kinds` (places in `KINDS`), one name after the other,
    `lengths` of each. `full`: all its letters; `lines`: its words in alphabetical order; `has_network`. `initials`: the
    runs of first letters there are; `spelt`: a name and the place of its run, a row each.
    """

    def __init__(self, told: Iterable[tuple[str, str]]) -> None:
        """`told`: the `parts` of each name."""
        place: defaultdict[str, int] = defaultdict(lambda: len(place))
        runs: dict[str, int] = {}
        words, kinds, lengths, spelt = array("i"), array("b"), array("i"), array("i")
        self.full: list[str] = []
        self.lines: list[str] = []
        has_network = []
        for number, (main, aside) in enumerate(told):
            name = read(main, aside)
            words.extend(map(place.__getitem__, name.words))
            kinds.extend(map(_KIND.__getitem__, name.words.values()))
            lengths.append(len(name.words))
            for run in name.initials:
                spelt.extend((number, runs.setdefault(run, len(runs))))
            self.full.append(name.full)
            self.lines.append(" ".join(sorted(name.words)))
            has_network.append(name.network is not None)
        self.vocabulary = sorted(place)
        order = np.empty(len(place), dtype=np.int64)
        order[[place[word] for word in self.vocabulary]] = np.arange(len(place))
        self.words: NDArray[np.int64] = order[np.array(words, dtype=np.int64)]
        self.kinds = np.array(kinds, dtype=np.int8)
        self.lengths = np.array(lengths, dtype=np.int64)
        self.initials = list(runs)
        self.spelt = np.array(spelt, dtype=np.int64).reshape(-1, 2)
        self.has_network = np.array(has_network, dtype=np.bool_)


class Spellings:
    """The names that nodes bear: `names`, those of them (`borne`), one node after the other, and how many (`sizes`)."""

    def __init__(self, written: pl.Series) -> None:
        """`written`: the list of each node's names, the most frequent first."""
        each = pl.DataFrame({"text": written}).with_row_index("node").explode("text").drop_nulls()
        texts = each["text"].unique()
        told = parts(texts)
        distinct = told.unique()
        self.names = Names(distinct.iter_rows())
        full = pl.Series("full", self.names.full, dtype=pl.String)
        numbers = distinct.with_columns(full).with_row_index("name").filter(full.str.len_bytes() > 0)
        known = told.with_columns(text=texts).join(numbers, on=["main", "aside"]).select("text", "name", "full")
        kept = (
            each.with_row_index("order")
            .join(known, on="text")
            .sort("order")
            .unique(["node", "full"], keep="first", maintain_order=True)
            .filter(pl.int_range(pl.len()).over("node") < MOST)
        )
        self.borne: NDArray[np.int64] = kept["name"].to_numpy().astype(np.int64)
        self.sizes: NDArray[np.int64] = np.bincount(kept["node"].to_numpy(), minlength=len(written))

    def uses(self) -> NDArray[np.int64]:
        """How many nodes bear each name."""
        return np.bincount(self.borne, minlength=len(self.names.full))
