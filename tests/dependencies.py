"""The pinned dependencies, each with its licence and the day it was released: `make audit` writes the list again.

The days are those of the package index, told by `uv`; licences are what each installed package declares.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import tempfile
import tomllib
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

PROJECT = Path(__file__).parents[1]
LIST = Path(__file__).with_name("dependencies.csv")
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}
_PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)( ; .*?)?(?: \\)?$", re.MULTILINE)

Pin = tuple[str, str]
"""Name and version; a name may have two, for two versions of Python."""


class Dependency(NamedTuple):
    """One pin: `needed_for` is `run` or `dev`; `released` an ISO day; `licence` empty when not installed here."""

    name: str
    version: str
    needed_for: str
    released: str
    licence: str


def pins(lock: str) -> dict[Pin, str]:
    """Every pin of a lock file of the project, with the condition it stands under (` ; python_version…`) or nothing."""
    found = _PIN.findall((PROJECT / lock).read_text(encoding="utf-8"))
    return {(name, version): condition for name, version, condition in found}


def listed() -> dict[Pin, Dependency]:
    """The list as it stands."""
    with LIST.open(encoding="utf-8", newline="") as file:
        return {(row["name"], row["version"]): Dependency(**row) for row in csv.DictReader(file)}


def _released(pinned: dict[Pin, str]) -> dict[Pin, str]:
    """The day on which the first file of each version was put on the index."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        constraints = [f"{name}=={version}{condition}" for (name, version), condition in pinned.items()]
        held = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
        whole = f"{held}\n[tool.uv]\npackage = false\nconstraint-dependencies = {json.dumps(constraints)}\n"
        (folder / "pyproject.toml").write_text(whole, encoding="utf-8")
        (folder / "README.md").touch()
        subprocess.run(["uv", "lock", "--quiet"], cwd=folder, check=True)
        found = tomllib.loads((folder / "uv.lock").read_text(encoding="utf-8"))["package"]
    files = {
        (package["name"], package["version"]): [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        for package in found
        if "version" in package
    }
    return {pin: min(_day(file["upload-time"]) for file in files[pin]) for pin in pinned}


def _day(told: datetime | str) -> str:
    return (told if isinstance(told, datetime) else datetime.fromisoformat(told)).date().isoformat()


def licence(name: str) -> str:
    """What an installed package says of its licence, in a few words; empty when it is not installed."""
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:  # another system's, or another Python's
        return ""
    classifiers = [line.rsplit(" :: ", 1)[-1] for line in told.get_all("Classifier") or [] if "License ::" in line]
    text = (told.get("License") or "").splitlines()[:1]
    return told.get("License-Expression") or " / ".join(classifiers) or "".join(text)


def write() -> list[Dependency]:
    """Write the list of the two lock files; returns it, the oldest release first."""
    run, everything = (pins(lock) for lock in LOCKS.values())
    days = _released(everything | run)
    known = listed() if LIST.is_file() else {}
    found = [
        Dependency(
            *pin, "run" if pin in run else "dev", days[pin],
            licence(pin[0]) or (known[pin].licence if pin in known else ""),
        )
        for pin in sorted(everything | run)
    ]  # fmt: skip
    with LIST.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(Dependency._fields)
        table.writerows(found)
    return sorted(found, key=lambda one: one.released)


if __name__ == "__main__":
    oldest = write()
    print(f"{len(oldest)} dépendances écrites dans {LIST.relative_to(PROJECT)} ; les plus anciennes :")
    for one in oldest[:8]:
        print(f"  {one.released}  {one.name} {one.version} ({one.licence or 'licence non lue'})")
