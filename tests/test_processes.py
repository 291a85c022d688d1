"""Worker processes end with the run that started them, even when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from polars import thread_pool_size

from pipelines.processes import fresh_processes

_PARENT = """
import os, time
from pipelines.processes import fresh_processes

if __name__ == "__main__":
    with fresh_processes(2) as pool:
        print(*{pool.submit(os.getpid).result() for _ in range(2)}, flush=True)
        pool.submit(time.sleep, 300)
        time.sleep(300)
"""


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_workers_end_with_their_parent_idle_or_busy(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(_PARENT, encoding="utf-8")
    told = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, env=told) as parent:
        assert parent.stdout is not None
        workers = [int(word) for word in parent.stdout.readline().split()]
        assert workers
        assert all(is_running(worker) for worker in workers)
        parent.send_signal(signal.SIGKILL)
    until = time.monotonic() + 20
    while any(is_running(worker) for worker in workers) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(is_running(worker) for worker in workers)


def test_results_and_exceptions_come_back() -> None:
    with fresh_processes(1) as pool:
        assert pool.submit(abs, -2).result() == 2
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result()


def test_workers_have_the_threads_that_they_are_given() -> None:
    for threads in (1, 3):
        with fresh_processes(1, threads_each=threads) as pool:
            assert pool.submit(thread_pool_size).result() == threads
    with fresh_processes(1) as pool:
        assert pool.submit(thread_pool_size).result() == thread_pool_size()
