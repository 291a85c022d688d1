"""What the warehouse costs at a country's size, printed: `python -m tests.bench_warehouse 1000000`.

Staging of that size is invented (`bench_lines`), with a tenth of it for the growth; then every stage runs in a process
of its own, so that its peak memory is its own. Floors are taken from the same files: what DuckDB needs to load the
lines into a file as they are, and to copy the awarded ones. The last line adds one file of 10 000 lines and does
everything again, as an ordinary day would.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.publish.site import publish
from pipelines.warehouse import themes
from pipelines.warehouse.build import build
from pipelines.warehouse.connection import opened, run, written_aside
from pipelines.warehouse.disclosure import publish_database
from pipelines.warehouse.inputs import register
from pipelines.warehouse.linking import tables
from schemas.publication import load_publication
from tests.bench_staging import arrived, inputs, staged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LINES = 1_000_000
ARRIVED = 10_000
SHOWN = 12
"""Tables whose time is printed, the longest first."""

Told = dict[str, Any]


def _stage(folder: Path) -> Path:
    return folder / "staging"


def generate(folder: Path, lines: int) -> Told:
    """Write the staging."""
    staged(_stage(folder), lines)
    return {}


def load(folder: Path, _: int) -> Told:
    """The floor of the models: the lines in a DuckDB file, as they are."""
    with written_aside(folder / "bare.duckdb") as connection:
        files = f"read_parquet('{_stage(folder)}/*/accepted.parquet', hive_partitioning = false, union_by_name = true)"
        run(connection, f"CREATE TABLE lines AS SELECT * FROM {files}")
        found = run(connection, "SELECT count(*), count(DISTINCT applicant_siren), count(DISTINCT title) FROM lines")
    return dict(zip(("lines", "sirens", "titles"), found[0], strict=True))


def read_themes(folder: Path, _: int) -> Told:
    """What the distinct texts say of a theme."""
    with duckdb.connect(":memory:") as connection:
        register(connection, inputs(_stage(folder)))
        themes.register(connection)
    return {}


def make_models(folder: Path, _: int) -> Told:
    """Every table of `funding.duckdb`."""
    result = build(inputs(_stage(folder)), folder / "funding.duckdb")
    return {"tables": result.seconds, "steps": result.steps, "rows": sum(result.rows.values())}


def link_names(folder: Path, _: int) -> Told:
    """Who is who, from what the lines say."""
    with opened(folder / "funding.duckdb") as connection:
        tables.register(connection, registers=None, decisions=None)
        names = run(connection, "SELECT count(DISTINCT name) FROM organisation_mentions")[0][0]
        return {"names": names, "bodies": run(connection, "SELECT count(*) FROM organisations")[0][0]}


def copy_awards(folder: Path, _: int) -> Told:
    """The floor of the public database: the awarded lines in a DuckDB file."""
    with written_aside(folder / "bare.duckdb") as connection:
        run(connection, f"ATTACH '{folder / 'funding.duckdb'}' AS funding (READ_ONLY)")
        run(
            connection,
            "CREATE TABLE awards AS SELECT application_id, funder_id, service_key, scheme, organisation_id, title,"
            " theme, applicant_siret, purpose, fiscal_year, amount_headline, decided_date FROM funding.applications"
            " WHERE is_award",
        )
        run(connection, "DETACH funding")
    return {}


def make_public(folder: Path, _: int) -> Told:
    """`public.duckdb`, with its audit."""
    parameters, day = load_publication(), inputs(_stage(folder)).as_of
    result = publish_database(folder / "funding.duckdb", folder / "public.duckdb", as_of=day, parameters=parameters)
    return {
        "tables": {name: took for name, took in result.seconds.items() if name != "audit"},
        "audit": result.seconds["audit"], "bounded": result.audit.n_bounded, "blocks": len(result.audit.blocks),
    }  # fmt: skip


def write_pages(folder: Path, _: int) -> Told:
    """The site."""
    result = publish(folder / "public.duckdb", folder / "reports")
    return {"written": result.written}


def add_file(folder: Path, _: int) -> Told:
    """One more file in the staging."""
    arrived(_stage(folder), ARRIVED)
    return {}


STAGES: Mapping[str, Callable[[Path, int], Told]] = {
    one.__name__: one
    for one in (
        generate, load, read_themes, make_models, link_names, copy_awards, make_public, write_pages, add_file,
    )
}  # fmt: skip


def apart(stage: str, folder: Path, lines: int) -> Told:
    """What a stage says of itself when it has a process of its own: seconds, those of the processors, megabytes."""
    command = [sys.executable, "-m", "tests.bench_warehouse", stage, str(folder), str(lines)]
    told: Told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return told


def _alone(stage: str, folder: Path, lines: int) -> Told:
    started = time.perf_counter()
    told = STAGES[stage](folder, lines)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": time.perf_counter() - started, "processor": used.ru_utime + used.ru_stime,
        "megabytes": used.ru_maxrss / 1024, **told,
    }  # fmt: skip


def measured(lines: int) -> dict[str, Told]:
    """Every stage at one size, in order; those of the second day bear « again »."""
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = ("generate", "load", "read_themes", "make_models", "link_names", "copy_awards", "make_public")
        for stage in (*first, "write_pages", "add_file"):
            found[stage] = apart(stage, folder, lines)
        for stage in ("make_models", "make_public", "write_pages"):
            found[f"{stage} again"] = apart(stage, folder, lines)
    return found


def _cost(told: Told) -> str:
    return f"{told['seconds']:.1f} s ({told['processor']:.1f} s of processor), {told['megabytes']:.0f} MB"


def rows(lines: int, found: Mapping[str, Told], smaller: Mapping[str, Told] | None) -> list[tuple[str, str]]:
    """What is printed of one size: what is measured, and its figures. `smaller`: the same of a tenth of the lines."""

    def growth(stage: str) -> str:
        if smaller is None:
            return ""
        times = found[stage]["processor"] / smaller[stage]["processor"]
        return f", {times:.1f} x a tenth of the lines"

    def ratio(stage: str, floor: str) -> str:
        return f"{found[stage]['seconds'] / found[floor]['seconds']:.1f} x {_cost(found[floor])}"

    models, public = found["make_models"], found["make_public"]
    longest = _longest(models["tables"])
    others = sum(models["tables"].values()) - sum(took for _, took in longest)
    deciding = public["seconds"] - public["audit"] - sum(public["tables"].values())
    told = [
        (
            "staging",
            f"{found['load']['lines']} lines, {found['load']['titles']} titles, {found['load']['sirens']} SIREN",
        ),
        ("models", _cost(models) + growth("make_models")),
        ("models, against the bare load", ratio("make_models", "load")),
        ("  of which themes of distinct texts", _cost(found["read_themes"]) + growth("read_themes")),
        (
            f"  of which linking {found['link_names']['names']} names",
            _cost(found["link_names"]) + growth("link_names"),
        ),
        *((f"  step: {name}", f"{took:.1f} s") for name, took in models["steps"].items()),
        *((f"  {name}.sql", f"{took:.1f} s") for name, took in longest),
        (f"  the {len(models['tables']) - len(longest)} other tables", f"{others:.1f} s"),
        ("public database, its audit apart", f"{public['seconds'] - public['audit']:.1f} s{growth('make_public')}"),
        ("public database, against the bare copy of awards", ratio("make_public", "copy_awards")),
        ("  step: what may be shown, and what changed", f"{deciding:.1f} s"),
        *((f"  {name}.sql", f"{took:.1f} s") for name, took in _longest(public["tables"])[:5]),
        ("whole audit", f"{public['audit']:.1f} s, {public['bounded']} funder-years bounded; {_cost(public)}"),
        ("pages", f"{_cost(found['write_pages'])}, {found['write_pages']['written']} files"),
    ]
    again = [found[f"{stage} again"] for stage in ("make_models", "make_public", "write_pages")]
    parts = " + ".join(f"{one['seconds']:.1f}" for one in again)
    told += [
        (
            f"one file of {ARRIVED} lines more: models, public database, pages",
            f"{parts} = {sum(one['seconds'] for one in again):.1f} s",
        ),
        (
            "  its audit",
            f"{again[1]['audit']:.1f} s, {again[1]['bounded']} of {again[1]['blocks']} funder-years bounded",
        ),
    ]
    return [(f"{lines} lines: {what}", value) for what, value in told]


def _longest(seconds: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(seconds.items(), key=lambda one: -one[1])[:SHOWN]


def report(lines: int, say: Callable[[str, str], None]) -> None:
    """Say what `lines` cost, and a tenth of them first."""
    smaller = measured(lines // 10)
    for what, value in rows(lines // 10, smaller, None):
        say(what, value)
    for what, value in rows(lines, measured(lines), smaller):
        say(what, value)


def main(arguments: list[str]) -> None:
    """One stage in this process, its figures as JSON; or a report of so many lines."""
    if arguments and arguments[0] in STAGES:
        print(json.dumps(_alone(arguments[0], Path(arguments[1]), int(arguments[2]))))
        return
    report(int(arguments[0]) if arguments else LINES, lambda what, value: print(f"{what:<72} {value}", flush=True))


if __name__ == "__main__":
    main(sys.argv[1:])
