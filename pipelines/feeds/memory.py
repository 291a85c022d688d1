"""What is remembered of a resource from one fetch to the next: one small file each, and what was received so far.

A file is written aside and renamed. Losing all of it costs fetching everything again, and nothing else.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from pathlib import Path


class Remembered(BaseModel):
    """What is known of a resource. `sha256`: what we put in its place; `placing`: what we were about to put there.

    `address` is the hash of the address, which may hold a key.
    `etag` and `last_modified` are the server's, of what we put; `part_of` is the validator of what is received so far.
    """

    model_config = ConfigDict(extra="ignore")

    address: str = ""
    sha256: str | None = None
    placing: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    part_of: str | None = None
    fetched_at: str | None = None


class Memory:
    """The memory of one resource, in the folder `feeds` of the warehouse. `place` identifies it."""

    def __init__(self, folder: Path, place: str) -> None:
        name = hashlib.sha256(place.encode()).hexdigest()[:32]
        self._path, self.part = folder / f"{name}.json", folder / f"{name}.part"
        self.known = self._read()

    def _read(self) -> Remembered:
        try:
            return Remembered.model_validate_json(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValidationError, UnicodeDecodeError):
            return Remembered()

    def keep(self, **changes: str | None) -> None:
        """Remember these changes."""
        self.known = self.known.model_copy(update=changes)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_suffix(".tmp")
        aside.write_text(self.known.model_dump_json(indent=1), encoding="utf-8")
        aside.replace(self._path)

    def drop_part(self) -> None:
        """Forget what was received so far."""
        self.part.unlink(missing_ok=True)
        if self.known.part_of is not None:
            self.keep(part_of=None)
