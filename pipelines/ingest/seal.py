"""The seal of a staging folder: the sha256 of its files, so that one damaged later is known as such."""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING

from pipelines.ingest.deposit import holds

if TYPE_CHECKING:
    from pathlib import Path

NAME = "seal.json"


def seal(folder: Path) -> None:
    """Write the seal of what `folder` holds now; files made later from these are not under it."""
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    (folder / NAME).write_text(json.dumps(sums, indent=1), encoding="utf-8")


def is_whole(folder: Path) -> bool:
    """True when every file under the seal of `folder` is there and holds what it held.

    Earlier versions wrote no seal: theirs is whole when its report, written last, is there.
    """
    if not (folder / NAME).exists():
        return (folder / "report.json").is_file()
    try:
        sums = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return all(holds(folder / name, sha256) for name, sha256 in sums.items())
    except (OSError, ValueError, AttributeError):
        return False


def drop_damaged(stagings: Path) -> list[str]:
    """Remove the folders of `stagings` that are not whole, so that their deposits are read again; returns their names.

    Those of former runs left half done have names that start with a dot and are not looked at.
    """
    folders = sorted(path for path in stagings.iterdir() if path.is_dir()) if stagings.is_dir() else []
    damaged = [path for path in folders if not path.name.startswith(".") and not is_whole(path)]
    for path in damaged:
        shutil.rmtree(path)
    return [path.name for path in damaged]
