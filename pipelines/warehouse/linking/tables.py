"""The step between staging and the models: `resolved_…` frames, computed from what `organisation_mentions` says."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.warehouse.linking.model import load_model
from pipelines.warehouse.linking.names import forget_words
from pipelines.warehouse.linking.registers import read_registers
from pipelines.warehouse.linking.resolve import resolve
from schemas.decisions import ORGANISATIONS, load_decisions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb
    import polars as pl

PREFIX = "resolved_"
_READ = """
select
    organisation_key, siren, rna, local_id, name, kind, funder_id, funder_departement_code, commune_code,
    departement_code, n_lines
from organisation_mentions
where split_part(organisation_key, ':', 1) in ('siren', 'rna', 'local', 'name')
"""


def register(connection: duckdb.DuckDBPyConnection, *, registers: Path | None, decisions: Path | None) -> None:
    """Make the identities readable by models: the frames of `Resolved`, and what registers say, as `resolved_…` tables.

    `registers`: the folder of official stock files. `decisions`: the file of decisions (the project's own by default).
    Raises `DecisionsError` and `RegisterError`, whose messages name the file.
    """
    with _let_go_at_once():
        frames = _frames(connection, registers, decisions)
    for name, frame in frames.items():
        connection.register(f"{PREFIX}{name}", frame)


def _frames(
    connection: duckdb.DuckDBPyConnection, registers: Path | None, decisions: Path | None
) -> dict[str, pl.DataFrame]:
    """The frames of `Resolved`, and what registers say."""
    mentions = connection.sql(_READ).pl()
    numbers = {name: mentions[name].drop_nulls().unique().sort().to_list() for name in ("siren", "rna")}
    known = read_registers(registers, sirens=numbers["siren"], rnas=numbers["rna"])
    resolved = resolve(
        mentions,
        load_model(),
        decisions=load_decisions(ORGANISATIONS if decisions is None else decisions),
        registered=known.drop_nulls("other_key").select("organisation_key", "other_key").iter_rows(),
    )
    return {**vars(resolved), "register": known}


@contextmanager
def _let_go_at_once() -> Iterator[None]:
    """Without Python's search for cycles: it walks the millions of small objects that names make. All go at the end."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
        forget_words()
        gc.collect()
