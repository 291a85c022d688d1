"""`funding.duckdb`: every model computed from current staging, checked, and swapped in at once.

Readers never wait and never see half of it. Nothing here knows what a table contains: that is in `models/`.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

import schemas
from pipelines.warehouse import comments, run_changes, themes, wordings
from pipelines.warehouse.connection import opened, run, set_variables, written_aside
from pipelines.warehouse.graph import Check, Model, checks, downstream, models, with_temporary
from pipelines.warehouse.inputs import Inputs, register
from pipelines.warehouse.linking import registers, tables
from pipelines.warehouse.run_changes import RunChanges
from schemas.source import source_hash

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    import polars as pl

__all__ = ["BlockedBuild", "BuildResult", "CheckResult", "Inputs", "Model", "build", "models"]

SAMPLE = 20  # offenders kept of each check


@dataclass(frozen=True)
class CheckResult:
    """What one check found: how many offenders, and the first of them."""

    check: Check
    n_offenders: int
    sample: pl.DataFrame

    @property
    def is_passed(self) -> bool:
        """True without offenders."""
        return self.n_offenders == 0


@dataclass
class BuildResult:
    """Rows of every table, seconds of every model built now and of other steps, what checks found, and what changed."""

    rows: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    steps: dict[str, float] = field(default_factory=dict)
    checks: list[CheckResult] = field(default_factory=list)
    total_seconds: float = 0.0
    changes: RunChanges = field(default_factory=RunChanges)

    @property
    def blocking(self) -> list[CheckResult]:
        """The blocking checks that found offenders."""
        return [result for result in self.checks if result.check.is_blocking and not result.is_passed]


class BlockedBuild(RuntimeError):  # noqa: N818 - a state of the data, not a fault of the program
    """A blocking check found offenders: the former database stays in place. `result` holds what was found."""

    def __init__(self, result: BuildResult) -> None:
        found = " ; ".join(f"{r.check.description} ({r.n_offenders})" for r in result.blocking)
        super().__init__(f"Contrôles bloquants : {found}")
        self.result = result


def build(inputs: Inputs, target: Path, *, select: Collection[str] | None = None) -> BuildResult:
    """Build `target` from `inputs`, aside, and swap it in.

    `select` rebuilds only these models and all that depends on them, in a copy of the current file; the whole is built
    when there is no current file. A whole build from the very inputs and code that `target` was made from leaves it
    and only checks it. Raises `BlockedBuild`, `target` untouched, when a blocking check has offenders; `KeyError` when
    `select` names no model.
    """
    started = time.perf_counter()
    graph = models()
    mark, wanted = _mark_beside(target), _recipe(inputs)
    if select is None and (standing := _as_it_stands(inputs, target, wanted)) is not None:
        standing.total_seconds = time.perf_counter() - started
        return standing
    mark.unlink(missing_ok=True)
    if select is not None and (unknown := set(select) - {model.name for model in graph}):
        raise KeyError(f"no such model: {', '.join(sorted(unknown))}")
    is_partial = select is not None and target.exists()
    chosen = downstream(select or (), graph=graph) if is_partial else {model.name for model in graph}
    chosen = with_temporary(chosen, graph=graph)
    result = BuildResult()
    with written_aside(target, start_from=target if is_partial else None) as connection:
        set_variables(connection, as_of=inputs.as_of, publication=inputs.publication)
        register(connection, inputs)
        if any(themes.TEXTS in model.reads for model in graph if model.name in chosen):
            with _timed(result, "themes"):
                themes.register(connection)
        run(connection, "BEGIN")
        _drop_unknown(connection, graph)
        _make(connection, [model for model in graph if model.name in chosen], graph, inputs, result)
        with _timed(result, "comments"):
            comments.write(connection, graph)
            run(connection, "COMMIT")
        result.rows = count_rows(connection)
        with _timed(result, "checks"):
            result.checks = [_offenders(connection, check) for check in checks()]
        result.total_seconds = time.perf_counter() - started
        if result.blocking:
            raise BlockedBuild(result)
        with _timed(result, "changes"):
            result.changes = run_changes.compare(connection, target)
    if not is_partial:
        mark.write_text(_mark(wanted, target), encoding="utf-8")
    result.total_seconds = time.perf_counter() - started
    return result


def _make(
    connection: duckdb.DuckDBPyConnection,
    ahead: list[Model],
    graph: tuple[Model, ...],
    inputs: Inputs,
    result: BuildResult,
) -> None:
    """Compute the models `ahead`, in order, and before the first of them that reads it, what is not told in SQL."""
    decisions, registered = inputs.organisation_decisions, inputs.registers
    asked = {
        tables.PREFIX: (
            "linking",
            partial(tables.register, connection, registers=registered, decisions=decisions),
        ),
        wordings.NEAR: ("wordings", partial(wordings.register, connection)),
    }
    while ahead:
        model = ahead.pop(0)
        for prefix in [prefix for prefix in asked if any(name.startswith(prefix) for name in model.reads)]:
            step, make = asked.pop(prefix)
            with _timed(result, step):
                make()
        moment = time.perf_counter()
        create(connection, model)
        result.seconds[model.name] = time.perf_counter() - moment
        _drop_spent(connection, model, graph, ahead)


@contextmanager
def _timed(result: BuildResult, step: str) -> Iterator[None]:
    """Write down how long a step takes."""
    moment = time.perf_counter()
    yield
    result.steps[step] = time.perf_counter() - moment


def is_made_from(inputs: Inputs, target: Path) -> bool:
    """Whether `target` was built whole from these inputs, on their date, by this code, and nobody changed it since."""
    return _is_marked(target, _recipe(inputs))


def _is_marked(target: Path, wanted: str) -> bool:
    mark = _mark_beside(target)
    return target.is_file() and mark.is_file() and mark.read_bytes() == _mark(wanted, target).encode()


def _mark_beside(target: Path) -> Path:
    return target.with_name(f"{target.name}.made-from")


def _as_it_stands(inputs: Inputs, target: Path, wanted: str) -> BuildResult | None:
    """What `target` holds, checked again, when it was made from what is `wanted`; None when it is to be built."""
    if not _is_marked(target, wanted):
        return None
    try:
        with opened(target) as connection:
            set_variables(connection, as_of=inputs.as_of, publication=inputs.publication)
            register(connection, inputs)
            result = BuildResult(rows=count_rows(connection))
            result.checks = [_offenders(connection, check) for check in checks()]
    except duckdb.Error:  # another version's file is built again
        return None
    return None if result.blocking else result


def _mark(recipe: str, target: Path) -> str:
    """What the file `target` was made from and what it holds: one that a disk or a hand changed is built again."""
    with target.open("rb") as file:
        return f"{recipe} {hashlib.file_digest(file, 'sha256').hexdigest()}"


def _recipe(inputs: Inputs) -> str:
    """A hash of everything a build depends on: staging folders (immutable), what is said of them, the code."""
    digest = hashlib.sha256(repr((inputs.as_of, inputs.publication)).encode())
    digest.update(repr(sorted((deposit, folder.name) for deposit, folder in inputs.stagings)).encode())
    said = (inputs.deposits, inputs.versions, inputs.funder_declarations, inputs.line_decisions)
    for frame in (*said, inputs.deliveries, inputs.rhythms, inputs.reminders):
        digest.update(frame.write_json().encode())
    for path in registers.files(inputs.registers):
        state = path.stat()
        digest.update(repr((path.name, state.st_size, state.st_mtime_ns)).encode())
    if inputs.organisation_decisions is not None:
        digest.update(inputs.organisation_decisions.read_bytes())
    digest.update(inputs.twins.hash_rows().to_numpy().tobytes())
    digest.update(source_hash(Path(__file__).parent, Path(schemas.__file__).parent).encode())
    return digest.hexdigest()


def create(connection: duckdb.DuckDBPyConnection, model: Model) -> None:
    """Compute one model into its table. Raises `duckdb.Error` with the model's name."""
    kind = ("TEMP " if model.is_temporary else "") + ("VIEW" if model.is_view else "TABLE")
    try:
        run(connection, f'CREATE OR REPLACE {kind} "{model.name}" AS {model.sql}')
    except Exception as error:
        error.add_note(f"model: {model.name}.sql")
        raise


def count_rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The number of rows of every table of the current database, by name."""
    names = [
        row[0]
        for row in run(
            connection, "SELECT table_name FROM duckdb_tables() WHERE database_name = 'warehouse' ORDER BY 1"
        )
    ]
    return {name: int(run(connection, f'SELECT count(*) FROM "{name}"')[0][0]) for name in names}


def _drop_spent(
    connection: duckdb.DuckDBPyConnection, model: Model, graph: Sequence[Model], ahead: list[Model]
) -> None:
    """Temporary tables that `model` was the last to read leave the memory."""
    temporary = {other.name for other in graph if other.is_temporary}
    for name in temporary.intersection(model.depends_on).difference(*(later.depends_on for later in ahead)):
        run(connection, f'DROP TABLE temp."{name}"')


def _drop_unknown(connection: duckdb.DuckDBPyConnection, graph: Sequence[Model]) -> None:
    """Tables whose model is gone, or is kept no more, leave the copied file."""
    for name in set(count_rows(connection)) - {model.name for model in graph if not model.is_temporary}:
        run(connection, f'DROP TABLE "{name}"')


def _offenders(connection: duckdb.DuckDBPyConnection, check: Check) -> CheckResult:
    try:
        offenders: pl.DataFrame = connection.sql(check.sql).pl()
    except Exception as error:
        error.add_note(f"check: {check.name}.sql")
        raise
    return CheckResult(check, offenders.height, offenders.head(SAMPLE))
