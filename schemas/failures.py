"""Lines against their contract: every cell and every line that fails one of its rules, in one pass.

The rules are those that pandera builds from the model, and are written nowhere else. Its own validation tells the same
failures, but collects several times for each rule: over a small file that takes longer than everything else together.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
from pandera.api.polars.types import PolarsData

from schemas.contract import polars_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandera.polars as pa

FAILURES = pl.Schema({"index": pl.UInt32, "column": pl.String, "rule": pl.String, "value": pl.String})
"""A failure: the position of the line, the column (null: the whole line), the rule as pandera names it, the cell."""
NOT_NULL, UNIQUE = "not_nullable", "field_uniqueness"
_DECLARED = {NOT_NULL: pl.Expr.is_null, UNIQUE: pl.Expr.is_duplicated}
"""What a column declares of itself, without a check → what fails."""

_LINE = "*"
"""What pandera calls a whole line, where a rule is given a column."""


class _Rule(NamedTuple):
    """One rule, over one column or over whole lines (None); without a check, what the column declares."""

    column: str | None
    name: str
    check: pa.Check | None

    @property
    def asks_nulls(self) -> bool:
        """Whether a null may fail it."""
        return self.check is None or not self.check.ignore_na

    def may_fail(self, nulls: dict[str, int], height: int) -> bool:
        """Whether there is something to check: most columns of most files state nothing."""
        if self.column is None:
            return True
        if self.name == NOT_NULL:
            return nulls[self.column] > 0
        return self.asks_nulls or nulls[self.column] < height

    def failing(self, lines: pl.LazyFrame) -> pl.LazyFrame:
        """The positions of the lines that fail, in one column."""
        if self.check is None:
            return lines.select(_DECLARED[self.name](pl.col(str(self.column))).arg_true())
        backend: Any = self.check.get_backend(lines)(self.check)
        told: pl.LazyFrame = backend.apply(PolarsData(lines, self.column or _LINE))
        return told.select(pl.all().fill_null(not self.asks_nulls).not_().arg_true())


def failures(model: type[pa.DataFrameModel], lines: pl.DataFrame) -> pl.DataFrame:
    """What in `lines` fails the rules of `model`, in the shape of `FAILURES`: by column, by rule, by line.

    Raises `AssertionError` when `lines` has not exactly the columns of `model`: no cell could set that right.
    """
    if lines.schema != polars_schema(model):
        raise AssertionError(f"not the columns of the contract: {lines.columns}")
    nulls = lines.null_count().row(0, named=True)
    stated = [rule for rule in _rules(model) if rule.may_fail(nulls, lines.height)]
    found = pl.collect_all([rule.failing(lines.lazy()) for rule in stated])
    return pl.concat([pl.DataFrame(schema=FAILURES), *_told(lines, zip(stated, found, strict=True))])


def _told(lines: pl.DataFrame, found: Iterable[tuple[_Rule, pl.DataFrame]]) -> Iterable[pl.DataFrame]:
    for rule, failing in found:
        places = failing.to_series().alias("index")
        if places.len():
            cells = pl.lit(None) if rule.column is None else lines[rule.column].gather(places)
            told = (pl.lit(rule.column).alias("column"), pl.lit(rule.name).alias("rule"), cells.alias("value"))
            yield places.to_frame().with_columns(*told).cast(FAILURES)


@cache
def _rules(model: type[pa.DataFrameModel]) -> tuple[_Rule, ...]:
    """The rules of `model` in pandera's order: column by column, then those over whole lines.

    Raises `NotImplementedError` for a declaration that asks for more than rules.
    """
    schema, rules = model.to_schema(), []
    for name, column in schema.columns.items():
        if column.regex or column.coerce or not column.required:
            raise NotImplementedError(f"{model.__name__}.{name} is declared in a way that is not checked")
        rules += [] if column.nullable else [_Rule(name, NOT_NULL, None)]
        rules += [_Rule(name, UNIQUE, None)] if column.unique else []
        rules += [_Rule(name, _name(check), check) for check in column.checks]
    if schema.unique or schema.coerce or not schema.strict:
        raise NotImplementedError(f"{model.__name__} is declared in a way that is not checked")
    rules += [_Rule(None, _name(check), check) for check in schema.checks]
    nothing = pl.LazyFrame(schema=polars_schema(model))
    for rule in rules:  # pandera finds what a built-in check does with polars when it is first called
        if rule.check is not None:
            rule.check(nothing, rule.column)
    return tuple(rules)


def _name(check: pa.Check) -> str:
    return str(check.error if check.error is not None else check.name)
