"""`publication.toml`: the publisher, and the parameters of disclosure control."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

PATH = Path(__file__).parent / "publication.toml"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Publisher(_Strict):
    """Who publishes the pages, and whom to write to."""

    name: str
    site_url: str
    correction_address: str
    licence: str


class Disclosure(_Strict):
    """Thresholds of disclosure control: counts in decisions, shares between 0 and 1."""

    min_decisions: int = Field(ge=10)
    min_count: int = Field(ge=3)
    min_applicants: int = Field(ge=3)
    max_share: float = Field(gt=0, lt=1)
    min_persons: int = Field(ge=3)
    min_decided_share: float = Field(gt=0, le=1)


class Retention(_Strict):
    """How long private copies are kept once nothing reads them, in days."""

    deposits_days: int = Field(ge=1)


class Publication(_Strict):
    """The whole file."""

    publisher: Publisher
    disclosure: Disclosure
    retention: Retention


def load_publication(path: Path = PATH) -> Publication:
    """The declared publication. Raises `pydantic.ValidationError` on an unknown key or an unsafe threshold."""
    return Publication.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
