"""Fixtures shared by the tests: the project's folders and the real files, when they are there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
REAL_FILES = Path(os.environ.get("QFQ_REAL_FILES", PROJECT.parent / "shared" / "data"))


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
