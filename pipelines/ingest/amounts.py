"""Text → exact amounts. The notation is decided by evidence over the whole column, never by one cell.

`1.500` alone may be one thousand five hundred or one and a half; the other cells of its column say which. Money has at
most two decimals, so three digits after a lone separator are thousands unless the column shows otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from schemas.contract import Euro
from schemas.distinct import uniform

_SPACES = "[\\s\u00a0\u202f\u2009']"
_LOST_SPACE = "([0-9])[?\ufffd]([0-9]{3})"
_CURRENCY = r"(?i)(euros?|eur|€|ttc|ht)$"
_FORM = r"^[+-]?([0-9]+([.,][0-9]+)*|[.,][0-9]+)$"
_PLAIN = r"^-?[0-9]{1,15}(\.[0-9]{1,2})?$"

Separator = Literal[".", ","]


@dataclass(frozen=True)
class Notation:
    """How a column writes numbers: its decimal separator, its thousands separator (None: not seen)."""

    decimal: Separator | None
    thousands: Separator | None

    @property
    def conflicting(self) -> bool:
        """The same separator is used both ways in the column."""
        return self.decimal is not None and self.decimal == self.thousands


@dataclass(frozen=True)
class Amounts:
    """`values`: Decimal(18, 2), null where blank or unread. `unreadable`, `ambiguous`: masks of non-blank cells."""

    values: pl.Series
    unreadable: pl.Series
    ambiguous: pl.Series
    notation: Notation
    remainders: pl.Series | None = None
    """What rounding to cents took from each value, when some cell has more than two decimals."""
    shortened: pl.Series | None = None
    """Mask of the cells written with a power of ten (`1,23E+05`), whose last digits may be lost; None when none is."""


def parse_amounts(raw: pl.Series, *, times: int = 1) -> Amounts:
    """The amounts of a text column (nulls stay null), in euros when `times` is how many euros one of the column is.

    Read: `1 234,56 €`, `1.234,56`, `1,234.56`, `12 345 678`, `-500`, `(500)`, `50 000 euros`, `1,5 k€`, `1E3`.
    A cell that fits no notation of the column is unreadable; one that fits two is ambiguous; neither has a value.
    Where a column mixes notations, a cell that reads in one way only (`3.000,00`, `2000.5`) keeps its value.
    """
    if times == 1 and raw.str.contains(_PLAIN).all():
        nothing = uniform(False, raw.len(), dtype=pl.Boolean)
        return Amounts(raw.cast(Euro), nothing, nothing, Notation(".", None))
    cells = raw.alias("cell").to_frame().select(_CELL.str.replace_all(_SPACES, "").str.replace_all("[−–—]", "-"))
    if cells.select(_CELL.str.contains("[?\ufffd]").any()).item():  # a narrow space, or the euro sign, that was lost
        found = _CELL.str.replace_all(_LOST_SPACE, "${1}${2}").str.replace_all(_LOST_SPACE, "${1}${2}")
        cells = cells.select(found.str.replace("\ufffd$", ""))
    is_negative = _CELL.str.contains(r"^\(.+\)$").fill_null(False)
    cells = cells.select(_CELL.str.strip_chars("()").str.replace(r"^[€]", ""), is_negative=is_negative)
    cells = cells.with_columns(bare=_CELL.str.replace(_CURRENCY, ""))
    cells = cells.select(_BARE.str.replace(_UNIT, "${1}").alias("cell"), _scale(times).alias("scale"), "is_negative")
    cells = cells.with_columns(is_scientific=_IS_SCIENTIFIC, is_readable=_CELL.str.contains(_FORM).fill_null(False))
    notation = find_notation(cells["cell"])
    number, odd = _plain(cells["cell"], notation)
    wide = pl.when("is_scientific").then(_CELL.str.replace(",", ".")).otherwise(number).cast(_WIDE, strict=False)
    exact = pl.when(pl.col("is_readable") | pl.col("is_scientific")).then(
        wide * pl.col("scale") * pl.when("is_negative").then(-1).otherwise(1)
    )
    read = cells.select(exact=exact, ambiguous=pl.col("is_readable") & odd)
    read = read.with_columns(values=pl.col("exact").round(2).cast(Euro, strict=False))
    ambiguous = read["ambiguous"]
    remainders = _remainders(read["exact"], read["values"], keep=~ambiguous)
    values = read.select(pl.when(~pl.col("ambiguous")).then("values")).to_series()
    unreadable = raw.is_not_null() & values.is_null() & ~ambiguous
    shortened = cells["is_scientific"] & values.is_not_null()
    return Amounts(
        values.alias(raw.name), unreadable, ambiguous, notation, remainders, shortened if shortened.any() else None
    )


def _remainders(exact: pl.Series, values: pl.Series, *, keep: pl.Series) -> pl.Series | None:
    lost = pl.select(pl.when(keep).then(exact - values.cast(exact.dtype)).otherwise(0)).to_series().fill_null(0)
    return lost if bool((lost != 0).any()) else None


_CELL = pl.col("cell")
_WIDE = pl.Decimal(38, 8)
_IS_SCIENTIFIC = _CELL.str.contains(r"^[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+$").fill_null(False)
_BARE = pl.col("bare")  # the cell without its currency
_UNIT = r"(?i)([0-9])[km]$"


def _scale(times: int) -> pl.Expr:
    """What the unit of a cell multiplies its number by (`k€`, `M€`): without one, `times`."""
    has_sign = _BARE != _CELL  # « 500 € » among thousands; where every cell has the sign, it says nothing
    return (
        pl.when(_BARE.str.contains(r"(?i)[0-9]k$").fill_null(False)).then(1000)
        .when(_BARE.str.contains(r"[0-9]M$").fill_null(False)).then(1_000_000)
        .when(has_sign.fill_null(False) & ~has_sign.all()).then(1)
        .otherwise(times)
    )  # fmt: skip


def find_notation(text: pl.Series) -> Notation:
    """What the column as a whole says of its separators (`text`: digits, `.`, `,` and a sign)."""
    told = text.alias("cell").to_frame().filter(_CELL.str.contains(_FORM)).select(**_SIGNS).row(0, named=True)
    decimal = next((s for s in _SEPARATORS if told[f"decimal {s}"]), None)
    thousands = next((s for s in _SEPARATORS if told[f"thousands {s}"]), None)
    if decimal is None and thousands is None:
        lone = [s for s in _SEPARATORS if told[f"three digits after {s}"]]
        thousands = lone[0] if len(lone) == 1 else None
    return Notation(decimal, thousands)


_SEPARATORS: tuple[Separator, Separator] = (".", ",")  # the first that is seen wins


def _signs(separator: Separator, rival: Separator) -> dict[str, pl.Expr]:
    mark, other = f"[{separator}]", f"[{rival}]"
    last = _CELL.str.contains(f"^[^{separator}]*{mark}([0-9]{{1,2}}|[0-9]{{4,}})$|{other}.*{mark}[0-9]*$")
    not_last = _CELL.str.contains(f"{mark}.*(?:{mark}|{other})")
    return {
        f"decimal {separator}": last.any(),
        f"thousands {separator}": not_last.any(),
        f"three digits after {separator}": _CELL.str.contains(f"^[+-]?[0-9]{{1,3}}{mark}[0-9]{{3}}$").any(),
    }


_SIGNS = _signs(",", ".") | _signs(".", ",")


def _by_shape(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The same where several hands wrote a column: only cells that can be read in one way have a certain meaning."""
    cell = pl.col("cell")
    shapes = (
        (r"^[+-]?[0-9]{1,3}([.][0-9]{3})+,[0-9]{1,2}$", cell.str.replace_all(".", "", literal=True)),
        (r"^[+-]?[0-9]{1,3}(,[0-9]{3})+[.][0-9]{1,2}$", cell.str.replace_all(",", "", literal=True)),
        (r"^[+-]?[0-9]{1,3}([.][0-9]{3}){2,}$", cell.str.replace_all(".", "", literal=True)),
        (r"^[+-]?[0-9]{1,3}(,[0-9]{3}){2,}$", cell.str.replace_all(",", "", literal=True)),
        (r"^[+-]?[0-9]+([.,]([0-9]{1,2}|[0-9]{4,}))?$", cell),
    )
    read = pl.coalesce(*(pl.when(cell.str.contains(shape)).then(number) for shape, number in shapes))
    number = text.to_frame("cell").select(read.str.replace(",", ".", literal=True)).to_series()
    return number, (number.is_null() & text.str.contains("[.,]")).fill_null(False)


def _has_long_decimals(text: pl.Series) -> bool:
    """Whether some cell shows that three digits after a point are decimals here: a computed number, or thousandths."""
    return bool(text.str.contains(r"\.[0-9]{4,}$|^[+-]?([0-9]{4,}|0)\.[0-9]{3}$").any())


def _plain(text: pl.Series, notation: Notation) -> tuple[pl.Expr, pl.Expr]:
    """Digits with a decimal point, and a mask of the cells whose separator has no certain meaning."""
    if notation.conflicting:
        number, odd = _by_shape(text)
        return pl.lit(number), pl.lit(odd)
    is_three = _CELL.str.contains(r"^[+-]?[0-9]{1,3}[.,][0-9]{3}$").fill_null(False)
    digits, uncertain = _CELL, pl.lit(False)
    for separator in _SEPARATORS:
        if separator == notation.thousands:
            digits = digits.str.replace_all(separator, "", literal=True)
        elif not (separator == notation.decimal == "." and _has_long_decimals(text)):
            holds = _CELL.str.contains(separator, literal=True).fill_null(False)
            uncertain = uncertain | (holds & is_three)  # 1,500 beside 12,50: fifteen hundred, or one and a half?
    return digits.str.replace(",", ".", literal=True), uncertain
