"""Small real stagings for the warehouse's tests: lines under the contract, written as ingest writes them."""

from __future__ import annotations

import datetime as dt
from itertools import count
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from pipelines.warehouse.inputs import DECLARATIONS, DEPOSITS, ISSUES, REJECTIONS, VERSIONS, Inputs
from schemas.application import Application
from schemas.contract import polars_schema
from schemas.contracts import CONTRACTS, staged_name
from schemas.decision_count import DecisionCount

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = dt.date(2026, 11, 20)
Line = dict[str, Any]


class Staging:
    """Deposits of lines in a temporary folder; `inputs()` is what a build receives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stagings: list[tuple[str, Path]] = []
        self._deposits: list[Line] = []
        self._versions: list[Line] = []
        self._declarations: list[Line] = []

    def deposit(
        self,
        deposit_id: str,
        lines: list[Line],
        *,
        totals: list[Line] | None = None,
        issues: list[Line] | None = None,
        **stated: Any,
    ) -> None:
        """One deposit of `lines`, and of `totals` of decisions; `stated` overrides what the ledger says of it."""
        is_demonstration = bool(stated.get("is_demonstration", False))
        rows = [
            {
                "line_id": f"{deposit_id}:Feuille1:{number}", "deposit_id": deposit_id, "source_sheet": "Feuille1",
                "source_row": number, "is_demonstration": is_demonstration, **values,
            }
            for number, values in enumerate(lines, start=2)
        ]  # fmt: skip
        folder = self._folder / deposit_id
        folder.mkdir(parents=True)
        pl.DataFrame(rows, schema=polars_schema(Application), orient="row").write_parquet(folder / "accepted.parquet")
        told = [
            {
                "line_id": f"{deposit_id}:Totaux:{number}", "deposit_id": deposit_id, "source_sheet": "Totaux",
                "source_row": number, "is_demonstration": is_demonstration, **values,
            }
            for number, values in enumerate(totals or [], start=2)
        ]  # fmt: skip
        if told:
            schema = polars_schema(DecisionCount)
            pl.DataFrame(told, schema=schema, orient="row").write_parquet(folder / "decision_counts.parquet")
        read = len(rows) + len(told)
        pl.DataFrame(schema=REJECTIONS).write_parquet(folder / "rejected.parquet")
        pl.DataFrame(issues or [], schema=ISSUES).write_parquet(folder / "issues.parquet")
        self._stagings.append((deposit_id, folder))
        self._deposits.append({
            "deposit_id": deposit_id, "depositor": "ville", "file_name": f"{deposit_id}.csv",
            "relative_path": f"ville/{deposit_id}.csv", "sha256": "0" * 64, "size_bytes": 100,
            "received_at": dt.datetime(2026, 1, 1), "format_id": "modele", "recognised_by": "format",
            "status": "accepted", "is_current": True, "is_demonstration": is_demonstration, "rows_read": read,
            "rows_accepted": read, "rows_rejected": 0, "rows_ignored": 0, "issues_error": 0,
            "issues_warning": len(issues or []), "issues_info": 0, "message": "Fichier accepté.", **stated,
        })  # fmt: skip

    def frame(self, deposit_id: str, accepted: pl.DataFrame, **stated: Any) -> None:
        """One deposit whose accepted lines ingest has made; `stated` overrides what the ledger says of it."""
        self.deposit(deposit_id, [], **{"rows_read": accepted.height, "rows_accepted": accepted.height, **stated})
        accepted.write_parquet(self._folder / deposit_id / "accepted.parquet")

    def version(self, deposit_id: str, fiscal_year: int, **stated: Any) -> None:
        """What the ledger says of one deposit and year."""
        self._versions.append({"deposit_id": deposit_id, "fiscal_year": fiscal_year, "decided_by": "rule", **stated})

    def declare(self, *, depositor: str = "ville", **stated: Any) -> None:
        """A line of a funder.toml."""
        self._declarations.append({"depositor": depositor, **stated})

    def inputs(self, *, as_of: dt.date = AS_OF) -> Inputs:
        """Everything put in so far."""
        return Inputs(
            stagings=self._stagings,
            deposits=pl.DataFrame(self._deposits, schema=DEPOSITS, orient="row"),
            versions=pl.DataFrame(self._versions, schema=VERSIONS, orient="row"),
            funder_declarations=pl.DataFrame(self._declarations, schema=DECLARATIONS, orient="row"),
            as_of=as_of,
        )


def put(folder: Path, deposit_id: str, contract: str, given: list[dict[str, Any]], **stated: Any) -> None:
    """Lines of a contract beside the applications of a deposit."""
    every = {
        "deposit_id": deposit_id,
        "source_sheet": "Services",
        "source_name": "Ville",
        "format_id": "modele-services",
        "recognised_by": "format",
        "is_demonstration": False,
        "funder_name": "Ville de Lez",
        **stated,
    }
    frame = [
        {**every, "line_id": f"{deposit_id}:{contract}:{n}", "source_row": n, **values}
        for n, values in enumerate(given, start=2)
    ]
    schema = polars_schema(CONTRACTS[contract])
    pl.DataFrame(frame, schema=schema, orient="row").write_parquet(folder / f"{staged_name(contract)}.parquet")


_numbers = count(1)


def line(
    status: str = "awarded", *, org: int | str = 1, year: int = 2023, amount: float | None = 1000, **values: Any
) -> Line:
    """One application of organisation number `org` (legal, with a SIREN) to the city; `amount` is awarded if it is."""
    number = next(_numbers)
    return {
        "record_kind": "application", "application_id": f"a{number:06}", "case_number": f"dossier-{number:06}",
        "funder_name": "Ville de Lez", "service_name": "Direction de la solidarité",
        "applicant_siren": f"{org:09}", "applicant_siret": f"{org:09}00011", "applicant_name": f"Association {org}",
        "applicant_kind": "legal", "applicant_kind_basis": "identifier", "seat_commune_code": "34172",
        "amount_awarded": amount if status == "awarded" else None, "currency": "EUR", "headline_stage": "awarded",
        "fiscal_year": year, "fiscal_year_basis": "column", "decision_status": status, "source_name": "Ville de Lez",
        "recognised_by": "format", "format_id": "modele", **values,
    }  # fmt: skip


def total(measure: str, value: float, *, territory: str | None = "Autriche", year: int = 2023, **values: Any) -> Line:
    """One total that the city states of a territory and a year."""
    return {
        "funder_name": "Ville de Lez", "territory_level": None if territory is None else "country",
        "territory_name": territory, "fiscal_year": year, "fiscal_year_basis": "column", "measure": measure,
        "value": value, "source_name": "Ville de Lez", "recognised_by": "format", "format_id": "totaux", **values,
    }  # fmt: skip


def lines(number: int, status: str = "awarded", **values: Any) -> list[Line]:
    """`number` applications of as many organisations."""
    first = values.pop("org", 1)
    return [line(status, org=first + i, **values) for i in range(number)]


def rows(database: Path, sql: str) -> list[dict[str, Any]]:
    """The rows of a query on a built database."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.sql(sql).pl().to_dicts()


def row(database: Path, sql: str) -> dict[str, Any]:
    """The only row of a query."""
    found = rows(database, sql)
    assert len(found) == 1, found
    return found[0]
