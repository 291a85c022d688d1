"""The memory of the pipeline: files seen, deposits taken, stagings, versions, releases, copies removed, runs ended.

One SQLite file, written by the orchestrating process alone, one transaction a step: a kill leaves it as it was before
the step or after it. Nothing is ever deleted from it.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipelines.ingest.origin_mark import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from pipelines.ingest.deposit import InboxFile
    from pipelines.ingest.twins import Twins
    from pipelines.ingest.versions import Version

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, depositor TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    deposit_id TEXT NOT NULL, previous_deposit_id TEXT, gone_at TEXT, withdrawn_at TEXT
);
CREATE TABLE IF NOT EXISTS deposits (
    deposit_id TEXT PRIMARY KEY, arrival INTEGER NOT NULL, depositor TEXT NOT NULL, sha256 TEXT NOT NULL,
    file_name TEXT NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, received_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS copies (
    deposit_id TEXT PRIMARY KEY, origin_sha256 TEXT NOT NULL, is_extract INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS stagings (
    recipe_key TEXT PRIMARY KEY, deposit_id TEXT NOT NULL, status TEXT NOT NULL, staged_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS releases (
    deposit_id TEXT NOT NULL, released_at TEXT NOT NULL, how TEXT NOT NULL, PRIMARY KEY (deposit_id, released_at)
);
CREATE TABLE IF NOT EXISTS versions (
    decided_at TEXT NOT NULL, deposit_id TEXT NOT NULL, fiscal_year INTEGER NOT NULL, is_counted INTEGER NOT NULL,
    reason TEXT NOT NULL, other_deposit_id TEXT, lines INTEGER NOT NULL, lines_matched INTEGER, decided_by TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS twins (
    decided_at TEXT NOT NULL, deposit_id TEXT NOT NULL, other_deposit_id TEXT NOT NULL, fiscal_year INTEGER NOT NULL,
    lines INTEGER NOT NULL, lines_to_review INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS removals (
    sha256 TEXT NOT NULL, unused_since TEXT NOT NULL, removed_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS runs (
    run_id INTEGER PRIMARY KEY AUTOINCREMENT, started_at TEXT NOT NULL, as_of TEXT NOT NULL, ended_at TEXT,
    outcome TEXT
);
"""


def _as_dict(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


@contextmanager
def opened_to_read(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write. SQLite needs files beside one that others write, but not on a read-only disk."""
    uri = f"{path.resolve().as_uri()}?mode=ro"
    beside = path.with_name(f"{path.name}-wal").exists() or os.access(path.parent, os.W_OK)
    with closing(sqlite3.connect(uri if beside else f"{uri}&immutable=1", uri=True, timeout=30)) as connection:
        yield connection


class Ledger:
    """The ledger of one warehouse. Use as a context manager; every method is one transaction."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=FULL")
        self._prepare()

    @classmethod
    def copied(cls, path: Path) -> Ledger:
        """What the ledger at `path` holds, in memory: to look at one whose disk may be read-only, and change nothing.

        Raises `sqlite3.DatabaseError` when it cannot be read.
        """
        copy = cls.__new__(cls)
        copy._connection = sqlite3.connect(":memory:", isolation_level=None)
        with opened_to_read(path) as source:
            source.backup(copy._connection)
        copy._prepare()
        return copy

    def _prepare(self) -> None:
        self._connection.row_factory = _as_dict
        self._connection.executescript(_SCHEMA)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def files(self) -> dict[str, dict[str, Any]]:
        """The files last seen in the inbox, by path, those gone included."""
        return {row["path"]: row for row in self._connection.execute("SELECT * FROM files")}

    def deposits(self) -> dict[str, dict[str, Any]]:
        """Every deposit ever taken, by identity; `is_extract` says which are our own extracts."""
        rows = self._connection.execute(
            "SELECT deposits.*, coalesce(copies.is_extract, 0) AS is_extract "
            "FROM deposits LEFT JOIN copies USING (deposit_id) ORDER BY arrival"
        )
        return {row["deposit_id"]: row for row in rows}

    def releases(self) -> dict[str, datetime]:
        """Deposits let through by somebody, with when it was last."""
        rows = self._connection.execute("SELECT deposit_id, max(released_at) AS last FROM releases GROUP BY deposit_id")
        return {row["deposit_id"]: datetime.fromisoformat(row["last"]) for row in rows}

    def marks(self) -> dict[str, Mark]:
        """The deposits that are annotated copies, by identity, with what they were made from."""
        return {
            row["deposit_id"]: Mark(row["origin_sha256"], is_extract=bool(row["is_extract"]))
            for row in self._connection.execute("SELECT * FROM copies")
        }

    def let_in(self) -> set[str]:
        """Deposits whose lines were loaded by a former run."""
        return {row["deposit_id"] for row in self._connection.execute("SELECT DISTINCT deposit_id FROM versions")}

    def brought(self) -> list[dict[str, Any]]:
        """The years that each deposit ever loaded was found to hold: a row for each, with its number of lines."""
        rows = self._connection.execute(
            "SELECT d.depositor, d.deposit_id, d.file_name, d.received_at, v.fiscal_year, max(v.lines) AS lines "
            "FROM versions AS v JOIN deposits AS d USING (deposit_id) WHERE v.reason <> 'held' "
            "GROUP BY d.deposit_id, v.fiscal_year ORDER BY d.arrival, v.fiscal_year"
        )
        return list(rows)

    def record_files(self, held: list[tuple[InboxFile, str, str, Mark | None]], now: datetime) -> None:
        """These files of the inbox hold deposits: each with the deposit, its sha256, its mark if an annotated copy.

        The same path with other content keeps what it held before, passing over what was never loaded.
        """
        with self._transaction() as db:
            for file, deposit_id, sha256, mark in held:
                self._record_file(db, file, deposit_id, sha256, mark, now)

    @staticmethod
    def _record_file(
        db: sqlite3.Connection, file: InboxFile, deposit_id: str, sha256: str, mark: Mark | None, now: datetime
    ) -> None:
        if mark is not None:
            db.execute("INSERT OR IGNORE INTO copies VALUES (?, ?, ?)", (deposit_id, mark.sha256, mark.is_extract))
        db.execute(
            "INSERT OR IGNORE INTO deposits SELECT ?, coalesce(max(arrival), 0) + 1, ?, ?, ?, ?, ?, ? FROM deposits",
            (deposit_id, file.depositor, sha256, file.name, file.path, file.size, now.isoformat()),
        )
        db.execute(
            """
            INSERT INTO files VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL)
            ON CONFLICT (path) DO UPDATE SET
                previous_deposit_id = CASE
                    WHEN withdrawn_at IS NOT NULL THEN NULL
                    WHEN deposit_id = excluded.deposit_id THEN previous_deposit_id
                    WHEN previous_deposit_id IS NULL THEN deposit_id
                    WHEN deposit_id IN (SELECT deposit_id FROM versions) THEN deposit_id
                    ELSE previous_deposit_id END,
                size = excluded.size, mtime_ns = excluded.mtime_ns, deposit_id = excluded.deposit_id,
                gone_at = NULL, withdrawn_at = NULL
            """,
            (file.path, file.depositor, file.size, file.mtime_ns, deposit_id),
        )

    def record_gone(self, paths: list[str], now: datetime) -> None:
        """Files that are no longer in the inbox."""
        with self._transaction() as db:
            db.executemany(
                "UPDATE files SET gone_at = ? WHERE path = ? AND gone_at IS NULL", [(now.isoformat(), p) for p in paths]
            )

    def record_withdrawn(self, deposit_ids: list[str], now: datetime) -> None:
        """Deposits gone from the inbox whose lines are no longer loaded."""
        with self._transaction() as db:
            db.executemany(
                "UPDATE files SET withdrawn_at = ? WHERE deposit_id = ? AND gone_at IS NOT NULL",
                [(now.isoformat(), deposit_id) for deposit_id in deposit_ids],
            )

    def record_stagings(self, staged: list[tuple[str, str, str, datetime]]) -> None:
        """Deposits were staged: the key of the recipe, the deposit, its status, and when."""
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO stagings VALUES (?, ?, ?, ?)",
                [(*told, staged_at.isoformat()) for *told, staged_at in staged],
            )

    def recorded_stagings(self) -> set[str]:
        """The keys of all the recipes that deposits were staged with."""
        return {row["recipe_key"] for row in self._connection.execute("SELECT recipe_key FROM stagings")}

    def stagings(self, deposit_id: str) -> list[dict[str, Any]]:
        """What was staged of a deposit, the latest first."""
        rows = self._connection.execute(
            "SELECT * FROM stagings WHERE deposit_id = ? ORDER BY rowid DESC", (deposit_id,)
        )
        return list(rows)

    def staged_sizes(self) -> list[tuple[str, int]]:
        """The start of the run that staged a deposit, and the deposit's bytes, for every staging ever done."""
        rows = self._connection.execute(
            "SELECT s.staged_at, d.size FROM stagings AS s JOIN deposits AS d USING (deposit_id)"
        )
        return [(row["staged_at"], row["size"]) for row in rows]

    def ended_runs(self) -> list[tuple[str, str]]:
        """The start and the end of the runs that read the inbox to its end."""
        rows = self._connection.execute(
            "SELECT started_at, ended_at FROM runs WHERE outcome = 'read' AND ended_at IS NOT NULL ORDER BY run_id"
        )
        return [(row["started_at"], row["ended_at"]) for row in rows]

    def record_removal(self, sha256: str, *, unused_since: datetime, now: datetime) -> None:
        """The private copy of this content, which served nothing since then, is removed."""
        with self._transaction() as db:
            db.execute("INSERT INTO removals VALUES (?, ?, ?)", (sha256, unused_since.isoformat(), now.isoformat()))

    def removals(self) -> dict[str, datetime]:
        """The contents whose private copy was removed, with when it was last."""
        rows = self._connection.execute("SELECT sha256, max(removed_at) AS last FROM removals GROUP BY sha256")
        return {row["sha256"]: datetime.fromisoformat(row["last"]) for row in rows}

    def record_decisions(self, versions: list[Version], twins: Twins, now: datetime) -> None:
        """The versions and the lines of two depositors decided by a run; only what changed since the last is added."""
        last = {
            (row["deposit_id"], row["fiscal_year"]): (row["is_counted"], row["reason"], row["other_deposit_id"])
            for row in self._connection.execute("SELECT * FROM versions ORDER BY rowid")
        }
        changed = [
            (
                now.isoformat(),
                v.deposit_id,
                v.fiscal_year,
                int(v.is_counted),
                v.reason,
                v.other_deposit_id,
                v.lines,
                v.lines_matched,
                v.decided_by,
            )
            for v in versions
            if last.get((v.deposit_id, v.fiscal_year)) != (int(v.is_counted), v.reason, v.other_deposit_id)
        ]
        with self._transaction() as db:
            db.executemany("INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", changed)
            db.executemany("INSERT INTO twins VALUES (?, ?, ?, ?, ?, ?)", self._changed_twins(twins, now))

    def _changed_twins(self, twins: Twins, now: datetime) -> list[tuple[str, str, str, int, int, int]]:
        """How many lines of each pair of deposits and year are linked, where it changed; none any more is 0."""
        last = {
            (row["deposit_id"], row["other_deposit_id"], row["fiscal_year"]): (row["lines"], row["lines_to_review"])
            for row in self._connection.execute("SELECT * FROM twins ORDER BY rowid")
        }
        told = dict.fromkeys(last, (0, 0))
        for *key, lines, to_review in twins.counts().iter_rows():
            told[key[0], key[1], key[2]] = (lines, to_review)
        return [(now.isoformat(), *key, *found) for key, found in sorted(told.items()) if last.get(key) != found]

    def release(self, deposit_id: str, *, how: str, now: datetime) -> None:
        """Let a held deposit through, for good; a later withdrawal of its file needs another release."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO releases VALUES (?, ?, ?)", (deposit_id, now.isoformat(), how))

    def start_run(self, as_of: date, now: datetime) -> int:
        """A run starts; returns its number. Who starts one writes alone: those that have no end were interrupted."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET outcome = 'interrupted' WHERE ended_at IS NULL AND outcome IS NULL")
            cursor = db.execute(
                "INSERT INTO runs (started_at, as_of) VALUES (?, ?)", (now.isoformat(), as_of.isoformat())
            )
            return int(cursor.lastrowid or 0)

    def end_run(self, run_id: int, outcome: str, now: datetime) -> None:
        """A run ends, `read` or `failed`; a run that was killed never does."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET ended_at = ?, outcome = ? WHERE run_id = ?", (now.isoformat(), outcome, run_id))
