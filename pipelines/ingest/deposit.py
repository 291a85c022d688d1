"""The inbox: which files of `raw/` are deposits, and the private copy that everything reads.

Files in `raw/` are never edited, moved or removed by us.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipelines.ingest.questionnaire import is_questionnaire
from schemas.funder import FILE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BESIDE = (FILE_NAME, "CONFIRMER-*.txt")
NEVER = ("_*", ".*", "~$*", "*.part", "*.tmp", "*.crdownload", "*.toml", "CONFIRMER-*.txt")
RECEIPTS = "_accuses"
REFERENCE = "reference"
_BETWEEN_LOOKS = 0.2  # seconds
_BLOCK = 1 << 20


class InboxError(RuntimeError):
    """`raw/` cannot be used: absent, or empty where it was not before; the French message says what to do."""


class UntakenError(OSError):
    """A file of the inbox cannot be copied now, by its own fault: others go on; the French message says why."""


@dataclass(frozen=True)
class InboxFile:
    """One file of the inbox. `path` is relative to `raw/`, with `/`; `depositor` is its first folder, or empty."""

    path: str
    depositor: str
    size: int
    mtime_ns: int

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rsplit("/", 1)[-1]


def look(raw: Path) -> list[InboxFile]:
    """The deposits of `raw`, sorted by path; symbolic links that leave `raw` are no deposits.

    Raises `InboxError` when `raw` is not there: an unmounted disk must not pass for withdrawals.
    """
    return _seen((path for path in _walk(raw) if not _matches(path, NEVER) and not is_questionnaire(path)), raw)


def look_beside(raw: Path) -> list[InboxFile]:
    """What else in `raw` changes what is understood of the deposits: declarations, answers, confirmations."""
    return _seen((path for path in _walk(raw) if _matches(path, BESIDE) or is_questionnaire(path)), raw)


def _walk(raw: Path) -> Iterator[Path]:
    """The files of the depositors, sorted by path."""
    if not raw.is_dir():
        raise InboxError(f"Le dossier des dépôts « {raw} » n'existe pas ou n'est pas accessible.")
    found = []
    for folder, folders, names in os.walk(raw):
        folders[:] = [name for name in folders if not name.startswith(("_", "."))]
        here = Path(folder)
        if here == raw and REFERENCE in folders:
            folders.remove(REFERENCE)
        found += [path for name in names if _inside(path := here / name, raw)]
    yield from sorted(found, key=lambda path: path.relative_to(raw).as_posix())


def _matches(path: Path, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(path.name, pattern) for pattern in patterns)


def _seen(paths: Iterable[Path], raw: Path) -> list[InboxFile]:
    found = []
    for path in paths:
        try:
            status = path.stat()
        except FileNotFoundError:  # gone since it was listed
            continue
        relative = path.relative_to(raw).as_posix()
        found.append(InboxFile(relative, depositor_of(relative), status.st_size, status.st_mtime_ns))
    return found


def depositor_of(path: str) -> str:
    """The first folder of a path relative to `raw/`; empty for a file directly in it."""
    return path.partition("/")[0] if "/" in path else ""


def _inside(path: Path, raw: Path) -> bool:
    return path.is_file() and path.resolve().is_relative_to(raw.resolve())


def settled(raw: Path) -> list[InboxFile]:
    """The deposits whose size did not change between two looks: a file still being copied waits for the next run."""
    first = {file.path: file.size for file in look(raw)}
    time.sleep(_BETWEEN_LOOKS)
    return [file for file in look(raw) if first.get(file.path) == file.size]


def is_gone(path: Path) -> bool:
    """Whether nothing is at `path` any more; a folder that cannot be looked into does not say so."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def take(source: Path, deposits: Path, *, seen: InboxFile | None = None) -> str:
    """Copy the bytes of `source` once to `deposits/<sha256>`, readable by this user alone; returns the sha256.

    The copy is written aside and renamed, so that a kill leaves no half copy. Raises `UntakenError` when the file
    cannot be read, or changed while it was or since it was `seen`: half of a file that somebody is writing is not what
    they sent. Raises any other `OSError` when the copy cannot be written, on a full disk for example.
    """
    deposits.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    handle, temporary = tempfile.mkstemp(dir=deposits, prefix=".")
    try:
        with os.fdopen(handle, "wb") as copy, _opened(source) as original:
            before = _state(original)
            while block := _block(original):
                digest.update(block)
                copy.write(block)
            if _state(original) != before or (seen is not None and before != (seen.size, seen.mtime_ns)):
                raise UntakenError("Le fichier a changé pendant la lecture : il sera lu au prochain passage.")
            copy.flush()
            os.fsync(copy.fileno())
        target = deposits / digest.hexdigest()
        if not target.exists():
            Path(temporary).replace(target)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return digest.hexdigest()


def _opened(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except PermissionError as error:
        raise UntakenError("Le fichier ne peut pas être lu : ses droits d'accès l'interdisent.") from error
    except FileNotFoundError as error:
        raise UntakenError("Le fichier a disparu pendant la lecture.") from error
    except OSError as error:
        raise UntakenError(f"Le fichier ne peut pas être lu ({error.strerror}).") from error


def _block(original: BinaryIO) -> bytes:
    try:
        return original.read(_BLOCK)
    except OSError as error:
        raise UntakenError(f"Le fichier ne peut pas être lu jusqu'au bout ({error.strerror}).") from error


def _state(original: BinaryIO) -> tuple[int, int]:
    status = os.fstat(original.fileno())
    return status.st_size, status.st_mtime_ns


def take_again(source: Path, deposits: Path, sha256: str) -> bool:
    """Copy `source` to `deposits` when it still holds the content `sha256`; returns whether it does."""
    try:
        return holds(source, sha256) and take(source, deposits) == sha256
    except OSError:
        return False


def holds(path: Path, sha256: str) -> bool:
    """Whether the file at `path` is there and has the content `sha256`; one that cannot be read has not."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def deposit_id(depositor: str, sha256: str) -> str:
    """The identity of one content in one depositor's folder: sixteen hexadecimal digits."""
    return hashlib.sha256(f"{depositor}\0{sha256}".encode()).hexdigest()[:16]
