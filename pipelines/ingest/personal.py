"""Personal data stop here: columns known by their title are not read, values known by their shape are taken out.

An e-mail address, a phone number, an IBAN or a social-security number never reaches staging, nor a log or a receipt;
only how many there were is kept.
"""

from __future__ import annotations

import re

import polars as pl

from pipelines.ingest.fold import fold_words
from schemas.distinct import uniform

MASK = "[donnée personnelle retirée]"

_HEADER = re.compile(
    r"\b(e ?mail|mail|courriel|telephone|tel|portable|mobile|iban|bic|rib|nir|securite sociale|date de naissance|"
    r"representant( legal)?|prenom|civilite|adresse( postale)?|numero et voie|rue|contact)\b"
)
# Shapes, each with the word said in receipts. A number is a phone's only with its French leading 0 or +33.
PATTERNS = {
    "adresse électronique": r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}",
    "téléphone": r"(?:\+33[\s.\-]?(?:\(0\)[\s.\-]?)?[1-9]|\b0[1-9])(?:[\s.\-]\d{2}){4}\b|\b0[67]\d{8}\b",
    "IBAN": r"\bFR\d{2}(?:[\s]?[A-Z0-9]{4}){5}[\s]?[A-Z0-9]{3}\b",
    "numéro de sécurité sociale": (
        r"\b[12][\s.]?\d{2}[\s.]?(?:0[1-9]|1[0-2]|[2-9]\d)[\s.]?(?:\d{2}|2[AB])"
        r"[\s.]?\d{3}[\s.]?\d{3}[\s.]?\d{2}\b"
    ),
}
_HINT = r"@|FR\d{2}|(?:\d[\s.\-]?){8}"  # what stands in all of them, and is soon sought
ANY = "|".join(f"(?:{pattern})" for pattern in PATTERNS.values())


def personal_header(title: str) -> bool:
    """Whether a column title announces personal data."""
    return bool(_HEADER.search(fold_words(title)))


def names_persons(title: str) -> bool:
    """Whether a column title announces the names of private persons."""
    return bool(re.search(r"\bprenoms?\b", fold_words(title)))


def mask(text: str | None) -> str | None:
    """`text` without its personal values."""
    return None if text is None else re.sub(ANY, MASK, text)


def masked(column: pl.Series) -> tuple[pl.Series, dict[str, pl.Series]]:
    """A text column without personal values, and for each kind met the mask of the cells where one was taken out."""
    suspects = column.str.contains(_HINT)
    if not suspects.any():
        return column, {}
    places = suspects.fill_null(False).arg_true()
    cells = column.gather(places)
    found = {kind: places.filter(cells.str.contains(pattern)) for kind, pattern in PATTERNS.items()}
    nowhere = uniform(False, column.len(), dtype=pl.Boolean)
    masks = {kind: nowhere.clone().scatter(where, True) for kind, where in found.items() if where.len()}
    if not masks:
        return column, {}
    return column.clone().scatter(places, cells.str.replace_all(ANY, MASK)), masks
