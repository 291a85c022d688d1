"""What only the names around a table say: the rows above its header, its sheet, its file; or its depositor.

Nothing in the cells of a table of countries and years tells submitted applications from awarded ones. The names do, or
`funder.toml`; when they do not agree on one answer the table is not read, and the question is asked.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipelines.ingest.fold import fold_words

if TYPE_CHECKING:
    from pipelines.ingest.derive import Origin
    from pipelines.ingest.recognise import Header
    from schemas.format import ToldRule

UNSAID = "rien ne dit ce que compte ce tableau : voyez la question"
_ABOVE = 20  # filled rows looked at above the header
_MEASURE = "measure"


def with_told(header: Header, origin: Origin, member: str) -> tuple[Header, str | None]:
    """The header with what is told of its lines as constants of its format; or the question to ask (French).

    `member`: the name of the data file, which differs from that of the deposit inside an archive.
    """
    constants = dict(header.format.constants)
    for name, rule in header.format.told.items():
        code = _declared(name, origin, member) or _said(rule, _names(header, origin, member))
        if code is None:
            return header, rule.question
        constants[name] = code
    return replace(header, format=header.format.model_copy(update={"constants": constants})), None


def _declared(name: str, origin: Origin, member: str) -> str | None:
    """What funder.toml answers, the first answer for this file being taken."""
    names = (origin.file_name, PurePosixPath(member).name)
    answers = [totals.measure for totals in origin.funder_file.totals if any(fnmatch(n, totals.file) for n in names)]
    return answers[0] if answers and name == _MEASURE else None


def _names(header: Header, origin: Origin, member: str) -> list[str]:
    """The folded words of each place that may say what the table is."""
    above = header.sheet.cells.filter(header.sheet.cells["row"] < header.top).tail(_ABOVE)
    rows = " ".join(text for row in above.iter_rows() for text in row[1:] if text)
    return [fold_words(text) for text in dict.fromkeys((rows, header.sheet.name, member, origin.file_name)) if text]


def _said(rule: ToldRule, names: list[str]) -> str | None:
    """The only code that the names say: a place that names several says none, places that disagree neither."""
    together = " ".join(names)
    if rule.against is not None and re.search(rule.against, together):
        return None
    if rule.along is not None and not re.search(rule.along, together):
        return None
    found = [{code for code, pattern in rule.values.items() if re.search(pattern, text)} for text in names]
    said = {codes.pop() for codes in found if len(codes) == 1}
    return said.pop() if len(said) == 1 else None
