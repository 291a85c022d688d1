"""Which of the current files count, which lines two depositors report, and what each depositor reads of it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest import french
from pipelines.ingest.deposited import await_confirmation, lines_of
from pipelines.ingest.twins import Holder, Twins, find_twins
from pipelines.ingest.versions import Candidate, Version, decide
from schemas.decisions import LINES, load_decisions

if TYPE_CHECKING:
    from pipelines.ingest.deposited import Deposit
    from pipelines.ingest.ledger import Ledger


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
            _tell(deposit, reason, names[other], decided_by, years, shared)


def _outcome(version: Version) -> tuple[str, str, str]:
    return version.reason, version.other_deposit_id or "", version.decided_by


def _tell(deposit: Deposit, reason: str, other: str, decided_by: str, years: str, shared: int) -> None:
    report = deposit.report
    found = f"{french.count(shared, 'ligne')} de l’un se retrouve{'nt' if shared > 1 else ''} dans l’autre"
    by = " comme le demande funder.toml" if decided_by == "funder_file" else ""
    if reason == "counted":
        report.messages.append(f"Pour {years}, ce fichier est compté{by}, et « {other} » ne l’est pas ; {found}.")
    elif reason == "replaced":
        report.messages.append(f"Pour {years}, « {other} » remplace ce fichier{by} ; {found}.")
    elif reason == "held":
        report.messages.append(
            f"Pour {years}, ce fichier contient nettement moins que « {other} » : il n’est pas compté ; {found}. "
            + await_confirmation(deposit, "le compter quand même")
        )
    else:
        report.messages.append(f"Pour {years}, « {other} » est compté{by} à la place de ce fichier ; {found}.")
        if decided_by == "rule":
            report.questions.append(f"Pour {years}, lequel de ce fichier ou de « {other} » faut-il compter ?")


def link_all(deposits: list[Deposit], versions: list[Version]) -> Twins:
    """The lines that two depositors report, among those that versions leave counted.

    Raises `DecisionsError` when the file of decisions on lines cannot be followed.
    """
    years: dict[str, set[int]] = {}
    for version in versions:
        if version.is_counted:
            years.setdefault(version.deposit_id, set()).add(version.fiscal_year)
    holders = (
        Holder(
            deposit_id=d.deposit_id,
            depositor=d.depositor,
            sha256=d.sha256,
            format_id=d.report.format or "",
            stated_date=d.stated_date,
            funder_file=d.funder_file,
            staging=d.staging,
            years=frozenset(years[d.deposit_id]),
        )
        for d in deposits
        if d.is_current and d.deposit_id in years
    )
    return find_twins(holders, load_decisions(LINES))


def tell_twins(deposits: list[Deposit], twins: Twins) -> None:
    """Both depositors read how many of their lines the other reports too, and where these are counted."""
    known = {deposit.deposit_id: deposit for deposit in deposits}
    counts = (
        twins.pairs.group_by("is_sure", "deposit_id", "other_deposit_id")
        .agg(pl.len().alias("lines"), pl.col("fiscal_year").unique().sort().alias("years"))
        .sort("is_sure", "deposit_id", "other_deposit_id", descending=[True, False, False])
    )
    for row in counts.iter_rows(named=True):
        counted_out, counted_in = known[row["deposit_id"]], known[row["other_deposit_id"]]
        years, lines = french.year_ranges(row["years"]), row["lines"]
        for own, other in ((counted_out, counted_in), (counted_in, counted_out)):
            where = f"dans ce fichier et dans « {other.file_name} » (dossier « {other.depositor or 'racine'} »)"
            if row["is_sure"]:
                place = "ici" if own is counted_in else "là-bas"
                told = (
                    f"Pour {years}, {french.count(lines, 'ligne')} se trouve{'nt' if lines > 1 else ''} à la fois "
                    f"{where} : {'elles sont comptées' if lines > 1 else 'elle est comptée'} une seule fois, {place}."
                )
            else:
                stay = "elles restent comptées" if lines > 1 else "elle reste comptée"
                told = (
                    f"Pour {years}, {french.count(lines, 'ligne')} se ressemble{'nt' if lines > 1 else ''} {where} "
                    f"sans que rien permette de conclure : {stay} des deux côtés, et les analystes les vérifient."
                )
            own.report.messages.append(told)
    for deposit in deposits:
        if deposit.is_current and deposit.depositor in twins.uncompared:
            deposit.report.messages.append(
                f"{french.count(twins.uncompared[deposit.depositor], 'ligne')} de ce dossier, trop nombreuses pour un "
                "même demandeur, n’ont été rapprochées de celles des autres déposants qu’à l’identique."
            )
