"""Examines the site: each file that a manifest lists is there, with the bytes that were published."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from schemas.health import BY_THE_NEXT_RUN, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PART = "pages"


def examine(reports: Path) -> Iterator[Finding]:
    """What is amiss in the site of the folder `reports`. Reads every file of it."""
    for manifest in sorted((reports / "manifest").glob("*.json")):
        try:
            listed = json.loads(manifest.read_text(encoding="utf-8"))
        except ValueError:
            yield Finding(PART, f"manifest/{manifest.name}", "Le fichier est abîmé.", BY_THE_NEXT_RUN, is_repaired=True)
            continue
        for path, wanted in sorted(listed.items()):
            file = reports / path
            if not file.is_file():
                yield Finding(PART, path, "Le fichier manque.", BY_THE_NEXT_RUN, is_repaired=True)
            elif hashlib.sha256(file.read_bytes()).hexdigest() != wanted:
                yield Finding(PART, path, "Le fichier n'est pas celui qui a été publié.", BY_THE_NEXT_RUN, True)
    for path in sorted(reports.rglob("*.tmp")):
        place = path.relative_to(reports).as_posix()
        yield Finding(PART, place, "Reste d'un passage interrompu.", "Le prochain passage l'efface.", True)
