"""All definitions: what `dagster dev` loads and what `qfq run` executes."""

from __future__ import annotations

import dagster as dg

from pipelines.defs.feeds import feeds
from pipelines.defs.forecast import forecast_job
from pipelines.defs.places import Places
from pipelines.defs.progress import Progress
from pipelines.defs.publication import public_database, site
from pipelines.defs.shards import shards_job
from pipelines.defs.staging import staging
from pipelines.defs.triggers import daily_schedule, feeds_job, feeds_schedule, inbox_sensor, main_job, shards_sensor
from pipelines.defs.warehouse import funding_database


def definitions(*, places: Places, progress: Progress) -> dg.Definitions:
    """Everything, over these folders: a job that has a launch form keeps the resources it was defined with."""
    return dg.Definitions(
        assets=[feeds, staging, funding_database, public_database, site],
        jobs=[main_job, feeds_job, forecast_job, shards_job],
        sensors=[inbox_sensor, shards_sensor],
        schedules=[daily_schedule, feeds_schedule],
        resources={"places": places, "progress": progress},
        executor=dg.in_process_executor,
    )


defs = definitions(places=Places(), progress=Progress())
