"""Data for scripts, as classic scripts: a page opened by double-click may read no other file.

A shard is one call, `QFQ(name, data)`. Its name is a hash of its data: a page always finds the shards it was made with,
since a publication removes only those that the publication before it had left behind already (module `site`).
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from pipelines.publish.reports import SHARDS, Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LEAST, MOST = 24_000, 64_000
"""Characters of data in one shard of a list: cut at a stable place between the two, at `MOST` for want of one."""
_ONE_IN = 16
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def text_of(data: Any) -> str:
    """`data` as compact JSON that any script may hold."""
    text = _COMPACT.encode(data)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def shard(kind: str, data: Any) -> tuple[str, Output]:
    """The name of the shard of `data`, unique in its `kind`, and its file."""
    return named(kind, text_of(data))


def named(kind: str, text: str) -> tuple[str, Output]:
    """The same, of data that is text already (`text_of`)."""
    name = stable(text)[:10]
    return name, Output(f"{SHARDS}{kind}/{name}.js", f'QFQ("{kind}/{name}",{text})\n'.encode())


def stable(text: str) -> str:
    """A hash of `text`, the same everywhere and always."""
    return hashlib.sha256(text.encode()).hexdigest()


def cut(keys: Sequence[str], sizes: Sequence[int]) -> Iterator[slice]:
    """Consecutive runs of a sorted list, cut where a key's own hash says so.

    One key more or less moves the cuts beside it only: the other shards keep their content, hence their name.
    """
    start = held = 0
    for place, (key, size) in enumerate(zip(keys, sizes, strict=True)):
        is_mark = held >= LEAST and int(stable(key)[:6], 16) % _ONE_IN == 0
        if place > start and (is_mark or held + size > MOST):
            yield slice(start, place)
            start, held = place, 0
        held += size
    if start < len(keys):
        yield slice(start, len(keys))
