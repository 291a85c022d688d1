"""The problems a file may have: one entry each in `issues.toml`, the only place for their severity and their words."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

PATH = Path(__file__).parent / "issues.toml"

Severity = Literal["error", "warning", "info"]


class IssueKind(BaseModel):
    """One kind of problem.

    `severity`: an `error` sets the line aside, a `warning` keeps it, an `info` asks for nothing. `effect`: `blank`
    empties the cell's value, `ignore` leaves the whole row out, `keep` changes nothing. `message` may hold `{value}`,
    `{field}` and `{detail}`; `remedy` says what to do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    severity: Severity
    effect: Literal["blank", "keep", "ignore"] = "keep"
    title: str
    message: str
    remedy: str


@cache
def issue_kinds() -> dict[str, IssueKind]:
    """Every kind of problem, by code."""
    declared = tomllib.loads(PATH.read_text(encoding="utf-8"))
    return {code: IssueKind.model_validate({"code": code, **entry}) for code, entry in declared.items()}
