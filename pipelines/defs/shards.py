"""`lire_en_lots`: the reading of unread deposits as a graph mapped over shards, which an executor can spread.

It takes files and reads them; `staging` then finds them read, decides and answers. Losing it costs time, never data.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from pipelines.defs.executors import executor
from pipelines.defs.places import Places
from pipelines.defs.retries import run_tags, tried_again
from pipelines.defs.staging import STAGING
from pipelines.ingest.deposit import InboxError
from pipelines.ingest.inbox import unread
from pipelines.ingest.shards import Part, Shard, ShardError, cut, gather, read_shard

NAME = "lire_en_lots"
LEDGER_QUEUE = {"dagster-celery/queue": "registre"}
"""The ledger is an SQLite file, which one machine alone may open: the worker of this queue runs there."""


class Cut(dg.Config):
    """How large a shard may be."""

    megabytes: float = Field(
        default=20, gt=0, description="Poids d'un lot, en mégaoctets ; plus lourd, un fichier est seul."
    )
    files: int = Field(default=100, gt=0, description="Nombre de fichiers d'un lot, au plus.")


@dg.op(
    name="preparer_les_lots",
    out={"shards": dg.DynamicOut(Shard), "planned": dg.Out(list[Shard])},
    description="Prendre ce qui est nouveau dans le dossier des dépôts et découper en lots ce qui est à lire.",
    tags=LEDGER_QUEUE,
    pool="warehouse",
)
def _plan(context: dg.OpExecutionContext, config: Cut, places: Places) -> Iterator[Any]:
    try:
        with tried_again(), places.writing():
            found = unread(places.raw_folder, places.warehouse_folder)
    except InboxError as error:
        raise dg.Failure(str(error)) from error
    planned = cut(found, most_bytes=int(config.megabytes * 1_000_000), most_files=config.files)
    context.log.info("%d fichiers à lire, en %d lots", len(found), len(planned))
    yield dg.Output(planned, "planned")
    for shard in planned:
        yield dg.DynamicOutput(shard, mapping_key=f"lot_{shard.number}", output_name="shards")


@dg.op(
    name="lire_un_lot", description="Lire, contrôler et garder les fichiers d'un lot ; le registre n'est pas ouvert."
)
def _read(context: dg.OpExecutionContext, places: Places, shard: Shard) -> Part:
    context.log.info("Lot %d : %d fichiers", shard.number, len(shard.deposits))
    try:
        with tried_again(), places.reading():
            return read_shard(shard, places.warehouse_folder)
    except ShardError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


@dg.op(
    name="rassembler_les_lots",
    description="Vérifier que chaque lot prévu est revenu une fois, et que chaque lecture est entière.",
    tags=LEDGER_QUEUE,
    pool="warehouse",
)
def _gather(context: dg.OpExecutionContext, places: Places, planned: list[Shard], parts: list[Part]) -> None:
    try:
        n_files = gather(planned, parts, places.warehouse_folder)
    except ShardError as error:
        raise dg.Failure(str(error)) from error
    told = {"lots prévus": len(planned), "lots rassemblés": len(parts), "fichiers lus": n_files}
    context.log_event(dg.AssetObservation(STAGING, metadata=told))


@dg.job(
    name=NAME,
    executor_def=executor(),
    description="Lire en lots ce que le prochain passage aurait à lire, dans ce processus ou sur d'autres machines "
    "(QFQ_EXECUTOR). Le travail principal trouve ensuite tout lu : il décide des versions, répond et publie.",
    tags=run_tags(NAME),
)
def shards_job() -> None:
    """Plan, read each shard, check that all came back."""
    shards, planned = _plan()
    _gather(planned, shards.map(_read).collect())
