"""Dagster's own folder: how the events of a run are written there."""

import uuid
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs.home import dagster_home, events_kept_open


def test_the_events_of_a_run_are_written_to_files_kept_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, run_id = dagster_home(tmp_path / "warehouse"), str(uuid.uuid4())
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    journals = [home / "history" / "runs" / f"{name}.db-wal" for name in (run_id, "index")]

    @dg.asset
    def thing() -> None: ...

    job = dg.Definitions(assets=[thing]).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.get() as instance:
        with events_kept_open(home, instance, run_id):
            assert job.execute_in_process(instance=instance, run_id=run_id).success
            assert all(journal.stat().st_size for journal in journals)
        assert not any(journal.exists() for journal in journals)
        assert instance.get_latest_materialization_event(thing.key) is not None
        written = len(instance.all_logs(run_id))
        again = job.execute_in_process(instance=instance)
        assert len(instance.all_logs(again.run_id)) == written
