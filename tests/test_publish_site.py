"""The site as files: valid HTML, links that lead somewhere, nothing from outside, budgets, equal bytes."""

from __future__ import annotations

import csv
import gzip
import html
import json
import os
import posixpath
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import duckdb
import html5lib
import pytest

from pipelines.publish.parts import ENDING
from pipelines.publish.reports import Output, Report, reports
from pipelines.publish.site import publish
from tests.publish_database import CALL_PAGE, FORMULA, NASTY, QUOTES, RTL, build, site, small_site

OUTSIDE = {
    "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
    "https://opendatacommons.org/licenses/odbl/1-0/",
    CALL_PAGE,
}
"""The only addresses that pages may lead to outside of the site."""

CHECKER = os.environ.get("QFQ_VNU", "")
"""Where the jar of the Nu checker is, when it is."""

STATEFUL = {"attributions.html", "beneficiaire.html", "recherche.html"}
"""Pages that read their state after the # (tests/test_publish_search.py opens them so)."""


@pytest.fixture(scope="session")
def root(run_folder: Path) -> Path:
    return site(run_folder)


@pytest.fixture
def database(run_folder: Path, tmp_path: Path) -> Path:
    """A database of one's own, to publish and to change."""
    return Path(shutil.copy(small_site(run_folder)[0] / "public.duckdb", tmp_path / "public.duckdb"))


@pytest.fixture
def published(run_folder: Path, tmp_path: Path) -> Path:
    """A whole site of one's own, made of `database`."""
    return Path(shutil.copytree(small_site(run_folder)[0] / "reports", tmp_path / "published"))


class Page(HTMLParser):
    """Ids, links, sources, headings, number of elements and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.hrefs: list[str] = []
        self.sources: list[str] = []
        self.headings: list[int] = []
        self.nodes = 0
        self.text: list[str] = []
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.nodes += 1
        self._script = tag == "script"
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.ids.append(found["id"])
        if "href" in found:
            self.hrefs.append(found["href"])
        self.sources += [found[name] for name in ("src", "srcset", "data-plotly", "action", "poster") if name in found]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag != "script"

    def handle_data(self, data: str) -> None:
        if not self._script:
            self.text.append(data)


@pytest.fixture(scope="session")
def pages(root: Path) -> dict[str, Page]:
    return {
        str(path.relative_to(root)): Page(path.read_text(encoding="utf-8")) for path in sorted(root.rglob("*.html"))
    }


def test_a_place_says_what_its_funders_granted_to_unknown_seats(root: Path, database: Path, tmp_path: Path) -> None:
    """A total of a département is a minimum while the same funders have awards that nothing places."""
    told = "Ces chiffres sont un minimum"
    with duckdb.connect(str(database)) as connection:
        connection.execute("DELETE FROM funding_by_territory_year WHERE departement_code = '—'")
    out = tmp_path / "site"
    publish(database, out, only={"territoires"})
    assert told not in (out / "territoires/34.html").read_text(encoding="utf-8")
    page = Page((root / "territoires/34.html").read_text(encoding="utf-8"))
    assert told in " ".join(page.text)


def test_every_report_is_complete() -> None:
    found = reports()
    assert len({report.name for report in found}) == len(found) >= 12
    for report in found:
        assert report.title
        assert report.description.endswith(".")
        assert report.tables
        assert list(report.tables) == sorted(report.tables)


def test_expected_pages_exist(pages: dict[str, Page]) -> None:
    expected = {
        "index.html",
        "financeurs/index.html",
        "financeurs/metropole-du-midi.html",
        "services/index.html",
        "beneficiaires/index.html",
        "annees/2024.html",
        "annees/index.html",
        "attributions.html",
        "beneficiaire.html",
        "recherche.html",
        "territoires/index.html",
        "territoires/34.html",
        "territoires/epci-243400017.html",
        "territoires/region-76.html",
        "territoires/siege-non-precise.html",
        "cofinancements.html",
        "continuite.html",
        "refus.html",
        "qualite.html",
        "methode.html",
        "dictionnaire.html",
        "donnees.html",
        "mentions.html",
        "themes.html",
        "services/metropole-du-midi-politique-de-la-ville.html",
        "beneficiaires/noms/a.html",
        "beneficiaires/departements/34.html",
        "appels/index.html",
        "appels/index-2.html",
        "qui-fait-quoi/index.html",
        "qui-fait-quoi/34.html",
        "services/metropole-du-midi-tout-neuf.html",
    }
    assert expected <= set(pages)


def test_every_territory_is_reached_from_the_one_that_holds_it(pages: dict[str, Page]) -> None:
    """Index → région → département → its intercommunalités; across départements, from the région; and the way back."""
    assert "../territoires/region-76.html" in pages["territoires/index.html"].hrefs
    region = pages["territoires/region-76.html"].hrefs
    assert {"../territoires/34.html", "../territoires/epci-244800017.html"} <= set(region)
    assert "../territoires/epci-243400017.html" in pages["territoires/34.html"].hrefs
    back = set(pages["territoires/epci-243400017.html"].hrefs)
    assert {"../territoires/index.html", "../territoires/region-76.html", "../territoires/34.html"} <= back
    for name in ("index", "region-76", "34", "epci-243400017"):
        assert "siège" in " ".join(pages[f"territoires/{name}.html"].text), name
    assert "sans territoire" in " ".join(pages["territoires/index.html"].text)


@pytest.fixture(scope="session")
def one_of_each(root: Path) -> list[Path]:
    """The largest page of each kind, and every page of its own kind."""
    kinds = {
        re.sub(r"[^/]+$", "", str(p.relative_to(root))): p
        for p in sorted(root.rglob("*.html"), key=lambda p: p.stat().st_size)
    }
    return sorted({*kinds.values(), *root.glob("*.html"), *root.glob("*/index.html")})


def test_html_is_valid(one_of_each: list[Path]) -> None:
    """One page of each kind, parsed strictly (html5lib takes a third of a second a page)."""
    for path in one_of_each:
        parser = html5lib.HTMLParser(strict=True)
        parser.parse(path.read_text(encoding="utf-8"))


@pytest.mark.skipif(not CHECKER, reason="the Nu checker is not there (npm pack vnu-jar, then QFQ_VNU=its vnu.jar)")
def test_the_nu_checker_finds_no_error(one_of_each: list[Path]) -> None:
    """What a parser does not see: roles, missing alternatives, attributes out of place."""
    command = ["java", "-jar", CHECKER, "--errors-only", "--format", "gnu", *map(str, one_of_each)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_every_report_is_one_click_away(pages: dict[str, Page]) -> None:
    """From any page, by what is on all of them: the menu, else the foot of the page."""
    for name, page in pages.items():
        if not name.startswith("feuilles/"):  # a leaf leaves the site
            reached = {posixpath.normpath(posixpath.join(posixpath.dirname(name), href)) for href in page.hrefs}
            assert {report.page for report in reports()} <= reached, name


def test_ids_are_unique_and_headings_in_order(pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), name
        assert page.headings[0] == 1, name
        assert page.headings.count(1) == 1, name
        assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False)), (name, page.headings)


def test_every_link_leads_somewhere(root: Path, pages: dict[str, Page]) -> None:
    for name, page in pages.items():
        for href in {*page.hrefs, *page.sources}:
            if href.startswith(("http:", "https:")):
                assert href in OUTSIDE, (name, href)
                continue
            if href == "data:,":
                continue
            path, anchor = urldefrag(href)
            target = (root / name).parent.joinpath(unquote(path)).resolve() if path else root / name
            assert target.is_file(), (name, href)
            assert target.is_relative_to(root.resolve()), (name, href)
            if path and anchor and target.name in STATEFUL:
                assert re.fullmatch(r"\w+=[\w%.-]+", anchor), (name, href)
            elif anchor:
                assert anchor in pages[str(target.relative_to(root.resolve()))].ids, (name, href)


def test_nothing_comes_from_outside(root: Path) -> None:
    for path in [*root.rglob("*.html"), *root.glob("assets/[!p]*")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"""(src|srcset)=["']?(https?:)?//""", text), path
        assert not re.search(
            r"@import|url\(\s*['\"]?(https?:)?//|fetch\(|XMLHttpRequest|type=[\"']module|\bimport\(", text
        ), path


def test_no_absolute_path_nor_clock(root: Path) -> None:
    for path in [*root.rglob("*.html"), *root.rglob("*.csv")]:
        text = path.read_text(encoding="utf-8")
        assert str(root) not in text
        assert "/tmp/" not in text


def test_budgets(root: Path, pages: dict[str, Page]) -> None:
    shared = sum(len(gzip.compress((root / "assets" / name).read_bytes())) for name in ("site.css", "site.js"))
    assert len(gzip.compress((root / "assets/site.js").read_bytes())) <= 8_000
    assert len(gzip.compress((root / "assets/site.css").read_bytes())) <= 6_000
    for name, page in pages.items():
        content = (root / name).read_bytes()
        assert len(content) <= 200_000, name
        assert len(gzip.compress(content)) + shared <= 60_000, name
        assert page.nodes <= 2_500, (name, page.nodes)


def test_names_are_text(root: Path, pages: dict[str, Page]) -> None:
    everything = {name: "".join(page.text) for name, page in pages.items()}
    for wanted in (NASTY, RTL, QUOTES, FORMULA):
        assert any(wanted in text for text in everything.values()), wanted
    for path in root.rglob("*.html"):
        assert "<script>alert" not in path.read_text(encoding="utf-8")
        assert "<b>solidaire" not in path.read_text(encoding="utf-8")


def test_every_figure_is_said_drawn_tabled_and_downloadable(root: Path, pages: dict[str, Page]) -> None:
    for name in pages:
        text = (root / name).read_text(encoding="utf-8")
        for figure in re.findall(r"<figure .*?</figure>", text, re.DOTALL):
            assert "<figcaption>" in figure, name
            assert "<table" in figure, name
            assert "<caption" in figure, name
            assert 'class="source"' in figure, name
            assert re.search(r'href="[^"]*methode\.html#', figure), name
            assert re.search(r'href="[^"]*\.csv" download', figure), name
            assert "Sur " in figure, name
            assert "état au 12\u00a0mars 2026" in figure, name


def test_no_cell_is_blank(root: Path, pages: dict[str, Page]) -> None:
    for name in pages:
        text = (root / name).read_text(encoding="utf-8")
        assert not re.search(r"<(td|th)\b[^>]*>\s*</\1>", text), name
        assert ">nan<" not in text.lower(), name
        assert ">none<" not in text.lower(), name


def test_numbers_are_in_the_page_without_script(root: Path) -> None:
    with duckdb.connect(str(root.parent / "public.duckdb"), read_only=True) as db:
        rows = db.execute(
            "SELECT fiscal_year, amount FROM funding_by_funder_year WHERE funder_id = '130000006'"
        ).fetchall()
    text = html.unescape((root / "financeurs/metropole-du-midi.html").read_text(encoding="utf-8"))
    for year, amount in rows:
        written = f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",").removesuffix(",00")
        assert f"{written}\u00a0€" in text, year


def test_refusals_not_published_are_never_a_zero(root: Path) -> None:
    text = (root / "financeurs/departement-de-la-garrigue.html").read_text(encoding="utf-8")
    assert "Refus non publiés" in text
    assert "Taux de refus" not in text


def test_figures_csv_are_complete(root: Path) -> None:
    with (root / "data/figures/financeurs/metropole-du-midi/annees.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["fiscal_year"]) for row in rows] == sorted(int(row["fiscal_year"]) for row in rows)
    assert {"amount", "currency", "stage", "n_without_amount"} <= set(rows[0])


@pytest.mark.parametrize("is_demonstration", [True, False])
def test_demonstration_is_said(tmp_path: Path, is_demonstration: bool) -> None:
    database = build(tmp_path / "public.duckdb", is_demonstration=is_demonstration, size=20)
    publish(database, tmp_path / "reports", only={"accueil", "refus"})
    for path in (tmp_path / "reports").rglob("*.html"):
        said = "Données de démonstration, fictives" in path.read_text(encoding="utf-8")
        assert said is is_demonstration, path


def _state(root: Path) -> dict[str, tuple[bytes, int]]:
    return {str(p.relative_to(root)): (p.read_bytes(), p.stat().st_mtime_ns) for p in root.rglob("*") if p.is_file()}


def test_same_data_same_bytes_and_nothing_rewritten(
    database: Path, published: Path, run_folder: Path, tmp_path: Path
) -> None:
    before = _state(published)
    again = publish(database, published)
    assert (again.written, again.unchanged, again.removed) == (0, small_site(run_folder)[1], 0)
    assert _state(published) == before
    # A database rebuilt from the same lines, rows stored in another order.
    other = tmp_path / "other.duckdb"
    with duckdb.connect(str(other)) as db:
        db.execute(f"ATTACH '{database}' AS source (READ_ONLY)")
        for (table,) in db.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'source'").fetchall():
            db.execute(
                f'CREATE TABLE "{table}" AS SELECT * FROM source."{table}" ORDER BY hash(COLUMNS(*)) DESC LIMIT ALL'
            )
            comment = db.execute(
                "SELECT comment FROM duckdb_tables() WHERE database_name = 'source' AND table_name = ?", [table]
            )
            text = comment.fetchone()
            if text and text[0]:
                db.execute(f"COMMENT ON TABLE \"{table}\" IS '{text[0]}'")
    publish(other, tmp_path / "b")
    # what parts asked may come in another order, which ends some questions sooner
    made, same = (
        {path: content for path, (content, _) in state.items() if not path.endswith(ENDING)}
        for state in (_state(tmp_path / "b"), before)
    )
    assert made == same


def test_a_missing_page_is_made_again(database: Path, published: Path, run_folder: Path) -> None:
    (published / "refus.html").unlink()
    again = publish(database, published)
    assert (again.files, again.written) == (small_site(run_folder)[1], 1)
    assert (published / "refus.html").is_file()


def test_stale_pages_go_and_other_files_stay(database: Path, published: Path) -> None:
    root, some = published, {"beneficiaires", "donnees", "financeurs", "services", "territoires"}
    (root / "manifest" / "published.txt").unlink()  # as a publication of some reports leaves it
    (root / ".gitkeep").touch()
    (root / "note.html").write_text("à quelqu'un d'autre")
    with duckdb.connect(str(database)) as db:
        db.execute("DELETE FROM beneficiaries WHERE organisation_id = 'siren:900000010'")
        db.execute("DELETE FROM awards WHERE organisation_id = 'siren:900000010'")
        db.execute("DELETE FROM funding_by_beneficiary_year WHERE organisation_id = 'siren:900000010'")
    before = {path for path in root.rglob("*") if path.is_file()}
    result = publish(database, root, only=some)
    gone = before - {path for path in root.rglob("*") if path.is_file()}
    assert result.removed == len(gone) > 0
    assert all("beneficiaires" in str(path) for path in gone)
    assert (root / ".gitkeep").exists()
    assert (root / "note.html").exists()
    assert not list(root.rglob("*.tmp"))
    made = [root / path for name in some for path in json.loads((root / f"manifest/{name}.json").read_bytes())]
    pages = [path.read_text(encoding="utf-8") for path in made if path.suffix == ".html"]
    assert len(pages) > 50
    assert "900000010" not in "".join(pages)


def test_one_report_alone_leaves_the_others(database: Path, published: Path) -> None:
    before = _state(published)
    result = publish(database, published, only={"refus"})
    assert (result.pages, result.written, result.removed) == (1, 0, 0)
    assert result.pages < sum(path.endswith(".html") for path in before)
    assert _state(published) == before
    with pytest.raises(ValueError, match="rapports inconnus : jamais"):
        publish(database, published, only={"jamais"})


def test_an_interrupted_publication_leaves_nothing_behind(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "reports"

    def interrupted(context: Any) -> Any:
        yield Output("passage.html", b"page d'un instant")
        for n in range(300):
            yield Output(f"passage/{n}.html", b"x")
        raise RuntimeError("coupure")

    report = Report("passage", "Passage", "Un rapport.", "passage.html", ("funders",), interrupted, length=1)
    with monkeypatch.context() as patched:
        patched.setattr("pipelines.publish.site.reports", lambda: [report])
        with pytest.raises(RuntimeError, match="coupure"):
            publish(database, root, only={"passage"})
        assert [path for path in (root / "passage").iterdir() if path.is_file()] == []
        patched.setattr("pipelines.publish.site._sweep", lambda _: None)  # as when it is killed
        with pytest.raises(RuntimeError, match="coupure"):
            publish(database, root, only={"passage"})
    assert (root / "passage.html.tmp").exists()
    assert not (root / "passage.html").exists()
    monkeypatch.setattr(
        "pipelines.publish.site.reports", lambda: [each for each in reports() if each.name == "mentions"]
    )
    publish(database, root)
    assert not list(root.glob("passage*"))


@pytest.mark.parametrize("path", ["../x.html", "/x.html", "a//b.html", "a b.html", "a/../b.html"])
def test_paths_stay_inside_the_site(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    made = [Output(path, b"")]
    report = Report("piege", "Piège", "Un rapport.", "p.html", ("funders",), lambda _: iter(made), length=1)
    monkeypatch.setattr("pipelines.publish.site.reports", lambda: [report])
    with pytest.raises(ValueError, match="chemin refusé"):
        publish(database, tmp_path / "reports")


def test_an_empty_database_still_publishes(database: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(database)) as db:
        for (table,) in db.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            if table != "publication":
                db.execute(f'DELETE FROM "{table}"')
    result = publish(database, tmp_path / "reports")
    assert result.pages >= 12


def test_the_method_page_is_made_from_what_it_speaks_of(database: Path, tmp_path: Path) -> None:
    """Descriptions of models, thresholds, licences, changes: another database makes another page."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("COMMENT ON TABLE funding_by_funder_year IS 'Phrase du modèle, écrite une fois.'").fetchall()
        connection.execute("UPDATE publication SET min_persons = 7, correction_address = 'ici@exemple.invalid'")
        connection.execute("UPDATE funders SET licence = 'Licence du test'").fetchall()
        connection.execute("CHECKPOINT").fetchall()
    publish(database, tmp_path / "site", only={"methode"})
    text = " ".join(Page((tmp_path / "site" / "methode.html").read_text(encoding="utf-8")).text)
    assert "Phrase du modèle, écrite une fois." in text
    assert "par groupes d’au moins 7" in text
    assert "Licence du test" in text
    assert text.count("ici@exemple.invalid") >= 2
    assert "par rapport à la publication du 1er décembre 2025" in text.replace("\u00a0", " ")
