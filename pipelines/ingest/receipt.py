"""The receipt: what a funder's agent reads, beside the file, a few seconds after having saved it.

Here the report is arranged for reading (problems by cause, columns by reason, useful fields) and written; the page
itself, its words and its look are in `receipt.html.j2`. What is checked in a file is decided elsewhere.
"""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipelines.ingest import french
from schemas import codelist, scdl
from schemas.contract import describe
from schemas.contracts import field_title
from schemas.format import load_formats
from schemas.issues import issue_kinds
from schemas.publication import load_publication
from schemas.synonyms import load_synonyms
from schemas.useful_fields import useful_fields

if TYPE_CHECKING:
    from datetime import date

    from pipelines.ingest.report import ColumnReport, Issue, Report, SheetReport

ALL_PLACES = 200
"""Up to this many places a cause shows them all at once."""
FIRST_PLACES = 50
MOST_PLACES = 5_000

_SEVERITIES = ("error", "warning", "info")
_COMPOSITE_TITLES = {
    "applicant_id": "Identifiant du demandeur",
    "funder_id": "Identifiant du financeur",
    "payment_period": "Période de versement",
    "agreement_years": "Années de la convention",
}


@dataclass(frozen=True)
class Cause:
    """Every issue of one kind: `shown` places at once, `folded` ones on demand, `unlisted` more that are only counted.

    `sentence` is the message when all places share it; `has_details` asks for each place's own message.
    """

    code: str
    severity: str
    title: str
    sentence: str | None
    remedy: str | None
    has_details: bool
    total: int
    sheet: str | None
    shown: list[Issue]
    folded: list[Issue]
    unlisted: int


@dataclass(frozen=True)
class ColumnGroup:
    """One header met in one or several sheets, with what became of it (a field's title, or why it is not used)."""

    header: str
    outcome: str
    places: list[ColumnReport]


@dataclass(frozen=True)
class Useful:
    """How many of the `lines` concerned state a field that matters, and what to do when few do."""

    title: str
    filled: int
    lines: int
    advice: str

    @property
    def is_missing(self) -> bool:
        """Fewer than 19 lines in 20."""
        return self.filled * 20 < self.lines * 19


@dataclass(frozen=True)
class Part:
    """One file as the page shows it: the deposit itself, or a member of an archive. `anchor` prefixes its ids."""

    report: Report
    anchor: str
    causes: list[Cause] = field(default_factory=list)
    read_columns: list[ColumnGroup] = field(default_factory=list)
    unused_columns: list[ColumnGroup] = field(default_factory=list)
    ignored_columns: list[ColumnGroup] = field(default_factory=list)
    useful: list[Useful] = field(default_factory=list)

    @property
    def headers(self) -> dict[tuple[str | None, str | None], str]:
        """The title of each column, by sheet and letter."""
        return {(column.sheet, column.column): column.header for column in self.report.columns}

    def of(self, severity: str) -> list[Cause]:
        """The causes of one severity."""
        return [cause for cause in self.causes if cause.severity == severity]


def write_receipt(
    report: Report,
    folder: Path,
    *,
    as_of: date,
    file_name: str | None = None,
    annotated: str | None = None,
    questionnaire: str | None = None,
) -> Path:
    """Write the receipt of `report` into `folder` and return its path; an equal one is left untouched.

    `file_name` is the deposited file's, where the report speaks of the only member of an archive; `annotated` and
    `questionnaire` the names of the annotated copy and of our questions that lie beside the receipt. The page needs
    nothing but itself, and is never seen half-written. Raises `OSError` when it cannot be written.
    """
    path = folder / receipt_name(report, file_name=file_name)
    page = render(report, as_of=as_of, file_name=file_name, annotated=annotated, questionnaire=questionnaire)
    place(path, page.encode())
    return path


def place(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; an equal one is left untouched. Raises `OSError` when it cannot be written."""
    if path.is_file() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def receipt_name(report: Report, *, file_name: str | None = None) -> str:
    """A stable ASCII file name: the deposited file's, and the first characters of its content's hash."""
    stem = PurePosixPath(_name(file_name or report.file)).stem
    ascii_only = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only.lower())[:80].strip("-")
    return f"{slug or 'fichier'}-{report.sha256[:8]}.html"


def legal_name(report: Report, *, file_name: str | None = None) -> str:
    """The name, beside the receipt, of the awards in the legal format."""
    return f"{PurePosixPath(receipt_name(report, file_name=file_name)).stem}-scdl.csv"


def has_legal_csv(report: Report) -> bool:
    """Whether the awards of `report` are given back in the legal format: it is accepted and one of them conforms."""
    return report.status == "accepted" and report.legal_awards is not None and report.legal_awards.conforming > 0


def render(
    report: Report,
    *,
    as_of: date,
    file_name: str | None = None,
    annotated: str | None = None,
    questionnaire: str | None = None,
) -> str:
    """The page as text; equal reports and dates give equal text."""
    members = list(_members(report))
    parts = [_part(member, f"f{index}-") for index, member in enumerate(members, 1)] or [_part(report, "")]
    publication, decisions = load_publication(), report.decisions.items()
    states_totals = bool(decisions) and not report.filled  # no application was read: decisions are those of totals
    address = publication.publisher.correction_address
    return _template_environment().get_template("receipt.html.j2").render(
        report=report,
        parts=parts,
        is_archive=bool(members),
        left_aside=_left_aside(report, members) if members else [],
        file_name=_name(file_name or report.file),
        annotated=annotated,
        questionnaire=questionnaire,
        member_name=report.file if file_name and _name(file_name) != _name(report.file) else None,
        states_totals=states_totals,
        non_awards={} if states_totals else {s: n for s, n in decisions if s not in ("awarded", "unknown") and n},
        is_demonstration=report.is_demonstration or any(part.report.is_demonstration for part in parts),
        publishes_refusals=_agreed([report, *members]),
        personal=_added([part.report.personal_removed for part in parts]),
        natural_persons=sum(part.report.natural_persons for part in parts),
        disclosure=publication.disclosure,
        legal_parts=[part for part in parts if part.report.legal_sheets and report.legal_awards],
        legal_csv=legal_name(report, file_name=file_name) if has_legal_csv(report) else None,
        awards_in_several=sum(sheet.kept for sheet in report.sheets) > 1,
        contact=address if re.search(r"@|^https?://", address) else None,
        as_of=as_of,
    )  # fmt: skip


def _name(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name


@cache
def _template_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": french.number,
        "amount": french.amount,
        "count": french.count,
        "share": french.share,
        "long_date": french.long_date,
        "listed": french.listed,
        "inside_a_sentence": french.inside_a_sentence,
        "years": french.year_ranges,
        "typeset": french.typeset,
        "visible": french.visible,
        "said": lambda text: french.typeset(french.visible(text, limit=2_000)),
        "field_title": _field_title,
        "format_title": _format_title,
    }
    environment.globals |= {
        "stages": codelist.labels("headline_stage"),
        "statuses": {**codelist.labels("measure"), **codelist.labels("decision_status")},
        "scopes": codelist.labels("publication_scope"),
        "legal_version": scdl.VERSION,
        "legal_words": scdl.words(),
        "legal_titles": {name: info.title for name, info in describe(scdl.Scdl).items()},
        "legal_left_out": _LEFT_OUT,
    }
    return environment


def _members(report: Report) -> list[Report]:
    """The files of an archive, those of the archives inside it included."""
    return [leaf for member in report.members for leaf in (_members(member) or [member])]


def _left_aside(report: Report, members: list[Report]) -> list[SheetReport]:
    """What an archive holds besides its members."""
    known = {f"{member.file} · {sheet.name}" for member in members for sheet in member.sheets}
    return [sheet for sheet in report.sheets if not sheet.kept and sheet.name not in known]


def _part(report: Report, anchor: str) -> Part:
    known = load_formats()[report.format].ignore.values() if report.format in load_formats() else load_synonyms().ignore
    unused = [column for column in report.columns if column.field is None]

    def on_purpose(column: ColumnReport) -> bool:
        return column.why is not None and (column.why in known or column.why.startswith("donnée personnelle"))

    return Part(
        report,
        anchor,
        causes=_causes(report.issues),
        read_columns=_grouped([column for column in report.columns if column.field is not None]),
        unused_columns=_grouped([column for column in unused if not on_purpose(column)]),
        ignored_columns=_grouped([column for column in unused if on_purpose(column)]),
        useful=_useful(report),
    )


def _causes(issues: list[Issue]) -> list[Cause]:
    """Issues by kind: what sets lines aside first, then the most frequent."""
    by_kind: dict[tuple[str, str], list[Issue]] = {}
    for issue in issues:
        by_kind.setdefault((issue.severity, issue.code), []).append(issue)
    causes = [_cause(severity, code, places) for (severity, code), places in by_kind.items()]
    return sorted(causes, key=lambda cause: (_SEVERITIES.index(cause.severity), -cause.total, cause.code))


def _cause(severity: str, code: str, places: list[Issue]) -> Cause:
    kind = issue_kinds().get(code)
    first = len(places) if len(places) <= ALL_PLACES else FIRST_PLACES
    sheets = {place.sheet for place in places}
    is_same = all(place.message == places[0].message for place in places)
    return Cause(
        code=code,
        severity=severity,
        title=kind.title if kind else "Autre remarque",
        sentence=places[0].message if is_same else None,
        remedy=kind.remedy if kind else None,
        has_details=not is_same and (kind is None or "{detail}" in kind.message),
        total=len(places),
        sheet=sheets.pop() if len(sheets) == 1 else None,
        shown=places[:first],
        folded=places[first:MOST_PLACES],
        unlisted=max(0, len(places) - MOST_PLACES),
    )


def _grouped(columns: list[ColumnReport]) -> list[ColumnGroup]:
    """Columns of one title and one outcome together, in the order of the file."""
    groups: dict[tuple[str, str], list[ColumnReport]] = {}
    for column in columns:
        why = column.why or ("contenu non reconnu" if column.field is None else "")
        outcome = ", ".join(text for text in (column.field and _field_title(column.field), why) if text)
        groups.setdefault((column.header, outcome), []).append(column)
    return [ColumnGroup(header, outcome, places) for (header, outcome), places in groups.items()]


def _useful(report: Report) -> list[Useful]:
    """The fields without which a question of the readers stays without an answer."""
    applications = max(report.filled.values(), default=0)  # some fields are never empty
    if not applications:
        return []
    refused = report.decisions.get("refused", 0) + report.decisions.get("inadmissible", 0)
    useful = []
    for each in useful_fields():
        lines = refused if each.of_refusals else applications
        if lines:
            filled = min(max(report.filled.get(name, 0) for name in each.fields), lines)
            verb = "Complétez la" if filled else "Ajoutez une"
            useful.append(Useful(each.title, filled, lines, f"{verb} colonne {each.column} : {each.why}"))
    return useful


_LEFT_OUT = {
    "natural": ("aide à une personne physique", "aides à des personnes physiques"),
    "unknown": ("aide à un bénéficiaire dont rien ne dit que c'est un organisme",
                "aides à des bénéficiaires dont rien ne dit que ce sont des organismes"),
    "loan": ("prêt ou garantie", "prêts ou garanties"),
    "payment": ("versement", "versements"),
}  # fmt: skip


def _field_title(name: str) -> str:
    return field_title(name) or _COMPOSITE_TITLES.get(name, name)


def _format_title(name: str) -> str:
    return load_formats()[name].title if name in load_formats() else name


def _added(counts: list[dict[str, int]]) -> dict[str, int]:
    pairs = sorted((kind, n) for part in counts for kind, n in part.items() if n)
    return {kind: sum(n for _, n in group) for kind, group in groupby(pairs, key=lambda pair: pair[0])}


def _agreed(reports: list[Report]) -> bool | None:
    """Whether refusals are published, where every file that says so says the same."""
    said = {report.publishes_refusals for report in reports} - {None}
    return said.pop() if len(said) == 1 else None
