"""How a funder writes its lines down: columns, words and number forms. Rows of cells out, no bytes."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from pipelines.demo import identifiers
from schemas import codelist
from schemas.contract import SEVERAL
from schemas.contracts import CALL, fields_of
from schemas.format import application_fields, load_formats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.demo.applications import Line, Value
    from pipelines.demo.funders import Funder
    from schemas.contract import FieldInfo

Cell: TypeAlias = "str | int | Decimal | date | None"
CENT = Decimal("0.01")
NO_BREAK_SPACE = "\u00a0"

SCDL_NAMES = ("nomAttribuant", "idAttribuant", "dateConvention", "referenceDecision", "nomBeneficiaire",
              "idBeneficiaire", "rnaBeneficiaire", "objet", "montant", "nature", "conditionsVersement",
              "datesPeriodeVersement", "idRAE", "notificationUE", "pourcentageSubvention",
              "dispositifAide")  # fmt: skip
# The wording of the annex to the order of 17 November 2017, as départements' portals print it.
SCDL_LABELS = {
    "nomAttribuant": "Nom de l'attribuant", "idAttribuant": "Identification de l'attribuant",
    "dateConvention": "Date de la convention de subvention", "referenceDecision": "Référence de la décision",
    "nomBeneficiaire": "Nom du bénéficiaire", "idBeneficiaire": "Identification du bénéficiaire",
    "objet": "Objet de la subvention", "montant": "Montant total de la subvention",
    "nature": "Nature de la subvention", "conditionsVersement": "Conditions de versement de la subvention",
    "datesPeriodeVersement": "Date ou période de versement",
    "idRAE": "Identifiant RAE de l’aide au titre de laquelle la subvention est attribuée",
    "notificationUE": "Aide d'Etat notifiée à la Commission Européenne",
    "pourcentageSubvention": "Pourcentage du montant total de la subvention attribuée au bénéficiaire",
}  # fmt: skip
ENRICHED_NAMES = (
    "idSubvention", "nomAttribuant", "idAttribuant", "nomServiceInstructeur", "idServiceInstructeur",
    "nomBeneficiaire", "idBeneficiaire", "rnaBeneficiaire", "exerciceBudgetaire", "pluriannualite",
    "anneesPluriannualite", "dateDecision", "dateConvention", "referenceDecision", "dateCreation", "dateDebut",
    "dateFin", "dispositif", "sousDispositif", "statutLabel", "objet", "nature", "montantDemande", "montant",
    "nomOutilInstruction", "nomOutilVersement", "ej", "cléVersement", "conditionsVersement",
    "descriptionConditionsVersement", "datesPeriodeVersement", "cofinancement", "attribuantsCofinanceurs",
    "idCofinancement", "idRAE", "notificationUE", "pourcentageSubvention", "evaluationCout", "evaluation",
    "dateMiseAJour",
)  # fmt: skip
ENRICHED_STATUS = {"awarded": "attribuée", "refused": "refusée", "inadmissible": "ineligible",
                   "pending": "en cours d'intruction"}  # the draft's own spelling  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """One sheet: `banner` rows, then a header and its lines. A sheet without a header is a text to read."""

    name: str
    rows: list[list[Cell]]
    banner: list[list[Cell]] = field(default_factory=list)
    has_header: bool = True


def modele(lines: Sequence[Line], columns: Sequence[str]) -> list[list[Cell]]:
    """Header and rows of the project's own template, with the given contract fields."""
    fmt = load_formats()["modele"]
    header: list[Cell] = [fmt.headers_of(name)[0] for name in columns]
    return [header, *([_modele_cell(name, line.get(name)) for name in columns] for line in lines)]


def filled_sheet(format_id: str, lines: Sequence[Line]) -> list[list[Cell]]:
    """Header and rows of another sheet of the template, with every column of its format."""
    fmt = load_formats()[format_id]
    header: list[Cell] = [fmt.headers_of(name)[0] for name in fmt.fields]
    fields = fmt.contract_fields()
    return [header, *([_cell(fields[name], line.get(name)) for name in fmt.fields] for line in lines)]


def _modele_cell(name: str, value: Value) -> Cell:
    return _cell(application_fields()[name], value)


def _cell(info: FieldInfo, value: Value) -> Cell:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if info.codelist is not None and isinstance(value, str):
        labels = codelist.labels(info.codelist)
        return " ; ".join(labels.get(code, code) for code in (value.split(SEVERAL) if info.is_several else [value]))
    return value


def dispositif_aide(lines: Sequence[Line]) -> list[list[Cell]]:
    """The French schema « dispositif-aide » 0.0.2: its 28 columns, in the order of the contract."""
    names = [info.aide for info in fields_of(CALL).values() if info.aide]
    rows: list[list[Cell]] = [list(names)]
    rows.extend([text(line.get(name)) for name in names] for line in lines)
    return rows


def scdl(lines: Sequence[Line]) -> list[list[Cell]]:
    """SCDL 2.1.1: sixteen columns, ISO dates, decimal points."""
    rows: list[list[Cell]] = [list(SCDL_NAMES)]
    for line in lines:
        cells = _scdl(line)
        rows.append([cells[name] for name in SCDL_NAMES])
    return rows


def scdl_labels(lines: Sequence[Line]) -> list[list[Cell]]:
    """The fourteen columns of the 2017 order under their French titles: dd/mm/yyyy and « 1 234,56 »."""
    rows: list[list[Cell]] = [list(SCDL_LABELS.values())]
    for line in lines:
        cells = _scdl(line) | {
            "dateConvention": french_date(line["signed_date"]),
            "montant": french_amount(line["amount_awarded"]),
            "datesPeriodeVersement": "_".join(french_date(day) for day in _payments(line)),
            "pourcentageSubvention": "1,00",
        }
        rows.append([cells[name] for name in SCDL_LABELS])
    return rows


def enriched(lines: Sequence[Line], funder: Funder, updated: date) -> list[list[Cell]]:
    """The enriched draft of 2024: forty columns, every decision, one line a year of an agreement."""
    return [list(ENRICHED_NAMES), *(_enriched(line, funder, updated) for line in lines)]


def _scdl(line: Line) -> dict[str, str]:
    return {
        "nomAttribuant": text(line["funder_name"]), "idAttribuant": text(line["funder_siret"]),
        "dateConvention": text(line.get("signed_date")), "referenceDecision": text(line.get("decision_reference")),
        "nomBeneficiaire": text(line["applicant_name"]), "idBeneficiaire": text(line["applicant_siret"]),
        "rnaBeneficiaire": text(line["applicant_rna"]), "objet": text(line["title"]),
        "montant": text(line["amount_awarded"]), "nature": "aide en numéraire",
        "conditionsVersement": text(line.get("payment_conditions")),
        "datesPeriodeVersement": "/".join(text(day) for day in _payments(line)), "idRAE": "",
        "notificationUE": "non", "pourcentageSubvention": "1", "dispositifAide": "",
    }  # fmt: skip


def _enriched(line: Line, funder: Funder, updated: date) -> list[Cell]:
    rank = [service.name for service in funder.services].index(str(line["service_name"]))
    start, end = line.get("agreement_start_year"), line.get("agreement_end_year")
    years = range(start, end + 1) if isinstance(start, int) and isinstance(end, int) else range(0)
    cells = dict.fromkeys(ENRICHED_NAMES, "") | _scdl(line) | {
        "idSubvention": text(line.get("agreement_id") or line["case_number"]),
        "nomServiceInstructeur": text(line["service_name"]),
        "idServiceInstructeur": identifiers.siret(funder.siret[:9], establishment=11 + rank),
        "exerciceBudgetaire": text(line["fiscal_year"]), "pluriannualite": "oui" if years else "non",
        "anneesPluriannualite": " - ".join(map(str, years)),
        "dateDecision": text(line.get("decided_date")), "dateCreation": text(line["deposited_date"]),
        "dateDebut": text(line.get("period_start")), "dateFin": text(line.get("period_end")),
        "dispositif": text(line["scheme"]), "statutLabel": ENRICHED_STATUS[str(line["decision_status"])],
        "montantDemande": text(line["amount_requested"]), "cofinancement": "oui" if line.get("cofunding_id") else "non",
        "attribuantsCofinanceurs": text(line.get("cofunders")), "idCofinancement": text(line.get("cofunding_id")),
        "dateMiseAJour": text(updated),
    }  # fmt: skip
    return [cells[name] for name in ENRICHED_NAMES]


def _payments(line: Line) -> list[Value]:
    signed, ends = line.get("signed_date"), line.get("period_end")
    if not isinstance(signed, date):
        return []
    in_parts = line.get("payment_conditions") == "échelonné"
    return [signed, max(signed, ends)] if in_parts and isinstance(ends, date) else [signed]


def text(value: Value) -> str:
    """A value as machine files write it: ISO dates, decimal points, no separators."""
    if isinstance(value, Decimal):
        return str(plain(value))
    return "" if value is None else str(value)


def plain(amount: Decimal) -> int | Decimal:
    """Whole euros as an integer, anything else with two decimals."""
    return int(amount) if amount == amount.to_integral_value() else amount.quantize(CENT)


def french_date(value: Value) -> str:
    """`15/03/2024`."""
    return value.strftime("%d/%m/%Y") if isinstance(value, date) else text(value)


def french_amount(value: Value) -> str:
    """`1 234,56`, with the no-break space that spreadsheets use."""
    if not isinstance(value, Decimal):
        return text(value)
    return f"{value:,.2f}".replace(",", NO_BREAK_SPACE).replace(".", ",")


def in_capitals(name: str) -> str:
    """A name as old accounting software prints it: capitals without accents."""
    return unicodedata.normalize("NFD", name).encode("ascii", "ignore").decode().upper()
