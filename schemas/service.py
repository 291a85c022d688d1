"""The `service` contract: the directory of who does what. One line is a service and one of its schemes.

A service with several schemes has as many lines; what is said of the service itself may stand on any of them. Contacts
are functional (a function, a mailbox of the service), never those of a person.
"""

from __future__ import annotations

from datetime import date

import pandera.polars as pa
import polars as pl
from pandera.polars import PolarsData

from schemas import identifiers, mailbox, territory
from schemas.contract import field

EARLIEST = date(1900, 1, 1)
LATEST = date(2100, 12, 31)
ABOUT = ("funder_name", "service_name", "service_id", "service_variants", "scheme", "area_name")
"""Fields whose words may make up the name of a mailbox."""


class Service(pa.DataFrameModel):
    """One service and one of its schemes, as a directory states it."""

    # identity
    line_id: pl.String = field("Identifiant de ligne", "Dépôt, feuille et ligne d'origine.", required=True, unique=True)
    deposit_id: pl.String = field("Identifiant du dépôt", "Un contenu de fichier dans un dossier.", required=True)
    source_sheet: pl.String = field("Feuille", "Nom de la feuille d'origine.", required=True)
    source_row: pl.Int32 = field("Ligne", "Numéro de ligne tel que l'auteur le voit dans son tableur.", required=True)
    # who pays and who examines
    funder_name: pl.String = field(
        "Financeur", "Personne publique à qui le service appartient.", required=True, example="État"
    )
    funder_siren: pl.String = field("SIREN du financeur", "Neuf chiffres.", example="999900012")
    funder_level: pl.String = field("Niveau du financeur", "Europe, État, région, département…", codes="funder_level")
    service_name: pl.String = field("Service", "Nom du service qui examine les demandes.", example="DDETS de l'Hérault")
    service_id: pl.String = field(
        "Code du service",
        "SIRET ou code propre au financeur ; le même sur chaque ligne du service.",
        example="DDETS-34",
    )
    service_variants: pl.String = field(
        "Autres noms du service",
        "Autres façons d'écrire le même service dans les fichiers, séparées par des points-virgules.",
        example="DDETS 34 ; Direction départementale de l'emploi (34)",
    )
    # where
    area_code: pl.String = field(
        "Code du territoire de compétence",
        "Code officiel géographique de la commune, du département ou de la région, SIREN de l'intercommunalité.",
        example="34",
    )
    area_level: pl.String = field(
        "Niveau du territoire de compétence", "Commune, intercommunalité, département…", codes="territory_level"
    )
    area_name: pl.String = field("Territoire de compétence", "Là où le service agit.", example="Hérault")
    # since when, and after whom
    valid_from: pl.Date = field(
        "Existe depuis", "Premier jour d'existence du service.", unit="date", example="2021-04-01"
    )
    valid_to: pl.Date = field(
        "A existé jusqu'au", "Dernier jour d'existence ; vide tant que le service existe.", unit="date"
    )
    predecessors: pl.String = field(
        "Succède à",
        "Codes ou noms des services qu'il remplace, séparés par des points-virgules.",
        example="DDCS de l'Hérault",
    )
    # what
    scheme: pl.String = field("Dispositif", "Un dispositif que le service examine.", example="Aide alimentaire")
    budget_programme: pl.String = field("Programme budgétaire", "Programme et action de l'État.", example="304-14")
    themes: pl.String = field(
        "Thèmes", "Thèmes de la liste commune, séparés par des points-virgules.", codes="theme", several=True
    )
    pays: pl.String = field(
        "Ce qui est payé",
        "Fonctionnement, projet, investissement, aide en nature, séparés par des points-virgules.",
        codes="paid_kind",
        several=True,
    )
    pays_not: pl.String = field("Ce qui n'est pas payé", "En quelques mots.", example="Les salaires hors du projet")
    calendar: pl.String = field("Calendrier", "Quand demander.", example="Dépôt de janvier à mars")
    # whom to ask
    contact_function: pl.String = field(
        "Fonction à contacter", "Une fonction, jamais une personne.", example="Chargé de mission aide alimentaire"
    )
    contact_mailbox: pl.String = field(
        "Boîte fonctionnelle",
        "Adresse électronique du service ; celle d'une personne n'est pas gardée.",
        example="aide-alimentaire@exemple.invalid",
        mailbox=True,
    )
    url: pl.String = field("Lien", "Page du service ou du dispositif.", example="https://exemple.invalid/aide")
    reviewed_date: pl.Date = field(
        "Vérifié le", "Jour où cette ligne a été vérifiée pour la dernière fois.", unit="date", example="2026-09-01"
    )
    # source
    source_name: pl.String = field("Source", "Qui a publié ou déposé le fichier.", required=True)
    source_url: pl.String = field("Adresse de la source", "Adresse de publication.")
    source_updated_at: pl.Date = field(
        "Mise à jour de la source", "Date que le fichier donne de lui-même.", unit="date", example="2026-09-01"
    )
    licence: pl.String = field("Licence", "Licence de la source.")
    recognised_by: pl.String = field("Reconnu par", "Format connu ou déduction.", codes="recognised_by", required=True)
    format_id: pl.String = field("Format", "Format de fichier reconnu.", required=True)
    is_demonstration: pl.Boolean = field("Démonstration", "Donnée fictive, pour l'essai.", required=True)

    class Config:
        """Exactly these columns, in this order."""

        strict = True
        ordered = True

    # A name is a code of `schemas/issues.toml`.

    @pa.check("funder_siren", name="siren_invalid")
    def siren_invalid(cls, data: PolarsData) -> pl.LazyFrame:
        """Nine digits and a Luhn key (INSEE)."""
        return data.lazyframe.select(identifiers.is_siren(pl.col(data.key)))

    @pa.check("area_code", name="territory_code_unknown")
    def territory_code_unknown(cls, data: PolarsData) -> pl.LazyFrame:
        """A territory that exists or existed, of the level the line states."""
        known = territory.is_known_place(pl.col(data.key), pl.col("area_level"))
        return data.lazyframe.select(known.fill_null(True))

    @pa.check("valid_to", name="validity_reversed")
    def validity_reversed(cls, data: PolarsData) -> pl.LazyFrame:
        """A service ends after it begins."""
        return data.lazyframe.select((pl.col(data.key) >= pl.col("valid_from")).fill_null(True))

    @pa.check("^valid_(from|to)$|^reviewed_date$|^source_updated_at$", regex=True, name="date_out_of_range")
    def date_out_of_range(cls, data: PolarsData) -> pl.LazyFrame:
        """A date is between 1900 and 2100: some services are older than any grant file."""
        return data.lazyframe.select(pl.col(data.key).is_between(EARLIEST, LATEST))

    @pa.dataframe_check(name="mailbox_private")
    def mailbox_private(cls, data: PolarsData) -> pl.LazyFrame:
        """The only address kept is that of a function."""
        return data.lazyframe.select(mailbox.is_functional("contact_mailbox", about=ABOUT))

    @pa.check("contact_function", name="contact_person")
    def contact_person(cls, data: PolarsData) -> pl.LazyFrame:
        """A contact is a function, not a person."""
        return data.lazyframe.select(mailbox.names_nobody(pl.col(data.key)))
