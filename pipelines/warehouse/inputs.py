"""What the warehouse is built from: staging folders, and what the ledger says of the deposits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse.connection import quoted, run
from schemas import codelist, territory
from schemas.application import Application
from schemas.contract import describe, polars_schema
from schemas.contracts import CONTRACTS, others, staged_name
from schemas.issues import issue_kinds
from schemas.publication import Publication, load_publication
from schemas.service_names import service_names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    import duckdb

DEPOSITS = pl.Schema({
    "deposit_id": pl.String(), "depositor": pl.String(), "file_name": pl.String(), "relative_path": pl.String(),
    "sha256": pl.String(), "size_bytes": pl.Int64(), "received_at": pl.Datetime("us"), "source_updated_at": pl.Date(),
    "format_id": pl.String(), "recognised_by": pl.String(), "status": pl.String(), "is_current": pl.Boolean(),
    "is_demonstration": pl.Boolean(), "rows_read": pl.Int64(), "rows_accepted": pl.Int64(), "rows_rejected": pl.Int64(),
    "rows_ignored": pl.Int64(), "issues_error": pl.Int64(), "issues_warning": pl.Int64(), "issues_info": pl.Int64(),
    "awaits": pl.String(), "message": pl.String(), "receipt": pl.String(),
})  # fmt: skip
VERSIONS = pl.Schema({
    "deposit_id": pl.String, "fiscal_year": pl.Int32, "is_counted": pl.Boolean, "reason": pl.String,
    "other_deposit_id": pl.String, "lines": pl.Int64, "lines_matched": pl.Int64, "shared": pl.Float64,
    "decided_by": pl.String,
})  # fmt: skip
TWINS = pl.Schema({
    "line_id": pl.String(), "deposit_id": pl.String(), "other_line_id": pl.String(), "other_deposit_id": pl.String(),
    "fiscal_year": pl.Int32(), "stage": pl.String(), "rule": pl.String(), "likeness": pl.Float64(),
    "is_sure": pl.Boolean(), "line_key": pl.String(), "other_line_key": pl.String(), "decision_line": pl.Int32(),
})  # fmt: skip
LINE_DECISIONS = pl.Schema({
    "line": pl.Int32(), "left_key": pl.String(), "right_key": pl.String(), "decision": pl.String(),
    "author": pl.String(), "reason": pl.String(), "decided_date": pl.Date(), "is_applied": pl.Boolean(),
    "problem": pl.String(),
})  # fmt: skip
DELIVERIES = pl.Schema({
    "depositor": pl.String(), "fiscal_year": pl.Int32(), "delivered_date": pl.Date(), "closed_date": pl.Date(),
    "date_basis": pl.String(), "is_observed": pl.Boolean(),
})  # fmt: skip
RHYTHMS = pl.Schema({
    "depositor": pl.String(), "last_year": pl.Int32(), "last_delivered_date": pl.Date(), "n_observations": pl.Int32(),
    "median_lag": pl.Int32(), "longest_lag": pl.Int32(), "next_year": pl.Int32(), "expected_date": pl.Date(),
    "due_date": pl.Date(), "is_late": pl.Boolean(),
})  # fmt: skip
REMINDERS = pl.Schema({
    "depositor": pl.String(), "fiscal_year": pl.Int32(), "reason": pl.String(), "due_date": pl.Date(),
    "due_basis": pl.String(), "n_days_late": pl.Int32(),
})  # fmt: skip
DECLARATIONS = pl.Schema({
    "depositor": pl.String, "funder_name": pl.String, "funder_siren": pl.String, "funder_level": pl.String,
    "publishes_refusals": pl.Boolean, "service_name": pl.String, "fiscal_year": pl.Int32,
    "publication_threshold": pl.Int64, "publication_scope": pl.String, "scheme": pl.String, "budget": pl.String,
    "budget_source": pl.String,
})  # fmt: skip
REJECTIONS = pl.Schema({"sheet": pl.String, "row": pl.Int32, "reasons": pl.String, "raw": pl.String})
ISSUES = pl.Schema({
    "sheet": pl.String, "row": pl.Int32, "column_letter": pl.String, "field": pl.String, "value": pl.String,
    "code": pl.String, "severity": pl.String, "message": pl.String,
})  # fmt: skip
_MANY = 100  # files
_MANY_BYTES = 32_000_000  # of theirs in all: some 500 000 lines, which memory holds with ease


@dataclass(frozen=True)
class Inputs:
    """Everything a build reads.

    `stagings`: (deposit_id, staging folder) of each staged deposit, in any order. `deposits`, `versions`,
    `funder_declarations`, `twins` (lines that two depositors report), `line_decisions` (what people decided of such
    lines, followed or not), `deliveries`, `rhythms` and `reminders` (when depositors bring their years): frames of the
    schemas above (columns in any order). `as_of`: the date of reference.
    `registers`: the folder of official stock files, if any. `organisation_decisions`: another file of decisions than
    the project's own.
    """

    stagings: Sequence[tuple[str, Path]]
    deposits: pl.DataFrame
    versions: pl.DataFrame
    funder_declarations: pl.DataFrame
    as_of: date
    twins: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TWINS))
    line_decisions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LINE_DECISIONS))
    deliveries: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DELIVERIES))
    rhythms: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=RHYTHMS))
    reminders: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REMINDERS))
    publication: Publication = field(default_factory=load_publication)
    registers: Path | None = None
    organisation_decisions: Path | None = None


def register(connection: duckdb.DuckDBPyConnection, inputs: Inputs) -> None:
    """Make the inputs readable by models: `given_…` frames, `staged_…` files, `codelist_…` and `reference_…` tables.

    Raises `polars.exceptions.PolarsError` when a frame lacks a column or holds another type.
    """
    for name, frame, schema in (
        ("given_deposits", inputs.deposits, DEPOSITS),
        ("given_versions", inputs.versions, VERSIONS),
        ("given_declarations", inputs.funder_declarations, DECLARATIONS),
        ("given_twins", inputs.twins, TWINS),
        ("given_line_decisions", inputs.line_decisions, LINE_DECISIONS),
        ("given_deliveries", inputs.deliveries, DELIVERIES),
        ("given_rhythms", inputs.rhythms, RHYTHMS),
        ("given_reminders", inputs.reminders, REMINDERS),
    ):
        connection.register(name, frame.select(pl.col(column).cast(dtype) for column, dtype in schema.items()))
    stagings = sorted(inputs.stagings)
    _applications(connection, [folder / "accepted.parquet" for _, folder in stagings])
    _register_others(connection, stagings)
    _view(connection, "staged_rejections", [(d, f / "rejected.parquet") for d, f in stagings], REJECTIONS)
    _view(connection, "staged_issues", [(d, f / "issues.parquet") for d, f in stagings], ISSUES)
    register_contracts(connection)
    for name, frame in territory.tables().items():
        connection.register(f"reference_{name}", frame)
    connection.register("reference_vintage", pl.DataFrame({"year": [territory.vintages().current]}))


def _applications(connection: duckdb.DuckDBPyConnection, files: list[Path]) -> None:
    """The accepted applications: each file holds the columns that it fills, the contract says the others."""
    schema = polars_schema(Application)
    if _are_many_small(files):
        connection.register(
            "staged_applications", pl.scan_parquet(files, schema=schema, missing_columns="insert").collect()
        )
        return
    connection.register("no_application", pl.DataFrame(schema=schema))
    paths = ", ".join(map(quoted, files))
    lines = f"FROM read_parquet([{paths}], union_by_name = true, hive_partitioning = false)"
    staged = f"UNION ALL BY NAME SELECT * {lines}" if files else ""
    run(connection, f"CREATE TEMP VIEW staged_applications AS SELECT * FROM no_application {staged}")


def _are_many_small(files: list[Path]) -> bool:
    """Whether opening `files`, which ten models do, costs more than what they hold: they are then read once, by Polars.

    It opens a thousand in a third of a second; DuckDB, in a second and a half.
    """
    return len(files) > _MANY and sum(file.stat().st_size for file in files) <= _MANY_BYTES


def _register_others(connection: duckdb.DuckDBPyConnection, stagings: list[tuple[str, Path]]) -> None:
    """The lines of the contracts besides `application`: a view each, and all their rows in `staged_other_rows`."""
    names = []
    for contract in others():
        files = [(d, f / f"{staged_name(contract)}.parquet") for d, f in stagings]
        names.append(f"staged_{staged_name(contract)}")
        own = [(deposit, path) for deposit, path in files if path.is_file()]
        _view(connection, names[-1], own, polars_schema(CONTRACTS[contract]), has_deposit=True)
    rows = " UNION ".join(f"SELECT deposit_id, source_sheet, source_row FROM {name}" for name in names)
    run(connection, f"CREATE TEMP VIEW staged_other_rows AS {rows}")


def register_contracts(connection: duckdb.DuckDBPyConnection) -> None:
    """Codelists, kinds of problems, names of services settled by hand and the contract's fields, as tables of text."""
    for name in codelist.names():
        connection.register(f"codelist_{name}", pl.DataFrame(codelist.rows(name), infer_schema_length=None))
    kinds = [kind.model_dump(exclude={"effect"}) for kind in issue_kinds().values()]
    connection.register("contract_issues", pl.DataFrame(kinds))
    connection.register("lookup_service_names", service_names())
    fields = describe(Application).values()
    connection.register(
        "contract_fields", pl.DataFrame({"name": [f.name for f in fields], "title": [f.title for f in fields]})
    )


def _view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    files: list[tuple[str, Path]],
    schema: pl.Schema,
    *,
    has_deposit: bool = False,
) -> None:
    """A view on staged Parquet files; their deposit is a column of theirs, or is told by the file."""
    if not files:
        empty = schema if has_deposit else pl.Schema({"deposit_id": pl.String(), **schema})
        connection.register(name, pl.DataFrame(schema=empty))
        return
    paths = ", ".join(quoted(path) for _, path in files)
    if has_deposit:
        run(connection, f"CREATE TEMP VIEW {name} AS SELECT * FROM read_parquet([{paths}], hive_partitioning = false)")
        return
    connection.register(
        f"{name}_files", pl.DataFrame({"deposit_id": [d for d, _ in files], "filename": [str(p) for _, p in files]})
    )
    run(
        connection,
        f"CREATE TEMP VIEW {name} AS SELECT files.deposit_id, lines.* EXCLUDE (filename) "
        f"FROM read_parquet([{paths}], filename = true, hive_partitioning = false) AS lines "
        f"JOIN {name}_files AS files USING (filename)",
    )
