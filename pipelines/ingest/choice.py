"""Which of the current files count, depositor by depositor, and what each depositor reads of it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from pipelines.ingest import french
from pipelines.ingest.deposited import how_to_confirm, lines_of
from pipelines.ingest.versions import Candidate, Version, decide

if TYPE_CHECKING:
    from pipelines.ingest.deposited import Deposit
    from pipelines.ingest.ledger import Ledger
    from pipelines.ingest.report import Report


def decide_all(deposits: list[Deposit], ledger: Ledger) -> list[Version]:
    """Versions of every depositor's current files; lines are read only where there is a choice to make."""
    released = ledger.releases()
    versions: list[Version] = []
    for depositor in sorted({deposit.depositor for deposit in deposits}):
        own = [deposit for deposit in deposits if deposit.depositor == depositor]
        candidates = [
            Candidate(
                deposit_id=d.deposit_id,
                file_name=d.file_name,
                format_id=d.report.format or "",
                arrival=d.arrival,
                stated_date=d.stated_date,
                lines=lines_of(d),
                is_released=d.deposit_id in released,
                states_funder=any(c.field == "funder_name" for c in d.report.columns),
            )
            for d in own
        ]
        versions += decide(candidates, own[0].funder_file)
    return versions


def tell_versions(deposits: list[Deposit], versions: list[Version]) -> None:
    """Each depositor reads which of its files counts for which years, and how many lines they share."""
    names = {deposit.deposit_id: deposit.file_name for deposit in deposits}
    for deposit in deposits:
        own = [v for v in versions if v.deposit_id == deposit.deposit_id and v.other_deposit_id is not None]
        alike = groupby(sorted(own, key=_outcome), key=_outcome)
        for (reason, other, decided_by), group in alike:
            told = list(group)
            years = french.year_ranges([version.fiscal_year for version in told])
            shared = sum(version.lines_matched or 0 for version in told)
            _tell(deposit.report, reason, names[other], decided_by, years, shared)


def _outcome(version: Version) -> tuple[str, str, str]:
    return version.reason, version.other_deposit_id or "", version.decided_by


def _tell(report: Report, reason: str, other: str, decided_by: str, years: str, shared: int) -> None:
    found = f"{french.count(shared, 'ligne')} de l’un se retrouve{'nt' if shared > 1 else ''} dans l’autre"
    by = " comme le demande funder.toml" if decided_by == "funder_file" else ""
    if reason == "counted":
        report.messages.append(f"Pour {years}, ce fichier est compté{by}, et « {other} » ne l’est pas ; {found}.")
    elif reason == "replaced":
        report.messages.append(f"Pour {years}, « {other} » remplace ce fichier{by} ; {found}.")
    elif reason == "held":
        report.messages.append(
            f"Pour {years}, ce fichier contient nettement moins que « {other} » : il n’est pas compté ; {found}. "
            + how_to_confirm(report, "le compter quand même")
        )
    else:
        report.messages.append(f"Pour {years}, « {other} » est compté{by} à la place de ce fichier ; {found}.")
        if decided_by == "rule":
            report.questions.append(f"Pour {years}, lequel de ce fichier ou de « {other} » faut-il compter ?")
