"""Grant spreadsheets made at random, whose truth is known: read right, or held with a question; never wrong silently.

Each seed draws a kind of list, titles, a notation of amounts and dates, damage to identifiers, a layout and a file type
among those met in real files; a line is never taken for another, nor a total counted.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import zipfile
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import odf.opendocument
import odf.table
import odf.text
import openpyxl
import pytest
from stdnum.luhn import calc_check_digit

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from schemas.funder import FunderFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipelines.ingest.outcome import Outcome

Cell = str | int | float | date | None
SEEDS = range(32)

WORDS = ["Association", "Club", "Comité", "Amicale", "Collectif", "Épicerie solidaire", "Théâtre", "Union sportive"]
PLACES = ["du Lez", "d'Oc", "de la Mosson", "des Pins", "de l'Étang", "Saint-Roch", "de Bédarieux", "du Cœur de ville"]
TITLES = [
    "Ateliers cuisine",
    "Colis alimentaires",
    "Fête de quartier, 2e édition",
    "Aide au fonctionnement",
    "Été jeunes",
]
STATUSES = {
    "awarded": ["Accordée", "Attribuée", "ACCORDÉ"],
    "refused": ["Refusée", "Refus", "refusé"],
    "pending": ["En cours d'instruction", "En cours"],
    "inadmissible": ["Irrecevable", "Non recevable"],
    "closed_no_action": ["Classée sans suite", "Sans suite"],
}


@dataclass
class Line:
    """One true line: amounts by stage, in euros."""

    name: str
    siret: str
    day: date
    title: str
    amounts: dict[str, Decimal | None]
    status: str = "awarded"


@dataclass
class Sheet:
    """One made file: its rows, its name, and what a reader must find in it."""

    rows: list[list[Cell]]
    name: str
    lines: list[Line]
    personal: list[str] = field(default_factory=list)
    beside: dict[str, list[list[Cell]]] = field(default_factory=dict)

    @property
    def amounts(self) -> dict[str, str]:
        stages = dict.fromkeys(stage for line in self.lines for stage in line.amounts)
        return {stage: f"{sum(line.amounts[stage] or Decimal(0) for line in self.lines):.2f}" for stage in stages}

    @property
    def decisions(self) -> dict[str, int]:
        said = [line.status for line in self.lines]
        return {status: said.count(status) for status in sorted(set(said))}


def siret(number: int) -> str:
    siren = f"{41234500 + number:08d}"
    siren += calc_check_digit(siren)
    return siren + "0001" + calc_check_digit(siren + "0001")


# ---------------------------------------------------------------- how cells are written


def grouped(value: Decimal, thousands: str, decimal: str, *, places: int = 2) -> str:
    return f"{value:,.{places}f}".replace(",", "\0").replace(".", decimal).replace("\0", thousands)


# Notation → how a value is written; `whole`: only for round amounts.
NOTATIONS: dict[str, tuple[Callable[[Decimal], Cell], bool]] = {
    "1 234,56 €": (lambda v: grouped(v, " ", ",") + " €", False),
    "1\u202f234,56": (lambda v: grouped(v, "\u202f", ","), False),
    "1.234,56": (lambda v: grouped(v, ".", ","), False),
    "1,234.56": (lambda v: grouped(v, ",", "."), False),
    "1234,56": (lambda v: grouped(v, "", ","), False),
    "1234.56": (lambda v: grouped(v, "", "."), False),
    "12 345 678": (lambda v: grouped(v, " ", "", places=0), True),
    "37.500": (lambda v: grouped(v, ".", "", places=0), True),
    " 1,500 €": (lambda v: f" {grouped(v, ',', '', places=0)} €", True),
    "50 000 euros": (lambda v: f"{grouped(v, ' ', '', places=0)} euros", True),
    "1,5 k€": (lambda v: f"{grouped(v / 1000, '', ',', places=3).rstrip('0').rstrip(',')} k€", True),
    "number": (lambda v: float(v), False),
    "(500)": (lambda v: f"({grouped(-v, ' ', ',')})" if v < 0 else grouped(v, " ", ","), False),
}
MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()  # noqa: SIM905
DATES: dict[str, Callable[[date], Cell]] = {
    "iso": lambda d: d.isoformat(),
    "dd/mm/yyyy": lambda d: f"{d:%d/%m/%Y}",
    "dd-mm-yy": lambda d: f"{d:%d-%m-%y}",
    "words": lambda d: f"{d.day} {MONTHS[d.month - 1]} {d.year}",
    "serial": lambda d: (d - date(1899, 12, 30)).days,
    "cell": lambda d: d,
    "month": lambda d: f"{d:%m/%Y}",
    "time": lambda d: f"{d:%d/%m/%Y} 14:30",
}
DAMAGES: dict[str, Callable[[str], Cell]] = {
    "whole": lambda s: s,
    "spaces": lambda s: f"{s[:3]} {s[3:6]} {s[6:9]} {s[9:]}",
    "quote": lambda s: f"'{s}",
    "float": lambda s: f"{s}.0",
    "lost zero": lambda s: s.lstrip("0"),
    "siren": lambda s: s[:9],
    "rounded": lambda s: f"{s[:8]}000000",
    "scientific": lambda s: f"{float(s):.4E}".replace(".", ","),
}


def amount(rng: random.Random, *, whole: bool) -> Decimal:
    value = rng.choice([150, 500, 750, 1200, 2500, 3000, 8000, 12500, 37500, 120000]) + rng.randrange(0, 40) * 10
    return Decimal(value) if whole else Decimal(value) + Decimal(rng.randrange(100)) / 100


# ---------------------------------------------------------------- what lists say


def lines_of(rng: random.Random, kind: str, *, whole: bool, year: int) -> list[Line]:
    lines = []
    for number in range(rng.randrange(12, 30)):
        line = Line(
            f"{rng.choice(WORDS)} {rng.choice(PLACES)} {number}",
            siret(rng.randrange(10**6)),
            date(year, 1, 10) + timedelta(days=rng.randrange(340)),
            f"{rng.choice(TITLES)} {number}",
            {},
        )
        given = amount(rng, whole=whole)
        if kind == "decisions":
            line.status = rng.choice(["awarded"] * 4 + list(STATUSES))
            line.amounts = {"requested": given * 2, "awarded": given if line.status == "awarded" else None}
        elif kind == "payments":
            line.amounts = {"paid": -given if number == 7 and not whole else given}
        else:
            line.amounts = {"awarded": given}
        lines.append(line)
    return lines


def made(seed: int) -> Sheet:
    """The file of one seed."""
    rng = random.Random(seed)
    kind = rng.choice(["awards", "decisions", "payments", "legal"])
    notation = rng.choice([n for n in NOTATIONS if n != "1,5 k€" or kind != "legal"])
    write, whole = NOTATIONS[notation]
    year = rng.randrange(2018, 2025)
    lines = lines_of(rng, kind, whole=whole, year=year)
    dates = DATES[rng.choice(list(DATES))]
    damage = DAMAGES[rng.choice(list(DAMAGES))]
    with_year = rng.choice(["column", "date", "name"]) if kind != "legal" else "date"
    columns: list[tuple[str, list[Cell]]] = [
        (
            rng.choice(["Association", "Nom du bénéficiaire", "Raison sociale", "Porteur de projet"]),
            [x.name for x in lines],
        ),
        (rng.choice(["N° SIRET", "SIRET du demandeur", "SIRET"]), [damage(x.siret) for x in lines]),
        (rng.choice(["Objet", "Intitulé du projet", "Objet de la demande"]), [x.title for x in lines]),
    ]
    if with_year == "column":
        columns.append((rng.choice(["Exercice", "Année", "Année budgétaire"]), [year for _ in lines]))
    elif with_year == "date":
        title = rng.choice(["Date de décision", "Date de la délibération", "Date de vote"])
        columns.append((title, [dates(x.day) for x in lines]))
    titles = {
        "requested": ["Montant demandé", "Subvention sollicitée"],
        "awarded": ["Montant accordé", "Subvention attribuée", "Montant voté (en €)"],
        "paid": ["Montant versé", "Montant mandaté"],
    }
    for stage in lines[0].amounts:
        cells = [None if (v := x.amounts[stage]) is None else write(v) for x in lines]
        columns.append((rng.choice(titles[stage]), cells))
    if kind == "decisions":
        words = {status: rng.choice(STATUSES[status]) for status in STATUSES}
        columns.append((rng.choice(["Statut", "Décision", "Suite donnée"]), [words[x.status] for x in lines]))
    if kind == "legal":
        columns = legal(lines, columns, dates)
    elif rng.random() < 0.5:
        columns.insert(2, ("Quartier", [rng.choice(["Centre", "Cévennes", "Port Marianne"]) for _ in lines]))
    personal = add_personal(rng, columns, lines)
    rows: list[list[Cell]] = [[title for title, _ in columns], *map(list, zip(*(c for _, c in columns), strict=True))]
    name = {"awards": "subventions attribuées", "decisions": "suivi des demandes", "payments": "subventions versées"}
    told = f"{name.get(kind, 'conventions')} {year}" if with_year == "name" else name.get(kind, "conventions")
    sheet = Sheet(rows, told, lines, personal)
    lay_out(rng, sheet, columns, lines, write)
    return sheet


def legal(
    lines: list[Line], columns: list[tuple[str, list[Cell]]], dates: Callable[[date], Cell]
) -> list[tuple[str, list[Cell]]]:
    """The legal list of conventions, in its own titles."""
    return [
        ("nomAttribuant", ["Ville d'Essai" for _ in lines]),
        ("idAttribuant", ["21340172201787" for _ in lines]),
        ("dateConvention", [dates(x.day) for x in lines]),
        ("nomBeneficiaire", columns[0][1]),
        ("idBeneficiaire", columns[1][1]),
        ("objet", columns[2][1]),
        ("montant", columns[-1][1]),
        ("nature", ["aide en numéraire" for _ in lines]),
        ("conditionsVersement", ["unique" for _ in lines]),
    ]


def add_personal(rng: random.Random, columns: list[tuple[str, list[Cell]]], lines: list[Line]) -> list[str]:
    """Personal columns, under titles that announce them or not; the values that must be seen nowhere."""
    kinds: dict[str, tuple[list[str], Callable[[int], str]]] = {
        "mail": (["Courriel", "Contact", "Observations"], lambda n: f"pre.nom{n}@exemple.org"),
        "phone": (["Tél.", "Coordonnées", "Remarques"], lambda n: f"06 12 34 {n:02d} 78"),
        "iban": (["IBAN", "Compte"], lambda n: f"FR76 3000 6000 0112 3456 7890 1{n:02d}"),
        "nir": (["Numéro d'identification"], lambda n: f"2 84 05 34 172 1{n:02d} 4{n % 10}"),
        "leader": (["Représentant légal"], lambda n: f"Zébulon Quidam{n}"),
    }
    values: list[str] = []
    for kind in rng.sample(list(kinds), rng.randrange(3)):
        titles, write = kinds[kind]
        own = [write(n) for n, _ in enumerate(lines)]
        columns.append((rng.choice(titles), list(own)))
        values += own
    if rng.random() < 0.3:  # an address in the object of the grant
        title, cells = next(c for c in columns if c[0].lower().startswith(("obj", "intitulé")))
        values.append("autre.personne@exemple.org")
        columns[columns.index((title, cells))] = (title, [f"{cells[0]} (autre.personne@exemple.org)", *cells[1:]])
    return values


# ---------------------------------------------------------------- how sheets are laid out


def lay_out(
    rng: random.Random,
    sheet: Sheet,
    columns: list[tuple[str, list[Cell]]],
    lines: list[Line],
    write: Callable[[Decimal], Cell],
) -> None:
    """A banner, repeated titles, subtotals, a total, blank rows, trailers and other sheets around the lines."""
    width, rows = len(columns), sheet.rows
    header = rows[0]
    decorations = rng.sample(
        ["repeat", "total", "subtotal", "blank", "banner", "trailer", "dashes", "star", "other"], 3
    )
    stages = {i: s for s in lines[0].amounts for i, (_, c) in enumerate(columns) if c == _written(lines, s, write)}

    def total(label: str, some: Sequence[Line]) -> list[Cell]:
        row: list[Cell] = [None] * width
        row[0] = label
        for place, stage in stages.items():
            row[place] = write(sum((x.amounts[stage] or Decimal(0) for x in some), Decimal(0)))
        return row

    body = rows[1:]
    middle = len(body) // 2
    if "subtotal" in decorations:
        body = [
            *body[:middle],
            total("Sous-total", lines[:middle]),
            *body[middle:],
            total("Sous-total", lines[middle:]),
        ]
    if "repeat" in decorations:
        body = [*body[:middle], list(header), *body[middle:]]
    if "blank" in decorations:
        body = [*body[:3], [None] * width, [" "] + [None] * (width - 1), *body[3:]]
    if "total" in decorations:
        body.append(total("TOTAL GÉNÉRAL", lines))
    if "dashes" in decorations:
        body = [["-" * 8] * width, *body]
    if "trailer" in decorations:
        body += [[None] * width, [f"({len(lines)} rows affected)"] + [None] * (width - 1)]
    if "star" in decorations:
        header = [f"{str(title).upper()}*" if place % 2 else f" {title} \n" for place, title in enumerate(header)]
    top: list[list[Cell]] = []
    if "banner" in decorations:
        top = [["Ville d'Essai"] + [None] * (width - 1), [None] * width]
    if "other" in decorations:
        sheet.beside = {
            "Lisez-moi": [["Ce fichier"], ["vient du service des finances."]],
            "Vide": [],
            "Synthèse": [["Étiquettes de lignes", "Somme de Montant"], ["Centre", 1000], ["Total général", 1000]],
        }
    sheet.rows = [*top, header, *body]


def _written(lines: list[Line], stage: str, write: Callable[[Decimal], Cell]) -> list[Cell]:
    return [None if (v := x.amounts[stage]) is None else write(v) for x in lines]


# ---------------------------------------------------------------- file types


def text_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    text = f"{cell:%d/%m/%Y}" if isinstance(cell, date) else repr(cell) if isinstance(cell, float) else str(cell)
    return f'"{text}"' if any(mark in text for mark in ',;"\n') else text


def delimited(sheet: Sheet, separator: str = ";") -> str:
    return "\r\n".join(separator.join(map(text_cell, row)) for row in sheet.rows) + "\r\n"


def xlsx(sheet: Sheet) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in {**dict(list(sheet.beside.items())[:1]), "Liste": sheet.rows, **sheet.beside}.items():
        if name not in book.sheetnames:
            own = book.create_sheet(name)
            for row in rows:
                own.append([cell or None if isinstance(cell, str) else cell for cell in row])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def ods(sheet: Sheet) -> bytes:
    document = odf.opendocument.OpenDocumentSpreadsheet()
    table = odf.table.Table(name="Liste")
    for row in sheet.rows:
        own = odf.table.TableRow()
        for cell in row:
            holder = odf.table.TableCell(valuetype="string")
            holder.addElement(odf.text.P(text=text_cell(cell).strip('"')))
            own.addElement(holder)
        table.addElement(own)
    document.spreadsheet.addElement(table)
    stream = io.BytesIO()
    document.write(stream)
    return stream.getvalue()


def zipped(sheet: Sheet) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(f"{sheet.name}.csv", delimited(sheet))
        archive.writestr("lisez-moi.pdf", b"%PDF")
    return stream.getvalue()


def records(sheet: Sheet) -> bytes:
    """JSON, when the rows are records: one title row, then lines."""
    header, *rows = sheet.rows
    return json.dumps({"lignes": [dict(zip(header, map(text_cell, row), strict=True)) for row in rows]}).encode()


FILES: dict[str, Callable[[Sheet], bytes]] = {
    "utf8.csv": lambda s: delimited(s).encode(),
    "bom.csv": lambda s: b"\xef\xbb\xbf" + delimited(s).encode(),
    "cp1252.csv": lambda s: delimited(s).replace("\u202f", "\u00a0").encode("cp1252"),
    "bom-cp1252.csv": lambda s: b"\xef\xbb\xbf" + delimited(s).replace("\u202f", "\u00a0").encode("cp1252"),
    "comma.csv": lambda s: delimited(s, ",").encode(),
    "tab.csv": lambda s: delimited(s, "\t").encode(),
    "double.csv": lambda s: delimited(s).encode().decode("latin-1").encode(),
    "x.xlsx": xlsx,
    "x.ods": ods,
    "x.csv.gz": lambda s: gzip.compress(delimited(s).encode()),
    "x.zip": zipped,
}


def check(content: bytes, name: str) -> Outcome:
    return check_file(content, Origin("d", "ville-d-essai", name, FunderFile()))


def everything(outcome: Outcome) -> str:
    frames = (outcome.accepted, outcome.rejected, outcome.issues)
    return outcome.report.to_json() + "".join(frame.write_json() for frame in frames)


def verify(outcome: Outcome, sheet: Sheet) -> str:
    """The status, after what is true of every file has been checked against its truth."""
    report = outcome.report
    assert report.rows_read == report.rows_accepted + report.rows_rejected + report.rows_ignored
    seen = everything(outcome)
    assert not [value for value in sheet.personal if value in seen]
    if report.status != "accepted":
        assert report.status == "held", report.messages
        told = " ".join([*report.questions, *report.messages])
        assert re.search(r"« .+ »|colonnes?|lignes?|feuille|exercice", told)
        return report.status
    assert report.rows_accepted == len(sheet.lines), [s.ignored for s in report.sheets]
    assert report.amounts == sheet.amounts
    assert report.decisions == sheet.decisions
    assert report.fiscal_years == sorted({line.day.year for line in sheet.lines})
    assert outcome.accepted["applicant_name"].to_list() == [line.name for line in sheet.lines]
    true = {line.siret for line in sheet.lines}
    assert set(outcome.accepted["applicant_siret"].drop_nulls()) <= true
    return report.status


# ---------------------------------------------------------------- traps, one by one
PARTIES = [f"Association {place} {n}" for n, place in enumerate(PLACES + PLACES[:4])]
LEGAL = "nomAttribuant;dateConvention;nomBeneficiaire;objet;montant;nature"


def trap(titles: str, line: str, *more: str) -> str:
    """A line a party (`@`: its name, `#`: 100 + its place), then the rows of `more`."""
    rows = [line.replace("@", name).replace("#", str(100 + n)) for n, name in enumerate(PARTIES)]
    return "\n".join([titles, *rows, *more]) + "\n"


def legal_list(amount: str = "#", nature: str = "aide en numéraire", *more: str, titles: str = LEGAL) -> str:
    return trap(titles, f"Ville d'Essai;2023-03-01;@;Atelier;{amount};{nature}", *more)


AWARDED = {"awarded": "1266.00"}
# Name of the trap → the file, its name, and what must come of it: the amounts read, or words of the question.
TRAPS: dict[str, tuple[str, str, dict[str, str] | str]] = {
    "numbers of columns": (
        trap("N°;Association;Montant attribué", "1;@;#").replace("\n", "\n1;2;3\n", 1), "subventions 2023.csv", AWARDED,
    ),
    "a detail of the total": (
        trap("Association;Montant attribué", "@;#", "dont sport;500", "dont culture;766"), "subventions 2023.csv",
        "« dont sport »",
    ),
    "the same as above": (
        trap("Association;Montant attribué", "@;#", "idem;50"), "subventions 2023.csv", "« idem »",
    ),
    "another table below, of another stage": (
        trap("Association;Objet;Montant attribué", "@;x;#", "Association;Objet;Montant demandé", "Club B;x;900"),
        "subventions 2023.csv", "un autre tableau",
    ),
    "the same, in the legal list": (
        legal_list("#", "aide en numéraire", LEGAL.replace("montant", "Montant demandé"), "V;2023-03-01;B;x;900;x"),
        "scdl.csv", "un autre tableau",
    ),
    "the other way of writing thousands": (
        trap("Association;Montant attribué", "@;#.5", "Club B;37.500"), "subventions 2023.csv", "de deux façons",
    ),
    "thousands of euros in a title of the legal list": (
        legal_list(titles=LEGAL.replace("montant", "montant (k€)")), "scdl.csv", "En quelle unité",
    ),
    "thousands of euros above the legal list": (
        f"Montants en milliers d'euros\n{legal_list()}", "scdl.csv", "En quelle unité",
    ),
    "a loan in the legal list": (legal_list("#", "prêt"), "scdl.csv", "des prêts ou des garanties"),
    "a total that is wrong": (
        trap("Association;Montant attribué", "@;#", "TOTAL;1300"), "subventions 2023.csv", "Un total du fichier",
    ),
    "a year before": (
        trap("Association;Subvention attribuée N-1;Subvention attribuée N", "@;90;#"), "subventions 2023.csv",
        "Que sont les montants de « Subvention attribuée N-1 »",
    ),
    "net and gross": (
        trap("Association;Montant attribué HT;Montant attribué TTC", "@;#;120"), "subventions 2023.csv",
        "Quelle colonne donne le montant accordé",
    ),
    "an instalment beside the award": (
        trap("Association;Subvention attribuée;Acompte versé", "@;#;70"), "subventions 2023.csv", "« Acompte versé »",
    ),
    "cancellations in the legal list": (
        trap(f"{LEGAL};Annulée", "Ville d'Essai;2023-03-01;@;Atelier;#;aide en numéraire;non",
             "Ville d'Essai;2023-03-01;Club B;x;900;aide en numéraire;oui"), "scdl.csv", "« Annulée »",
    ),
    "a date of refusal": (
        trap("Association;Montant attribué;Date de refus", "@;#;", "Club B;900;12/03/2023"), "subventions 2023.csv",
        "« Date de refus »",
    ),
    "some words of a decision among others": (
        trap("Association;Montant attribué;Phase", "@;#;Phase une", "Club A;90;Phase deux", "Club B;900;En cours"),
        "subventions 2023.csv", "« Phase »",
    ),
    "nobody in particular": (
        trap("Association;Montant attribué", "@;#", "Autres associations;900"), "subventions 2023.csv",
        "« Autres associations »",
    ),
    "cancellations": (
        trap("Association;Montant attribué;Annulée", "@;#;non", "Club B;900;oui"), "subventions 2023.csv",
        "« Annulée »",
    ),
    "a list of grants by year and département": (
        trap("Association;Département;2022;2023", "@;Hérault;70;#"), "liste.csv", "sont répartis par année",
    ),
    "votes": (
        trap("Association;Vote du conseil;Montant attribué", "@;Pour;#", "Club B;Contre;40"), "subventions 2023.csv",
        "« Vote du conseil »",
    ),
    "crosses": (
        trap("Association;Montant demandé;Retenu;Montant accordé", "@;500;X;#", "Club B;500;;"), "subventions 2023.csv",
        "« Retenu »",
    ),
    "an opinion as a decision": (
        trap("Association;Année;Montant accordé;Décision", "@;2023;#;Favorable", "Club B;2023;;Défavorable"), "x.csv",
        "ou seulement un avis",
    ),
    "a month first": (
        trap("Association;Date de décision;Montant accordé", "@;12/31/2023;#"), "subventions accordées.csv", AWARDED,
    ),
    "a date that does not exist": (
        trap("Association;Date de décision;Montant accordé", "@;12/03/2023;#", "Club B;31/02/2023;0,50"),
        "subventions accordées 2023.csv", {"awarded": "1266.50"},
    ),
    "payments dated after the decision": (
        trap("Association;Date de décision;Date de versement;Montant accordé", "@;15/12/2023;15/01/2024;#"),
        "subventions accordées.csv", AWARDED,
    ),
    "a deposit is no decision": (
        trap("Association;Date de dépôt;Montant accordé", "@;15/12/2023;#"), "subventions accordées.csv",
        "De quel exercice",
    ),
    "countries are no payments": (
        trap("Association;Pays;Année;Montant accordé", "@;France;2023;#"), "x.csv", AWARDED,
    ),
    "the list of a prefecture": (
        trap("Arrondissement;Bénéficiaire;Intitulé de l'opération;Coût total HT;Taux;Subvention DETR 2023",
             "Lodève;@;Travaux;9000;30;#"), "DETR 2023 - projets retenus.csv", AWARDED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_is_seen(name: str) -> None:
    text, file_name, expected = TRAPS[name]
    outcome = check(text.encode(), file_name)
    report = outcome.report
    asked = "\n".join(report.questions)
    if isinstance(expected, str):
        assert report.status == "held"
        assert expected in asked, asked
    else:
        assert report.status == "accepted", asked
        assert report.amounts == expected
        assert report.fiscal_years == [2023]
        assert report.rows_read == report.rows_accepted + report.rows_rejected + report.rows_ignored


def test_awards_of_nothing_are_asked_without_holding_the_list() -> None:
    report = check(
        legal_list("#", "aide en numéraire", "V;2023-03-01;B;x;0;aide en numéraire").encode(), "scdl.csv"
    ).report
    assert (report.status, report.amounts) == ("accepted", AWARDED)
    assert "à zéro euro (d'abord la ligne 14)" in "\n".join(report.questions)


def test_each_file_of_an_archive_has_its_own_year() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for year in (2021, 2022):
            archive.writestr(f"subventions accordées {year}.csv", trap("Association;Montant accordé", "@;#"))
    report = check(stream.getvalue(), "archives.zip").report
    assert (report.status, report.fiscal_years, report.amounts) == ("accepted", [2021, 2022], {"awarded": "2532.00"})


def test_numbers_destroyed_by_the_spreadsheet_are_said() -> None:
    report = check(
        trap("Association;SIRET;Montant accordé", "@;5,1234E+13;#").encode(), "subventions accordées 2023.csv"
    ).report
    assert (report.status, report.amounts) == ("accepted", AWARDED)
    assert sum(issue.code == "siret_destroyed" for issue in report.issues) == len(PARTIES)


_STATUSES: dict[int, str] = {}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_made_file_is_read_right_or_asked(seed: int) -> None:
    sheet = made(seed)
    kind = random.Random(seed + 1000).choice(list(FILES))
    name = f"{sheet.name}.{kind.partition('.')[2]}"
    _STATUSES[seed] = verify(check(FILES[kind](sheet), name), sheet)


def test_most_made_files_are_read() -> None:
    """Asking about everything would be no answer."""
    if len(_STATUSES) < len(SEEDS):
        pytest.skip("runs after the files above")
    accepted = sum(status == "accepted" for status in _STATUSES.values())
    assert accepted >= 0.75 * len(SEEDS), _STATUSES
