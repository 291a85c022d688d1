"""Raw text under field names → typed values of the contract, with every cell that could not be read as a finding.

Rules of value live elsewhere (`amounts`, `dates`, `identifiers`, `parties`, `personal`); this module applies them
column by column, then derives what no column states: the fiscal year, the currency, the application's identity.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from pipelines.ingest.amounts import parse_amounts
from pipelines.ingest.dates import parse_dates, parse_periods, parse_years, year_in_name
from pipelines.ingest.fold import by_value, fold
from pipelines.ingest.identifiers import parse_identifiers
from pipelines.ingest.parties import applicant_kind, funder_level
from pipelines.ingest.personal import MASK, masked
from schemas import codelist
from schemas.application import Application
from schemas.contract import Euro, Share, polars_schema
from schemas.format import application_fields

if TYPE_CHECKING:
    from datetime import date

    from pipelines.ingest.map import MappedSheet
    from pipelines.ingest.sheet import Sheet
    from schemas.format import ColumnRule, Format
    from schemas.funder import FunderFile

UNKNOWN_FUNDER = "financeur inconnu"

_NOTHING = frozenset({"null", "nan", "none", "na", "nd", "nc", "neant", ""})
_YES = frozenset({"oui", "o", "vrai", "true", "1", "x", "yes", "y"})
_NO = frozenset({"non", "n", "faux", "false", "0", "no"})
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


@dataclass
class Findings:
    """Cells that could not be taken as they are: position of the line, field, code of the issue, text, detail."""

    rows: list[tuple[int, str | None, str, str | None, str | None]] = field(default_factory=list)
    personal: dict[str, int] = field(default_factory=dict)

    def add(self, code: str, name: str, raw: pl.Series, mask: pl.Series, *, details: pl.Series | None = None) -> None:
        """One finding for each line where `mask` is true."""
        for position in mask.fill_null(False).arg_true().to_list():
            detail = None if details is None else details[position]
            self.rows.append((position, name, code, raw[position], detail))

    def add_once(self, code: str, name: str, raw: pl.Series, mask: pl.Series) -> None:
        """One finding for a whole column, at its first cell, with the number of cells concerned."""
        places = mask.fill_null(False).arg_true()
        if places.len():
            self.rows.append((places[0], name, code, raw[places[0]], f"{places.len()} cellules"))

    def count_personal(self, kind: str, cells: int) -> None:
        """Add to the number of personal values taken out."""
        if cells:
            self.personal[kind] = self.personal.get(kind, 0) + cells


@dataclass(frozen=True)
class Normalised:
    """`lines`: the contract's columns, one row a line, unchecked. `raw`: the text they come from, personal data out."""

    lines: pl.DataFrame
    raw: pl.DataFrame
    findings: Findings


def normalise(mapped: MappedSheet, origin: Origin, *, sheet_index: int) -> Normalised:
    """Typed lines of a mapped sheet. Shapes: `lines` and `raw` have the height of `mapped.lines`."""
    format_ = mapped.header.format
    raw = _blank_words(mapped.lines.drop("source_row"))
    findings = Findings()
    raw, natural = _without_personal(raw, findings)
    columns: dict[str, pl.Series] = {}
    stated_years: dict[str, pl.Series] = {}
    for name in raw.columns:
        rule = format_.fields[name]
        text = _cleaned(raw[name], rule)
        columns |= _parse(name, text, rule, findings, stated_years)
    lines = pl.DataFrame(columns) if columns else pl.DataFrame({"__": [None] * raw.height}).drop("__")
    lines = _with_constants(lines, format_, height=raw.height)
    lines = _with_decision(lines, format_)
    lines = _with_aid_form(lines)
    lines = _with_funder(lines, origin)
    lines = _with_year(lines, stated_years, mapped.header.sheet, origin, findings)
    kinds = applicant_kind(_filled(lines), personal=natural, declared=origin.funder_file.applicant_kind)
    lines = lines.with_columns(kinds)
    lines = _with_source(lines, mapped, origin, sheet_index)
    lines = _filled(lines)
    return Normalised(_with_identity(lines, raw), raw, findings)


def _blank_words(raw: pl.DataFrame) -> pl.DataFrame:
    """Words that mean « nothing » (NULL, n/a, néant, a dash) become null."""
    return raw.with_columns(
        by_value(raw[name], lambda text: None if fold(text) in _NOTHING else text).alias(name)
        if raw[name].n_unique() < 5_000
        else pl.when(~pl.col(name).str.to_lowercase().is_in(["null", "nan", "none", "n/a", "na", "-", "néant"]))
        .then(pl.col(name))
        .alias(name)
        for name in raw.columns
    )


def _without_personal(raw: pl.DataFrame, findings: Findings) -> tuple[pl.DataFrame, pl.Series]:
    """`raw` with personal values masked, and a mask of the lines where a social-security number stood as identifier."""
    natural = pl.repeat(False, raw.height, dtype=pl.Boolean, eager=True)
    fields = application_fields()
    cleaned = {}
    for name in raw.columns:
        column = raw[name]
        if name in ("applicant_id", "applicant_siret", "applicant_siren"):
            is_personal = parse_identifiers(column).personal
            if is_personal.any():
                natural = natural | is_personal
                findings.count_personal("numéro de sécurité sociale", int(is_personal.sum()))
                column = pl.select(pl.when(~is_personal).then(column)).to_series()
        elif name in fields and fields[name].dtype == pl.String and fields[name].codelist is None:
            column, found = masked(column)
            for kind, places in found.items():
                findings.count_personal(kind, len(places))
                mask = pl.Series(range(raw.height)).is_in(places)
                nothing = pl.repeat(MASK, raw.height, dtype=pl.String, eager=True)
                details = pl.repeat(kind, raw.height, dtype=pl.String, eager=True)
                findings.add("personal_removed", name, nothing, mask, details=details)
        cleaned[name] = column.alias(name)
    return pl.DataFrame(cleaned), natural


def _cleaned(text: pl.Series, rule: ColumnRule) -> pl.Series:
    if rule.remove is not None:
        text = text.str.replace_all(rule.remove, "").str.strip_chars()
    if rule.first_of is not None:
        text = text.str.splitn(rule.first_of, 2).struct.field("field_0").str.strip_chars()
    return pl.select(pl.when(text != "").then(text)).to_series().alias(text.name)


def _parse(
    name: str, text: pl.Series, rule: ColumnRule, findings: Findings, stated_years: dict[str, pl.Series]
) -> dict[str, pl.Series]:
    """The contract's columns that the column `name` fills."""
    if name in ("applicant_id", "funder_id", "applicant_siret", "funder_siret", "applicant_siren", "funder_siren"):
        return _parse_identifiers(name, text, findings)
    if name == "payment_period":
        return _parse_period(name, text, findings, stated_years)
    if name == "agreement_years":
        return _parse_agreement_years(name, text, findings)
    info = application_fields()[name]
    if name == "applicant_rna":
        return {name: text.str.to_uppercase().str.replace_all(r"\s", "")}
    if info.codelist is not None:
        return _parse_code(name, text, rule, info.codelist, findings)
    if info.dtype == Euro:
        return _parse_amount(name, text, findings)
    if info.dtype == Share:
        return _parse_share(name, text, findings)
    if info.dtype == pl.Date:
        dates = parse_dates(text)
        findings.add("date_unreadable", name, text, dates.unreadable)
        findings.add_once("date_year_only", name, text, dates.years.is_not_null())
        stated_years[name] = dates.years
        return {name: dates.values}
    if info.dtype == pl.Int32:
        years = parse_years(text)
        code = "fiscal_year_unreadable" if name == "fiscal_year" else "year_unreadable"
        findings.add(code, name, text, years.is_null() & text.is_not_null())
        return {name: years}
    if info.dtype == pl.Boolean:
        return _parse_boolean(name, text, findings)
    return {name: _parse_text(name, text, rule)}


def _parse_text(name: str, text: pl.Series, rule: ColumnRule) -> pl.Series:
    if name.endswith(("_commune_code", "_postcode")):
        # Four digits are a code whose leading zero the spreadsheet dropped.
        return (
            text.str.replace(r"\.0$", "")
            .str.replace_all(r"\s", "")
            .str.to_uppercase()
            .str.replace(r"^(\d{4})$", "0${1}")
        )
    return by_value(text, lambda value: _looked_up(value, rule, value)) if rule.values else text


def _looked_up(value: str, rule: ColumnRule, default: str | None) -> str | None:
    table = {fold(spelling): code for spelling, code in rule.values.items()}
    return table.get(fold(value), default) or None


def _parse_identifiers(name: str, text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    found = parse_identifiers(text)
    party = name.split("_")[0]
    read = pl.select(pl.coalesce(found.siret, found.siren, found.rna)).to_series()
    findings.add("identifier_repaired", name, text, found.repaired & (text.str.len_chars() < 14), details=read)
    findings.add("siret_destroyed", name, text, found.destroyed)
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


def _parse_period(
    name: str, text: pl.Series, findings: Findings, stated_years: dict[str, pl.Series]
) -> dict[str, pl.Series]:
    start, end = parse_periods(text)
    findings.add("period_unreadable", name, text, start.unreadable | end.unreadable)
    findings.add_once("date_year_only", name, text, start.years.is_not_null())
    stated_years["payment_start_date"] = start.years
    return {"payment_start_date": start.values, "payment_end_date": end.values}


def _parse_agreement_years(name: str, text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    years = text.str.extract_all(r"(?:19|20)\d{2}").list.eval(pl.element().cast(pl.Int32))
    start, end = years.list.min(), years.list.max()
    findings.add("agreement_years_unreadable", name, text, text.is_not_null() & start.is_null())
    return {"agreement_start_year": start, "agreement_end_year": end}


def _parse_code(name: str, text: pl.Series, rule: ColumnRule, listed: str, findings: Findings) -> dict[str, pl.Series]:
    table = {fold(spelling): code for spelling, code in rule.values.items()}
    if rule.labels:
        table = (
            {fold(label): code for code, label in codelist.labels(listed).items()}
            | {fold(code): code for code in codelist.codes(listed)}
            | table
        )
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


def _parse_amount(name: str, text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    amounts = parse_amounts(text)
    findings.add("amount_unreadable", name, text, amounts.unreadable)
    rivals = "le même séparateur sert de virgule et de séparateur de milliers"
    if not amounts.notation.conflicting:
        rivals = "virgule ou séparateur de milliers"
    details = pl.repeat(rivals, text.len(), dtype=pl.String, eager=True)
    findings.add("amount_ambiguous", name, text, amounts.ambiguous, details=details)
    return {name: amounts.values}


def _parse_share(name: str, text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    percent = text.str.contains("%", literal=True).fill_null(False)
    number = (
        text.str.replace_all(r"[\s%]", "").str.replace(",", ".", literal=True).cast(pl.Decimal(18, 6), strict=False)
    )
    share = pl.select(pl.when(percent).then(number / 100).otherwise(number)).to_series()
    findings.add("number_unreadable", name, text, share.is_null() & text.is_not_null())
    return {name: share.cast(Share, strict=False)}


def _parse_boolean(name: str, text: pl.Series, findings: Findings) -> dict[str, pl.Series]:
    word = by_value(text, lambda value: "yes" if fold(value) in _YES else "no" if fold(value) in _NO else None)
    findings.add("boolean_unreadable", name, text, word.is_null() & text.is_not_null())
    return {name: word == "yes"}


def _with_constants(lines: pl.DataFrame, format_: Format, *, height: int) -> pl.DataFrame:
    constants = {"currency": "EUR", **format_.constants}
    schema = polars_schema(Application)
    for name, value in constants.items():
        column = pl.repeat(value, height, dtype=pl.String, eager=True).cast(schema[name]).alias(name)
        lines = lines.with_columns(column if name not in lines.columns else pl.col(name).fill_null(column))
    return lines


def _with_decision(lines: pl.DataFrame, format_: Format) -> pl.DataFrame:
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


def _with_aid_form(lines: pl.DataFrame) -> pl.DataFrame:
    """A line whose only amount is a loan or a guarantee has that form: it is no grant."""
    grants = [name for name in _GRANTS if name in lines.columns]
    no_grant = pl.all_horizontal(pl.col(name).is_null() for name in grants) if grants else pl.lit(True)
    for form in ("guarantee", "loan"):
        name = f"amount_{form}"
        if name in lines.columns:
            other = pl.col("aid_form") if "aid_form" in lines.columns else pl.lit(None, dtype=pl.String)
            only = no_grant & (pl.col(name).fill_null(0) > 0)
            lines = lines.with_columns(pl.when(only).then(pl.lit(form)).otherwise(other).alias("aid_form"))
    return lines


def _with_funder(lines: pl.DataFrame, origin: Origin) -> pl.DataFrame:
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


def _with_year(
    lines: pl.DataFrame, stated_years: dict[str, pl.Series], sheet: Sheet, origin: Origin, findings: Findings
) -> pl.DataFrame:
    """The fiscal year and where it comes from: the column, a decision or signature date, a period, a title, a name."""
    height = lines.height
    candidates: list[tuple[str, pl.Series]] = []
    unread = pl.repeat(False, height, dtype=pl.Boolean, eager=True)
    if "fiscal_year" in lines.columns:
        candidates.append(("column", lines["fiscal_year"]))
        bad = [position for position, name, *_ in findings.rows if name == "fiscal_year"]
        unread = pl.Series(range(height)).is_in(bad)
    for basis, name in _YEAR_SOURCES:
        if name in lines.columns:
            candidates.append((basis, lines[name].dt.year().cast(pl.Int32)))
        if name in stated_years:
            candidates.append((basis, stated_years[name]))
    in_title = year_in_name(sheet.name)
    declared = origin.funder_file.fiscal_year or year_in_name(origin.file_name)
    for basis, named in (("sheet_title" if sheet.has_title else "file_name", in_title), ("file_name", declared)):
        candidates.append((basis, pl.repeat(named, height, dtype=pl.Int32, eager=True)))
    year = pl.select(pl.coalesce(series for _, series in candidates)).to_series()
    basis_column = pl.select(
        pl.coalesce(pl.when(series.is_not_null()).then(pl.lit(basis)) for basis, series in candidates)
    ).to_series()
    year = pl.select(pl.when(~unread).then(year)).to_series()  # a year written but unread is not replaced by a guess
    nothing = pl.repeat(None, height, dtype=pl.String, eager=True)
    findings.add("fiscal_year_missing", "fiscal_year", nothing, year.is_null() & ~unread)
    return lines.with_columns(year.alias("fiscal_year"), basis_column.alias("fiscal_year_basis"))


def _with_source(lines: pl.DataFrame, mapped: MappedSheet, origin: Origin, sheet_index: int) -> pl.DataFrame:
    declared, format_ = origin.funder_file, mapped.header.format
    rows = mapped.lines["source_row"]
    updated = pl.lit(origin.updated_at, dtype=pl.Date)
    if "source_updated_at" in lines.columns:
        updated = pl.coalesce("source_updated_at", updated)
    return lines.with_columns(
        rows.alias("source_row"),
        pl.format("{}:{}:{}", pl.lit(origin.deposit_id), pl.lit(sheet_index), rows).alias("line_id"),
        pl.lit(origin.deposit_id).alias("deposit_id"),
        pl.lit(mapped.header.sheet.name).alias("source_sheet"),
        pl.lit(format_.record_kind).alias("record_kind"),
        pl.lit(format_.headline_stage).alias("headline_stage"),
        pl.lit(declared.source_name or declared.name or origin.depositor or origin.file_name).alias("source_name"),
        pl.lit(declared.source_url, dtype=pl.String).alias("source_url"),
        updated.alias("source_updated_at"),
        pl.lit(declared.licence, dtype=pl.String).alias("licence"),
        pl.lit(declared.publication_scope, dtype=pl.String).alias("publication_scope"),
        pl.lit("format").alias("recognised_by"),
        pl.lit(format_.id).alias("format_id"),
        pl.lit(declared.is_demonstration).alias("is_demonstration"),
        pl.lit(None, dtype=pl.String).alias("application_id"),
    )


def _filled(lines: pl.DataFrame) -> pl.DataFrame:
    """`lines` with exactly the contract's columns, in order, absent ones null."""
    return lines.select(
        (pl.col(name).cast(dtype) if name in lines.columns else pl.lit(None, dtype=dtype)).alias(name)
        for name, dtype in polars_schema(Application).items()
    )


def _with_identity(lines: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
    """The stable `application_id`: case number, funder, service, applicant and year; else the content of the line.

    Identical lines without a case number are told apart by their order among themselves, so that the same file
    deposited again gives the same identities.
    """
    applicant = pl.coalesce(
        "applicant_siren", "applicant_rna", "applicant_local_id", "applicant_id_raw", "applicant_name"
    )
    funder = pl.coalesce("funder_siren", "funder_name")
    parts = [funder.fill_null(""), pl.col("fiscal_year").cast(pl.String).fill_null("")]
    content = pl.concat_str(
        [pl.lit("content"), *parts, *(raw[name].fill_null("").alias(name) for name in raw.columns)], separator="\x1f"
    )
    keyed = lines.with_columns(
        pl.when(pl.col("case_number").is_not_null())
        .then(
            pl.concat_str(
                [
                    pl.lit("case"),
                    funder.fill_null(""),
                    pl.col("service_name").fill_null(""),
                    "case_number",
                    applicant.fill_null(""),
                    pl.col("fiscal_year").cast(pl.String).fill_null(""),
                ],
                separator="\x1f",
            )
        )
        .otherwise(content)
        .alias("key")
    )
    ordinal = pl.when(pl.col("case_number").is_null()).then(pl.int_range(pl.len()).over("key")).otherwise(0)
    keyed = keyed.select(pl.format("{}\x1f{}", "key", ordinal).alias("key"))
    with duckdb.connect() as connection:
        connection.register("keyed", keyed)
        hashed = connection.sql("SELECT substr(md5(key), 1, 20) AS id FROM keyed").pl()
    return lines.with_columns(hashed["id"].alias("application_id"))
