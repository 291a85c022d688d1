"""The site in a real browser, opened as files: nothing from outside, no error, no sideways scroll, no axe violation."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, sync_playwright

from tests.publish_database import site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = [
    "index.html",
    "financeurs/index.html",
    "financeurs/metropole-du-midi.html",
    "services/metropole-du-midi-politique-de-la-ville.html",
    "beneficiaires/index.html",
    "recherche.html",
    "attributions.html",
    "beneficiaire.html",
    "annees/index.html",
    "annees/2024.html",
    "territoires/34.html",
    "territoires/region-76.html",
    "territoires/epci-243400017.html",
    "cofinancements.html",
    "continuite.html",
    "refus.html",
    "qualite.html",
    "methode.html",
    "dictionnaire.html",
    "donnees.html",
    "changements.html",
    "dictionnaire/awards.html",
    "feuilles/financeurs/metropole-du-midi.html",
    "feuilles/territoires/34.html",
    "mentions.html",
    "themes.html",
    "appels/index.html",
    "qui-fait-quoi/index.html",
    "qui-fait-quoi/34.html",
]
AUDITED = [
    "index.html",
    "annees/2024.html",
    "cofinancements.html",
    "recherche.html",
    "territoires/index.html",
    "financeurs/metropole-du-midi.html",
    "refus.html",
    "qualite.html",
    "donnees.html",
    "changements.html",
    "feuilles/territoires/34.html",
    "methode.html",
    "appels/index.html",
    "qui-fait-quoi/34.html",
    "services/metropole-du-midi-politique-de-la-ville.html",
]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium n'est pas installé (apt install chromium)")


@pytest.fixture(scope="module")
def root(run_folder: Path) -> Path:
    return site(run_folder)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


class Watched:
    """A page, with everything it asked for and complained of."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.context = browser.new_context(offline=True, **options)
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on(
            "console", lambda message: self.complaints.append(message.text) if message.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: Path) -> Page:
        self.page.goto(path.as_uri())
        return self.page

    def check(self) -> None:
        assert not self.complaints
        assert [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))] == []


def until(page: Page, condition: str, arg: object = None) -> None:
    """Wait for a condition; not Playwright's way, which asks the page for what its policy forbids."""
    for _ in range(600):
        with contextlib.suppress(Error):  # the page is being left
            if page.evaluate(condition, arg):
                return
        page.wait_for_timeout(50)
    raise AssertionError(f"it never came: {condition}")


def _open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_pages_fit_their_width_and_ask_for_nothing(browser: Browser, root: Path, width: int) -> None:
    watched = Watched(browser, viewport={"width": width, "height": 800})
    beneficiary = next(path for path in sorted((root / "beneficiaires").glob("*.html")) if path.stem != "index")
    for path in [*(root / name for name in PAGES), beneficiary]:
        page = watched.open(path)
        _open_all(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    watched.check()
    watched.context.close()


@pytest.mark.parametrize(
    ("width", "scheme", "names"),
    [(1280, "light", AUDITED), (360, "dark", AUDITED), (1280, "dark", AUDITED[:2]), (360, "light", AUDITED[:2])],
)
def test_axe_finds_nothing(browser: Browser, root: Path, width: int, scheme: str, names: list[str]) -> None:
    """`preload` is off: axe would fetch the style sheet, which a page opened as a file may not."""
    watched = Watched(browser, viewport={"width": width, "height": 900}, color_scheme=scheme)
    beneficiary = next(path for path in sorted((root / "beneficiaires").glob("*.html")) if path.stem != "index")
    for path in [*(root / name for name in names), beneficiary]:
        page = watched.open(path)
        _open_all(page)
        if page.locator("button[data-draw]").count():
            page.locator("button[data-draw]").first.click()
            page.wait_for_selector(".interactive .main-svg")
        found = Axe().run(page, options={"runOnly": TAGS, "resultTypes": ["violations"], "preload": False})
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
    watched.check()
    watched.context.close()


@pytest.mark.parametrize("name", ["index.html", "financeurs/metropole-du-midi.html", "continuite.html", "refus.html"])
def test_interactive_version_draws_on_a_click_only(browser: Browser, root: Path, name: str) -> None:
    watched = Watched(browser, viewport={"width": 1280, "height": 900})
    page = watched.open(root / name)
    assert not any("plotly" in url for url in watched.requests), "nothing heavy before the click"
    button = page.locator("button[data-draw]").first
    assert button.inner_text() == "Version interactive (≈\u00a01,5 Mo)" or "Version interactive" in button.inner_text()
    button.click()
    page.wait_for_selector(".interactive .main-svg")
    assert page.locator(".interactive .trace").count() > 0
    assert page.locator(".interactive").get_attribute("role") == "group"
    assert button.get_attribute("aria-expanded") == "true"
    assert "cloud" not in page.locator(".interactive").inner_html().lower()
    button.click()
    assert page.locator(".interactive").is_hidden()
    watched.check()
    watched.context.close()


def test_tables_sort_and_filter(browser: Browser, root: Path) -> None:
    watched = Watched(browser, viewport={"width": 1280, "height": 900})
    page = watched.open(root / "financeurs/index.html")
    head = page.locator("#liste-table thead th", has_text="Montant").first
    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    keys = page.eval_on_selector_all("#liste-table tbody tr", "rows => rows.map(row => Number(row.cells[4].dataset.k))")
    assert keys == sorted(keys, reverse=True)
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    page.get_by_label("Filtrer les financeurs").fill("metro")
    until(page, "document.querySelector('[role=status]').textContent.startsWith('1 ligne')")
    assert page.locator("#liste-table tbody tr:visible").count() == 1
    watched.check()
    watched.context.close()


def test_everything_is_readable_without_script(browser: Browser, root: Path) -> None:
    watched = Watched(browser, java_script_enabled=False)
    page = watched.open(root / "financeurs/metropole-du-midi.html")
    assert page.locator("button").count() == page.locator("button[hidden]").count()
    assert page.locator("#annees-table tbody tr").count() > 3
    assert page.locator(".chart .row").count() > 10
    watched.context.close()


def test_the_menu_takes_one_row_of_a_phone_and_is_laid_out_elsewhere(browser: Browser, root: Path) -> None:
    for width in (360, 1280):
        with contextlib.closing(browser.new_page(viewport={"width": width, "height": 800})) as page:
            page.goto((root / "refus.html").as_uri())
            header, link, menu = page.locator("header.top"), page.locator(".menu a").last, page.locator(".menu summary")
            assert menu.is_visible() == (width == 360)
            if width == 360:
                box = header.bounding_box()
                assert box is not None
                assert box["height"] < 90
                assert not link.is_visible()
                menu.focus()
                page.keyboard.press("Enter")
            assert link.is_visible()
            link.click()
            assert page.url.endswith("donnees.html")


def test_keyboard_reaches_the_content_first(browser: Browser, root: Path) -> None:
    watched = Watched(browser)
    page = watched.open(root / "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Aller au contenu"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "contenu"
    watched.context.close()


def test_two_or_three_calls_stand_side_by_side(browser: Browser, root: Path) -> None:
    watched = Watched(browser, viewport={"width": 360, "height": 800})
    page = watched.open(root / "appels/index.html")
    boxes = page.locator("#appels-table input[type=checkbox]")
    boxes.nth(0).check()
    assert page.locator(".compared").count() == 0
    boxes.nth(1).check()
    heads = page.locator(".compared thead th").all_inner_texts()
    assert heads[1:] == [page.locator(f"#appel-{number}-titre").inner_text() for number in (1, 2)]
    sheets = page.locator("#appel-1 tbody th").all_inner_texts(), page.locator("#appel-2 tbody th").all_inner_texts()
    assert set(page.locator(".compared tbody th").all_inner_texts()) == {*sheets[0], *sheets[1]}
    boxes.nth(2).check()
    assert boxes.nth(3).is_disabled()
    assert page.url.endswith("#comparer=appel-1+appel-2+appel-3")
    page.reload()
    assert page.locator(".compared thead th").count() == 4
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    watched.check()
    watched.context.close()


def test_calls_are_read_without_a_script(browser: Browser, root: Path) -> None:
    watched = Watched(browser, java_script_enabled=False)
    page = watched.open(root / "appels/index.html")
    assert not page.locator("#comparaison").is_visible()
    first = page.locator("#appels-table tbody th a").first
    first.click()
    assert page.url.endswith("#appel-1")
    assert page.locator("#appel-1 table").is_visible()
    assert page.locator("#appel-1 tbody tr").count() > 15
    watched.context.close()
