"""Folded texts (digits and small letters) as numbers, to cut millions of them in pieces at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LETTER = np.zeros(256, dtype=np.int64)
_LETTER[list(LETTERS.encode())] = np.arange(len(LETTERS))


def pieces(texts: Sequence[str], length: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Everything of `length` letters (12 at most) in a row in each text: its place, and the letters as a number."""
    letters = _LETTER[np.frombuffer("".join(texts).encode("ascii"), dtype=np.uint8)]
    of = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    codes = np.zeros(max(len(letters) - length + 1, 0), dtype=np.int64)
    for at in range(length):
        codes = codes * len(LETTERS) + letters[at : at + len(codes)]
    begin, end = of[: len(codes)], of[length - 1 :]
    is_inside = begin == end
    return begin[is_inside], codes[is_inside]


def written(code: int, length: int) -> str:
    """The letters that a number of `pieces` says."""
    return "".join([LETTERS[code // len(LETTERS) ** power % len(LETTERS)] for power in range(length - 1, -1, -1)])
