"""The inbox as a whole: what is taken, what never is, what follows from files that change, leave or cannot be read."""

from __future__ import annotations

import os
import sqlite3
import time
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pipelines.ingest import answers, pool
from pipelines.ingest.deposit import InboxError, UntakenError, look, settled, take
from pipelines.ingest.inbox import ingest
from pipelines.ingest.ledger import Ledger
from pipelines.ingest.manifest import write_manifest
from pipelines.ingest.normalise import Origin
from pipelines.ingest.release import NotWaitingError, release, waiting
from pipelines.ingest.stage import recipe_key
from pipelines.ingest.versions import Version
from schemas.funder import FunderFile
from schemas.source import source_hash

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.deposited import Deposit, Pass

AS_OF = date(2026, 1, 1)
HEADER = "nomAttribuant;nomBeneficiaire;exerciceBudgetaire;statutLabel;montantDemande;montant;objet"


def table(first: int, last: int, *, year: int = 2024, euros: int = 1000) -> str:
    rows = [f"F;Association {n};{year};attribuée;{euros + n};{euros + n};Projet {n}" for n in range(first, last)]
    return "\n".join([HEADER, *rows]) + "\n"


class Project:
    """A raw folder and a warehouse in a temporary place."""

    def __init__(self, root: Path) -> None:
        self.raw, self.warehouse = root / "raw", root / "warehouse"
        self.raw.mkdir()

    def drop(self, path: str, text: str | bytes) -> Path:
        file = self.raw / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def run(self) -> Pass:
        done = ingest(self.raw, self.warehouse, as_of=AS_OF)
        write_manifest(done, raw=self.raw, warehouse=self.warehouse)
        return done

    def release(self, name: str) -> None:
        release([name], warehouse=self.warehouse, how="test")

    def counted(self) -> int:
        done = self.run()
        current = {d.deposit_id for d in done.deposits if d.is_current}
        return sum(v.lines for v in done.versions if v.is_counted and v.deposit_id in current)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def only(done: Pass, path: str) -> Deposit:
    [deposit] = [d for d in done.deposits if d.path == path and d.is_present]
    return deposit


def test_what_is_never_a_deposit(project: Project) -> None:
    for path in ("a/_brouillon.csv", "a/.cache.csv", "a/~$ouvert.xlsx", "a/f.part", "a/f.tmp", "a/funder.toml",
                 "a/CONFIRMER-12345678.txt", "reference/sirene.csv", "a/_accuses/recu.html"):  # fmt: skip
        project.drop(path, "x")
    project.drop("a/sous/dossier/f.csv", table(0, 3))
    project.drop("seul.csv", table(0, 3))
    assert [(f.path, f.depositor) for f in look(project.raw)] == [("a/sous/dossier/f.csv", "a"), ("seul.csv", "")]


def test_links_that_leave_the_inbox_are_not_followed(project: Project, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(table(0, 3))
    (project.raw / "a").mkdir()
    (project.raw / "a" / "lien.csv").symlink_to(tmp_path / "secret.csv")
    assert look(project.raw) == []


def test_a_deposit_is_copied_once_and_staged_once(project: Project) -> None:
    project.drop("a/f.csv", table(0, 5))
    project.drop("a/copie.csv", table(0, 5))
    first, second = project.run(), project.run()
    assert len(first.deposits) == 1
    assert [d.is_new for d in first.deposits] == [True]
    assert [d.is_new for d in second.deposits] == [False]
    assert len(list((project.warehouse / "deposits").iterdir())) == 1
    assert (project.warehouse / "deposits" / first.deposits[0].sha256).stat().st_mode & 0o077 == 0


def test_each_file_gets_its_receipt_beside_it(project: Project) -> None:
    project.drop("a/f.csv", table(0, 5))
    project.drop("b/image.csv", b"\x89PNG\r\n\x1a\n")
    done = project.run()
    assert [d.report.status for d in done.deposits] == ["accepted", "refused"]
    for deposit in done.deposits:
        assert deposit.receipt is not None
        assert deposit.receipt.parent == project.raw / deposit.depositor / "_accuses"
        assert deposit.file_name in deposit.receipt.read_text(encoding="utf-8")


def test_the_same_path_rewritten_replaces(project: Project) -> None:
    project.drop("a/f.csv", table(0, 100))
    assert project.counted() == 100
    project.drop("a/f.csv", table(0, 110))
    assert project.counted() == 110


def test_a_bad_rewrite_leaves_the_previous_content_current(project: Project) -> None:
    project.drop("a/f.csv", table(0, 100))
    assert project.counted() == 100
    project.drop("a/f.csv", "rien")
    assert project.counted() == 100
    project.drop("a/f.csv", table(0, 101))
    assert project.counted() == 101


def test_a_withdrawal_that_loses_much_waits_for_a_confirmation(project: Project) -> None:
    gone = project.drop("a/f.csv", table(0, 100))
    project.drop("a/g.csv", table(100, 200))
    done = project.run()
    sha256 = only(done, "a/f.csv").sha256
    gone.unlink()
    assert project.counted() == 200
    project.drop(f"a/CONFIRMER-{sha256[:8]}.txt", "")
    assert project.counted() == 100
    assert project.counted() == 100


def test_a_renamed_file_is_no_withdrawal(project: Project) -> None:
    file = project.drop("a/f.csv", table(0, 100))
    assert project.counted() == 100
    file.rename(project.raw / "a" / "g.csv")
    assert project.counted() == 100


def test_a_file_held_for_its_rejections_can_be_released(project: Project) -> None:
    bad = table(0, 5) + "F;Autre;2024;attribuée;1;beaucoup;x\n" * 4
    project.drop("a/f.csv", bad)
    done = project.run()
    assert done.deposits[0].report.status == "held"
    assert f"CONFIRMER-{done.deposits[0].sha256[:8]}.txt" in " ".join(done.deposits[0].report.messages)
    project.release(done.deposits[0].sha256[:8])
    assert project.counted() == 5
    assert waiting(project.warehouse) == []


def test_only_what_waits_is_released_and_all_or_nothing(project: Project) -> None:
    with pytest.raises(NotWaitingError, match="aucun n'attend"):
        project.release("0123456789abcdef")
    project.drop("a/f.csv", table(0, 5) + "F;Autre;2024;attribuée;1;beaucoup;x\n" * 4)
    project.drop("b/g.csv", table(0, 5))
    done = project.run()
    held, loaded = only(done, "a/f.csv").deposit_id, only(done, "b/g.csv").deposit_id
    for name in (loaded, "inconnu", held[:4], ""):
        with pytest.raises(NotWaitingError, match=f"« {name} ».*{held} \\(a/f.csv, pour charger") as refusal:
            release([held, name], warehouse=project.warehouse, how="test")
        assert loaded not in str(refusal.value).partition("Dépôts en attente : ")[2]
    with Ledger(project.warehouse / "ledger.sqlite") as ledger:
        assert ledger.releases() == {}
    release([f" {held} ", held], warehouse=project.warehouse, how="test")
    assert project.counted() == 10


def test_everything_that_waits_can_be_released(project: Project) -> None:
    """A bad rewrite, an extract of a larger file, a withdrawal: each is listed, and each passes."""
    project.drop("a/f.csv", table(0, 100))
    project.drop("b/entier.csv", table(0, 100))
    gone = project.drop("c/f.csv", table(0, 100))
    project.drop("c/g.csv", table(100, 200))
    project.run()
    project.drop("a/f.csv", table(0, 50))
    project.drop("b/extrait.csv", table(0, 50))
    gone.unlink()
    project.run()
    held = waiting(project.warehouse)
    assert [(one.path, one.awaits) for one in held] == [
        ("a/f.csv", "remplacer quand même"),
        ("b/extrait.csv", "le compter quand même"),
        ("c/f.csv", "confirmer le retrait"),
    ]
    release([one.deposit_id for one in held], warehouse=project.warehouse, how="test")
    done = project.run()
    assert waiting(project.warehouse) == []
    assert {v.deposit_id: v.lines for v in done.versions if v.is_counted} == {
        only(done, "a/f.csv").deposit_id: 50,
        only(done, "b/extrait.csv").deposit_id: 50,
        only(done, "c/g.csv").deposit_id: 100,
    }


def test_an_absent_or_emptied_inbox_stops_the_pass(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InboxError):
        ingest(tmp_path / "nulle-part", project.warehouse, as_of=AS_OF)
    file = project.drop("a/f.csv", table(0, 3))
    project.run()
    file.unlink()
    with pytest.raises(InboxError):
        project.run()


def test_a_file_at_the_root_without_funder_is_held(project: Project) -> None:
    project.drop("seul.csv", table(0, 3).replace("F;", ";"))
    project.drop("nomme.csv", table(0, 3))
    done = project.run()
    assert {d.path: d.is_current for d in done.deposits} == {"nomme.csv": True, "seul.csv": False}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything: permissions cannot be tested")
def test_an_unreadable_file_does_not_stop_the_others(project: Project) -> None:
    project.drop("a/f.csv", table(0, 3)).chmod(0)
    project.drop("b/g.csv", table(0, 3))
    done = project.run()
    assert list(done.untaken) == ["a/f.csv"]
    assert [d.path for d in done.deposits] == ["b/g.csv"]


def test_a_killed_copy_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UntakenError, match="disparu"):
        take(tmp_path / "absent", tmp_path / "deposits")
    assert list((tmp_path / "deposits").iterdir()) == []


def test_a_changed_declaration_stages_again(project: Project) -> None:
    project.drop("a/f.csv", table(0, 3))
    project.run()
    project.drop("a/funder.toml", 'licence = "Licence Ouverte 2.0"\n')
    assert [d.is_new for d in project.run().deposits] == [True]


def test_the_ledger_keeps_what_was_decided(project: Project) -> None:
    project.drop("a/f.csv", table(0, 100))
    project.run()
    project.drop("a/g.csv", table(0, 105))
    done = project.run()
    with Ledger(project.warehouse / "ledger.sqlite") as ledger:
        assert [row["file_name"] for row in ledger.deposits().values()] == ["f.csv", "g.csv"]
    assert {v.reason for v in done.versions} == {"replaced", "counted"}


def test_a_file_that_still_grows_waits_for_the_next_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.drop("a/f.csv", table(0, 3))
    growing = project.drop("b/g.csv", table(0, 3))

    def copy_goes_on(_: float) -> None:
        growing.write_bytes(growing.read_bytes() + b"F;Autre;2024;attr")

    monkeypatch.setattr("pipelines.ingest.deposit.time.sleep", copy_goes_on)
    assert [file.path for file in settled(project.raw)] == ["a/f.csv"]
    assert [deposit.path for deposit in project.run().deposits] == ["a/f.csv"]
    monkeypatch.undo()
    growing.write_text(table(0, 4), encoding="utf-8")
    assert [deposit.path for deposit in project.run().deposits] == ["a/f.csv", "b/g.csv"]


def test_everything_reads_the_copy(project: Project) -> None:
    """What is staged is what was copied: a file rewritten during the pass changes nothing of that pass."""
    file = project.drop("a/f.csv", table(0, 3))

    def rewritten(path: str, rank: int, count: int) -> None:
        del path, rank, count
        file.write_text(table(0, 50), encoding="utf-8")

    done = ingest(project.raw, project.warehouse, as_of=AS_OF, progress=rewritten)
    assert [deposit.report.rows_accepted for deposit in done.deposits] == [3]
    assert project.counted() == 50


@pytest.mark.parametrize("told", ["content", "depositor", "name", "funder", "declarations", "code"])
def test_the_key_of_a_staging_depends_on_the_whole_recipe(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def key() -> str:
        origin = Origin(
            "d", "autre" if changed == "depositor" else "a", "g.csv" if changed == "name" else "f.csv",
            FunderFile(licence="LO") if changed == "declarations" else FunderFile(),
            funder_name="Ville" if changed == "funder" else None,
        )  # fmt: skip
        return recipe_key("1" * 64 if changed == "content" else "0" * 64, origin)

    changed = ""
    before = key()
    assert key() == before
    changed = told
    if told == "code":
        monkeypatch.setattr("pipelines.ingest.stage.recipe_version", lambda: "une autre version")
    assert key() != before


def test_the_recipe_covers_code_contracts_formats_and_codelists(tmp_path: Path) -> None:
    told = []
    for name in ("", "reader.py", "formats/scdl.toml", "codelists/theme.csv", "notes.md"):
        if name:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text("x")
        told.append(source_hash(tmp_path, suffixes={".py", ".toml", ".csv"}))
    assert len(set(told)) == 4
    assert told[-1] == told[-2]


def test_a_confirmation_is_worth_something_in_its_own_folder_only(project: Project) -> None:
    bad = table(0, 5) + "F;Autre;2024;attribuée;1;beaucoup;x\n" * 4
    project.drop("a/f.csv", bad)
    project.drop("f.csv", bad)
    sha256 = project.run().deposits[0].sha256
    project.drop(f"b/CONFIRMER-{sha256[:8]}.txt", "")
    project.drop("a/CONFIRMER-00000000.txt", "")
    assert project.counted() == 0
    project.drop(f"CONFIRMER-{sha256[:8]}.txt", "")
    assert project.counted() == 5
    project.drop(f"a/sous/CONFIRMER-{sha256[:8].upper()}.txt", "")
    assert project.counted() == 10


def test_to_load_a_file_is_not_to_let_it_go(project: Project) -> None:
    """Confirmed while it was there, a file that disappears waits like any other; said again, it goes."""
    gone = project.drop("a/f.csv", table(0, 5) + "F;Autre;2024;attribuée;1;beaucoup;x\n" * 4)
    project.drop("a/g.csv", table(100, 103))
    sha256 = only(project.run(), "a/f.csv").sha256
    said = project.drop(f"a/CONFIRMER-{sha256[:8]}.txt", "")
    an_hour_ago = time.time() - 3600
    os.utime(said, (an_hour_ago, an_hour_ago))
    assert project.counted() == 8
    with sqlite3.connect(project.warehouse / "ledger.sqlite") as ledger:
        ledger.execute("UPDATE releases SET released_at = '2020-01-01T00:00:00+00:00'")
    ledger.close()
    os.utime(said, (0, 0))
    gone.unlink()
    assert project.counted() == 8
    assert [one.awaits for one in waiting(project.warehouse)] == ["confirmer le retrait"]
    os.utime(said)
    assert project.counted() == 3


def test_the_date_in_the_content_beats_the_name_and_the_arrival(project: Project) -> None:
    def dated(first: int, last: int, day: str) -> str:
        head, *rows = table(first, last).splitlines()
        return "\n".join([f"{head};dateMiseAJour", *(f"{row};{day}" for row in rows)]) + "\n"

    project.drop("a/etat-2023-01-01.csv", dated(0, 105, "2024-06-30"))
    project.run()
    project.drop("a/etat-2024-05-01.csv", dated(5, 105, "2024-01-31"))
    done = project.run()
    assert {d.file_name: str(d.stated_date) for d in done.deposits} == {
        "etat-2023-01-01.csv": "2024-06-30",
        "etat-2024-05-01.csv": "2024-01-31",
    }
    reasons = {v.deposit_id: v.reason for v in done.versions}
    assert reasons[only(done, "a/etat-2023-01-01.csv").deposit_id] == "counted"
    assert reasons[only(done, "a/etat-2024-05-01.csv").deposit_id] == "replaced"


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)])
def test_the_order_of_arrival_changes_nothing(project: Project, order: tuple[int, ...]) -> None:
    files = [
        ("a/etat-2024-01-31.csv", table(0, 20)), ("a/etat-2024-06-30.csv", table(0, 22)),
        ("a/complement-2024-03-01.csv", table(100, 110)), ("b/copie-2024-02-01.csv", table(100, 110)),
    ]  # fmt: skip
    for place in order:
        project.drop(*files[place])
        if place == order[1]:
            project.run()
    done = project.run()
    counted = {
        path for path, _ in files for v in done.versions if v.is_counted and v.deposit_id == only(done, path).deposit_id
    }
    assert counted == {files[1][0], files[2][0], files[3][0]}
    twins = done.twins.pairs
    assert set(twins["deposit_id"]) == {only(done, "b/copie-2024-02-01.csv").deposit_id}
    assert twins.height == 10


def test_personal_values_are_in_no_staged_file(project: Project) -> None:
    """Neither in accepted lines nor in rejected ones, problems or the report; the receipt counts them."""
    secrets = ["claire.durand@exemple.fr", "06 12 34 56 78", "FR7630006000011234567890189", "2 84 05 34 172 123 45"]
    head = f"{HEADER};courriel;téléphone;IBAN;SIRET ou NIR"
    row = "F;Association {};2024;attribuée;{};{};Projet {};" + ";".join(secrets)
    bad = row.format("x", "beaucoup", "beaucoup", "joindre claire.durand@exemple.fr")
    project.drop(
        "a/f.csv",
        "\n".join([head, *(row.format(n, n + 1, n + 1, f"{n}, {secrets[0]}" if n == 3 else n) for n in range(9)), bad])
        + "\n",
    )
    [deposit] = project.run().deposits
    assert deposit.report.rows_accepted == 9
    assert deposit.report.personal_removed == {"adresse électronique": 2}
    unread = [column.header for column in deposit.report.columns if column.why == "donnée personnelle : non lue"]
    assert unread == ["courriel", "téléphone", "IBAN", "SIRET ou NIR"]
    said = [path.read_text(encoding="utf-8") for path in deposit.staging.glob("*.json")]
    for path in sorted(deposit.staging.glob("*.parquet")):
        said += [str(record) for record in pl.read_parquet(path).iter_rows()]
    assert len(said) > 11
    whole = "\n".join(said)
    for secret in secrets:
        for written in (secret, secret.replace(" ", "")):
            assert written not in whole, secret


def test_the_ledger_tells_the_runs_too(project: Project) -> None:
    project.drop("a/f.csv", table(0, 3))
    project.run()
    (project.raw / "a" / "f.csv").unlink()
    with pytest.raises(InboxError):
        project.run()
    with sqlite3.connect(project.warehouse / "ledger.sqlite") as ledger:
        runs = ledger.execute("SELECT as_of, ended_at IS NOT NULL, outcome FROM runs ORDER BY run_id").fetchall()
    ledger.close()
    assert runs == [("2026-01-01", 1, "read"), ("2026-01-01", 1, "failed")]


def test_a_step_of_the_ledger_is_done_or_not(project: Project) -> None:
    project.drop("a/f.csv", table(0, 3))
    done = project.run()
    half = [Version("d", 2024, 3), Version("e", 2024, 3, reason=None)]  # type: ignore[arg-type]
    with Ledger(project.warehouse / "ledger.sqlite") as ledger:
        before = ledger.let_in()
        with pytest.raises(sqlite3.IntegrityError):
            ledger.record_decisions(half, done.twins, datetime(2026, 1, 1))
        assert ledger.let_in() == before


def test_a_staging_that_a_killed_run_did_not_tell_is_told_by_the_next(project: Project) -> None:
    project.drop("ville/a.csv", table(1, 10))
    project.run()
    told = sqlite3.connect(project.warehouse / "ledger.sqlite")
    [key] = told.execute("SELECT recipe_key FROM stagings").fetchone()
    with told:
        told.execute("DELETE FROM stagings")
    project.run()
    assert told.execute("SELECT recipe_key FROM stagings").fetchall() == [(key,)]
    told.close()


def test_receipts_are_the_same_written_by_several_processes(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for year in range(2020, 2024):
        project.drop(f"ville/a-{year}.csv", table(1, 10, year=year))
    first = {deposit.deposit_id: deposit.receipt for deposit in project.run().deposits}
    receipts = {path: path.read_bytes() for path in first.values() if path is not None}
    for path in receipts:
        path.unlink()
    monkeypatch.setattr(answers, "_MANY", 2)
    monkeypatch.setattr(pool, "_WORTH_IT", 0)
    assert {deposit.deposit_id: deposit.receipt for deposit in project.run().deposits} == first
    assert {path: path.read_bytes() for path in receipts} == receipts
    assert len(receipts) == 4
