"""Files that change, vanish or come by halves under the reader, an inbox not mounted, a clock that goes back."""

from __future__ import annotations

import errno
import io
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO

import pytest

from pipelines.ingest import deposit
from pipelines.ingest.deposit import InboxError, is_gone, look
from tests.project_state import ledger
from tests.test_inbox import Project, only, table

if TYPE_CHECKING:
    from pathlib import Path

CHANGED = "Le fichier a changé pendant la lecture : il sera lu au prochain passage."


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def facts(project: Project) -> dict[str, list[tuple[object, ...]]]:
    return ledger(project.warehouse / "ledger.sqlite")


def test_a_file_written_while_it_is_copied_waits(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    file = project.drop("a/f.csv", table(0, 100))
    assert project.counted() == 100
    project.drop("a/f.csv", table(0, 110))
    plain, grown = deposit._block, list[bool]()

    def block(original: BinaryIO) -> bytes:
        found = plain(original)
        if found and not grown:
            grown.append(True)
            with file.open("a") as more:
                more.write(table(110, 120).partition("\n")[2])
        return found

    monkeypatch.setattr(deposit, "_block", block)
    done = project.run()
    assert done.untaken == {"a/f.csv": CHANGED}
    assert sum(v.lines for v in done.versions if v.is_counted) == 100
    assert list((project.warehouse / "deposits").glob(".*")) == []
    monkeypatch.undo()
    assert project.counted() == 120


def test_a_file_that_grew_since_it_was_seen_waits(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    file = project.drop("a/f.csv", table(0, 3))
    project.drop("b/g.csv", table(0, 3))
    plain = deposit._opened

    def opened(source: Path) -> BinaryIO:
        if source == file and file.stat().st_size < 400:
            file.write_text(table(0, 50), encoding="utf-8")
        return plain(source)

    monkeypatch.setattr(deposit, "_opened", opened)
    assert project.run().untaken == {"a/f.csv": CHANGED}
    assert project.counted() == 53


@pytest.mark.parametrize("error", [errno.EIO, errno.ESTALE])
def test_a_failing_disk_under_one_file_stops_no_other(
    project: Project, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    project.drop("a/f.csv", table(0, 3))
    project.drop("b/g.csv", table(0, 3))
    assert project.counted() == 6
    project.drop("a/f.csv", table(0, 4))
    project.drop("b/g.csv", table(0, 4))
    plain = deposit._opened

    class Failing(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(error, "the disk does not answer")

    monkeypatch.setattr(deposit, "_opened", lambda source: (Failing if source.name == "f.csv" else plain)(source))
    done = project.run()
    assert list(done.untaken) == ["a/f.csv"]
    assert sum(v.lines for v in done.versions if v.is_counted) == 7
    monkeypatch.undo()
    assert project.counted() == 8


def test_a_file_that_vanishes_after_it_was_listed_is_not_there(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = project.drop("a/f.csv", table(0, 3))
    project.drop("b/g.csv", table(0, 3))
    plain = deposit._inside

    def inside(path: Path, raw: Path) -> bool:
        found = plain(path, raw)
        file.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(deposit, "_inside", inside)
    assert [seen.path for seen in look(project.raw)] == ["b/g.csv"]


def test_only_what_is_surely_gone_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_gone(tmp_path / "absent" / "f.csv")
    (tmp_path / "file").touch()
    assert is_gone(tmp_path / "file" / "f.csv")
    assert not is_gone(tmp_path / "file")

    def refused(path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(type(tmp_path), "stat", refused)
    assert not is_gone(tmp_path / "absent")


@pytest.mark.parametrize("how", ["gone", "empty", "hidden"])
def test_an_unmounted_inbox_withdraws_nothing(project: Project, how: str) -> None:
    project.drop("a/f.csv", table(0, 100))
    project.drop("b/g.csv", table(200, 260))
    assert project.counted() == 160
    before = facts(project)
    project.raw.rename(project.raw.with_name("mounted"))
    if how != "gone":
        project.raw.mkdir()
    if how == "hidden":  # what the folder of the mount holds when nothing is mounted on it
        project.drop("exemple/f.csv", table(500, 510))
        assert project.counted() == 170
    else:
        with pytest.raises(InboxError):
            project.run()
        assert facts(project) == before
    shutil.rmtree(project.raw, ignore_errors=True)
    project.raw.with_name("mounted").rename(project.raw)
    if how != "hidden":
        assert facts(project) == before
    assert project.counted() >= 160
    assert all(file["withdrawn_at"] is None for file in _files(project) if not file["path"].startswith("exemple"))


def _files(project: Project) -> list[dict[str, object]]:
    from pipelines.ingest.ledger import Ledger

    with Ledger(project.warehouse / "ledger.sqlite") as kept:
        return list(kept.files().values())


def test_half_an_upload_is_repaired_by_the_whole_one(tmp_path: Path) -> None:
    """A copy that stopped for a while looks like a file that is done: the whole one takes its place."""
    whole = table(0, 100)
    for name in ("calme", "coupe"):
        (tmp_path / name).mkdir()
    calm, cut = Project(tmp_path / "calme"), Project(tmp_path / "coupe")
    cut.drop("a/f.csv", whole[: len(whole) // 2])
    assert 40 < cut.counted() < 60
    for project in (calm, cut):
        project.drop("a/f.csv", whole)
        assert project.counted() == 100
    told = [{(v.fiscal_year, v.is_counted, v.lines) for v in p.run().versions if v.is_counted} for p in (calm, cut)]
    assert told[0] == told[1]
    cut.drop("a/f.csv", table(0, 120)[: len(whole) * 2 // 5])
    held = cut.run()
    assert only(held, "a/f.csv").report.status == "held"
    assert cut.counted() == 100
    cut.drop("a/f.csv", table(0, 120))
    assert cut.counted() == 120


def test_a_clock_that_goes_back_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    for name, days in (("droite", 1), ("recule", -400)):
        (tmp_path / name).mkdir()
        project = Project(tmp_path / name)
        for step, (path, text) in enumerate(
            [("a/f.csv", table(0, 100)), ("a/f.csv", table(0, 110)), ("a/g.csv", table(0, 112)),
             ("b/h.csv", table(300, 310)), ("b/h.csv", table(300, 311))]
        ):  # fmt: skip
            moment = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=days * step)

            class Clock(datetime):
                @classmethod
                def now(cls, tz: object = None, *, told: datetime = moment) -> datetime:  # type: ignore[override]
                    return told

            monkeypatch.setattr("pipelines.ingest.inbox.datetime", Clock)
            project.drop(path, text)
            project.run()
        kept.append((facts(project), project.counted()))
    assert kept[0] == kept[1]
    assert kept[0][1] == 123
