"""What each demonstration file must give once read: lines, decisions, euros. Counted from the lines, not from files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from schemas import codelist

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pipelines.demo.applications import Line

STAGES = {"amount_requested": "requested", "amount_awarded": "awarded", "amount_paid": "paid"}


@dataclass(frozen=True)
class ControlFigures:
    """The figures of one file of `raw/<depositor>/<file>`, over its accepted lines unless said otherwise.

    `amounts`: stage → exact euros over every accepted line, whatever its decision, for the stages the file states.
    `euros_awarded`: the same restricted to lines whose decision is `awarded`. `rows_read`, `_accepted`, `_rejected` and
    `_ignored` count rows below the header. `outcome` is `held` for a file that must not be loaded. `replaced_by` names
    the file of the same folder whose lines are counted instead. `rows_other` of the rows accepted are no applications:
    lines of a directory of services or of a list of calls.
    """

    depositor: str
    file: str
    form: str
    outcome: Literal["accepted", "held"]
    rows_read: int
    rows_accepted: int
    rows_rejected: int = 0
    rows_ignored: int = 0
    decisions: dict[str, int] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    euros_awarded: Decimal = Decimal(0)
    lines_by_year: dict[int, int] = field(default_factory=dict)
    replaced_by: str | None = None
    rows_other: int = 0


def figures(
    depositor: str,
    file: str,
    form: str,
    lines: Sequence[Line],
    *,
    states: Collection[str],
    rejected: frozenset[int] = frozenset(),
    rows_ignored: int = 0,
    replaced_by: str | None = None,
) -> ControlFigures:
    """The figures of `lines`: the file `states` some amounts; lines at the positions `rejected` cannot be counted."""
    accepted = [line for rank, line in enumerate(lines) if rank not in rejected]
    known = codelist.codes("decision_status")
    decisions = Counter(str(line["decision_status"]) for line in accepted)
    merged = {code: decisions[code] for code in known if decisions[code]}
    odd = sum(count for word, count in decisions.items() if word not in known)
    if odd:
        merged["unknown"] = merged.get("unknown", 0) + odd
    return ControlFigures(
        depositor, file, form, "accepted", len(lines) + rows_ignored, len(accepted), len(rejected), rows_ignored,
        decisions=merged,
        amounts={stage: _sum(accepted, name) for name, stage in STAGES.items() if name in states},
        euros_awarded=_sum([line for line in accepted if line["decision_status"] == "awarded"], "amount_awarded"),
        lines_by_year=dict(sorted(Counter(int(str(line["fiscal_year"])) for line in accepted).items())),
        replaced_by=replaced_by,
    )  # fmt: skip


def _sum(lines: Sequence[Line], name: str) -> Decimal:
    return sum((value for line in lines if isinstance(value := line.get(name), Decimal)), Decimal(0))


def table(rows: Sequence[ControlFigures]) -> str:
    """The figures as a text table with totals, for a terminal."""
    lines = [f"{'fichier':<62}{'lues':>6}{'rejet.':>7}{'ignor.':>7}{'€ accordés':>18}  décisions"]
    for row in rows:
        mark = f" (remplacé par {row.replaced_by})" if row.replaced_by else " (en attente)" * (row.outcome == "held")
        decisions = ", ".join(f"{status} {count}" for status, count in row.decisions.items())
        lines.append(f"{row.depositor + '/' + row.file:<62}{row.rows_read:>6}{row.rows_rejected:>7}"
                     f"{row.rows_ignored:>7}{row.euros_awarded:>18,.2f}  {decisions}{mark}")  # fmt: skip
    counted = [row for row in rows if row.outcome == "accepted" and row.replaced_by is None]
    total = sum((row.euros_awarded for row in counted), Decimal(0))
    n_lines = sum(row.rows_accepted - row.rows_other for row in counted)
    lines.append(f"{len(rows)} fichiers ; comptés : {len(counted)} fichiers, "
                 f"{n_lines} lignes, {total:,.2f} € accordés")  # fmt: skip
    return "\n".join(lines)
