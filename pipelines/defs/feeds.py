"""`feeds`: the open data that is declared, received in the inbox; one asset, one row a resource in its metadata."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.defs.metadata import as_table
from pipelines.defs.places import Places
from pipelines.defs.progress import Progress
from pipelines.feeds.fetch import Fetched, Outcome, fetch
from schemas.feeds import FeedsError, load_feeds

FEEDS = dg.AssetKey("feeds")
FETCHED = "every_feed_is_fetched"
_STATE = {"new": "nouveau", "changed": "changé", "unchanged": "inchangé", "refused": "non reçu"}
_WHOLE = 500  # characters of a message: a cut one has lost its remedy


class Wanted(dg.Config):
    """Formulaire de réception."""  # shown to analysts in the launch form of `feeds`

    publishers: list[str] = Field(
        default=[],
        description="Producteurs à recevoir : leurs dossiers, entre guillemets, séparés par des virgules. Vide : tous "
        "ceux que déclare schemas/feeds.toml.",
    )


@dg.asset(
    key=FEEDS,
    group_name="ingest",
    kinds={"http"},
    owners=["team:analystes"],
    description="Les données ouvertes déclarées dans schemas/feeds.toml, reçues dans raw/, dans le dossier du "
    "producteur, quand elles ont changé, sans jamais remplacer un fichier déposé par quelqu'un. Elles suivent ensuite "
    "le chemin de tout dépôt.",
    check_specs=[
        dg.AssetCheckSpec(
            FETCHED, asset=FEEDS, description="Toutes les ressources déclarées ont été reçues, ou n'ont pas changé."
        )
    ],
    pool="feeds",
)
def feeds(
    context: dg.AssetExecutionContext, config: Wanted, places: Places, progress: dg.ResourceParam[Progress]
) -> Iterator[Any]:
    """Bring what is declared up to date, one resource after the other; a refusal is a warning, never a failure."""
    progress.stage("Réception des données ouvertes")
    try:
        declared = load_feeds(places.feeds_file)
    except FeedsError as error:
        raise dg.Failure(str(error)) from error
    done = fetch(
        declared,
        raw=places.raw_folder,
        warehouse=places.warehouse_folder,
        publishers=config.publishers,
        progress=progress.file,
    )
    for outcome in done.of("refused"):
        context.log.warning("%s : %s", outcome.place, outcome.why)
    yield dg.MaterializeResult(asset_key=FEEDS, metadata=_metadata(done))
    refused = [{"ressource": o.place, "pourquoi et que faire": o.why, "adresse": o.url} for o in done.of("refused")]
    yield dg.AssetCheckResult(
        passed=not refused,
        asset_key=FEEDS,
        check_name=FETCHED,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"non reçues": as_table(refused, longest=_WHOLE)},
    )


def _metadata(done: Fetched) -> dict[str, Any]:
    return {
        "ressources": len(done.outcomes),
        "nouvelles ou changées": len(done.of("new", "changed")),
        "inchangées": len(done.of("unchanged")),
        "non reçues": len(done.of("refused")),
        "octets reçus": sum(outcome.size for outcome in done.outcomes),
        "détail": as_table([_row(outcome) for outcome in done.outcomes], longest=_WHOLE),
    }


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "ressource": outcome.place,
        "état": _STATE[outcome.state],
        "pourquoi et que faire": outcome.why,
        "octets": outcome.size,
        "tentatives": outcome.attempts,
        "secondes": round(outcome.seconds, 1),
        "sha256": outcome.sha256,
        "adresse": outcome.url,
    }
