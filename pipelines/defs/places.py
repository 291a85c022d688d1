"""Where a project's folders are, the date of reference, and the lock of whoever writes."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from schemas.feeds import PATH as FEEDS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNDING = "funding.duckdb"
PUBLIC = "public.duckdb"


class Places(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Dossiers et date du passage ; vide : QFQ_RAW, QFQ_WAREHOUSE, QFQ_REPORTS, QFQ_AS_OF, QFQ_FEEDS, puis défaut."""

    # The docstring is shown to analysts in every launch form: it is theirs, in French.

    raw: str = Field(default="", description="Dossier des dépôts (par défaut : raw).")
    warehouse: str = Field(default="", description="Dossier de l'entrepôt (par défaut : warehouse).")
    reports: str = Field(default="", description="Dossier des pages (par défaut : reports).")
    as_of: str = Field(default="", description="Date de référence, AAAA-MM-JJ (par défaut : aujourd'hui).")
    feeds: str = Field(default="", description="Fichier des sources à recevoir (par défaut : schemas/feeds.toml).")

    @property
    def raw_folder(self) -> Path:
        """The inbox."""
        return Path(self.raw or os.environ.get("QFQ_RAW") or "raw").resolve()

    @property
    def warehouse_folder(self) -> Path:
        """Everything private."""
        return Path(self.warehouse or os.environ.get("QFQ_WAREHOUSE") or "warehouse").resolve()

    @property
    def reports_folder(self) -> Path:
        """The published site."""
        return Path(self.reports or os.environ.get("QFQ_REPORTS") or "reports").resolve()

    @property
    def day(self) -> date:
        """The date of reference: the only place where the present enters. Raises `ValueError` if it is no date."""
        stated = self.as_of or os.environ.get("QFQ_AS_OF")
        return date.fromisoformat(stated) if stated else date.today()

    @property
    def feeds_file(self) -> Path:
        """What open data is declared."""
        return Path(self.feeds or os.environ.get("QFQ_FEEDS") or FEEDS_FILE).resolve()

    @property
    def registers(self) -> Path:
        """Where the official stock files (Sirene, RNA) are put, if they are."""
        return self.raw_folder / "reference"

    @property
    def funding(self) -> Path:
        """The analysts' database."""
        return self.warehouse_folder / FUNDING

    @property
    def public(self) -> Path:
        """The only database that pages may open."""
        return self.warehouse_folder / PUBLIC

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Wait for the turn to write in the warehouse. The system frees the lock when its holder dies."""
        with self._locked(fcntl.LOCK_EX):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Wait until nobody has the turn to write, and share the warehouse with those who read deposits into it."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        self.warehouse_folder.mkdir(parents=True, exist_ok=True)
        with (self.warehouse_folder / ".lock").open("a+") as lock:  # both rights: network shares ask for them
            fcntl.flock(lock, how)
            yield
