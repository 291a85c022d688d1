"""The leaf to share: one light file without script or request, on two sides of paper, with the numbers of its page."""

from __future__ import annotations

import html
import re
import shutil
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from pipelines.publish import leaf
from tests.publish_database import site

if TYPE_CHECKING:
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def root(run_folder: Path) -> Path:
    return site(run_folder)


@pytest.fixture(scope="session")
def leaves(root: Path) -> list[Path]:
    return sorted((root / "feuilles").rglob("*.html"))


def _text(path: Path) -> str:
    return html.unescape(path.read_text(encoding="utf-8"))


def test_every_funder_and_territory_has_its_leaf(root: Path, leaves: list[Path]) -> None:
    pages = {
        *(root / "financeurs").glob("[!i]*.html"), *(root / "territoires").glob("[!i]*.html"),
    } - {root / "territoires/siege-non-precise.html"}  # fmt: skip
    assert {path.relative_to(root / "feuilles") for path in leaves} == {path.relative_to(root) for path in pages}
    for page in pages:
        name = page.relative_to(root)
        assert f'href="../feuilles/{name.as_posix()}"' in page.read_text(encoding="utf-8"), name


def test_a_leaf_is_one_light_file(leaves: list[Path]) -> None:
    for path in leaves:
        text = path.read_text(encoding="utf-8")
        assert len(text.encode()) <= leaf.MOST_BYTES, path
        assert "<script" not in text
        assert not re.search(r"""(src|srcset)=|<link rel="(?!icon)|@import|url\(""", text), path
        assert set(re.findall(r'href="([^"#]+)"', text)) <= {
            "data:,", f"../../{path.parent.name}/{path.name}",
        }, path  # fmt: skip


def test_a_leaf_has_the_numbers_of_its_page(root: Path) -> None:
    for name in ("financeurs/metropole-du-midi.html", "territoires/34.html", "territoires/region-76.html"):
        page, shared = _text(root / name), _text(root / "feuilles" / name)
        amounts = re.findall(r'class="n"><bdi>([\d\u202f]+(?:,\d+)?\u00a0€)</bdi>', shared)
        assert amounts
        assert all(amount in page for amount in amounts), name
        for figure in re.findall(r'<section id="(\w+)"', shared):
            assert figure in {
                "annees", "themes", "territoires", "maintien", "continuite", "financeurs", "taux-de-refus",
                "refus-services", "refus", "contacts", "lecture",
            }  # fmt: skip


def test_a_leaf_says_what_is_missing_and_where_it_comes_from(root: Path) -> None:
    silent = _text(root / "feuilles/financeurs/departement-de-la-garrigue.html")
    assert "Refus non publiés" in silent
    assert "Taux de refus" not in silent
    for name in ("financeurs/departement-de-la-garrigue.html", "territoires/34.html"):
        text = _text(root / "feuilles" / name)
        assert "état au 12\u00a0mars 2026" in text
        assert "Licence Ouverte 2.0" in text
        assert "corrections@exemple.invalid" in text
        assert "organismes financés" in text or "Continuité" in text
    assert "contact@exemple.invalid" in _text(root / "feuilles/territoires/34.html")
    assert "<b>solidaire" not in (root / "feuilles/financeurs/fondation-d-exemple-b-solidaire-b.html").read_text(
        encoding="utf-8"
    )


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium n'est pas installé (apt install chromium)")
def test_a_leaf_fits_two_sides_and_a_narrow_screen(leaves: list[Path], tmp_path: Path) -> None:
    """The heaviest leaves: printed on A4 as they are, and without a sideways scroll at 320 pixels."""
    heaviest = sorted(leaves, key=lambda path: -path.stat().st_size)[:4]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(offline=True, viewport={"width": 320, "height": 700}).new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for path in heaviest:
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
            printed = page.pdf(prefer_css_page_size=True, path=tmp_path / "leaf.pdf")
            assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 2, path
        assert all(url.startswith(("file:", "data:")) for url in asked)
        browser.close()
