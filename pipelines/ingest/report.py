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
            }
        )
