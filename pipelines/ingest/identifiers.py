"""Text → SIRET, SIREN or RNA, whichever it is; what the spreadsheet destroyed is said, never guessed.

A lost leading zero is put back only where both keys (of the SIREN and of the SIRET) then hold. A number in scientific
notation, or rounded to six zeros, has lost digits for good.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import polars as pl

from schemas.distinct import Distinct, uniform
from schemas.identifiers import RNA_PATTERN, is_siren, is_siret

_NOISE = "[\\s\u00a0\u202f'’\"`´._-]"
_SCIENTIFIC = r"^[0-9]([.,][0-9]+)?[eE]\+?[0-9]+$"
_NIR = r"^[12][0-9]{2}(0[1-9]|1[0-2]|[2-9][0-9])([0-9]{2}|2[AB])[0-9]{6}([0-9]{2})?$"


@dataclass(frozen=True)
class Identifiers:
    """Text columns, null where the cell is not of that kind. Masks: `repaired`, `destroyed`, `invalid`, `unknown`.

    `personal`: cells that hold a social-security number (NIR) and must be forgotten.
    """

    siret: pl.Series
    siren: pl.Series
    rna: pl.Series
    repaired: pl.Series
    destroyed: pl.Series
    invalid: pl.Series
    unknown: pl.Series
    personal: pl.Series


def parse_identifiers(raw: pl.Series) -> Identifiers:
    """The identifiers of a text column that may hold SIRET, SIREN or RNA numbers side by side."""
    column = Distinct.of(raw)
    parsed = _parse(column.cells)
    return Identifiers(*(column.over(getattr(parsed, name.name)) for name in fields(Identifiers)))


def _parse(raw: pl.Series) -> Identifiers:
    frame = raw.alias(_RAW).to_frame()
    if frame.select(_PLAIN.all()).item():  # blank columns included
        never = uniform(False, raw.len(), dtype=pl.Boolean)
        nothing = uniform(None, raw.len(), dtype=pl.String)
        return Identifiers(frame[_RAW], raw.str.slice(0, 9), nothing, never, never, never, never, never)
    return Identifiers(*frame.with_columns(**_CODE).with_columns(**_SIGNS).select(**_READ))


_RAW = "raw"
_ROUND = "00000"  # what fills up a SIREN, or what a spreadsheet has rounded
_PLAIN = is_siret(pl.col(_RAW)) & ~pl.col(_RAW).str.ends_with(_ROUND)
"""The cell is a SIRET as it should be: nothing of what follows would say otherwise."""
_CODE = {
    "scientific": pl.col(_RAW).str.contains(_SCIENTIFIC).fill_null(False),
    "code": pl.col(_RAW).str.replace(r"\.0+$", "").str.replace_all(_NOISE, "").str.to_uppercase(),
}


def _signs() -> dict[str, pl.Expr]:
    """What each code looks like."""
    code = pl.col("code")
    padded = code.str.zfill(14)
    head_ok = is_siren(code.str.slice(0, 9))
    # Six zeros: rounded by a spreadsheet, whatever the key says. Five: maybe a SIREN filled up, unless both keys fit.
    filled_up = code.str.contains(r"^[0-9]{8}000000$") | (code.str.contains(r"^[0-9]{9}00000$") & ~head_ok)
    return {
        "padded": padded,
        "siret_ok": (is_siret(code) & ~filled_up).fill_null(False),
        "siren_ok": is_siren(code).fill_null(False),
        "rna_ok": code.str.contains(RNA_PATTERN).fill_null(False),
        "head_ok": head_ok.fill_null(False),
        "digits": code.str.contains(r"^[0-9]+$").fill_null(False),
        "length": code.str.len_chars(),
        "lost_zero": code.str.contains(r"^[0-9]{10,13}$").fill_null(False)
        & is_siret(padded).fill_null(False)
        & is_siren(padded.str.slice(0, 9)).fill_null(False),
        "nir": code.str.contains(_NIR).fill_null(False),
    }


def _read() -> dict[str, pl.Expr]:
    """The fields of `Identifiers`, from what the codes look like."""
    code = pl.col("code")
    fourteen = pl.col("digits") & (pl.col("length") == 14)
    rounded = fourteen & code.str.ends_with("000000")
    destroyed = pl.col("scientific") | (rounded & ~pl.col("siret_ok"))
    no_place = fourteen & code.str.ends_with(_ROUND)  # a SIREN filled up with zeros
    siret = pl.when(pl.col("siret_ok")).then(code).when(pl.col("lost_zero")).then(pl.col("padded"))
    siren = (
        pl.when(siret.is_not_null())
        .then(siret.str.slice(0, 9))
        .when(pl.col("siren_ok"))
        .then(code)
        .when(no_place & pl.col("head_ok") & ~destroyed)
        .then(code.str.slice(0, 9))
    )
    known = siret.is_not_null() | siren.is_not_null() | pl.col("rna_ok")
    personal = pl.col("nir") & ~known & ~destroyed
    invalid = pl.col("digits") & pl.col("length").is_in([9, 14]) & siret.is_null() & ~pl.col("siren_ok") & ~destroyed
    written = pl.col(_RAW).str.replace_all("[\\s\u00a0\u202f]", "")
    flags = {
        "repaired": pl.col("lost_zero") | (known & (written != code)),
        "destroyed": destroyed,
        "invalid": invalid & ~personal,
        "unknown": pl.col(_RAW).is_not_null() & ~known & ~destroyed & ~invalid & ~personal,
        "personal": personal,
    }
    told = {name: flag.fill_null(False) for name, flag in flags.items()}
    return {"siret": siret, "siren": siren, "rna": pl.when(pl.col("rna_ok")).then(code), **told}


_SIGNS, _READ = _signs(), _read()  # written once: making these expressions takes longer than reading a small column
