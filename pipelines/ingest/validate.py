"""Normalised lines → accepted lines under the contract, rejected lines with their reasons, and every issue.

The rules are the contract's own checks; what each failure means (line set aside, value emptied, or only said) is read
from `schemas/issues.toml`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.lines import Lines
from pipelines.ingest.personal import mask
from pipelines.ingest.totals import unlabelled_totals, whole_rows
from schemas.application import Application
from schemas.contracts import CONTRACTS
from schemas.decision_count import DecisionCount
from schemas.failures import NOT_NULL
from schemas.failures import failures as failures_of
from schemas.format import DERIVED
from schemas.issues import issue_kinds

if TYPE_CHECKING:
    import pandera.polars as pa

    from pipelines.ingest.map import MappedSheet
    from pipelines.ingest.normalise import Normalised

ISSUES_SCHEMA = pl.Schema(
    {
        "sheet": pl.String,
        "row": pl.Int32,
        "column": pl.String,
        "field": pl.String,
        "value": pl.String,
        "code": pl.String,
        "message": pl.String,
        "severity": pl.String,
    }
)
REJECTED_SCHEMA = pl.Schema({"sheet": pl.String, "row": pl.Int32, "reasons": pl.String, "raw": pl.String})

_COMPOSITE_OF = {
    "applicant_siret": ("applicant_id",),
    "applicant_siren": ("applicant_id", "applicant_siret"),
    "applicant_rna": ("applicant_id",),
    "funder_siret": ("funder_id",),
    "seat_commune_code": ("applicant_place",),
    "funder_siren": ("funder_id", "funder_siret"),
    "payment_start_date": ("payment_period",),
    "payment_end_date": ("payment_period",),
    "agreement_start_year": ("agreement_years",),
    "agreement_end_year": ("agreement_years",),
    "contact": ("contacts",),
    "contact_mailbox": ("contacts",),
    "area_code": ("area_codes",),
    "rate_min": ("rates",),
    "rate_max": ("rates",),
}
MISSING = "required_missing"
_TOTALS = {Application: unlabelled_totals, DecisionCount: whole_rows}
"""Contract → how the rows that only add up others are found."""
_AT_FAULT = {
    "action_code_unknown": "action_territory_code",
    "call_title_missing": "title",
    "count_not_whole": "value",
    "mailbox_private": "contact_mailbox",
}
"""Rule over several fields → the one whose cell is shown, as it is written."""
_SHOWN = 120  # characters of a cell quoted in an issue


Found = tuple[int, "str | None", str, "str | None", "str | None"]
"""Position of the line, field, code of the issue, text of the cell, detail."""


@dataclass(frozen=True)
class Validated:
    """`accepted` satisfies the contract; `rejected` and `issues` follow the schemas above; `ignored` counts rows."""

    accepted: Lines
    rejected: pl.DataFrame
    issues: pl.DataFrame
    ignored: int


def validate(normalised: Normalised, mapped: MappedSheet) -> Validated:
    """Check every line against the contract; accepted, rejected and ignored add up to the lines given."""
    lines = normalised.lines
    model = CONTRACTS[mapped.header.format.contract]
    totals = dict(_TOTALS[model](lines)) if model in _TOTALS else {}
    found = [item for item in _found(normalised, mapped) if item[0] not in totals]
    code = "total_line" if model is Application else "whole_row"
    found += [(position, None, code, None, what) for position, what in totals.items()]
    kinds = issue_kinds()
    to_empty = _to_empty(lines, found)
    lines = _emptied(lines, to_empty)
    wrong = {position for position, _, code, _, _ in found if kinds[code].severity == "error"}
    touched = {position for rows in to_empty.values() for position in rows}
    found += _late(lines, touched - wrong - totals.keys(), found, model)
    issues = _issue_frame(found, normalised, mapped)
    reasons: dict[int, list[str]] = {}
    for position, _, code, _, _ in found:
        if kinds[code].severity == "error":
            reasons.setdefault(position, []).append(code)
    rejected = pl.DataFrame(
        {
            "sheet": [mapped.header.sheet.name] * len(reasons),
            "row": [lines["source_row"][position] for position in sorted(reasons)],
            "reasons": [",".join(dict.fromkeys(reasons[position])) for position in sorted(reasons)],
            "raw": [mask(json.dumps(normalised.raw.row(p, named=True), ensure_ascii=False)) for p in sorted(reasons)],
        },
        schema=REJECTED_SCHEMA,
    )
    return Validated(Lines.without(lines, {*reasons, *totals}), rejected, issues, ignored=len(totals))


def _found(normalised: Normalised, mapped: MappedSheet) -> list[Found]:
    """Everything to be said of the lines: by reading, by normalising, by the contract, by comparing them."""
    lines = normalised.lines
    model = CONTRACTS[mapped.header.format.contract]
    found = _without_unread([*normalised.findings.rows, *_failures(lines, model)])
    unread = {position for position, _, code, _, _ in found if code in ("amount_unreadable", "amount_ambiguous")}
    found = [item for item in found if item[2] != "amount_missing" or item[0] not in unread]
    problems = mapped.header.sheet.problems
    places = {row: position for position, row in enumerate(lines["source_row"].to_list())} if problems else {}
    found += [(places[p.row], None, p.code, None, p.detail) for p in problems if p.row in places]
    return found + [(position, None, "identical_lines", None, None) for position in normalised.again]


def _without_unread(found: list[Found]) -> list[Found]:
    """What is missing only because its cell could not be read is said once; what is derived from it, never."""
    kinds = issue_kinds()
    unread = {item[:2] for item in found if item[2] != MISSING and kinds[item[2]].severity == "error"}
    return [item for item in found if item[2] != MISSING or (item[1] not in DERIVED and item[:2] not in unread)]


def _failures(lines: pl.DataFrame, model: type[pa.DataFrameModel]) -> list[Found]:
    """The contract's failures, as position, field, code, value. Raises `AssertionError` when `lines` is not its own."""
    failures: list[Found] = []
    for index, column, rule, value in failures_of(model, lines).iter_rows():
        code = _code_of(rule, model)
        if code is not None:
            column, value = (_AT_FAULT[code], None) if code in _AT_FAULT else (column, value)
            failures.append((index, column, code, value, None))
    return failures


def _code_of(check: str, model: type[pa.DataFrameModel]) -> str | None:
    """The issue that a failed check stands for; None for an application's null year, explained when it was read."""
    if check == NOT_NULL:
        return None if model is Application else MISSING
    if check.startswith("str_matches("):
        return "text_pattern"
    if check.startswith("isin("):
        return "code_unlisted"
    if check.startswith("in_range("):
        return "year_unreadable"
    return check


def _to_empty(lines: pl.DataFrame, found: list[Found]) -> dict[str, pl.Series]:
    """Field → positions of the cells that hold a value and fail a check whose effect is `blank`."""
    kinds, names = issue_kinds(), set(lines.columns)
    places: dict[str, list[int]] = {}
    for position, name, code, _, _ in found:
        if name in names and kinds[code].effect == "blank":
            places.setdefault(name, []).append(position)
    stated = {
        name: pl.Series(rows).filter(lines[name].gather(rows).is_not_null()) for name, rows in places.items() if name
    }
    return {name: rows for name, rows in stated.items() if rows.len()}


def _emptied(lines: pl.DataFrame, places: dict[str, pl.Series]) -> pl.DataFrame:
    positions = pl.int_range(lines.height, eager=True)
    return lines.with_columns(
        pl.when(~pl.lit(positions.is_in(rows.implode()))).then(pl.col(name)).alias(name)
        for name, rows in places.items()
    )


def _late(lines: pl.DataFrame, touched: set[int], found: list[Found], model: type[pa.DataFrameModel]) -> list[Found]:
    """Failures of lines that a value emptied above leaves without what they need: a party, say, known by it alone.

    But for these, rejected or only said, what is accepted satisfies the contract; else raises `AssertionError`.
    `touched`: the lines, accepted so far, of which a cell was emptied; the others are as they were when checked.
    """
    kinds, places = issue_kinds(), sorted(touched)
    said = {(position, code) for position, _, code, _, _ in found}
    failures = _failures(lines[places], model) if places else []
    late = [(places[place], name, code, text, more) for place, name, code, text, more in failures]
    late = [item for item in late if (item[0], item[2]) not in said]
    if wrong := {code for _, _, code, _, _ in late if kinds[code].severity != "error" and kinds[code].effect != "keep"}:
        raise AssertionError(f"accepted lines fail the contract: {sorted(wrong)}")
    return late


def _issue_frame(found: list[Found], normalised: Normalised, mapped: MappedSheet) -> pl.DataFrame:
    kinds, fields, raw = issue_kinds(), mapped.header.format.contract_fields(), normalised.raw
    rows = normalised.lines["source_row"].to_list()
    records = []
    for position, name, code, value, detail in sorted(found, key=lambda item: (item[0], item[2], item[1] or "")):
        source = _source_column(name, mapped)
        text = value if value is not None or source is None else raw[source][position]
        shown = mask(text[:_SHOWN]) if text is not None else None
        title = (
            " ".join(mapped.header.titles[mapped.letter(source, position)].split())
            if source
            else (fields[name].title if name in fields else "")
        )
        message = kinds[code].message.format(value=shown or "", field=title, detail=detail or "")
        records.append(
            (
                mapped.header.sheet.name,
                rows[position],
                mapped.letter(source, position) if source else None,
                (source or name or "").partition(".")[0] or None,  # a part of an amount is told under its amount
                shown,
                code,
                message,
                kinds[code].severity,
            )
        )
    return pl.DataFrame(records, schema=ISSUES_SCHEMA, orient="row")


def _source_column(name: str | None, mapped: MappedSheet) -> str | None:
    if name is None:
        return None
    for candidate in (name, *_COMPOSITE_OF.get(name, ())):
        if candidate in mapped.letters:
            return candidate
    return None
