"""Private copies are removed once nothing reads them for long enough; nothing else changes when one is gone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from pipelines.ingest import inbox, stage
from pipelines.ingest.deposit import InboxError
from pipelines.ingest.inbox import ingest
from pipelines.ingest.ledger import Ledger
from pipelines.ingest.manifest import write_manifest
from schemas.publication import load_publication

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.deposited import Deposit, Pass

AS_OF = date(2026, 1, 1)
HEADER = "nomAttribuant;nomBeneficiaire;exerciceBudgetaire;statutLabel;montantDemande;montant;objet"
DAYS = load_publication().retention.deposits_days


def table(lines: int, *, euros: int = 1000) -> str:
    rows = [f"F;Association {n};2024;attribuée;{euros + n};{euros + n};Projet {n}" for n in range(lines)]
    return "\n".join([HEADER, *rows]) + "\n"


class Project:
    """A raw folder and a warehouse in a temporary place."""

    def __init__(self, root: Path) -> None:
        self.raw, self.warehouse = root / "raw", root / "warehouse"
        self.drop("autre/liste.csv", table(3, euros=7000))

    def drop(self, path: str, text: str) -> None:
        file = self.raw / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def run(self) -> Pass:
        done = ingest(self.raw, self.warehouse, as_of=AS_OF)
        write_manifest(done, raw=self.raw, warehouse=self.warehouse)
        return done

    def later(self, days: int = DAYS + 1) -> None:
        """Make everything that the ledger knows older."""
        times = {"deposits": ["received_at"], "files": ["gone_at", "withdrawn_at"], "stagings": ["staged_at"]}
        with closing(sqlite3.connect(self.warehouse / "ledger.sqlite")) as db, db:
            for name, columns in times.items():
                for column in columns:
                    for rowid, time in db.execute(f"SELECT rowid, {column} FROM {name}").fetchall():
                        if time is not None:
                            earlier = datetime.fromisoformat(time) - timedelta(days=days)
                            db.execute(f"UPDATE {name} SET {column} = ? WHERE rowid = ?", (earlier.isoformat(), rowid))

    def copies(self) -> set[str]:
        return {path.name for path in (self.warehouse / "deposits").iterdir()}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def only(done: Pass, path: str) -> Deposit:
    [deposit] = [d for d in done.deposits if d.path == path and d.is_present]
    return deposit


def test_a_copy_that_is_read_stays_however_old(project: Project) -> None:
    project.drop("a/f.csv", table(5))
    project.run()
    project.later()
    assert project.run().removed_copies == 0
    assert len(project.copies()) == 2


def test_the_copy_of_a_replaced_file_goes_after_its_days(project: Project) -> None:
    project.drop("a/f.csv", table(5))
    old = only(project.run(), "a/f.csv").sha256
    project.drop("a/f.csv", table(6))
    project.run()
    project.later(DAYS - 1)
    assert (project.run().removed_copies, old in project.copies()) == (0, True)
    project.later(2)
    done = project.run()
    assert (done.removed_copies, old in project.copies()) == (1, False)
    with Ledger(project.warehouse / "ledger.sqlite") as ledger:
        assert set(ledger.removals()) == {old}
    assert project.run().removed_copies == 0


def test_the_copy_of_a_withdrawn_file_goes(project: Project) -> None:
    project.drop("autre/second.csv", table(200, euros=9000))
    project.drop("a/f.csv", "n'importe quoi\n")
    project.run()
    (project.raw / "a/f.csv").unlink()
    project.run()
    project.later()
    assert project.run().removed_copies == 1


def test_the_copy_of_a_refused_file_goes_and_its_answer_stays(project: Project) -> None:
    project.drop("a/f.csv", "n'importe quoi\n")
    refused = only(project.run(), "a/f.csv")
    project.later()
    assert (project.run().removed_copies, refused.sha256 in project.copies()) == (1, False)
    again = only(project.run(), "a/f.csv")
    assert (again.report.status, again.report.messages) == ("refused", refused.report.messages)


def test_the_copy_that_a_held_question_needs_stays(project: Project) -> None:
    project.drop("a/f.csv", "Association;Montant\nLes Amis;100\nLe Club;200\n")
    held = only(project.run(), "a/f.csv")
    assert held.report.status == "held"
    project.later()
    assert (project.run().removed_copies, held.sha256 in project.copies()) == (0, True)


def test_the_copy_of_what_a_held_rewrite_leaves_loaded_stays(project: Project) -> None:
    project.drop("a/f.csv", table(50))
    old = only(project.run(), "a/f.csv").sha256
    project.drop("a/f.csv", table(5))
    assert only(project.run(), "a/f.csv").report.status == "held"
    project.later()
    assert (project.run().removed_copies, old in project.copies()) == (0, True)


def test_the_same_content_loaded_in_another_folder_keeps_the_copy(project: Project) -> None:
    project.drop("a/f.csv", table(5))
    project.drop("b/f.csv", table(5))
    old = only(project.run(), "a/f.csv").sha256
    project.drop("a/f.csv", table(6))
    project.run()
    project.later()
    assert (project.run().removed_copies, old in project.copies()) == (0, True)


def changed_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "recipe_version", lambda: "another")


def test_a_copy_gone_is_taken_again_from_the_inbox(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.drop("a/f.csv", "n'importe quoi\n")
    name = only(project.run(), "a/f.csv").sha256
    project.later()
    project.run()
    changed_recipe(monkeypatch)
    again = only(project.run(), "a/f.csv")
    assert (again.is_new, again.report.status) == (True, "refused")
    assert name not in project.copies(), "read again, and still kept no longer"


def test_what_was_read_stays_when_it_cannot_be_read_again(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is gone and awaits a confirmation of its withdrawal, so its lines stay; its copy is lost."""
    project.drop("autre/liste2.csv", table(50))
    lost = only(project.run(), "autre/liste2.csv")
    (project.raw / "autre/liste2.csv").unlink()
    assert [d.is_current for d in project.run().deposits if d.path == "autre/liste2.csv"] == [True]
    (project.warehouse / "deposits" / lost.sha256).unlink()
    changed_recipe(monkeypatch)
    [kept] = [d for d in project.run().deposits if d.path == "autre/liste2.csv"]
    assert (kept.is_current, kept.is_new, kept.staging) == (True, False, lost.staging)
    assert any(
        "n’est plus conservée" in message and "est gardée telle quelle" in message for message in kept.report.messages
    )
    for folder in (project.warehouse / "staging").iterdir():
        if folder == lost.staging:
            folder.rename(folder.with_name("ailleurs"))
    with pytest.raises(InboxError, match="ne sont conservés"):
        project.run()


def test_an_annotated_copy_is_not_asked_of_a_copy_that_is_gone(project: Project) -> None:
    project.drop("a/f.csv", table(5).replace("attribuée", "vu en bureau", 1))
    deposit = only(project.run(), "a/f.csv")
    for path in (project.raw / "a" / "_accuses").glob("*.xlsx"):
        path.unlink()
    (project.warehouse / "deposits" / deposit.sha256).unlink()
    assert only(project.run(), "a/f.csv").is_current


def test_the_days_are_those_of_the_publication(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    publication = load_publication()
    short = publication.model_copy(update={"retention": publication.retention.model_copy(update={"deposits_days": 2})})
    monkeypatch.setattr(inbox, "load_publication", lambda: short)
    project.drop("a/f.csv", "n'importe quoi\n")
    project.run()
    project.later(3)
    assert project.run().removed_copies == 1
