"""One resource, brought whole into the memory's folder: asked for only if it changed, again when it fails, and from
where it stopped. What the bytes mean is nobody's business here; that they are of the announced kind is.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NoReturn

from pipelines.feeds.exchange import ask
from pipelines.feeds.refused import RefusedError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.feeds.exchange import Answer
    from pipelines.feeds.memory import Memory
    from schemas.feeds import Limits, Resource

_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_LATER = {408, 425, 429, 500, 502, 503, 504}
_NO_DATA = re.compile(r"(text/html|application/xhtml\+xml|application/pdf|image/.*|audio/.*|video/.*)")
_HEAD = 512
_ZIPPED = {".xlsx", ".xlsm", ".ods", ".zip"}
_STATUS = {
    401: "Le serveur demande un mot de passe (401). Seules des données ouvertes sont reçues : demandez au producteur "
    "une adresse publique.",
    403: "Le serveur refuse l'accès (403). Ouvrez l'adresse dans un navigateur ; si elle s'ouvre, déposez le fichier à "
    "la main et écrivez au producteur.",
    404: "L'adresse ne mène plus à rien (404). Cherchez la nouvelle sur la page du producteur.",
    410: "Le producteur a retiré ce fichier (410). Retirez la ressource de schemas/feeds.toml.",
}


@dataclass(frozen=True)
class Download:
    """What a download gave. `is_new` is False when the server says that nothing changed: there is no file then."""

    is_new: bool
    attempts: int
    size: int = 0
    sha256: str | None = None
    etag: str | None = None
    last_modified: str | None = None


def download(
    resource: Resource,
    memory: Memory,
    *,
    limits: Limits,
    is_in_place: bool,
    sleep: Callable[[float], None] = time.sleep,
) -> Download:
    """Bring `resource` into `memory.part`. `is_in_place`: what was last received is still where it was put.

    Raises `RefusedError` or, when all attempts failed, `UnreachableError`: what was received is kept for next time.
    """
    deadline = time.monotonic() + limits.seconds
    address = hashlib.sha256(resource.url.encode()).hexdigest()
    if memory.known.address != address:
        memory.drop_part()
        memory.keep(address=address, etag=None, last_modified=None)
    for attempt in range(1, limits.attempts + 1):
        try:
            return _attempt(resource, memory, limits, is_in_place, deadline, attempt)
        except UnreachableError as failure:
            wait = max(limits.first_wait * 2 ** (attempt - 1), failure.wait or 0.0)
            if attempt == limits.attempts or time.monotonic() + wait >= deadline:
                raise
            sleep(wait)
    raise AssertionError("unreachable")


def _attempt(
    resource: Resource, memory: Memory, limits: Limits, is_in_place: bool, deadline: float, attempt: int
) -> Download:
    known = memory.known
    start = memory.part.stat().st_size if known.part_of and memory.part.is_file() else 0
    headers: dict[str, str] = {}
    if start:
        headers = {"Range": f"bytes={start}-", "If-Range": str(known.part_of)}
    elif is_in_place and known.etag:
        headers = {"If-None-Match": known.etag}
    elif is_in_place and known.last_modified:
        headers = {"If-Modified-Since": known.last_modified}
    with ask(resource.url, headers, limits=limits, deadline=deadline) as answer:
        if answer.status == 304 and is_in_place and not start:
            return Download(is_new=False, attempts=attempt)
        if answer.status == 206 and start:
            _check_continues(answer, memory, start)
        elif answer.status == 200:
            start = 0
        else:
            _explain(answer, memory)
        _check_announced(answer, start, limits)
        _receive(answer, memory, start, limits)
        told = {name: answer.headers.get(name) for name in ("etag", "last-modified")}
    _check_received(resource, memory)
    with memory.part.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    size = memory.part.stat().st_size
    return Download(True, attempt, size, sha256, told["etag"], told["last-modified"])


def _explain(answer: Answer, memory: Memory) -> NoReturn:
    """Raise what a status that brings no file means."""
    status = answer.status
    if status in (206, 304, 416):
        memory.drop_part()
        raise UnreachableError(f"Le serveur répond à côté de ce qui lui est demandé ({status}). Relancez plus tard.")
    if status in _LATER:
        wait = _wait(answer.headers)
        asks = f" Il demande d'attendre {round(wait)} secondes." if wait else ""
        raise UnreachableError(
            f"Le serveur est indisponible ou trop sollicité ({status}).{asks} Relancez plus tard.", wait=wait
        )
    default = f"Le serveur répond {status} au lieu du fichier. Ouvrez l'adresse dans un navigateur pour voir pourquoi."
    raise RefusedError(_STATUS.get(status, default))


def _wait(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks for: a number, or a date (RFC 9110, section 10.2.3)."""
    asked = headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return float(asked)
    with suppress(ValueError):
        return max(0.0, (parsedate_to_datetime(asked) - datetime.now(UTC)).total_seconds())
    return None


def _check_continues(answer: Answer, memory: Memory, start: int) -> None:
    """That a partial answer is the rest of the very content received so far, and not of another one."""
    found = _RANGE.fullmatch(answer.headers.get("content-range", "").strip())
    of = {answer.headers.get("etag"), answer.headers.get("last-modified")}
    if found is None or int(found[1]) != start or memory.known.part_of not in of:
        memory.drop_part()
        raise UnreachableError(
            "Le fichier a changé chez le producteur pendant l'envoi. Relancez : il est repris du début."
        )


def _check_announced(answer: Answer, start: int, limits: Limits) -> None:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if _NO_DATA.fullmatch(kind):
        raise RefusedError(
            f"Le serveur envoie une page ou un document ({kind}), pas un tableau. Donnez l'adresse du fichier "
            "lui-même, celle du lien de téléchargement."
        )
    length = answer.headers.get("content-length", "")
    if length.isdecimal() and start + int(length) > limits.bytes:
        raise RefusedError(_too_big(limits))


def _receive(answer: Answer, memory: Memory, start: int, limits: Limits) -> None:
    coded = answer.headers.get("content-encoding", "identity").lower() not in ("", "identity")
    strong = answer.headers.get("etag") or ""
    validator = (strong if strong and not strong.startswith("W/") else None) or answer.headers.get("last-modified")
    memory.part.parent.mkdir(parents=True, exist_ok=True)
    if not start:  # what the validator is told of is never other bytes
        memory.drop_part()
    size = start
    try:
        with memory.part.open("ab") as part:
            if not start and not coded:
                memory.keep(part_of=validator)
            for block in answer.blocks():
                size += len(block)
                if size > limits.bytes:
                    raise RefusedError(_too_big(limits))
                part.write(block)
            part.flush()
            os.fsync(part.fileno())
    except RefusedError:
        memory.drop_part()
        raise
    except OSError as error:
        memory.drop_part()
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        why = "il n'y a plus de place sur le disque" if full else "l'entrepôt ne peut pas être écrit"
        raise RefusedError(
            f"Le fichier n'est pas reçu : {why}. Faites de la place ou rétablissez les droits."
        ) from error


def _too_big(limits: Limits) -> str:
    return f"Le fichier dépasse {limits.bytes} octets. S'il est bien attendu, augmentez bytes dans schemas/feeds.toml."


def _check_received(resource: Resource, memory: Memory) -> None:
    """That the bytes are of the kind that the name says, and those expected. What is not is dropped."""
    problem = _wrong_kind(memory, PurePosixPath(resource.file).suffix.lower()) or _wrong_sum(resource, memory)
    if problem:
        memory.drop_part()
        raise RefusedError(problem)


def _wrong_kind(memory: Memory, suffix: str) -> str | None:
    with memory.part.open("rb") as part:
        head = part.read(_HEAD)
    if not head:
        return "Le fichier reçu est vide. Prévenez le producteur."
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html", b"%pdf")):
        return "Le fichier reçu est une page ou un document, pas un tableau. Donnez l'adresse du fichier lui-même."
    if suffix in _ZIPPED and not head.startswith(b"PK"):
        return f"Le fichier reçu n'est pas un fichier {suffix}. Corrigez son nom (file), ou prévenez le producteur."
    return None


def _wrong_sum(resource: Resource, memory: Memory) -> str | None:
    for name, expected in (("sha256", resource.sha256), ("sha1", resource.sha1)):
        if expected:
            with memory.part.open("rb") as part:
                if hashlib.file_digest(part, name).hexdigest() != expected:
                    return (
                        f"Le fichier reçu n'a pas l'empreinte annoncée ({name}) : il est abîmé, ou il a changé depuis. "
                        "Relancez plus tard ; si cela dure, prévenez le producteur."
                    )
    return None
