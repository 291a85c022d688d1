"""Text → dates and years. Day and month are told apart by evidence over the whole column."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.distinct import Distinct

_EXCEL_EPOCH = pl.date(1899, 12, 30)  # serial 1 is 1 January 1900, and Excel believes in 29 February 1900
_SERIALS = (32874, 73415)  # 1990 to 2100
_SEPARATED = r"^([0-9]{1,2})[/.\-\s]([0-9]{1,2})[/.\-\s]([1-9][0-9]{3}|[0-9]{2})$"
_MONTHS = (
    "janvier",
    "fevrier",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "decembre",
)
_YEAR = r"^((?:19|20)[0-9]{2})(?:\.0)?$"
_ACCENTS = {"é": "e", "è": "e", "û": "u", "É": "e", "Û": "u"}
_TIME = r"[T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2})?(\.[0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})?$"
_A_DATE = r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{4})"
_A_DATE_FIRST = rf"^[\s\S]*?({_A_DATE})"
_A_DATE_LAST = rf"({_A_DATE})\D*$"
_MOST_DATES = 2  # of a period; a list of payments has more, and goes from the first to the last
_PERIOD_SEPARATOR = r"\s*(?:/|_|\bau\b|\bà\b|;|\s-\s)\s*"


@dataclass(frozen=True)
class Dates:
    """`values`: Date, null where blank or unread. `years`: Int32, where the cell says only a year, or a month of it.

    `unreadable`: mask of the non-blank cells that are neither.
    """

    values: pl.Series
    years: pl.Series
    unreadable: pl.Series


def parse_dates(raw: pl.Series) -> Dates:
    """The dates of a text column: ISO, `dd/mm/yyyy` and kin, `15 mars 2024`, Excel serials; a year alone is kept apart.

    An impossible date (30/02, month 13) is unreadable. The column is read month first only if some cell has a middle
    number above 12 and none a first one.
    """
    text = raw.str.replace(_TIME, "").str.strip_chars()
    iso = text.str.replace_all(r"[/.]", "-").str.extract(r"^([1-9][0-9]{3}-.+)$").str.to_date("%Y-%m-%d", strict=False)
    if iso.null_count() == raw.null_count():
        return _all_dates(iso.alias(raw.name))
    values = pl.select(pl.coalesce(iso, _separated(text))).to_series()
    if values.null_count() > raw.null_count():
        values = pl.select(pl.coalesce(values, _in_words(text), _serials(text))).to_series()
    if values.null_count() == raw.null_count():
        return _all_dates(values.alias(raw.name))
    year = (
        pl.select(pl.coalesce(text.str.extract(_YEAR, 1), _month_years(text))).to_series().cast(pl.Int32, strict=False)
    )
    years = pl.select(pl.when(values.is_null()).then(year)).to_series()
    unreadable = raw.is_not_null() & values.is_null() & years.is_null()
    return Dates(values.alias(raw.name), years, unreadable)


def _all_dates(values: pl.Series) -> Dates:
    """A column of which each cell is a date, or blank."""
    nothing = pl.repeat(False, values.len(), dtype=pl.Boolean, eager=True)
    return Dates(values, pl.repeat(None, values.len(), dtype=pl.Int32, eager=True), nothing)


def _month_years(text: pl.Series) -> pl.Series:
    """The year of a month: `2024-03`, `03/2024`, `mars 2024`."""
    plain = text.str.replace_many(list(_ACCENTS), list(_ACCENTS.values())).str.to_lowercase()
    forms = (
        r"^((?:19|20)[0-9]{2})[-/](?:0?[1-9]|1[0-2])$",
        r"^(?:0?[1-9]|1[0-2])[-/]((?:19|20)[0-9]{2})$",
        rf"^(?:{'|'.join(_MONTHS)})\s+((?:19|20)[0-9]{{2}})$",
    )
    return pl.select(pl.coalesce(plain.str.extract(form, 1) for form in forms)).to_series()


def _separated(text: pl.Series) -> pl.Series:
    first = text.str.extract(_SEPARATED, 1).cast(pl.Int32)
    second = text.str.extract(_SEPARATED, 2).cast(pl.Int32)
    year = text.str.extract(_SEPARATED, 3).cast(pl.Int32)
    year = pl.select(
        pl.when(year < 70).then(year + 2000).when(year < 100).then(year + 1900).otherwise(year)
    ).to_series()
    month_first = bool((second > 12).any()) and not bool((first > 12).any())
    day, month = (second, first) if month_first else (first, second)
    return _dates(year, month, day)


def _dates(year: pl.Series, month: pl.Series, day: pl.Series) -> pl.Series:
    iso = pl.select(
        pl.format("{}-{}-{}", year, month.cast(pl.String).str.zfill(2), day.cast(pl.String).str.zfill(2))
    ).to_series()
    return iso.str.to_date("%Y-%m-%d", strict=False)


def _in_words(text: pl.Series) -> pl.Series:
    plain = text.str.replace_many(list(_ACCENTS), list(_ACCENTS.values())).str.to_lowercase()
    pattern = rf"^([0-9]{{1,2}})(?:er)?\s+({'|'.join(_MONTHS)})\s+([1-9][0-9]{{3}})$"
    month = plain.str.extract(pattern, 2).replace_strict(
        list(_MONTHS), list(range(1, 13)), default=None, return_dtype=pl.Int32
    )
    return _dates(plain.str.extract(pattern, 3).cast(pl.Int32), month, plain.str.extract(pattern, 1).cast(pl.Int32))


def _serials(text: pl.Series) -> pl.Series:
    serial = text.str.extract(r"^([0-9]{5})(?:\.[0-9]+)?$").cast(pl.Int32, strict=False)
    inside = serial.is_between(*_SERIALS)
    days = pl.select(pl.when(inside).then(pl.duration(days=pl.lit(serial)))).to_series()
    return pl.select(_EXCEL_EPOCH + days).to_series()


def parse_periods(raw: pl.Series) -> tuple[Dates, Dates]:
    """The starts and ends of a text column of periods: `2024-01-01/2024-12-31`, `_` or `au` between, or one date.

    A single date starts a period whose end is unknown.
    """
    column = Distinct.of(raw)
    start, end = _periods(column.cells)
    return _over(column, start), _over(column, end)


def _over(column: Distinct, dates: Dates) -> Dates:
    return Dates(column.over(dates.values), column.over(dates.years), column.over(dates.unreadable))


def _periods(raw: pl.Series) -> tuple[Dates, Dates]:
    whole = parse_dates(raw)
    if whole.values.null_count() == raw.null_count():  # each cell is one date
        return whole, parse_dates(pl.repeat(None, raw.len(), dtype=pl.String, eager=True))
    alone = whole.values.is_not_null() | whole.years.is_not_null()
    # Slashes also stand inside dd/mm/yyyy: a period is cut where both halves are dates.
    start = raw.str.extract(r"^(.{4,10}?)" + _PERIOD_SEPARATOR + r"(.{4,10})$", 1)
    end = raw.str.extract(r"^(.{4,10}?)" + _PERIOD_SEPARATOR + r"(.{4,10})$", 2)
    for pattern in (
        r"^([0-9]{4}-[0-9]{2}-[0-9]{2})\D+([0-9]{4}-[0-9]{2}-[0-9]{2})\D*$",
        r"^\D*([0-9]{1,2}/[0-9]{1,2}/[0-9]{4})\D+([0-9]{1,2}/[0-9]{1,2}/[0-9]{4})\D*$",
    ):
        start = pl.select(pl.coalesce(raw.str.extract(pattern, 1), start)).to_series()
        end = pl.select(pl.coalesce(raw.str.extract(pattern, 2), end)).to_series()
    several = pl.select(pl.when(raw.str.count_matches(_A_DATE) > _MOST_DATES).then(raw)).to_series()
    start = pl.select(pl.coalesce(several.str.extract(_A_DATE_FIRST, 1), start)).to_series()
    end = pl.select(pl.coalesce(several.str.extract(_A_DATE_LAST, 1), end)).to_series()
    first, last = _lone_dates(raw)
    start = pl.select(pl.when(alone).then(raw).otherwise(pl.coalesce(first, start, raw))).to_series()
    start = pl.select(pl.when(last.is_null()).then(start)).to_series().alias(raw.name)
    end = pl.select(pl.when(last.is_not_null()).then(last).when(~alone & first.is_null()).then(end)).to_series()
    end = end.alias(raw.name)
    return parse_dates(start), parse_dates(end)


def _lone_dates(raw: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The only date of a cell that holds words too: at the beginning of the cell it is a start, at its end an end."""
    lone = raw.str.count_matches(_A_DATE) == 1
    first = raw.str.extract(rf"^({_A_DATE})[^0-9T:]", 1)
    last = raw.str.extract(rf"[^0-9]({_A_DATE})$", 1)
    start = pl.select(pl.when(lone).then(first)).to_series()
    end = pl.select(pl.when(lone & first.is_null()).then(last)).to_series()
    return start, end


def parse_years(raw: pl.Series) -> pl.Series:
    """The years of a text column (`2024`, `2024.0`, `2024-2025` → 2024, a date → its year), Int32; null elsewhere."""
    year = raw.str.extract(r"^\s*(?:exercice|année|annee)?\s*((?:1[5-9]|2[0-9])[0-9]{2})(?:\.0+)?\s*$").cast(pl.Int32)
    season = raw.str.extract(r"^\s*((?:19|20)[0-9]{2})\s*[-/]\s*(?:19|20)?[0-9]{2}\s*$").cast(pl.Int32)
    if (year.is_null() & season.is_null() & raw.is_not_null()).any():
        season = pl.select(pl.coalesce(season, parse_dates(raw).values.dt.year())).to_series()
    return pl.select(pl.coalesce(year, season)).to_series().alias(raw.name)


_NAME_PATTERNS = (
    r"(?<!\d)(?P<year>20\d{2})[-_ .]?(?P<month>0[1-9]|1[0-2])(?:[-_ .]?(?P<day>0[1-9]|[12]\d|3[01]))?(?!\d)",
    r"(?<!\d)(?P<day>0[1-9]|[12]\d|3[01])[-_ .](?P<month>0[1-9]|1[0-2])[-_ .](?P<year>20\d{2})(?!\d)",
)


_RECEIPT_MARK = r"-(?=\d*[a-f])[0-9a-f]{8}(?=\.[a-z]+$)"  # what ends the name of an annotated copy is no date


def date_in_name(name: str) -> date | None:
    """The date that a file's name states (`export-2024-03-15`, `14-10-2019`, `201903` → its first day), if one does."""
    name = re.sub(_RECEIPT_MARK, "", name)
    for pattern in _NAME_PATTERNS[::-1]:
        for found in re.finditer(pattern, name):
            try:
                return date(int(found["year"]), int(found["month"]), int(found["day"] or 1))
            except ValueError:
                continue
    return None


def year_in_name(name: str) -> int | None:
    """The only year that a sheet's or file's name holds; None when there is none, or several."""
    name = re.sub(_RECEIPT_MARK, "", name)
    years = {int(year) for year in re.findall(r"(?<!\d)((?:19|20)\d{2})(?!\d)", name)}
    return years.pop() if len(years) == 1 else None
