"""The step between staging and the models: `resolved_…` frames, computed from what `organisation_mentions` says."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.warehouse.linking.model import load_model
from pipelines.warehouse.linking.registers import read_registers
from pipelines.warehouse.linking.resolve import resolve
from schemas.decisions import ORGANISATIONS, load_decisions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

PREFIX = "resolved_"
_READ = """
select
    organisation_key, siren, rna, local_id, name, kind, funder_id, funder_departement_code, commune_code,
    departement_code,
    sum(n_lines)::bigint as n_lines
from organisation_mentions
where split_part(organisation_key, ':', 1) in ('siren', 'rna', 'local', 'name')
group by all
order by all
"""


def register(connection: duckdb.DuckDBPyConnection, *, registers: Path | None, decisions: Path | None) -> None:
    """Make the identities readable by models: the frames of `Resolved`, and what registers say, as `resolved_…` tables.

    `registers`: the folder of official stock files. `decisions`: the file of decisions (the project's own by default).
    Raises `DecisionsError` and `RegisterError`, whose messages name the file.
    """
    mentions = connection.sql(_READ).pl()
    numbers = {name: mentions[name].drop_nulls().unique().sort().to_list() for name in ("siren", "rna")}
    known = read_registers(registers, sirens=numbers["siren"], rnas=numbers["rna"])
    with _uncollected():
        resolved = resolve(
            mentions,
            load_model(),
            decisions=load_decisions(ORGANISATIONS if decisions is None else decisions),
            registered=known.drop_nulls("other_key").select("organisation_key", "other_key").iter_rows(),
        )
    for name, frame in {**vars(resolved), "register": known}.items():
        connection.register(f"{PREFIX}{name}", frame)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without Python's search for cycles: it walks the millions of small objects that names make, and finds none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
