"""Rules on French identifiers, as polars expressions over whole columns.

SIREN and SIRET end with a Luhn key (INSEE); La Poste's establishments also pass when their digits add up to a
multiple of five. RNA numbers are `W`, a digit, a digit or letter (Corsica, overseas), then seven digits.
"""

from __future__ import annotations

import polars as pl

LA_POSTE = 356_000_000
RNA_PATTERN = r"^W[0-9][A-Z0-9][0-9]{7}$"


def _weigh(four_digits: int, *, doubled: bool) -> int:
    """The sum of the digits of a number below 10 000, every second one doubled first (Luhn) or not."""
    digits = [four_digits // 10**place % 10 for place in range(4)]
    return sum(sum(divmod(2 * digit, 10)) if doubled and i % 2 else digit for i, digit in enumerate(digits))


_LUHN, _PLAIN = (
    pl.Series([_weigh(number, doubled=doubled) for number in range(10_000)], dtype=pl.UInt16)
    for doubled in (True, False)
)


def digit_sum(number: pl.Expr, *, digits: int, luhn: bool) -> pl.Expr:
    """The sum of the last `digits` digits of `number`, Luhn's when `luhn`.

    Looked up four digits at a time: five times faster than one by one.
    """
    table = pl.lit(_LUHN if luhn else _PLAIN)
    chunks = (number // 10**place % 10 ** min(4, digits - place) for place in range(0, digits, 4))
    return pl.sum_horizontal(table.gather(chunk.cast(pl.UInt32)) for chunk in chunks)


def _number(text: pl.Expr) -> pl.Expr:
    """Null, or some number, where `text` is none; its form is told apart: a condition here would be met at each use."""
    return text.cast(pl.Int64, strict=False)


def is_siren(text: pl.Expr) -> pl.Expr:
    """True where `text` is nine digits with a valid Luhn key; null where `text` is null."""
    number = _number(text)
    return text.str.contains(r"^[0-9]{9}$") & (digit_sum(number, digits=9, luhn=True) % 10 == 0) & (number != 0)


def is_siret(text: pl.Expr) -> pl.Expr:
    """True where `text` is fourteen digits with a valid key (La Poste's exception included)."""
    number = _number(text)
    key = (digit_sum(number, digits=14, luhn=True) % 10 == 0) & (number != 0)
    return text.str.contains(r"^[0-9]{14}$") & (key | (text.str.starts_with(str(LA_POSTE)) & has_poste_key(number)))


def has_poste_key(siret: pl.Expr) -> pl.Expr:
    """True where the digits of a SIRET of La Poste add up to a multiple of five."""
    own = sum(int(digit) for digit in str(LA_POSTE))
    return (own + digit_sum(siret, digits=5, luhn=False)) % 5 == 0


def is_rna(text: pl.Expr) -> pl.Expr:
    """True where `text` has the form of an RNA number."""
    return text.str.contains(RNA_PATTERN)
