"""All that a project holds, in a form that can be compared with another's: what is lost, doubled or changed shows."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

_LEDGER = {
    "files": "SELECT path, depositor, size, deposit_id, previous_deposit_id, gone_at IS NULL, "
    "withdrawn_at IS NULL FROM files ORDER BY path",
    "deposits": "SELECT deposit_id, arrival, depositor, sha256, file_name, path, size FROM deposits ORDER BY arrival",
    "copies": "SELECT * FROM copies ORDER BY deposit_id",
    "stagings": "SELECT recipe_key, deposit_id, status FROM stagings ORDER BY recipe_key",
    "releases": "SELECT deposit_id, how FROM releases ORDER BY 1, 2",
    "versions": "SELECT deposit_id, fiscal_year, is_counted, reason, other_deposit_id, lines, lines_matched, "
    "decided_by FROM versions ORDER BY rowid",
    "twins": "SELECT deposit_id, other_deposit_id, fiscal_year, lines, lines_to_review FROM twins ORDER BY rowid",
    "removals": "SELECT sha256 FROM removals ORDER BY sha256",
}
"""Facts of the ledger without the instants at which they were written."""
_INSTANTS = ("received_at", "publication")


def state(root: Path) -> dict[str, Any]:
    """The ledger's facts, the staged bytes, the tables by hash of their content, the site and the receipts."""
    warehouse = root / "warehouse"
    return {
        "ledger": ledger(warehouse / "ledger.sqlite"),
        "staging": _bytes(warehouse / "staging"),
        "deposits": _bytes(warehouse / "deposits"),
        "funding": tables(warehouse / "funding.duckdb"),
        "public": tables(warehouse / "public.duckdb"),
        "archive": _archive(warehouse / "publications"),
        "site": _bytes(root / "reports"),
        "receipts": {name: hashed for name, hashed in _bytes(root / "raw").items() if "_accuses" in name},
        "left over": sorted(
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if path.name.endswith((".tmp", ".building", ".spill", ".wal")) or path.match("staging/.*")
        ),
    }


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Where two states are not the same: the part, and the first things that differ."""
    found = {}
    for part, mine in one.items():
        if mine == (yours := other[part]):
            continue
        found[part] = (
            {name: (mine.get(name), yours.get(name)) for name in sorted(mine.keys() | yours.keys())
             if mine.get(name) != yours.get(name)}
            if isinstance(mine, dict) else (mine, yours)
        )  # fmt: skip
    return found


def ledger(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The facts of the ledger at `path`."""
    with closing(sqlite3.connect(path)) as connection:
        return {name: connection.execute(sql.replace("ORDER BY 1, 2", "ORDER BY 1, 2")).fetchall()
                for name, sql in _LEDGER.items()}  # fmt: skip


def tables(path: Path) -> dict[str, tuple[int, int]]:
    """For every table of the database at `path`, its rows and the sum of the hashes of their content."""
    with duckdb.connect(str(path), read_only=True) as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
        found = {}
        for name in names:
            columns = [c for c, *_ in connection.execute(f'DESCRIBE "{name}"').fetchall() if c not in _INSTANTS]
            listed = ", ".join(f'"{column}"' for column in columns)
            sql = f'SELECT count(*), sum(hash(({listed}))::HUGEINT) FROM "{name}"'
            [found[name]] = connection.execute(sql).fetchall()
        return found


def _archive(folder: Path) -> dict[str, Any]:
    """What former publications told, all of them together."""
    kinds: dict[str, pl.DataFrame] = {}
    for path in sorted(folder.glob("[0-9]*/*.parquet")):
        frame = pl.read_parquet(path)
        kinds[path.stem] = pl.concat([kinds[path.stem], frame], how="diagonal_relaxed") if path.stem in kinds else frame
    return {name: (frame.height, int(frame.hash_rows().cast(pl.UInt64).sum())) for name, frame in kinds.items()}


def _bytes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
