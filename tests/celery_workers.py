"""A real Redis and two Celery workers on this machine, for the tests and the bench of shards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from pipelines.defs import executors
from pipelines.defs.shards import NAME
from tests.conftest import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator

CELERY = Path(executors.__file__).parent / "celery.yaml"
BIN = Path(sys.executable).parent
QUEUES = {"un": "dagster,registre", "deux": "dagster"}
"""The workers, with the queues that each listens to: one alone opens the ledger."""


def is_available() -> bool:
    """Whether Debian's `redis-server` and the extra `celery` are installed."""
    return bool(shutil.which("redis-server") and find_spec("dagster_celery") and find_spec("redis"))


@contextmanager
def celery_workers(env: dict[str, str], logs: Path) -> Iterator[None]:
    """Two workers that listen for what `env`, completed for that, sends to them. `env` says where DAGSTER_HOME is."""
    with dg.DagsterInstance.from_config(env["DAGSTER_HOME"]) as instance:  # before the workers would both make it
        assert instance.get_runs_count() == 0
    broker = f"redis://127.0.0.1:{(port := _free_port())}"
    env |= {
        "QFQ_EXECUTOR": str(CELERY), "QFQ_CELERY_BROKER": f"{broker}/0", "QFQ_CELERY_BACKEND": f"{broker}/1",
        "PYTHONPATH": str(PROJECT), "PATH": os.pathsep.join((str(BIN), os.environ["PATH"])),
    }  # fmt: skip
    redis = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(logs)]
    start = [str(BIN / "dagster-celery"), "worker", "start", "-A", "dagster_celery.app", "-y", str(CELERY)]
    with ExitStack() as stack:
        stack.enter_context(_background(redis, env, logs / "redis.log", ready="Ready to accept"))
        for name, queues in QUEUES.items():
            command = [*start, "-n", name, "-q", queues, "--", "--concurrency", "1"]
            stack.enter_context(_background(command, env, logs / f"{name}.log", ready=" ready."))
        yield


def run_shards(root: Path, env: dict[str, str], *, files: int) -> subprocess.CompletedProcess[str]:
    """`lire_en_lots` in a process of its own, as the daemon would launch it."""
    config = root / "lots.json"
    config.write_text(json.dumps({"ops": {"preparer_les_lots": {"config": {"files": files}}}}), encoding="utf-8")
    command = [
        str(BIN / "dagster"),
        "job",
        "execute",
        "-m",
        "pipelines.defs.definitions",
        "-j",
        NAME,
        "-c",
        str(config),
    ]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=400, check=False)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _background(command: list[str], env: dict[str, str], log: Path, *, ready: str) -> Iterator[None]:
    """A process that has said that it is `ready`, ended with those that it started."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            for _ in range(900):
                if process.poll() is not None or ready in log.read_text(encoding="utf-8", errors="replace"):
                    break
                time.sleep(0.1)
            assert ready in (found := log.read_text(encoding="utf-8", errors="replace")), found[-3000:]
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
