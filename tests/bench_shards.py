"""`python -m tests.bench_shards`: what reading in shards costs, in one run on this machine, against the ordinary pass.

The inbox is the demonstration's. One machine shows what the machinery costs, not what more machines would win.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from datetime import date
from pathlib import Path

from pipelines.defs.home import environment
from pipelines.ingest.inbox import ingest
from tests.celery_workers import CELERY, celery_workers, is_available, run_shards
from tests.conftest import PROJECT

DAY = date(2026, 9, 30)
FILES = 20  # of a shard


def _inbox(root: Path) -> Path:
    for source in sorted((PROJECT / "raw").glob("exemple-*")):
        shutil.copytree(source, root / "raw" / source.name, ignore=shutil.ignore_patterns("_*"))
    return root


def _said(what: str, started: float, root: Path) -> None:
    read = len(list((root / "warehouse" / "staging").iterdir()))
    print(f"{what:<58} {time.perf_counter() - started:6.1f} s   {read} files read", flush=True)


def _shards(root: Path, what: str, env: dict[str, str]) -> None:
    started = time.perf_counter()
    done = run_shards(root, env, files=FILES)
    if done.returncode != 0:
        raise SystemExit(done.stderr[-2000:])
    _said(what, started, root)
    started = time.perf_counter()
    ingest(root / "raw", root / "warehouse", as_of=DAY)
    _said("  the ordinary pass after it", started, root)


def main() -> None:
    """Print the times, the wall's."""
    with tempfile.TemporaryDirectory() as folder:
        root = _inbox(Path(folder) / "ordinaire")
        started = time.perf_counter()
        ingest(root / "raw", root / "warehouse", as_of=DAY)
        _said("the ordinary pass, its own processes", started, root)
        for name, file in (("in one process", ""), ("multiprocess executor", str(CELERY.with_name("processes.yaml")))):
            root = _inbox(Path(folder) / name)
            env = environment(**{part: root / part for part in ("raw", "warehouse", "reports")})
            _shards(root, f"shards of {FILES} files, {name}", {**env, "QFQ_EXECUTOR": file, "PYTHONPATH": str(PROJECT)})
        if not is_available():
            print("celery: redis-server or the extra `celery` is not installed")
            return
        root = _inbox(Path(folder) / "celery")
        env = environment(**{part: root / part for part in ("raw", "warehouse", "reports")})
        with celery_workers(env, root):
            _shards(root, f"shards of {FILES} files, two Celery workers", env)


if __name__ == "__main__":
    main()
