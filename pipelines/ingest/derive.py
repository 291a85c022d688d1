"""What no column of a line states: its funder, year, currency, decision, aid form and source."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache, cached_property
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.dates import year_in_name
from pipelines.ingest.parties import funder_level
from schemas.application import Application
from schemas.contract import polars_schema
from schemas.contracts import CONTRACTS
from schemas.distinct import uniform
from schemas.format import INFERRED

if TYPE_CHECKING:
    from datetime import date

    import pandera.polars as pa

    from pipelines.ingest.findings import Findings
    from pipelines.ingest.map import MappedSheet
    from pipelines.ingest.recognise import Header
    from schemas.format import Format, YearRule
    from schemas.funder import FunderFile

UNKNOWN_FUNDER = "financeur inconnu"
_GRANTS = ("amount_awarded", "amount_committed", "amount_paid", "amount_in_kind")
_YEAR_SOURCES = (
    ("decision_date", "decided_date"),
    ("signature_date", "signed_date"),
    ("period", "period_start"),
    ("period", "payment_start_date"),
)


@dataclass(frozen=True)
class Origin:
    """What is known of a file besides its cells."""

    deposit_id: str
    depositor: str
    file_name: str
    funder_file: FunderFile
    funder_name: str | None = None
    """The funder given by whoever runs the check; wins over funder.toml and the folder's name."""
    updated_at: date | None = None

    @cached_property
    def answers(self) -> dict[str, str]:
        """What the depositor answered about files of this name: name of the question → code."""
        return {given.about: given.answer for given in self.funder_file.answers if fnmatch(self.file_name, given.file)}


def with_conditions(lines: pl.DataFrame, format_: Format, findings: Findings) -> pl.DataFrame:
    """What the format says of the lines that one of their own fields tells apart; a column of the file wins."""
    schema = polars_schema(Application)
    left = uniform(True, lines.height, dtype=pl.Boolean)
    for rule in format_.when:
        if rule.field not in lines.columns:
            continue
        text = lines[rule.field].cast(pl.String)
        fits = left & text.str.contains(rule.pattern).fill_null(False)
        left = left & ~fits
        for name, value in rule.given.items():
            given = pl.when(fits).then(pl.lit(value)).cast(schema[name])
            own = [pl.col(name)] if name in lines.columns else []
            lines = lines.with_columns(pl.coalesce(*own, given).alias(name))
        if rule.unforeseen is not None:
            details = uniform(rule.unforeseen, lines.height, dtype=pl.String)
            findings.add("case_unforeseen", rule.field, text, fits, details=details)
    return lines


def with_constants(lines: pl.DataFrame, format_: Format) -> pl.DataFrame:
    """What the format says of every line; a column of the file wins where it is filled."""
    model = CONTRACTS[format_.contract]
    schema = polars_schema(model)
    constants = {"currency": "EUR", **format_.constants} if model is Application else format_.constants
    for name, value in constants.items():
        constant = pl.lit(value).cast(schema[name]).alias(name)
        lines = lines.with_columns(constant if name not in lines.columns else pl.col(name).fill_null(constant))
    return lines


def with_decision(lines: pl.DataFrame, format_: Format) -> pl.DataFrame:
    """The decision that a format states through an amount; else the column's, a blank one being unknown."""
    rule = format_.decision
    if rule is not None and "decision_status" not in lines.columns:
        amount = pl.col(rule.amount)
        status = (
            pl.when(amount.is_null())
            .then(pl.lit(rule.blank))
            .when(amount == 0)
            .then(pl.lit(rule.zero))
            .otherwise(pl.lit(rule.positive))
        )
        return lines.with_columns(status.alias("decision_status"))
    if "decision_status" not in lines.columns:
        return lines.with_columns(pl.lit("unknown").alias("decision_status"))
    return lines.with_columns(pl.col("decision_status").fill_null("unknown"))


def with_aid_form(lines: pl.DataFrame) -> pl.DataFrame:
    """A line whose only amount is a loan or a guarantee has that form: it is no grant."""
    grants = [name for name in _GRANTS if name in lines.columns]
    no_grant = pl.all_horizontal(pl.col(name).is_null() for name in grants) if grants else pl.lit(True)
    for form in ("guarantee", "loan"):
        name = f"amount_{form}"
        if name in lines.columns:
            other = pl.col("aid_form") if "aid_form" in lines.columns else pl.lit(None, dtype=pl.String)
            only = no_grant & (pl.col(name).fill_null(0) > 0)
            lines = lines.with_columns(pl.when(only).then(pl.lit(form)).otherwise(other).alias("aid_form"))
    return _with_aid_in_kind(lines, no_grant)


def _with_aid_in_kind(lines: pl.DataFrame, no_grant: pl.Expr) -> pl.DataFrame:
    """A line that names an aid in kind, and no money, is one."""
    if "in_kind_type" not in lines.columns:
        return lines
    known = pl.col("aid_form") if "aid_form" in lines.columns else pl.lit(None, dtype=pl.String)
    named = pl.when(no_grant & pl.col("in_kind_type").is_not_null()).then(pl.lit("in_kind"))
    return lines.with_columns(pl.coalesce(known, named).alias("aid_form"))


def with_funder(lines: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """Who pays: the column, then the caller, funder.toml, the folder's name; level by name or SIREN."""
    declared = origin.funder_file
    fallback = origin.funder_name or declared.name or origin.depositor or UNKNOWN_FUNDER
    siret = declared.siret
    for name in ("funder_name", "funder_siret", "funder_siren", "funder_level"):
        if name not in lines.columns:
            lines = lines.with_columns(pl.lit(None, dtype=pl.String).alias(name))
    only = lines["funder_name"].drop_nulls().unique()
    lines = lines.with_columns(pl.col("funder_name").fill_null(only[0] if only.len() == 1 else fallback))
    own = lines["funder_name"].str.strip_chars() == (declared.name or fallback)
    lines = lines.with_columns(
        pl.when(own)
        .then(pl.col("funder_siret").fill_null(pl.lit(siret, dtype=pl.String)))
        .otherwise(pl.col("funder_siret"))
        .alias("funder_siret")
    ).with_columns(pl.coalesce("funder_siren", pl.col("funder_siret").str.slice(0, 9)).alias("funder_siren"))
    guessed = funder_level(lines["funder_name"], lines["funder_siren"])
    level = pl.when(own).then(pl.lit(declared.level, dtype=pl.String))
    return lines.with_columns(pl.coalesce("funder_level", level, guessed).alias("funder_level"))


def with_year(
    lines: pl.DataFrame, stated_years: dict[str, pl.Series], mapped: MappedSheet, origin: Origin, findings: Findings
) -> pl.DataFrame:
    """The fiscal year and where it comes from: the column, a decision or signature date, a period, a title, a name."""
    height, sheet, rule = lines.height, mapped.header.sheet, mapped.header.format.year
    candidates: list[tuple[str, pl.Series]] = []
    unread = uniform(False, height, dtype=pl.Boolean)
    if "fiscal_year" in lines.columns:
        candidates.append(("column", lines["fiscal_year"]))
        bad = [position for position, name, *_ in findings.rows if name == "fiscal_year"]
        unread = pl.Series(range(height)).is_in(bad)
    for basis, name in _YEAR_SOURCES:
        if name in lines.columns:
            candidates.append((basis, lines[name].dt.year().cast(pl.Int32)))
        if name in stated_years:
            candidates.append((basis, stated_years[name]))
    in_title = _year_of_name(sheet.name, rule)
    declared = origin.funder_file.fiscal_year or _year_of_name(origin.file_name, rule)
    for basis, named in (
        ("sheet_title" if sheet.has_title else "file_name", in_title),
        ("file_name", declared),
        ("sheet_title", _year_above(mapped.header)),
    ):
        candidates.append((basis, uniform(named, height, dtype=pl.Int32)))
    year = pl.select(pl.coalesce(series for _, series in candidates)).to_series()
    basis_column = pl.select(
        pl.coalesce(pl.when(series.is_not_null()).then(pl.lit(basis)) for basis, series in candidates)
    ).to_series()
    year = pl.select(pl.when(~unread).then(year)).to_series()  # a year written but unread is not replaced by a guess
    nothing = uniform(None, height, dtype=pl.String)
    findings.add("fiscal_year_missing", "fiscal_year", nothing, year.is_null() & ~unread)
    return lines.with_columns(year.alias("fiscal_year"), basis_column.alias("fiscal_year_basis"))


def _year_above(header: Header) -> int | None:
    """The only year that the rows above the header name (« Subventions versées en 2018 »)."""
    above = header.sheet.cells.filter(pl.col("row") < header.top).tail(20)
    text = " ".join(text for row in above.iter_rows() for text in row[1:] if text)
    return _year_of_name(text, header.format.year)


def _year_of_name(name: str, rule: YearRule | None) -> int | None:
    if rule is None:
        return year_in_name(name)
    plain = re.search(rule.plain, name) if rule.plain is not None else None
    if plain is not None:
        return int(plain[1])
    found = re.search(rule.in_name, name)
    return None if found is None else int(found[1]) + rule.shift


def with_source(lines: pl.DataFrame, mapped: MappedSheet, origin: Origin, sheet_index: int) -> pl.DataFrame:
    """Where each line comes from: deposit, sheet, row, format, source."""
    declared, format_ = origin.funder_file, mapped.header.format
    rows = mapped.lines["source_row"]
    updated = pl.lit(origin.updated_at, dtype=pl.Date)
    if "source_updated_at" in lines.columns:
        updated = pl.coalesce("source_updated_at", updated)
    return lines.with_columns(
        rows.alias("source_row"),
        pl.format("{}:{}:{}", pl.lit(origin.deposit_id), pl.lit(sheet_index), mapped.places()).alias("line_id"),
        pl.lit(origin.deposit_id).alias("deposit_id"),
        pl.lit(mapped.header.sheet.name).alias("source_sheet"),
        pl.lit(format_.record_kind).alias("record_kind"),
        pl.lit(format_.headline_stage).alias("headline_stage"),
        pl.lit(declared.source_name or declared.name or origin.depositor or origin.file_name).alias("source_name"),
        pl.lit(declared.source_url, dtype=pl.String).alias("source_url"),
        updated.alias("source_updated_at"),
        pl.lit(declared.licence, dtype=pl.String).alias("licence"),
        pl.lit(declared.publication_scope, dtype=pl.String).alias("publication_scope"),
        pl.lit("inference" if format_.id == INFERRED else "format").alias("recognised_by"),
        pl.lit(format_.id).alias("format_id"),
        pl.lit(declared.is_demonstration).alias("is_demonstration"),
        pl.lit(None, dtype=pl.String).alias("application_id"),
    )


def filled(lines: pl.DataFrame, model: type[pa.DataFrameModel] = Application) -> pl.DataFrame:
    """`lines` with exactly the contract's columns, in order, absent ones null."""
    stated = set(lines.columns)
    return lines.select(own if name in stated else nothing for name, (own, nothing) in _columns(model).items())


@cache
def _columns(model: type[pa.DataFrameModel]) -> dict[str, tuple[pl.Expr, pl.Expr]]:
    """How each column of a contract is taken from lines that state it, and from those that do not."""
    return {
        name: (pl.col(name).cast(dtype), pl.lit(None, dtype=dtype).alias(name))
        for name, dtype in polars_schema(model).items()
    }
