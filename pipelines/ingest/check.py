"""One file, whole: read, recognise, map, normalise, validate. Loads nothing, writes nothing.

`check_file` is what `qfq check` runs and what staging runs; there is no other way through.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest import french
from pipelines.ingest.conformity import award_conformity, file_conformity
from pipelines.ingest.controls import check_controls
from pipelines.ingest.decisions_told import with_decisions, word_questions
from pipelines.ingest.doubts import doubts, remarks, total_doubts
from pipelines.ingest.infer import explain_accepted, explain_held, infer
from pipelines.ingest.infer_table import personal_titles
from pipelines.ingest.joins import with_joins
from pipelines.ingest.lines import Lines
from pipelines.ingest.map import MappedSheet, map_sheet
from pipelines.ingest.normalise import UNKNOWN_FUNDER, Normalised, Origin, normalise
from pipelines.ingest.other_lines import by_contract, describe_others, main_formats
from pipelines.ingest.personal import mask
from pipelines.ingest.pool import both
from pipelines.ingest.read import read_file
from pipelines.ingest.recognise import Header, find_header, knows_any_header
from pipelines.ingest.repeats import repeated_sheets
from pipelines.ingest.report import FileConformity, Issue, Question, Report, SheetReport
from pipelines.ingest.second_look import second_look
from pipelines.ingest.sheet import Member, Reading, UnreadableFileError
from pipelines.ingest.told import UNSAID, with_told
from pipelines.ingest.units import told as unit_told
from pipelines.ingest.units import with_units
from pipelines.ingest.unpivot import row_counts
from pipelines.ingest.validate import ISSUES_SCHEMA, REJECTED_SCHEMA, Validated, validate
from schemas.application import Application
from schemas.contract import polars_schema
from schemas.contracts import APPLICATION, DECISION_COUNT
from schemas.format import INFERRED, load_formats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.format import Format

_NO_LINES = Lines.of(pl.DataFrame(schema=polars_schema(Application)))
_STAGES = ("requested", "proposed", "awarded", "committed", "paid", "clawed_back")
_NO_GRANTS = ["loan", "guarantee"]
_SHORTEST_LINE = 100  # bytes, about


@dataclass(frozen=True)
class Outcome:
    """What became of one file: its report, its accepted lines, and frames of rejected lines and issues.

    `lines` are applications, `others` the accepted lines of each other contract met. `publishable` tells, line by
    line of `accepted`, the awards that the legal CSV holds.
    """

    report: Report
    lines: Lines = _NO_LINES
    rejected: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECTED_SCHEMA))
    issues: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ISSUES_SCHEMA))
    publishable: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.Boolean))
    others: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def accepted(self) -> pl.DataFrame:
        """The applications accepted, copied in one frame."""
        return self.lines.frame


def check_file(content: bytes, origin: Origin, *, formats: Mapping[str, Format] | None = None) -> Outcome:
    """Read and check the bytes of one deposited file.

    An unreadable or unrecognised file yields a report that says so; only a defect of the program raises.
    """
    formats = load_formats() if formats is None else formats

    reading, sha256 = _read(content, origin)
    del content  # as heavy as the cells read from it
    report = Report(
        file=origin.file_name,
        sha256=sha256,
        depositor=origin.depositor,
        is_demonstration=origin.funder_file.is_demonstration,
        publishes_refusals=origin.funder_file.publishes_refusals,
        publication_scope=origin.funder_file.publication_scope,
    )
    if isinstance(reading, UnreadableFileError):
        report.messages.append(str(reading))
        return Outcome(report)
    outcomes = []
    while reading.members:  # each is let go as it is checked: its cells weigh more than its lines
        outcomes.append(_check_member(reading.members.pop(0), origin, formats, report))
    outside = [SheetReport(name, kept=False, reason=reason) for name, reason in reading.left_aside]
    if len(outcomes) == 1:
        outcomes[0].report.sheets += outside
        return _with_awards(outcomes[0])
    return _with_awards(_together(outcomes, report, outside))


def _read(content: bytes, origin: Origin) -> tuple[Reading | UnreadableFileError, str]:
    """What the file holds, or why it cannot be read, and its sha256."""

    def read() -> Reading | UnreadableFileError:
        try:
            return read_file(content, name=origin.file_name)
        except UnreadableFileError as error:
            return error

    return both(read, lambda: hashlib.sha256(content).hexdigest(), lines=len(content) // _SHORTEST_LINE)


def _with_awards(outcome: Outcome) -> Outcome:
    found, publishable = award_conformity(outcome.lines)
    if found.awards or found.left_out:
        outcome.report.legal_awards = found
    return replace(outcome, publishable=publishable)


def _check_member(member: Member, origin: Origin, formats: Mapping[str, Format], whole: Report) -> Outcome:
    report = replace(
        whole,
        file=member.name,
        amounts={},
        decisions={},
        fiscal_years=[],
        sheets=[],
        columns=[],
        issues=[],
        messages=[],
        members=[],
        personal_removed={},
        filled={},
        questions=[],
        to_choose=[],
        funders=[],
        legal_sheets=[],
    )
    headers = {sheet.name: find_header(sheet, formats) for sheet in member.sheets if not sheet.hidden}
    found = [header for header in headers.values() if header is not None]
    if not found:
        return _inferred(member, origin, formats, whole, report)
    main = main_formats(found)
    format_ = next(iter(main.values()))
    report.format, report.recognised_by, report.headline_stage = format_.id, "format", format_.headline_stage
    read: list[_ReadSheet] = []
    unsaid: list[str] = []
    completing: dict[str, str] = {}
    for index, sheet in enumerate(member.sheets):
        header = headers.get(sheet.name)
        reason = _why_left_out(header, main, hidden=sheet.hidden, empty=sheet.cells.is_empty())
        if header is None or reason is not None:
            report.sheets.append(SheetReport(sheet.name, kept=False, reason=reason or ""))
            continue
        header, question = with_told(header, origin, member.name)
        if question is not None:
            report.sheets.append(SheetReport(sheet.name, kept=False, reason=UNSAID))
            unsaid.append(f"Feuille « {sheet.name} » : {question}")
            continue
        header, joined, lost = with_joins(header, member.sheets)
        completing |= joined
        report.questions += lost
        read.append(_read_sheet(with_units(with_decisions(header, origin), origin), origin, index=index))
    for left_out in report.sheets:
        left_out.reason = completing.get(left_out.name, left_out.reason)
    lists = [position for position, sheet in enumerate(read) if sheet.contract == APPLICATION]
    found_again = repeated_sheets([read[position].normalised for position in lists])
    repeated = {lists[own]: (lists[other], missing) for own, (other, missing) in found_again.items()}
    for position, (other, missing) in repeated.items():
        mapped = read[position].mapped
        but = f" (à {missing} lignes près)" if missing else ""
        reason = (
            f"répète la feuille « {read[other].mapped.header.sheet.name} »{but} : la compter doublerait les montants"
        )
        report.sheets.append(SheetReport(mapped.header.sheet.name, kept=False, reason=reason))
        report.questions.append(
            f"La feuille « {mapped.header.sheet.name} » {reason}. Si ce sont d'autres subventions, ajoutez-y ce qui "
            "les distingue (une date, un numéro de dossier)."
        )
    report.questions += unsaid
    kept = [sheet for position, sheet in enumerate(read) if position not in repeated]
    if unsaid and not any(sheet.contract == APPLICATION for sheet in kept):
        return _held_for(unsaid, report)
    outcome = _concluded([_reported(sheet, report) for sheet in kept], report, format_)
    lists_kept = [sheet for sheet in kept if sheet.contract == APPLICATION and format_.id != INFERRED]
    doubtful = [q for sheet in lists_kept for q in doubts(sheet.mapped, sheet.normalised, origin.answers)]
    report.to_choose += [question for question in doubtful if question.about is not None]
    asked = [question.text for question in doubtful]
    totals_kept = [sheet for sheet in kept if sheet.contract == DECISION_COUNT]
    asked += [question for sheet in totals_kept for question in total_doubts(sheet.mapped, sheet.normalised)]
    if asked and report.status == "accepted":
        report.status = "held"
        report.messages.append(
            f"Le format «\u00a0{format_.title}\u00a0» est reconnu, mais la réponse à une question pourrait changer les "
            "chiffres : rien n'est chargé avant elle."
        )
    for listed in lists_kept:
        asked += remarks(listed.mapped, listed.validated.accepted.lazy(), listed.validated.issues)
    report.questions += list(dict.fromkeys(asked))
    return outcome


def _held_for(unsaid: list[str], report: Report) -> Outcome:
    """Nothing is loaded of tables whose cells may mean two things; the questions say what to answer."""
    report.status = "held"
    report.messages.append("Ce tableau peut se lire de plusieurs façons. Rien n'a été chargé. " + " ".join(unsaid))
    return Outcome(report)


def _why_left_out(header: Header | None, main: Mapping[str, Format], *, hidden: bool, empty: bool) -> str | None:
    if hidden:
        return "feuille masquée : affichez-la si elle contient des données"
    if empty:
        return "feuille vide"
    if header is None:
        return "aucune ligne de titres reconnue"
    if header.format.id != main[header.format.contract].id:
        return f"autre format ({header.format.title}) que la feuille principale"
    return None


@dataclass(frozen=True)
class _ReadSheet:
    mapped: MappedSheet
    normalised: Normalised
    validated: Validated
    legal: FileConformity | None
    """The verdict on the sheet as a legal publication; None for what is no list of applications."""

    @property
    def contract(self) -> str:
        """What its lines are."""
        return self.mapped.header.format.contract


def _read_sheet(header: Header, origin: Origin, *, index: int) -> _ReadSheet:
    mapped = map_sheet(header)

    def read() -> tuple[Normalised, Validated]:
        normalised = normalise(mapped, origin, sheet_index=index)
        return normalised, validate(normalised, mapped)

    def judged() -> FileConformity | None:  # on the same cells, and on nothing else
        return file_conformity(mapped.header) if header.format.contract == APPLICATION else None

    (normalised, validated), legal = both(read, judged, lines=mapped.lines.height)
    return _ReadSheet(mapped, normalised, validated, legal)


def _reported(read: _ReadSheet, report: Report) -> _ReadSheet:
    """What the report says of one sheet kept; its lines, with the issues of its totals."""
    mapped, normalised, validated = read.mapped, read.normalised, read.validated
    sheet, header = mapped.report, mapped.header
    sheet.rows_accepted, sheet.rows_rejected, ignored = row_counts(mapped, validated)
    if ignored:
        sheet.rows_ignored += ignored
        sheet.ignored["total sans libellé, vérifié"] = ignored
    if sheet.rows_read != sheet.rows_accepted + sheet.rows_rejected + sheet.rows_ignored:
        raise AssertionError(f"rows of sheet {sheet.name!r} do not add up: {sheet}")
    controls = check_controls(mapped, normalised)
    sheet.reason = " ; ".join(("lue", *header.sheet.notes, *controls.notes))
    report.sheets.append(sheet)
    report.columns += mapped.columns
    if read.legal is not None:
        report.legal_sheets.append(read.legal)
    for kind, cells in normalised.findings.personal.items():
        report.personal_removed[kind] = report.personal_removed.get(kind, 0) + cells
    issues = pl.concat([validated.issues, controls.issues])
    unit = unit_told(header)
    if unit is not None and unit not in report.messages:
        report.messages.append(unit)
    corrected = issues.filter(pl.col("code") == "corrected").height
    if corrected:
        report.messages.append(f"{corrected}\u00a0cellules corrigées à la main, à la demande des analystes.")
    return replace(read, validated=replace(validated, issues=issues))


def _inferred(member: Member, origin: Origin, formats: Mapping[str, Format], whole: Report, report: Report) -> Outcome:
    """A file that no format knows: read like any other when inference is certain, else held with its questions."""
    inferred = infer(member, origin) if INFERRED not in formats else None
    outcome = _unrecognised(member, formats, report)
    if inferred is None:
        return outcome
    questions = inferred.asked
    if not questions and inferred.format is not None:
        read = _check_member(member, origin, {INFERRED: inferred.format}, whole)
        questions = second_look(read, origin.answers)
        questions += map(Question, read.report.messages if read.report.status != "accepted" else [])
        if not questions:
            explain_accepted(read.report, inferred)
            return read
    explain_held(report, inferred, questions)
    return outcome


def _unrecognised(member: Member, formats: Mapping[str, Format], report: Report) -> Outcome:
    for sheet in member.sheets:
        reason = (
            "feuille masquée"
            if sheet.hidden
            else "feuille vide"
            if sheet.cells.is_empty()
            else ("aucune ligne de titres reconnue")
        )
        report.sheets.append(SheetReport(sheet.name, kept=False, reason=reason))
    if all(sheet.cells.is_empty() for sheet in member.sheets):
        report.messages.append("Le fichier est vide : il ne contient aucune ligne.")
    elif any(knows_any_header(sheet, formats) for sheet in member.sheets):
        report.status = "held"
        report.messages.append(
            "Ce fichier ressemble à une liste de subventions, mais ses titres de colonnes ne correspondent à aucun "
            "format connu. Rien n'a été chargé."
        )
        report.questions.append(
            "Quelles colonnes donnent le demandeur, le montant, l'année et la décision ? Écrivez-nous, ou reprenez les "
            "titres du modèle."
        )
    elif personal := [title for sheet in member.sheets for title in personal_titles(sheet)]:
        named = ", ".join(f"«\u00a0{mask(title)}\u00a0»" for title in personal[:4])
        report.messages.append(
            f"Ce fichier porte surtout des données personnelles ({named}), et aucune aide n'y est reconnue. Rien n'en "
            "a été lu. Retirez-le de ce dossier, puis déposez la liste des aides sans ces colonnes."
        )
    else:
        report.messages.append(
            "Aucune ligne de titres connue n'a été trouvée : ce fichier n'est pas une liste de subventions que nous "
            "savons lire. Vérifiez que les titres de colonnes sont sur une ligne, ou utilisez le modèle."
        )
    return Outcome(report)


def _concluded(sheets: list[_ReadSheet], report: Report, format_: Format) -> Outcome:
    lists = [sheet for sheet in sheets if sheet.contract == APPLICATION]
    accepted = Lines.together([sheet.validated.accepted for sheet in lists] or [_NO_LINES])
    others = by_contract((sheet.contract, sheet.validated.accepted) for sheet in sheets)
    rejected = pl.concat([sheet.validated.rejected for sheet in sheets])
    issues = pl.concat([sheet.validated.issues for sheet in sheets])
    loaded = sum(sheet.validated.accepted.height for sheet in sheets)
    _count_rows(report)
    _describe_lines(report, accepted, _remainders([(sheet.normalised, sheet.validated) for sheet in lists]))
    describe_others(report, others)
    report.issues = [Issue(**issue) for issue in issues.iter_rows(named=True)]
    if report.rows_accepted + report.rows_rejected == 0:
        report.messages.append(
            "Les titres de colonnes sont reconnus, mais aucune ligne de subvention ne les suit : rien à charger."
        )
    elif rejected.height > format_.expect.max_rejected_share * (loaded + rejected.height):
        report.status = "held"
        unread = french.count(report.rows_rejected, "ligne") + f" sur {report.rows_read}"
        if report.rows_rejected < rejected.height:  # a row may give several lines
            unread = french.count(rejected.height, "cellule") + f" sur {loaded + rejected.height}"
        cannot = "ne peut pas être lue" if rejected.height == 1 else "ne peuvent pas être lues"
        report.messages.append(
            f"{unread} {cannot} (d'abord {_first_place(rejected)}) : c'est trop pour charger le reste sans risque. "
            "Corrigez les cellules signalées, puis déposez à nouveau le fichier."
        )
    else:
        report.status = "accepted"
    if UNKNOWN_FUNDER in report.funders:
        report.messages.append(
            "Le fichier ne dit pas qui est le financeur. Déposez-le dans le dossier de votre organisme, ou indiquez "
            "son nom dans un fichier funder.toml."
        )
    unclear = word_questions(issues.filter(pl.col("code") == "status_unknown")["value"].unique().sort().to_list())
    report.questions += [question.text for question in unclear]
    report.to_choose += [question for question in unclear if question.about is not None]
    return Outcome(report, accepted, rejected, issues, others=others)


def _first_place(rejected: pl.DataFrame) -> str:
    sheet, row = rejected.select("sheet", "row").row(0)
    return f"la ligne {row} de «\u00a0{sheet}\u00a0»"


def _count_rows(report: Report) -> None:
    for name in ("rows_read", "rows_accepted", "rows_rejected", "rows_ignored"):
        setattr(report, name, sum(getattr(sheet, name) for sheet in report.sheets))


def _remainders(parts: list[tuple[Normalised, Validated]]) -> dict[str, Decimal]:
    """What rounding to cents took from the accepted lines, by amount field: totals are those of the file."""
    lost: dict[str, Decimal] = {}
    for normalised, validated in parts:
        for name, remainders in normalised.findings.remainders.items():
            lost[name] = lost.get(name, Decimal(0)) + Decimal(remainders.filter(validated.accepted.kept).sum())
    return lost


def _describe_lines(report: Report, accepted: Lines, lost: Mapping[str, Decimal]) -> None:
    def kept(name: str) -> pl.Series:
        return accepted.lazy().select(name).collect()[name]

    currencies = kept("currency").unique().to_list()
    report.currency = currencies[0] if len(currencies) == 1 else None
    stated = accepted.lazy().select(pl.all().count()).collect(engine="streaming").row(0, named=True)
    report.filled = {name: cells for name, cells in stated.items() if cells}
    grants = ~kept("aid_form").is_in(_NO_GRANTS).fill_null(False) if "aid_form" in report.filled else None
    for stage in _STAGES:
        name = f"amount_{stage}"
        if name in report.filled:
            cells = kept(name) if grants is None else kept(name).filter(grants)
            exact = Decimal(cells.sum()) + lost.get(name, Decimal(0))
            report.amounts[stage] = str(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))
    statuses = kept("decision_status").value_counts().sort("decision_status")
    report.decisions = {row["decision_status"]: row["count"] for row in statuses.iter_rows(named=True)}
    report.fiscal_years = sorted(kept("fiscal_year").unique().to_list())
    report.funders = sorted(kept("funder_name").unique().to_list())
    report.natural_persons = int((kept("applicant_kind") == "natural").sum())


def _together(outcomes: list[Outcome], whole: Report, outside: list[SheetReport]) -> Outcome:
    """The members of an archive, added up. The worst status wins: one member held holds the archive."""
    reports = [outcome.report for outcome in outcomes]
    whole.members = reports
    whole.status = max((report.status for report in reports), key=("accepted", "held", "refused").index)
    formats, kinds = {r.format for r in reports}, {r.recognised_by for r in reports}
    whole.format = formats.pop() if len(formats) == 1 else None
    whole.recognised_by = kinds.pop() if len(kinds) == 1 else "none"
    stages = {report.headline_stage for report in reports}
    whole.headline_stage = stages.pop() if len(stages) == 1 else None
    for report in reports:
        for sheet in report.sheets:
            whole.sheets.append(replace(sheet, name=f"{report.file} · {sheet.name}"))
        whole.columns += [replace(c, sheet=f"{report.file} · {c.sheet}") for c in report.columns]
        whole.messages += [f"{report.file} : {message}" for message in report.messages]
        whole.questions += report.questions
        for kind, cells in report.personal_removed.items():
            whole.personal_removed[kind] = whole.personal_removed.get(kind, 0) + cells
    whole.sheets += outside
    _count_rows(whole)
    accepted = Lines.together([_renamed(o.lines, o.report.file, i) for i, o in enumerate(outcomes)])
    _describe_lines(whole, accepted, {})
    whole.amounts = {
        stage: str(sum(Decimal(report.amounts.get(stage, 0)) for report in reports)) for stage in whole.amounts
    }
    issues = pl.concat(
        [o.issues.with_columns(pl.format("{} · {}", pl.lit(o.report.file), "sheet").alias("sheet")) for o in outcomes]
    )
    whole.issues = [Issue(**issue) for issue in issues.iter_rows(named=True)]
    rejected = pl.concat(
        [o.rejected.with_columns(pl.format("{} · {}", pl.lit(o.report.file), "sheet").alias("sheet")) for o in outcomes]
    )
    others = by_contract(
        (contract, _renamed(Lines.of(lines), o.report.file, i))
        for i, o in enumerate(outcomes)
        for contract, lines in o.others.items()
    )
    describe_others(whole, others)
    return Outcome(whole, accepted, rejected, issues, others=others)


def _renamed(accepted: Lines, member: str, index: int) -> Lines:
    """Line identities stay unique across the members of an archive."""
    return accepted.with_columns(
        pl.format("{} · {}", pl.lit(member), "source_sheet").alias("source_sheet"),
        pl.format("{}/{}", "line_id", pl.lit(index)).alias("line_id"),
    )
