"""Decisions on lines of two depositors: followed at the next run, kept in the warehouse, said when nothing answers."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pipelines.ingest import choice
from pipelines.ingest.inbox import ingest
from pipelines.ingest.manifest import write_manifest
from pipelines.ingest.twins import Twins, find_twins
from pipelines.warehouse.build import build
from pipelines.warehouse.current import load_inputs
from schemas.decisions import DecisionsError, load_decisions
from tests.test_twins import Depositors, award
from tests.warehouse_staging import row, rows

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "left,right,decision,author,reason,date\n"
TITLES = "nomAttribuant;nomBeneficiaire;exerciceBudgetaire;statutLabel;montantDemande;montant;objet"


class Decided(Depositors):
    """Deposits of several depositors, and what people decided of their lines."""

    def decide(self, *decisions: tuple[str, str, str]) -> Twins:
        text = "".join(f"{a},{b},{word},A. Nalyste,vu avec les services,2026-11-02\n" for a, b, word in decisions)
        path = self.folder / "line_decisions.csv"
        path.write_text(HEADER + text, encoding="utf-8")
        told = [find_twins(order, load_decisions(path)) for order in permutations(self.holders.values())]
        assert all(other.pairs.equals(told[0].pairs) for other in told)
        assert all(other.decisions.equals(told[0].decisions) for other in told)
        return told[0]


@pytest.fixture
def depositors(tmp_path: Path) -> Decided:
    """Two depositors: one award that rules link, one restated, and two that no rule links."""
    made = Decided(tmp_path)
    made.deposit("etat", [
        award(1, application_id="e1"), award(2, 900, application_id="e2"), award(3, 300, "Colis", application_id="e3"),
    ])  # fmt: skip
    made.deposit("ville", [
        award(1, application_id="v1"), award(2, 800, application_id="v2"),
        award(4, 300, "Paniers", application_id="v4"),
    ])  # fmt: skip
    return made


def by_key(twins: Twins) -> dict[frozenset[str], tuple[str, bool]]:
    columns = ("line_key", "other_line_key", "rule", "is_sure")
    return {frozenset((a, b)): (rule, sure) for a, b, rule, sure in twins.pairs.select(columns).iter_rows()}


SURE = frozenset(("etat:e1", "ville:v1"))
RESTATED = frozenset(("etat:e2", "ville:v2"))
UNLIKE = frozenset(("etat:e3", "ville:v4"))


def test_without_a_decision_rules_alone_speak(depositors: Decided) -> None:
    assert by_key(depositors.decide()) == {SURE: ("same_title", True), RESTATED: ("restated", False)}


def test_lines_decided_the_same_are_counted_once(depositors: Decided) -> None:
    twins = depositors.decide((*sorted(RESTATED), "same"), (*sorted(UNLIKE), "same"))
    assert by_key(twins) == {SURE: ("same_title", True), RESTATED: ("decided", True), UNLIKE: ("decided", True)}
    assert twins.decisions["is_applied"].to_list() == [True, True]
    assert twins.pairs.filter(pl.col("rule") == "decided")["decision_line"].sort().to_list() == [2, 3]


def test_lines_decided_different_are_never_linked(depositors: Decided) -> None:
    twins = depositors.decide((*sorted(RESTATED), "different"), ("ville:v1", "etat:e1", "different"))
    assert by_key(twins) == {}
    assert twins.decisions["is_applied"].to_list() == [True, True]


@pytest.mark.parametrize(("one", "other"), [("a", "b"), ("b", "a")])
def test_a_line_decided_different_from_one_may_still_be_another(tmp_path: Path, one: str, other: str) -> None:
    made = Decided(tmp_path)
    made.deposit(one, [award(1, 500, "Fête du quartier des Pins", application_id="x")])
    made.deposit(other, [
        award(1, 500, "Fête du quartier des Pins", application_id="y"),
        award(1, 500, "Fête du quartier des Pins 2e", application_id="z"),
    ])  # fmt: skip
    assert by_key(made.decide()) == {frozenset((f"{one}:x", f"{other}:y")): ("same_title", True)}
    twins = made.decide((f"{one}:x", f"{other}:y", "different"))
    assert by_key(twins) == {frozenset((f"{one}:x", f"{other}:z")): ("same_title", True)}


def test_what_is_the_same_as_the_same_is_the_same(tmp_path: Path) -> None:
    made = Decided(tmp_path)
    for name in ("a", "b", "c"):
        made.deposit(name, [award(1, 100, f"Titre {name * 9}", application_id="x")])
    twins = made.decide(("a:x", "b:x", "same"), ("b:x", "c:x", "same"))
    assert twins.pairs["is_sure"].to_list() == [True, True]
    assert twins.pairs["other_line_id"].n_unique() == 1
    assert twins.decisions["is_applied"].to_list() == [True, True]


def test_lines_of_one_application_are_told_apart(tmp_path: Path) -> None:
    made = Decided(tmp_path)
    made.deposit("a", [award(1, 100 * n, "Colis", application_id="x") for n in (1, 2)])
    made.deposit("b", [award(1, 700, "Un tout autre intitulé", application_id="x")])
    twins = made.decide(("a:x#2", "b:x", "same"))
    assert by_key(twins) == {frozenset(("a:x#2", "b:x")): ("decided", True)}


@pytest.mark.parametrize(
    ("decision", "problem"),
    [
        (("etat:e9", "ville:v1", "same"), "ligne 2 : aucune ligne comptée"),
        (("etat:e1", "etat:e2", "same"), "ligne 2 : les deux lignes sont d’un même déposant"),
        (("etat:e1", "ville:paid", "same"), "ligne 2 : les deux lignes ne sont pas du même financeur"),
    ],
)
def test_a_decision_that_cannot_be_followed_says_why(
    depositors: Decided, decision: tuple[str, str, str], problem: str
) -> None:
    paid = award(1, headline_stage="paid", amount_awarded=None, amount_paid=1000, application_id="paid")
    depositors.deposit("ville", [paid], name="autre")
    twins = depositors.decide(decision)
    assert twins.decisions["is_applied"].to_list() == [False]
    assert twins.decisions["problem"][0].startswith(problem)
    assert by_key(twins) == {SURE: ("same_title", True), RESTATED: ("restated", False)}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("ville:v2,etat:e2,different", "line_decisions.csv, ligne 3 : la ligne 2 dit le contraire"),
        ("etat:e2,ville:v2,maybe", "line_decisions.csv, ligne 3 : décision inconnue"),
    ],
)
def test_a_file_of_decisions_that_contradicts_itself_stops_the_run(tmp_path: Path, more: str, message: str) -> None:
    path = tmp_path / "line_decisions.csv"
    path.write_text(f"{HEADER}etat:e2,ville:v2,same,A,x,2026-11-02\n{more},A,x,2026-11-02\n", encoding="utf-8")
    with pytest.raises(DecisionsError, match=message):
        load_decisions(path)


def test_decisions_are_followed_from_the_inbox_to_the_warehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key that the review list shows is written in the file; the line is counted once, stays so when the file is
    deposited again, and the table of decisions says so."""
    raw, warehouse, path = tmp_path / "raw", tmp_path / "warehouse", tmp_path / "line_decisions.csv"
    monkeypatch.setattr(choice, "LINES", path)

    def run(order: int = 1) -> Path:
        for folder, amount in (("etat", 900), ("ville", 800)):
            lines = [f"F;Association {n};2024;attribuée;;{amount + n};Projet des pins {n}" for n in range(3)][::order]
            file = raw / folder / "f.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("\n".join([TITLES, *lines]) + "\n", encoding="utf-8")
        done = ingest(raw, warehouse, as_of=date(2026, 1, 1))
        write_manifest(done, raw=raw, warehouse=warehouse)
        build(load_inputs(warehouse, as_of=date(2026, 1, 1)), warehouse / "funding.duckdb")
        return warehouse / "funding.duckdb"

    review = rows(run(), "FROM linked_lines_to_review ORDER BY applicant_name")
    assert len(review) == 3
    same, different = review[0], review[1]
    path.write_text(
        HEADER
        + f"{same['line_key']},{same['other_line_key']},same,A. Nalyste,un seul arrêté,2026-11-02\n"
        + f"{different['line_key']},{different['other_line_key']},different,A. Nalyste,deux aides,2026-11-02\n"
        + "etat:inconnue,ville:inconnue,same,A. Nalyste,à voir,2026-11-02\n",
        encoding="utf-8",
    )
    for order in (1, -1):
        database = run(order)
        assert len(rows(database, "FROM linked_lines_to_review")) == 1
        [out] = rows(database, "FROM applications WHERE not_counted_reason = 'reported_elsewhere'")
        assert out["applicant_name"] == same["applicant_name"]
        told = rows(database, "FROM line_decisions ORDER BY line")
        assert [decision["is_applied"] for decision in told] == [True, True, False]
        assert told[0]["uncounted_line_id"] == out["line_id"]
        assert (told[0]["author"], told[0]["reason"]) == ("A. Nalyste", "un seul arrêté")
        assert row(database, "FROM linked_lines WHERE decision_line = 2")["link_rule"] == "decided"
