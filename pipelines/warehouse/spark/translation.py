"""A model's query in Spark's SQL, by sqlglot: the SQL file is the source, and what has no sure translation is refused.

Every rule of translation that sqlglot does not have is here. What Spark computes, and from what, is in `compute`.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from pipelines.warehouse.connection import MACROS

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = date | str | int | float | bool | None

BY_DUCKDB: Mapping[str, str] = {"slug": "string"}
"""Macros of one text that workers have DuckDB compute, and the Spark type they give: Spark takes off no accent, and its
lower case is Java's."""
_OWN = {"percentile"}
"""Functions of Spark that DuckDB does not have under that name, written here."""
_MOVED = "is_moved"
_MACRO = re.compile(r"^create temp macro (\w+)\(([^)]*)\)\s+as\s+(?!table)(.+?);", re.MULTILINE | re.DOTALL)


class UntranslatableError(ValueError):
    """A model that Spark cannot be given; the message names what has no translation."""


def translate(sql: str, *, name: str, variables: Mapping[str, Value] | None = None) -> str:
    """A DuckDB query in Spark's SQL, its macros expanded but those of `BY_DUCKDB`, its variables in full.

    Raises `UntranslatableError` when it holds what sqlglot would pass through as it is, or would lose without a word.
    """
    query = sqlglot.parse_one(sql, read="duckdb").transform(_expanded)
    for node in reversed(list(query.bfs())):  # what is inside first
        if (other := _respelled(node, variables or {})) is not node:
            node.replace(other)
    unknown = {call.name for call in query.find_all(exp.Anonymous)} - BY_DUCKDB.keys() - _OWN
    if lost := sorted(unknown | _lost(query)):
        raise UntranslatableError(f"{name}: no translation of {', '.join(lost)}")
    return str(query.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE))


@cache
def macros() -> Mapping[str, tuple[list[str], str]]:
    """The macros of the models that are one expression: their parameters and their body."""
    return {
        name: ([parameter.strip() for parameter in parameters.split(",") if parameter.strip()], body)
        for name, parameters, body in _MACRO.findall(MACROS.read_text(encoding="utf-8"))
    }


def _expanded(node: exp.Expression) -> exp.Expression:
    """A call of a macro replaced by the macro's body, its arguments in their place."""
    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    if name not in macros() or name in BY_DUCKDB:
        return node
    parameters, text = macros()[name]
    body = sqlglot.parse_one(text, read="duckdb")
    given = dict(zip(parameters, node.expressions, strict=True))

    def bound(inner: exp.Expression) -> exp.Expression:
        if isinstance(inner, exp.Column) and not inner.table and inner.name in given:
            return exp.paren(given[inner.name].copy())
        return inner

    return exp.paren(body.transform(bound).transform(_expanded))


def _respelled(node: exp.Expression, variables: Mapping[str, Value]) -> exp.Expression:
    """What Spark says otherwise and sqlglot does not know."""
    if isinstance(node, exp.Anonymous) and node.name.lower() == "row":
        return exp.Struct(expressions=node.expressions)
    if isinstance(node, exp.Anonymous) and node.name.lower() == "getvariable":
        return _literal(node, variables)
    if isinstance(node, exp.Grouping) and len(node.expressions) > 1:
        return _grouping(node.expressions)
    if isinstance(node, exp.PercentileCont):
        return exp.func("percentile", node.this, node.expression)
    if isinstance(node, exp.Bracket) and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Slice):
        return _part_of_text(node)
    if isinstance(node, exp.DataType) and node.this == exp.DataType.Type.INT128:
        return exp.DataType.build("decimal(38, 0)")
    if isinstance(node, exp.CTE):
        node.set("materialized", None)  # a hint for DuckDB
    if isinstance(node, exp.Select):
        columns = [one for column in node.expressions for one in _without_replace(column)]
        node.meta[_MOVED] = len(columns) > len(node.expressions)
        node.set("expressions", columns)
    return node


def _literal(call: exp.Anonymous, variables: Mapping[str, Value]) -> exp.Expression:
    """The value of the variable that is read; the call itself, to be refused, when there is none of that name."""
    name = call.expressions[0].name
    if name not in variables:
        return call
    literal = exp.convert(variables[name])
    # written alone, 0.9 is a decimal
    return exp.cast(literal, "double") if isinstance(variables[name], float) else literal


def _grouping(columns: list[exp.Expression]) -> exp.Expression:
    """A bit for each column, the last the smallest: Spark's own function wants all the columns of the groups."""
    bits = [f"grouping({column.sql(dialect='duckdb')}) * {2**place}" for place, column in enumerate(reversed(columns))]
    return sqlglot.parse_one(f"({' + '.join(reversed(bits))})", read="duckdb")


def _part_of_text(node: exp.Bracket) -> exp.Expression:
    """`code[3:7]` as `substring(code, 3, 5)`, which Spark refuses of a list; bounds to be computed are refused."""
    first, last = node.expressions[0].this, node.expressions[0].expression
    if not (isinstance(first, exp.Literal) and isinstance(last, exp.Literal)):
        return node
    return exp.Substring(this=node.this, start=first, length=exp.Literal.number(int(last.name) - int(first.name) + 1))


def _without_replace(column: exp.Expression) -> list[exp.Expression]:
    """`* replace (a as b)` as `* except (b), a as b`: the columns of a table are known by their names alone."""
    star = column.this if isinstance(column, exp.Column) else column
    if not isinstance(star, exp.Star) or not star.args.get("replace"):
        return [column]
    replaced = star.args["replace"]
    star.set("except_", [*(star.args.get("except_") or []), *(exp.to_identifier(one.alias) for one in replaced)])
    star.set("replace", None)
    return [column, *replaced]


def _lost(query: exp.Expression) -> set[str]:
    """What sqlglot writes for Spark with another meaning, and no warning."""
    found = {
        "regexp_replace of the first match only"
        for call in query.find_all(exp.RegexpReplace)
        if "g" not in call.text("modifiers")
    }
    found |= {"union by name" for union in query.find_all(exp.SetOperation) if union.args.get("by_name")}
    found |= {"a slice" for each in query.find_all(exp.Slice)}
    if _unites_moved_columns(query):
        found.add("a union of columns whose order changes")
    found |= {"an ordered list" for each in query.find_all(exp.ArrayAgg) if isinstance(each.this, exp.Order)}
    return found


def _unites_moved_columns(query: exp.Expression) -> bool:
    """Whether columns that are not written, and that Spark has in another order, go into a union, which is by place."""
    last = query.copy()
    last.set("with_", None)
    are_moved = False
    for part in [*(cte.this for cte in query.ctes), last]:  # each reads those before it
        are_moved = are_moved or any(map(_moves_columns, part.find_all(exp.Select)))
        if are_moved and any(map(_has_star, part.find_all(exp.SetOperation))):
            return True
    return False


def _has_star(union: exp.SetOperation) -> bool:
    """Whether the columns of one of its sides are not written."""
    return any(isinstance(side, exp.Select) and side.is_star for side in (union.left, union.right))


def _moves_columns(query: exp.Select) -> bool:
    """Whether a star of its gives columns in another order on Spark, which puts those of `using` first.

    What it replaces is written last there.
    """
    shared = {column.name for join in query.args.get("joins") or [] for column in join.args.get("using") or []}
    stars = [star for column in query.expressions for star in (column, column.this) if isinstance(star, exp.Star)]
    return bool(query.meta.get(_MOVED)) or any(
        shared - {column.name for column in star.args.get("except_") or []} for star in stars
    )
