"""Models as files: one table per `.sql`, its description in the first comment, its dependencies read from its query.

Nothing is registered by hand: adding a table is adding a file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.warehouse.connection import run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

HERE = Path(__file__).parent
MODELS = HERE / "models"
CHECKS = MODELS / "checks"
PUBLIC = HERE / "public"
WORKING = "working"  # the folder, beside those that are kept, of models that no file keeps
FUNDING_CATALOG = "funding"
_VIEW = "view: yes"


class ModelError(ValueError):
    """A model file that cannot be used; the message names it."""


@dataclass(frozen=True)
class Model:
    """One table.

    `depends_on`: the models it reads, sorted. `reads`: what else it reads (given frames, codelists, `funding.` tables).
    `is_temporary`: computed on the way, kept in no file. `is_view`: not computed at all, but read through; its comment
    says « -- view: yes ».
    """

    name: str
    description: str
    depends_on: tuple[str, ...]
    sql: str
    reads: tuple[str, ...] = ()
    is_temporary: bool = False
    is_view: bool = False


@dataclass(frozen=True)
class Check:
    """One query that selects offenders: no row is a pass. A blocking check keeps the database from being swapped in."""

    name: str
    description: str
    is_blocking: bool
    sql: str


@cache
def models() -> tuple[Model, ...]:
    """The models of `funding.duckdb`, each after those it depends on; the temporary ones stay out of it."""
    return _load(MODELS)


@cache
def public_models() -> tuple[Model, ...]:
    """The models of `public.duckdb` in the same order; the temporary ones stay out of it."""
    return _load(PUBLIC)


@cache
def checks() -> tuple[Check, ...]:
    """The checks of `funding.duckdb`, in alphabetical order."""
    found = []
    for path in sorted(CHECKS.glob("*.sql")):
        lines, sql = _header(path)
        blocking = [line.removeprefix("blocking:").strip() for line in lines if line.startswith("blocking:")]
        if blocking not in (["yes"], ["no"]):
            raise ModelError(f"{path.name}: a check says « -- blocking: yes » or « -- blocking: no », once")
        description = " ".join(line for line in lines if not line.startswith("blocking:"))
        found.append(Check(path.stem, description, blocking == ["yes"], sql))
    return tuple(found)


def downstream(selected: Collection[str], *, graph: Iterable[Model]) -> set[str]:
    """`selected` and every model that depends on one of them. `graph` is in dependency order."""
    reached = set(selected)
    for model in graph:
        if reached.intersection(model.depends_on):
            reached.add(model.name)
    return reached


def with_temporary(selected: Collection[str], *, graph: Sequence[Model]) -> set[str]:
    """`selected` and the temporary models that they read, directly or through others: no file keeps what these hold."""
    temporary = {model.name for model in graph if model.is_temporary}
    wanted = set(selected)
    for model in reversed(graph):
        if model.name in wanted:
            wanted |= temporary.intersection(model.depends_on)
    return wanted


def kept_upstream(model: Model, *, graph: Iterable[Model]) -> tuple[set[str], set[str]]:
    """What `model` depends on, and what else it reads, when temporary models are counted as part of it."""
    temporary = {other.name: other for other in graph if other.is_temporary}
    depends_on, reads = set(model.depends_on), set(model.reads)
    while passed := depends_on & temporary.keys():
        depends_on -= passed
        for name in passed:
            depends_on |= set(temporary[name].depends_on)
            reads |= set(temporary[name].reads)
    return depends_on, reads


def _load(folder: Path) -> tuple[Model, ...]:
    files = [(path, False) for path in sorted(folder.glob("*.sql"))]
    files += [(path, True) for path in sorted((folder / WORKING).glob("*.sql"))]
    names = {path.stem for path, _ in files}
    found = {}
    with duckdb.connect(":memory:") as connection:
        for path, is_temporary in files:
            lines, sql = _header(path)
            description = [line for line in lines if line != _VIEW]
            tables = _tables(connection, path.name, sql)
            found[path.stem] = Model(
                name=path.stem,
                description=" ".join(description),
                depends_on=tuple(sorted(tables & names)),
                sql=sql,
                reads=tuple(sorted(tables - names)),
                is_temporary=is_temporary,
                is_view=_VIEW in lines,
            )
    TopologicalSorter({name: model.depends_on for name, model in found.items()}).prepare()  # raises on a cycle
    ordered: dict[str, Model] = {}
    for name in sorted(found):
        _place(name, found, ordered)
    return tuple(ordered.values())


def _place(name: str, found: Mapping[str, Model], ordered: dict[str, Model]) -> None:
    """Put a model right after those it depends on that no other needed before: what is temporary lives short."""
    if name not in ordered:
        for other in found[name].depends_on:
            _place(other, found, ordered)
        ordered[name] = found[name]


def _header(path: Path) -> tuple[list[str], str]:
    """The lines of the first comment, and the query without its final semicolon."""
    text = path.read_text(encoding="utf-8")
    comment = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        comment.append(line.removeprefix("--").strip())
    if not comment:
        raise ModelError(f"{path.name}: the first line is a comment that describes the table")
    return comment, text.strip().removesuffix(";")


def _tables(connection: duckdb.DuckDBPyConnection, name: str, sql: str) -> set[str]:
    """The tables a query reads, without its own CTEs; those of the attached database as `funding.name`."""
    serialised = json.loads(run(connection, "SELECT json_serialize_sql($1)", [sql])[0][0])
    if serialised["error"]:
        raise ModelError(f"{name}: {serialised['error_message']}")
    tables: set[str] = set()
    ctes: set[str] = set()
    _walk(serialised["statements"], tables, ctes)
    return tables - ctes


def _walk(node: Any, tables: set[str], ctes: set[str]) -> None:
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE":
            schema = node.get("schema_name")
            tables.add(f"{schema}.{node['table_name']}" if schema == FUNDING_CATALOG else node["table_name"])
        for key, value in node.items():
            if key == "cte_map":
                ctes.update(entry["key"] for entry in value["map"])
            _walk(value, tables, ctes)
    elif isinstance(node, list):
        for value in node:
            _walk(value, tables, ctes)
