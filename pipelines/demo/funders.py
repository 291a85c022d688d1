"""Who pays: the invented funders, their services and schemes, and how each of them decides. No file format here."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.demo import identifiers

FIRST_YEAR = 2019
LAST_YEAR = 2026
YEARS = tuple(range(FIRST_YEAR, LAST_YEAR + 1))
OCCITANIE = ("09", "11", "12", "30", "31", "32", "34", "46", "48", "65", "66", "81", "82")
ANY = ("food_aid", "social_inclusion", "housing", "health", "family_childhood", "youth_education", "employment",
       "urban_policy", "sport", "culture", "environment", "rights")  # fmt: skip
SOCIAL = ("food_aid", "social_inclusion", "housing", "health", "family_childhood")
FOOD = ("food_aid",)


@dataclass(frozen=True)
class Scheme:
    """What a service pays for. `median`: euros requested by an applicant of middle size."""

    name: str
    themes: tuple[str, ...]
    purposes: tuple[str, ...]
    median: int
    programme: str | None = None
    call: str | None = None
    in_kind: str | None = None


@dataclass(frozen=True)
class Service:
    """Who examines. Shares are of the applications of a year; `pending` of those of the last one.

    `agreements`: share of renewals that become an agreement of three or four years, written as one line a year or, with
    `one_line`, as one line with its years. `ending`: last two digits of its amounts, so that two services of one funder
    never award the same sum. `discloses`: share of refusals that give a reason.
    """

    code: str
    name: str
    schemes: tuple[Scheme, ...]
    area: tuple[str, ...]
    per_year: int
    refused: float
    inadmissible: float = 0.06
    withdrawn: float = 0.02
    closed: float = 0.015
    cancelled: float = 0.012
    pending: float = 0.05
    agreements: float = 0.0
    one_line: bool = False
    ending: int | None = None
    discloses: float = 0.6
    awards_only: tuple[int, ...] = ()


@dataclass(frozen=True)
class Funder:
    """One depositor's folder. Two folders may belong to one funder (the State), through the same `serial`."""

    slug: str
    name: str
    serial: int
    level: str
    services: tuple[Service, ...]
    source_name: str
    years: tuple[int, ...] = YEARS
    publishes_refusals: bool | None = True
    threshold: int | None = None
    states_cofunding: bool = False
    states_renewal: bool = True
    capitals: bool = False
    zero_if_refused: bool = False

    @property
    def siret(self) -> str:
        """SIRET of the funder's seat."""
        return identifiers.siret(identifiers.siren(self.serial))

    @property
    def folder(self) -> str:
        """Name of the depositor's folder."""
        return f"exemple-{self.slug}"


STATE = "État (exemple fictif)"

DREETS = Funder(
    "dreets", STATE, 1, "state",
    (Service("DREETS", "DREETS fictive d'Occitanie", (
        Scheme("Mieux manger pour tous, volet régional", FOOD, ("project",), 24000, "304-14", "AAP-MMPT"),
        Scheme("Soutien aux têtes de réseau", SOCIAL, ("operating", "project"), 30000, "304-23"),
    ), OCCITANIE, 72, 0.34, 0.07, pending=0.18, agreements=0.08, ending=0),),
    "DREETS fictive d'Occitanie", states_cofunding=True, zero_if_refused=True,
)  # fmt: skip

DDETS = Funder(
    "ddets", STATE, 1, "state",
    (
        Service("DDG", "DDETS fictive de la Garonnette", (
            Scheme("Aide alimentaire, crédits déconcentrés", FOOD, ("operating", "project"), 9000, "304-14"),
            Scheme("Pacte local des solidarités", SOCIAL, ("project",), 14000, "304-23", "AAP-PLS"),
        ), ("31", "82"), 42, 0.24, 0.08, agreements=0.1, ending=50),
        Service("DDT", "DDETSPP fictive du Haut-Tescou", (
            Scheme("Aide alimentaire, crédits déconcentrés", FOOD, ("operating", "project"), 7000, "304-14"),
            Scheme("Hébergement et accompagnement", ("housing", "social_inclusion", "food_aid"), ("project",), 18000,
                   "177-12"),
        ), ("81", "12", "46"), 34, 0.12, 0.04, agreements=0.1, ending=50, discloses=0.2),
    ),
    "DDETS fictives de la Garonnette et du Haut-Tescou", states_cofunding=True,
)  # fmt: skip

REGION = Funder(
    "region", "Région fictive d'Oc-et-Garrigue", 2, "region",
    (
        Service("DSOL", "Direction fictive des solidarités", (
            Scheme("Investissement pour la solidarité alimentaire", FOOD, ("investment",), 11000, None, "AAP-ISA"),
            Scheme("Soutien aux initiatives solidaires", SOCIAL, ("project", "operating"), 12000),
        ), OCCITANIE, 42, 0.29, 0.09, withdrawn=0, closed=0, cancelled=0, pending=0.06, agreements=0.12),
        Service("DAGRI", "Direction fictive de l'alimentation", (
            Scheme("Alimentation de proximité", (*FOOD, "environment", "employment"), ("project",), 16000, None,
                   "AAP-APROX"),
        ), OCCITANIE, 34, 0.43, 0.10, withdrawn=0, closed=0, cancelled=0, pending=0.25),
    ),
    "Région fictive d'Oc-et-Garrigue, données ouvertes", states_cofunding=True,
)  # fmt: skip

GARONNETTE = Funder(
    "departement-garonnette", "Département fictif de la Garonnette", 3, "departement",
    (
        Service("INS", "Direction fictive de l'insertion", (
            Scheme("Aide alimentaire et insertion", (*FOOD, "social_inclusion", "employment"),
                   ("operating", "project"), 8000),
        ), ("31", "82"), 40, 0.31, agreements=0.12, one_line=True),
        Service("ENF", "Direction fictive de l'enfance et de la famille", (
            Scheme("Soutien à la parentalité", ("family_childhood", "youth_education", "social_inclusion", "food_aid"),
                   ("project",), 4500),
        ), ("31", "82"), 26, 0.20, discloses=0.3),
        Service("VIE", "Direction fictive de la vie associative", (
            Scheme("Fonctionnement des associations", ANY, ("operating", "investment"), 2500),
        ), ("31", "82"), 22, 0.08, awards_only=YEARS),
    ),
    "Département fictif de la Garonnette", years=tuple(range(2020, LAST_YEAR + 1)), states_cofunding=True,
)  # fmt: skip

HAUT_TESCOU = Funder(
    "departement-haut-tescou", "Département fictif du Haut-Tescou", 4, "departement",
    (Service("SOC", "Pôle fictif des solidarités", (
        Scheme("Subventions de solidarité", (*SOCIAL, "employment"), ("operating", "project", "investment"), 5200),
    ), ("81", "12", "46"), 44, 0.2),),
    "Département fictif du Haut-Tescou", publishes_refusals=False, capitals=True,
)  # fmt: skip

METROPOLE = Funder(
    "metropole", "Métropole fictive de Garonnac", 5, "epci",
    (Service("COH", "Direction fictive de la cohésion", (
        Scheme("Plan alimentaire solidaire", (*FOOD, "social_inclusion", "urban_policy", "environment"),
               ("operating", "project"), 30000),
    ), ("31",), 62, 0.2),),
    "Métropole fictive de Garonnac", publishes_refusals=False, threshold=23000,
)  # fmt: skip

MONTORBIEL = Funder(
    "ville-montorbiel", "Ville fictive de Montorbiel", 6, "commune",
    (
        Service("CAS", "Service fictif de l'action sociale", (
            Scheme("Subventions aux associations de solidarité", SOCIAL, ("operating", "project"), 3000,
                   in_kind="locaux"),
        ), ("31",), 27, 0.15, cancelled=0.02),
        Service("VQ", "Service fictif de la vie des quartiers", (
            Scheme("Contrat de ville", ("urban_policy", "youth_education", "food_aid", "culture", "sport", "rights"),
                   ("project",), 3800, None, "AAP-CDV"),
        ), ("31",), 22, 0.33, 0.09, pending=0.3),
    ),
    "Ville fictive de Montorbiel", states_renewal=False,
)  # fmt: skip

SAINT_AUBRAC = Funder(
    "commune-saint-aubrac", "Commune fictive de Saint-Aubrac-le-Vieux", 7, "commune",
    (Service("MAI", "Mairie", (
        Scheme("Subventions aux associations", ANY, ("operating",), 700),
    ), ("12", "48"), 12, 0.10, 0.03),),
    "Mairie fictive de Saint-Aubrac-le-Vieux", years=tuple(year for year in YEARS if year != 2022),
    publishes_refusals=None,
)  # fmt: skip

CCAS = Funder(
    "ccas-montorbiel", "CCAS fictif de Montorbiel", 8, "ccas",
    (Service("CCAS", "CCAS fictif de Montorbiel", (
        Scheme("Aide aux associations d'aide alimentaire", (*FOOD, "social_inclusion"), ("operating", "project"), 2200,
               in_kind="denrées"),
    ), ("31",), 30, 0.16),),
    "CCAS fictif de Montorbiel",
)  # fmt: skip

CAF = Funder(
    "caf", "CAF fictive de la Garonnette", 9, "caf",
    (Service("CAF", "Action sociale collective", (
        Scheme("Fonds publics et territoires", ("family_childhood", "youth_education", "food_aid", "social_inclusion",
               "health"), ("project", "operating", "investment"), 9500, None, "AAP-FPT"),
    ), ("31", "82", "32"), 40, 0.22, 0.05, agreements=0.15, one_line=True, awards_only=(2019, 2020, 2021)),),
    "CAF fictive de la Garonnette", states_cofunding=True,
)  # fmt: skip

MSA = Funder(
    "msa", "MSA fictive des Garrigues", 10, "msa",
    (Service("MSA", "Action sanitaire et sociale", (
        Scheme("Solidarité alimentaire en milieu rural", (*SOCIAL, "environment"), ("project",), 4200),
    ), ("11", "34", "66", "30", "48"), 20, 0.11, 0.02, withdrawn=0.01, pending=0.0),),
    "MSA fictive des Garrigues",
)  # fmt: skip

EUROPE = Funder(
    "fse-plus", "Union européenne, FSE+ (exemple fictif)", 11, "europe",
    (Service("FSE", "Autorité de gestion fictive du FSE+", (
        Scheme("Soutien européen à l'aide alimentaire", FOOD, ("project",), 60000, None, "FSE-SEAA",
               in_kind="denrées"),
        Scheme("FSE+ inclusion active", ("employment", "social_inclusion", "food_aid"), ("project",), 85000, None,
               "FSE-INC"),
    ), OCCITANIE, 17, 0.33, 0.12, withdrawn=0.06, pending=0.4, agreements=0.2, one_line=True),),
    "Autorité de gestion fictive du FSE+",
)  # fmt: skip

AGENCE = Funder(
    "agence", "Agence fictive de l'alimentation durable", 12, "other_public",
    (Service("AGE", "Direction fictive Occitanie", (
        Scheme("Lutte contre le gaspillage alimentaire", (*FOOD, "environment"), ("investment", "project"), 21000),
    ), OCCITANIE, 13, 0.3),),
    "Agence fictive de l'alimentation durable", publishes_refusals=None,
)  # fmt: skip

FONDATION = Funder(
    "fondation", "Fondation fictive Table commune", 13, "private",
    (Service("FOND", "Comité fictif Occitanie", (
        Scheme("Bien manger ensemble", (*FOOD, "family_childhood", "environment"), ("project", "investment"), 7500,
               None, "APPEL"),
    ), OCCITANIE, 22, 0.45, 0.12, discloses=0.9),),
    "Fondation fictive Table commune", states_cofunding=True,
)  # fmt: skip

FUNDERS = (DREETS, DDETS, REGION, GARONNETTE, HAUT_TESCOU, METROPOLE, MONTORBIEL, SAINT_AUBRAC, CCAS, CAF, MSA, EUROPE,
           AGENCE, FONDATION)  # fmt: skip
