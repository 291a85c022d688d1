"""The whole line, once: from dropped files to the two databases and the pages, on demonstration and on real files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.demo.deposits import control_figures
from pipelines.ingest.inbox import ingest
from pipelines.ingest.manifest import write_manifest
from pipelines.warehouse.build import build
from pipelines.warehouse.current import load_inputs
from pipelines.warehouse.disclosure import publish_database
from schemas.publication import load_publication
from tests.site_bytes import cells_of, identifying, identifying_in, never_awarded

QFQ = Path(sys.executable).with_name("qfq")

PARIS = {
    2013: (8300, 3378, 240_502_938), 2014: (7650, 2857, 258_237_727), 2015: (8214, 3512, 270_822_332),
    2016: (8819, 3465, 275_349_227), 2017: (8640, 3182, 276_239_759), 2018: (8397, 2986, 271_370_958),
    2019: (9110, 3510, 281_924_511),
}  # fmt: skip
DIRECTIONS = {
    "DDCT": (12402, 37.5), "DAC": (9502, 39.2), "DASES": (7315, 36.4), "DJS": (6914, 28.9), "DAE": (4708, 41.3),
    "DASCO": (3723, 48.7), "DFPE": (3462, 20.1), "DPSP": (3167, 65.1),
}  # fmt: skip
YEARS_GRANTED = [1999, 743, 415, 354, 277, 457, 1090]


def qfq_run(root: Path) -> subprocess.CompletedProcess[str]:
    folders = [word for name in ("raw", "warehouse", "reports") for word in (f"--{name}", str(root / name))]
    command = [str(QFQ), "run", *folders, "--as-of", "2026-09-30"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def ask(root: Path, sql: str, *, database: str = "funding") -> list[tuple[object, ...]]:
    with duckdb.connect(str(root / "warehouse" / f"{database}.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def demonstration(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("demonstration")
    for folder in sorted((project / "raw").glob("exemple-*")):
        shutil.copytree(folder, root / "raw" / folder.name, ignore=shutil.ignore_patterns("_*"))
    done = qfq_run(root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return root


def test_demonstration_figures(demonstration: Path) -> None:
    deposits = {
        (row["depositor"], row["file_name"]): row
        for row in json.loads((demonstration / "warehouse" / "current.json").read_text(encoding="utf-8"))["deposits"]
    }
    expected = control_figures()
    assert len(expected) == len(deposits)
    for figures in expected:
        row = deposits[figures.depositor, Path(figures.file).name]
        assert (row["status"] == "accepted") == (figures.outcome == "accepted"), figures.file
        if figures.outcome == "accepted":
            for name in ("rows_read", "rows_accepted", "rows_rejected", "rows_ignored"):
                assert row[name] == getattr(figures, name), (figures.file, name)
            report = json.loads(
                (demonstration / "warehouse" / row["staging"] / "report.json").read_text(encoding="utf-8")
            )
            assert {k: Decimal(v) for k, v in report["amounts"].items()} == {
                k: v for k, v in figures.amounts.items() if v
            }
            assert report["decisions"] == {k: v for k, v in figures.decisions.items() if v}
    counted = sum(f.rows_accepted - f.rows_other for f in expected if f.outcome == "accepted" and not f.replaced_by)
    assert ask(demonstration, "SELECT count(*) FROM applications WHERE is_counted") == [(counted,)]


def test_demonstration_pages_say_so(demonstration: Path) -> None:
    pages = sorted((demonstration / "reports").rglob("*.html"))
    assert len(pages) > 50
    for page in pages:
        assert "fictives" in page.read_text(encoding="utf-8"), page


def test_demonstration_pages_identify_nobody(demonstration: Path) -> None:
    _identifies_nobody(demonstration)


def _identifies_nobody(root: Path) -> None:
    """No mailbox but functional ones, no phone, no IBAN, no SIREN of who asked and was never awarded anything."""
    refused = never_awarded(root / "warehouse" / "funding.duckdb")
    assert refused
    assert identifying(root / "reports", root / "warehouse" / "public.duckdb", refused) == []


def test_every_deposit_has_its_receipt(demonstration: Path) -> None:
    body = json.loads((demonstration / "warehouse" / "current.json").read_text(encoding="utf-8"))
    for deposit in body["deposits"]:
        assert (demonstration / "raw" / deposit["receipt"]).is_file()


@pytest.fixture(scope="module")
def after(demonstration: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second run over the demonstration, once a real deposit and four files that nobody can read have arrived."""
    root = tmp_path_factory.mktemp("apres") / "projet"
    shutil.copytree(demonstration, root)
    real = root / "raw" / "ville-reelle" / "2024.csv"
    real.parent.mkdir()
    header = "nomAttribuant;idAttribuant;dateConvention;nomBeneficiaire;idBeneficiaire;objet;montant;nature\n"
    real.write_text(
        header + "Ville;21340172300019;2024-05-02;Association des Tests;52499120500013;Colis;1500;aide en numéraire\n"
    )
    bad = root / "raw" / "bureau"
    bad.mkdir()
    (bad / "vide.csv").write_bytes(b"")
    (bad / "image.xlsx").write_bytes(b"\x89PNG\r\n\x1a\n")
    (bad / "protege.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"))
    (bad / "notes.csv").write_text("Jour;Météo\nlundi;pluie\n", encoding="utf-8")
    (root / "reports" / "index.html").unlink()
    done = qfq_run(root)
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    return root


def test_a_real_deposit_ends_the_demonstration(after: Path) -> None:
    assert ask(after, "SELECT sum(amount_awarded) FROM applications WHERE is_counted") == [(Decimal(1500),)]
    reasons = ask(after, "SELECT DISTINCT not_counted_reason FROM applications WHERE is_demonstration")
    assert reasons == [("demonstration",)]
    home = (after / "reports" / "index.html").read_text(encoding="utf-8")
    assert "fictives" not in home
    assert list((after / "reports" / "financeurs").glob("*garonnette*")) == []
    for page in (after / "reports").rglob("*.html"):
        assert "exemple-" not in page.read_text(encoding="utf-8"), page


def test_a_bad_file_stops_nobody(after: Path) -> None:
    bad = after / "raw" / "bureau"
    assert (after / "reports" / "index.html").is_file()
    assert len(list((bad / "_accuses").glob("*.html"))) == 4
    for name in ("vide.csv", "image.xlsx", "protege.xls", "notes.csv"):
        checked = CliRunner().invoke(app, ["check", str(bad / name), "--json"])
        assert (checked.exit_code, type(checked.exception)) == (1, SystemExit)
        assert json.loads(checked.stdout)["messages"]
    absent = subprocess.run([str(QFQ), "check", str(bad / "absent")], capture_output=True, text=True, check=False)
    assert absent.returncode == 2
    assert "Traceback" not in absent.stderr


@pytest.fixture(scope="module")
def counted(real_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real files of the first formats, to the two databases. 2013 was counted before what restates it arrived."""
    root = tmp_path_factory.mktemp("reel")
    raw, warehouse, day = root / "raw", root / "warehouse", date(2026, 9, 30)
    folder = _declared(root)
    shutil.copy(real_files / "paris" / "subventions-accordees-et-refusees-2013.csv", folder)
    assert [version.is_counted for version in ingest(raw, warehouse, as_of=day).versions] == [True]
    _arrive(root, real_files)
    write_manifest(ingest(raw, warehouse, as_of=day), raw=raw, warehouse=warehouse)
    funding, public = warehouse / "funding.duckdb", warehouse / "public.duckdb"
    build(load_inputs(warehouse, as_of=day), funding)
    publish_database(funding, public, as_of=day, parameters=load_publication())
    return root


@pytest.fixture(scope="module")
def published(real_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same files, all in one run, to the pages."""
    root = tmp_path_factory.mktemp("reel-publie")
    _declared(root)
    _arrive(root, real_files)
    done = qfq_run(root)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture(params=["counted", pytest.param("published", marks=pytest.mark.slow)])
def real(request: pytest.FixtureRequest) -> Path:
    root: Path = request.getfixturevalue(request.param)
    return root


def _declared(root: Path) -> Path:
    """The folder of Paris, where the set of all years wins over the file of 2013."""
    folder = root / "raw" / "paris"
    folder.mkdir(parents=True)
    (folder / "funder.toml").write_text(
        'name = "Ville de Paris"\npublishes_refusals = true\n[[wins]]\nyears = [2013]\nfile = "*2013-2019*"\n',
        encoding="utf-8",
    )
    return folder


def _arrive(root: Path, real_files: Path) -> None:
    for folder, pattern in (
        ("paris", "*"),
        ("loire-atlantique", "*"),
        ("montpellier", "*2018_2019*"),
        ("scdl", "*.csv"),
    ):
        (root / "raw" / folder).mkdir(exist_ok=True)
        for path in sorted((real_files / folder).glob(pattern), reverse=True):
            shutil.copy(path, root / "raw" / folder)


def test_paris_by_year_and_service(real: Path) -> None:
    rows = ask(real, """
        SELECT fiscal_year, count(*), count(*) FILTER (decision_status = 'refused'), sum(amount_awarded)
        FROM applications WHERE is_counted AND depositor = 'paris' GROUP BY ALL
    """)  # fmt: skip
    assert {year: (lines, refused, int(euros)) for year, lines, refused, euros in rows} == PARIS
    rows = ask(real, """
        SELECT service_name, count(*), round(100 * avg(CAST(decision_status = 'refused' AS INT)), 1)
        FROM applications WHERE is_counted AND depositor = 'paris' GROUP BY ALL
    """)  # fmt: skip
    assert {name: told for name, *told in rows if name in DIRECTIONS} == {k: list(v) for k, v in DIRECTIONS.items()}


def test_what_is_published_of_real_files_identifies_nobody(counted: Path) -> None:
    refused = never_awarded(counted / "warehouse" / "funding.duckdb")
    public = counted / "warehouse" / "public.duckdb"
    assert refused
    assert sum(len(text) for _, text in cells_of(public)) > 5_000_000
    assert identifying_in(cells_of(public), public, refused) == []


@pytest.mark.slow
def test_real_pages_identify_nobody(published: Path) -> None:
    _identifies_nobody(published)


@pytest.mark.slow
def test_what_is_published_does_not_depend_on_the_order(counted: Path, published: Path) -> None:
    """Of the same awards the same pages are made."""
    one, other = (ask(root, "FROM awards ORDER BY ALL", database="public") for root in (counted, published))
    assert len(one) > 30_000
    assert one == other


def test_paris_years_granted_over_valid_sirets(real: Path) -> None:
    rows = ask(real, """
        WITH years AS (
            SELECT applicant_siret, count(DISTINCT fiscal_year) AS n FROM applications
            WHERE is_counted AND depositor = 'paris' AND amount_awarded > 0 AND applicant_siret IS NOT NULL GROUP BY ALL
        ) SELECT n, count(*) FROM years GROUP BY ALL ORDER BY n
    """)  # fmt: skip
    assert [count for _, count in rows] == YEARS_GRANTED


def test_paris_2013_is_counted_once_from_the_declared_set(real: Path) -> None:
    rows = ask(real, """
        SELECT format_id, is_counted, count(*) FROM applications
        WHERE depositor = 'paris' AND fiscal_year = 2013 GROUP BY ALL ORDER BY 1
    """)  # fmt: skip
    assert rows == [("paris-2013", False, 6491), ("paris-2013-2019", True, 8300)]
    [(matched, by)] = ask(real, "SELECT DISTINCT lines_matched, decided_by FROM versions WHERE reason = 'restated'")
    assert by == "funder_file"
    assert matched >= 0.94 * 6491
    [receipt] = (real / "raw" / "paris" / "_accuses").glob("*2013-????????.html")
    assert f"{matched:,}".replace(",", "\u202f") in receipt.read_text(encoding="utf-8")


def test_loire_atlantique_is_read_whole_and_its_hidden_total_left_out(real: Path) -> None:
    [(lines, euros)] = ask(real, """
        SELECT count(*), sum(amount_awarded) FROM applications WHERE is_counted AND depositor = 'loire-atlantique'
    """)  # fmt: skip
    [(year,)] = ask(real, """
        SELECT sum(amount_awarded) FROM applications
        WHERE is_counted AND depositor = 'loire-atlantique' AND fiscal_year = 2017
    """)  # fmt: skip
    # Line 2236 names nobody and equals the sum of the other lines of 2017; with it the column makes 506 914 236.63.
    assert lines == 18_147
    assert euros + year == Decimal("506914236.63")
    [(read, ignored)] = ask(real, "SELECT rows_read, rows_ignored FROM deposits WHERE depositor = 'loire-atlantique'")
    assert (read, ignored) == (18_148, 1)


def test_montpellier_by_year(real: Path) -> None:
    rows = ask(real, """
        SELECT fiscal_year, count(*), sum(amount_awarded) FROM applications
        WHERE is_counted AND depositor = 'montpellier' GROUP BY ALL ORDER BY 1
    """)  # fmt: skip
    assert rows == [(2018, 730, Decimal(3_916_576)), (2019, 1_030, Decimal(6_065_161))]


def test_public_figures_are_the_same(real: Path) -> None:
    """But for the amounts of persons too few to be told in a sum: their number is said beside it."""
    rows = ask(real, """
        SELECT fiscal_year, sum(amount), sum(n_withheld) FROM funding_by_funder_year JOIN funders USING (funder_id)
        WHERE name LIKE '%Paris' GROUP BY ALL
    """, database="public")  # fmt: skip
    assert {year for year, _, _ in rows} == set(PARIS)
    for year, euros, withheld in rows:
        missing = PARIS[year][2] - int(euros)
        assert missing == 0 if withheld == 0 else 0 < missing <= 100_000 * withheld, (year, missing, withheld)
    assert sum(withheld == 0 for _, _, withheld in rows) >= 5


def test_refusals_that_are_not_told_are_not_published(real: Path) -> None:
    [(status,)] = ask(real, """
        SELECT DISTINCT status FROM refusal_rates_by_funder_year JOIN funders USING (funder_id)
        WHERE name LIKE '%Loire%'
    """, database="public")  # fmt: skip
    assert status == "not_published"


@pytest.mark.slow
def test_the_page_of_a_funder_says_that_its_refusals_are_not_told(published: Path) -> None:
    page = (published / "reports" / "financeurs" / "departement-de-loire-atlantique.html").read_text(encoding="utf-8")
    assert "non publié" in page
