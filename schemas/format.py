"""A file format as data: one TOML in `schemas/formats/`, checked against the models below.

To add a source, write one file; nothing is registered anywhere. The keys a format may map are the contract's fields
and the few *composite* ones of `COMPOSITES`, which a reader splits into several fields.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

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
    `times`: how many euros the unit of an amount is (1000 for « k€ »); a cell that bears its own unit keeps it.
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
    times: int = Field(default=1, ge=1)
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
    title preceded by `prefix`. With `year_key` and `year_on`, the years that those two columns hold must be equal too.
    `added` names amounts of which every row counts, `earliest` dates of which the first one is kept: one line of the
    main sheet then stands for several rows of the other, whose sum is checked.
    """

    sheet: tuple[str, ...]
    key: str
    on: str
    prefix: str
    year_key: str | None = None
    year_on: str | None = None
    added: tuple[str, ...] = ()
    earliest: tuple[str, ...] = ()


class UnpivotRule(_Strict):
    """Columns whose title is a value (a year, a measure): each filled cell of them is a line.

    `key`: the field that the title gives. `columns`: field → regular expression over the folded title, whose only group
    is that value; "" stands for the titles that the look-up of `key` lists. Fields of one value make one line.
    `fewest`: with fewer such columns it is no wide table. `zero_is_blank`: a zero is no line either.
    """

    key: str
    columns: dict[str, str]
    fewest: int = 2
    zero_is_blank: bool = False

    @field_validator("columns")
    @classmethod
    def _has_one_group(cls, columns: dict[str, str]) -> dict[str, str]:
        for name, pattern in columns.items():
            if pattern and re.compile(pattern).groups != 1:
                raise ValueError(f"layout.unpivot.columns.{name}: a pattern has one group, the value")
        return columns


class LayoutRule(_Strict):
    """How lines are laid out when one row is not one line.

    `merged`: fields whose blank cells say the same as the cell above them (cells merged over several rows).
    `unnamed_repeats`: a row that names nobody and says again the case and the amount of another is not counted.
    `continued`: fields that may stand alone on a row, which then completes the line above. `banner`: field → regular
    expression, one group, read in the rows above the header.
    """

    sections: SectionRule | None = None
    details: DetailRule | None = None
    joins: tuple[JoinRule, ...] = ()
    unpivot: UnpivotRule | None = None
    continued: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    unnamed_repeats: bool = False
    banner: dict[str, str] = Field(default_factory=dict)


class WhenRule(_Strict):
    """Lines whose `field` holds `pattern`: `given` fills the fields that no column of theirs fills.

    `unforeseen` (French) sets them aside instead, and says what the format does not know. The first rule that fits a
    line is the only one.
    """

    field: str
    pattern: str
    given: dict[str, str] = Field(default_factory=dict)
    unforeseen: str | None = None


class YearRule(_Strict):
    """The fiscal year as a name (of the file, of the sheet, above the titles) states it.

    `plain` has one group, the fiscal year itself; `in_name`, tried next, one group, a year to which `shift` is added.
    A name that fits neither says nothing: the year it holds may be that of a publication.
    """

    in_name: str
    shift: int = 0
    plain: str | None = None


class ToldRule(_Strict):
    """A field that only the names around a table say: the rows above its header, its sheet's name, its file's.

    `values`: code → regular expression over those names in folded words. `along` must be found in them too, `against`
    must not. When they do not say one code, the sheet is not read and its author is asked the `question`.
    """

    values: dict[str, str]
    along: str | None = None
    against: str | None = None
    question: str


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
    when: tuple[WhenRule, ...] = ()
    layout: LayoutRule = LayoutRule()
    year: YearRule | None = None
    told: dict[str, ToldRule] = Field(default_factory=dict)
    ignore: dict[str, str] = Field(default_factory=dict)
    expect: ExpectRule = ExpectRule()

    @model_validator(mode="after")
    def _names_exist(self) -> Format:
        if self.contract not in CONTRACTS:
            raise ValueError(f"contract: « {self.contract} » is none of {', '.join(CONTRACTS)}")
        if {self.record_kind is None, self.headline_stage is None} != {self.contract != APPLICATION}:
            raise ValueError("record_kind and headline_stage go with the contract application, and with no other")
        known = self.contract_fields()
        sections, unpivot = self.layout.sections, self.layout.unpivot
        named = [*self.fields, *self.constants, *self.layout.banner, *self.told]
        named += [sections.field] if sections else []
        turned = [unpivot.key, *unpivot.columns] if unpivot else []
        if any(self.fields[name].headers for name in turned if name in self.fields):
            raise ValueError("a field that layout.unpivot fills has no headers: the titles of its columns are values")
        named += turned
        for name in named:
            if not set(COMPOSITES.get(name, (name,))) <= set(known) - DERIVED:
                raise ValueError(f"« {name} » is not a field that a format may fill")
        for name in self.recognise.required:
            if name not in self.fields and not (unpivot and name in unpivot.columns):
                raise ValueError(f"recognise.required names « {name} », which [fields] does not map")
        for when in self.when:
            for name in (when.field, *when.given):
                if name not in known or name in DERIVED:
                    raise ValueError(f"when names « {name} », which is not a field that a format may fill")
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
        """Spellings of the field `name`: those listed, else the contract's own title; none when parts add up to it.

        None either when its columns are found by what their titles say.
        """
        rule, unpivot = self.fields[name], self.layout.unpivot
        is_unpivoted = unpivot is not None and name in (unpivot.key, *unpivot.columns)
        return rule.headers or (() if rule.parts or is_unpivoted else (self.contract_fields()[name].title,))

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
