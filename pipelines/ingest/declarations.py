"""What a depositor's folder says of its files: `funder.toml`, and the answers to our questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.ingest.questionnaire import is_questionnaire, read_answers
from schemas.funder import FILE_NAME, FunderFile, FunderFileError, load_funder_file

if TYPE_CHECKING:
    from pathlib import Path


class Declarations:
    """The declarations of each depositor of `raw`, read once: one pass over the inbox sees one state of them."""

    def __init__(self, raw: Path) -> None:
        self._raw = raw
        self._known: dict[str, tuple[FunderFile, str | None]] = {}

    def of(self, depositor: str) -> tuple[FunderFile, str | None]:
        """What `depositor` (empty: a file directly in `raw`) declares, and what of it cannot be used (French)."""
        if not depositor:
            return FunderFile(), None
        if depositor not in self._known:
            self._known[depositor] = declared_in(self._raw / depositor)
        return self._known[depositor]


def declared_in(folder: Path) -> tuple[FunderFile, str | None]:
    """The funder.toml of a depositor's folder with the answers given there, and what of them cannot be used."""
    problems: list[str] = []
    try:
        declared = load_funder_file(folder / FILE_NAME)
    except FunderFileError as error:
        declared = FunderFile()
        problems.append(f"{error} Les déclarations de ce fichier sont ignorées.")
    answers = list(declared.answers)
    for path in sorted(folder.rglob("QUESTIONS-*")):
        inside = path.relative_to(folder).parts
        if any(part.startswith(("_", ".")) for part in inside) or not is_questionnaire(path):
            continue
        given, wrong = read_answers(path)
        answers += given
        problems += wrong
    return declared.model_copy(update={"answers": tuple(answers)}), " ".join(problems) or None
