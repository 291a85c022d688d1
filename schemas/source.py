"""A hash of source files, so that what was made by other code is known as such and made again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def source_hash(*roots: Path, suffixes: Collection[str] | None = None, apart: Collection[str] = ()) -> str:
    """The sha256 of every file under `roots`, names and bytes, compiled ones aside; only of `suffixes` when given.

    Files named in `apart` do not count: what they say changes nothing of what is hashed for.
    """
    digest = hashlib.sha256()
    for root in roots:
        for path in sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc"):
            if (suffixes is None or path.suffix in suffixes) and path.name not in apart:
                digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
