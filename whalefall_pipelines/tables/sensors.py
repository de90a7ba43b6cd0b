"""The sensor that retries servers whose tables could not be read. The rule is in `sessions/retries.py`."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.sessions.retry_requests import request_retries
from whalefall_pipelines.tables.collect_day import find_unrepaired
from whalefall_pipelines.tables.jobs import collect_tables


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=collect_tables,
    minimum_interval_seconds=120,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Retries the servers whose tables could not be read today, after the pauses of WHALEFALL_RETRY_MINUTES. A rejected login "
    "and a missing privilege wait for the next week.",
)
def retry_failed_tables(whalefall: WhalefallResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    yield from request_retries(whalefall, "table_size_stats", find_unrepaired, grace=timedelta())
