"""What starts a run: the main job and the feeds by hand, a sensor on the inbox, daily schedules."""

from __future__ import annotations

import hashlib

import dagster as dg

from pipelines.defs.executors import is_spread
from pipelines.defs.feeds import FEEDS
from pipelines.defs.home import dagster_home
from pipelines.defs.places import Places
from pipelines.defs.retries import run_tags
from pipelines.defs.shards import shards_job
from pipelines.defs.turn import close_if_free
from pipelines.ingest.deposit import InboxError, look, look_beside

main_job = dg.define_asset_job(
    "tout_publier",
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets(FEEDS),
    description="Tout : lire les dépôts, contrôler, consolider, publier. Pour laisser passer un dépôt en attente, "
    "écrire son identifiant dans le formulaire de lancement (deposits).",
    config={"ops": {"staging": {"config": {"deposits": []}}}},
    run_tags=run_tags("tout_publier"),
)

feeds_job = dg.define_asset_job(
    "recevoir_les_sources",
    selection=dg.AssetSelection.assets(FEEDS),
    description="Recevoir les données ouvertes déclarées dans schemas/feeds.toml. Ce qui arrive dans raw/ lance "
    "ensuite le travail principal, comme un fichier déposé.",
    config={"ops": {"feeds": {"config": {"publishers": []}}}},
    run_tags=run_tags("recevoir_les_sources"),
)


@dg.sensor(
    job_name=shards_job.name if is_spread() else main_job.name,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Lance le travail principal quand le dossier des dépôts change : fichiers, déclarations, réponses ; la "
    "lecture en lots d'abord, si QFQ_EXECUTOR la confie à d'autres machines.",
)
def inbox_sensor(context: dg.SensorEvaluationContext, places: Places) -> dg.SensorResult | dg.SkipReason:
    """One run for all that is new. A file still being copied waits: its size will change, and call another run."""
    close_if_free(dagster_home(places.warehouse_folder), context.instance)
    try:
        files = [*look(places.raw_folder), *look_beside(places.raw_folder)]
    except InboxError as error:
        return dg.SkipReason(str(error))
    told = "\n".join(f"{file.path}\0{file.size}\0{file.mtime_ns}" for file in files)
    seen = hashlib.sha256(told.encode()).hexdigest()
    if seen == context.cursor:
        return dg.SkipReason("Rien de nouveau dans le dossier des dépôts.")
    asked = dg.RunRequest(run_key=seen, tags={"qfq/origine": "dossier des dépôts", "qfq/fichiers": str(len(files))})
    return dg.SensorResult(run_requests=[asked], cursor=seen)


@dg.sensor(
    name="apres_la_lecture_en_lots",
    job=main_job,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Lance le travail principal quand tous les lots sont lus et vérifiés.",
)
def shards_sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run of the main job for the last reading in shards that ended well."""
    ended = dg.RunsFilter(job_name=shards_job.name, statuses=[dg.DagsterRunStatus.SUCCESS])
    runs = context.instance.get_runs(ended, limit=1)
    if not runs:
        return dg.SkipReason("Aucune lecture en lots n'a abouti.")
    return dg.RunRequest(run_key=runs[0].run_id, tags={"qfq/origine": "lecture en lots"})


daily_schedule = dg.ScheduleDefinition(
    name="chaque_matin",
    job=main_job,
    cron_schedule="0 6 * * *",
    execution_timezone="Europe/Paris",
    description="Chaque matin à six heures, pour que « en cours » et « se termine » restent justes.",
)

feeds_schedule = dg.ScheduleDefinition(
    name="chaque_nuit",
    job=feeds_job,
    cron_schedule="0 4 * * *",
    execution_timezone="Europe/Paris",
    description="Chaque nuit à quatre heures, demander aux producteurs ce qui a changé.",
)
