"""The job that says, before it is paid, what reading the history again will cost. It reads and changes nothing."""

import dagster as dg

from pipelines.defs.metadata import cost_metadata
from pipelines.defs.places import Places
from pipelines.defs.retries import run_tags
from pipelines.defs.staging import STAGING
from pipelines.ingest.deposit import InboxError
from pipelines.ingest.restaging import cost, told_plainly

NAME = "prevoir_la_relecture"


@dg.op(
    name="cout_de_relecture",
    description="Compter ce que le prochain passage lira : fichiers nouveaux, et fichiers à relire parce qu'un format, "
    "le contrat, funder.toml ou le code a changé. La durée est estimée d'après les passages que garde le registre.",
)
def _forecast(context: dg.OpExecutionContext, places: Places) -> None:
    try:
        found = cost(places.raw_folder, places.warehouse_folder)
    except InboxError as error:
        raise dg.Failure(str(error)) from error
    context.log.info("Au prochain passage : %s", told_plainly(found))
    context.log_event(dg.AssetObservation(STAGING, metadata=cost_metadata(found)))


@dg.job(
    name=NAME,
    description="Dire, sans rien lire ni changer, combien de fichiers, de lignes et de secondes coûtera la relecture "
    "de l'historique. La réponse est une observation de l'asset staging.",
    tags=run_tags(NAME),
)
def forecast_job() -> None:
    """One step."""
    _forecast()
