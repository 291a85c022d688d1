"""Numbers, sums, dates and lists in French typography, for people. Machine files never use these."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

THIN = "\u202f"
"""Narrow no-break space: between thousands."""
NBSP = "\u00a0"
"""No-break space: before € % : ; ! ?"""
MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
SYMBOLS = {"EUR": "€", "USD": "$US", "GBP": "£", "CHF": "CHF"}


def is_missing(value: Any) -> bool:
    """True for None, NaN, NaT and pandas' NA."""
    return value is None or value is pd.NA or bool(value != value)


def number(value: float | Decimal, *, decimals: int = 0) -> str:
    """`value` with a decimal comma and thin spaces by thousands, rounded half up: `1 234,5`."""
    if decimals == 0 and value == (whole := int(value)):
        text = f"{abs(whole):,}".replace(",", THIN)
        return f"−{text}" if whole < 0 else text
    exact = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = f"{abs(exact):,.{decimals}f}".replace(",", THIN).replace(".", ",")
    return f"−{text}" if exact < 0 else text


def count(value: float) -> str:
    """A whole number: `12 345`."""
    return number(value)


def symbol(currency: str = "EUR") -> str:
    """The sign of a currency, its code when it has none."""
    return SYMBOLS.get(currency, currency)


def money(value: float | Decimal, *, currency: str = "EUR") -> str:
    """An exact sum; cents only when there are some: `138 800 €`, `12,50 €`. Less than half a cent is no zero."""
    if isinstance(value, float) and value.is_integer():
        return f"{number(value)}{NBSP}{symbol(currency)}"
    cents = Decimal(str(value)).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    if value > 0 and not cents:
        return f"moins de {number(Decimal('0.01'), decimals=2)}{NBSP}{symbol(currency)}"
    whole = cents == cents.to_integral_value()
    return f"{number(cents, decimals=0 if whole else 2)}{NBSP}{symbol(currency)}"


def money_compact(value: float | Decimal, *, currency: str = "EUR") -> str:
    """A sum for reading at a glance: `281,9 M€`, `1,2 Md€`; to the unit below a million, to the cent below 100."""
    amount = float(value)
    for step, unit in ((1e9, "Md"), (1e6, "M")):
        if abs(amount) >= step * 0.99995:
            return f"{number(amount / step, decimals=1)}{NBSP}{unit}{symbol(currency)}"
    return f"{number(round(amount))}{NBSP}{symbol(currency)}" if abs(amount) >= 100 else money(value, currency=currency)


def percent(share: float, *, decimals: int | None = None) -> str:
    """A share between 0 and 1 as a percentage: one decimal below 10 %, none above, never a false 0 % or 100 %."""
    value = share * 100
    if decimals is None:
        decimals = 1 if (0 < abs(value) < 10 or 99 < value < 100) else 0
    least = 10**-decimals
    if 0 < value < least / 2:
        return f"moins de {number(least, decimals=decimals)}{NBSP}%"
    if 100 - least / 2 <= value < 100:
        return f"plus de {number(100 - least, decimals=decimals)}{NBSP}%"
    text = number(value, decimals=decimals)
    return f"{text.removesuffix(',0')}{NBSP}%"


def date(value: dt.date | dt.datetime) -> str:
    """`12 mars 2026`, `1er janvier 2026`."""
    day = "1er" if value.day == 1 else str(value.day)
    return f"{day}{NBSP}{MONTHS[value.month - 1]} {value.year}"


def years(first: float | None, last: float | None) -> str:
    """A span of years: `2019–2026`, `2024`, `–` when unknown."""
    if is_missing(first) or is_missing(last) or first is None or last is None:
        return "–"
    return str(int(first)) if int(first) == int(last) else f"{int(first)}–{int(last)}"


def plural(quantity: float, one: str, many: str | None = None) -> str:
    """`1 ligne`, `2 lignes`: in French the plural begins at 2. The number is joined by a no-break space."""
    word = one if abs(quantity) < 2 else (many or f"{one}s")
    return f"{count(quantity)}{NBSP}{word}"


def joined(words: Sequence[str]) -> str:
    """`a`, `a et b`, `a, b et c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} et {words[-1]}"


def size(octets: int) -> str:
    """The size of a file: `870 octets`, `12 Ko`, `1,5 Mo`."""
    if octets < 1000:
        return f"{count(octets)}{NBSP}octets"
    if octets < 1_000_000:
        return f"{count(math.ceil(octets / 1000))}{NBSP}Ko"
    return f"{number(octets / 1_000_000, decimals=1)}{NBSP}Mo"


def slug(text: str) -> str:
    """Lower-case ASCII letters, digits and hyphens; empty when nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def sentence(text: str) -> str:
    """`text` with a capital first letter, the rest untouched."""
    return text[:1].upper() + text[1:]
