"""Rules on French identifiers, as polars expressions over whole columns.

SIREN and SIRET end with a Luhn key (INSEE); La Poste's establishments also pass when their digits add up to a
multiple of five. RNA numbers are `W`, a digit, a digit or letter (Corsica, overseas), then seven digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

LA_POSTE = 356_000_000
LA_POSTE_SEAT = 35_600_000_000_048
RNA_PATTERN = r"^W[0-9][A-Z0-9][0-9]{7}$"


def _weigh(four_digits: int, *, doubled: bool) -> int:
    """The sum of the digits of a number below 10 000, every second one doubled first (Luhn) or not."""
    digits = [four_digits // 10**place % 10 for place in range(4)]
    return sum(sum(divmod(2 * digit, 10)) if doubled and i % 2 else digit for i, digit in enumerate(digits))


_LUHN, _PLAIN = (
    np.array([_weigh(number, doubled=doubled) for number in range(10_000)], dtype=np.uint16)
    for doubled in (True, False)
)


def digit_sums(numbers: Numbers, *, digits: int, luhn: bool) -> NDArray[np.uint16]:
    """The sum of the last `digits` digits of each number, Luhn's when `luhn`.

    Looked up four digits at a time: five times faster than one by one.
    """
    table, sums = _LUHN if luhn else _PLAIN, np.zeros(len(numbers), dtype=np.uint16)
    for place in range(0, digits, 4):
        sums += table[numbers // 10**place % 10 ** min(4, digits - place)]
    return sums


def has_key(text: pl.Expr, key: Callable[[Numbers], NDArray[np.bool_]], *, unless: int) -> pl.Expr:
    """Whether `key` holds for the number that each cell of `text` is; for `unless` where it is none.

    By numpy: for a small column what takes time is each of the thirty expressions that would say the same.
    """
    number = text.cast(pl.Int64, strict=False).fill_null(unless)
    return number.map_batches(
        lambda cells: pl.Series(key(cells.to_numpy())), return_dtype=pl.Boolean, is_elementwise=True
    )


def is_siren(text: pl.Expr) -> pl.Expr:
    """True where `text` is nine digits with a valid Luhn key; null where `text` is null."""
    return text.str.contains(r"^[0-9]{9}$") & has_key(text, _has_siren_key, unless=LA_POSTE)


def is_siret(text: pl.Expr) -> pl.Expr:
    """True where `text` is fourteen digits with a valid key (La Poste's exception included); null where it is null."""
    return text.str.contains(r"^[0-9]{14}$") & has_key(text, _has_siret_key, unless=LA_POSTE_SEAT)


def _has_siren_key(numbers: Numbers) -> NDArray[np.bool_]:
    key: NDArray[np.bool_] = (digit_sums(numbers, digits=9, luhn=True) % 10 == 0) & (numbers != 0)
    return key


def _has_siret_key(numbers: Numbers) -> NDArray[np.bool_]:
    key: NDArray[np.bool_] = (digit_sums(numbers, digits=14, luhn=True) % 10 == 0) & (numbers != 0)
    key |= (numbers // 10**5 == LA_POSTE) & has_poste_key(numbers)
    return key


def has_poste_key(sirets: Numbers) -> NDArray[np.bool_]:
    """True where the digits of a SIRET of La Poste add up to a multiple of five."""
    own = sum(int(digit) for digit in str(LA_POSTE))
    key: NDArray[np.bool_] = (own + digit_sums(sirets, digits=5, luhn=False)) % 5 == 0
    return key


def is_rna(text: pl.Expr) -> pl.Expr:
    """True where `text` has the form of an RNA number."""
    return text.str.contains(RNA_PATTERN)
