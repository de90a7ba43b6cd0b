"""The sensor that retries servers whose tables could not be read. The rule is in `sessions/retries.py`."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.sessions.retry_requests import request_remaining_zones, request_retries
from whalefall_pipelines.sessions.runs import RunsOfDays, record_lost_runs
from whalefall_pipelines.tables.collect_day import choose, find_unrepaired, rules_of
from whalefall_pipelines.tables.jobs import collect_tables

_READINGS = RunsOfDays(collect_tables, "table_size_stats", SyncCategory.TABLES)


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=collect_tables,
    minimum_interval_seconds=120,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Retries the servers whose tables could not be read today, after the pauses of WHALEFALL_RETRY_MINUTES. A rejected "
    "login and a missing privilege are retried next week. A run that failed before it opened a session gets a session, so that it is "
    "retried. Zones that a run without a zone did not reach get a run of their own.",
)
def retry_failed_tables(context: dg.SensorEvaluationContext, whalefall: WhalefallResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    day, rules = whalefall.today(), rules_of(whalefall.installation())
    with whalefall.store() as database:
        record_lost_runs(context, database, [day], _READINGS, lambda names, zones: choose(database, day, rules, names, zones).targets)
        remaining = request_remaining_zones(context, database, [day], _READINGS)
    yield from remaining or request_retries(whalefall, _READINGS, find_unrepaired, grace=timedelta())
