"""A reader that polls a project while others write it: what it opens must be whole, whatever happens to them.

Run as a process of its own: `python -m tests.reader ROOT`, until its standard input is closed; it then prints what it
saw as JSON.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASES = ("funding", "public")
_READ = {"funding": ("applications", "deposits"), "public": ("awards", "funders")}
_LINKS = re.compile(rb"""\s(?:href|src|srcset|data-plotly|action|poster)=["']?([^"'\s>]+)""")
_SHARDS = re.compile(rb'"([0-9a-f]{10})"')
_EVERY = 0.5  # seconds

Stat = tuple[int, int, int]


@dataclass
class Seen:
    """What a reader saw. `wrong`: what was not whole; `states`: the rows of every table, each time they were others."""

    looks: int = 0
    bad_looks: int = 0
    opened: int = 0
    pages: int = 0
    wrong: list[str] = field(default_factory=list)
    states: dict[str, list[dict[str, int]]] = field(default_factory=lambda: {name: [] for name in DATABASES})


class Reader:
    """One reader of the project at `root`."""

    def __init__(self, root: Path) -> None:
        self.site, self.warehouse = root / "reports", root / "warehouse"
        self.seen = Seen()
        self._links: dict[str, tuple[Stat, frozenset[str]]] = {}

    def look(self) -> None:
        """Open both databases, read what is current, and follow every link of the site from its home page."""
        self.seen.looks += 1
        before = len(self.seen.wrong)
        self._look()
        self.seen.bad_looks += len(self.seen.wrong) > before

    def _look(self) -> None:
        for name in DATABASES:
            self._open(name)
        try:
            json.loads((self.warehouse / "current.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            pass
        except ValueError as error:
            self.seen.wrong.append(f"current.json: {error}")
        self.walk()

    def _open(self, name: str) -> None:
        path = self.warehouse / f"{name}.duckdb"
        if not path.exists():
            return
        try:
            found = rows(path)
            with duckdb.connect(str(path), read_only=True) as connection:
                for table in _READ[name]:
                    connection.execute(f"SELECT bit_xor(hash(t)) FROM {table} AS t").fetchall()
        except duckdb.Error as error:
            self.seen.wrong.append(f"{name}.duckdb: {str(error).splitlines()[0]}")
            return
        self.seen.opened += 1
        if found not in self.seen.states[name]:
            self.seen.states[name].append(found)

    def walk(self) -> None:
        """From the home page, and from the pages that were reached by the look before: a reader may stand on one."""
        waiting = ["index.html", *self._links]
        reached: dict[str, tuple[Stat, frozenset[str]]] = {}
        while waiting:
            name = self._named(waiting.pop())
            if name in reached or (stat := _stat(self.site / name)) is None:
                continue
            found = self._links.get(name)
            if found is None or found[0] != stat:
                found = self._read(name)
            if found is None:
                continue
            reached[name] = found
            waiting += found[1] - reached.keys()
            for link in found[1]:
                # The page is looked at again before it is said: it may have been replaced since it was read.
                if _stat(self.site / self._named(link)) is None and _stat(self.site / name) == found[0]:
                    self.seen.wrong.append(f"{name}: leads to {link}, which is not there")
        self._links = reached

    def _named(self, link: str) -> str:
        """The file that a link names: a page names its shards by their hash alone."""
        if "*" not in link:
            return link
        return next((path.relative_to(self.site).as_posix() for path in self.site.glob(link)), link)

    def _read(self, name: str) -> tuple[Stat, frozenset[str]] | None:
        """The file's identity and what it leads to; None when it was replaced meanwhile: the next look reads it."""
        stat = _stat(self.site / name)
        try:
            content = (self.site / name).read_bytes()
        except FileNotFoundError:
            return None
        if stat is None or _stat(self.site / name) != stat:
            return None
        self.seen.pages += 1
        if not _is_ended(name, content):
            self.seen.wrong.append(f"{name}: half a file")
        return stat, _links(name, content)


def rows(path: Path) -> dict[str, int]:
    """The rows of every table of the database at `path`, counted: its catalogue's estimates keep those deleted."""
    with duckdb.connect(str(path), read_only=True) as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in names)
        return dict(connection.execute(counts).fetchall())


def _stat(path: Path) -> Stat | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_ended(name: str, content: bytes) -> bool:
    match Path(name).suffix:
        case ".html":
            return content.rstrip().endswith(b"</html>")
        case ".parquet":
            return content.endswith(b"PAR1")
        case ".xlsx":
            return b"PK\x05\x06" in content[-64:]
        case ".json":
            return content.rstrip()[-1:] in {b"}", b"]"}
        case ".csv":
            return content.endswith(b"\n")
        case ".js" if name.startswith("s/"):
            return content.endswith(b")\n")
        case _:
            return bool(content)


def _links(name: str, content: bytes) -> frozenset[str]:
    """The files of the site that a page leads to, by their path, the shards that its script asks for among them."""
    if not name.endswith(".html"):
        return frozenset()
    found = {f"s/*/{shard.decode()}.js" for shard in _SHARDS.findall(content)}
    for link in set(_LINKS.findall(content)):
        path = unquote(urldefrag(link.decode())[0]).partition("?")[0]
        if path and not re.match(r"\w+:", path):
            found.add(os.path.normpath(Path(name).parent / path))
    return frozenset(found)


@contextmanager
def polling(root: Path) -> Iterator[Seen]:
    """A reader in a process of its own for as long as the block lasts; `Seen` is filled at its end."""
    seen = Seen()
    command = [sys.executable, "-m", "tests.reader", str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]) as run:
        yield seen
        told, _ = run.communicate()
    assert run.returncode == 0
    for name, value in json.loads(told).items():
        setattr(seen, name, value)


def _poll(root: Path) -> None:
    ended, reader = threading.Event(), Reader(root)
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while True:
        reader.look()
        if ended.wait(_EVERY):
            break
    reader.look()
    print(json.dumps(asdict(reader.seen)))


if __name__ == "__main__":
    _poll(Path(sys.argv[1]))
