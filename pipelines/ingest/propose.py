"""What inference holds true of a sheet → the format that reads it so, and what each column was taken for."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipelines.ingest.fold import fold_header
from pipelines.ingest.guess import listed_columns
from pipelines.ingest.infer_wide import unpivot_rule
from pipelines.ingest.personal import mask
from pipelines.ingest.recognise import find_header
from pipelines.ingest.report import ColumnReport
from schemas.format import INFERRED, ColumnRule, ExpectRule, Format, LayoutRule, RecogniseRule

if TYPE_CHECKING:
    from pipelines.ingest.evidence import Column
    from pipelines.ingest.guess import Guess

_MAX_REJECTED = 0.05
BY_YEAR = "d'après son titre, qui porte l'année"
_OFTEN_OTHER = ("refusal_reason", "applicant_kind")
"""Fields of a codelist, a word of which that is in no look-up is no problem."""
_CRITICAL = ("applicant_name", "funder_name", "fiscal_year", "decision_status")


def propose(guess: Guess) -> Format | None:
    """The format that the guess makes; None when it has no field to require."""
    required = [name for name in guess.fields if name in _CRITICAL or name == f"amount_{guess.stage}"]
    if not required:
        return None
    unpivot = unpivot_rule(guess)
    turned = list(unpivot.columns) if unpivot is not None else []
    order = {letter: position for position, letter in enumerate(guess.sheet.letters)}
    placed = sorted(guess.fields.items(), key=lambda item: order[item[1].letter])
    status = "decision_status" in guess.fields or guess.decision is not None
    stem = PurePosixPath(guess.origin.file_name.replace("\\", "/")).stem
    constants = {} if "currency" in guess.fields else {"currency": "EUR"}
    titled = [(column, title) for column in guess.columns if (title := column.title.text.strip())]
    columns = {
        name: ColumnRule(
            headers=(column.title.text.strip(),),
            values=guess.values.get(name, {}),
            empty=guess.blanks.get(name),
            unlisted="" if name in _OFTEN_OTHER else None,
            times=guess.times if name.startswith("amount_") else 1,
        )
        for name, column in placed
    }
    wide = {name: ColumnRule(times=guess.times) for name in guess.wide_fields.values() if guess.times != 1}
    return Format(
        id=INFERRED,
        title=f"Format déduit de « {' '.join((mask(stem) or '').split())} »",
        description="Format proposé par déduction, à relire : une ligne par demande ou par subvention.",
        record_kind="application" if status else "payment" if guess.stage == "paid" else "award",
        headline_stage=guess.stage or "awarded",
        recognise=RecogniseRule(
            required=(*required, *turned), headers=tuple(guess.fields[name].title.text.strip() for name in required)
        ),
        fields={**guess.section_rules, **wide, **columns},
        constants={**constants, **guess.constants},
        decision=guess.decision,
        layout=LayoutRule(banner=guess.banner_rules, unpivot=unpivot, sections=guess.sections, merged=guess.merged),
        ignore={title: guess.ignored[column.letter] for column, title in titled if column.letter in guess.ignored},
        expect=ExpectRule(max_rejected_share=_MAX_REJECTED),
    )


def check_reading(guess: Guess, format_: Format) -> None:
    """The proposed format must find the same header and the same columns again; else its titles are too alike."""
    found = find_header(guess.sheet, {INFERRED: format_})
    wanted = {column.letter: name for name, column in guess.fields.items()}
    if format_.layout.unpivot is not None:
        wanted |= {column.letter: f"{guess.wide_fields[column.letter]}.{column.title.year}" for column in guess.wide}
    filled = {column.letter for column in guess.columns if column.cells.len()}
    read = {} if found is None else {k: name for k, name in found.fields.items() if k in filled or k in wanted}
    if found is None or found.row != guess.candidate.row or read != wanted:
        alike = [column for column in guess.columns if _has_twin(column, guess.columns)]
        if guess.asked and not alike:  # what is open changes the proposal: this is looked at again with the answers
            return
        told = f" ({listed_columns(alike)})" if alike else ""
        guess.ask(f"Des titres de colonnes se ressemblent trop pour être distingués{told} : que veut dire chacun ?")
        return
    names = (*_CRITICAL, f"amount_{guess.stage}")
    main = {guess.fields[name].letter for name in names if name in guess.fields}
    for letter, first in found.duplicates.items():
        if first in main and letter not in guess.ignored:
            title = " ".join((mask(found.titles[letter]) or "").split())
            guess.ask(f"Deux colonnes s'appellent « {title} » : laquelle compte ?")


def _has_twin(column: Column, columns: list[Column]) -> bool:
    same = fold_header(column.title.text)
    return any(other is not column and fold_header(other.title.text) == same for other in columns)


def meanings(guess: Guess) -> list[ColumnReport]:
    """Each column with the field it takes and why, or why it takes none."""
    fields = {column.letter: name for name, column in guess.fields.items()}
    fields |= guess.wide_fields
    asked = {column.letter for columns in guess.rivals.values() for column in columns}
    known = {column.letter for column in guess.columns}
    reports = []
    for letter in guess.sheet.letters:
        title = " ".join((mask(guess.candidate.titles.get(letter, "")) or "").split())
        if not title:
            continue
        name = fields.get(letter) if letter not in asked else None
        why = guess.basis.get(name, BY_YEAR) if name else "à préciser : voir les questions" if letter in asked else None
        if why is None:
            why = guess.ignored.get(letter) or (
                "sens inconnu : non lue" if letter in known else "donnée personnelle : non lue"
            )
        reports.append(ColumnReport(guess.sheet.name, letter, title, name, why))
    return reports


def merged(format_: Format | None, own: Format | None, *, main: Guess, other: Guess) -> Format | None:
    """One format for the sheets `main` (read by `format_`) and `other` (read by `own`), words put together.

    None when they do not have the same titles, or do not read the same way. A field that only one sheet fills stays,
    unless the other one has that column and it says something else.
    """
    if format_ is None or own is None or (format_.constants, format_.layout) != (own.constants, own.layout):
        return None
    if format_.recognise != own.recognise:
        return None
    fields: dict[str, ColumnRule] = {}
    for name in [*format_.fields, *(name for name in own.fields if name not in format_.fields)]:
        here, there = format_.fields.get(name), own.fields.get(name)
        if here is not None and there is not None:
            if _folded(here) != _folded(there):
                return None
            fields[name] = here.model_copy(update={"values": {**there.values, **here.values}})
        elif here is not None and not _has_cells(other, here):
            fields[name] = here
        elif there is not None and not _has_cells(main, there):
            fields[name] = there
    return format_.model_copy(update={"fields": fields})


def _folded(rule: ColumnRule) -> set[str]:
    return {fold_header(title) for title in rule.headers}


def _has_cells(guess: Guess, rule: ColumnRule) -> bool:
    return any(c.cells.len() and fold_header(c.title.text) in _folded(rule) for c in guess.columns)
