"""The same award reported by two depositors: linked, counted once by a stated rule, doubtful ones left to people."""

from __future__ import annotations

import sqlite3
from datetime import date
from itertools import permutations
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pipelines.ingest import twins
from pipelines.ingest.check import check_file
from pipelines.ingest.inbox import ingest
from pipelines.ingest.manifest import write_manifest
from pipelines.ingest.normalise import Origin
from pipelines.ingest.twins import Holder, Twins, find_twins
from pipelines.warehouse.build import build
from pipelines.warehouse.current import load_inputs
from schemas.application import Application
from schemas.contract import polars_schema
from schemas.funder import FunderFile
from tests.warehouse_staging import line, row, rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

    from pipelines.ingest.deposited import Pass

AS_OF = date(2026, 1, 1)
CITY = "213401723"
HEADER = "nomAttribuant;nomBeneficiaire;exerciceBudgetaire;statutLabel;montantDemande;montant;objet"


class Depositors:
    """Deposits of several depositors in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.holders = folder, dict[str, Holder]()

    def deposit(self, depositor: str, lines: list[dict[str, Any]], *, name: str = "f", **stated: Any) -> None:
        deposit_id = f"{depositor}-{name}"
        told = [
            {
                "line_id": f"{deposit_id}:0:{number}", "deposit_id": deposit_id, "source_sheet": "",
                "case_number": None, "source_row": number, "is_demonstration": False, **given,
            }
            for number, given in enumerate(lines, start=2)
        ]  # fmt: skip
        staging = self.folder / deposit_id
        staging.mkdir()
        frame = pl.DataFrame(told, schema=polars_schema(Application), orient="row")
        frame.write_parquet(staging / "accepted.parquet")
        self.holders[deposit_id] = Holder(**{
            "deposit_id": deposit_id, "depositor": depositor, "sha256": deposit_id, "format_id": depositor,
            "stated_date": None, "funder_file": FunderFile(), "staging": staging,
            "years": frozenset(frame["fiscal_year"].to_list()), **stated,
        })  # fmt: skip

    def twins(self) -> Twins:
        """What is found, whatever the order in which the deposits are given."""
        told = [find_twins(order) for order in permutations(self.holders.values())]
        assert all(other.pairs.equals(told[0].pairs) for other in told)
        return told[0]

    def rules(self) -> dict[str, int]:
        return dict(self.twins().pairs["rule"].value_counts().iter_rows())

    def counted_out(self) -> list[str]:
        """The deposits of the lines that are no longer counted."""
        return sorted(set(self.twins().pairs.filter("is_sure")["deposit_id"]))


@pytest.fixture
def depositors(tmp_path: Path) -> Depositors:
    return Depositors(tmp_path)


def award(org: int, amount: float = 1000, title: str | None = None, **values: Any) -> dict[str, Any]:
    told = {"title": title or f"Projet {'abcdefghij'[org % 10]} {org}", "case_number": None, **values}
    return line(org=org, amount=amount, **told)


def refusal(org: int, **values: Any) -> dict[str, Any]:
    return line("refused", org=org, **{"case_number": None, **values})


def awards(orgs: Iterable[int], **values: Any) -> list[dict[str, Any]]:
    return [{**award(org, 1000 + org), **values} for org in orgs]


def test_an_award_of_two_depositors_is_counted_once(depositors: Depositors) -> None:
    depositors.deposit("prefecture", awards(range(1, 60)))
    depositors.deposit("relais", awards(range(40, 100)))
    pairs = depositors.twins().pairs
    assert pairs.height == 20
    assert pairs["is_sure"].all()
    assert set(pairs["deposit_id"]) == {"relais-f"}
    assert pairs["line_id"].n_unique() == pairs["other_line_id"].n_unique() == 20


@pytest.mark.parametrize(
    "difference",
    [
        {"fiscal_year": 2022}, {"funder_name": "Autre ville"}, {"currency": "USD"}, {"applicant_siren": "999999999"},
        {"headline_stage": "paid", "amount_awarded": None, "amount_paid": 1001}, {"is_demonstration": True},
        {"aid_form": "loan", "amount_awarded": None, "amount_loan": 1001},
    ],
    ids=lambda difference: next(iter(difference)),
)  # fmt: skip
def test_what_is_never_the_same_line(depositors: Depositors, difference: dict[str, Any]) -> None:
    depositors.deposit("a", awards([1]))
    depositors.deposit("b", awards([1], **difference))
    assert depositors.twins().pairs.is_empty()


def test_identical_lines_of_one_file_stay(depositors: Depositors) -> None:
    depositors.deposit("a", awards([1] * 15))
    assert depositors.twins().pairs.is_empty()
    depositors.deposit("b", awards([1] * 4))
    assert depositors.rules() == {"same_title": 4}


def test_a_funder_is_its_siren_else_its_name(depositors: Depositors) -> None:
    depositors.deposit("a", awards([1], funder_siren=CITY, funder_name="Ville de Lez"))
    depositors.deposit("b", awards([1], funder_siren=CITY, funder_name="LEZ"))
    depositors.deposit("c", awards([1], funder_name="VILLE DE LEZ"))
    assert depositors.rules() == {"same_title": 2}


def test_a_name_of_two_sirens_is_neither(depositors: Depositors) -> None:
    depositors.deposit("a", awards([1], funder_siren="111111111", funder_name="Saint-Denis"))
    depositors.deposit("b", awards([1], funder_siren="222222222", funder_name="Saint-Denis"))
    depositors.deposit("c", awards([1], funder_name="Saint-Denis"))
    assert depositors.twins().pairs.is_empty()


def test_an_applicant_without_siren_is_known_by_name(depositors: Depositors) -> None:
    depositors.deposit("a", awards([1]))
    depositors.deposit("b", awards([1], applicant_siren=None, applicant_name="ASSOCIATION 1"))
    assert depositors.rules() == {"same_title": 1}
    depositors.deposit("c", awards([2], applicant_siren=None, applicant_name=None))
    depositors.deposit("d", awards([2], applicant_siren=None, applicant_name=None))
    assert depositors.rules() == {"same_title": 1}


def test_doubtful_lines_stay_counted(depositors: Depositors) -> None:
    depositors.deposit("a", [award(1, 500, "Colis d'hiver"), award(2, 700, "Épicerie"), award(3, 900)])
    depositors.deposit("b", [award(1, 650, "Colis d'hiver"), award(2, 700, "Achat de deux réfrigérateurs"),
                             refusal(3, title=award(3)["title"])])  # fmt: skip
    assert depositors.rules() == {"restated": 2, "unique_amount": 1}
    assert depositors.counted_out() == []


def test_untitled_lines_are_doubtful(depositors: Depositors) -> None:
    for name in ("a", "b"):
        depositors.deposit(name, awards([1, 1], title=None))
    assert depositors.rules() == {"untitled": 2}


def test_a_case_number_is_worth_a_title(depositors: Depositors) -> None:
    depositors.deposit("a", awards([1], case_number="24-17", title="Colis"))
    depositors.deposit("b", awards([1], case_number="24-17", title="Aide au fonctionnement"))
    assert depositors.rules() == {"same_case": 1}


def test_other_numbers_of_one_series_are_other_lines(depositors: Depositors) -> None:
    """Two halves of fifteen identical grants, deposited by two people, are fifteen grants."""
    grants = [award(1, title="Colis", case_number=f"24-{number}") for number in range(15)]
    depositors.deposit("a", grants[:8], format_id="commun")
    depositors.deposit("b", grants[7:], format_id="commun")
    assert depositors.rules() == {"same_case": 1, "other_case": 7}
    assert depositors.twins().pairs.filter("is_sure").height == 1


def test_the_very_same_file_is_counted_once(depositors: Depositors) -> None:
    for name in ("a", "b"):
        depositors.deposit(name, awards([1, 1, 2], title=None), sha256="identique")
    assert depositors.rules() == {"same_file": 3}
    assert depositors.counted_out() == ["b-f"]


def test_a_refusal_is_counted_once_too(depositors: Depositors) -> None:
    for name, asked in (("a", 5000), ("b", None), ("c", 9000)):
        depositors.deposit(name, [refusal(1, title="Colis", amount_requested=asked)])
    assert depositors.rules() == {"same_title": 1, "restated": 1}


def test_the_funder_itself_comes_first(depositors: Depositors) -> None:
    declared = FunderFile(siret=f"{CITY}00011")
    told = {"funder_siren": CITY}
    depositors.deposit("autre", [*awards([1], **told), refusal(9, **told)], stated_date=date(2026, 1, 1))
    depositors.deposit("zone", awards([1], **told), funder_file=declared)
    assert depositors.counted_out() == ["autre-f"]


@pytest.mark.parametrize(
    "folder, declared", [("zone", FunderFile(name="VILLE DE LEZ")), ("ville-de-lez", FunderFile())]
)
def test_the_funder_is_known_by_its_declaration_or_its_folder(
    depositors: Depositors, folder: str, declared: FunderFile
) -> None:
    depositors.deposit("autre", awards([1]))
    depositors.deposit(folder, awards([1]), funder_file=declared)
    assert depositors.counted_out() == ["autre-f"]


def test_then_who_also_reports_what_was_not_granted(depositors: Depositors) -> None:
    depositors.deposit("autre", awards([1]), stated_date=date(2026, 1, 1))
    depositors.deposit("zone", [*awards([1]), refusal(9)], stated_date=date(2020, 1, 1))
    assert depositors.counted_out() == ["autre-f"]


def test_then_the_most_recent_by_its_own_date(depositors: Depositors) -> None:
    depositors.deposit("autre", awards([1]))
    depositors.deposit("beta", awards([1]), stated_date=date(2020, 1, 1))
    depositors.deposit("zone", awards([1]), stated_date=date(2020, 6, 1))
    assert depositors.counted_out() == ["autre-f", "beta-f"]


def test_then_the_folder_in_alphabetical_order(depositors: Depositors) -> None:
    for name in ("c", "a", "b"):
        depositors.deposit(name, awards([1]))
    pairs = depositors.twins().pairs
    assert set(pairs["other_deposit_id"]) == {"a-f"}
    assert depositors.counted_out() == ["b-f", "c-f"]


def test_an_applicant_of_too_many_lines_is_said(depositors: Depositors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.ingest.matching._MOST_PAIRS", 8)
    many = [award(1, 1000 + number, f"Colis {number}") for number in range(4)]
    depositors.deposit("a", [*many, award(2, title="Colis d'été")])
    depositors.deposit(
        "b", [*({**one, "title": f"Envoi {one['title']}"} for one in many), award(2, title="Colis d'été !")]
    )
    twins = depositors.twins()
    assert twins.uncompared == {"b": 4}
    assert twins.pairs.height == 1


def drop(raw: Path, path: str, lines: list[str]) -> None:
    file = raw / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")


def grant(number: int, *, euros: int = 0, title: str = "Projet") -> str:
    amount = euros or 1000 + number
    return f"Ville de Lez;Association {number};2024;attribuée;{amount};{amount};{title} {number}"


@pytest.fixture
def two_folders(tmp_path: Path) -> Path:
    drop(tmp_path / "raw", "ville-de-lez/2024.csv", [grant(n) for n in range(30)])
    shared = [grant(n) for n in range(20, 29)] + [grant(29, euros=7000)]
    drop(tmp_path / "raw", "agence/2024.csv", [*shared, *(grant(n) for n in range(100, 130))])
    return tmp_path


def run(root: Path) -> Pass:
    done = ingest(root / "raw", root / "warehouse", as_of=AS_OF)
    write_manifest(done, raw=root / "raw", warehouse=root / "warehouse")
    return done


def test_both_receipts_say_it(two_folders: Path) -> None:
    done = run(two_folders)
    agency, city = (next(d for d in done.deposits if d.depositor == name) for name in ("agence", "ville-de-lez"))
    assert (
        "Pour 2024, 9\u00a0lignes se trouvent à la fois dans ce fichier et dans « 2024.csv » (dossier "
        "« ville-de-lez ») : elles sont comptées une seule fois, là-bas." in agency.report.messages
    )
    assert (
        "Pour 2024, 9\u00a0lignes se trouvent à la fois dans ce fichier et dans « 2024.csv » (dossier « agence ») : "
        "elles sont comptées une seule fois, ici." in city.report.messages
    )
    for deposit in (agency, city):
        assert deposit.receipt is not None
        receipt = deposit.receipt.read_text(encoding="utf-8")
        assert "une seule fois" in receipt
        assert "1 ligne se ressemble" in receipt.replace("\u00a0", " ").replace("\u202f", " ")


def test_the_warehouse_counts_them_once(two_folders: Path) -> None:
    run(two_folders)
    database = two_folders / "warehouse" / "funding.duckdb"
    result = build(load_inputs(two_folders / "warehouse", as_of=AS_OF), database)
    told = {c.check.name: c for c in result.checks}
    assert told["linked_lines_are_counted_once"].is_passed
    assert told["linked_lines_are_reviewed"].n_offenders == 1
    assert not told["linked_lines_are_reviewed"].check.is_blocking
    assert row(database, "SELECT count(*) AS n FROM applications WHERE is_counted") == {"n": 61}
    elsewhere = rows(database, "FROM applications WHERE not_counted_reason = 'reported_elsewhere'")
    assert {line["depositor"] for line in elsewhere} == {"agence"}
    assert len({line["counted_line_id"] for line in elsewhere}) == 9
    review = row(database, "FROM linked_lines_to_review")
    assert (review["link_rule"], review["amount"], review["other_amount"]) == ("restated", 7000, 1029)
    quality = rows(database, "FROM data_quality_by_deposit ORDER BY depositor")
    assert [(q["n_lines_counted"], q["n_lines_elsewhere"], q["n_lines_to_review"]) for q in quality] == [
        (31, 9, 1), (30, 0, 1),
    ]  # fmt: skip


def test_the_ledger_keeps_what_was_linked(two_folders: Path) -> None:
    for _ in range(2):
        run(two_folders)
    drop(two_folders / "raw", "agence/2024.csv", [grant(n) for n in (27, 28, *range(90, 140))])
    run(two_folders)
    with sqlite3.connect(two_folders / "warehouse" / "ledger.sqlite") as ledger:
        kept = ledger.execute("SELECT lines, lines_to_review FROM twins ORDER BY rowid").fetchall()
    assert kept[0] == (9, 1)
    assert sorted(kept[1:]) == [(0, 0), (2, 0)]  # the former content has none any more


def paris(real_files: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    told = {"first": list[pl.DataFrame](), "later": list[pl.DataFrame]()}
    for path in sorted((real_files / "paris").iterdir()):
        outcome = check_file(path.read_bytes(), Origin(path.name, "paris", path.name, FunderFile()))
        told["first" if outcome.report.format == "paris-2013" else "later"].append(outcome.accepted)
    return pl.concat(told["first"]), pl.concat(told["later"])


def test_the_two_publications_of_paris(real_files: Path, tmp_path: Path) -> None:
    """Of the 6 491 lines of 2013: 79 % by the sure rules and 94 % in all; against another year, nothing.

    The first publication names no funder and mixes two; as one funder's, both are compared whole.
    """
    first, later = paris(real_files)

    def shares(year: int) -> dict[str, float]:
        folder = Depositors(tmp_path / str(year))
        folder.folder.mkdir()
        for name, frame in (("ville", first), ("portail", later.filter(pl.col("fiscal_year") == year))):
            staging = folder.folder / name
            staging.mkdir()
            one = frame.with_columns(funder_name=pl.lit("Ville de Paris"), deposit_id=pl.lit(name))
            one.write_parquet(staging / "accepted.parquet")
            folder.holders[name] = Holder(
                name, name, name, name, None, FunderFile(), staging, frozenset(one["fiscal_year"].to_list())
            )
        rules = folder.twins().pairs.group_by("rule").len().iter_rows()
        return {rule: n / first.height for rule, n in sorted(rules)}

    assert first.height == 6491
    found = shares(2013)
    sure = found["same_title"] + found.get("same_case", 0)
    print(f"\nParis 2013, {first.height} lines: sure {sure:.1%}, in all {sum(found.values()):.1%}", found)
    assert sure >= 0.79
    assert sum(found.values()) >= 0.94
    assert shares(2014) == {}


def test_depositors_with_nothing_in_common_are_not_compared(
    depositors: Depositors, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def noted(own: pl.DataFrame, *rest: Any) -> pl.DataFrame:
        compared.append(own["depositor"][0])
        return between(own, *rest)

    between = twins._between
    monkeypatch.setattr(twins, "_between", noted)
    depositors.deposit("a", awards([1, 2]))
    depositors.deposit("b", awards([3, 4]))
    depositors.deposit("c", awards([2, 5], applicant_siren=None))
    depositors.deposit("d", awards([6], applicant_name=None))
    assert find_twins(depositors.holders.values()).pairs["deposit_id"].to_list() == ["c-f"]
    assert compared == ["c"]
