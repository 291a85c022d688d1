"""Raw text under field names → typed values of the contract, with every cell that could not be read as a finding.

Rules of value live elsewhere (`amounts`, `dates`, `identifiers`, `parties`, `personal`); this module applies them
column by column, then derives what no column states: the fiscal year, the currency, the application's identity.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from html import unescape
from operator import or_
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest import call_cells
from pipelines.ingest.amounts import parse_amounts
from pipelines.ingest.corrections import corrected
from pipelines.ingest.dates import parse_dates, parse_periods, parse_years
from pipelines.ingest.derive import UNKNOWN_FUNDER as UNKNOWN_FUNDER
from pipelines.ingest.derive import Origin as Origin
from pipelines.ingest.derive import (
    filled,
    with_aid_form,
    with_conditions,
    with_constants,
    with_decision,
    with_funder,
    with_source,
    with_year,
)
from pipelines.ingest.findings import Findings
from pipelines.ingest.fold import by_value, fold
from pipelines.ingest.identifiers import parse_identifiers
from pipelines.ingest.identity import repeated, with_identity
from pipelines.ingest.other_lines import derived, without_mailboxes
from pipelines.ingest.parties import applicant_kind
from pipelines.ingest.parts import date_pieces, whole_dates, with_parts
from pipelines.ingest.personal import MASK, masked
from pipelines.ingest.pool import both, in_threads
from pipelines.ingest.several import parse_several
from pipelines.ingest.shares import with_shares
from schemas import codelist
from schemas.contract import YEAR, Euro, Share
from schemas.contracts import APPLICATION
from schemas.distinct import Distinct, holding, uniform
from schemas.identifiers import RNA_PATTERN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.ingest.map import MappedSheet
    from schemas.contract import FieldInfo
    from schemas.format import ColumnRule

_NOTHING = frozenset(
    {
        "", "null", "nan", "none", "na", "nd", "nc", "neant", "sansobjet", "nerienindiquer", "nonrenseigne",
        "noncommunique", "nonprecise",
    }
)  # fmt: skip
_NOTHING_WRITTEN = (
    r"(?i)^(?:null|nan|none|n/a|na|nd|nc|néant|sans objet|ne rien indiquer|non renseigné|non communiqué|non précisé)$"
)
_FEW = 5_000  # distinct cells below which each is folded
_YES = frozenset({"oui", "o", "vrai", "true", "1", "x", "yes", "y"})
_NO = frozenset({"non", "n", "faux", "false", "0", "no"})
_ZEROS = r"^[0\s]+$"
_LOST = "\ufffd"
_TAG = re.compile(r"<[^>]*>")
_ONE_DATE = 19  # characters of the longest single date, time included


@dataclass(frozen=True)
class Normalised:
    """`lines`: the contract's columns, one row a line, unchecked. `raw`: the text they come from, personal data out.

    `again`: the positions of the rows of `raw` that equal another.
    """

    lines: pl.DataFrame
    raw: pl.DataFrame
    findings: Findings
    again: pl.Series


def normalise(mapped: MappedSheet, origin: Origin, *, sheet_index: int) -> Normalised:
    """Typed lines of a mapped sheet. Shapes: `lines` and `raw` have the height of `mapped.lines`."""
    format_ = mapped.header.format
    findings = Findings()
    fields = format_.contract_fields()
    given = corrected(mapped.lines, origin, findings, sheet_index=sheet_index, places=mapped.places())
    pieces = date_pieces(given)
    changed = {name for _, name, *_ in findings.rows} | {name.partition(".")[0] for name in pieces}
    known = {name: column for name, column in mapped.distinct.items() if name not in changed}
    given = whole_dates(given.with_columns(blank_words(given[name]) for name in pieces), mapped.letters)

    def distinct(name: str) -> Distinct:
        return known.get(name) or Distinct.of(given[name])

    cells = dict(zip(given.columns, in_threads(distinct, given.columns, lines=given.height), strict=True))
    damaged = set(holding(cells, pl.all().str.contains(_LOST, literal=True)))

    def read_column(name: str) -> _ReadColumn:
        return _read_column(given[name], cells[name], format_.rule(name), fields, is_damaged=name in damaged)

    read = in_threads(read_column, given.columns, lines=given.height)
    raw = pl.DataFrame([column.raw for column in read], height=given.height)
    columns: dict[str, pl.Series] = {}
    for column in read:
        findings.take(column.findings)
        for name, values in column.values.items():
            columns[name] = _either(values, columns.get(name))
    lines = pl.DataFrame(columns) if columns else pl.DataFrame({"__": [None] * given.height}).drop("__")
    if format_.contract != APPLICATION:
        lines = derived(lines, mapped, origin, findings, sheet_index=sheet_index)
        raw = without_mailboxes(raw, fields)
        return Normalised(lines, raw, findings, repeated(raw))
    lines = with_shares(with_parts(lines, findings), findings)
    lines = with_conditions(lines, format_, findings)
    lines = with_constants(lines, format_)
    lines = with_decision(lines, format_)
    lines = with_aid_form(lines)
    lines = with_funder(lines, origin)
    lines = with_year(lines, findings.years, mapped, origin, findings)
    lines = filled(with_source(lines, mapped, origin, sheet_index))

    def identified() -> tuple[pl.DataFrame, pl.Series]:
        again = repeated(raw)
        return with_identity(lines, raw, again), again

    def kinds() -> pl.DataFrame:
        return applicant_kind(
            lines,
            personal=_any_of([column.is_natural for column in read], given.height),
            unnamed=_any_of([column.is_private for column in read], given.height),
            stated=columns.get("applicant_kind"),
            declared=origin.funder_file.applicant_kind,
            constant=format_.constants.get("applicant_kind"),
        )

    (named, again), told = both(identified, kinds, lines=lines.height)
    return Normalised(named.with_columns(told), raw, findings, again)


@dataclass(frozen=True)
class _ReadColumn:
    """One column: its text, personal data out; the contract's columns it fills; masks of natural persons."""

    raw: pl.Series
    values: dict[str, pl.Series]
    findings: Findings
    is_natural: pl.Series | None
    is_private: pl.Series | None


def _read_column(
    given: pl.Series, column: Distinct, rule: ColumnRule, fields: Mapping[str, FieldInfo], *, is_damaged: bool
) -> _ReadColumn:
    """What the column named as its field says, worked out once for each distinct cell (`column`).

    `is_damaged`: some cell has lost characters.
    """
    name = given.name
    findings = Findings(column=column)
    cells, is_natural = _without_personal(name, blank_words(column.cells), findings, fields.get(name))
    cells, is_private = _without_private_names(name, cells, rule)
    if is_damaged:
        findings.add_once("character_lost", name, cells, cells.str.contains(_LOST, literal=True))
    values = _parse(name, _cleaned(cells, rule), rule, findings, fields)
    raw = given if cells is column.cells or cells.equals(column.cells) else column.over(cells).alias(name)
    return _ReadColumn(
        raw,
        {filled_name: raw if each is cells else column.over(each) for filled_name, each in values.items()},
        findings,
        None if is_natural is None else column.over(is_natural),
        None if is_private is None else column.over(is_private),
    )


def _any_of(masks: list[pl.Series | None], height: int) -> pl.Series:
    nowhere = uniform(False, height, dtype=pl.Boolean)
    return reduce(or_, (mask for mask in masks if mask is not None), nowhere)


def _either(values: pl.Series, others: pl.Series | None) -> pl.Series:
    return values if others is None else pl.select(pl.coalesce(values, others)).to_series()


def blank_words(cells: pl.Series) -> pl.Series:
    """Words that mean « nothing » (NULL, n/a, néant, a dash) become null."""
    if cells.head(2 * _FEW).n_unique() < _FEW and cells.n_unique() < _FEW:
        return by_value(cells, lambda text: None if fold(text) in _NOTHING else text)
    is_word = ~cells.str.contains(_NOTHING_WRITTEN) & cells.str.contains(r"[\p{L}\p{N}]")
    return cells if is_word.all() else _where(is_word, cells)


def _where(kept: pl.Series, cells: pl.Series) -> pl.Series:
    return pl.select(pl.when(kept).then(cells)).to_series().alias(cells.name)


def _without_private_names(name: str, cells: pl.Series, rule: ColumnRule) -> tuple[pl.Series, pl.Series | None]:
    """`cells` without the words that stand for a private person, and a mask of those where one stood."""
    words = {fold(word) for word in rule.natural}
    if not words or name != "applicant_name":
        return cells, None
    private = by_value(cells, lambda text: "x" if fold(text) in words else None).is_not_null()
    return _where(~private, cells), private


def _without_personal(
    name: str, cells: pl.Series, findings: Findings, info: FieldInfo | None
) -> tuple[pl.Series, pl.Series | None]:
    """`cells` with personal values masked, and a mask of those where a social-security number stood as identifier."""
    if name in ("applicant_id", "applicant_siret", "applicant_siren"):
        numbers = parse_identifiers(cells)
        if numbers.unknown.any():  # no number: whatever it is would be kept as it is written
            others = _masked(name, _where(numbers.unknown, cells), findings)
            cells = pl.select(pl.coalesce(others, cells)).to_series().alias(cells.name)
        if not numbers.personal.any():
            return cells, None
        findings.count_personal("numéro de sécurité sociale", numbers.personal)
        return _where(~numbers.personal, cells), numbers.personal
    if name == "applicant_rna" and cells.str.contains(RNA_PATTERN).all():
        return cells, None
    return (_masked(name, cells, findings) if _keeps_words(name, info) else cells), None


def _masked(name: str, cells: pl.Series, findings: Findings) -> pl.Series:
    cells, found = masked(cells)
    for kind, mask in found.items():
        findings.count_personal(kind, mask)
        nothing = uniform(MASK, cells.len(), dtype=pl.String)
        details = uniform(kind, cells.len(), dtype=pl.String)
        findings.add("personal_removed", name, nothing, mask, details=details)
    return cells


def _keeps_words(name: str, info: FieldInfo | None) -> bool:
    """Whether words stay of the column as they are written: a text, or the raw form of a code."""
    if info is None:
        return name == "applicant_place"
    return info.dtype == pl.String and not info.is_mailbox


def _cleaned(text: pl.Series, rule: ColumnRule) -> pl.Series:
    if rule.remove is None and rule.first_of is None and not rule.html:
        return text
    if rule.html:
        text = by_value(text, lambda cell: " ".join(unescape(_TAG.sub(" ", cell)).split()))
    if rule.remove is not None:
        text = text.str.replace_all(rule.remove, "").str.strip_chars()
    if rule.first_of is not None:
        text = text.str.splitn(rule.first_of, 2).struct.field("field_0").str.strip_chars()
    return _where(text != "", text)


def _parse(
    name: str, text: pl.Series, rule: ColumnRule, findings: Findings, fields: Mapping[str, FieldInfo]
) -> dict[str, pl.Series]:
    """The contract's columns that the column `name` fills."""
    if name in ("applicant_id", "funder_id") or name.endswith(("_siret", "_siren")):
        return _parse_identifiers(name, text, findings)
    if name == "payment_period":
        return _parse_period(name, text, findings)
    if name == "applicant_place":
        return _parse_place(text)
    if name in call_cells.COMPOSITES:
        return call_cells.parse(name, text, findings)
    if "." in name:
        return _parse_amount(name, text, rule, findings)
    if name == "agreement_years":
        return _parse_agreement_years(name, text, findings)
    info = fields[name]
    if name == "applicant_rna":
        return {name: text.str.to_uppercase().str.replace_all(r"\s", "")}
    if info.codelist is not None and info.is_several:
        return _parse_codes(name, text, rule, info.codelist, findings)
    if info.codelist is not None:
        return _parse_code(name, text, rule, info.codelist, findings)
    if info.dtype == Euro:
        return _parse_amount(name, text, rule, findings)
    if info.dtype == Share:
        return _parse_share(name, text, rule, findings)
    if info.dtype == pl.Date:
        dates = parse_dates(text)
        findings.add("date_unreadable", name, text, dates.unreadable)
        findings.add_once("date_year_only", name, text, dates.years.is_not_null())
        findings.state_years(name, dates.years)
        return {name: dates.values}
    if info.dtype == pl.Int32 and info.unit != YEAR:
        return _parse_whole_number(name, text, findings)
    if info.dtype == pl.Int32:
        years = parse_years(text)
        code = "fiscal_year_unreadable" if name == "fiscal_year" else "year_unreadable"
        findings.add(code, name, text, years.is_null() & text.is_not_null())
        return {name: years}
    if info.dtype == pl.Boolean:
        return _parse_boolean(name, text, rule, findings)
    return {name: _parse_text(name, text, rule)}


def _parse_text(name: str, text: pl.Series, rule: ColumnRule) -> pl.Series:
    if name.endswith(("_commune_code", "_postcode")):
        # Four digits are a code whose leading zero the spreadsheet dropped.
        return (
            text.str.replace(r"\.0$", "")
            .str.replace_all(r"\s", "")
            .str.to_uppercase()
            .str.replace(r"^([0-9]{4})$", "0${1}")
        )
    if rule.digits is not None:
        text = pl.select(
            pl.when(text.str.contains(r"^[0-9]+$")).then(text.str.zfill(rule.digits)).otherwise(text)
        ).to_series()
    return by_value(text, lambda value: _looked_up(value, rule, value)) if rule.values else text


def _looked_up(value: str, rule: ColumnRule, default: str | None) -> str | None:
    table = {fold(spelling): code for spelling, code in rule.values.items()}
    return table.get(fold(value), default) or None


def _parse_identifiers(name: str, text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    zeros = text.str.contains(_ZEROS)  # what a tool writes when it has no number
    text = pl.select(pl.when(~zeros).then(text)).to_series().alias(text.name)
    found = parse_identifiers(text)
    party = name.split("_")[0]
    if found.repaired.any():
        read = pl.select(pl.coalesce(found.siret, found.siren, found.rna)).to_series()
        findings.add("identifier_repaired", name, text, found.repaired & (text.str.len_chars() < 14), details=read)
    findings.add("siret_destroyed", name, text, found.destroyed)
    if found.invalid.any():
        siren_length = text.str.replace_all(r"\D", "").str.len_chars() == 9
        findings.add("siren_invalid", name, text, found.invalid & siren_length)
        findings.add("siret_invalid", name, text, found.invalid & ~siren_length)
    findings.add("identifier_unknown", name, text, found.unknown)
    columns = {f"{party}_siret": found.siret, f"{party}_siren": found.siren}
    if party == "applicant":
        columns["applicant_id_raw"] = text
        if found.rna.is_not_null().any():
            columns["applicant_rna"] = found.rna
    return columns


def _parse_period(name: str, text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    start, end = parse_periods(text)
    findings.add("period_unreadable", name, text, start.unreadable | end.unreadable)
    one_date = start.values.is_null() != end.values.is_null()
    findings.add("period_partial", name, text, one_date & (text.str.len_chars() > _ONE_DATE))
    findings.add_once("date_year_only", name, text, start.years.is_not_null())
    findings.state_years("payment_start_date", start.years)
    return {"payment_start_date": start.values, "payment_end_date": end.values}


def _parse_place(text: pl.Series) -> dict[str, pl.Series]:
    """Codes of local authorities: nine digits are a SIREN, five characters a commune; all stay as local numbers."""
    code = text.str.replace(r"\.0$", "").str.replace_all(r"\s", "").str.to_uppercase()
    siren = pl.select(pl.when(code.str.contains(r"^[0-9]{9}$")).then(code)).to_series()
    commune = pl.select(pl.when(code.str.contains(r"^([0-9]{2}|2[AB])[0-9]{3}$")).then(code)).to_series()
    return {"applicant_siren": siren, "seat_commune_code": commune, "applicant_local_id": code}


def _parse_agreement_years(name: str, text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    years = text.str.extract_all(r"(?:19|20)[0-9]{2}").list.eval(pl.element().cast(pl.Int32))
    start, end = years.list.min(), years.list.max()
    findings.add("agreement_years_unreadable", name, text, text.is_not_null() & start.is_null())
    return {"agreement_start_year": start, "agreement_end_year": end}


def _code_table(rule: ColumnRule, listed: str) -> dict[str, str]:
    """What a cell may say, folded → the code it means."""
    table = {fold(spelling): code for spelling, code in rule.values.items()}
    if not rule.labels:
        return table
    labels = {fold(label): code for code, label in codelist.labels(listed).items()}
    return labels | {fold(code): code for code in codelist.codes(listed)} | table


def _parse_codes(name: str, text: pl.Series, rule: ColumnRule, listed: str, findings: Findings) -> dict[str, pl.Series]:
    """A cell of several codes → those that are known, in the codelist's order; the others are told."""
    parsed = parse_several(text, _code_table(rule, listed), codelist.codes(listed), unlisted=rule.unlisted)
    findings.add("codes_unlisted", name, text, parsed.is_unlisted)
    return {name: parsed.codes} | ({"theme_raw": text} if name == "themes" else {})


def _parse_code(name: str, text: pl.Series, rule: ColumnRule, listed: str, findings: Findings) -> dict[str, pl.Series]:
    table = _code_table(rule, listed)
    missing = "\x00"
    coded = by_value(
        text, lambda value: table.get(fold(value), rule.unlisted if rule.unlisted is not None else missing)
    )
    unlisted = (coded == missing).fill_null(False)
    columns = {}
    if name == "decision_status":
        findings.add("status_unknown", name, text, unlisted)
        coded = coded.replace({missing: "unknown"})
        columns["decision_status_raw"] = text
    else:
        findings.add("code_unlisted", name, text, unlisted)
        coded = coded.replace({missing: ""})
    if name == "refusal_reason":
        columns["refusal_reason_raw"] = text
    if name == "theme":
        columns["theme_raw"] = text
    if rule.empty is not None:
        coded = coded.fill_null(rule.empty)
    columns[name] = pl.select(pl.when(coded != "").then(coded)).to_series()
    return columns


def _parse_amount(name: str, text: pl.Series, rule: ColumnRule, findings: Findings) -> dict[str, pl.Series]:
    amounts = parse_amounts(text, times=rule.times)
    findings.add("amount_unreadable", name, text, amounts.unreadable)
    rivals = "le même séparateur sert de virgule et de séparateur de milliers"
    if not amounts.notation.conflicting:
        rivals = "virgule ou séparateur de milliers"
    if amounts.remainders is not None:
        findings.lose(name.partition(".")[0], amounts.remainders)
        findings.add_once("amount_rounded", name, text, amounts.remainders != 0)
    if amounts.shortened is not None:
        findings.add("amount_shortened", name, text, amounts.shortened)
    details = uniform(rivals, text.len(), dtype=pl.String)
    findings.add("amount_ambiguous", name, text, amounts.ambiguous, details=details)
    return {name: amounts.values}


def _parse_share(name: str, text: pl.Series, rule: ColumnRule, findings: Findings) -> dict[str, pl.Series]:
    cell = pl.first()
    percent = cell.str.contains("%", literal=True).fill_null(False) | rule.percent
    number = (
        cell.str.replace_all(r"[\s%]", "").str.replace(",", ".", literal=True).cast(pl.Decimal(18, 6), strict=False)
    )
    share = text.to_frame().select(pl.when(percent).then(number / 100).otherwise(number)).to_series()
    findings.add("number_unreadable", name, text, share.is_null() & text.is_not_null())
    return {name: share.cast(Share, strict=False)}


def _parse_whole_number(name: str, text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    number = text.str.replace(r"\.0+$", "").str.replace_all(r"\s", "").cast(pl.Int32, strict=False)
    findings.add("number_unreadable", name, text, number.is_null() & text.is_not_null())
    return {name: number}


def _parse_boolean(name: str, text: pl.Series, rule: ColumnRule, findings: Findings) -> dict[str, pl.Series]:
    if rule.values:
        text = by_value(text, lambda value: _looked_up(value, rule, value))
    word = by_value(text, lambda value: "yes" if fold(value) in _YES else "no" if fold(value) in _NO else None)
    findings.add("boolean_unreadable", name, text, word.is_null() & text.is_not_null())
    return {name: word == "yes"}
