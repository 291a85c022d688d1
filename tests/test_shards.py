"""Reading in shards: the same bytes out as in process, whatever reads them, and nothing lost without being said."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
import subprocess
import sys
import time
from datetime import date
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from pipelines.defs import executors
from pipelines.defs.definitions import definitions, defs
from pipelines.defs.home import environment
from pipelines.defs.places import Places
from pipelines.defs.progress import Progress
from pipelines.defs.shards import NAME
from pipelines.defs.triggers import main_job, shards_sensor
from pipelines.ingest import stage as staging_module
from pipelines.ingest.inbox import Unread, ingest, unread
from pipelines.ingest.ledger import Ledger
from pipelines.ingest.normalise import Origin
from pipelines.ingest.restaging import cost
from pipelines.ingest.shards import Part, Shard, ShardError, cut, gather, read_shard
from pipelines.ingest.stage import stage
from schemas.funder import FunderFile
from tests.celery_workers import CELERY, celery_workers, is_available, run_shards

if TYPE_CHECKING:
    from pathlib import Path

DEMO = ("exemple-agence", "exemple-ccas-montorbiel", "exemple-departement-garonnette")
DAY = date(2026, 9, 30)


def inbox(project: Path, root: Path) -> Path:
    for name in DEMO:
        shutil.copytree(project / "raw" / name, root / "raw" / name, ignore=shutil.ignore_patterns("_*"))
    return root


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def receipts(root: Path) -> dict[str, bytes]:
    return {path: content for path, content in tree(root / "raw").items() if "/_accuses/" in path}


@pytest.fixture(scope="module")
def local(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the ordinary pass alone makes of the inbox."""
    root = inbox(project, tmp_path_factory.mktemp("local"))
    ingest(root / "raw", root / "warehouse", as_of=DAY)
    return root


def places_of(root: Path) -> Places:
    return Places(**{name: str(root / name) for name in ("raw", "warehouse", "reports")}, as_of=DAY.isoformat())


def in_process(root: Path, **config: float) -> dg.ExecuteInProcessResult:
    job = definitions(places=places_of(root), progress=Progress()).resolve_job_def(NAME)
    with dg.DagsterInstance.ephemeral() as instance:
        wanted = {"ops": {"preparer_les_lots": {"config": config}}}
        return job.execute_in_process(run_config=wanted, instance=instance, raise_on_error=False)


def told(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    [event] = [e for e in result.all_events if e.event_type == dg.DagsterEventType.ASSET_OBSERVATION]
    return {name: value.value for name, value in event.asset_observation_data.asset_observation.metadata.items()}


def failure(result: dg.ExecuteInProcessResult) -> str:
    [event] = [event for event in result.all_events if event.is_step_failure]
    error = event.step_failure_data.error
    assert error is not None
    return error.message


def deposits(count: int, seed: int) -> list[Unread]:
    draw = random.Random(seed)
    origin = Origin("d", "mairie", "a.csv", FunderFile())
    return [Unread(f"{n:064x}", origin, draw.randrange(1, 4_000_000), f"{n:032x}") for n in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_shards_hold_every_deposit_once_and_no_more_than_asked(seed: int) -> None:
    wanted = deposits(200, seed)
    shards = cut(wanted, most_bytes=5_000_000, most_files=7)
    held = [one for shard in shards for one in shard.deposits]
    assert sorted(one.key for one in held) == sorted(one.key for one in wanted)
    assert [shard.number for shard in shards] == list(range(1, len(shards) + 1))
    for shard in shards:
        assert 1 <= len(shard.deposits) <= 7
        assert len(shard.deposits) == 1 or sum(one.size for one in shard.deposits) <= 5_000_000
    random.Random(seed).shuffle(wanted)
    assert cut(wanted, most_bytes=5_000_000, most_files=7) == shards


def test_in_one_process_shards_give_the_same_bytes(project: Path, local: Path, tmp_path: Path) -> None:
    root = inbox(project, tmp_path)
    result = in_process(root, files=1)
    assert result.success
    n_files = len(list((local / "warehouse" / "staging").iterdir()))
    assert told(result) == {"lots prévus": n_files, "lots rassemblés": n_files, "fichiers lus": n_files}
    before = tree(root / "warehouse" / "staging")
    assert {path.name for path in (root / "warehouse" / "staging").iterdir()} == {
        path.name for path in (local / "warehouse" / "staging").iterdir()
    }
    done = ingest(root / "raw", root / "warehouse", as_of=DAY)
    assert all(deposit.is_new for deposit in done.deposits)
    assert tree(root / "warehouse" / "staging") == tree(local / "warehouse" / "staging")
    assert {path: content for path, content in tree(root / "warehouse" / "staging").items() if path in before} == before
    assert receipts(root) == receipts(local)
    again = in_process(root)
    assert again.success
    assert told(again) == {"lots prévus": 0, "lots rassemblés": 0, "fichiers lus": 0}


def test_the_ledger_knows_what_shards_read_and_its_speed_is_that_of_its_own_runs(project: Path, tmp_path: Path) -> None:
    root = inbox(project, tmp_path)
    assert in_process(root).success
    with Ledger(root / "warehouse" / "ledger.sqlite") as ledger:
        assert ledger.staged_sizes() == []
    time.sleep(1.1)  # the ledger's times have no fractions
    done = ingest(root / "raw", root / "warehouse", as_of=DAY)
    with Ledger(root / "warehouse" / "ledger.sqlite") as ledger:
        assert {deposit.staging.name for deposit in done.deposits} == ledger.recorded_stagings()
    assert cost(root / "raw", root / "warehouse").seconds is None
    assert not any(d.is_new for d in ingest(root / "raw", root / "warehouse", as_of=DAY).deposits)


def planned(project: Path, root: Path) -> list[Shard]:
    inbox(project, root)
    return cut(unread(root / "raw", root / "warehouse"), most_bytes=1, most_files=1)


def test_lost_doubled_and_damaged_work_is_refused(project: Path, tmp_path: Path) -> None:
    shards, warehouse = planned(project, tmp_path), tmp_path / "warehouse"
    parts = [read_shard(shard, warehouse) for shard in shards]
    assert gather(shards, parts[::-1], warehouse) == len(shards) >= 3
    emptied = Part(1, ())
    for wrong in ([], parts[1:], [*parts, parts[0]], [emptied, *parts[1:]]):
        with pytest.raises(ShardError, match="perdu ou doublé"):
            gather(shards, wrong, warehouse)
    staged = warehouse / "staging" / parts[0].keys[0]
    (staged / "accepted.parquet").write_bytes(b"PAR1")
    with pytest.raises(ShardError, match=r"1\sfichier sans lecture entière"):
        gather(shards, parts, warehouse)
    shutil.rmtree(staged)
    with pytest.raises(ShardError, match=r"1\sfichier sans lecture entière"):
        gather(shards, parts, warehouse)
    assert [d.is_new for d in ingest(tmp_path / "raw", warehouse, as_of=DAY).deposits] == [True] * len(shards)
    assert gather(shards, parts, warehouse) == len(shards)


def test_a_machine_with_other_code_or_another_folder_reads_nothing(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = planned(project, tmp_path)
    with pytest.raises(ShardError, match="QFQ_WAREHOUSE"):
        read_shard(shards[0], tmp_path / "ailleurs")
    monkeypatch.setattr(staging_module, "recipe_version", lambda: "une autre version")
    with pytest.raises(ShardError, match="la même version du projet"):
        read_shard(shards[0], tmp_path / "warehouse")
    assert not (tmp_path / "warehouse" / "staging").exists()


def test_a_part_that_cannot_be_read_fails_the_run_in_french(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox(project, tmp_path)

    def skewed(shard: Shard, warehouse: Path) -> Part:
        one = dataclasses.replace(shard.deposits[0], key="0" * 32)
        return read_shard(dataclasses.replace(shard, deposits=(one,)), warehouse)

    monkeypatch.setattr("pipelines.defs.shards.read_shard", skewed)
    result = in_process(tmp_path)
    assert not result.success
    assert "la même version du projet" in failure(result)


def test_two_processes_that_read_the_same_deposit_leave_one_reading(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [shard, *_] = planned(project, tmp_path)
    [one] = shard.deposits
    content, folder = tmp_path / "warehouse" / "deposits" / one.sha256, tmp_path / "warehouse" / "staging" / one.key
    real_seal = staging_module.seal

    def overtaken(aside: Path) -> None:
        real_seal(aside)
        monkeypatch.setattr(staging_module, "seal", real_seal)
        stage(content, one.origin, folder)

    monkeypatch.setattr(staging_module, "seal", overtaken)
    report = stage(content, one.origin, folder)
    assert report.rows_read == stage(content, one.origin, folder).rows_read
    assert [path.name for path in folder.parent.iterdir()] == [one.key]


def test_an_executor_file_is_refused_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(executors.VARIABLE, raising=False)
    assert executors.executor() is dg.in_process_executor
    file = tmp_path / "executeur.yaml"
    monkeypatch.setenv(executors.VARIABLE, str(file))
    for told_in_it, why in (
        (None, "n'est pas un fichier"),
        ("executor: dagster_dask.dask_executor", "n'exécute que la première étape"),
        ("executor: une_bibliotheque_absente.executor", "n'est pas installée"),
        ("executor: dagster.Definitions", "le chemin d'un exécuteur"),
        ("execution: {}", "le chemin d'un exécuteur"),
    ):
        if told_in_it is not None:
            file.write_text(told_in_it, encoding="utf-8")
        with pytest.raises(executors.ExecutorError, match=why):
            executors.executor()
    monkeypatch.setenv(executors.VARIABLE, str(CELERY.with_name("processes.yaml")))
    assert executors.executor().name == dg.multiprocess_executor.name


def test_the_inbox_asks_for_shards_where_they_are_spread_then_for_the_rest(project: Path, tmp_path: Path) -> None:
    root = inbox(project, tmp_path)
    told = (
        "from pipelines.defs.triggers import inbox_sensor; print(*[target.job_name for target in inbox_sensor.targets])"
    )
    for file, name in (("", main_job.name), (str(CELERY.with_name("processes.yaml")), NAME)):
        env = {**os.environ, executors.VARIABLE: file}
        seen = subprocess.run(
            [sys.executable, "-c", told], cwd=project, env=env, capture_output=True, text=True, check=True
        )
        assert seen.stdout.split() == [name]
    job = definitions(places=places_of(root), progress=Progress()).resolve_job_def(NAME)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, definitions=defs)
        assert not shards_sensor.evaluate_tick(context).run_requests
        run = job.execute_in_process(instance=instance)
        [request] = shards_sensor.evaluate_tick(context).run_requests or []
        assert request.run_key == run.run_id


def who_worked() -> dict[str, set[str]]:
    """The workers that executed each op of the last run, as the run's own events tell."""
    found: dict[str, set[str]] = {}
    with dg.DagsterInstance.get() as instance:
        [run] = instance.get_runs(limit=1)
        for entry in instance.all_logs(run.run_id):
            event = entry.dagster_event
            if event is None or event.event_type_value != "ENGINE_EVENT" or event.step_key is None:
                continue
            if (name := event.engine_event_data.metadata.get("Celery worker")) is not None:
                found.setdefault(event.step_key.partition("[")[0], set()).add(str(name.value).partition("@")[0])
    return found


def test_two_celery_workers_give_the_same_bytes(
    project: Path, local: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_available():
        pytest.skip("redis-server or dagster-celery is not installed: `apt-get install redis-server`, extra `celery`")
    root = inbox(project, tmp_path)
    env = environment(**{name: root / name for name in ("raw", "warehouse", "reports")})
    monkeypatch.setenv("DAGSTER_HOME", env["DAGSTER_HOME"])  # put back at the end of the test
    with celery_workers(env, tmp_path):
        done = run_shards(root, env, files=1)
    assert done.returncode == 0, done.stderr[-3000:]
    workers = who_worked()
    assert workers == {
        "preparer_les_lots": {"un"}, "lire_un_lot": {"un", "deux"}, "rassembler_les_lots": {"un"},
    }  # fmt: skip
    ingest(root / "raw", root / "warehouse", as_of=DAY)
    assert tree(root / "warehouse" / "staging") == tree(local / "warehouse" / "staging")
    assert receipts(root) == receipts(local)
