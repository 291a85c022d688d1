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
        if depositor not in self._known:
            folder = self._raw / depositor
            self._known[depositor] = declared_in(folder) if depositor else _answered(FunderFile(), [*folder.iterdir()])
        return self._known[depositor]


def declared_in(folder: Path) -> tuple[FunderFile, str | None]:
    """The funder.toml of a depositor's folder with the answers given there, and what of them cannot be used."""
    try:
        declared, problem = load_funder_file(folder / FILE_NAME), None
    except FunderFileError as error:
        declared, problem = FunderFile(), f"{error} Les déclarations de ce fichier sont ignorées."
    inside = [
        path
        for path in folder.rglob("QUESTIONS-*")
        if not any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)
    ]
    declared, wrong = _answered(declared, inside)
    return declared, " ".join(filter(None, (problem, wrong))) or None


def _answered(declared: FunderFile, paths: list[Path]) -> tuple[FunderFile, str | None]:
    """The declarations with the answers of the questionnaires among `paths`, and what is wrong with these."""
    answers, problems = list(declared.answers), []
    for path in sorted(filter(is_questionnaire, paths)):
        given, wrong = read_answers(path)
        answers += given
        problems += wrong
    return declared.model_copy(update={"answers": tuple(answers)}), " ".join(problems) or None
