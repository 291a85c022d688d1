"""The resources of an udata catalogue (data.gouv.fr) that declare a schema, as resources to fetch.

The listing is `GET /api/1/datasets/?schema=…`: pages of datasets with `data` and `next_page`; a dataset has its
`organization` (or `owner`), its `license` and its `resources`, each with `schema`, `url`, `format` and `checksum`.
"""

from __future__ import annotations

import json
import time
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode, urlsplit

from pydantic import ValidationError

from pipelines.feeds.addresses import shown
from pipelines.feeds.exchange import ask
from pipelines.feeds.refused import RefusedError, UnreachableError
from schemas.feeds import SUFFIXES, Resource
from schemas.fold import fold_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from schemas.feeds import Catalogue, Limits

_PAGE = 100
_LONGEST = 80  # characters of a name made from a title
_UNSTATED = {"notspecified", ""}


def listed(
    catalogue: Catalogue, *, limits: Limits, sleep: Callable[[float], None] = time.sleep
) -> tuple[list[Resource], dict[str, str]]:
    """The resources of `catalogue`, and why (French) those that declare the schema but cannot be fetched cannot.

    Raises `RefusedError` or `UnreachableError` when the listing itself cannot be read to its end.
    """
    resources: dict[str, Resource] = {}
    refused: dict[str, str] = {}
    for dataset in _datasets(catalogue, limits, sleep):
        for entry, name in _named(dataset, catalogue.schema_name):
            try:
                resource = _resource(dataset, entry, name)
            except (ValidationError, RefusedError) as error:
                why = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
                refused[f"{dataset.get('slug')}/{name}"] = f"La ressource ne peut pas être rangée : {why}."
            else:
                resources[resource.place] = resource
    return list(resources.values()), refused


def _datasets(catalogue: Catalogue, limits: Limits, sleep: Callable[[float], None]) -> Iterator[dict[str, Any]]:
    url: str | None = f"{catalogue.url}?{urlencode({'schema': catalogue.schema_name, 'page_size': _PAGE})}"
    deadline = time.monotonic() + limits.seconds
    for _ in range(limits.pages):
        page = _page(str(url), limits, deadline, sleep)
        for dataset in page["data"]:
            if not catalogue.organisations or _publisher(dataset) in catalogue.organisations:
                yield dataset
        url = page.get("next_page")
        if not url:
            return
    raise RefusedError(
        f"Le catalogue a plus de {limits.pages} pages : il n'est pas lu en partie. Augmentez pages, ou nommez des "
        "organisations, dans schemas/feeds.toml."
    )


def _page(url: str, limits: Limits, deadline: float, sleep: Callable[[float], None]) -> dict[str, Any]:
    for attempt in range(1, limits.attempts + 1):
        try:
            return _read(url, limits, deadline)
        except UnreachableError as failure:
            wait = max(limits.first_wait * 2 ** (attempt - 1), failure.wait or 0.0)
            if attempt == limits.attempts or time.monotonic() + wait >= deadline:
                raise
            sleep(wait)
    raise AssertionError("unreachable")


def _read(url: str, limits: Limits, deadline: float) -> dict[str, Any]:
    with ask(url, {"Accept": "application/json"}, limits=limits, deadline=deadline) as answer:
        if answer.status == 429 or answer.status >= 500:
            raise UnreachableError(f"Le catalogue est indisponible ({answer.status}). Relancez plus tard.")
        if answer.status != 200:
            raise RefusedError(f"Le catalogue répond {answer.status} à {shown(url)}. Vérifiez son adresse.")
        content = bytearray()
        for block in answer.blocks():
            content += block
            if len(content) > limits.bytes:
                raise RefusedError(f"Une page du catalogue dépasse {limits.bytes} octets : elle n'est pas lue.")
    try:
        page = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"Le catalogue ne répond pas en JSON à {shown(url)}. Vérifiez son adresse.") from error
    if not isinstance(page, dict) or not _are_records(page.get("data")):
        raise RefusedError(f"La réponse de {shown(url)} n'est pas une liste de jeux de données. Vérifiez son adresse.")
    return page


def _are_records(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _publisher(dataset: dict[str, Any]) -> str:
    whose = dataset.get("organization") or dataset.get("owner") or {}
    return str(whose.get("slug") or "") if isinstance(whose, dict) else ""


def _named(dataset: dict[str, Any], schema: str) -> list[tuple[dict[str, Any], str]]:
    """The resources of a dataset that declare `schema`, each with a file name of its own in the dataset."""
    entries = dataset.get("resources")
    wanted = [e for e in entries if _declares(e, schema)] if isinstance(entries, list) else []
    names = [_name(entry) for entry in wanted]
    return [
        (entry, name if names.count(name) == 1 else _apart(name, str(entry.get("id", ""))))
        for entry, name in zip(wanted, names, strict=True)
    ]


def _declares(entry: object, schema: str) -> bool:
    stated = entry.get("schema") if isinstance(entry, dict) else None
    return isinstance(stated, dict) and stated.get("name") == schema


def _name(entry: dict[str, Any]) -> str:
    """The name of the file in its address when it has one, else its title with its format."""
    path = PurePosixPath(unquote(urlsplit(str(entry.get("url", ""))).path))
    if path.suffix.lower() in SUFFIXES:
        stem, suffix = path.stem, path.suffix.lower()
    else:
        stem, suffix = str(entry.get("title") or "ressource"), f".{str(entry.get('format') or '').lower().lstrip('.')}"
    return "-".join(fold_words(stem).split())[:_LONGEST] + suffix


def _apart(name: str, identifier: str) -> str:
    path = PurePosixPath(name)
    return f"{path.stem}-{fold_words(identifier)[:8]}{path.suffix}"


def _resource(dataset: dict[str, Any], entry: dict[str, Any], name: str) -> Resource:
    publisher = _publisher(dataset)
    whose = dataset.get("organization") or dataset.get("owner") or {}
    licence = str(dataset.get("license") or "")
    checksum = entry.get("checksum")
    # What the catalogue hosts it has hashed; of what is hosted elsewhere it may know a former state.
    sums = checksum if isinstance(checksum, dict) and entry.get("filetype") == "file" else {}
    dataset_name = "-".join(fold_words(str(dataset.get("slug") or dataset.get("id"))).split())[:_LONGEST]
    return Resource.model_validate({
        "publisher": publisher,
        "file": f"{dataset_name}/{name}",
        "url": str(entry.get("url", "")),
        "licence": None if licence in _UNSTATED else licence,
        "source": _printable(whose.get("name")),
        "page": _printable(dataset.get("page")),
        **({str(sums["type"]): str(sums["value"]).lower()} if sums.get("type") in ("sha1", "sha256") else {}),
    })  # fmt: skip


def _printable(value: object) -> str | None:
    return "".join(c for c in value if c.isprintable()).strip() or None if isinstance(value, str) else None
