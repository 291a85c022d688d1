"""What keeps a deposit's lines out, or a former content's lines in: held files, bad rewrites, copies, withdrawals.

Each guard says on the receipt what it did and how to get past it; somebody's release or confirmation opens all of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.choice import decide_all
from pipelines.ingest.deposit import deposit_id
from pipelines.ingest.deposited import await_confirmation, lines_of, other_lines
from pipelines.ingest.matching import COLUMNS
from pipelines.ingest.normalise import UNKNOWN_FUNDER
from pipelines.ingest.versions import MOST_LINES_LOST, loses_too_much
from schemas.application import Application
from schemas.contract import polars_schema

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pipelines.ingest.deposited import Deposit
    from pipelines.ingest.ledger import Ledger
    from pipelines.ingest.origin_mark import Mark


def let_in(deposit: Deposit, released: Collection[str]) -> bool:
    """Whether the lines of `deposit` are loaded: it is accepted, or held with lines to load and released."""
    report = deposit.report
    if deposit.is_extract:
        report.status = "held"
        report.messages.insert(
            0,
            "Ce fichier est un extrait fait par nous : il ne contient que les lignes en cause, et n’est pas chargé. "
            "Reportez vos corrections dans le fichier d’origine, puis enregistrez-le sous le même nom.",
        )
        return False
    if UNKNOWN_FUNDER in report.funders:
        report.status = "held"
        return False
    if report.status == "held" and report.rows_accepted:
        if deposit.deposit_id not in released:
            report.messages.append(await_confirmation(deposit, "charger les lignes lisibles telles quelles"))
            return False
        report.status = "accepted"
        report.messages.append("Le chargement a été confirmé.")
    return report.status == "accepted"


def hold_back(new: Deposit, old: Deposit, released: Collection[str]) -> None:
    """A content that loses too much of the one it takes the place of is held, unless somebody let it through."""
    if not (new.is_current and old.is_current) or new.report.is_demonstration or new.deposit_id in released:
        return
    if loses_too_much(lines_of(old), lines_of(new)) or _others_lost(other_lines([old]), other_lines([new])):
        new.is_current, new.report.status = False, "held"
        new.report.messages.insert(
            0,
            f"Ce fichier doit remplacer {_called(old, new)}, mais il contient nettement moins de lignes ou d’euros : "
            f"l’ancien reste compté. {await_confirmation(new, 'remplacer quand même')}",
        )


def _called(old: Deposit, new: Deposit) -> str:
    return "son contenu précédent" if old.path == new.path else f"« {old.file_name} »"


def supersede(deposits: list[Deposit], ledger: Ledger) -> None:
    """An annotated copy that comes back accepted takes the place of the deposits it was made from."""
    known, released, loaded = {d.deposit_id: d for d in deposits}, ledger.releases(), ledger.let_in()
    marks = ledger.marks()
    for copy in sorted((d for d in deposits if d.deposit_id in marks), key=lambda deposit: deposit.arrival):
        origins = [known[name] for name in origins_of(copy.deposit_id, copy.depositor, marks) if name in known]
        replaced = [old for old in origins if copy.is_present or not old.is_present]
        for old in replaced:
            if copy.deposit_id not in loaded:
                hold_back(copy, old, released)
        if copy.is_current:
            for old in replaced:
                old.is_current = False
                old.report.messages.append(f"Sa copie corrigée « {copy.file_name} » remplace ce fichier.")
                copy.report.messages.append(f"Cette copie corrigée remplace « {old.file_name} ».")


def origins_of(copy: str, depositor: str, marks: Mapping[str, Mark]) -> list[str]:
    """The deposits of the same depositor that `copy` was made from, from copy to copy, nearest first."""
    chain = [copy]
    while chain[-1] in marks and (origin := deposit_id(depositor, marks[chain[-1]].sha256)) not in chain:
        chain.append(origin)
    return chain[1:]


def settle_withdrawals(deposits: list[Deposit], ledger: Ledger, now: datetime) -> None:
    """Files that left the inbox are withdrawn, unless too much would be lost and nobody confirmed it.

    What was said while a file was there, to load it for example, does not confirm that it may go.
    """
    released, files = ledger.releases(), ledger.files()
    confirmed = {
        d.deposit_id
        for d in deposits
        if not d.is_present
        and d.deposit_id in released
        and released[d.deposit_id] >= datetime.fromisoformat(files[d.path]["gone_at"] or now.isoformat())
    }
    for depositor in sorted({deposit.depositor for deposit in deposits if not deposit.is_present}):
        own = [deposit for deposit in deposits if deposit.depositor == depositor and deposit.is_current]
        gone = [deposit for deposit in own if not deposit.is_present and deposit.path not in _present(deposits)]
        free = [d for d in gone if d.deposit_id in confirmed or d.report.is_demonstration]
        rest = [d for d in gone if d not in free]
        if rest and _too_much_lost([d for d in own if d not in free], rest, ledger):
            for deposit in rest:
                deposit.report.messages.insert(
                    0,
                    "Ce fichier n’est plus dans le dossier, mais l’enlever retirerait trop de lignes déjà chargées : "
                    "elles restent comptées. " + await_confirmation(deposit, "confirmer le retrait"),
                )
            gone = free
        for deposit in gone:
            deposit.is_current = False
        marks = ledger.marks()
        origins = [origin for d in gone for origin in origins_of(d.deposit_id, d.depositor, marks)]
        ledger.record_withdrawn([*(deposit.deposit_id for deposit in gone), *origins], now)


def _present(deposits: list[Deposit]) -> set[str]:
    return {deposit.path for deposit in deposits if deposit.is_present}


def _too_much_lost(own: list[Deposit], gone: list[Deposit], ledger: Ledger) -> bool:
    left = [deposit for deposit in own if deposit not in gone]
    before, after = (_counted(deposits, ledger) for deposits in (own, left))
    return loses_too_much(before, after) or _others_lost(other_lines(own), other_lines(left))


def _others_lost(before: Mapping[str, int], after: Mapping[str, int]) -> bool:
    """Whether too many totals, calls or services would go: they have no euros, only lines."""
    return any(after.get(contract, 0) < (1 - MOST_LINES_LOST) * lines for contract, lines in before.items())


def _counted(deposits: list[Deposit], ledger: Ledger) -> pl.DataFrame:
    versions = {(v.deposit_id, v.fiscal_year) for v in decide_all(deposits, ledger) if v.is_counted}
    frames = [
        lines_of(d).filter(
            pl.Series([(d.deposit_id, y) in versions for y in lines_of(d)["fiscal_year"]], dtype=pl.Boolean)
        )
        for d in deposits
    ]
    return pl.concat([pl.DataFrame(schema=polars_schema(Application)).select(COLUMNS), *frames])
