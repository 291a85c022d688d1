"""Examines the databases and the memory of publications: each opens, and every value of every table can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.warehouse.connection import damage
from pipelines.warehouse.publications import Archive
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
        if path.is_file() and (problem := damage(path)) is not None:
            yield Finding(
                "bases", name, f"La base ne peut pas être lue ({problem}).", BY_THE_NEXT_RUN, is_repaired=True
            )
    for path in sorted(warehouse.glob(".*.building")):
        yield Finding("bases", path.name, "Reste d'un passage interrompu.", "Le prochain passage l'efface.", True)
    for path in Archive(warehouse / "publications").damaged():
        place = path.relative_to(warehouse).as_posix()
        yield Finding("publications passées", place, "Le fichier manque ou a changé.", _SAVED, is_repaired=False)
