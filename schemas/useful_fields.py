"""The information that matters most to readers, an entry each in `useful_fields.toml`, for receipts and pages alike."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

PATH = Path(__file__).parent / "useful_fields.toml"


class UsefulField(BaseModel):
    """One information that readers look for.

    `fields`: the fields of the contract any of which gives it; `of_refusals`: only refused applications can have it;
    `column`: the heading to give it in a file; `why`: what its absence takes from readers, a clause in French.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    fields: tuple[str, ...]
    of_refusals: bool = False
    title: str
    column: str
    why: str


@cache
def useful_fields() -> tuple[UsefulField, ...]:
    """All of them, in the order of the declaration."""
    declared = tomllib.loads(PATH.read_text(encoding="utf-8"))
    return tuple(UsefulField.model_validate(entry) for entry in declared.values())
