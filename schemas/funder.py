"""`raw/<depositor>/funder.toml`: what a depositor's files do not say of themselves. Every key is optional."""

from __future__ import annotations

import tomllib
from decimal import Decimal  # noqa: TC003 - pydantic reads the annotation
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from schemas import codelist

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "funder.toml"


class FunderFileError(ValueError):
    """A funder.toml that cannot be used; the French message says where and why."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Wins(_Strict):
    """For `years`, the files whose name matches `file` (a glob such as `*2013-2019*`) are the ones counted."""

    years: tuple[int, ...]
    file: str


class Refusals(_Strict):
    """Whether refusals are published: for a service, some years, or everything."""

    published: bool
    service: str | None = None
    years: tuple[int, ...] = ()


class Totals(_Strict):
    """What the tables of totals in the files whose name matches `file` (a glob) count: a code of the measures."""

    measure: str
    file: str = "*"

    @field_validator("measure")
    @classmethod
    def _measure_is_listed(cls, measure: str) -> str:
        if measure not in codelist.codes("measure"):
            raise ValueError(f"mesure inconnue ; les mesures possibles sont : {', '.join(codelist.codes('measure'))}")
        return measure


class Answer(_Strict):
    """What the depositor answered to a question about the files whose name matches `file` (a glob).

    `about`: the name of the question, the same at every reading; `answer`: the code of one of its choices, or a year.
    """

    about: str
    answer: str
    file: str = "*"


class Budget(_Strict):
    """The grants that a funder announces for a year, in euros: all of them, or those of a service or a scheme.

    `source`: where it is written (a vote, a budget document).
    """

    year: int = Field(ge=1990, le=2100)
    amount: Decimal = Field(gt=0, max_digits=16, decimal_places=2)
    service: str | None = None
    scheme: str | None = None
    source: str | None = None


class FunderFile(_Strict):
    """The content of a funder.toml."""

    name: str | None = None
    siret: str | None = Field(default=None, pattern=r"^\d{14}$")
    level: str | None = None
    publishes_refusals: bool | None = None
    refusals: tuple[Refusals, ...] = ()
    publication_scope: Literal["all", "above_threshold"] | None = None
    publication_threshold: int | None = None
    applicant_kind: Literal["legal", "natural"] | None = None
    source_name: str | None = None
    source_url: str | None = None
    licence: str | None = None
    fiscal_year: int | None = None
    is_demonstration: bool = False
    wins: tuple[Wins, ...] = ()
    totals: tuple[Totals, ...] = ()
    budgets: tuple[Budget, ...] = ()
    answers: tuple[Answer, ...] = ()

    @field_validator("level")
    @classmethod
    def _level_is_listed(cls, level: str | None) -> str | None:
        if level is not None and level not in codelist.codes("funder_level"):
            raise ValueError(
                f"niveau inconnu ; les niveaux possibles sont : {', '.join(codelist.codes('funder_level'))}"
            )
        return level


def load_funder_file(path: Path) -> FunderFile:
    """What `path` declares; an empty declaration when there is no such file.

    Raises `FunderFileError` when it is not TOML or holds an unknown key or value.
    """
    if not path.is_file():
        return FunderFile()
    try:
        return FunderFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FunderFileError(f"{path.name} n'est pas un fichier TOML lisible : {error}") from error
    except ValidationError as error:
        problems = " ; ".join(f"{'.'.join(map(str, e['loc']))} : {e['msg']}" for e in error.errors())
        raise FunderFileError(f"{path.name} : {problems}") from error
