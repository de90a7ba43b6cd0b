"""The sensor that retries servers whose tables could not be read. The rule is in `sessions/retries.py`."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import dagster as dg

from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import PARTITION_TAG, RETRY_TAG
from whalefall_pipelines.domain.days import measurable_until
from whalefall_pipelines.sessions.retries import due_retries
from whalefall_pipelines.tables.collect_day import find_unrepaired
from whalefall_pipelines.tables.jobs import collect_tables


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=collect_tables,
    minimum_interval_seconds=120,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Visits the servers again whose tables could not be read today, after the pauses of WHALEFALL_RETRY_MINUTES. A rejected "
    "login and a missing privilege wait for the next week.",
)
def retry_failed_tables(whalefall: WhalefallResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    settings = whalefall.installation()
    with whalefall.store() as database:
        unrepaired = find_unrepaired(database, whalefall.today())
    due = due_retries(unrepaired, settings.retry_pauses, whalefall.now(), partial(measurable_until, timezone=ZONE, grace=timedelta()))
    for retry in due:
        yield dg.RunRequest(
            run_key=str(retry.retry_of),
            run_config={"ops": {"table_size_stats": {"config": {"instances": list(retry.instance_names)}}}},
            tags={PARTITION_TAG: retry.day.isoformat(), RETRY_TAG: str(retry.retry_of)},
        )
    if not due:
        yield dg.SkipReason(f"{sum(len(session.instance_names) for session in unrepaired)} servers wait for a retry")
