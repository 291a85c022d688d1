"""The `decision_count` contract: what a service that publishes only totals states of its decisions.

Long: one row for each measure of one cell (funder, service, territory, scheme, call, year). A total is what the funder
states; it is never added to lines, and what is absent from a table is not published unless the table is exhaustive.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl
from pandera.polars import PolarsData

from schemas import identifiers
from schemas.application import EARLIEST, FIRST_YEAR, LAST_YEAR, LATEST, Euro
from schemas.contract import field

AMOUNTS = "amount_"
"""Measures that start so are sums of money; the others are numbers of applications."""


class DecisionCount(pa.DataFrameModel):
    """One total of a funder's table, checked."""

    # identity
    line_id: pl.String = field("Identifiant de ligne", "Dépôt, feuille et ligne d'origine.", required=True, unique=True)
    deposit_id: pl.String = field("Identifiant du dépôt", "Un contenu de fichier dans un dossier.", required=True)
    source_sheet: pl.String = field(
        "Feuille", "Nom de la feuille (ou du fichier de l'archive) d'origine.", required=True
    )
    source_row: pl.Int32 = field("Ligne", "Numéro de ligne tel que l'auteur le voit dans son tableur.", required=True)
    # who examines
    funder_siren: pl.String = field("SIREN du financeur", "Neuf premiers chiffres du SIRET.", example="223400013")
    funder_siret: pl.String = field("SIRET du financeur", "Quatorze chiffres.", example="22340001300015")
    funder_name: pl.String = field(
        "Financeur",
        "Personne publique qui pilote le dispositif et paie.",
        required=True,
        example="Département de l'Hérault",
    )
    funder_level: pl.String = field("Niveau du financeur", "Europe, État, région, département…", codes="funder_level")
    service_name: pl.String = field(
        "Service instructeur", "Service qui examine les demandes.", example="Direction de l'insertion"
    )
    service_id: pl.String = field("Identifiant du service", "SIRET ou code du service instructeur.")
    scheme: pl.String = field("Dispositif", "Dispositif d'aide dont relèvent les demandes.", example="Aide alimentaire")
    call_id: pl.String = field("Appel à projets", "Identifiant de l'appel à projets.")
    # where
    territory_code: pl.String = field("Code du territoire", "Code du territoire des demandeurs.", example="34")
    territory_level: pl.String = field(
        "Niveau du territoire", "Commune, EPCI, département, région ou pays.", codes="territory_level"
    )
    territory_name: pl.String = field("Territoire", "Territoire des demandeurs.", example="Hérault")
    # when
    fiscal_year: pl.Int32 = field(
        "Exercice", "Année budgétaire des décisions.", unit="année", example="2024", required=True
    )
    fiscal_year_basis: pl.String = field(
        "Source de l'exercice", "D'où vient l'exercice.", codes="fiscal_year_basis", required=True
    )
    # what is stated
    measure: pl.String = field("Mesure", "Ce que le total compte.", codes="measure", required=True)
    value: Euro = field("Total", "Nombre de demandes, ou somme en monnaie.", example="42", required=True)
    currency: pl.String = field("Monnaie", "Code ISO 4217.", example="EUR", str_matches=r"^[A-Z]{3}$")
    is_exhaustive: pl.Boolean = field(
        "Tableau exhaustif", "Ce qui n'est pas dans le tableau vaut zéro, au lieu de n'être pas publié."
    )
    # source
    source_name: pl.String = field("Source", "Qui a publié ou déposé le fichier.", required=True)
    source_url: pl.String = field("Adresse de la source", "Adresse de publication.")
    source_updated_at: pl.Date = field(
        "Mise à jour de la source", "Date que le fichier donne de lui-même.", unit="date", example="2024-03-15"
    )
    licence: pl.String = field("Licence", "Licence de la source.")
    recognised_by: pl.String = field("Reconnu par", "Format connu ou déduction.", codes="recognised_by", required=True)
    format_id: pl.String = field("Format", "Format de fichier reconnu.", required=True)
    is_demonstration: pl.Boolean = field("Démonstration", "Donnée fictive, pour l'essai.", required=True)

    class Config:
        """Exactly these columns, in this order."""

        strict = True
        ordered = True

    # A name is a code of `schemas/issues.toml`, which says whether the line is rejected, what the clerk reads and does.

    @pa.dataframe_check(name="count_not_whole")
    def count_not_whole(cls, data: PolarsData) -> pl.LazyFrame:
        """A number of applications is a whole number, zero or more."""
        value = pl.col("value")
        whole = (value >= 0) & (value == value.round(0))
        return data.lazyframe.select((pl.col("measure").str.starts_with(AMOUNTS) | whole).fill_null(True))

    @pa.check("fiscal_year", name="fiscal_year_out_of_range")
    def fiscal_year_out_of_range(cls, data: PolarsData) -> pl.LazyFrame:
        """A fiscal year is between 1990 and 2100."""
        return data.lazyframe.select(pl.col(data.key).is_between(FIRST_YEAR, LAST_YEAR))

    @pa.check("funder_siren", name="siren_invalid")
    def siren_invalid(cls, data: PolarsData) -> pl.LazyFrame:
        """Nine digits and a Luhn key (INSEE)."""
        return data.lazyframe.select(identifiers.is_siren(pl.col(data.key)))

    @pa.check("funder_siret", name="siret_invalid")
    def siret_invalid(cls, data: PolarsData) -> pl.LazyFrame:
        """Fourteen digits and a key (INSEE; La Poste's rule included)."""
        return data.lazyframe.select(identifiers.is_siret(pl.col(data.key)))

    @pa.check("source_updated_at", name="date_out_of_range")
    def date_out_of_range(cls, data: PolarsData) -> pl.LazyFrame:
        """A date is between 1990 and 2100."""
        return data.lazyframe.select(pl.col(data.key).is_between(EARLIEST, LATEST))
