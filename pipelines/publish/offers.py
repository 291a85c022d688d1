"""What services offer and calls ask, in words: lists of codes, contacts, rates, territories, what the data show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.publish import formats
from pipelines.publish.directory import label
from schemas.contract import SEVERAL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.publish.tables import Row

NOT_STATED = "non précisé"
UNSTATED = "—"
"""What the directory's tables hold where the directory says nothing."""


def codes_words(codelist: str, codes: object) -> str | None:
    """« food_aid;housing » → « aide alimentaire, logement et hébergement »; None without any code."""
    if formats.is_missing(codes):
        return None
    return ", ".join(label(codelist, code) for code in str(codes).split(SEVERAL)) or None


def set_words(codelist: str, codes: Iterable[str]) -> str | None:
    """The labels of a set of codes, in alphabetical order; None when there is none but the unknown."""
    known = sorted({label(codelist, code) for code in codes if code not in {UNSTATED, "unknown"}})
    return ", ".join(known) or None


def joined(*parts: object) -> str | None:
    """What is stated of `parts`, one after the other; None when nothing is."""
    return " · ".join(str(part) for part in parts if not formats.is_missing(part) and part) or None


def rate_words(low: Any, high: Any) -> str | None:
    """« de 20 % à 50 % », « 50 % au plus », « 20 % au moins »; None when no rate is stated."""
    if formats.is_missing(low) and formats.is_missing(high):
        return None
    if formats.is_missing(low) or low == high:
        return f"{formats.percent(float(high))} au plus"
    if formats.is_missing(high):
        return f"{formats.percent(float(low))} au moins"
    return f"de {formats.percent(float(low))} à {formats.percent(float(high))}"


def awards_words(row: Row) -> str | None:
    """« 12 attributions, 2019–2026 »; None when the data show none."""
    if not row["n_awards"]:
        return None
    number = formats.plural(int(row["n_awards"]), "attribution")
    return f"{number}, {formats.years(row['first_year'], row['last_year'])}"


def outside(address: object) -> str | None:
    """An address of the web that a page may lead to; None for anything else."""
    text = "" if formats.is_missing(address) else str(address).strip()
    return text if text.startswith(("https://", "http://")) and not any(c in text for c in " \"'<>") else None
