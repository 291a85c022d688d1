"""Text → SIRET, SIREN or RNA, whichever it is; what the spreadsheet destroyed is said, never guessed.

A lost leading zero is put back only where both keys (of the SIREN and of the SIRET) then hold. A number in scientific
notation, or rounded to six zeros, has lost digits for good.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import polars as pl

from schemas.distinct import Distinct
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
    frame = (
        raw.alias("raw")
        .to_frame()
        .with_columns(
            scientific=pl.col("raw").str.contains(_SCIENTIFIC).fill_null(False),
            code=pl.col("raw").str.replace(r"\.0+$", "").str.replace_all(_NOISE, "").str.to_uppercase(),
        )
    )
    padded = pl.col("code").str.zfill(14)
    head_ok = is_siren(pl.col("code").str.slice(0, 9))
    # Six zeros: rounded by a spreadsheet, whatever the key says. Five: maybe a SIREN filled up, unless both keys fit.
    filled_up = pl.col("code").str.contains(r"^[0-9]{8}000000$") | (
        pl.col("code").str.contains(r"^[0-9]{9}00000$") & ~head_ok
    )
    frame = frame.with_columns(
        siret_ok=(is_siret(pl.col("code")) & ~filled_up).fill_null(False),
        siren_ok=is_siren(pl.col("code")).fill_null(False),
        rna_ok=pl.col("code").str.contains(RNA_PATTERN).fill_null(False),
        head_ok=head_ok.fill_null(False),
        digits=pl.col("code").str.contains(r"^[0-9]+$").fill_null(False),
        length=pl.col("code").str.len_chars(),
        lost_zero=pl.col("code").str.contains(r"^[0-9]{10,13}$").fill_null(False)
        & is_siret(padded).fill_null(False)
        & is_siren(padded.str.slice(0, 9)).fill_null(False),
        nir=pl.col("code").str.contains(_NIR).fill_null(False),
    )
    fourteen = pl.col("digits") & (pl.col("length") == 14)
    rounded = fourteen & pl.col("code").str.ends_with("000000")
    destroyed = pl.col("scientific") | (rounded & ~pl.col("siret_ok"))
    no_place = fourteen & pl.col("code").str.ends_with("00000")  # a SIREN filled up with zeros
    siret = pl.when(pl.col("siret_ok")).then(pl.col("code")).when(pl.col("lost_zero")).then(padded)
    siren = (
        pl.when(siret.is_not_null())
        .then(siret.str.slice(0, 9))
        .when(pl.col("siren_ok"))
        .then(pl.col("code"))
        .when(no_place & pl.col("head_ok") & ~destroyed)
        .then(pl.col("code").str.slice(0, 9))
    )
    rna = pl.when(pl.col("rna_ok")).then(pl.col("code"))
    known = siret.is_not_null() | siren.is_not_null() | pl.col("rna_ok")
    personal = pl.col("nir") & ~known & ~destroyed
    invalid = pl.col("digits") & pl.col("length").is_in([9, 14]) & siret.is_null() & ~pl.col("siren_ok") & ~destroyed
    written = pl.col("raw").str.replace_all("[\\s\u00a0\u202f]", "")
    flags = {
        "repaired": pl.col("lost_zero") | (known & (written != pl.col("code"))),
        "destroyed": destroyed,
        "invalid": invalid & ~personal,
        "unknown": pl.col("raw").is_not_null() & ~known & ~destroyed & ~invalid & ~personal,
        "personal": personal,
    }
    told = {name: flag.fill_null(False) for name, flag in flags.items()}
    return Identifiers(*frame.select(siret=siret, siren=siren, rna=rna, **told))
