"""Which files each fictitious funder drops, in which form, and its `funder.toml`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import TYPE_CHECKING

from pipelines.demo import blemishes, directory, files, funders, layouts
from pipelines.demo.applicants import make_applicants
from pipelines.demo.applications import FREEZE, service_lines
from pipelines.demo.cofunding import cofunded_lines
from pipelines.demo.control import STAGES, ControlFigures, figures
from pipelines.demo.layouts import Cell, Sheet
from schemas.format import load_formats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from pipelines.demo.applications import Line
    from pipelines.demo.funders import Funder

SHORT = ("fiscal_year", "funder_name", "service_name", "scheme", "case_number", "applicant_name", "applicant_siret",
         "applicant_rna", "seat_commune_code", "seat_postcode", "seat_commune_name", "title", "theme", "purpose",
         "amount_requested", "amount_awarded", "deposited_date", "decided_date", "decision_status",
         "refusal_reason")  # fmt: skip
IN_KIND = (*SHORT, "aid_form", "in_kind_type")
RENEWAL = (*SHORT, "is_renewal", "is_first_request")
AGREEMENT = (*RENEWAL, "is_multi_year", "agreement_id", "agreement_start_year", "agreement_end_year")
VILLAGE = ("applicant_name", "applicant_siret", "title", "amount_requested", "amount_awarded", "decision_status",
           "decided_date", "fiscal_year")  # fmt: skip
PARTS_OF_ONE_BOOK = 4
TWIN_YEAR = 2024
URGENT: Line = {"title": "Aide d'urgence aux personnes démunies", "amount_awarded": Decimal(500)}
URGENT_COPIES = 4
NOT_GRANTED = ("refused", "inadmissible")


@dataclass(frozen=True)
class Deposit:
    """One file to write, with the figures it must give."""

    figures: ControlFigures
    content: Callable[[], bytes]


def full_columns() -> tuple[str, ...]:
    """Every column of the template but those nobody fills here."""
    return tuple(name for name in load_formats()["modele"].fields if name not in ("amount_proposed", "in_kind_type"))


@cache
def lines_of(funder: Funder) -> tuple[Line, ...]:
    """Every line the funder lets out: its own applications, its part of co-funded projects, less what it keeps back."""
    applicants = make_applicants()
    shared = cofunded_lines(funders.FUNDERS, applicants)
    found: list[Line] = []
    for service in funder.services:
        lines = service_lines(funder, service, applicants) + shared.get((funder.slug, service.name), [])
        silent = funder.years if funder.publishes_refusals is False else service.awards_only
        lines = [line for line in lines if line["fiscal_year"] not in silent or line["decision_status"] == "awarded"]
        found += sorted(lines, key=lambda line: (int(str(line["fiscal_year"])), str(line["case_number"])))
    if funder.zero_if_refused:
        found = [{**line, "amount_awarded": Decimal(0)} if line["decision_status"] in NOT_GRANTED else line
                 for line in found]  # fmt: skip
    if funder.capitals:
        found = [{**line, "applicant_name": layouts.in_capitals(str(line["applicant_name"]))} for line in found]
    return tuple(found)


def deposits() -> list[Deposit]:
    """Every file of the demonstration, folder by folder."""
    return [
        *_yearly_books(funders.DREETS, full_columns()),
        *_with_cover(funders.DDETS, full_columns()),
        *_enriched_files(funders.REGION),
        *_yearly_books(funders.GARONNETTE, full_columns(), twin=True),
        *_labelled_files(funders.HAUT_TESCOU),
        *_metropole(),
        *_long_books(funders.MONTORBIEL, "ods", IN_KIND),
        _long_book(funders.SAINT_AUBRAC, funders.YEARS, "xls", VILLAGE, "subventions.xls"),
        _unreadable(),
        *_ccas(),
        *_long_books(funders.CAF, "xlsx", full_columns()),
        _long_book(funders.MSA, funders.YEARS, "xls", ("case_number", *RENEWAL), "msa_demandes.xls", total=True),
        _long_book(funders.EUROPE, funders.YEARS, "xlsx", (*AGREEMENT, *IN_KIND[-2:]), "operations_fse.xlsx"),
        _scdl_file(funders.AGENCE, lines_of_years(funders.AGENCE, funders.YEARS), "subventions_agence.csv"),
        *_long_books(funders.FONDATION, "xlsx", (*RENEWAL, "cofunding_id", "cofunders")),
        *(_directory(funder) for funder in funders.FUNDERS if directory.services(funder.slug)),
        _open_data_calls(funders.FONDATION),
    ]


def control_figures() -> list[ControlFigures]:
    """What each file of the demonstration must give, in the order of `deposits`."""
    return [deposit.figures for deposit in deposits()]


def write(target: Path) -> None:
    """Write every folder under `target`: the files, then `funder.toml`."""
    for funder in funders.FUNDERS:
        (target / funder.folder).mkdir(parents=True, exist_ok=True)
        (target / funder.folder / "funder.toml").write_bytes(declaration(funder).encode())
    for deposit in deposits():
        (target / deposit.figures.depositor / deposit.figures.file).write_bytes(deposit.content())


def declaration(funder: Funder) -> str:
    """The text of a `funder.toml`."""
    out = ["# Données fictives, pour la démonstration : ce financeur n'existe pas.", "is_demonstration = true",
           f'name = "{funder.name}"', f'siret = "{funder.siret}"', f'level = "{funder.level}"',
           f'source_name = "{funder.source_name}"', 'licence = "Licence Ouverte 2.0"']  # fmt: skip
    if funder.threshold:
        out += ['publication_scope = "above_threshold"', f"publication_threshold = {funder.threshold}"]
    else:
        out += ['publication_scope = "all"']
    if funder.publishes_refusals is not None:
        out += [f"publishes_refusals = {str(funder.publishes_refusals).lower()}"]
    for service in funder.services:
        if service.awards_only:
            out += ["", "[[refusals]]", "published = false"]
            if len(funder.services) > 1:
                out += [f'service = "{service.name}"']
            if not set(funder.years) <= set(service.awards_only):
                out += [f"years = {list(service.awards_only)}"]
    return "\n".join(out) + "\n"


def lines_of_years(funder: Funder, years: Iterable[int]) -> list[Line]:
    """The lines of `funder` for `years`, with awards below its publication threshold left out."""
    wanted = set(years)
    floor = Decimal(funder.threshold or 0)
    return [line for line in lines_of(funder)
            if line["fiscal_year"] in wanted
            and (not floor or Decimal(str(line["amount_awarded"] or 0)) >= floor)]  # fmt: skip


def _book(
    funder: Funder, lines: Sequence[Line], form: str, columns: Sequence[str], name: str, *, total: bool = False
) -> Deposit:
    columns = tuple(dict.fromkeys(columns))
    rows = layouts.modele(lines, columns)
    if total:
        rows.append(_total_row(lines, columns))
    writer = {"xlsx": files.xlsx_bytes, "xls": files.xls_bytes, "ods": files.ods_bytes}[form]
    control = figures(funder.folder, name, f"modèle, {form}", lines, states=columns, rows_ignored=int(total))
    return Deposit(control, partial(writer, [Sheet("Demandes", rows)]))


def _total_row(lines: Sequence[Line], columns: Sequence[str]) -> list[Cell]:
    row: list[Cell] = ["TOTAL"]
    for name in columns[1:]:
        amounts = [value for line in lines if isinstance(value := line.get(name), Decimal)]
        row.append(sum(amounts, Decimal(0)) if name in STAGES else None)
    return row


def _long_book(
    funder: Funder, years: Sequence[int], form: str, columns: Sequence[str], name: str, *, total: bool = False
) -> Deposit:
    return _book(funder, lines_of_years(funder, years), form, columns, name, total=total)


def _periods(funder: Funder) -> list[tuple[int, ...]]:
    return [funder.years[start : start + PARTS_OF_ONE_BOOK] for start in range(0, len(funder.years), PARTS_OF_ONE_BOOK)]


def _long_books(funder: Funder, form: str, columns: Sequence[str]) -> list[Deposit]:
    return [_long_book(funder, years, form, columns, f"demandes_{years[0]}-{years[-1]}.{form}")
            for years in _periods(funder)]  # fmt: skip


def _yearly_books(funder: Funder, columns: Sequence[str], *, twin: bool = False) -> list[Deposit]:
    """One workbook a year, its name dated; with `twin`, one year comes first with mistakes, then corrected."""
    found: list[Deposit] = []
    for year in funder.years:
        lines = lines_of_years(funder, (year,))
        stated = FREEZE if year == funders.LAST_YEAR else date(year + 1, 1, 20)
        name = f"demandes_{year}_{stated}.xlsx"
        if twin and year == TWIN_YEAR:
            final = f"demandes_{year}_{date(year + 1, 3, 14)}.xlsx"
            early = _book(funder, blemishes.first_version(lines), "xlsx", columns, name)
            found.append(replace(early, figures=replace(early.figures, replaced_by=final)))
            name = final
        found.append(_book(funder, lines, "xlsx", columns, name))
    return found


def _with_cover(funder: Funder, columns: Sequence[str]) -> list[Deposit]:
    """Workbooks with a cover sheet to read first, then one sheet a service under a banner."""
    found: list[Deposit] = []
    for years in _periods(funder):
        span = f"{years[0]}-{years[-1]}"
        name = f"suivi des demandes {span}.xlsx"
        lines = lines_of_years(funder, years)
        cover: list[list[Cell]] = [
            ["Suivi des demandes de subvention (données fictives)"], [None], [f"Période : {span}"],
            ["Une feuille par service ; une ligne par demande, accordée ou non."],
            ["Les montants sont en euros."],
        ]  # fmt: skip
        sheets = [Sheet("Lisez-moi", cover, has_header=False)]
        for service in funder.services:
            rows = layouts.modele([line for line in lines if line["service_name"] == service.name], columns)
            banner: list[list[Cell]] = [[f"{service.name} : demandes de subvention"], ["Tableau de suivi interne"], []]
            sheets.append(Sheet(service.code, rows, banner))
        control = figures(funder.folder, name, "modèle, xlsx à plusieurs feuilles", lines, states=columns)
        found.append(Deposit(control, partial(files.xlsx_bytes, sheets)))
    return found


def _enriched_files(funder: Funder) -> list[Deposit]:
    found: list[Deposit] = []
    for year in funder.years:
        lines = lines_of_years(funder, (year,))
        updated = FREEZE if year == funders.LAST_YEAR else date(year + 1, 1, 31)
        rows = layouts.enriched(lines, funder, updated)
        control = figures(funder.folder, f"subventions-{year}.csv", "SCDL enrichi, csv UTF-8", lines,
                          states=("amount_requested", "amount_awarded"))  # fmt: skip
        found.append(Deposit(control, partial(files.csv_bytes, rows)))
    return found


def _scdl_file(funder: Funder, lines: list[Line], name: str) -> Deposit:
    awards = [line for line in lines if line["decision_status"] == "awarded"]
    control = figures(funder.folder, name, "SCDL 2.1.1, csv UTF-8", awards, states=("amount_awarded",))
    return Deposit(control, partial(files.csv_bytes, layouts.scdl(awards)))


def _metropole() -> list[Deposit]:
    """An archive of the first three years, then one file a year."""
    funder = funders.METROPOLE
    early, later = funder.years[:3], funder.years[3:]
    members = {f"conventions_{year}.csv": lines_of_years(funder, (year,)) for year in early}
    control = figures(funder.folder, f"conventions_{early[0]}-{early[-1]}.zip", "archive de SCDL 2.1.1",
                      [line for lines in members.values() for line in lines], states=("amount_awarded",))  # fmt: skip
    contents = {name: files.csv_bytes(layouts.scdl(lines)) for name, lines in members.items()}
    return [
        Deposit(control, partial(files.zip_bytes, contents)),
        *(_scdl_file(funder, lines_of_years(funder, (year,)), f"conventions_{year}.csv") for year in later),
    ]


def _labelled_files(funder: Funder) -> list[Deposit]:
    """French titles, cp1252, semicolons; each year with a few identical urgent grants."""
    found: list[Deposit] = []
    for years in _periods(funder):
        lines = lines_of_years(funder, years)
        for year in years:
            first = next(line for line in lines if line["fiscal_year"] == year)
            lines += [{**first, **URGENT, "payment_conditions": "unique"}] * URGENT_COPIES
        lines.sort(key=lambda line: str(line["signed_date"]))
        rows = layouts.scdl_labels(lines)
        control = figures(funder.folder, f"Subventions {years[0]} à {years[-1]}.csv",
                          "SCDL à titres français, csv cp1252", lines, states=("amount_awarded",))  # fmt: skip
        found.append(Deposit(control, partial(files.csv_bytes, rows, encoding="cp1252", delimiter=";")))
    return found


def _directory(funder: Funder) -> Deposit:
    """The two other sheets of the template: who does what, and the calls if the funder has some."""
    services, calls = directory.services(funder.slug), directory.calls(funder.slug)
    sheets = [Sheet("Services", layouts.filled_sheet("modele-services", services))]
    if calls:
        sheets.append(Sheet("Appels à projets", layouts.filled_sheet("modele-appels", calls)))
    rows = len(services) + len(calls)
    name = "annuaire et appels.xlsx" if calls else "annuaire des services.xlsx"
    form = f"modèle, annuaire à {len(sheets)} feuilles" if calls else "modèle, annuaire"
    control = ControlFigures(funder.folder, name, form, "accepted", rows, rows, rows_other=rows)
    return Deposit(control, partial(files.xlsx_bytes, sheets))


def _open_data_calls(funder: Funder) -> Deposit:
    lines = directory.open_data_calls()
    control = ControlFigures(
        funder.folder,
        "appels.csv",
        "dispositif-aide 0.0.2, csv UTF-8",
        "accepted",
        len(lines),
        len(lines),
        rows_other=len(lines),
    )
    return Deposit(control, partial(files.csv_bytes, layouts.dispositif_aide(lines)))


def _ccas() -> list[Deposit]:
    """A clean file, one with errors for 2025, then the current year."""
    funder = funders.CCAS
    faulty_year = funders.LAST_YEAR - 1
    columns = (*IN_KIND, "is_renewal")
    lines, rejected = blemishes.with_errors(lines_of_years(funder, (faulty_year,)))
    name = "aides à vérifier.xlsx"
    rows = layouts.modele(lines, columns)
    control = figures(funder.folder, name, "modèle, xlsx avec des erreurs", lines, states=columns, rejected=rejected)
    before = [year for year in funder.years if year < faulty_year]
    return [
        _long_book(funder, before, "xlsx", columns, f"aides_{before[0]}-{before[-1]}.xlsx"),
        Deposit(control, partial(files.xlsx_bytes, [Sheet("Demandes", rows)])),
        _long_book(funder, (funders.LAST_YEAR,), "xlsx", columns, f"aides_{funders.LAST_YEAR}.xlsx"),
    ]


def _unreadable() -> Deposit:
    """A table that no format knows and that inference must not guess."""
    funder = funders.SAINT_AUBRAC
    names = sorted({str(line["applicant_name"]) for line in lines_of(funder)})[:14]
    rows = blemishes.unreadable_table(names)
    control = ControlFigures(funder.folder, "tableau bureau.xlsx", "tableau local non reconnu", "held", len(names), 0)
    return Deposit(control, partial(files.xlsx_bytes, [Sheet("Feuil1", rows)]))
