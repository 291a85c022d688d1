"""Dagster: the graph is constant, every asset is described, and one model alone can be materialised."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import duckdb
import pytest

from pipelines.defs import contract_checks
from pipelines.defs.definitions import definitions, defs
from pipelines.defs.feeds import FEEDS
from pipelines.defs.home import dagster_home
from pipelines.defs.places import Places
from pipelines.defs.progress import Progress
from pipelines.defs.publication import AUDIT, public_database
from pipelines.defs.staging import staging
from pipelines.defs.terminal import run_main_job
from pipelines.defs.triggers import inbox_sensor, main_job
from pipelines.defs.warehouse import funding_database
from pipelines.publish.reports import reports
from pipelines.warehouse import suppression
from pipelines.warehouse.analysts import KINDS
from pipelines.warehouse.graph import checks, models

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

DEMO = ("exemple-ccas-montorbiel", "exemple-ddets", "exemple-agence")


@pytest.fixture(scope="module")
def places(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Places:
    root = tmp_path_factory.mktemp("projet")
    for name in DEMO:
        shutil.copytree(project / "raw" / name, root / "raw" / name, ignore=shutil.ignore_patterns("_*"))
    folders = {name: str(root / name) for name in ("raw", "warehouse", "reports")}
    return Places(**folders, as_of="2026-09-30")


@pytest.fixture(scope="module")
def instance(places: Places) -> Iterator[dg.DagsterInstance]:
    former = os.environ.get("DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(dagster_home(places.warehouse_folder))
    with dg.DagsterInstance.get() as instance:
        yield instance
    if former is None:
        del os.environ["DAGSTER_HOME"]
    else:
        os.environ["DAGSTER_HOME"] = former


@pytest.fixture(scope="module")
def run(places: Places, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = definitions(places=places, progress=Progress()).resolve_job_def(main_job.name)
    return job.execute_in_process(instance=instance, raise_on_error=False)


def test_the_graph_is_constant() -> None:
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    expected = {"feeds", "staging", "public_database"}
    expected |= {f"funding/{model.name}" for model in models() if not model.is_temporary}
    expected |= {f"reports/{report.name}" for report in reports()}
    assert keys == expected


def test_every_asset_is_described_and_grouped() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.group_name != "default", key
        assert node.kinds, key


def test_contract_rules_are_checks() -> None:
    names = {key.name for key in defs.resolve_asset_graph().asset_check_keys}
    assert set(contract_checks.rules()) <= names
    assert {check.name for check in checks()} <= names
    assert {"siret_invalid", "party_missing"} <= set(contract_checks.rules())


def test_the_whole_job_publishes(run: dg.ExecuteInProcessResult, places: Places) -> None:
    assert run.success
    assert (places.reports_folder / "index.html").is_file()
    materialised = {event.asset_key for event in run.get_asset_materialization_events()}
    assert materialised == defs.resolve_asset_graph().get_all_asset_keys() - {FEEDS}
    evaluations = {e.check_name: e for e in run.get_asset_check_evaluations()}
    assert evaluations["rows_add_up"].passed
    assert not evaluations["siret_invalid"].passed
    assert evaluations["siret_invalid"].severity == dg.AssetCheckSeverity.WARN
    assert all(e.passed for e in evaluations.values() if e.severity == dg.AssetCheckSeverity.ERROR)


def test_the_disclosure_audit_blocks_the_publication(
    run: dg.ExecuteInProcessResult,
    places: Places,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    [passed] = [e for e in run.get_asset_check_evaluations() if e.check_name == AUDIT]
    assert passed.passed
    assert passed.blocking
    before, page = places.public.read_bytes(), (places.reports_folder / "index.html").read_bytes()
    monkeypatch.setattr(suppression, "protect", _everything)
    resources = {"places": places, "progress": Progress()}
    failed = dg.materialize([public_database], instance=instance, resources=resources, raise_on_error=False)
    assert not failed.success
    [check] = failed.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (AUDIT, False)
    found = check.metadata["cellules devinées"].value.records[0].data  # type: ignore[union-attr]
    assert str(found["table"])
    assert str(found["cellule"])
    folders = {name: Path(getattr(places, name)) for name in ("raw", "warehouse", "reports")}
    assert run_main_job(**folders, as_of=places.day) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert "Audit de confidentialité" in told
    assert AUDIT in told
    assert places.public.read_bytes() == before
    assert (places.reports_folder / "index.html").read_bytes() == page


def _everything(
    atoms: pl.DataFrame, thresholds: suppression.Thresholds, *, published: pl.DataFrame, published_schemes: pl.DataFrame
) -> suppression.Shown:
    """A suppression that hides nothing."""
    levels = (
        suppression.FUNDER_YEAR, suppression.SERVICE_YEAR, suppression.TERRITORY_YEAR, suppression.SCHEME_YEAR,
    )  # fmt: skip
    return suppression.Shown(*(atoms.select(*keys, "measure").unique() for keys in levels))


def test_materialisations_carry_rows_columns_and_a_preview(run: dg.ExecuteInProcessResult) -> None:
    told = {event.asset_key: event.materialization.metadata for event in run.get_asset_materialization_events()}
    applications = told[dg.AssetKey(["funding", "applications"])]
    assert applications["dagster/row_count"].value > 0
    columns = applications["dagster/column_schema"].value.columns
    assert next(column for column in columns if column.name == "amount_awarded").description
    assert "aperçu" in applications
    assert told[dg.AssetKey("staging")]["dépôts"].value
    assert told[dg.AssetKey("staging")]["fichiers nouveaux"].value == told[dg.AssetKey("staging")]["fichiers"].value


def test_materialisations_tell_what_changed_and_what_waits(run: dg.ExecuteInProcessResult, places: Places) -> None:
    told = {event.asset_key: event.materialization.metadata for event in run.get_asset_materialization_events()}
    changed = told[dg.AssetKey(["funding", "applications"])]
    assert changed["lignes ajoutées par ce passage"].value == 0  # a first run has nothing to compare
    queue = told[dg.AssetKey(["funding", "review_queue"])]
    waiting = sum(int(queue[title].value) for title in KINDS.values())
    assert waiting == queue["dagster/row_count"].value
    for page in (changed["page des changements"], queue["page de ce qui est à décider"]):
        path = Path(str(page.value))
        assert path.is_file()
        assert path.is_relative_to(places.warehouse_folder)


def test_one_model_alone_is_rebuilt(
    run: dg.ExecuteInProcessResult, places: Places, instance: dg.DagsterInstance
) -> None:
    assert run.success
    before = places.funding.stat().st_ino
    key = dg.AssetKey(["funding", "continuity_by_funder_year"])
    resources = {"places": places, "progress": Progress()}
    result = dg.materialize([funding_database], selection=[key], instance=instance, resources=resources)
    assert result.success
    assert [event.asset_key for event in result.get_asset_materialization_events()] == [key]
    assert places.funding.stat().st_ino != before
    with duckdb.connect(str(places.funding), read_only=True) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM continuity_by_funder_year").fetchall() == [(True,)]


def test_the_sensor_sees_a_dropped_file_once(run: dg.ExecuteInProcessResult, places: Places) -> None:
    assert run.success

    def tick(cursor: str | None) -> tuple[int, str | None]:
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(
                instance=instance, cursor=cursor, definitions=defs, resources={"places": places}
            )
            data = inbox_sensor.evaluate_tick(context)
        return len(data.run_requests or []), data.cursor

    requests, cursor = tick(None)
    assert requests == 1
    assert tick(cursor)[0] == 0
    dropped = places.raw_folder / DEMO[0] / "nouveau.csv"
    dropped.write_text("a;b\n", encoding="utf-8")
    assert tick(cursor)[0] == 1
    dropped.unlink()


def test_telemetry_is_off(instance: dg.DagsterInstance) -> None:
    assert instance.telemetry_enabled is False


@pytest.fixture
def held_place(tmp_path: Path) -> Places:
    """A project whose only deposit is held: four of its nine lines cannot be read."""
    header = "nomAttribuant;nomBeneficiaire;exerciceBudgetaire;statutLabel;montant;objet"
    rows = [f"Ville;Association {n};2024;attribuée;{1000 + n if n < 5 else 'beaucoup'};Colis {n}" for n in range(9)]
    file = tmp_path / "raw" / "ville" / "2024.csv"
    file.parent.mkdir(parents=True)
    file.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    folders = {name: str(tmp_path / name) for name in ("raw", "warehouse", "reports")}
    return Places(**folders, as_of="2026-09-30")


def staged(places: Places, instance: dg.DagsterInstance, *released: str) -> dg.ExecuteInProcessResult:
    """`staging` alone, launched with what an analyst writes in the form."""
    return dg.materialize(
        [staging],
        instance=instance,
        resources={"places": places, "progress": Progress()},
        run_config={"ops": {"staging": {"config": {"deposits": list(released)}}}},
        raise_on_error=False,
    )


def told_of(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    [event] = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_the_launch_form_releases_a_held_deposit(held_place: Places, instance: dg.DagsterInstance) -> None:
    first = staged(held_place, instance)
    assert first.success
    assert told_of(first)["dagster/row_count"] == 0
    metadata = first.get_asset_materialization_events()[0].materialization.metadata
    [waiting] = metadata["dépôts en attente"].value.records  # type: ignore[union-attr]
    identifier = str(waiting.data["identifiant"])
    [check] = [e for e in first.get_asset_check_evaluations() if e.check_name == "every_file_is_loaded"]
    [unloaded] = check.metadata["fichiers"].value.records  # type: ignore[union-attr]
    assert unloaded.data["identifiant à libérer"] == identifier

    second = staged(held_place, instance, identifier)
    assert second.success
    assert told_of(second)["dagster/row_count"] == 5
    assert told_of(second)["dépôts en attente"] == "aucune ligne"
    with sqlite3.connect(held_place.warehouse_folder / "ledger.sqlite") as ledger:
        assert ledger.execute("SELECT deposit_id, how FROM releases").fetchall() == [
            (identifier, "formulaire de lancement")
        ]
    assert told_of(staged(held_place, instance))["dagster/row_count"] == 5


def test_the_launch_form_lists_what_waits_when_it_is_given_something_else(
    held_place: Places, instance: dg.DagsterInstance
) -> None:
    assert staged(held_place, instance).success
    before = (held_place.warehouse_folder / "current.json").read_bytes()
    failed = staged(held_place, instance, "inconnu")
    assert not failed.success
    [event] = [event for event in failed.all_events if event.is_step_failure]
    error = event.step_failure_data.error
    assert error is not None
    assert "Aucun dépôt en attente ne répond à « inconnu »" in error.to_string()
    assert "(ville/2024.csv, pour charger les lignes lisibles telles quelles)" in error.to_string()
    assert (held_place.warehouse_folder / "current.json").read_bytes() == before


def test_the_launch_form_of_the_main_job_is_ready_to_fill() -> None:
    job = defs.resolve_job_def(main_job.name)
    assert job.run_config == {"ops": {"staging": {"config": {"deposits": []}}}}
    form = job.run_config_schema.config_type.fields["ops"].config_type.fields["staging"].config_type.fields  # type: ignore[attr-defined]
    field = form["config"].config_type.fields["deposits"]
    assert field.default_value == []
    assert "en attente" in field.description
