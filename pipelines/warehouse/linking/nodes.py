"""Nodes: each organisation as far as identifiers tell, before names are compared; and the numbers lists give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.warehouse.linking.arrays import spread, starts

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TEXTS = pl.List(pl.String())
NODES = pl.Schema({
    "key": pl.String(), "names": _TEXTS, "numbers": pl.List(pl.Struct({"scope": pl.String(), "number": pl.String()})),
    "communes": _TEXTS, "departements": _TEXTS, "areas": _TEXTS, "funders": _TEXTS,
})  # fmt: skip
"""`names`: as written, the most frequent first. `numbers`: its identifier in each scope that gives one to each body
(`siren`, `rna`, a funder's own list). `communes`, `departements`: codes of its seats. `areas`: départements of the
funders that know no seat of it. `funders`: who knows it. Null: nothing of the kind is known."""


class Numbers:
    """The identifiers of nodes, list by list. `scopes`: the list that first says who each is, -1 without any."""

    def __init__(self, numbers: pl.Series) -> None:
        """`numbers`: the column of `NODES`."""
        told = (
            pl.DataFrame({"told": numbers})
            .with_row_index("node")
            .explode("told")
            .drop_nulls()
            .unnest("told")
            .with_columns(
                code=pl.col("scope").rank("dense") - 1,
                number=pl.col("number").rank("dense"),
                order=pl.col("scope").replace_strict({"siren": 0, "rna": 1}, default=2, return_dtype=pl.Int8),
            )
            .sort("node", "code")
        )
        nodes, codes, self._numbers = (told[name].to_numpy().astype(np.int64) for name in ("node", "code", "number"))
        self._n_scopes = int(codes.max(initial=0)) + 1
        self._codes = nodes * self._n_scopes + codes
        self._sizes = np.bincount(nodes, minlength=len(numbers))
        self._starts = starts(self._sizes)
        first = told.sort("node", "order", "code").unique("node", keep="first")
        self.scopes: NDArray[np.int64] = np.full(len(numbers), -1, dtype=np.int64)
        self.scopes[first["node"].to_numpy()] = first["code"].to_numpy()

    def differ(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For nodes two by two, whether one list numbers both, differently."""
        if not self._codes.size:
            return np.zeros(len(left), dtype=np.bool_)
        row, at = spread(self._sizes[left])
        at += self._starts[left[row]]
        wanted = right[row] * self._n_scopes + self._codes[at] % self._n_scopes
        found = np.minimum(np.searchsorted(self._codes, wanted), len(self._codes) - 1)
        is_other = (self._codes[found] == wanted) & (self._numbers[found] != self._numbers[at])
        return np.bincount(row, is_other, len(left)) > 0
