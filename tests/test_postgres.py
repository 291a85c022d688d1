"""PostgreSQL as Dagster's memory, by configuration alone: a real server, started for the test."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest
import yaml

from pipelines.defs.definitions import definitions
from pipelines.defs.home import dagster_home
from pipelines.defs.places import Places
from pipelines.defs.progress import Progress
from pipelines.defs.staging import STAGING, staging
from pipelines.defs.triggers import inbox_sensor

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[1] / "pipelines" / "defs" / "dagster-postgres.yaml"
HEADER = "nomAttribuant;exerciceBudgetaire;nomBeneficiaire;statutLabel;montant;objet"


def programs() -> Path:
    """Where PostgreSQL's programs are; the test is skipped, and says why, when they are nowhere."""
    pytest.importorskip("dagster_postgres", reason="dagster-postgres is not installed: pip install dagster-postgres")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        pytest.skip("PostgreSQL is not installed (Debian: apt install postgresql)")
    return (found[-1] if found else Path(str(on_path))).parent


def as_server(command: list[str]) -> list[str]:
    """PostgreSQL refuses to be root."""
    return (
        ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command] if os.getuid() == 0 else command
    )


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    bin_ = programs()
    root = Path(tempfile.mkdtemp(prefix="qfq-pg-"))
    try:
        if os.getuid() == 0:
            try:
                account = pwd.getpwnam("postgres")
            except KeyError:
                pytest.skip("there is no account `postgres` to run the server as")
            os.chown(root, account.pw_uid, account.pw_gid)
        password = root / "password"
        password.write_text("mot de passe d'essai\n", encoding="utf-8")
        password.chmod(0o644)
        made = [str(bin_ / "initdb"), "-D", str(root / "data"), "-U", "qfq", "-A", "scram-sha-256",
                f"--pwfile={password}", "-E", "UTF8", "--no-sync"]  # fmt: skip
        subprocess.run(as_server(made), check=True, capture_output=True, cwd=root)
        port = free_port()
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={root} -c fsync=off"
        control = as_server([str(bin_ / "pg_ctl"), "-D", str(root / "data"), "-w", "-l", str(root / "log")])
        subprocess.run([*control, "-o", options, "start"], check=True, capture_output=True, cwd=root)
        try:
            secret = "mot de passe d'essai"
            create = [str(bin_ / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "qfq", "dagster"]
            subprocess.run(create, check=True, capture_output=True, env={**os.environ, "PGPASSWORD": secret})
            yield {
                "QFQ_POSTGRES_HOST": "127.0.0.1", "QFQ_POSTGRES_USER": "qfq", "QFQ_POSTGRES_PASSWORD": secret,
                "QFQ_POSTGRES_DB": "dagster", "port": str(port),
            }  # fmt: skip
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd=root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def home(server: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example, copied as it says, with nothing changed but the port of this server."""
    folder = dagster_home(tmp_path / "warehouse")
    text = EXAMPLE.read_text(encoding="utf-8").replace("port: 5432", f"port: {server['port']}")
    (folder / "dagster.yaml").write_text(text, encoding="utf-8")
    assert dagster_home(tmp_path / "warehouse") == folder
    assert (folder / "dagster.yaml").read_text(encoding="utf-8") == text
    for name, value in server.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    return folder


def test_runs_are_remembered_by_postgresql_and_nothing_else(home: Path, tmp_path: Path, server: dict[str, str]) -> None:
    folder = tmp_path / "raw" / "ville"
    folder.mkdir(parents=True)
    lines = [f"Ville;2025;Association {n};attribuée;{1000 + n};Colis {n}" for n in range(9)]
    (folder / "2025.csv").write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    places = Places(**{name: str(tmp_path / name) for name in ("raw", "warehouse", "reports")}, as_of="2026-09-30")
    with dg.DagsterInstance.get() as instance:
        resources = {"places": places, "progress": Progress()}
        assert dg.materialize([staging], instance=instance, resources=resources).success
    with dg.DagsterInstance.get() as instance:  # another process would see the same
        event = instance.get_latest_materialization_event(STAGING)
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.metadata["dagster/row_count"].value == 9
        [run] = instance.get_runs()
        assert run.tags["qfq/lus"] == "1"
        context = dg.build_sensor_context(
            instance=instance, definitions=definitions(places=places, progress=Progress()),
            resources={"places": places},
        )  # fmt: skip
        assert len(inbox_sensor.evaluate_tick(context).run_requests or []) == 1
    assert not list(home.rglob("*.db"))
    count = "SELECT count(*) FROM runs"
    psql = [
        str(programs() / "psql"),
        "-h",
        "127.0.0.1",
        "-p",
        server["port"],
        "-U",
        "qfq",
        "-At",
        "-c",
        count,
        "dagster",
    ]
    told = subprocess.run(
        psql, check=True, capture_output=True, env={**os.environ, "PGPASSWORD": server["QFQ_POSTGRES_PASSWORD"]}
    )
    assert told.stdout.decode().strip() == "1"


def test_the_example_is_ours_but_for_the_storage(tmp_path: Path) -> None:
    ours = yaml.safe_load((dagster_home(tmp_path) / "dagster.yaml").read_text(encoding="utf-8"))
    example = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    assert example.pop("storage")["postgres"]["postgres_db"]["password"] == {"env": "QFQ_POSTGRES_PASSWORD"}
    assert example == ours
