"""The `application` contract: one request by one applicant to one funder's service for one fiscal year.

Every accepted line of every deposit has exactly these columns. Amounts are exact decimals in `currency`; stages are
never mixed. Names follow the field's standard terms; `scdl` and `threesixty` give the corresponding field there.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import pandera.polars as pa
import polars as pl
from pandera.polars import PolarsData

from schemas import identifiers, territory
from schemas.contract import field

Euro = Annotated[pl.Decimal, 18, 2]
Share = Annotated[pl.Decimal, 9, 6]

FIRST_YEAR = 1990
LAST_YEAR = 2100
EARLIEST = date(FIRST_YEAR, 1, 1)
LATEST = date(LAST_YEAR, 12, 31)


def _amount(title: str, description: str, **names: Any) -> Any:
    return field(title, description, unit="€", example="12500.00", **names)


def _date(title: str, description: str, **names: Any) -> Any:
    return field(title, description, unit="date", example="2024-03-15", **names)


class Application(pa.DataFrameModel):
    """One line of a funder's file, checked."""

    # identity
    line_id: pl.String = field("Identifiant de ligne", "Dépôt, feuille et ligne d'origine.", required=True, unique=True)
    deposit_id: pl.String = field("Identifiant du dépôt", "Un contenu de fichier dans un dossier.", required=True)
    source_sheet: pl.String = field(
        "Feuille", "Nom de la feuille (ou du fichier de l'archive) d'origine.", required=True
    )
    source_row: pl.Int32 = field("Ligne", "Numéro de ligne tel que l'auteur le voit dans son tableur.", required=True)
    record_kind: pl.String = field(
        "Nature du fichier", "Demandes, attributions seules ou versements.", codes="record_kind", required=True
    )
    application_id: pl.String = field(
        "Identifiant de la demande",
        "Stable d'un dépôt à l'autre : financeur, service, dossier, demandeur et exercice, sinon contenu de la ligne.",
        required=True,
    )
    case_number: pl.String = field(
        "Numéro de dossier",
        "Numéro de la demande chez le financeur.",
        scdl="idSubvention",
        threesixty="id",
        example="2024-0317",
    )
    previous_application_id: pl.String = field("Demande précédente", "Dossier que celui-ci représente ou renouvelle.")
    # who pays and who examines
    funder_siren: pl.String = field("SIREN du financeur", "Neuf premiers chiffres du SIRET.", example="223400013")
    funder_siret: pl.String = field(
        "SIRET du financeur",
        "Quatorze chiffres.",
        scdl="idAttribuant",
        threesixty="fundingOrganization.id",
        example="22340001300015",
    )
    funder_name: pl.String = field(
        "Financeur",
        "Personne publique qui pilote le dispositif et paie.",
        required=True,
        scdl="nomAttribuant",
        threesixty="fundingOrganization.name",
        example="Département de l'Hérault",
    )
    funder_level: pl.String = field("Niveau du financeur", "Europe, État, région, département…", codes="funder_level")
    service_name: pl.String = field(
        "Service instructeur",
        "Service qui examine la demande.",
        scdl="nomServiceInstructeur",
        example="Direction de l'insertion",
    )
    service_id: pl.String = field(
        "Identifiant du service", "SIRET ou code du service instructeur.", scdl="idServiceInstructeur"
    )
    scheme: pl.String = field(
        "Dispositif",
        "Dispositif d'aide dont relève la demande.",
        scdl="dispositif",
        threesixty="grantProgramme.title",
        example="Aide alimentaire",
    )
    call_id: pl.String = field(
        "Appel à projets", "Identifiant de l'appel à projets.", scdl="dispositifAide", threesixty="grantProgramme.code"
    )
    budget_programme: pl.String = field("Programme budgétaire", "Programme et action de l'État.", example="304-14")
    # who asks
    applicant_siren: pl.String = field("SIREN du demandeur", "Dit qui est le demandeur.", example="999990021")
    applicant_siret: pl.String = field(
        "SIRET du demandeur",
        "Dit où est l'établissement.",
        scdl="idBeneficiaire",
        threesixty="recipientOrganization.id",
        example="99999002100019",
    )
    applicant_rna: pl.String = field(
        "Numéro RNA", "Numéro au répertoire national des associations.", scdl="rnaBeneficiaire", example="W343001234"
    )
    applicant_local_id: pl.String = field("Numéro local du demandeur", "Numéro propre au financeur.")
    applicant_id_raw: pl.String = field("Identifiant tel qu'écrit", "Identifiant du fichier, gardé comme il est.")
    applicant_name: pl.String = field(
        "Demandeur",
        "Nom de l'organisme qui demande.",
        scdl="nomBeneficiaire",
        threesixty="recipientOrganization.name",
        example="Épicerie solidaire du Lez",
    )
    applicant_kind: pl.String = field(
        "Nature du demandeur", "Personne morale, physique ou inconnue.", codes="applicant_kind", required=True
    )
    applicant_kind_basis: pl.String = field(
        "Preuve de la nature", "Ce qui permet de le dire.", codes="applicant_kind_basis"
    )
    # where
    seat_commune_code: pl.String = field(
        "Code commune du siège",
        "Code officiel géographique, cinq caractères.",
        example="34172",
        str_matches=r"^([0-9]{2}|2[AB])[0-9]{3}$",
    )
    seat_postcode: pl.String = field(
        "Code postal du siège", "Cinq chiffres.", example="34000", str_matches=r"^[0-9]{5}$"
    )
    seat_commune_name: pl.String = field("Commune du siège", "Nom de la commune du siège.", example="Montpellier")
    action_territory_code: pl.String = field("Code du territoire de l'action", "Code du lieu de l'action.")
    action_territory_level: pl.String = field(
        "Niveau du territoire de l'action", "Commune, EPCI, département…", codes="territory_level"
    )
    action_territory_name: pl.String = field(
        "Territoire de l'action", "Lieu où l'action se déroule.", threesixty="beneficiaryLocation.name"
    )
    # what
    title: pl.String = field(
        "Objet", "Objet de la demande.", scdl="objet", threesixty="title", example="Distribution de colis alimentaires"
    )
    theme_raw: pl.String = field("Thème (source)", "Thème tel que le fichier l'écrit.")
    theme: pl.String = field("Thème", "Thème de la liste commune.", codes="theme")
    purpose: pl.String = field("Finalité", "Fonctionnement, projet ou investissement.", codes="purpose")
    aid_form: pl.String = field(
        "Forme de l'aide", "Numéraire, nature, prêt ou garantie.", codes="aid_form", scdl="nature"
    )
    in_kind_type: pl.String = field("Aide en nature", "Ce qui est fourni : denrées, locaux…")
    # how much
    amount_requested: Euro = _amount(
        "Montant demandé", "Ce que le demandeur a demandé.", scdl="montantDemande", threesixty="amountAppliedFor"
    )
    amount_proposed: Euro = _amount("Montant proposé", "Ce que le service a proposé.")
    amount_awarded: Euro = _amount(
        "Montant accordé", "Ce que la décision accorde.", scdl="montant", threesixty="amountAwarded"
    )
    amount_committed: Euro = _amount("Montant engagé", "Ce qui est engagé au budget.")
    amount_paid: Euro = _amount("Montant versé", "Ce qui est payé.", threesixty="amountDisbursed")
    amount_clawed_back: Euro = _amount("Montant reversé", "Ce que le bénéficiaire a rendu.")
    amount_total: Euro = _amount("Montant total avant partage", "Montant avant partage entre bénéficiaires.")
    amount_loan: Euro = _amount("Montant du prêt", "Jamais compté parmi les subventions.")
    amount_guarantee: Euro = _amount("Montant de la garantie", "Jamais compté parmi les subventions.")
    amount_in_kind: Euro = _amount("Valeur de l'aide en nature", "Estimation du financeur, hors total des subventions.")
    currency: pl.String = field(
        "Monnaie", "Code ISO 4217.", example="EUR", required=True, str_matches=r"^[A-Z]{3}$", threesixty="currency"
    )
    headline_stage: pl.String = field("Étape du montant", "Étape que le fichier énonce.", codes="headline_stage")
    # when
    deposited_date: pl.Date = _date("Date de dépôt", "Dépôt de la demande.", scdl="dateCreation")
    decided_date: pl.Date = _date(
        "Date de décision", "Attribution ou refus.", scdl="dateDecision", threesixty="awardDate"
    )
    signed_date: pl.Date = _date("Date de convention", "Signature de la convention.", scdl="dateConvention")
    period_start: pl.Date = _date(
        "Début de l'action", "Premier jour de l'action.", scdl="dateDebut", threesixty="plannedDates.startDate"
    )
    period_end: pl.Date = _date(
        "Fin de l'action", "Dernier jour de l'action.", scdl="dateFin", threesixty="plannedDates.endDate"
    )
    first_paid_date: pl.Date = _date("Premier versement", "Date du premier paiement.")
    payment_start_date: pl.Date = _date(
        "Début des versements", "Début de la période de versement.", scdl="datesPeriodeVersement"
    )
    payment_end_date: pl.Date = _date(
        "Fin des versements", "Fin de la période de versement.", scdl="datesPeriodeVersement"
    )
    fiscal_year: pl.Int32 = field(
        "Exercice",
        "Année budgétaire de la décision.",
        unit="année",
        example="2024",
        required=True,
        scdl="exerciceBudgetaire",
    )
    fiscal_year_basis: pl.String = field(
        "Source de l'exercice", "D'où vient l'exercice.", codes="fiscal_year_basis", required=True
    )
    # decision
    decision_status: pl.String = field(
        "Décision", "Issue de la demande.", codes="decision_status", required=True, scdl="statutLabel"
    )
    decision_status_raw: pl.String = field("Décision (source)", "Mot du fichier.")
    refusal_reason: pl.String = field("Motif de refus", "Motif de la liste commune.", codes="refusal_reason")
    refusal_reason_raw: pl.String = field("Motif de refus (source)", "Mots du fichier ; jamais publiés.")
    # continuity
    is_renewal: pl.Boolean = field("Renouvellement", "La demande renouvelle une aide.")
    is_first_request: pl.Boolean = field(
        "Première demande", "Le demandeur s'adresse à ce financeur pour la première fois."
    )
    is_multi_year: pl.Boolean = field(
        "Pluriannuelle", "L'aide est accordée pour plusieurs années.", scdl="pluriannualite"
    )
    agreement_id: pl.String = field(
        "Convention pluriannuelle", "Identifiant commun aux années de la convention.", scdl="idSubvention"
    )
    agreement_start_year: pl.Int32 = field(
        "Première année de la convention",
        "Année.",
        unit="année",
        example="2023",
        in_range={"min_value": FIRST_YEAR, "max_value": LAST_YEAR},
    )
    agreement_end_year: pl.Int32 = field(
        "Dernière année de la convention",
        "Année.",
        unit="année",
        example="2026",
        in_range={"min_value": FIRST_YEAR, "max_value": LAST_YEAR},
    )
    year_certainty: pl.String = field("Certitude de l'année", "Ferme ou prévisionnelle.", codes="year_certainty")
    # co-funding and law
    cofunding_id: pl.String = field(
        "Projet cofinancé", "Identifiant commun aux cofinanceurs d'un projet.", scdl="idCofinancement"
    )
    cofunders: pl.String = field("Cofinanceurs", "Noms des autres financeurs.", scdl="attribuantsCofinanceurs")
    decision_reference: pl.String = field(
        "Référence de la décision", "Délibération, arrêté, convention.", scdl="referenceDecision"
    )
    rae_id: pl.String = field("Numéro RAE", "Référence au répertoire des aides aux entreprises.", scdl="idRAE")
    eu_notification: pl.Boolean = field("Notification à l'Union européenne", "Aide notifiée.", scdl="notificationUE")
    beneficiary_share: Share = field(
        "Part du bénéficiaire",
        "Part du montant qui revient au bénéficiaire.",
        unit="part",
        example="1",
        scdl="pourcentageSubvention",
    )
    payment_conditions: pl.String = field(
        "Conditions de versement", "En une ou plusieurs fois.", scdl="conditionsVersement"
    )
    # source
    source_name: pl.String = field("Source", "Qui a publié ou déposé le fichier.", required=True)
    source_url: pl.String = field("Adresse de la source", "Adresse de publication.")
    source_updated_at: pl.Date = _date(
        "Mise à jour de la source",
        "Date que le fichier donne de lui-même.",
        scdl="dateMiseAJour",
        threesixty="dateModified",
    )
    licence: pl.String = field("Licence", "Licence de la source.")
    publication_scope: pl.String = field(
        "Périmètre publié", "Tout, ou au-dessus d'un seuil.", codes="publication_scope"
    )
    recognised_by: pl.String = field("Reconnu par", "Format connu ou déduction.", codes="recognised_by", required=True)
    format_id: pl.String = field("Format", "Format de fichier reconnu.", required=True)
    is_demonstration: pl.Boolean = field("Démonstration", "Donnée fictive, pour l'essai.", required=True)

    class Config:
        """Exactly these columns, in this order."""

        strict = True
        ordered = True

    # A name is a code of `schemas/issues.toml`, which says whether the line is rejected, what the clerk reads and does.

    @pa.dataframe_check(name="party_missing")
    def party_missing(cls, data: PolarsData) -> pl.LazyFrame:
        """Somebody must have asked: a name, an identifier or a case number."""
        parties = (
            "applicant_name",
            "applicant_siren",
            "applicant_siret",
            "applicant_rna",
            "applicant_local_id",
            "applicant_id_raw",
            "case_number",
        )
        return data.lazyframe.select(pl.any_horizontal(pl.col(name).is_not_null() for name in parties))

    @pa.dataframe_check(name="applicant_name_missing")
    def applicant_name_missing(cls, data: PolarsData) -> pl.LazyFrame:
        """A party known only by a number is kept; its name is asked."""
        parties = (
            "applicant_siren",
            "applicant_siret",
            "applicant_rna",
            "applicant_local_id",
            "applicant_id_raw",
            "case_number",
        )
        known = pl.any_horizontal(pl.col(name).is_not_null() for name in parties)
        private = pl.col("applicant_kind") == "natural"  # nobody asks for the name of a private person
        return data.lazyframe.select(~known | private | pl.col("applicant_name").is_not_null())

    @pa.dataframe_check(name="amount_missing")
    def amount_missing(cls, data: PolarsData) -> pl.LazyFrame:
        """An award has an amount, or is a loan, a guarantee or aid in kind."""
        amounts = (
            "amount_awarded",
            "amount_committed",
            "amount_paid",
            "amount_loan",
            "amount_guarantee",
            "amount_in_kind",
        )
        stated = pl.any_horizontal(pl.col(name).is_not_null() for name in amounts)
        in_kind = pl.col("aid_form").eq_missing("in_kind")
        return data.lazyframe.select((pl.col("decision_status") != "awarded") | stated | in_kind)

    @pa.check("fiscal_year", name="fiscal_year_out_of_range")
    def fiscal_year_out_of_range(cls, data: PolarsData) -> pl.LazyFrame:
        """A fiscal year is between 1990 and 2100."""
        return data.lazyframe.select(pl.col(data.key).is_between(FIRST_YEAR, LAST_YEAR))

    @pa.check("funder_siren", "applicant_siren", name="siren_invalid")
    def siren_invalid(cls, data: PolarsData) -> pl.LazyFrame:
        """Nine digits and a Luhn key (INSEE)."""
        return data.lazyframe.select(identifiers.is_siren(pl.col(data.key)))

    @pa.check("funder_siret", "applicant_siret", name="siret_invalid")
    def siret_invalid(cls, data: PolarsData) -> pl.LazyFrame:
        """Fourteen digits and a key (INSEE; La Poste's rule included)."""
        return data.lazyframe.select(identifiers.is_siret(pl.col(data.key)))

    @pa.check("applicant_rna", name="rna_invalid")
    def rna_invalid(cls, data: PolarsData) -> pl.LazyFrame:
        """`W`, a digit, a digit or letter, seven digits."""
        return data.lazyframe.select(identifiers.is_rna(pl.col(data.key)))

    @pa.check("^.*_date$|^period_(start|end)$|^source_updated_at$", regex=True, name="date_out_of_range")
    def date_out_of_range(cls, data: PolarsData) -> pl.LazyFrame:
        """A date is between 1990 and 2100."""
        return data.lazyframe.select(pl.col(data.key).is_between(EARLIEST, LATEST))

    @pa.check("seat_commune_code", name="commune_code_unknown")
    def commune_code_unknown(cls, data: PolarsData) -> pl.LazyFrame:
        """A commune that exists or existed (official geographic code); a badly formed code is told by its form."""
        code = pl.col(data.key)
        is_formed = code.str.contains(r"^([0-9]{2}|2[AB])[0-9]{3}$")
        return data.lazyframe.select(pl.when(is_formed).then(territory.is_commune_code(code)).otherwise(pl.lit(True)))

    @pa.check("action_territory_code", name="action_code_unknown")
    def action_code_unknown(cls, data: PolarsData) -> pl.LazyFrame:
        """A territory that exists or existed, of the level the file states."""
        place = [data.key, "action_territory_level"]
        return data.lazyframe.select(territory.is_known_place(*map(pl.col, place)).fill_null(True))

    @pa.check("beneficiary_share", name="share_out_of_range")
    def share_out_of_range(cls, data: PolarsData) -> pl.LazyFrame:
        """A share is above 0 and at most 1 (SCDL 2.1.1)."""
        return data.lazyframe.select((pl.col(data.key) > 0) & (pl.col(data.key) <= 1))

    @pa.dataframe_check(name="period_reversed")
    def period_reversed(cls, data: PolarsData) -> pl.LazyFrame:
        """A period ends after it starts."""
        return data.lazyframe.select((pl.col("period_end") >= pl.col("period_start")).fill_null(True))

    @pa.dataframe_check(name="agreement_reversed")
    def agreement_reversed(cls, data: PolarsData) -> pl.LazyFrame:
        """An agreement ends after it starts."""
        return data.lazyframe.select((pl.col("agreement_end_year") >= pl.col("agreement_start_year")).fill_null(True))

    @pa.dataframe_check(name="refused_with_amount")
    def refused_with_amount(cls, data: PolarsData) -> pl.LazyFrame:
        """A request that was refused was awarded nothing."""
        refused = pl.col("decision_status").is_in(["refused", "inadmissible"])
        return data.lazyframe.select(~(refused & (pl.col("amount_awarded") > 0)).fill_null(False))
