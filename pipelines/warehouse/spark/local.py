"""Spark on this machine alone, and what it needs to be there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JAVA = 17
"""The oldest Java that Spark 4.0 runs on."""


def missing() -> str | None:
    """What keeps Spark from starting on this machine, in French; None when nothing does."""
    if absent := [name for name in ("pyspark", "sqlglot") if find_spec(name) is None]:
        return f"L'option « spark » n'est pas installée ({', '.join(absent)}) : pip install -e '.[spark]'."
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(str(Path(home) / "bin" / "java") if home else "java")
    if java is None:
        where = f"JAVA_HOME, {home}, n'en contient pas" if home else "ni la commande java, ni JAVA_HOME"
        return f"Spark demande Java {JAVA} ou plus récent, et il n'y en a pas ici ({where})."
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603 - no user's text
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) < JAVA:
        return f"Spark demande Java {JAVA} ou plus récent ; {java} n'en est pas, ou n'en dit rien."
    return None


def session(*, processors: int | None = None, memory: str = "2g") -> SparkSession:
    """Spark in this process, heard by nobody else: on all processors unless told, `memory` for its data."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # its workers: this Python, not another of the machine
    processors = processors or os.cpu_count() or 1
    settings = {
        "spark.ui.enabled": "false",  # it would answer whoever reaches the machine
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": memory,
        "spark.sql.shuffle.partitions": str(4 * processors),
    }
    builder = SparkSession.builder.master(f"local[{processors}]").appName("qui-finance-quoi")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
