"""`staging`: every unseen file of the inbox in one run, with one row a file in its metadata."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.defs import contract_checks
from pipelines.defs.feeds import FEEDS
from pipelines.defs.metadata import as_table
from pipelines.defs.places import Places
from pipelines.defs.progress import Progress
from pipelines.ingest.deposited import Deposit, Pass
from pipelines.ingest.inbox import ingest
from pipelines.ingest.manifest import write_manifest
from pipelines.ingest.release import NotWaitingError, Waiting, release

STAGING = dg.AssetKey("staging")
_STATUS = {"accepted": "accepté", "held": "en attente", "refused": "refusé"}
_SHOWN = 1_000


class Releases(dg.Config):
    """The launch form of `staging`: what an analyst may decide before a run."""

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
        description="Chaque financeur a déposé des données pour l'année précédente ou l'année en cours.",
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
    with places.writing():
        for one in _released(config.deposits, places):
            context.log.info("Dépôt %s (%s) libéré : %s", one.deposit_id, one.path, one.awaits)
        done = ingest(places.raw_folder, places.warehouse_folder, as_of=places.day, progress=progress.file)
        write_manifest(done, raw=places.raw_folder, warehouse=places.warehouse_folder)
    current = [deposit for deposit in done.deposits if deposit.is_current]
    context.log.info("%d fichiers lus, %d dépôts en cours", len(done.deposits), len(current))
    yield dg.MaterializeResult(asset_key=STAGING, metadata=_metadata(done, places))
    yield from _check_results(done, places.day.year)


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


def _check_results(done: Pass, this_year: int) -> Iterator[dg.AssetCheckResult]:
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
    yield _freshness(done, this_year)
    yield from contract_checks.results(STAGING, [deposit for deposit in done.deposits if deposit.is_current])


def _freshness(done: Pass, this_year: int) -> dg.AssetCheckResult:
    last: dict[str, int] = {}
    for deposit in done.deposits:
        if deposit.is_current and deposit.report.fiscal_years:  # a directory of services has none
            for funder in deposit.report.funders:
                last[funder] = max(last.get(funder, 0), *deposit.report.fiscal_years)
    rows = [
        {"financeur": f, "dernier exercice": year, "à jour": year >= this_year - 1} for f, year in sorted(last.items())
    ]
    return dg.AssetCheckResult(
        passed=all(row["à jour"] for row in rows),
        asset_key=STAGING,
        check_name="funders_are_fresh",
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"financeurs": as_table(rows)},
    )
