"""Fixtures shared by the tests: the project's folders and the real files, when they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
REAL_FILES = Path(os.environ.get("QFQ_REAL_FILES", PROJECT.parent / "shared" / "data"))

LONGEST = (
    "test_line", "test_publications", "test_definitions", "test_doctor", "test_publish_site", "test_cofunding",
    "test_persons", "test_analyses_recomputed", "test_review", "test_infer", "test_changes", "test_publish_browser",
    "test_warehouse_disclosure", "test_warehouse_build", "test_territories", "test_publish_search", "test_audit",
    "test_linking_warehouse", "test_mutations", "test_shards", "test_themes", "test_conformity",
)  # fmt: skip
"""Files of tests of twenty seconds and more, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: `make test` gives each to one process, and the last one must not be left alone."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of this machine are asked directly, whatever proxy the machine leaves its network by."""
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of this run, the same for all its processes: for what `tests.shared.once` makes."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def project() -> Path:
    """The root of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def real_files() -> Path:
    """The folder of real files; the test is skipped, and says why, when it is not there."""
    if not REAL_FILES.is_dir():
        pytest.skip(f"the real files are not there ({REAL_FILES}); set QFQ_REAL_FILES to their folder")
    return REAL_FILES
