"""A file format as data: one TOML in `schemas/formats/`, checked against the models below.

To add a source, write one file; nothing is registered anywhere. The keys a format may map are the contract's fields
and the few *composite* ones of `COMPOSITES`, which a reader splits into several fields.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas import codelist
from schemas.contracts import APPLICATION, CONTRACTS, fields_of

if TYPE_CHECKING:
    from schemas.contract import FieldInfo

FOLDER = Path(__file__).parent / "formats"
INFERRED = "inference"
"""The id of a format that no file declares: what inference proposes for one file."""

COMPOSITES = {
    "applicant_id": ("applicant_siret", "applicant_siren", "applicant_rna", "applicant_id_raw"),
    "funder_id": ("funder_siret", "funder_siren"),
    "payment_period": ("payment_start_date", "payment_end_date"),
    "agreement_years": ("agreement_start_year", "agreement_end_year"),
    "applicant_place": ("applicant_siren", "seat_commune_code", "applicant_local_id"),
    "funders": ("funder_name", "cofunders"),
    "carriers": ("funder_name", "funder_siren", "cofunders", "service_name"),
    "contacts": ("contact", "contact_mailbox"),
    "area_codes": ("area_code", "area_level", "area_name"),
    "rates": ("rate_min", "rate_max"),
}
"""Columns that hold several fields at once: an identifier of any kind, a period of two dates, a list of years, the
code of a local authority (SIREN of an intercommunalité, code of a commune or of a département); in lists of calls, who
pays (names, or records with a SIREN and roles), whom to ask, codes of territories, the lowest and highest rates."""

DATE_PARTS = ("year", "month", "day")
"""Columns that make up a date, in the order in which it is written."""

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
    what stands before it is kept. `digits`: the length to which a code that lost its leading zeros is filled up.
    `html`: cells are written in HTML; only their words are kept. `percent`: shares are written in percent, with or
    without its sign.
    `natural`: what a cell says instead of the name of a private person, who then has none.
    `parts`: for an amount, the columns that add up to it: the code of the purpose each pays for → its spellings; for a
    date, the columns of its `day`, `month` and `year`.
    """

    headers: tuple[str, ...] = ()
    values: dict[str, str] = Field(default_factory=dict)
    labels: bool = False
    empty: str | None = None
    unlisted: str | None = None
    remove: str | None = None
    first_of: str | None = None
    digits: int | None = None
    html: bool = False
    percent: bool = False
    natural: tuple[str, ...] = ()
    parts: dict[str, tuple[str, ...]] = Field(default_factory=dict)


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


class SectionRule(_Strict):
    """Rows that carry a value for the rows below them: it goes to `field`.

    `pattern`: what such a row says in its only filled cell; a group, if any, is what is kept. `header_of`: the value
    stands in brackets in the header repeated above each section, in the column of this field.
    """

    field: str
    pattern: str | None = None
    header_of: str | None = None


class DetailRule(_Strict):
    """A line for each party with its total, then one for each part: the parts are the lines, the totals are checked.

    `totals`: spellings of the column filled on the lines of totals. `amount`: the field that adds up to it. `inherit`:
    fields that a part takes from the total above when it does not repeat them.
    """

    totals: tuple[str, ...]
    amount: str
    inherit: tuple[str, ...] = ()


class JoinRule(_Strict):
    """Columns taken from another sheet of the workbook, found by its `sheet` headers.

    Where the column `on` of the lines equals the column `key` of that sheet, its other columns are read under their
    title preceded by `prefix`.
    """

    sheet: tuple[str, ...]
    key: str
    on: str
    prefix: str


class LayoutRule(_Strict):
    """How lines are laid out when one row is not one line.

    `merged`: fields whose blank cells say the same as the cell above them (cells merged over several rows).
    `continued`: fields that may stand alone on a row, which then completes the line above. `banner`: field → regular
    expression, one group, read in the rows above the header.
    """

    sections: SectionRule | None = None
    details: DetailRule | None = None
    joins: tuple[JoinRule, ...] = ()
    continued: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    banner: dict[str, str] = Field(default_factory=dict)


class YearRule(_Strict):
    """The fiscal year as the file's name states it: `in_name` has one group, the year; `shift` years are added."""

    in_name: str
    shift: int = 0


class ExpectRule(_Strict):
    """Limits above which a file is held instead of accepted."""

    max_rejected_share: float = 0.2


class Format(_Strict):
    """One format of grant file: the layout of sheets whose lines follow one `contract`.

    `record_kind` and `headline_stage` are those of the contract `application`; the others have none.
    """

    id: str
    title: str
    description: str
    contract: str = APPLICATION
    record_kind: Literal["application", "award", "payment"] | None = None
    headline_stage: Literal["requested", "proposed", "awarded", "committed", "paid"] | None = None
    recognise: RecogniseRule
    fields: dict[str, ColumnRule]
    constants: dict[str, str] = Field(default_factory=dict)
    decision: AmountRule | None = None
    layout: LayoutRule = LayoutRule()
    year: YearRule | None = None
    ignore: dict[str, str] = Field(default_factory=dict)
    expect: ExpectRule = ExpectRule()

    @model_validator(mode="after")
    def _names_exist(self) -> Format:
        if self.contract not in CONTRACTS:
            raise ValueError(f"contract: « {self.contract} » is none of {', '.join(CONTRACTS)}")
        if {self.record_kind is None, self.headline_stage is None} != {self.contract != APPLICATION}:
            raise ValueError("record_kind and headline_stage go with the contract application, and with no other")
        known = self.contract_fields()
        sections = self.layout.sections
        for name in (*self.fields, *self.constants, *self.layout.banner, *([sections.field] if sections else [])):
            if not set(COMPOSITES.get(name, (name,))) <= set(known) - DERIVED:
                raise ValueError(f"« {name} » is not a field that a format may fill")
        for name in self.recognise.required:
            if name not in self.fields:
                raise ValueError(f"recognise.required names « {name} », which [fields] does not map")
        for name, rule in self.fields.items():
            self._check_parts(name, rule)
            allowed = known[name].codelist if name in known else None
            for code in (*rule.values.values(), rule.empty, rule.unlisted):
                if code and allowed is not None and code not in codelist.codes(allowed):
                    raise ValueError(f"fields.{name}: « {code} » is not in the codelist {allowed}")
        return self

    @staticmethod
    def _check_parts(name: str, rule: ColumnRule) -> None:
        if not rule.parts:
            return
        wanted = DATE_PARTS if name.endswith(("_date", "_start", "_end")) else codelist.codes("purpose")
        if unknown := set(rule.parts) - set(wanted):
            raise ValueError(f"fields.{name}.parts: « {unknown.pop()} » is none of {', '.join(wanted)}")

    def contract_fields(self) -> dict[str, FieldInfo]:
        """The fields of the format's contract."""
        return fields_of(self.contract)

    def headers_of(self, name: str) -> tuple[str, ...]:
        """Spellings of the field `name`: those listed, else the contract's own title; none when parts add up to it."""
        rule = self.fields[name]
        return rule.headers or (() if rule.parts else (self.contract_fields()[name].title,))

    def spellings(self) -> dict[str, str]:
        """Every header of the format → its field; a part of an amount is named `<field>.<purpose>`."""
        whole = {spelling: name for name in self.fields for spelling in self.headers_of(name)}
        parts = {
            spelling: f"{name}.{purpose}"
            for name, rule in self.fields.items()
            for purpose, spellings in rule.parts.items()
            for spelling in spellings
        }
        return whole | parts

    def rule(self, name: str) -> ColumnRule:
        """The rule of a mapped column: that of its field (a section's or a banner's field may have none)."""
        return self.fields.get(name.partition(".")[0], ColumnRule())


def application_fields() -> dict[str, FieldInfo]:
    """The fields of the contract `application`, read once."""
    return fields_of(APPLICATION)


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
