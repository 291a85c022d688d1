"""How numbers, amounts, dates and sentences are written for a French reader. No word of the field belongs here."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

NBSP = "\u00a0"
THIN = "\u202f"

_MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
           "novembre", "décembre")  # fmt: skip
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Cs", "Zl", "Zp"})
_PLAIN = re.compile(r"[ -~À-ÿ]*")
_QUOTED_OR_APOSTROPHE = re.compile(r"«[^«»]*»|(?<=\w)'(?=[\w«])")


def number(value: int) -> str:
    """`1250` → `1 250`, with narrow no-break spaces."""
    return f"{value:,}".replace(",", THIN).replace("-", "−")


def amount(value: str | Decimal, *, currency: str | None) -> str:
    """`1234567.8`, EUR → `1 234 567,80 €`; another currency keeps its code, an unknown one adds nothing."""
    digits = f"{Decimal(value):,.2f}".replace(",", THIN).replace(".", ",").replace("-", "−")
    return digits if currency is None else f"{digits}{NBSP}{'€' if currency == 'EUR' else currency}"


def count(value: int, one: str, many: str | None = None) -> str:
    """The number with its noun; in French 0 and 1 are singular. `many` is `one` with an s unless given."""
    return f"{number(value)}{NBSP}{one if abs(value) < 2 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """A percentage that says 100 or 0 only when it is exact."""
    if whole == 0:
        return "–"
    if 0 < part * 100 < whole:
        return f"moins de 1{NBSP}%"
    return f"{min(round(part * 100 / whole), 100 if part >= whole else 99)}{NBSP}%"


def long_date(day: date) -> str:
    """`12 mars 2026`, `1er avril 2026`."""
    return f"{'1er' if day.day == 1 else day.day}{NBSP}{_MONTHS[day.month - 1]}{NBSP}{day.year}"


def listed(words: Sequence[str]) -> str:
    """`a, b et c`."""
    return " et ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def inside_a_sentence(text: str) -> str:
    """`text` without its capital, unless its first word is an acronym: `montant demandé`, `SIRET du demandeur`."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def year_ranges(years: Sequence[int]) -> str:
    """`2019 à 2022 et 2024`: runs of three years or more are written as a range."""
    runs: list[list[int]] = []
    for year in sorted(set(years)):
        if runs and year == runs[-1][-1] + 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return listed([word for run in runs for word in ([f"{run[0]} à {run[-1]}"] if len(run) > 2 else map(str, run))])


def typeset(text: str) -> str:
    """A sentence with the no-break spaces and the curved apostrophes of French, where it has ordinary ones.

    What it quotes between « and » keeps the apostrophes of its author.
    """
    text = _QUOTED_OR_APOSTROPHE.sub(lambda found: "’" if found[0] == "'" else found[0], text)
    text = re.sub(r" (?=[:;!?»%€])", NBSP, text).replace("« ", f"«{NBSP}")
    return re.sub(r"(?<=\d) (?=\d{3}(?!\d))", THIN, text)


def visible(text: str, *, limit: int = 160) -> str:
    """Text from a file, safe to show: what has no shape or turns the text around is written as its code point.

    A line break becomes ⏎, a tab →; beyond `limit` characters the text is cut and its length said.
    """
    total = len(text)
    shown = text[:limit]
    if not _PLAIN.fullmatch(shown):
        shown = "".join(_character(character) for character in shown)
    return shown if total <= limit else f"{shown}… ({count(total, 'caractère')})"


def _character(character: str) -> str:
    if character == "\n":
        return "⏎ "
    if character == "\t":
        return "→"
    if unicodedata.category(character) in _INVISIBLE:
        return f"[U+{ord(character):04X}]"
    return character
