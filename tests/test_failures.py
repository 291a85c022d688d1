"""What fails a contract is what pandera says fails it, told in one pass."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from typing import Any

import pandera.errors
import pandera.polars as pa
import polars as pl
import pytest

from schemas.contract import field, polars_schema
from schemas.contracts import CONTRACTS
from schemas.failures import FAILURES, NOT_NULL, UNIQUE, failures
from schemas.scdl import Scdl

MODELS = {**CONTRACTS, "scdl": Scdl}
CELLS: dict[Any, list[object]] = {
    pl.String: [
        *("x", "12345", "", "34172", "213401722", "21340172200011", "21340172200012", "W123456789", "awarded"),
        *("refused", "in_kind", "2024-02-31", "2024-02-28", "1.5", "0.5", "oui", "aide en nature", "commune"),
        *("a" * 300, "contact@ville.fr", "natural", "EUR", "legal", "-3"),
    ],
    pl.Int32: [1, 2020, 3000],
    pl.Date: [date(1800, 1, 1), date(2020, 1, 1), date(2021, 1, 1), date(2200, 1, 1)],
    pl.Boolean: [True, False],
    pl.Decimal: [Decimal(5), Decimal(-5), Decimal("0.5"), Decimal(0)],
}  # fmt: skip


def told_by_pandera(model: type[pa.DataFrameModel], lines: pl.DataFrame) -> list[tuple[object, ...]]:
    try:
        model.validate(lines, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        of_line = pl.col("schema_context") == "DataFrameSchema"
        cases = errors.failure_cases.select(
            "index", pl.when(~of_line).then("column"), "check", pl.when(~of_line).then("failure_case")
        )
        return cases.rows()
    return []


def any_lines(model: type[pa.DataFrameModel], chance: random.Random, *, height: int, stated: float) -> pl.DataFrame:
    columns = {}
    for name, dtype in polars_schema(model).items():
        is_stated, few = chance.random() < stated, chance.random() < 0.3
        kinds = [None, *CELLS[dtype.base_type()]] if few else CELLS[dtype.base_type()]
        cells = [chance.choice(kinds) if is_stated else None for _ in range(height)]
        columns[name] = pl.Series(cells, dtype=pl.String if dtype == pl.String else dtype)
    return pl.DataFrame(columns)


@pytest.mark.parametrize("name", MODELS)
def test_the_failures_are_those_that_pandera_tells_in_its_order(name: str) -> None:
    model, chance = MODELS[name], random.Random(7)
    met: set[object] = set()
    for height, stated in ((0, 1), (1, 0), (1, 1), (4, 0.4), (4, 0.8), (30, 0.1), (30, 0.5), (30, 1)):
        lines = any_lines(model, chance, height=height, stated=stated)
        found = failures(model, lines)
        assert found.schema == FAILURES
        assert found.rows() == told_by_pandera(model, lines)
        met |= {(column, rule) for _, column, rule, _ in found.iter_rows()}
    declared = {
        (name, str(check.error or check.name))
        for name, column in model.to_schema().columns.items()
        for check in column.checks
    }
    assert len(met & declared) > 0.7 * len(declared)


@pytest.mark.parametrize("name", MODELS)
def test_cells_repeated_over_many_lines_fail_as_each_of_them_would(name: str) -> None:
    model = MODELS[name]
    lines = any_lines(model, random.Random(8), height=12_000, stated=0.8)
    of_columns = failures(model, lines).filter(pl.col("rule") != UNIQUE)
    parts = [
        failures(model, lines.slice(start, 1_000)).with_columns(pl.col("index") + pl.lit(start, pl.UInt32))
        for start in range(0, lines.height, 1_000)
    ]
    key = ["column", "rule", "index"]
    assert of_columns.height > 1_000
    assert of_columns.sort(key).equals(pl.concat(parts).filter(pl.col("rule") != UNIQUE).sort(key))


def test_a_rule_that_is_no_expression_is_refused() -> None:
    class Own(pa.DataFrameModel):
        key: pl.String = pa.Field()

        class Config:
            strict = True

        @pa.check("key", element_wise=True)
        def filled(cls, cell: str) -> bool:
            return bool(cell)

    with pytest.raises(NotImplementedError, match="not checked"):
        failures(Own, pl.DataFrame({"key": ["a"]}))


def test_what_a_column_declares_of_itself_is_checked() -> None:
    class Own(pa.DataFrameModel):
        key: pl.String = pa.Field(unique=True, nullable=False)

        class Config:
            strict = True

    lines = pl.DataFrame({"key": ["a", None, "b", "a"]})
    assert failures(Own, lines).rows() == [
        (1, "key", NOT_NULL, None), (0, "key", UNIQUE, "a"), (3, "key", UNIQUE, "a")
    ] == told_by_pandera(Own, lines)  # fmt: skip


def test_a_frame_of_other_columns_is_a_defect() -> None:
    with pytest.raises(AssertionError, match="not the columns of the contract"):
        failures(Scdl, pl.DataFrame({"objet": ["x"]}))
    with pytest.raises(AssertionError, match="not the columns of the contract"):
        failures(Scdl, pl.DataFrame({name: [1] for name in polars_schema(Scdl)}))


def test_a_declaration_that_would_go_unchecked_is_refused() -> None:
    class Coerced(pa.DataFrameModel):
        key: pl.String = pa.Field(coerce=True)

        class Config:
            strict = True

    class Loose(pa.DataFrameModel):
        key: pl.String = field("Clé", "Une clé.")

    for model in (Coerced, Loose):
        with pytest.raises(NotImplementedError, match="not checked"):
            failures(model, pl.DataFrame({"key": ["a"]}))
