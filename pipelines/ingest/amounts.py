"""Text → exact amounts. The notation is decided by evidence over the whole column, never by one cell.

`1.500` alone may be one thousand five hundred or one and a half; the other cells of its column say which. Money has at
most two decimals, so three digits after a lone separator are thousands unless the column shows otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import polars as pl

from schemas.contract import Euro

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


def parse_amounts(raw: pl.Series, *, times: int = 1) -> Amounts:
    """The amounts of a text column (nulls stay null), in euros when `times` is how many euros one of the column is.

    Read: `1 234,56 €`, `1.234,56`, `1,234.56`, `12 345 678`, `-500`, `(500)`, `50 000 euros`, `1,5 k€`, `1E3`.
    A cell that fits no notation of the column is unreadable; one that fits two is ambiguous; neither has a value.
    Where a column mixes notations, a cell that reads in one way only (`3.000,00`, `2000.5`) keeps its value.
    """
    if times == 1 and raw.str.contains(_PLAIN).all():
        nothing = pl.repeat(False, raw.len(), dtype=pl.Boolean, eager=True)
        return Amounts(raw.cast(Euro), nothing, nothing, Notation(".", None))
    text = raw.str.replace_all(_SPACES, "").str.replace_all("[−–—]", "-")
    if text.str.contains("[?\ufffd]").any():  # a narrow space, or the euro sign, that another encoding lost
        text = text.str.replace_all(_LOST_SPACE, "${1}${2}").str.replace_all(_LOST_SPACE, "${1}${2}")
        text = text.str.replace("\ufffd$", "")
    accountant = text.str.contains(r"^\(.+\)$").fill_null(False)
    text = text.str.strip_chars("()").str.replace(r"^[€]", "")
    text, scale = _scaled(text, times)
    scientific = text.str.contains(r"^[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+$").fill_null(False)
    notation = find_notation(text)
    readable = text.str.contains(_FORM).fill_null(False)
    number, odd = _plain(text, notation)
    number = pl.select(pl.when(scientific).then(text.str.replace(",", ".")).otherwise(number)).to_series()
    wide = number.cast(pl.Decimal(38, 8), strict=False)
    values = pl.select(
        pl.when(readable | scientific).then(wide * scale * pl.when(accountant).then(-1).otherwise(1))
    ).to_series()
    exact = values
    values = values.round(2).cast(Euro, strict=False)
    ambiguous = readable & odd
    remainders = _remainders(exact, values, keep=~ambiguous)
    values = pl.select(pl.when(~ambiguous).then(values)).to_series()
    unreadable = raw.is_not_null() & values.is_null() & ~ambiguous
    return Amounts(values.alias(raw.name), unreadable, ambiguous, notation, remainders)


def _remainders(exact: pl.Series, values: pl.Series, *, keep: pl.Series) -> pl.Series | None:
    lost = pl.select(pl.when(keep).then(exact - values.cast(exact.dtype)).otherwise(0)).to_series().fill_null(0)
    return lost if bool((lost != 0).any()) else None


def _scaled(text: pl.Series, times: int) -> tuple[pl.Series, pl.Series]:
    """The number without its unit, and what the unit multiplies it by (`k€`, `M€`): without one, `times`."""
    bare = text.str.replace(_CURRENCY, "")
    thousand = bare.str.contains(r"(?i)[0-9]k$").fill_null(False)
    million = bare.str.contains(r"[0-9]M$").fill_null(False)
    own = bare != text  # « 500 € » among thousands; where every cell has the sign, it says nothing
    own = own.fill_null(False) & (not own.all())
    scale = pl.select(
        pl.when(thousand).then(1000).when(million).then(1_000_000).when(own).then(1).otherwise(times)
    ).to_series()
    return bare.str.replace(r"(?i)([0-9])[km]$", "${1}"), scale


def find_notation(text: pl.Series) -> Notation:
    """What the column as a whole says of its separators (`text`: digits, `.`, `,` and a sign)."""
    cells = text.drop_nulls()
    cells = cells.filter(cells.str.contains(_FORM))
    decimal: Separator | None = None
    thousands: Separator | None = None
    for separator, other in ((",", "."), (".", ",")):
        mark, rival = f"[{separator}]", f"[{other}]"
        as_decimal = cells.str.contains(f"^[^{separator}]*{mark}([0-9]{{1,2}}|[0-9]{{4,}})$") | cells.str.contains(
            f"{rival}.*{mark}[0-9]*$"
        )
        as_thousands = cells.str.contains(f"{mark}.*{mark}") | cells.str.contains(f"{mark}.*{rival}")
        if as_decimal.any():
            decimal = separator  # type: ignore[assignment]
        if as_thousands.any():
            thousands = separator  # type: ignore[assignment]
    if decimal is None and thousands is None:
        lone = [s for s in (",", ".") if cells.str.contains(f"^[+-]?[0-9]{{1,3}}[{s}][0-9]{{3}}$").any()]
        thousands = lone[0] if len(lone) == 1 else None  # type: ignore[assignment]
    return Notation(decimal, thousands)


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


def _plain(text: pl.Series, notation: Notation) -> tuple[pl.Series, pl.Series]:
    """Digits with a decimal point, and a mask of the cells whose separator has no certain meaning."""
    if notation.conflicting:
        return _by_shape(text)
    lone_three = text.str.contains(r"^[+-]?[0-9]{1,3}[.,][0-9]{3}$").fill_null(False)
    number = text
    odd = pl.repeat(False, text.len(), dtype=pl.Boolean, eager=True)
    for separator in (",", "."):
        holds = text.str.contains(separator, literal=True).fill_null(False)
        if separator == notation.thousands:
            number = number.str.replace_all(separator, "", literal=True)
        elif not (separator == notation.decimal == "." and _has_long_decimals(text)):
            odd = odd | (holds & lone_three)  # 1,500 beside 12,50: fifteen hundred, or one and a half?
    return number.str.replace(",", ".", literal=True), odd
