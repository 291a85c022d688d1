"""A file format as data: one TOML in `schemas/formats/`, checked against the models below.

To add a source, write one file; nothing is registered anywhere. The keys a format may map are the contract's fields
and the few *composite* ones of `COMPOSITES`, which a reader splits into several fields.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas import codelist
from schemas.application import Application
from schemas.contract import FieldInfo, describe

FOLDER = Path(__file__).parent / "formats"

COMPOSITES = {
    "applicant_id": ("applicant_siret", "applicant_siren", "applicant_rna", "applicant_id_raw"),
    "funder_id": ("funder_siret", "funder_siren"),
    "payment_period": ("payment_start_date", "payment_end_date"),
    "agreement_years": ("agreement_start_year", "agreement_end_year"),
}
"""Columns that hold several fields at once: an identifier of any kind, a period of two dates, a list of years."""

DERIVED = frozenset(
    {
        "line_id",
        "deposit_id",
        "source_sheet",
        "source_row",
        "application_id",
        "format_id",
        "recognised_by",
        "is_demonstration",
        "fiscal_year_basis",
        "headline_stage",
        "record_kind",
    }
)
"""Fields the pipeline works out by itself: no column may be mapped to them."""


class FormatError(ValueError):
    """A format file that cannot be used; the message names the file and the key."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnRule(_Strict):
    """How one field is filled.

    `headers`: the spellings met, compared without case, accents, punctuation or what stands in brackets.
    `values`: what a cell may say → the code it means (compared the same way); a code of "" leaves the field empty.
    `labels` adds the codelist's own codes and French labels to it. `empty` / `unlisted`: the code of a blank cell, of a
    cell found in no look-up. `remove`: a regular expression taken out of every cell. `first_of`: a separator; only
    what stands before it is kept.
    """

    headers: tuple[str, ...] = ()
    values: dict[str, str] = Field(default_factory=dict)
    labels: bool = False
    empty: str | None = None
    unlisted: str | None = None
    remove: str | None = None
    first_of: str | None = None


class AmountRule(_Strict):
    """A decision that the publisher states through an amount (zero means refused, say)."""

    amount: str
    positive: str
    zero: str
    blank: str


class RecogniseRule(_Strict):
    """What makes the format certain: fields that must be found, headers that must be there or must not be."""

    required: tuple[str, ...]
    headers: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


class ExpectRule(_Strict):
    """Limits above which a file is held instead of accepted."""

    max_rejected_share: float = 0.2


class Format(_Strict):
    """One format of grant file."""

    id: str
    title: str
    description: str
    record_kind: Literal["application", "award", "payment"]
    headline_stage: Literal["requested", "proposed", "awarded", "committed", "paid"]
    recognise: RecogniseRule
    fields: dict[str, ColumnRule]
    constants: dict[str, str] = Field(default_factory=dict)
    decision: AmountRule | None = None
    ignore: dict[str, str] = Field(default_factory=dict)
    expect: ExpectRule = ExpectRule()

    @model_validator(mode="after")
    def _names_exist(self) -> Format:
        known = application_fields()
        for name in (*self.fields, *self.constants):
            if name not in COMPOSITES and (name not in known or name in DERIVED):
                raise ValueError(f"« {name} » is not a field that a format may fill")
        for name in self.recognise.required:
            if name not in self.fields:
                raise ValueError(f"recognise.required names « {name} », which [fields] does not map")
        for name, rule in self.fields.items():
            allowed = known[name].codelist if name in known else None
            for code in (*rule.values.values(), rule.empty, rule.unlisted):
                if code and allowed is not None and code not in codelist.codes(allowed):
                    raise ValueError(f"fields.{name}: « {code} » is not in the codelist {allowed}")
        return self

    def headers_of(self, name: str) -> tuple[str, ...]:
        """Spellings of the field `name`: those listed, else the contract's own title."""
        return self.fields[name].headers or (application_fields()[name].title,)


@cache
def application_fields() -> dict[str, FieldInfo]:
    """The contract's fields, read once."""
    return describe(Application)


def load_format(path: Path) -> Format:
    """The format declared in `path`. Raises `FormatError` naming the file and what is wrong in it."""
    try:
        declared = tomllib.loads(path.read_text(encoding="utf-8"))
        return Format.model_validate({"id": path.stem, **declared})
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise FormatError(f"{path.name}: {error}") from error


@cache
def load_formats(folder: Path = FOLDER) -> dict[str, Format]:
    """Every format of `folder`, by id, in alphabetical order."""
    return {path.stem: load_format(path) for path in sorted(folder.glob("*.toml"))}
