"""A file received, put in the inbox in one move, and never over a file that somebody else put there."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from pipelines.feeds.refused import RefusedError
from schemas.funder import FILE_NAME, FunderFileError, load_funder_file
from schemas.licence import kind_of, recognised

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.feeds.memory import Memory
    from schemas.feeds import Resource

_TAKEN = (
    "Un fichier déposé ou modifié par quelqu'un est à cette place (« {} ») : il n'est pas remplacé. Donnez un autre "
    "nom à la ressource (file), ou retirez ce fichier."
)
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def is_ours(target: Path, memory: Memory) -> bool:
    """Whether the file at `target` is what a former fetch put there."""
    return target.is_file() and _sha256(target) in {memory.known.sha256, memory.known.placing} - {None}


def check_free(resource: Resource, memory: Memory, raw: Path) -> None:
    """That a changed resource could be put in its place. Raises `RefusedError` when somebody's file is there.

    Without memory of a former fetch nothing is known yet: a file of the same bytes will be taken for ours.
    """
    target = raw / resource.place
    if target.exists() and memory.known.sha256 is not None and not is_ours(target, memory):
        raise RefusedError(_TAKEN.format(resource.place))


def place(resource: Resource, memory: Memory, raw: Path, sha256: str) -> bool:
    """Move what was received to its place under `raw`; False when the same bytes are there already.

    Raises `RefusedError` when another file is at that place, when the folder says another licence than the resource, or
    when it cannot be written.
    """
    target = raw / resource.place
    folder = raw / resource.publisher
    try:
        if not target.parent.resolve().is_relative_to(raw.resolve()):
            raise RefusedError(
                f"Le dossier « {resource.publisher} » mène hors du dossier des dépôts : rien n'y est écrit."
            )
        if target.is_file() and _sha256(target) == sha256:
            memory.keep(sha256=sha256, placing=None)
            return False
        if target.exists() and not is_ours(target, memory):
            raise RefusedError(_TAKEN.format(resource.place))
        _declare(resource, folder)
        memory.keep(placing=sha256)  # a kill in between leaves a file that the next fetch knows to be ours
        _move(memory.part, target)
        memory.keep(sha256=sha256, placing=None)
    except OSError as error:
        raise RefusedError(
            f"« {resource.place} » ne peut pas être écrit ({error.strerror}). Vérifiez la place et les droits."
        ) from error
    return True


def _move(part: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.tmp")  # never a deposit
    try:
        shutil.copyfile(part, aside)
        with aside.open("rb") as copy:
            os.fsync(copy.fileno())
        if target.exists():
            aside.replace(target)
        else:
            _create(aside, target)
    finally:
        aside.unlink(missing_ok=True)


def _create(aside: Path, target: Path) -> None:
    """`aside` under the name `target`, unless somebody just took that name."""
    try:
        os.link(aside, target)
    except FileExistsError as error:
        raise RefusedError(f"Un fichier vient d'être déposé à cette place (« {target.name} ») : relancez.") from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        aside.rename(target)


def _declare(resource: Resource, folder: Path) -> None:
    """Write what the publisher says of its data (source, page, licence) as `funder.toml`, unless there is one."""
    file = folder / FILE_NAME
    if file.is_file():
        _check_licence(resource, file)
        return
    said = {"source_name": resource.source, "source_url": resource.page, "licence": resource.licence}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in said.items() if value]
    if lines:
        folder.mkdir(parents=True, exist_ok=True)
        text = "\n".join(["# Écrit à la réception de données ouvertes ; complétez-le librement.", *lines, ""])
        with suppress(FileExistsError), file.open("x", encoding="utf-8") as opened:
            opened.write(text)


def _check_licence(resource: Resource, file: Path) -> None:
    """That the folder's declaration does not put the resource under another licence than its own."""
    if not resource.licence:
        return
    with suppress(FunderFileError):  # the receipt of the deposit says what is wrong with it
        declared = load_funder_file(file).licence
        other = declared is not None and recognised(declared) != recognised(resource.licence)
        if other or kind_of(declared) != kind_of(resource.licence):
            raise RefusedError(
                f"La licence de la ressource (« {resource.licence} ») n'est pas celle que dit {resource.publisher}/"
                f"{FILE_NAME} (« {declared or 'aucune'} »). Donnez un autre dossier à la ressource (publisher), ou "
                "corrigez la déclaration."
            )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
