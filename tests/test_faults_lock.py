"""Locks whose holder died, runs that Dagster believes alive, two runs at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs.places import Places
from pipelines.defs.turn import TAG, close_if_free, close_interrupted, turn
from tests.project_state import differences, state
from tests.reader import polling
from tests.test_faults_kill import drop

ROOT = Path(__file__).parents[1]
QFQ = Path(sys.executable).with_name("qfq")
_HOLDER = """
import sys, time
from pathlib import Path
from pipelines.defs.places import Places
from pipelines.defs.turn import turn

with Places(warehouse=sys.argv[1]).writing(), turn(Path(sys.argv[1]), waits=print):
    print("held", flush=True)
    time.sleep(300)
"""


@dg.op
def nothing() -> None:
    """Nothing."""


@dg.job
def idle() -> None:
    """A job that is never executed."""
    nothing()


def test_a_lock_that_survives_its_holder_holds_nobody(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLDER, str(tmp_path)]
    with (
        dg.DagsterInstance.ephemeral() as instance,
        subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as holder,
    ):
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        run = instance.create_run_for_job(idle, tags={TAG: "true"}, status=dg.DagsterRunStatus.STARTED)
        assert close_if_free(tmp_path, instance) == 0, "while it lives, its run is not over"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert {path.name for path in tmp_path.iterdir()} == {".lock", ".turn"}
        began, waited = time.monotonic(), []
        with Places(warehouse=str(tmp_path)).writing(), turn(tmp_path, waits=lambda: waited.append(True)):
            pass
        assert time.monotonic() - began < 5
        assert waited == []
        assert close_if_free(tmp_path, instance) == 1
        closed = instance.get_run_by_id(run.run_id)
        assert closed is not None
        assert closed.status == dg.DagsterRunStatus.FAILURE


def test_only_runs_of_terminals_that_are_not_over_are_closed() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        for tags, status in (
            ({}, dg.DagsterRunStatus.STARTED),
            ({TAG: "true"}, dg.DagsterRunStatus.SUCCESS),
            ({TAG: "true"}, dg.DagsterRunStatus.STARTING),
        ):
            instance.create_run_for_job(idle, tags=tags, status=status)
        assert close_interrupted(instance) == 1
        assert close_interrupted(instance) == 0
        assert sorted(run.status.value for run in instance.get_runs()) == ["FAILURE", "STARTED", "SUCCESS"]


def start(root: Path) -> subprocess.Popen[str]:
    folders = [word for name in ("raw", "warehouse", "reports") for word in (f"--{name}", str(root / name))]
    command = [QFQ, "run", *folders, "--as-of", "2026-09-30"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.fault
def test_two_runs_at_once_do_the_work_of_one(tmp_path: Path) -> None:
    alone, both = tmp_path / "seul", tmp_path / "deux"
    for root in (alone, both):
        drop(root, 0)
    told, _ = start(alone).communicate()
    assert "Échec" not in told
    with polling(both) as seen:
        runs = [start(both), start(both)]
        answers = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], answers
    assert sum("attente de sa fin" in answer for answer in answers) == 1
    assert seen.wrong == []
    assert differences(state(both), state(alone)) == {}
