"""Lines against their contract: every cell and every line that fails one of its rules, in one pass.

The rules are those that pandera builds from the model, and are written nowhere else. Its own validation tells the same
failures, but collects several times for each rule: over a small file that takes longer than everything else together.
So each rule is asked once for its expression, and all are worked out together; those that look at one cell alone, once
for each distinct cell.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
from pandera.api.polars.types import PolarsData

from schemas.contract import polars_schema
from schemas.distinct import Distinct, meeting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandera.polars as pa

FAILURES = pl.Schema({"index": pl.UInt32, "column": pl.String, "rule": pl.String, "value": pl.String})
"""A failure: the position of the line, the column (null: the whole line), the rule as pandera names it, the cell."""
NOT_NULL, UNIQUE = "not_nullable", "field_uniqueness"

_NOWHERE = pl.Series(dtype=pl.UInt32)
_LINE = "*"
"""What pandera calls a whole line, where a rule is given a column."""


class _Asked:
    """What stands for the lines when a rule is asked what it wants of them: the expression comes back, unanswered."""

    def select(self, is_right: pl.Expr) -> pl.Expr:
        """The rule itself."""
        return is_right


class _Rule(NamedTuple):
    """One rule, over one column or over whole lines (None): `fails`, a mask without nulls, and the columns it reads.

    `holds`: whether no line fails it. Most rules fail nowhere, and that is sooner known than where.
    """

    column: str | None
    name: str
    fails: pl.Expr
    holds: pl.Expr
    reads: tuple[str, ...]
    asks_nulls: bool
    """Whether a null may fail it."""
    is_of_nulls: bool
    """Whether nulls fail it, and nothing else."""

    @classmethod
    def declared(cls, column: str, name: str, fails: pl.Expr) -> _Rule:
        """What a column declares of itself, without a check."""
        return cls(column, name, fails, fails.any().not_(), (column,), asks_nulls=True, is_of_nulls=name == NOT_NULL)

    @classmethod
    def of(cls, column: str | None, check: pa.Check) -> _Rule:
        """The rule that pandera builds. Raises `NotImplementedError` when it is no expression over columns."""
        backend: Any = check.get_backend(pl.LazyFrame())(check)
        asked: Any = _Asked()
        is_right = backend.check_fn(PolarsData(asked, column or _LINE))
        name, asks_nulls = str(check.error if check.error is not None else check.name), not check.ignore_na
        if check.element_wise or not isinstance(is_right, pl.Expr):
            raise NotImplementedError(f"the rule {name} is written in a way that is not checked")
        reads = tuple(sorted(set(is_right.meta.root_names())))
        fails = is_right.fill_null(not asks_nulls).not_()
        holds = fails.any().not_() if asks_nulls else is_right.all()  # nulls, which may not fail it, are passed over
        is_of_nulls = column is not None and is_right.meta.eq(pl.col(column).is_not_null())
        return cls(column, name, fails, holds, reads, asks_nulls, is_of_nulls)

    def may_fail(self, nulls: dict[str, int], lines: pl.DataFrame) -> bool:
        """Whether there is something to check: most columns of most files state nothing."""
        if self.column is None:
            return True
        if self.is_of_nulls:
            return nulls[self.column] > 0
        if self.name == UNIQUE:  # cells that differ by their hashes do
            return meeting(lines[self.column].hash()).len() > 0
        return self.asks_nulls or nulls[self.column] < lines.height

    def is_of_cells(self, schema: pl.Schema) -> bool:
        """Whether it looks at each cell of a text column alone, so that equal cells fare alike."""
        return self.reads == (self.column,) and self.name != UNIQUE and schema[self.reads[0]] == pl.String

    @property
    def is_of_combinations(self) -> bool:
        """Whether it looks at filled cells beside those of other columns: a code sought in the table of its level."""
        return self.column is not None and len(self.reads) > 1 and not self.asks_nulls


def failures(
    model: type[pa.DataFrameModel], lines: pl.DataFrame, *, known: Mapping[str, Distinct] = MappingProxyType({})
) -> pl.DataFrame:
    """What in `lines` fails the rules of `model`, in the shape of `FAILURES`: by column, by rule, by line.

    `known`: columns of which the distinct cells have been sought already.
    Raises `AssertionError` when `lines` has not exactly the columns of `model`: no cell could set that right.
    """
    schema = lines.schema
    if schema != polars_schema(model):
        raise AssertionError(f"not the columns of the contract: {lines.columns}")
    nulls = lines.null_count().row(0, named=True)
    stated = [rule for rule in _rules(model) if rule.may_fail(nulls, lines)]
    by_cell: dict[str, list[int]] = {}
    for rank, rule in enumerate(stated):
        if rule.is_of_cells(schema):
            by_cell.setdefault(rule.reads[0], []).append(rank)
    columns = {name: known.get(name) or Distinct.of(lines[name]) for name in by_cell}
    found: dict[int, pl.Series] = {}
    for name, ranks in by_cell.items():
        if columns[name].places is not None:
            cells = columns[name].cells.alias(name).to_frame()
            places = _failing([stated[rank] for rank in ranks], cells)
            found |= {rank: columns[name].where(own) for rank, own in zip(ranks, places, strict=True)}
    found |= {rank: _failing_combinations(rule, lines) for rank, rule in enumerate(stated) if rule.is_of_combinations}
    others = [rank for rank in range(len(stated)) if rank not in found]
    found |= dict(zip(others, _failing([stated[rank] for rank in others], lines), strict=True))
    return pl.concat([pl.DataFrame(schema=FAILURES), *_told(lines, ((r, found[n]) for n, r in enumerate(stated)))])


def _failing(rules: Sequence[_Rule], lines: pl.DataFrame) -> list[pl.Series]:
    """For each of `rules` the positions of the lines that fail it; all columns are gone through together."""
    held = lines.select(rule.holds.alias(str(rank)) for rank, rule in enumerate(rules)).row(0) if rules else ()
    return [
        _NOWHERE if holds else lines.select(rule.fails.arg_true()).to_series()
        for rule, holds in zip(rules, held, strict=True)
    ]


def _failing_combinations(rule: _Rule, lines: pl.DataFrame) -> pl.Series:
    """The positions of the lines that fail `rule`, worked out once for each combination of the cells that it reads."""
    stated = lines.select(rule.reads)
    combinations = stated.unique()
    wrong = combinations[_failing([rule], combinations)[0]]
    return stated.with_row_index().join(wrong, on=rule.reads, how="semi", nulls_equal=True)["index"].sort()


def _told(lines: pl.DataFrame, found: Iterable[tuple[_Rule, pl.Series]]) -> Iterable[pl.DataFrame]:
    for rule, places in found:
        if places.len():
            cells = pl.lit(None) if rule.column is None else lines[rule.column].gather(places)
            told = (pl.lit(rule.column).alias("column"), pl.lit(rule.name).alias("rule"), cells.alias("value"))
            yield places.alias("index").to_frame().with_columns(*told).cast(FAILURES)


@cache
def _rules(model: type[pa.DataFrameModel]) -> tuple[_Rule, ...]:
    """The rules of `model` in pandera's order: column by column, then those over whole lines.

    Raises `NotImplementedError` for a declaration that asks for more than rules.
    """
    schema, rules = model.to_schema(), []
    nothing = pl.LazyFrame(schema=polars_schema(model))
    for name, column in schema.columns.items():
        if column.regex or column.coerce or not column.required:
            raise NotImplementedError(f"{model.__name__}.{name} is declared in a way that is not checked")
        rules += [] if column.nullable else [_Rule.declared(name, NOT_NULL, pl.col(name).is_null())]
        rules += [_Rule.declared(name, UNIQUE, pl.col(name).is_duplicated())] if column.unique else []
        rules += [_Rule.of(name, check) for check in _ready(column.checks, nothing, name)]
    if schema.unique or schema.coerce or not schema.strict:
        raise NotImplementedError(f"{model.__name__} is declared in a way that is not checked")
    rules += [_Rule.of(None, check) for check in _ready(schema.checks, nothing, None)]
    return tuple(rules)


def _ready(checks: list[pa.Check], nothing: pl.LazyFrame, column: str | None) -> list[pa.Check]:
    """The same: pandera finds what a built-in check does with polars when it is first called."""
    for check in checks:
        check(nothing, column)
    return checks
