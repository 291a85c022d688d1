"""Rules on French identifiers, as polars expressions over whole columns.

SIREN and SIRET end with a Luhn key (INSEE); La Poste's establishments also pass when their digits add up to a
multiple of five. RNA numbers are `W`, a digit, a digit or letter (Corsica, overseas), then seven digits.
"""

from __future__ import annotations

import polars as pl

LA_POSTE = "356000000"
RNA_PATTERN = r"^W\d[A-Z\d]\d{7}$"


def _luhn_sum(text: pl.Expr, length: int) -> pl.Expr:
    total = pl.lit(0, dtype=pl.Int32)
    for position in range(length):
        digit = text.str.slice(position, 1).cast(pl.Int32, strict=False)
        if (length - position) % 2 == 0:
            doubled = digit * 2
            digit = pl.when(doubled > 9).then(doubled - 9).otherwise(doubled)
        total = total + digit
    return total


def is_siren(text: pl.Expr) -> pl.Expr:
    """True where `text` is nine digits with a valid Luhn key; null where `text` is null."""
    key = (_luhn_sum(text, 9) % 10 == 0).fill_null(False)
    valid = text.str.contains(r"^\d{9}$") & key & (text != "0" * 9)
    return pl.when(text.is_not_null()).then(valid)


def is_siret(text: pl.Expr) -> pl.Expr:
    """True where `text` is fourteen digits with a valid key (La Poste's exception included)."""
    digit_sum = pl.sum_horizontal(text.str.slice(i, 1).cast(pl.Int32, strict=False) for i in range(14))
    la_poste = text.str.starts_with(LA_POSTE) & (digit_sum % 5 == 0)
    key = ((_luhn_sum(text, 14) % 10 == 0) | la_poste).fill_null(False)
    valid = text.str.contains(r"^\d{14}$") & key & (text != "0" * 14)
    return pl.when(text.is_not_null()).then(valid)


def is_rna(text: pl.Expr) -> pl.Expr:
    """True where `text` has the form of an RNA number."""
    return text.str.contains(RNA_PATTERN)
