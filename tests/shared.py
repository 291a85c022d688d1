"""What several tests start from, made once for a whole run of the tests, however many processes share them out."""

from __future__ import annotations

import fcntl
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """`folder`, with what `make` writes in it; who comes while it is being made waits.

    Nobody writes in it afterwards: a test that changes something takes a copy.
    """
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            beside = folder.with_name(f"{folder.name}.making")
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir()
            make(beside)
            beside.rename(folder)
    return folder
