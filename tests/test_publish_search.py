"""The search: exact whatever the words' order and accents, light, and equal to the file it offers to download."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab

from pipelines.publish import shards
from pipelines.publish.beneficiary_shards import bucket
from pipelines.publish.database import PublicDatabase
from pipelines.publish.finder import base36, numbered
from pipelines.publish.shards import cut
from pipelines.publish.site import publish
from pipelines.publish.tables import records
from pipelines.publish.words import folded, spelt_out, words
from tests.bench_site import large_world
from tests.publish_database import NASTY, build
from tests.test_publish_browser import ARGUMENTS, CHROMIUM, TAGS, Watched, until

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORTS = {"accueil", "beneficiaires", "recherche"}
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="Chromium n'est pas installé (apt install chromium)")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More beneficiaries than pages of their own."""
    folder = tmp_path_factory.mktemp("search")
    publish(build(folder / "public.duckdb", size=500), folder / "reports", only=REPORTS)
    return folder / "reports"


@pytest.fixture(scope="module")
def people(root: Path) -> list[dict[str, Any]]:
    with PublicDatabase(root.parent / "public.duckdb") as database:
        return records(database.query("SELECT * FROM beneficiaries"))


def _index(root: Path, page: str) -> dict[str, Any]:
    text = (root / page).read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="index-json">(.*?)</script>', text, re.DOTALL)
    assert found
    index: dict[str, Any] = json.loads(found[1])
    return index


def _shard(root: Path, kind: str, name: str) -> Any:
    text = (root / f"s/{kind}/{name}.js").read_text(encoding="utf-8")
    start = f'QFQ("{kind}/{name}",'
    assert text.startswith(start)
    return json.loads(text.removeprefix(start).removesuffix(")\n"))


# --- Words, numbers and cuts ----------------------------------------------------------------------------------


def test_words_forgive_accents_case_and_signs() -> None:
    assert words("L'Épicerie des Cœurs-Unis (ASSOCIATION)") == ["epicerie", "coeurs", "unis"]
    assert folded("ÉTÉ À NOËL") == "ete a noel"
    assert words("جمعية التضامن") == ["جمعية", "التضامن"]


def test_a_short_word_is_found_under_what_it_stands_for() -> None:
    """Readers type « Restos », registers write « Restaurants »; a name that says MJC is found either way."""
    assert words("Les Restos du Cœur") == ["restos", "coeur", "restaurants"]
    assert set(words("MJC de Lunel")) == {"mjc", "lunel", "maison", "jeunes", "culture"}
    assert all(set(words(spelt)) == set(spelt.split()) for spelt in spelt_out().values())  # none is cut off again


@given(st.dictionaries(st.text(min_size=1), st.one_of(st.none(), st.floats(0, 1e9)), min_size=1, max_size=60))
def test_numbers_are_distinct_and_put_large_amounts_first(people: dict[str, float | None]) -> None:
    bits, numbers = numbered(list(people.items()))
    assert len(set(numbers)) == len(people)
    ranked = sorted(zip(numbers, people.values(), strict=True))
    for (a, before), (b, after) in itertools.pairwise(ranked):
        if a >> bits != b >> bits:
            assert (before or 0) >= (after or 0)


def test_one_more_key_leaves_most_shards_as_they_were() -> None:
    keys = [f"siren:{n}" for n in range(0, 60_000, 7)]
    before = {tuple(keys[part]) for part in cut(keys, [100] * len(keys))}
    more = sorted([*keys, "siren:30001"])
    after = {tuple(more[part]) for part in cut(sorted(more), [100] * len(more))}
    before_sorted = {tuple(sorted(keys)[part]) for part in cut(sorted(keys), [100] * len(keys))}
    assert len(before) > 10
    assert len(after - before_sorted) <= 2
    assert sum(len(part) for part in after) == len(more)


# --- Shards -----------------------------------------------------------------------------------------------------


def _steps(text: str) -> list[int]:
    total, found = 0, []
    for step in text.split(" "):
        total += int(step, 36)
        found.append(total)
    return found


def test_every_word_leads_to_all_its_holders_and_to_them_alone(root: Path, people: list[dict[str, Any]]) -> None:
    index = _index(root, "recherche.html")
    lines = {}
    for first, name in index["lines"]:
        data = _shard(root, "l", name)
        numbers = _steps(data["n"])
        assert base36(numbers[0]) == first
        lines |= dict(zip(numbers, data["l"], strict=True))
    assert {line[1] for line in lines.values()} == {row["organisation_id"] for row in people}
    holders = {}
    for first, name in index["words"]:
        data = _shard(root, "m", name)
        assert min(data) >= first
        holders |= data
    for word in ("paniers", "montbel", "900000043", "34", "herault", "script"):
        expected = {
            row["organisation_id"]
            for row in people
            if word in words(f"{row['name']} {row['commune_name'] or ''} {row['siren']}")
            or (word in {"34", "herault"} and row["departement_code"] == "34")
        }
        assert {lines[number][1] for number in _steps(holders[word])} == expected, word
        assert expected


def test_every_beneficiary_and_award_is_in_a_shard(root: Path, people: list[dict[str, Any]]) -> None:
    buckets = _index(root, "beneficiaire.html")["buckets"]
    own = {path.stem for path in (root / "beneficiaires").glob("*.html")}
    generic = 0
    for row in people:
        known = _shard(root, "b", buckets[bucket(row["organisation_id"], len(buckets))])["b"][row["organisation_id"]]
        if isinstance(known, str):
            assert known in own
        else:
            generic += 1
            assert known["l"][0] == row["name"]
            assert sum(year[5] for year in known["y"]) == len(known["a"]) > 0
    assert generic == len({row["organisation_id"] for row in people}) - 300 > 0
    awards = _index(root, "attributions.html")["awards"]
    with duckdb.connect(str(root.parent / "public.duckdb"), read_only=True) as db:
        [(count, amount)] = db.execute("SELECT count(*), sum(amount) FROM awards").fetchall()
    rows = [row for entry in awards for name in entry[4:] for row in _shard(root, "a", name)["r"]]
    assert len(rows) == sum(entry[2] for entry in awards) == count
    assert sum(row[2] or 0 for row in rows) == pytest.approx(float(amount))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A site where a beneficiary without a page of its own has thousands of small awards, and its identifier."""
    folder = tmp_path_factory.mktemp("crowded")
    database = build(folder / "public.duckdb", size=400)
    with duckdb.connect(str(database)) as db:
        [(poorest,)] = db.execute(
            "SELECT organisation_id FROM beneficiaries WHERE siren IS NOT NULL GROUP BY ALL"
            " ORDER BY max(amount_total) NULLS FIRST, organisation_id LIMIT 1"
        ).fetchall()
        db.execute(
            "INSERT INTO awards SELECT a.* REPLACE (a.application_id || '-' || n AS application_id, 1 AS amount,"
            " 'Achat de matériel, bon numéro ' || md5(n::VARCHAR) AS title) FROM range(5000) AS r(n),"
            " (SELECT * FROM awards WHERE organisation_id = ? ORDER BY application_id LIMIT 1) AS a",
            [poorest],
        )
    publish(database, folder / "reports", only={"recherche"})
    return folder / "reports", poorest


def test_no_shard_is_heavy_even_with_thousands_of_awards_to_one(crowded: tuple[Path, str]) -> None:
    root, crowd = crowded
    weights = {path: len(gzip.compress(path.read_bytes())) for path in (root / "s/b").glob("*.js")}
    assert max(weights.values()) <= 80_000
    buckets = _index(root, "beneficiaire.html")["buckets"]
    known = _shard(root, "b", buckets[bucket(crowd, len(buckets))])["b"][crowd]
    rest = [row for name in known["m"] for row in _shard(root, "b", name)["a"]]
    assert len(known["a"]) + len(rest) > 5000
    years = [row[0] for row in (*known["a"], *rest)]
    assert years == sorted(years, reverse=True)


@in_browser
def test_thousands_of_awards_to_one_are_all_on_its_page(browser: Browser, crowded: tuple[Path, str]) -> None:
    root, crowd = crowded
    watched = Watched(browser)
    tab = watched.open(root / "beneficiaire.html")
    tab.goto(f"{(root / 'beneficiaire.html').as_uri()}#siren={crowd.removeprefix('siren:')}")
    tab.wait_for_selector("#attributions-table")
    with duckdb.connect(str(root.parent / "public.duckdb"), read_only=True) as db:
        [(wanted,)] = db.execute("SELECT count(*) FROM awards WHERE organisation_id = ?", [crowd]).fetchall()
    assert f"{wanted:,}".replace(",", "\u202f") in tab.inner_text("#attributions-table caption")
    watched.check()
    watched.context.close()


def test_shards_are_named_by_their_content_and_stay_one_publication_longer(tmp_path: Path) -> None:
    database, site = build(tmp_path / "public.duckdb", size=60), tmp_path / "reports"
    publish(database, site, only={"recherche"})
    first = {path.relative_to(site) for path in site.rglob("s/*/*.js")}
    with duckdb.connect(str(database)) as db:
        db.execute("UPDATE awards SET title = 'Un autre objet' WHERE fiscal_year = 2024 AND departement_code = '34'")
    result = publish(database, site, only={"recherche"})
    second = {path.relative_to(site) for path in site.rglob("s/*/*.js")}
    assert result.removed == 0
    assert len(second - first) == result.written - 1 == 1, "one shard and the page that names it"
    assert first < second
    with duckdb.connect(str(database)) as db:
        db.execute("UPDATE awards SET title = 'Encore un autre' WHERE fiscal_year = 2024 AND departement_code = '34'")
    result = publish(database, site, only={"recherche"})
    third = {path.relative_to(site) for path in site.rglob("s/*/*.js")}
    assert result.removed == 1
    assert len(third) == len(second)
    for path in third:
        text = (site / path).read_text(encoding="utf-8").split(",", 1)[1].removesuffix(")\n")
        assert shards.stable(text).startswith(path.stem)


def test_budgets_hold_at_scale(tmp_path: Path) -> None:
    world = large_world(24_000, 8_000, epcis=120)
    publish(build(tmp_path / "public.duckdb", world=world), tmp_path / "reports", only={"recherche"})
    for kind in "mlb":
        sizes = sorted(len(gzip.compress(path.read_bytes())) for path in (tmp_path / f"reports/s/{kind}").glob("*.js"))
        assert sizes[int(len(sizes) * 0.95) - 1] <= 30_000, kind
        assert sizes[-1] <= 80_000, kind
    assert max(len(gzip.compress(path.read_bytes())) for path in (tmp_path / "reports/s/a").glob("*.js")) <= 400_000
    assets = tmp_path / "reports/assets"
    for script in ("awards.js", "beneficiary.js", "finder.js"):
        own = [len(gzip.compress((assets / name).read_bytes())) for name in ("search.js", script)]
        assert sum(own) <= 8_000, script
    for page in ("recherche.html", "attributions.html", "beneficiaire.html"):
        content = (tmp_path / "reports" / page).read_bytes()
        assert len(content) <= 200_000
        assert len(gzip.compress(content)) <= 40_000


# --- In a browser -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


def _said(tab: Tab) -> str:
    until(tab, "/^([\\d\\u202f]+|Aucun)/.test(document.querySelector('[role=status]').textContent)")
    return tab.inner_text("[role=status]").replace("\u202f", "")


def _shown(tab: Tab) -> list[list[str]]:
    """Every row of every page of the table, as people read it."""
    rows: list[list[str]] = []
    while True:
        script = "rows => rows.map(row => Array.from(row.cells).map(cell => cell.textContent))"
        rows += tab.eval_on_selector_all("#resultats-table tbody tr", script)
        if not tab.locator("[data-go=apres]").count():
            return rows
        caption = tab.inner_text("#resultats-table caption")
        tab.click("[data-go=apres]")
        until(tab, "old => document.querySelector('#resultats-table caption').innerText !== old", arg=caption)


def _downloaded(tab: Tab) -> list[dict[str, str]]:
    with tab.expect_download() as waiting:
        tab.click("[data-go=csv]")
    text = Path(waiting.value.path()).read_bytes().decode()
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@in_browser
def test_a_search_forgives_is_kept_in_the_address_and_downloads_what_it_shows(browser: Browser, root: Path) -> None:
    watched = Watched(browser, viewport={"width": 1280, "height": 900})
    tab = watched.open(root / "index.html")
    tab.fill("#trouver", "CANAL montbél")
    tab.press("#trouver", "Enter")
    first = _said(tab)
    assert re.match(r"[1-9]\d* bénéficiaires? sur \d+", first.replace("\u00a0", " "))
    assert "q=CANAL+montb%C3%A9l" in tab.url
    tab.fill("#q", "montbel cana")
    until(tab, "location.hash.includes('montbel+cana')")
    assert _said(tab) == first
    tab.reload()
    assert tab.input_value("#q") == "montbel cana"
    assert _said(tab) == first
    rows, file = _shown(tab), _downloaded(tab)
    assert [row[0] for row in rows] == [line["name"] for line in file]
    assert [row[1] for row in rows] == [line["siren"] for line in file]
    assert len(rows) == int(re.split(r"\s", first)[0])
    amounts = [float(line["amount_total"] or 0) for line in file]
    assert amounts == sorted(amounts, reverse=True)
    for query in ("900 000 043", "90000004300012", "900000043"):
        tab.fill("#q", query)
        until(tab, "document.querySelectorAll('#resultats-table tbody tr').length === 1")
    tab.fill("#q", "introuvable")
    until(tab, "document.querySelector('[role=status]').textContent.startsWith('Aucun')")
    watched.check()
    watched.context.close()


@in_browser
def test_names_are_only_ever_text(browser: Browser, root: Path) -> None:
    watched = Watched(browser)
    tab = watched.open(root / "recherche.html")
    tab.fill("#q", "script alert")
    tab.wait_for_selector("#resultats-table")
    assert tab.inner_text("#resultats-table tbody th") == NASTY
    watched.check()
    watched.context.close()


@in_browser
def test_awards_are_filtered_sorted_and_downloaded_as_shown(browser: Browser, root: Path) -> None:
    watched = Watched(browser, viewport={"width": 1280, "height": 900})
    tab = watched.open(root / "attributions.html")
    assert "lues" in _said(tab)
    tab.select_option("#annee", "toutes")
    tab.select_option("#financeur", label="Métropole du Midi")
    tab.fill("#q", "cuisine ateliers")
    until(tab, "location.hash.includes('cuisine')")
    tab.wait_for_timeout(300)
    with duckdb.connect(str(root.parent / "public.duckdb"), read_only=True) as db:
        [(count, amount)] = db.execute(
            "SELECT count(*), sum(amount) FROM awards WHERE funder_id = '130000006' AND title = 'Ateliers cuisine'"
        ).fetchall()
    said = _said(tab)
    assert said.startswith(f"{count}\u00a0")
    tab.locator("#resultats-table thead button", has_text="Montant").first.click()
    tab.wait_for_selector("#resultats-table th[aria-sort=descending]")
    assert tab.evaluate("document.activeElement.textContent") == "Montant"
    rows, file = _shown(tab), _downloaded(tab)
    assert len(rows) == len(file) == count
    assert [(row[0], row[2]) for row in rows] == [(line["fiscal_year"], line["beneficiary_name"]) for line in file]
    amounts = [float(line["amount"]) for line in file if line["amount"]]
    assert amounts == sorted(amounts, reverse=True)
    assert sum(amounts) == pytest.approx(float(amount))
    written = [row[3].replace("\u202f", "").replace("\u00a0€", "").replace(",", ".") for row in rows if "€" in row[3]]
    assert [float(text) for text in written] == amounts
    tab.goto(tab.url)
    tab.reload()
    assert _said(tab) == said
    assert tab.locator("#resultats-table th[aria-sort=descending]").count() == 1
    tab.fill("#q", "")
    tab.select_option("#financeur", "")
    tab.select_option("#dep", "34")
    until(tab, "location.hash.includes('dep=34')")
    tab.wait_for_timeout(300)
    assert any(line["title"].startswith("'-1 gaspillage") for line in _downloaded(tab)), "no cell runs in a spreadsheet"
    watched.check()
    watched.context.close()


@in_browser
def test_any_beneficiary_has_a_page(browser: Browser, root: Path, people: list[dict[str, Any]]) -> None:
    buckets = _index(root, "beneficiaire.html")["buckets"]
    own, generic = None, None
    for row in people:
        known = _shard(root, "b", buckets[bucket(row["organisation_id"], len(buckets))])["b"][row["organisation_id"]]
        own, generic = (row, generic) if isinstance(known, str) else (own, row)
    assert own
    assert generic
    watched = Watched(browser, viewport={"width": 360, "height": 800})
    tab = watched.open(root / "beneficiaire.html")
    assert "cherchez-en un" in tab.inner_text("#etat")
    tab.goto(f"{(root / 'beneficiaire.html').as_uri()}#siren={generic['siren']}")
    tab.wait_for_selector("#fiche h2")
    assert tab.inner_text("h1") == generic["name"]
    with duckdb.connect(str(root.parent / "public.duckdb"), read_only=True) as db:
        awards = db.execute(
            "SELECT fiscal_year, title FROM awards WHERE organisation_id = ? ORDER BY ALL", [generic["organisation_id"]]
        ).fetchall()
    script = "rows => rows.map(row => [Number(row.cells[0].textContent), row.cells[3].textContent])"
    assert sorted(tab.eval_on_selector_all("#attributions-table tbody tr", script)) == [list(row) for row in awards]
    years = tab.eval_on_selector_all("#frise thead th", "cells => cells.slice(1).map(cell => Number(cell.textContent))")
    assert {year for year, _ in awards} <= set(years)
    assert "observables" in tab.inner_text("#continuite")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
    tab.goto(f"{(root / 'beneficiaire.html').as_uri()}#siren={own['siren']}")
    until(tab, "location.pathname.includes('/beneficiaires/')")
    assert tab.inner_text("h1") == own["name"]
    tab.goto(f"{(root / 'beneficiaire.html').as_uri()}#siren=123")
    until(tab, "document.querySelector('#etat').textContent.startsWith('Aucun bénéficiaire')")
    watched.check()
    watched.context.close()


@in_browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark"), (320, "light")])
def test_results_are_accessible_and_light(
    browser: Browser, root: Path, people: list[dict[str, Any]], width: int, scheme: str
) -> None:
    buckets = _index(root, "beneficiaire.html")["buckets"]
    generic = next(
        row["siren"]
        for row in people
        if not isinstance(
            _shard(root, "b", buckets[bucket(row["organisation_id"], len(buckets))])["b"][row["organisation_id"]], str
        )
    )
    watched = Watched(browser, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for address, wait in (
        ("recherche.html#q=montbel", "#resultats-table"),
        ("attributions.html#annee=toutes", "#resultats-table"),
        (f"beneficiaire.html#siren={generic}", "#attributions-table"),
    ):
        path, _, fragment = address.partition("#")
        tab = watched.page
        tab.goto(f"{(root / path).as_uri()}#{fragment}")
        tab.wait_for_selector(wait)
        found = Axe().run(tab, options={"runOnly": TAGS, "resultTypes": ["violations"], "preload": False})
        assert found.violations_count == 0, f"{address}\n{found.generate_report()}"
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, address
        assert tab.evaluate("document.getElementsByTagName('*').length") <= 2_500, address
    watched.check()
    watched.context.close()


@in_browser
def test_scripts_and_builder_agree_on_words_and_buckets(browser: Browser, root: Path) -> None:
    watched = Watched(browser)
    tab = watched.open(root / "recherche.html")
    tab.wait_for_selector("#chercher:not([hidden])")
    for text in (
        "L'Épicerie des Cœurs-Unis",
        "ÆTHER & STRAẞE n°2",
        "جمعية التضامن",
        "Fête\u00a0du_30 juin",
        "ÎLE d'Yeu",
    ):
        assert tab.evaluate("text => QFQ.words(text)", text) == words(text), text
    wanted = {"Restos du cœur": ["restaurants", "coeur"], "La MJC": ["maison", "jeunes", "culture"]}
    for typed, found in wanted.items():
        assert tab.evaluate("text => QFQ.words(text)", typed) == found
    assert "maison jeunes culture" in tab.evaluate("text => QFQ.sought(text)", "La MJC")
    watched.context.close()


@in_browser
def test_without_script_the_lists_and_files_are_told(browser: Browser, root: Path) -> None:
    watched = Watched(browser, java_script_enabled=False)
    for name in ("recherche.html", "attributions.html", "beneficiaire.html"):
        tab = watched.open(root / name)
        assert tab.locator("form:visible").count() == 0
        hrefs = tab.eval_on_selector_all("#sans-script a", "links => links.map(link => link.getAttribute('href'))")
        assert {"beneficiaires/index.html", "data/awards.csv"} <= set(hrefs)
    watched.context.close()


def test_lists_lead_to_every_beneficiary(root: Path, people: list[dict[str, Any]]) -> None:
    """Without a script, by letter and by département; with one, each line leads to a page."""
    for folder in ("noms", "departements"):
        text = "".join(path.read_text(encoding="utf-8") for path in (root / f"beneficiaires/{folder}").glob("*.html"))
        for row in people:
            assert f"<code>{row['siren']}</code>" in text
        hrefs = set(re.findall(r'href="\.\./\.\./beneficiaire\.html#siren=(\d+)"', text))
        assert len(hrefs) == len({row["organisation_id"] for row in people}) - 300
        assert hrefs <= {row["siren"] for row in people}


def test_no_script_reads_anything_else(root: Path) -> None:
    for path in (root / "assets").glob("*.js"):
        if not path.name.startswith("plotly"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(
                r"fetch\(|XMLHttpRequest|\bimport\(|innerHTML|insertAdjacentHTML|document\.write", text
            )
