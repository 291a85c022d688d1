"""Examines the databases and the memory of publications: each opens, and every value of every table can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import polars as pl

from schemas.health import BY_THE_NEXT_RUN, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATABASES = ("funding.duckdb", "public.duckdb")
_SAVED = "Rétablissez « publications » depuis une sauvegarde : sans elle, deux publications peuvent être comparées."


def examine(warehouse: Path) -> Iterator[Finding]:
    """What is amiss in the databases of the folder `warehouse`. Reads them whole."""
    for name in DATABASES:
        path = warehouse / name
        if path.is_file() and (problem := _damage(path)) is not None:
            yield Finding("bases", name, problem, BY_THE_NEXT_RUN, is_repaired=True)
    for path in sorted(warehouse.glob(".*.building")):
        yield Finding("bases", path.name, "Reste d'un passage interrompu.", "Le prochain passage l'efface.", True)
    for path in sorted((warehouse / "publications").rglob("*.parquet")):
        try:
            pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError):
            place = path.relative_to(warehouse).as_posix()
            yield Finding("publications passées", place, "Le fichier est abîmé.", _SAVED, is_repaired=False)


def _damage(path: Path) -> str | None:
    """Why the database at `path` cannot be read to its end; None when it can."""
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            tables = connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
            for (table,) in tables:
                connection.execute(f'SELECT bit_xor(hash(t)) FROM "{table}" AS t').fetchall()
    except duckdb.Error as error:
        return f"La base ne peut pas être lue ({str(error).splitlines()[0][:120]})."
    return None
