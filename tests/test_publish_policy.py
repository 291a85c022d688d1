"""What pages forbid the browser: no script but the site's, nothing from elsewhere; the server says the same."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest

from pipelines.publish.policy import PAGE
from tests.publish_database import site

META = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')
RUN = re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/(?:ld\+)?json\")|\son\w+=|href=\"javascript:", re.I)


@pytest.fixture(scope="module")
def root(run_folder: Path) -> Path:
    return site(run_folder)


def policies(root: Path) -> dict[str, dict[str, str]]:
    found = {}
    for path in sorted(root.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        [stated] = META.findall(text)
        head = text[: text.index(stated)]
        assert not re.search("<(script|link|style)", head), "said before anything is loaded"
        parts = [part.strip().partition(" ") for part in html.unescape(stated).split(";")]
        found[path.relative_to(root).as_posix()] = {name: value for name, _, value in parts}
    return found


def test_every_page_states_its_policy_first(root: Path) -> None:
    found = policies(root)
    assert len(found) > 100
    for name, policy in found.items():
        assert policy["default-src"] == "'none'", name
        assert policy.get("script-src", "'self'") == "'self'", name
        assert not any("http" in value or "*" in value or "eval" in value for value in policy.values()), name


def test_no_page_holds_what_its_policy_would_stop(root: Path) -> None:
    for path in root.rglob("*.html"):
        tags = re.sub(r">[^<]*", ">", path.read_text(encoding="utf-8"))
        assert not RUN.search(tags), path


def test_a_leaf_allows_its_own_style_alone(root: Path) -> None:
    leaves = {name: policy for name, policy in policies(root).items() if name.startswith("feuilles/")}
    assert leaves
    for name, policy in leaves.items():
        text = (root / name).read_text(encoding="utf-8")
        [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert policy["style-src"] == f"'sha256-{digest}'", name
        assert "script-src" not in policy, name


def test_the_server_says_it_too(root: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("qfq")), "serve", "--reports", str(root), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            headers = _headers(f"http://127.0.0.1:{port}/index.html")
        finally:
            server.kill()  # what a job started in the background runs may be deaf to a polite end
    assert headers["Content-Security-Policy"].startswith(PAGE)
    assert headers["X-Content-Type-Options"] == "nosniff"


def _headers(url: str) -> dict[str, str]:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return dict(answer.headers)
        except URLError:
            time.sleep(0.1)
    raise AssertionError("the server never answered")
