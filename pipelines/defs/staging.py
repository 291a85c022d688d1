"""`staging`: every unseen file of the inbox in one run, with one row a file in its metadata."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.defs import contract_checks
from pipelines.defs.feeds import FEEDS
from pipelines.defs.metadata import as_table, cost_metadata
from pipelines.defs.places import Places
from pipelines.defs.progress import Progress
from pipelines.defs.retries import tried_again
from pipelines.ingest import french
from pipelines.ingest.deposit import InboxError
from pipelines.ingest.deposited import Deposit, Pass
from pipelines.ingest.inbox import ingest
from pipelines.ingest.manifest import write_manifest
from pipelines.ingest.release import NotWaitingError, Waiting, release
from pipelines.ingest.restaging import Cost, cost, told_plainly
from pipelines.ingest.rhythm import Reminder, Rhythm

STAGING = dg.AssetKey("staging")
_STATUS = {"accepted": "accepté", "held": "en attente", "refused": "refusé"}
_SHOWN = 1_000
_WHY = {"late": "en retard", "gap": "absent alors que des exercices suivants sont là"}
_BASIS = {"habit": "son habitude", "common": "la règle commune (31 mars suivant)"}


class Releases(dg.Config):
    """Ce qu'un analyste peut décider avant un passage."""  # shown in the launch form of `staging`

    deposits: list[str] = Field(
        default=[],
        description="Dépôts en attente à laisser passer : leurs identifiants, entre guillemets, séparés par des "
        "virgules. Ils sont dans le tableau « dépôts en attente » de la dernière matérialisation de staging.",
    )


_CHECKS = [
    dg.AssetCheckSpec(
        "rows_add_up",
        asset=STAGING,
        blocking=True,
        description="Lignes lues = acceptées + écartées + ignorées, feuille par feuille.",
    ),
    dg.AssetCheckSpec(
        "every_file_is_loaded",
        asset=STAGING,
        description="Aucun fichier refusé, en attente ou illisible. Chacun a son récapitulatif.",
    ),
    dg.AssetCheckSpec(
        "funders_are_fresh",
        asset=STAGING,
        description="Aucun déposant n'est en retard sur sa propre habitude (au moins deux exercices observés), ou sur "
        "la règle commune quand elle n'est pas connue. Les relances disent qui demander, et pour quel exercice.",
    ),
    dg.AssetCheckSpec(
        "layouts_are_stable",
        asset=STAGING,
        description="Le dernier fichier de chaque déposant a les colonnes et le format des précédents.",
    ),
    *contract_checks.specs(STAGING),
]


@dg.multi_asset(
    name="staging",
    specs=[
        dg.AssetSpec(
            STAGING,
            deps=[FEEDS],
            group_name="ingest",
            kinds={"polars", "pandera", "parquet"},
            owners=["team:analystes"],
            description="Les fichiers déposés, lus, contrôlés un par un et gardés tels que contrôlés. Chaque fichier a "
            "son récapitulatif à côté de lui, dans _accuses/.",
        )
    ],
    check_specs=_CHECKS,
    pool="warehouse",
)
def staging(
    context: dg.AssetExecutionContext, config: Releases, places: Places, progress: dg.ResourceParam[Progress]
) -> Iterator[Any]:
    """Let through what the launch form names, read the inbox, decide versions, write receipts and the manifest."""
    progress.stage("Lecture des dépôts")
    with tried_again(), places.writing():
        expected = _expected(places)
        context.log.info("Avant de lire : %s", told_plainly(expected))
        for one in _released(config.deposits, places):
            context.log.info("Dépôt %s (%s) libéré : %s", one.deposit_id, one.path, one.awaits)
        done = ingest(places.raw_folder, places.warehouse_folder, as_of=places.day, progress=progress.file)
        write_manifest(done, raw=places.raw_folder, warehouse=places.warehouse_folder)
    current = [deposit for deposit in done.deposits if deposit.is_current]
    context.log.info("%d fichiers lus, %d dépôts en cours", len(done.deposits), len(current))
    new, held = sum(deposit.is_new for deposit in done.deposits), sum(bool(d.awaits) for d in done.deposits)
    context.instance.add_run_tags(context.run.run_id, {"qfq/lus": str(new), "qfq/en_attente": str(held)})
    yield dg.MaterializeResult(asset_key=STAGING, metadata={**_metadata(done, places), **cost_metadata(expected)})
    yield from _check_results(done)


def _expected(places: Places) -> Cost:
    """What is about to be read. An inbox that cannot be read is told by the reading itself."""
    try:
        return cost(places.raw_folder, places.warehouse_folder)
    except InboxError:
        return Cost()


def _released(wanted: list[str], places: Places) -> list[Waiting]:
    try:
        return release(wanted, warehouse=places.warehouse_folder, how="formulaire de lancement")
    except NotWaitingError as error:
        raise dg.Failure(str(error)) from error


def _metadata(done: Pass, places: Places) -> dict[str, Any]:
    accepted = sum(deposit.report.rows_accepted for deposit in done.deposits if deposit.is_current)
    return {
        "dagster/row_count": accepted,
        "fichiers": len(done.deposits),
        "dépôts en attente": as_table([_held(deposit) for deposit in done.deposits if deposit.awaits]),
        "nouveaux": sum(deposit.is_new for deposit in done.deposits),
        "date de référence": places.day.isoformat(),
        "dépôts": as_table([_row(deposit) for deposit in done.deposits[:_SHOWN]]),
        "copies privées retirées": done.removed_copies,
        "lignes de deux déposants": as_table(_twins(done)),
        "dossier des dépôts": dg.MetadataValue.path(str(places.raw_folder)),
    }


def _row(deposit: Deposit) -> dict[str, Any]:
    report = deposit.report
    return {
        "fichier": deposit.path,
        "état": _STATUS[report.status],
        "format": report.format,
        "lues": report.rows_read,
        "acceptées": report.rows_accepted,
        "écartées": report.rows_rejected,
        "ignorées": report.rows_ignored,
        "problèmes": len(report.issues),
        "dépôt": deposit.deposit_id,
        "récapitulatif": str(deposit.receipt) if deposit.receipt else None,
    }


def _held(deposit: Deposit) -> dict[str, Any]:
    """One line of what waits for somebody, its identifier first: it is what the launch form asks for."""
    return {
        "identifiant": deposit.deposit_id,
        "fichier": deposit.path,
        "le libérer, pour": deposit.awaits,
        "récapitulatif": str(deposit.receipt) if deposit.receipt else None,
    }


def _twins(done: Pass) -> list[dict[str, Any]]:
    """How many lines two depositors report, by pair of files and year."""
    names = {deposit.deposit_id: deposit.path for deposit in done.deposits}
    return [
        {
            "non comptées dans": names[row["deposit_id"]],
            "comptées dans": names[row["other_deposit_id"]],
            "exercice": row["fiscal_year"],
            "sûres": row["lines"],
            "à vérifier": row["to_review"],
        }
        for row in done.twins.counts().head(_SHOWN).iter_rows(named=True)
    ]


def _check_results(done: Pass) -> Iterator[dg.AssetCheckResult]:
    wrong = [
        {"fichier": deposit.path, "feuille": sheet.name}
        for deposit in done.deposits
        for sheet in deposit.report.sheets
        if sheet.rows_read != sheet.rows_accepted + sheet.rows_rejected + sheet.rows_ignored
    ]
    yield dg.AssetCheckResult(
        passed=not wrong, asset_key=STAGING, check_name="rows_add_up", metadata={"feuilles": as_table(wrong)}
    )
    unloaded = [
        {
            "fichier": d.path,
            "état": _STATUS["held" if d.awaits else d.report.status],
            "identifiant à libérer": d.deposit_id if d.awaits else None,
            "pourquoi": " ".join(d.report.messages),
        }
        for d in done.deposits
        if d.awaits or d.report.status != "accepted"
    ] + [{"fichier": path, "état": "non pris", "pourquoi": why} for path, why in done.untaken.items()]
    yield dg.AssetCheckResult(
        passed=not unloaded,
        asset_key=STAGING,
        check_name="every_file_is_loaded",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"fichiers": as_table(unloaded)},
    )
    yield _freshness(done)
    yield _layouts(done)
    yield from contract_checks.results(STAGING, [deposit for deposit in done.deposits if deposit.is_current])


def _freshness(done: Pass) -> dg.AssetCheckResult:
    late = {(row.depositor, row.fiscal_year) for row in done.reminders}
    funders: dict[str, set[str]] = {}
    for deposit in done.deposits:
        if deposit.is_current:
            funders.setdefault(deposit.depositor, set()).update(deposit.report.funders)
    rows = [
        {
            "déposant": row.depositor,
            "financeurs": ", ".join(sorted(funders.get(row.depositor, ()))),
            "dernier exercice": row.last_year,
            "apporté le": row.last_delivered_date.isoformat(),
            "habitude": _habit(row),
            "attendu vers le": row.expected_date and row.expected_date.isoformat(),
            "en retard après le": row.due_date.isoformat(),
            "à jour": not row.is_late,
            "à demander": ", ".join(str(year) for who, year in sorted(late) if who == row.depositor),
        }
        for row in sorted(done.rhythms, key=lambda row: (not row.is_late, row.depositor))
    ]
    return dg.AssetCheckResult(
        passed=not done.reminders,
        asset_key=STAGING,
        check_name="funders_are_fresh",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "financeurs": as_table(rows),
            "en retard": sum(row.is_late for row in done.rhythms),
            "relances": as_table([_reminder(row) for row in done.reminders]),
        },
    )


def _habit(row: Rhythm) -> str:
    seen = french.count(row.n_observations, "exercice observé", "exercices observés")
    if row.median_lag is None:
        return f"non dite ({seen})"
    side = "après" if row.median_lag >= 0 else "avant"
    return f"{french.count(abs(row.median_lag), 'jour')} {side} la fin de l'exercice ({seen})"


def _reminder(row: Reminder) -> dict[str, Any]:
    return {
        "déposant": row.depositor,
        "exercice": row.fiscal_year,
        "pourquoi": _WHY[row.reason],
        "attendu au plus tard le": row.due_date.isoformat(),
        "d'après": _BASIS[row.due_basis],
        "jours de retard": row.n_days_late,
    }


def _layouts(done: Pass) -> dg.AssetCheckResult:
    rows = [
        {
            "déposant": row.depositor,
            "fichier": row.file_name,
            "comparé à": row.former_file_name,
            "colonnes ajoutées": ", ".join(row.added),
            "colonnes disparues": ", ".join(row.removed),
            "format": f"{row.former_format or 'non reconnu'} → {row.format or 'non reconnu'}",
        }
        for row in done.layout_changes
    ]
    return dg.AssetCheckResult(
        passed=not rows,
        asset_key=STAGING,
        check_name="layouts_are_stable",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"mises en page changées": as_table(rows, longest=300)},
    )
