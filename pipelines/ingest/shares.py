"""One amount on several lines, a beneficiary and its share on each: what each of them receives, and the whole.

The legal format (decree 2017-779) gives the whole amount of the grant on every line and, beside it, the share of the
line's beneficiary. Counted on each line, the whole would be multiplied.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from schemas.contract import Euro

if TYPE_CHECKING:
    from pipelines.ingest.findings import Findings

_GRANT = ("decision_reference", "title", "signed_date", "decided_date", "amount_awarded")
"""What the lines of one grant have in common."""
_NAMES_IT = ("decision_reference", "title")
_WHOLE = (Decimal("0.98"), Decimal("1.02"))  # thirds are written 0.33


def with_shares(lines: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """`lines` where shares of one amount that add up to one are taken: each its part, the whole in `amount_total`.

    A share whose others are not in the file says too little: its line keeps the amount that it states.
    """
    needed = {"beneficiary_share", "amount_awarded", "applicant_name"}
    naming = [name for name in _NAMES_IT if name in lines.columns]
    if not needed.issubset(lines.columns) or "amount_total" in lines.columns or not naming:
        return lines
    share = pl.col("beneficiary_share")
    if not lines.select((share < 1).any()).item():
        return lines
    grant = [name for name in _GRANT if name in lines.columns]
    named = pl.any_horizontal(pl.col(name).is_not_null() for name in naming)
    whole = share.sum().over(grant)
    several = pl.col("applicant_name").n_unique().over(grant) == pl.len().over(grant)
    shared = (share < 1) & named & several & (pl.len().over(grant) > 1) & whole.is_between(*_WHOLE)
    is_part = lines.select(shared.fill_null(False)).to_series()
    if not is_part.any():
        return lines
    part = (pl.col("amount_awarded").cast(pl.Decimal(38, 8)) * share / whole).round(2).cast(Euro)
    parts = lines.select(*grant, pl.when(is_part).then(part).alias("part"))
    first = pl.int_range(pl.len()).over(grant) == 0
    rest = pl.col("amount_awarded") - pl.col("part").sum().over(grant)
    own = parts.select(pl.when(first).then(pl.col("part") + rest).otherwise("part").cast(Euro)).to_series()
    stated = lines["amount_awarded"]
    findings.add("amount_shared", "amount_awarded", stated.cast(pl.String), is_part, details=own.cast(pl.String))
    return lines.with_columns(
        pl.when(is_part).then(own).otherwise(stated).alias("amount_awarded"),
        pl.when(is_part).then(stated).alias("amount_total"),
    )
