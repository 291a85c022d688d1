"""The `call` contract: one call for projects, or one aid that may be asked for.

The fields are those of the French schema « dispositif-aide » (etalab/schema-dispositif-aide, 28 columns), under our own
names, each with its name there; to them come the envelope, the ceiling, the expected decision date, and what ties a
call to the service that examines and to the applications that answered it.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import pandera.polars as pa
import polars as pl
from pandera.polars import PolarsData

from schemas import identifiers, mailbox, territory
from schemas.contract import field

Euro = Annotated[pl.Decimal, 18, 2]
Share = Annotated[pl.Decimal, 9, 6]

EARLIEST = date(1990, 1, 1)
LATEST = date(2100, 12, 31)
ABOUT = ("funder_name", "service_name", "service_id", "scheme", "call_id", "title", "original_title")
"""Fields whose words may make up the name of a mailbox."""


def _share(title: str, description: str, **names: Any) -> Any:
    return field(title, description, unit="part", example="0.5", **names)


def _date(title: str, description: str, **names: Any) -> Any:
    return field(title, description, unit="date", example="2026-09-01", **names)


class Call(pa.DataFrameModel):
    """One call, as a funder or a portal states it."""

    # identity
    line_id: pl.String = field("Identifiant de ligne", "Dépôt, feuille et ligne d'origine.", required=True, unique=True)
    deposit_id: pl.String = field("Identifiant du dépôt", "Un contenu de fichier dans un dossier.", required=True)
    source_sheet: pl.String = field("Feuille", "Nom de la feuille d'origine.", required=True)
    source_row: pl.Int32 = field("Ligne", "Numéro de ligne tel que l'auteur le voit dans son tableur.", required=True)
    call_id: pl.String = field(
        "Code de l'appel",
        "Le même que dans la colonne « Appel à projets » des demandes : c'est ce qui les relie.",
        aide="id_aide",
        example="AAP-2026-01",
    )
    previous_call_id: pl.String = field(
        "Édition précédente", "Code de l'appel dont celui-ci prend la suite.", example="AAP-2025-01"
    )
    title: pl.String = field(
        "Nom de l'appel",
        "Ce que l'appel aide à faire, en une phrase.",
        aide="nom_aide_normalise",
        example="Équiper les épiceries solidaires",
    )
    original_title: pl.String = field("Nom d'origine", "Nom que le porteur donne à l'appel.", aide="nom_aide")
    programmes: pl.String = field(
        "Programmes", "Programmes dont relève l'appel.", aide="programme_aides", example="Pacte des solidarités"
    )
    # who pays and who examines
    funder_name: pl.String = field(
        "Financeur", "Celui qui porte l'appel et paie.", required=True, aide="porteur_aide", example="Région"
    )
    funder_siren: pl.String = field("SIREN du financeur", "Neuf chiffres.", aide="porteur_siren", example="999900012")
    funder_level: pl.String = field("Niveau du financeur", "Europe, État, région, département…", codes="funder_level")
    cofunders: pl.String = field("Autres financeurs", "Autres porteurs de l'appel.")
    service_name: pl.String = field(
        "Service", "Service qui examine les demandes.", aide="instructeurs_aide", example="Direction des solidarités"
    )
    service_id: pl.String = field("Code du service", "Code du service dans l'annuaire.", example="DSOL")
    scheme: pl.String = field(
        "Dispositif",
        "Dispositif dont relèvent les demandes, tel que les fichiers l'écrivent.",
        example="Aide alimentaire",
    )
    # who may ask, for what
    applicants: pl.String = field(
        "Qui peut demander",
        "Associations, communes…, séparés par des points-virgules.",
        codes="call_applicant",
        several=True,
        aide="beneficiaires_aide",
    )
    aid_types: pl.String = field(
        "Types d'aide",
        "Subvention, prêt…, séparés par des points-virgules.",
        codes="call_aid_type",
        several=True,
        aide="types_aides",
    )
    is_call: pl.Boolean = field(
        "Appel à projets",
        "Oui pour un appel à projets ou à manifestation d'intérêt, non pour un guichet.",
        aide="aap_ami",
    )
    description: pl.String = field("Description", "L'appel et ses objectifs.", aide="description")
    project_examples: pl.String = field("Exemples", "Projets déjà aidés.", aide="exemple_projet")
    theme_raw: pl.String = field("Thèmes (source)", "Thèmes tels que le fichier les écrit.", aide="thematique_aide")
    themes: pl.String = field(
        "Thèmes", "Thèmes de la liste commune, séparés par des points-virgules.", codes="theme", several=True
    )
    criteria: pl.String = field("Critères", "Conditions à remplir.", aide="condition_eligibilite")
    project_stages: pl.String = field(
        "Avancement du projet",
        "Réflexion, réalisation, usage, séparés par des points-virgules.",
        codes="project_stage",
        several=True,
        aide="etat_avancement_projet",
    )
    purposes: pl.String = field(
        "Ce qui est payé",
        "Fonctionnement, projet, investissement, séparés par des points-virgules.",
        codes="purpose",
        several=True,
        aide="type_depense",
    )
    # how much
    rate_min: Share = _share("Taux minimal", "Part du coût payée au moins.", aide="taux_subvention_minimum")
    rate_max: Share = _share("Taux maximal", "Part du coût payée au plus.", aide="taux_subvention_maximum")
    rate_comment: pl.String = field("Taux, précisions", "Ce dont le taux dépend.", aide="taux_subvention_commentaire")
    amount_ceiling: Euro = field("Plafond de l'aide", "Montant le plus élevé d'une aide.", unit="€", example="15000.00")
    envelope: Euro = field("Enveloppe", "Budget de l'appel.", unit="€", example="180000.00")
    # when
    recurrence: pl.String = field(
        "Récurrence", "Permanente, ponctuelle ou récurrente.", codes="recurrence", aide="recurrence_aide"
    )
    opening_date: pl.Date = _date("Ouverture", "Premier jour pour demander.", aide="date_ouverture")
    predeposit_date: pl.Date = _date("Pré-dépôt", "Dernier jour du pré-dépôt.", aide="date_pre_depot")
    closing_date: pl.Date = _date("Clôture", "Dernier jour pour demander.", aide="date_cloture")
    decision_expected_date: pl.Date = _date("Décision attendue", "Jour ou mois de la décision, s'il est annoncé.")
    # where
    area_code: pl.String = field(
        "Code du territoire",
        "Code officiel géographique de la commune, du département ou de la région, SIREN de l'intercommunalité.",
        example="76",
    )
    area_level: pl.String = field("Niveau du territoire", "Commune, département, région…", codes="territory_level")
    area_name: pl.String = field(
        "Territoire", "Là où l'appel est ouvert.", aide="zone_geographique", example="Occitanie"
    )
    # whom to ask
    info_url: pl.String = field("Lien vers le descriptif", "Page qui décrit l'appel.", aide="url_descriptif")
    apply_url: pl.String = field("Lien vers la démarche", "Page où l'on demande.", aide="url_demarche")
    contact: pl.String = field(
        "Contact",
        "Service ou fonction à qui écrire ; jamais une personne.",
        aide="contact",
        example="Direction des solidarités",
    )
    contact_mailbox: pl.String = field(
        "Boîte fonctionnelle",
        "Adresse électronique du service ; celle d'une personne n'est pas gardée.",
        example="appels-a-projets@exemple.invalid",
        mailbox=True,
    )
    # source
    source_name: pl.String = field("Source", "Qui a publié ou déposé le fichier.", required=True)
    source_url: pl.String = field("Adresse de la source", "Adresse de publication.")
    source_updated_at: pl.Date = _date(
        "Mise à jour de la source", "Date que le fichier donne de lui-même.", aide="date_mise_a_jour"
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

    @pa.dataframe_check(name="call_title_missing")
    def call_title_missing(cls, data: PolarsData) -> pl.LazyFrame:
        """A call has a name, its own or the original one."""
        return data.lazyframe.select(pl.any_horizontal(pl.col("title", "original_title").is_not_null()))

    @pa.check("closing_date", name="call_reversed")
    def call_reversed(cls, data: PolarsData) -> pl.LazyFrame:
        """A call closes after it opens."""
        return data.lazyframe.select((pl.col(data.key) >= pl.col("opening_date")).fill_null(True))

    @pa.check("rate_min", "rate_max", name="share_out_of_range")
    def share_out_of_range(cls, data: PolarsData) -> pl.LazyFrame:
        """A rate is between 0 and 1."""
        return data.lazyframe.select(pl.col(data.key).is_between(0, 1))

    @pa.check("funder_siren", name="siren_invalid")
    def siren_invalid(cls, data: PolarsData) -> pl.LazyFrame:
        """Nine digits and a Luhn key (INSEE)."""
        return data.lazyframe.select(identifiers.is_siren(pl.col(data.key)))

    @pa.check("area_code", name="territory_code_unknown")
    def territory_code_unknown(cls, data: PolarsData) -> pl.LazyFrame:
        """A territory that exists or existed, of the level the line states."""
        known = territory.is_known_place(pl.col(data.key), pl.col("area_level"))
        return data.lazyframe.select(known.fill_null(True))

    @pa.check("^.*_date$|^source_updated_at$", regex=True, name="date_out_of_range")
    def date_out_of_range(cls, data: PolarsData) -> pl.LazyFrame:
        """A date is between 1990 and 2100."""
        return data.lazyframe.select(pl.col(data.key).is_between(EARLIEST, LATEST))

    @pa.dataframe_check(name="mailbox_private")
    def mailbox_private(cls, data: PolarsData) -> pl.LazyFrame:
        """The only address kept is that of a function."""
        return data.lazyframe.select(mailbox.is_functional("contact_mailbox", about=ABOUT))

    @pa.check("contact", name="contact_person")
    def contact_person(cls, data: PolarsData) -> pl.LazyFrame:
        """A contact is a function, not a person."""
        return data.lazyframe.select(mailbox.names_nobody(pl.col(data.key)))
