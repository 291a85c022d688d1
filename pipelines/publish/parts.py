"""Parts of a report: files that are made together, and left as they stand when they would be made of the same.

What each part was made from is kept beside the manifests, with the hashes of its files. A part is left alone when the
code is the same, when every question that it asked has the same answer (module `readings`), and when each of its files
stands in the site with the bytes that it was left with. Anything else, and it is made again.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.publish.readings import Readings, Seen, plain
from pipelines.publish.reports import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from pipelines.publish.context import Context
    from pipelines.publish.reports import File

ENDING = ".parts.gz"
"""How the names of what parts were made from end, beside the manifests."""


@dataclass(frozen=True)
class _Made:
    """What a part was made from, its files by path, and what it told of them."""

    readings: list[list[Any]]
    answers: str
    files: dict[str, str]
    told: Any


class Parts:
    """The parts of one report: those of the former publication in `root`, and those of this one.

    `recipe` tells the code: nothing of another one is kept.
    """

    def __init__(self, root: Path, report: str, recipe: str, context: Context) -> None:
        self._root, self._recipe = root, recipe
        self._path = root / "manifest" / f"{report}{ENDING}"
        self._context = context
        self._readings = Readings(context)
        self._shared: dict[str, tuple[Any, set[Any]]] = {}
        self._former = self._read()
        self._current: dict[str, _Made] = {}

    def part(self, function: Callable[..., Iterator[File]], arguments: tuple[str, ...]) -> Generator[File, None, Any]:
        """The files of `function(context, *arguments)`, or that they stand; returns what it told of them.

        `function` may know nothing but its arguments and what it asks of its context. Raises `TypeError` for one that
        could: defined inside another, or with arguments other than texts.
        """
        if function.__closure__ or "<" in function.__qualname__ or not all(type(a) is str for a in arguments):
            raise TypeError(f"{function.__qualname__} n'est pas une fonction de module aux arguments textuels")
        name = json.dumps([function.__module__, function.__qualname__, *arguments])
        former = self._former.get(name)
        if former is not None and self._holds(former):
            self._current[name] = former
            for path in former.files:
                yield Kept(path, former.files[path], (self._root / path).stat().st_size)
            return former.told
        seen = Seen(self._context, self._shared)
        files: dict[str, str] = {}
        told = yield from _noted(function(seen, *arguments), files)
        readings = sorted(([*reading] for reading in seen.read), key=repr)
        self._current[name] = _Made(readings, self._readings.of(seen.read), files, json.loads(json.dumps(told)))
        return self._current[name].told

    def _holds(self, former: _Made) -> bool:
        if self._readings.of({plain(each) for each in former.readings}) != former.answers:
            return False
        return all(_hash_of(self._root / path) == digest for path, digest in former.files.items())

    def save(self) -> None:
        """Keep what the parts of this publication were made from; nothing when the report has none.

        At any time: what it says of a file holds only where the file's own bytes say so too.
        """
        if not self._current:
            self._path.unlink(missing_ok=True)
            return
        parts = {name: [made.readings, made.answers, made.files, made.told] for name, made in self._current.items()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"recipe": self._recipe, "parts": parts}, separators=(",", ":"))
        content = gzip.compress(text.encode(), compresslevel=1, mtime=0)
        if not self._path.is_file() or self._path.read_bytes() != content:
            aside = self._path.with_name(f"{self._path.name}.tmp")
            aside.write_bytes(content)
            aside.replace(self._path)

    def _read(self) -> dict[str, _Made]:
        try:
            held = json.loads(gzip.decompress(self._path.read_bytes()))
            if held["recipe"] != self._recipe:
                return {}
            return {name: _Made(*made) for name, made in held["parts"].items()}
        except (OSError, EOFError, ValueError, KeyError, TypeError):  # absent or damaged: all is made again
            return {}


def _noted(outputs: Iterator[File], files: dict[str, str]) -> Generator[File, None, Any]:
    """`outputs` as they come, their hashes left in `files`."""
    while True:
        try:
            output = next(outputs)
        except StopIteration as end:
            return end.value
        yield output
        files[output.path] = output.digest  # of a stream, known now only
        del output  # it may be large: nothing holds it while the next one is made


def _hash_of(path: Path) -> str | None:
    try:
        with path.open("rb") as stood:
            return hashlib.file_digest(stood, "sha256").hexdigest()
    except OSError:
        return None
