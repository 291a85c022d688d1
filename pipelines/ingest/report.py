"""What is said of one file: counts, sheets, columns, issues. `qfq check --json` prints it, the receipt shows it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pathlib import Path

Status = Literal["accepted", "held", "refused"]


@dataclass
class SheetReport:
    """One sheet of the file (or member of the archive), kept or not, with the reason in French.

    `rows_read = rows_accepted + rows_rejected + rows_ignored` holds for every sheet.
    """

    name: str
    kept: bool
    reason: str
    header_row: int | None = None
    rows_read: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_ignored: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    """French reason → number of rows ignored for it."""


@dataclass
class ColumnReport:
    """One column of a kept sheet: the field it fills, or why it fills none."""

    sheet: str
    column: str
    header: str
    field: str | None
    why: str | None = None


@dataclass
class Issue:
    """One problem at one place; `value` is masked when personal."""

    sheet: str | None
    row: int | None
    column: str | None
    value: str | None
    code: str
    message: str
    severity: str
    field: str | None = None


@dataclass
class Question:
    """What only the author of a file can say (French text).

    `about` names a question that a choice answers, the same at every reading of the file; `choices`: code → French
    words, none when the answer is a year. Without `about`, only the file itself can answer.
    """

    text: str
    about: str | None = None
    choices: dict[str, str] = field(default_factory=dict)


@dataclass
class Lack:
    """One thing that the legal format asks and that is not there: a rule of `schemas/scdl.py`, broken in one column.

    `column` is the official name (None: the whole row), `letter` that of the author's column; `places`: sheet and row
    of the first ones.
    """

    column: str | None
    letter: str | None
    rule: str
    count: int
    places: list[tuple[str, int]]


@dataclass
class FileConformity:
    """Whether one sheet could be published as it is. `is_official`: its columns bear the names of the legal format."""

    sheet: str
    is_official: bool
    missing: list[str] = field(default_factory=list)
    is_in_order: bool = True
    repeated: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    rows: int = 0
    rows_wrong: int = 0
    lacks: list[Lack] = field(default_factory=list)

    @property
    def conforms(self) -> bool:
        """Nothing to change."""
        has_header = self.is_official and self.is_in_order
        return has_header and not (self.missing or self.repeated or self.unknown or self.lacks)


@dataclass
class AwardConformity:
    """How many awards can be published in the legal format, once read. `left_out`: reason → lines not for it."""

    awards: int = 0
    conforming: int = 0
    lacks: list[Lack] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass
class Report:
    """Everything said of one file (or of one member of an archive)."""

    file: str
    sha256: str
    format: str | None = None
    recognised_by: Literal["format", "inference", "none"] = "none"
    status: Status = "refused"
    rows_read: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    rows_ignored: int = 0
    amounts: dict[str, str] = field(default_factory=dict)
    headline_stage: str | None = None
    currency: str | None = None
    decisions: dict[str, int] = field(default_factory=dict)
    fiscal_years: list[int] = field(default_factory=list)
    sheets: list[SheetReport] = field(default_factory=list)
    columns: list[ColumnReport] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    members: list[Report] = field(default_factory=list)
    # Beyond the JSON contract: what the receipt adds.
    depositor: str | None = None
    funders: list[str] = field(default_factory=list)
    publishes_refusals: bool | None = None
    publication_scope: str | None = None
    is_demonstration: bool = False
    personal_removed: dict[str, int] = field(default_factory=dict)
    """Kind of personal value → number of cells emptied or masked."""
    natural_persons: int = 0
    filled: dict[str, int] = field(default_factory=dict)
    """Field → number of accepted lines that state it."""
    questions: list[str] = field(default_factory=list)
    """French questions left open for the author."""
    to_choose: list[Question] = field(default_factory=list)
    """Those of the questions that a choice answers, without a change in the file."""
    proposed_format: str | None = None
    """The format file that inference proposes, as TOML text."""
    legal_sheets: list[FileConformity] = field(default_factory=list)
    """Conformity of each sheet kept, as it is, to the legal format (SCDL)."""
    legal_awards: AwardConformity | None = None
    """What the legal CSV made from the awards holds; None when there is no award."""

    @property
    def is_funder_of_folder(self) -> bool:
        """Whether nothing but the name of the depositor's folder says who pays."""
        is_stated = any(column.field == "funder_name" for column in self.columns)
        return bool(self.depositor) and self.funders == [self.depositor] and not is_stated

    def to_json(self) -> str:
        """The one object that `qfq check --json` prints."""
        return json.dumps(self._contract(), ensure_ascii=False, indent=2)

    def _contract(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            key: getattr(self, key)
            for key in (
                "file",
                "sha256",
                "format",
                "recognised_by",
                "status",
                "rows_read",
                "rows_accepted",
                "rows_rejected",
                "rows_ignored",
                "amounts",
                "headline_stage",
                "currency",
                "decisions",
                "fiscal_years",
            )
        }
        body["sheets"] = [{"name": s.name, "kept": s.kept, "reason": s.reason} for s in self.sheets]
        body["columns"] = [{k: v for k, v in asdict(c).items() if k != "why" or v is not None} for c in self.columns]
        body["issues"] = [{k: v for k, v in asdict(i).items() if k != "field"} for i in self.issues]
        body["messages"] = self.messages
        if self.members:
            body["members"] = [member._contract() for member in self.members]
        return body

    def save(self, path: Path) -> None:
        """Write the whole report, receipt's part included, as JSON."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Report:
        """Read back what `save` wrote."""
        return cls._from(json.loads(path.read_text(encoding="utf-8")))

    @classmethod
    def _from(cls, body: dict[str, Any]) -> Report:
        return cls(
            **{
                **body,
                "sheets": [SheetReport(**s) for s in body["sheets"]],
                "columns": [ColumnReport(**c) for c in body["columns"]],
                "issues": [Issue(**i) for i in body["issues"]],
                "members": [cls._from(m) for m in body["members"]],
                "to_choose": [Question(**q) for q in body["to_choose"]],
                "legal_sheets": [FileConformity(**_with_lacks(s)) for s in body["legal_sheets"]],
                "legal_awards": body["legal_awards"] and AwardConformity(**_with_lacks(body["legal_awards"])),
            }
        )


def _with_lacks(body: dict[str, Any]) -> dict[str, Any]:
    lacks = [Lack(**{**lack, "places": [tuple(place) for place in lack["places"]]}) for lack in body["lacks"]]
    return {**body, "lacks": lacks}
