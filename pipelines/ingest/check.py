"""One file, whole: read, recognise, map, normalise, validate. Loads nothing, writes nothing.

`check_file` is what `qfq check` runs and what staging runs; there is no other way through.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.ingest.conclusion import concluded
from pipelines.ingest.conformity import award_conformity
from pipelines.ingest.decisions_told import with_decisions
from pipelines.ingest.doubts import doubts, remarks, total_doubts
from pipelines.ingest.infer import explain_accepted, explain_held, infer
from pipelines.ingest.infer_table import personal_titles
from pipelines.ingest.joins import with_joins
from pipelines.ingest.members import together
from pipelines.ingest.one_sheet import read_sheet, reported
from pipelines.ingest.other_lines import main_formats
from pipelines.ingest.outcome import Outcome
from pipelines.ingest.personal import mask
from pipelines.ingest.pool import both
from pipelines.ingest.read import read_file
from pipelines.ingest.recognise import find_header, knows_any_header
from pipelines.ingest.repeats import repeated_sheets
from pipelines.ingest.report import Question, Report, SheetReport
from pipelines.ingest.second_look import second_look
from pipelines.ingest.sheet import UnreadableFileError
from pipelines.ingest.told import UNSAID, with_told
from pipelines.ingest.units import with_units
from schemas.contracts import APPLICATION, DECISION_COUNT
from schemas.format import INFERRED, load_formats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.ingest.normalise import Origin
    from pipelines.ingest.one_sheet import ReadSheet
    from pipelines.ingest.recognise import Header
    from pipelines.ingest.sheet import Member, Reading
    from schemas.format import Format

_SHORTEST_LINE = 100  # bytes, about


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
    return _with_awards(together(outcomes, report, outside))


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
    report = _report_of(member, whole)
    headers = {sheet.name: find_header(sheet, formats) for sheet in member.sheets if not sheet.hidden}
    found = [header for header in headers.values() if header is not None]
    if not found:
        return _inferred(member, origin, formats, whole, report)
    main = main_formats(found)
    format_ = next(iter(main.values()))
    report.format, report.recognised_by, report.headline_stage = format_.id, "format", format_.headline_stage
    read, unsaid = _read_sheets(member, headers, main, origin, report)
    kept = _without_repeats(read, report)
    report.questions += unsaid
    if unsaid and not any(sheet.contract == APPLICATION for sheet in kept):
        return _held_for(unsaid, report)
    outcome = concluded([reported(sheet, report) for sheet in kept], report, format_)
    _ask(kept, format_, origin, report)
    return outcome


def _report_of(member: Member, whole: Report) -> Report:
    """A report of `member` alone, where all that `whole` says of the deposit is said, and nothing else yet."""
    return replace(
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


def _read_sheets(
    member: Member, headers: Mapping[str, Header | None], main: Mapping[str, Format], origin: Origin, report: Report
) -> tuple[list[ReadSheet], list[str]]:
    """The sheets that are read, and what is asked of those whose cells may mean two things; why the others are not."""
    read: list[ReadSheet] = []
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
        read.append(read_sheet(with_units(with_decisions(header, origin), origin), origin, index=index))
    for left_out in report.sheets:
        left_out.reason = completing.get(left_out.name, left_out.reason)
    return read, unsaid


def _without_repeats(read: list[ReadSheet], report: Report) -> list[ReadSheet]:
    """`read` without the lists that repeat another sheet: counted, they would double its amounts."""
    lists = [position for position, sheet in enumerate(read) if sheet.contract == APPLICATION]
    found_again = repeated_sheets([read[position].normalised for position in lists])
    repeated = {lists[own]: (lists[other], missing) for own, (other, missing) in found_again.items()}
    for position, (other, missing) in repeated.items():
        name = read[position].mapped.header.sheet.name
        but = f" (à {missing} lignes près)" if missing else ""
        reason = (
            f"répète la feuille « {read[other].mapped.header.sheet.name} »{but} : la compter doublerait les montants"
        )
        report.sheets.append(SheetReport(name, kept=False, reason=reason))
        report.questions.append(
            f"La feuille « {name} » {reason}. Si ce sont d'autres subventions, ajoutez-y ce qui les distingue (une "
            "date, un numéro de dossier)."
        )
    return [sheet for position, sheet in enumerate(read) if position not in repeated]


def _ask(kept: list[ReadSheet], format_: Format, origin: Origin, report: Report) -> None:
    """Put the questions that the sheets `kept` raise; the file is held while an answer could change its figures."""
    lists = [sheet for sheet in kept if sheet.contract == APPLICATION and format_.id != INFERRED]
    doubtful = [question for sheet in lists for question in doubts(sheet.mapped, sheet.normalised, origin.answers)]
    report.to_choose += [question for question in doubtful if question.about is not None]
    asked = [question.text for question in doubtful]
    totals = [sheet for sheet in kept if sheet.contract == DECISION_COUNT]
    asked += [question for sheet in totals for question in total_doubts(sheet.mapped, sheet.normalised)]
    if asked and report.status == "accepted":
        report.status = "held"
        report.messages.append(
            f"Le format «\u00a0{format_.title}\u00a0» est reconnu, mais la réponse à une question pourrait changer les "
            "chiffres : rien n'est chargé avant elle."
        )
    for listed in lists:
        asked += remarks(listed.mapped, listed.validated.accepted.lazy(), listed.validated.issues)
    report.questions += list(dict.fromkeys(asked))


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
