"""Writes the site: every report's files, one by one, and only those whose bytes changed.

Everything is written aside first, then renamed: a full disk or a kill before that leaves the former site as it was.
Files that are new come first, then those that take another's place, indexes after the pages that they lead to, the home
page last; what is no longer produced is removed after that. So at any instant, whoever starts from the home page finds
every link, and so does who reads what a killed publication left. Files named by their content (module `shards`) stay
one publication longer: a page read a moment ago still asks for them. A whole site made from the same content by the
same code is left as it stands; so is each part of it that would be made of the same again (module `parts`).

`manifest/<report>.json` lists each report's files with their sha256, and is what tells a stale page from somebody
else's file; it names old and new files together while a publication is under way, so that a publication that was
interrupted leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import schemas
from pipelines import workbook_file
from pipelines.processes import fresh_processes
from pipelines.publish.assets import shared
from pipelines.publish.context import Context
from pipelines.publish.database import PublicDatabase
from pipelines.publish.parts import ENDING, Parts
from pipelines.publish.readings import everything
from pipelines.publish.reports import SHARDS, File, Output, Report, Stream, reports
from schemas.source import source_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.publish.context import Marks

SHARED = "site"
"""The manifest of what all pages share."""
WAITING = "former"
"""Folder of manifests of what each report left behind, to remove at the next publication."""
STATE = "published.txt"
"""Says from which content, by which code, the whole site was last published."""
_WORTH_IT = 8_000_000  # bytes of database: below, starting processes costs more than it saves
_HEAVY = 32_000_000  # bytes of database: below, what a process holds after a report is little, and it writes the next
_AT_ONCE = 1 << 20  # bytes of a file compared at once
_LIBRARIES = ("duckdb", "jinja2", "markupsafe", "numpy", "openpyxl", "pandas", "plotly", "polars")
BATCH, BATCH_BYTES = 200, 20_000_000
"""Files, and bytes of them, held in memory between two writings of a manifest."""


@dataclass(frozen=True)
class PublishResult:
    """What a publication did: HTML `pages`, `files` in all, their `bytes`; of these, `written` and `unchanged`.

    `removed` counts files of a former publication that are no longer produced.
    """

    pages: int
    files: int
    bytes: int
    written: int
    unchanged: int
    removed: int


@dataclass
class _Tally:
    sizes: dict[str, int] = field(default_factory=dict)
    written: int = 0
    removed: int = 0
    former: dict[Path, dict[str, str]] = field(default_factory=dict)
    current: dict[Path, dict[str, str]] = field(default_factory=dict)
    aside: list[str] = field(default_factory=list)


def publish(public_db: Path, reports_dir: Path, *, only: Iterable[str] | None = None) -> PublishResult:
    """Build the site of `public_db` in `reports_dir`: all reports, or those named in `only`.

    Equal databases give equal bytes. Raises `ValueError` for an unknown report name, for two reports that claim one
    path, and for a path outside the site.
    """
    known = {report.name: report for report in reports()}
    names = list(known) if only is None else sorted(set(only))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"rapports inconnus : {', '.join(unknown)} ; connus : {', '.join(known)}")
    tally = _Tally()
    reports_dir.mkdir(parents=True, exist_ok=True)
    state = reports_dir / "manifest" / STATE
    with PublicDatabase(public_db) as database:
        wanted = f"{database.fingerprint()} {_recipe()}"
        if only is None and (done := _already(wanted, state, reports_dir)) is not None:
            return done
        is_known = _is_of_this_code(state)
        if not _says(state, wanted):
            state.unlink(missing_ok=True)
        ordered = sorted(
            names,
            key=lambda name: (known[name].page == "index.html", -known[name].length, known[name].order, name),
        )
        context = Context(database)
        try:
            _write_report(SHARED, shared(), reports_dir, tally)
            for name in _written_apart(
                context, public_db, reports_dir, [known[n] for n in ordered], tally, is_known=is_known
            ):
                _write_parts(known[name], context, reports_dir, tally)
        except BaseException:  # a full disk above all: the former site stands, and what it lacks is not held back
            _sweep(reports_dir)
            raise
    if only is None:
        strays = (path for path in (reports_dir / "manifest").glob("*.json") if path.stem not in {*known, SHARED})
        tally.former |= {stray: _listed(stray) for stray in strays}
        for path in (reports_dir / "manifest").glob(f"*{ENDING}"):
            if path.name.removesuffix(ENDING) not in known:
                path.unlink()
    _finish(reports_dir, tally)
    if only is None:
        _write(state, wanted.encode())
    return PublishResult(
        pages=sum(path.endswith(".html") for path in tally.sizes),
        files=len(tally.sizes),
        bytes=sum(tally.sizes.values()),
        written=tally.written,
        unchanged=len(tally.sizes) - tally.written,
        removed=tally.removed,
    )


def _written_apart(
    context: Context, public_db: Path, root: Path, ordered: list[Report], tally: _Tally, *, is_known: bool
) -> list[str]:
    """Write the reports of a large database on all processors; returns those left, the home page among them.

    A task is one long report, or all the short ones. A process of a heavy database does one and ends, unless most
    of the site stands already (`is_known`): what it held does not add up.
    """
    names = [report.name for report in ordered]
    tasks = [[report.name] for report in ordered[:-1] if report.is_long]
    tasks += [short] if (short := [report.name for report in ordered[:-1] if not report.is_long]) else []
    workers = min(os.cpu_count() or 1, len(tasks))
    size = public_db.stat().st_size
    if workers < 2 or size < _WORTH_IT:
        return names
    with fresh_processes(workers, tasks_each=1 if size > _HEAVY and not is_known else None) as pool:
        marks = everything(context.database)
        context.database.rest()
        given = (public_db, root, marks, context.aside)
        for part in pool.map(_write_some, tasks, *([same] * len(tasks) for same in given)):
            if twice := tally.sizes.keys() & part.sizes.keys():
                raise ValueError(f"deux rapports écrivent {min(twice)}")
            tally.sizes |= part.sizes
            tally.former |= part.former
            tally.current |= part.current
            tally.aside += part.aside
            tally.written += part.written
    return names[-1:]


def _write_some(names: list[str], public_db: Path, root: Path, marks: Marks, aside: Path) -> _Tally:
    """Some reports, in a process of their own."""
    known = {report.name: report for report in reports()}
    tally = _Tally()
    with PublicDatabase(public_db) as database:
        context = Context(database, marks, aside)
        for name in names:
            _write_parts(known[name], context, root, tally)
    return tally


def _write_parts(report: Report, context: Context, root: Path, tally: _Tally) -> None:
    """One report, but for the parts of it that stand: those that a long one tells, a short one is one part."""
    context.parts = Parts(root, report.name, _recipe(), context)
    outputs = report.build(context) if report.is_long else context.part(report.build)
    _write_report(report.name, outputs, root, tally)
    context.parts.save()


def _already(wanted: str, state: Path, root: Path) -> PublishResult | None:
    """What stands in `root`, when it was made from this very content by this very code and no file of it changed."""
    if not _says(state, wanted):
        return None
    hashes = {root / path: wanted for m in (root / "manifest").glob("*.json") for path, wanted in _listed(m).items()}
    if not all(path.is_file() and _hash_of(path) == wanted for path, wanted in hashes.items()):
        return None
    listed = list(hashes)
    return PublishResult(
        pages=sum(path.suffix == ".html" for path in listed),
        files=len(listed),
        bytes=sum(path.stat().st_size for path in listed),
        written=0,
        unchanged=len(listed),
        removed=0,
    )


def _is_of_this_code(state: Path) -> bool:
    """Whether the former publication was whole, and made by this code."""
    return state.is_file() and state.read_bytes().endswith(f" {_recipe()}".encode())


def _says(state: Path, wanted: str) -> bool:
    return state.is_file() and state.read_bytes() == wanted.encode()


@cache
def _recipe() -> str:
    """What turns the database into files: versions of libraries, a hash of this wing and of what it stands on."""
    versions = " ".join(metadata.version(name) for name in _LIBRARIES)
    workbooks = hashlib.sha256(Path(workbook_file.__file__).read_bytes()).hexdigest()
    return f"{versions} {workbooks} {source_hash(Path(__file__).parent, Path(schemas.__file__).parent)}"


def _write_report(name: str, outputs: Iterable[File], root: Path, tally: _Tally) -> None:
    manifest = root / "manifest" / f"{name}.json"
    former = _listed(manifest)
    hashes: dict[str, str] = {}
    pending: list[Output] = []
    for output in _checked(outputs):
        if output.path in tally.sizes:
            raise ValueError(f"deux rapports écrivent {output.path}")
        if isinstance(output, Stream):
            _write_stream(output, manifest, former | hashes | {output.path: ""}, root, tally)
        elif isinstance(output, Output) and not _is_same(root / output.path, output.content):
            pending.append(output)
            tally.written += 1
        hashes[output.path], tally.sizes[output.path] = output.digest, output.size
        del output  # it may be large: nothing holds it while the next one is made
        if len(pending) >= BATCH or sum(len(each.content) for each in pending) >= BATCH_BYTES:
            _flush(pending, manifest, former | hashes, root, tally)
    _flush(pending, manifest, former | hashes, root, tally)
    tally.former[manifest], tally.current[manifest] = former, hashes


def _sweep(root: Path) -> None:
    """Remove what was written aside and never put in place: manifests name it, since they are written before."""
    manifests = root / "manifest"
    for manifest in manifests.glob("*.json"):
        for path in _listed(manifest):
            _aside(root / path).unlink(missing_ok=True)
    for aside in manifests.rglob("*.tmp"):
        aside.unlink()


def _finish(root: Path, tally: _Tally) -> None:
    """Put the new files in place, remove what is no longer produced, and let each manifest say what there is now."""
    _put_in_place(root, tally)
    _sweep(root)
    for manifest in sorted(tally.former):
        former, waiting = tally.former[manifest], root / "manifest" / WAITING / manifest.name
        gone = {path: digest for path, digest in former.items() if path not in tally.sizes}
        left = {path: digest for path, digest in gone.items() if path.startswith(SHARDS)}
        _remove({*gone, *_listed(waiting)} - {*left, *tally.sizes}, root, tally)
        if left:
            _write(waiting, _json(left))
        else:
            waiting.unlink(missing_ok=True)
        if manifest in tally.current:
            _write(manifest, _json(tally.current[manifest]))
        else:
            manifest.unlink()


def _flush(pending: list[Output], manifest: Path, listed: dict[str, str], root: Path, tally: _Tally) -> None:
    if pending:
        _write(manifest, _json(listed))
        for output in pending:
            _write_aside(root / output.path, output.content)
            tally.aside.append(output.path)
        pending.clear()


def _write_stream(stream: Stream, manifest: Path, listed: dict[str, str], root: Path, tally: _Tally) -> None:
    """Write a large file aside, and leave it there unless the former one has its bytes."""
    _write(manifest, _json(listed))
    target = root / stream.path
    target.parent.mkdir(parents=True, exist_ok=True)
    stream.into(_aside(target))
    if target.is_file() and target.stat().st_size == stream.size and _hash_of(target) == stream.digest:
        _aside(target).unlink()
        return
    tally.aside.append(stream.path)
    tally.written += 1


def _put_in_place(root: Path, tally: _Tally) -> None:
    """Rename what was written aside, in the order in which no link is ever broken."""
    former = {path for path in tally.aside if (root / path).exists()}

    def order(path: str) -> tuple[bool, bool, bool, int, str]:
        is_index = path.rsplit("/", 1)[-1] == "index.html"
        return path == "index.html", path in former, is_index, -path.count("/"), path

    for path in sorted(tally.aside, key=order):
        _aside(root / path).replace(root / path)


def _checked(outputs: Iterable[File]) -> Iterator[File]:
    for output in outputs:
        if not re.fullmatch(r"[\w-]+(/[\w-]+)*(\.[\w-]+)+", output.path, re.ASCII):
            raise ValueError(f"chemin refusé : {output.path!r}")
        yield output
        del output


def _listed(manifest: Path) -> dict[str, str]:
    if not manifest.exists():
        return {}
    try:
        listed: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
    except ValueError:  # damaged: written again with the report
        return {}
    return listed


def _hash_of(path: Path) -> str:
    with path.open("rb") as stood:
        return hashlib.file_digest(stood, "sha256").hexdigest()


def _json(hashes: dict[str, str]) -> bytes:
    return (json.dumps(hashes, indent=0, sort_keys=True) + "\n").encode()


def _is_same(path: Path, content: bytes) -> bool:
    if not path.is_file() or path.stat().st_size != len(content):
        return False
    with path.open("rb") as stood:
        return all(stood.read(_AT_ONCE) == content[at : at + _AT_ONCE] for at in range(0, len(content), _AT_ONCE))


def _write(path: Path, content: bytes) -> None:
    if _is_same(path, content):
        return
    _write_aside(path, content)
    _aside(path).replace(path)


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.tmp")


def _write_aside(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _aside(path).write_bytes(content)


def _remove(paths: Iterable[str], root: Path, tally: _Tally) -> None:
    for path in sorted(paths):
        target = root / path
        if target.is_file():
            target.unlink()
            tally.removed += 1
        if target.parent != root and target.parent.is_dir() and not any(target.parent.iterdir()):
            target.parent.rmdir()
