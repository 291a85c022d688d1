# ruff: noqa: N815 - the columns keep the names that the law gives them
"""The SCDL « subventions » 2.1.1 schema: the sixteen columns a funder must publish, as text, and their rules.

Here is what the official schema asks (schema.data.gouv.fr, scdl/subventions 2.1.1, of 2023-09-28) as the reference
validator reads it: an empty cell is missing, a cell is taken with its spaces, numbers have a decimal point. The name of
a rule is an entry of `scdl.toml`, which holds its words. What a deposit must satisfy to be counted is `application`.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandera.polars as pa
import polars as pl
from pandera.polars import PolarsData
from pydantic import BaseModel, ConfigDict

from schemas.contract import field
from schemas.identifiers import LA_POSTE, LA_POSTE_SEAT, digit_sums, has_key, has_poste_key

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from schemas.identifiers import Numbers

VERSION = "2.1.1"
REQUIRED = (
    "nomAttribuant",
    "idAttribuant",
    "dateConvention",
    "nomBeneficiaire",
    "objet",
    "montant",
    "nature",
    "conditionsVersement",
    "datesPeriodeVersement",
    "notificationUE",
    "pourcentageSubvention",
)
FREE_TEXT = (
    "nomAttribuant",
    "referenceDecision",
    "nomBeneficiaire",
    "objet",
    "conditionsVersement",
    "idRAE",
    "dispositifAide",
)
"""Columns that may hold any words; the others have a closed shape."""
NATURES = {
    "cash": "aide en numéraire",
    "in_kind": "aide en nature",
    "both": "aide en numéraire;aide en nature",
}
"""The form of aid → the words of the law."""
YES, NO = "oui", "non"
LONGEST_TEXT = 256
LONGEST_RAE = 5
RNA = r"^W\d{9}$"

_NATURES = [*NATURES.values(), "aide en nature;aide en numéraire"]
_DATE = r"^\d{4}-(?:1[0-2]|0?[1-9])-(?:3[01]|[12]\d|0?[1-9])$"
_DATE_OR_PERIOD = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(/[0-9]{4}-[0-9]{2}-[0-9]{2})?$"
_NUMBER = (
    r"^\s*(?:[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
    r"|(?i:[+-]?(?:s?nan[0-9]*|inf(?:inity)?)))\s*$"  # Table Schema admits what is no number, and the infinite
)


def _is_siret(text: pl.Expr) -> pl.Expr:
    """Whether each cell is a SIRET, spaces and dots apart."""
    digits = text.str.replace_all(r"[\s.]", "")
    valid = digits.str.contains(r"^[0-9]{14}$") & has_key(digits, _has_siret_key, unless=0)
    return valid.fill_null(False)


def _has_siret_key(numbers: Numbers) -> NDArray[np.bool_]:
    """Luhn's for the SIREN and for the whole, but for the establishments of La Poste besides its seat."""
    sirens = numbers // 10**5
    is_poste = (sirens == LA_POSTE) & (numbers != LA_POSTE_SEAT)
    luhn: NDArray[np.bool_] = digit_sums(numbers, digits=14, luhn=True) % 10 == 0
    own: NDArray[np.bool_] = digit_sums(sirens, digits=9, luhn=True) % 10 == 0
    return own & np.where(is_poste, has_poste_key(numbers), luhn)


class Scdl(pa.DataFrameModel):
    """One line per beneficiary; every cell as text, null where it is empty."""

    nomAttribuant: pl.String = field("Nom de l'attribuant", "Nom officiel de la collectivité.", scdl="nomAttribuant")
    idAttribuant: pl.String = field("Identification de l'attribuant", "SIRET, quatorze chiffres.", scdl="idAttribuant")
    dateConvention: pl.String = field(
        "Date de la convention de subvention", "AAAA-MM-JJ.", unit="date", scdl="dateConvention"
    )
    referenceDecision: pl.String = field(
        "Référence de la décision", "Identifiant interne de l'acte.", scdl="referenceDecision"
    )
    nomBeneficiaire: pl.String = field("Nom du bénéficiaire", "Nom officiel ou raison sociale.", scdl="nomBeneficiaire")
    idBeneficiaire: pl.String = field(
        "Identification SIRET du bénéficiaire", "SIRET, quatorze chiffres.", scdl="idBeneficiaire"
    )
    rnaBeneficiaire: pl.String = field(
        "Identification RNA du bénéficiaire", "W suivi de neuf chiffres.", scdl="rnaBeneficiaire"
    )
    objet: pl.String = field("Objet de la subvention", "256 caractères au plus.", scdl="objet")
    montant: pl.String = field(
        "Montant total de la subvention",
        "Avant répartition entre bénéficiaires, avec un point décimal.",
        unit="€",
        scdl="montant",
    )
    nature: pl.String = field("Nature de la subvention", "Aide en numéraire, en nature ou les deux.", scdl="nature")
    conditionsVersement: pl.String = field(
        "Conditions de versement de la subvention",
        "« unique », « échelonné » ou une description.",
        scdl="conditionsVersement",
    )
    datesPeriodeVersement: pl.String = field(
        "Date ou période de versement", "AAAA-MM-JJ ou AAAA-MM-JJ/AAAA-MM-JJ.", scdl="datesPeriodeVersement"
    )
    idRAE: pl.String = field(
        "Identifiant RAE de l'aide", "Numéro au répertoire des aides aux entreprises.", scdl="idRAE"
    )
    notificationUE: pl.String = field(
        "Aide d'État notifiée à la Commission européenne", "« oui » ou « non ».", scdl="notificationUE"
    )
    pourcentageSubvention: pl.String = field(
        "Part du montant attribuée au bénéficiaire",
        "De 0.01 à 1, avec un point décimal.",
        unit="part",
        scdl="pourcentageSubvention",
    )
    dispositifAide: pl.String = field(
        "Identifiant du dispositif d'aide", "Identifiant dans le schéma des dispositifs.", scdl="dispositifAide"
    )

    class Config:
        """Exactly these columns, in this order."""

        strict = True
        ordered = True

    @pa.check(*REQUIRED, name="scdl_required", ignore_na=False)
    def required(cls, data: PolarsData) -> pl.LazyFrame:
        """The cell is filled."""
        return data.lazyframe.select(pl.col(data.key).is_not_null())

    @pa.check("idAttribuant", "idBeneficiaire", name="scdl_siret")
    def siret(cls, data: PolarsData) -> pl.LazyFrame:
        """A SIRET whose keys are right, that of its SIREN included (`french-siret-value`).

        Spaces and dots do not count. La Poste's establishments, but for its seat, have digits that add up to a
        multiple of five instead of a Luhn key (INSEE).
        """
        cell = pl.col(data.key)
        return data.lazyframe.select(cell.is_null() | _is_siret(cell))

    @pa.check("idAttribuant", name="scdl_siret_digits")
    def siret_digits(cls, data: PolarsData) -> pl.LazyFrame:
        """Fourteen digits and nothing else."""
        return data.lazyframe.select(pl.col(data.key).str.contains(r"^\d{14}$"))

    @pa.check("dateConvention", name="scdl_date")
    def date(cls, data: PolarsData) -> pl.LazyFrame:
        """A day that exists, year first."""
        text = pl.col(data.key)
        written = pl.when(text.str.contains(_DATE)).then(text).str.to_date("%Y-%m-%d", strict=False)
        return data.lazyframe.select(text.is_null() | (written.dt.year() > 0).fill_null(False))

    @pa.check("rnaBeneficiaire", name="scdl_rna")
    def rna(cls, data: PolarsData) -> pl.LazyFrame:
        """`W` and nine digits."""
        return data.lazyframe.select(pl.col(data.key).str.contains(RNA))

    @pa.check("objet", "conditionsVersement", name="scdl_too_long")
    def too_long(cls, data: PolarsData) -> pl.LazyFrame:
        """At most 256 characters."""
        return data.lazyframe.select(pl.col(data.key).str.len_chars() <= LONGEST_TEXT)

    @pa.check("idRAE", name="scdl_rae_too_long")
    def rae_too_long(cls, data: PolarsData) -> pl.LazyFrame:
        """At most five characters."""
        return data.lazyframe.select(pl.col(data.key).str.len_chars() <= LONGEST_RAE)

    @pa.check("montant", "pourcentageSubvention", name="scdl_number")
    def number(cls, data: PolarsData) -> pl.LazyFrame:
        """A number with a decimal point and no separator of thousands (Table Schema, `number`)."""
        return data.lazyframe.select(pl.col(data.key).str.contains(_NUMBER))

    @pa.check("pourcentageSubvention", name="scdl_share")
    def share(cls, data: PolarsData) -> pl.LazyFrame:
        """Between 0.01 and 1; what is no number is said by `scdl_number`."""
        text = pl.col(data.key)
        inside = text.str.strip_chars().cast(pl.Float64, strict=False).is_between(0.01, 1).fill_null(False)
        return data.lazyframe.select(inside | ~text.str.contains(_NUMBER))

    @pa.check("nature", name="scdl_nature")
    def nature_listed(cls, data: PolarsData) -> pl.LazyFrame:
        """One of the four values of the law, to the letter."""
        return data.lazyframe.select(pl.col(data.key).is_in(_NATURES))

    @pa.check("datesPeriodeVersement", name="scdl_period")
    def period(cls, data: PolarsData) -> pl.LazyFrame:
        """One date or two, year first, with a slash between; the official schema does not ask that they exist."""
        return data.lazyframe.select(pl.col(data.key).str.contains(_DATE_OR_PERIOD))

    @pa.check("notificationUE", name="scdl_yes_no")
    def yes_no(cls, data: PolarsData) -> pl.LazyFrame:
        """`oui` or `non`, in lower case."""
        return data.lazyframe.select(pl.col(data.key).is_in([YES, NO]))

    @pa.check("idBeneficiaire", name="scdl_one_identifier", ignore_na=False)
    def one_identifier(cls, data: PolarsData) -> pl.LazyFrame:
        """The beneficiary has a SIRET or an RNA number (`one-of-required`): a rule on the line.

        Declared on one of its two columns because the failures of a whole-frame check are built row by row.
        """
        return data.lazyframe.select(pl.col("idBeneficiaire").is_not_null() | pl.col("rnaBeneficiaire").is_not_null())


class Words(BaseModel):
    """What people read of one rule: its name, what is wrong, what to do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    message: str
    remedy: str


@cache
def words() -> dict[str, Words]:
    """The words of every rule, by its name."""
    declared = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {rule: Words.model_validate(entry) for rule, entry in declared.items()}
