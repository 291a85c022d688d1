"""Schemes that whole and positive numbers would give away: what exact sums and differences do not see.

`suppression` makes sure that no sum or difference of printed counts is an unsafe one. Where schemes are printed across
services, two margins of a table also bound its inside: a reader may learn that a part is zero, or between 4 and 6. The
funder-years and measures where such a bound is narrower than the rule's (`audit`) lose their schemes, all of them: what
is left is a tree, whose pieces are safe. This is the audit's arithmetic on what is meant to be printed; the audit
itself reads what was printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse import audit
from pipelines.warehouse.audit_facts import BLOCK, CELL, LEVELS, Facts

if TYPE_CHECKING:
    from schemas.publication import Disclosure

_KEY = [*BLOCK, "measure"]


def without_narrow_schemes(atoms: pl.DataFrame, wanted: pl.DataFrame, limits: Disclosure) -> pl.DataFrame:
    """`wanted` (`publications.PRINTED`) less the schemes of the blocks and measures that they would give away.

    `atoms`: see `suppression.ATOMS`, known zeros included.
    """
    crossed = wanted.filter(pl.col("level") == "scheme").select(_KEY).unique()
    if crossed.is_empty():
        return wanted
    facts = meant(atoms.join(crossed, on=_KEY, how="semi"), wanted.join(crossed, on=_KEY, how="semi"))
    given = audit.given_away(facts, limits).select(_KEY).unique()
    is_kept = pl.col("level") != "scheme"
    return pl.concat([wanted.filter(is_kept), wanted.filter(~is_kept).join(given, on=_KEY, how="anti")])


def meant(atoms: pl.DataFrame, wanted: pl.DataFrame) -> Facts:
    """What the public tables would tell if the `wanted` rows were printed, and no other."""
    cells, values = [], []
    for level, keys in LEVELS.items():
        if level == "atom":
            continue
        others = [pl.lit(None, dtype=pl.String).alias(name) for name in CELL[2:] if name not in keys]
        named = (pl.lit(level).alias("table"), pl.lit(level).alias("level"), *others)
        sums = atoms.group_by([*keys, "measure"], maintain_order=True).agg(pl.col("n_awarded", "count").sum())
        cells.append(sums.select(*named, *keys, pl.col("n_awarded").cast(pl.Float64)).select(*CELL, "n_awarded"))
        printed = sums.join(wanted.filter(pl.col("level") == level), on=[*keys, "measure"], how="semi")
        value = pl.col("count").cast(pl.Float64).alias("value")
        values.append(printed.select(*named, *keys, "measure", value, column=pl.lit("n")))
    told = pl.concat([part.select(*CELL, "measure", "value", "column") for part in values])
    nothing = told.clear().drop("value").with_columns(coefficient=pl.lit(0.0), constant=pl.lit(0.0))
    every = pl.concat(cells).unique(subset=CELL, maintain_order=True)
    return Facts(atoms.drop("count"), every, told, nothing, told.clear().select(*CELL, "column"))
