"""Schedules of runs that probe the monitored servers: one run for the day, and on an installation with zones one run for each of them."""

from collections.abc import Iterator, Sequence

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from whalefall_pipelines.dagster_base.calendar import TIMEZONE, ZONE
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import zone_tags
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.zones import name_of
from whalefall_pipelines.errors import WhalefallError
from whalefall_pipelines.inventory.fleet import active_zones


def schedule_of_fleet(name: str, job: UnresolvedAssetJobDefinition, cron_schedule: str, description: str) -> dg.ScheduleDefinition:
    """A schedule whose every tick requests a run of the job for the day of the tick, in each zone that has active instances.

    Without zones, and while the store is unavailable, it is one run without a zone; a sensor requests the zones that it did not reach.
    """

    @dg.schedule(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
        name=name,
        job=job,
        cron_schedule=cron_schedule,
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=description,
    )
    def request(context: dg.ScheduleEvaluationContext, whalefall: WhalefallResource) -> Iterator[dg.RunRequest]:
        day = today(context.scheduled_execution_time, ZONE).isoformat()
        zones = _zones(whalefall)
        if not any(zones):
            yield dg.RunRequest(run_key=day, partition_key=day)
            return
        for zone in zones:
            yield dg.RunRequest(run_key=f"{day}:{name_of(zone)}", partition_key=day, tags=zone_tags(job, zone))

    return request


def _zones(whalefall: WhalefallResource) -> Sequence[str | None]:
    try:
        with whalefall.store() as database:
            return active_zones(database)
    except WhalefallError:
        return ()
