"""Licences: which one a source states in its own words, and what it asks of what is made from it.

`licences.toml` lists the known ones. A statement that is met by none is kept apart: what it allows is unknown. A source
that states nothing is public information, reusable under the conditions of the law (CRPA, articles L321-1 and L322-1):
its meaning is kept, its source and date are named.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from schemas.fold import fold_words

PATH = Path(__file__).with_name("licences.toml")
Kind = Literal["attribution", "share_alike", "apart"]
SHARE_ALIKE = "odbl"
"""The licence of what is made from several sources, one of them under a share-alike licence."""


class Licence(BaseModel):
    """A known licence. `expressions` are folded words; `spdx` is its identifier in the SPDX list, when there is one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    url: str
    kind: Kind
    expressions: tuple[str, ...]
    spdx: str | None = None


@cache
def licences() -> dict[str, Licence]:
    """The known licences by name, in the order in which they are tried."""
    declared = tomllib.loads(PATH.read_text(encoding="utf-8"))
    return {name: Licence.model_validate(entry) for name, entry in declared.items()}


@cache
def recognised(stated: str) -> Licence | None:
    """The licence that a statement names: `Open Database License (ODbL)` → ODbL 1.0; None for an unknown one.

    Of a statement that names several (« Licence Ouverte 2.0, ODbL »), the one that asks most.
    """
    words = f" {fold_words(stated)} "
    return next((one for one in licences().values() if any(f" {said} " in words for said in one.expressions)), None)


@cache
def kind_of(stated: str | None) -> Kind:
    """What a statement asks. Nothing stated asks for the attribution that the law asks for."""
    if stated is None or not stated.strip():
        return "attribution"
    known = recognised(stated)
    return "apart" if known is None else known.kind
