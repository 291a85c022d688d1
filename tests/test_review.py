"""What a run changed, and what waits for a decision: exact, private, and with where to answer."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.ingest.inbox import ingest
from pipelines.ingest.manifest import write_manifest
from pipelines.warehouse.analysts import NoDatabaseError, euros, pending, write_changes, write_queue
from pipelines.warehouse.build import BuildResult, build
from pipelines.warehouse.current import load_inputs

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.warehouse.run_changes import RunChanges

AS_OF = date(2026, 9, 30)
HEADER = "nomAttribuant;exerciceBudgetaire;nomBeneficiaire;statutLabel;montant;objet"


def rows(funder: str, *amounts: object, year: int = 2025) -> str:
    lines = [f"{funder};{year};Association {n};attribuée;{amount};Colis {n}" for n, amount in enumerate(amounts)]
    return "\n".join([HEADER, *lines]) + "\n"


class Project:
    def __init__(self, root: Path) -> None:
        self.raw, self.warehouse = root / "raw", root / "warehouse"

    def drop(self, place: str, text: str) -> None:
        path = self.raw / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self) -> BuildResult:
        done = ingest(self.raw, self.warehouse, as_of=AS_OF)
        write_manifest(done, raw=self.raw, warehouse=self.warehouse)
        return build(load_inputs(self.warehouse, as_of=AS_OF), self.funding)

    @property
    def funding(self) -> Path:
        return self.warehouse / "funding.duckdb"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return _two_funders(tmp_path)


def _two_funders(root: Path) -> Project:
    made = Project(root)
    made.drop("ville/2025.csv", rows("Ville", *range(1000, 1030)))
    made.drop("metropole/2025.csv", rows("Métropole", *range(5000, 5020)))
    return made


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunChanges]:
    """A project of two funders, and what its first run told."""
    root = tmp_path_factory.mktemp("first")
    return root, _two_funders(root).run().changes


@pytest.fixture
def ran(first: tuple[Path, RunChanges], tmp_path: Path) -> Project:
    """A project of one's own that was run once."""
    return Project(shutil.copytree(first[0], tmp_path / "ran"))


def test_the_first_run_has_nothing_to_compare(first: tuple[Path, RunChanges]) -> None:
    _, changes = first
    assert changes.is_first
    assert changes.funders.is_empty()


def test_a_run_tells_lines_and_euros_of_the_funders_that_moved(ran: Project) -> None:
    amounts: list[object] = [1100, *range(1001, 1030), 700, 800]
    ran.drop("ville/2025.csv", rows("Ville", *amounts))
    changes = ran.run().changes
    [row] = changes.funders.to_dicts()
    assert row["funder_name"] == "Ville"
    assert (row["amount_before"], row["amount_after"]) == (Decimal(sum(range(1000, 1030))), Decimal(sum(amounts)))  # type: ignore[arg-type]
    moved = (row["n_added"], row["n_removed"], row["n_changed"])
    assert moved in ((2, 0, 1), (3, 1, 0))
    assert row["n_after"] == 32
    assert ("ville/2025.csv", True) in changes.files
    assert ("ville/2025.csv", False) in changes.files
    assert changes.totals["n_added"] - changes.totals["n_removed"] == 2
    assert ("applications", 50, 52) in changes.tables


def test_the_same_inputs_change_nothing(ran: Project) -> None:
    assert ran.run().changes.is_empty
    ran.warehouse.joinpath("funding.duckdb.made-from").unlink()
    assert ran.run().changes.is_empty


def test_a_new_funder_is_all_added(ran: Project) -> None:
    ran.drop("region/2025.csv", rows("Région", 10, 20))
    [row] = ran.run().changes.funders.to_dicts()
    assert (row["funder_name"], row["n_added"], row["amount_before"], row["amount_after"]) == (
        "Région", 2, Decimal(0), Decimal(30),
    )  # fmt: skip


def test_a_damaged_former_database_is_replaced_without_comparison(ran: Project) -> None:
    ran.funding.write_bytes(b"abime" * 1000)
    assert ran.run().changes.is_first


def test_a_single_model_rebuilt_changes_no_line(ran: Project) -> None:
    result = build(load_inputs(ran.warehouse, as_of=AS_OF), ran.funding, select=["funders"])
    assert result.changes.is_empty


class Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, _: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def text_of(page: Path) -> str:
    parser = Text()
    parser.feed(page.read_text(encoding="utf-8"))
    assert "script" not in parser.tags
    return " ".join(" ".join(parser.words).split())


def test_the_page_of_changes_keeps_the_latest_runs_first(ran: Project, first: tuple[Path, RunChanges]) -> None:
    write_changes(first[1], ran.warehouse, at=datetime(2026, 1, 1, tzinfo=UTC))
    ran.drop("region/2025.csv", rows("<script>alert(1)</script>", 10, 20))
    second = ran.run().changes
    page = write_changes(second, ran.warehouse, at=datetime(2026, 1, 2, tzinfo=UTC))
    told = text_of(page)
    assert told.index("02/01/2026 à 01 h 00") < told.index("01/01/2026 à 01 h 00")
    assert "30,00" in told
    assert "Fichiers arrivés : region/2025.csv." in told
    again = write_changes(ran.run().changes, ran.warehouse, at=datetime(2026, 1, 3, tzinfo=UTC))
    assert "03/01/2026" not in text_of(again)
    (page.parent / "changements.json").write_text("{", encoding="utf-8")
    assert text_of(write_changes(second, ran.warehouse, at=datetime(2026, 1, 4, tzinfo=UTC))).count("Passage") == 1
    assert len(json.loads((page.parent / "changements.json").read_text(encoding="utf-8"))) == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1234567.8", "1\u202f234\u202f567,80\u00a0€"),
        ("-0.5", "−0,50\u00a0€"),
        (None, "–"),
        (Decimal("5"), "5,00\u00a0€"),
    ],
)
def test_euros_are_exact(value: str | Decimal | None, words: str) -> None:
    assert euros(value) == words


def test_what_waits_says_where_to_answer_most_euros_first(project: Project) -> None:
    bad = [1000 if n < 50 else "beaucoup" for n in range(100)]
    project.drop("agence/2025.csv", rows("Agence", *bad))
    status = rows("CCAS", 10, 20).replace("attribuée", "à revoir en séance")
    project.drop("ccas/2025.csv", status)
    project.run()
    items = pending(project.funding)
    kinds = [item.kind for item in items]
    assert "hold" in kinds
    assert "status" in kinds
    hold = next(item for item in items if item.kind == "hold")
    assert (hold.place, hold.amount) == ("agence/2025.csv", Decimal(50_000))
    with duckdb.connect(str(project.funding), read_only=True) as connection:
        identifiers = connection.execute("SELECT deposit_id, sha256 FROM deposits WHERE awaits IS NOT NULL").fetchall()
    assert identifiers[0][0] in hold.answer
    assert f"CONFIRMER-{identifiers[0][1][:8]}.txt" in hold.answer
    known = [item.amount for item in items if item.amount is not None]
    assert known == sorted(known, reverse=True)
    told = text_of(write_queue(items, project.warehouse, as_of=AS_OF))
    assert "50 000,00" in told.replace("\u202f", " ")
    assert "formulaire de lancement" in told

    shown = CliRunner().invoke(app, ["review", "--warehouse", str(project.warehouse)])
    assert shown.exit_code == 0
    assert "Dépôts retenus : 1" in shown.output

    from pipelines.ingest.release import release

    release([identifiers[0][0]], warehouse=project.warehouse, how="test")
    project.run()
    assert "hold" not in [item.kind for item in pending(project.funding)]


def test_a_doubtful_link_can_be_answered_as_the_page_says(project: Project, tmp_path: Path) -> None:
    project.drop("a/2025.csv", rows("A", 5).replace("Association 0", "Les Amis du Jardin Partagé de Montorbiel"))
    project.drop("b/2025.csv", rows("B", 7).replace("Association 0", "Amis du Jardin Partage Montorbiel"))
    project.run()
    links = [item for item in pending(project.funding) if item.kind == "link"]
    if not links:
        pytest.skip("the model of names is sure of every pair of this file")
    decided = tmp_path / "decisions.csv"
    answer = links[0].answer.replace("same ou different", "different")
    decided.write_text(f"left,right,decision,author,reason,date\n{answer}\n", encoding="utf-8")
    from dataclasses import replace

    build(replace(load_inputs(project.warehouse, as_of=AS_OF), organisation_decisions=decided), project.funding)
    assert links[0].place not in [item.place for item in pending(project.funding) if item.kind == "link"]


def test_without_a_database_there_is_nothing_to_review(tmp_path: Path) -> None:
    with pytest.raises(NoDatabaseError, match="qfq run"):
        pending(tmp_path / "funding.duckdb")
    assert CliRunner().invoke(app, ["review", "--warehouse", str(tmp_path)]).exit_code == 2
    assert "rien n'attend" in text_of(write_queue([], tmp_path, as_of=AS_OF))
