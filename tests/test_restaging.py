"""What reading again costs is said before it is paid; what passes is tried again, what a file got wrong is not."""

from __future__ import annotations

import errno
import sqlite3
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg
import duckdb
import pytest
import yaml
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.defs.definitions import definitions, defs
from pipelines.defs.forecast import forecast_job
from pipelines.defs.home import dagster_home
from pipelines.defs.places import Places
from pipelines.defs.progress import Progress
from pipelines.defs.retries import MAX_RUNTIME, tried_again
from pipelines.defs.triggers import feeds_job, main_job
from pipelines.ingest.deposit import InboxError
from pipelines.ingest.inbox import ingest
from pipelines.ingest.restaging import Cost, cost, told_plainly

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = date(2026, 9, 30)
HEADER = "nomAttribuant;exerciceBudgetaire;nomBeneficiaire;statutLabel;montant;objet"


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "raw"
    for name in ("ville", "metropole"):
        lines = [f"{name};2025;Association {n};attribuée;{1000 + n};Colis {n}" for n in range(40)]
        (folder / name).mkdir(parents=True)
        (folder / name / "2025.csv").write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return folder


def test_before_the_first_run_the_duration_is_not_known(raw: Path, tmp_path: Path) -> None:
    found = cost(raw, tmp_path / "warehouse")
    assert (found.n_new, found.n_again, found.seconds) == (2, 0, None)
    assert "durée inconnue" in told_plainly(found)
    assert not (tmp_path / "warehouse").exists()


def test_a_changed_recipe_is_counted_before_it_is_read(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = tmp_path / "warehouse"
    ingest(raw, warehouse, as_of=AS_OF)
    assert cost(raw, warehouse) == Cost(seconds=0, n_runs=1)
    assert told_plainly(cost(raw, warehouse)) == "rien de nouveau à lire, rien à relire."
    monkeypatch.setattr("pipelines.ingest.stage.recipe_version", lambda: "autre")
    found = cost(raw, warehouse)
    size = sum(path.stat().st_size for path in raw.glob("*/*.csv"))
    assert (found.n_new, found.n_again, found.lines_again, found.bytes_again) == (0, 2, 80, size)
    assert found.seconds is not None
    assert 0 < found.seconds <= 60
    assert "2 fichiers à relire" in told_plainly(found).replace("\u00a0", " ")
    shown = CliRunner().invoke(app, ["plan", "--raw", str(raw), "--warehouse", str(warehouse)])
    assert (shown.exit_code, "à relire" in shown.output) == (0, True)
    ingest(raw, warehouse, as_of=AS_OF)
    assert cost(raw, warehouse).n_again == 0


def test_only_what_changed_is_read_again(raw: Path, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse"
    ingest(raw, warehouse, as_of=AS_OF)
    (raw / "ville" / "funder.toml").write_text('level = "commune"\n', encoding="utf-8")
    (raw / "ville" / "2026.csv").write_text("a;b\n1;2\n", encoding="utf-8")
    found = cost(raw, warehouse)
    assert (found.n_new, found.n_again, found.lines_again) == (1, 1, 40)


def test_what_has_no_copy_left_is_not_read_again(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse = tmp_path / "warehouse"
    ingest(raw, warehouse, as_of=AS_OF)
    monkeypatch.setattr("pipelines.ingest.stage.recipe_version", lambda: "autre")
    (raw / "ville" / "2025.csv").unlink()
    for copy in (warehouse / "deposits").iterdir():
        copy.unlink()
    found = cost(raw, warehouse)
    assert (found.n_kept, found.n_again) == (1, 1)


def test_the_duration_follows_the_runs_of_the_ledger(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = tmp_path / "warehouse"
    ingest(raw, warehouse, as_of=AS_OF)
    with sqlite3.connect(warehouse / "ledger.sqlite") as ledger:
        ledger.execute("UPDATE runs SET started_at = '2026-09-30T10:00:00+00:00'")
        ledger.execute("UPDATE runs SET ended_at = '2026-09-30T10:00:50+00:00'")
        ledger.execute("UPDATE stagings SET staged_at = '2026-09-30T10:00:00+00:00'")
    monkeypatch.setattr("pipelines.ingest.stage.recipe_version", lambda: "autre")
    assert cost(raw, warehouse).seconds == pytest.approx(50)


def test_an_absent_inbox_is_told(tmp_path: Path) -> None:
    with pytest.raises(InboxError):
        cost(tmp_path / "raw", tmp_path / "warehouse")
    assert CliRunner().invoke(app, ["plan", "--raw", str(tmp_path / "raw")]).exit_code == 2


def test_the_forecast_is_an_observation_of_staging(raw: Path, tmp_path: Path) -> None:
    places = Places(raw=str(raw), warehouse=str(tmp_path / "warehouse"), reports=str(tmp_path / "reports"))
    job = definitions(places=places, progress=Progress()).resolve_job_def(forecast_job.name)
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
        assert result.success
        [observed] = [event for event in result.all_events if event.event_type_value == "ASSET_OBSERVATION"]
        metadata = observed.asset_observation_data.asset_observation.metadata
    assert metadata["fichiers nouveaux"].value == 2
    assert not (tmp_path / "warehouse").exists()


@pytest.mark.parametrize("error", [OSError(errno.ESTALE, "gone"), sqlite3.OperationalError("database is locked"),
                                   duckdb.IOException("Could not set lock on file")])  # fmt: skip
def test_what_passes_is_tried_again(error: Exception) -> None:
    with pytest.raises(dg.RetryRequested), tried_again():
        raise error


@pytest.mark.parametrize(
    "error",
    [
        InboxError("vide"),
        OSError(errno.ENOSPC, "full"),
        ValueError("x"),
        sqlite3.OperationalError("no such table"),
        PermissionError(errno.EACCES, "no"),
    ],
)
def test_what_would_be_as_wrong_a_minute_later_is_not(error: Exception) -> None:
    with pytest.raises(type(error)), tried_again():
        raise error


def test_a_step_that_fails_for_a_moment_succeeds(raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelines.defs import retries, staging

    real, calls = staging.ingest, []

    def flaky(*arguments: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            raise OSError(errno.ESTALE, "Stale file handle")
        return real(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(staging, "ingest", flaky)
    monkeypatch.setattr(retries, "_WAIT", 0)
    places = Places(raw=str(raw), warehouse=str(tmp_path / "warehouse"), reports=str(tmp_path / "reports"))
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"places": places, "progress": Progress()}
        result = dg.materialize([staging.staging], instance=instance, resources=resources)
        assert result.success
        tags = instance.get_run_by_id(result.run_id).tags  # type: ignore[union-attr]
    assert len(calls) == 2
    assert (tags["qfq/lus"], tags["qfq/en_attente"]) == ("2", "0")


def test_every_job_has_its_tags_and_a_longest_duration() -> None:
    for job in (main_job, feeds_job, forecast_job):
        told = defs.resolve_job_def(job.name)
        assert told.run_tags["qfq/travail"] == job.name
        assert int(told.run_tags[MAX_RUNTIME]) >= 3600


def test_a_former_configuration_of_ours_is_brought_up_to_date(tmp_path: Path) -> None:
    file = dagster_home(tmp_path) / "dagster.yaml"
    now = file.read_text(encoding="utf-8")
    assert yaml.safe_load(now)["run_monitoring"]["enabled"] is True
    former = now.partition("# A run whose")[0]
    file.write_text(former, encoding="utf-8")
    dagster_home(tmp_path)
    assert file.read_text(encoding="utf-8") == now
    own = former + "storage:\n  sqlite:\n    base_dir: /ailleurs\n"
    file.write_text(own, encoding="utf-8")
    dagster_home(tmp_path)
    assert file.read_text(encoding="utf-8") == own


def test_the_configuration_is_one_that_dagster_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(dagster_home(tmp_path)))
    with dg.DagsterInstance.get() as instance:
        assert instance.run_monitoring_enabled
        assert instance.run_retries_enabled
        assert instance.run_monitoring_start_timeout_seconds == 600
