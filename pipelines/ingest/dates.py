"""Text → dates and years. Day and month are told apart by evidence over the whole column."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import polars as pl

from schemas.distinct import Distinct, uniform

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
    cells = raw.alias("cell").to_frame().select(_BARE).select(_CELL, values=_ISO)
    for others in (_separated, _in_words_or_serials):
        if cells["values"].null_count() == raw.null_count():
            return _all_dates(cells["values"].alias(raw.name))
        cells = others(cells)
    if cells["values"].null_count() == raw.null_count():
        return _all_dates(cells["values"].alias(raw.name))
    values, years = cells.select("values", years=pl.when(pl.col("values").is_null()).then(_YEAR_ALONE))
    return Dates(values.alias(raw.name), years, raw.is_not_null() & values.is_null() & years.is_null())


def _all_dates(values: pl.Series) -> Dates:
    """A column of which each cell is a date, or blank."""
    nothing = uniform(False, values.len(), dtype=pl.Boolean)
    return Dates(values, uniform(None, values.len(), dtype=pl.Int32), nothing)


def _separated(cells: pl.DataFrame) -> pl.DataFrame:
    """`cells` with the `values` of those like `15/03/2024` that have none yet."""
    found = cells.select(_CELL.str.extract_groups(_SEPARATED).alias("found")).unnest("found").cast(pl.Int32)
    first, second, year = found.columns
    month_first = bool((found[second] > 12).any()) and not bool((found[first] > 12).any())
    day, month = (second, first) if month_first else (first, second)
    short = pl.col(year)
    whole = pl.when(short < 70).then(short + 2000).when(short < 100).then(short + 1900).otherwise(short)
    dates = found.select(_date(whole, pl.col(month), pl.col(day))).to_series()
    return cells.with_columns(pl.coalesce("values", dates))


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """The date of these numbers; null when one is, or when there is no such day."""
    iso = pl.format("{}-{}-{}", year, month.cast(pl.String).str.zfill(2), day.cast(pl.String).str.zfill(2))
    return iso.str.to_date("%Y-%m-%d", strict=False)


def _in_words_or_serials(cells: pl.DataFrame) -> pl.DataFrame:
    """`cells` with the `values` of those like `15 mars 2024`, or the numbers that Excel keeps, that have none yet."""
    return cells.with_columns(pl.coalesce("values", _IN_WORDS, _OF_SERIAL).alias("values"))


_CELL = pl.col("cell")
_BARE = _CELL.str.replace(_TIME, "").str.strip_chars()
_ISO = _CELL.str.replace_all(r"[/.]", "-").str.extract(r"^([1-9][0-9]{3}-.+)$").str.to_date("%Y-%m-%d", strict=False)
_PLAIN = _CELL.str.replace_many(list(_ACCENTS), list(_ACCENTS.values())).str.to_lowercase()
_WORDS = _PLAIN.str.extract_groups(
    rf"^(?<day>[0-9]{{1,2}})(?:er)?\s+(?<month>{'|'.join(_MONTHS)})\s+(?<year>[1-9][0-9]{{3}})$"
).struct
_IN_WORDS = _date(
    _WORDS.field("year").cast(pl.Int32),
    _WORDS.field("month").replace_strict(list(_MONTHS), list(range(1, 13)), default=None, return_dtype=pl.Int32),
    _WORDS.field("day").cast(pl.Int32),
)
_SERIAL = _CELL.str.extract(r"^([0-9]{5})(?:\.[0-9]+)?$").cast(pl.Int32, strict=False)
_OF_SERIAL = _EXCEL_EPOCH + pl.when(_SERIAL.is_between(*_SERIALS)).then(pl.duration(days=_SERIAL))
_YEAR_ALONE = pl.coalesce(
    _CELL.str.extract(_YEAR),
    *(
        _PLAIN.str.extract(form)
        for form in (  # a month: `2024-03`, `03/2024`, `mars 2024`
            r"^((?:19|20)[0-9]{2})[-/](?:0?[1-9]|1[0-2])$",
            r"^(?:0?[1-9]|1[0-2])[-/]((?:19|20)[0-9]{2})$",
            rf"^(?:{'|'.join(_MONTHS)})\s+((?:19|20)[0-9]{{2}})$",
        )
    ),
).cast(pl.Int32, strict=False)


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
        return whole, parse_dates(uniform(None, raw.len(), dtype=pl.String))
    alone = whole.values.is_not_null() | whole.years.is_not_null()
    start, end = pl.DataFrame([raw.alias("cell"), alone.alias("alone")]).select(_START, _END)
    return parse_dates(start.alias(raw.name)), parse_dates(end.alias(raw.name))


_HALVES = r"^(.{4,10}?)" + _PERIOD_SEPARATOR + r"(.{4,10})$"
_TWO_ISO = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})\D+([0-9]{4}-[0-9]{2}-[0-9]{2})\D*$"
_TWO_FRENCH = r"^\D*([0-9]{1,2}/[0-9]{1,2}/[0-9]{4})\D+([0-9]{1,2}/[0-9]{1,2}/[0-9]{4})\D*$"
_ALONE, _N_DATES = pl.col("alone"), _CELL.str.count_matches(_A_DATE)
_SEVERAL = pl.when(_N_DATES > _MOST_DATES).then(_CELL)
# The only date of a cell that holds words too: at the beginning of the cell it is a start, at its end an end.
_LONE = pl.when(_N_DATES == 1)
_LONE_START = _LONE.then(_CELL.str.extract(rf"^({_A_DATE})[^0-9T:]"))
_LONE_END = _LONE.then(pl.when(_LONE_START.is_null()).then(_CELL.str.extract(rf"[^0-9]({_A_DATE})$")))
# Slashes also stand inside dd/mm/yyyy: a period is cut where both halves are dates.
_FIRST, _LAST = (
    pl.coalesce(
        _SEVERAL.str.extract(edge), *(_CELL.str.extract(form, rank) for form in (_TWO_FRENCH, _TWO_ISO, _HALVES))
    )
    for rank, edge in ((1, _A_DATE_FIRST), (2, _A_DATE_LAST))
)
_START = (
    pl.when(_LONE_END.is_null())
    .then(pl.when(_ALONE).then(_CELL).otherwise(pl.coalesce(_LONE_START, _FIRST, _CELL)))
    .alias("start")
)
_END = pl.when(_LONE_END.is_not_null()).then(_LONE_END).when(~_ALONE & _LONE_START.is_null()).then(_LAST).alias("end")


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
