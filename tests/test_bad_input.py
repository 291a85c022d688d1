"""Files that say too little, from their bytes to the public pages: « not available » and why, and nothing imputed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.publish.site import publish
from pipelines.warehouse.build import build
from pipelines.warehouse.disclosure import publish_database
from schemas.funder import FunderFile
from schemas.publication import load_publication
from tests.warehouse_staging import AS_OF, Staging, row, rows

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "nomAttribuant;Nom du bénéficiaire;N° SIRET;montant;Statut de la demande;exercice;objet"
SIRETS = ["44306184100047", "55208131766522", "78428050500019"]


def file(funder: str, cells: list[tuple[str, str, str]], *, more: str = "", value: str = "") -> bytes:
    """A file of the format « scdl-statut »: (status, year, amount) of each line; `more`, a column of `value`."""
    lines = [HEAD + more]
    for number, (status, year, amount) in enumerate(cells):
        siret = SIRETS[number % len(SIRETS)]
        lines.append(f"{funder};Association {number % 3};{siret};{amount};{status};{year};Action {number}{value}")
    return ("\n".join(lines) + "\n").encode()


FILES = {
    # half of the statuses are words that the format does not know
    "sans-statut": file("Ville sans statut", [("Accordé" if n % 2 else "Zorglub", "2023", "1000") for n in range(40)]),
    # five lines in the year 3023
    "hors-limites": file("Ville hors limites", [("Accordé", "2023" if n >= 5 else "3023", "1000") for n in range(25)]),
    # another currency than the euro, and no rate to change it
    "autre-monnaie": (
        "exercice;nom bénéficiaire;SIRET bénéficiaire;montant accordé;statut;devise\n"
        + "".join(
            f"2023;Les Amis {n};{SIRETS[n % 3]};{1000 + n};Accordé;{'GBP' if n < 15 else 'CHF'}\n" for n in range(20)
        )
    ).encode(),
}
FUNDERS = {"autre-monnaie": "Ville en livres"}
"""Funders that the file does not name."""


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("bad")
    staging = Staging(folder / "staging")
    for name, content in FILES.items():
        found = check_file(content, Origin(name, name, f"{name}.csv", FunderFile(), funder_name=FUNDERS.get(name)))
        report = found.report
        assert report.status == "accepted", (name, report.messages)
        assert report.rows_read == report.rows_accepted + report.rows_rejected + report.rows_ignored
        staging.frame(
            name, found.accepted, depositor=name, rows_read=report.rows_read, rows_rejected=report.rows_rejected
        )
    build(staging.inputs(), folder / "funding.duckdb")
    publish_database(folder / "funding.duckdb", folder / "public.duckdb", as_of=AS_OF, parameters=load_publication())
    return folder / "funding.duckdb", folder / "public.duckdb"


@pytest.fixture(scope="module")
def site(databases: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    reports = tmp_path_factory.mktemp("pages")
    publish(databases[1], reports, only={"financeurs", "refus"})
    return reports


def words(page: Path) -> str:
    return page.read_text(encoding="utf-8").replace("\u00a0", " ").replace("\u202f", " ")


def test_unmapped_statuses_have_no_rate_and_say_why(databases: tuple[Path, Path], site: Path) -> None:
    funding, public = databases
    where = "WHERE funder_id = 'ville-sans-statut'"
    found = row(funding, f"FROM refusal_rates {where} AND level = 'funder'")
    assert (found["n_awarded"], found["n_unknown"], found["n_refused"]) == (20, 20, 0)
    assert (found["refusal_rate"], found["comparability"]) == (None, "unknown_statuses")
    told = row(public, f"FROM refusal_rates_by_funder_year {where}")
    assert (told["status"], told["n_awarded"]) == ("not_published", 20)
    assert (told["n_refused"], told["n_unknown"], told["refusal_rate"], told["bound_high"]) == (None,) * 4
    assert "efus non publiés" in words(site / "financeurs" / "ville-sans-statut.html")


def test_years_out_of_range_are_rejected_and_in_no_table(databases: tuple[Path, Path], site: Path) -> None:
    _, public = databases
    found = rows(public, "SELECT fiscal_year, n_lines FROM funding_by_funder_year WHERE funder_id LIKE '%limites'")
    assert found == [{"fiscal_year": 2023, "n_lines": 20}]
    deposit = row(
        public, "SELECT rows_rejected, last_year FROM data_quality_by_deposit WHERE depositor = 'hors-limites'"
    )
    assert deposit == {"rows_rejected": 5, "last_year": 2023}
    for page in site.rglob("*.html"):
        assert "3023" not in page.read_text(encoding="utf-8"), page


def test_currencies_are_never_changed_nor_added(databases: tuple[Path, Path], site: Path) -> None:
    funding, public = databases
    where = "WHERE funder_id = 'ville-en-livres'"
    sums = rows(public, f"SELECT currency, n_awards, amount::INTEGER AS amount FROM funding_by_funder_year {where}")
    assert sorted(tuple(r.values()) for r in sums) == [("CHF", 5, 5085), ("GBP", 15, 15105)]
    rate = row(funding, f"FROM refusal_rates {where} AND level = 'funder'")
    assert (rate["amount_awarded"], rate["amount_status"]) == (None, "several_currencies")
    assert row(public, f"SELECT amount_awarded FROM refusal_rates_by_funder_year {where}") == {"amount_awarded": None}
    page = words(site / "financeurs" / "ville-en-livres.html")
    assert "15 105 £" in page or "15 105 GBP" in page
    assert "20 190" not in page
