"""The sensor that retries instances whose accounts could not be read. The rules are in `sessions/retries.py`."""

from collections.abc import Iterator
from functools import partial

import dagster as dg

from whalefall_pipelines.accounts.jobs import sync_accounts
from whalefall_pipelines.accounts.store.retries import list_unrepaired
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import PARTITION_TAG, RETRY_TAG
from whalefall_pipelines.domain.days import measurable_days, measurable_until
from whalefall_pipelines.sessions.retries import due_retries


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=sync_accounts,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Retries the instances whose accounts could not be read, after the pauses of the retries of sizes "
    "(WHALEFALL_RETRY_MINUTES). A rejected login and a missing privilege wait until a person fixes them.",
)
def retry_unread_accounts(whalefall: WhalefallResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    settings = whalefall.installation()
    now = whalefall.now()
    with whalefall.store() as database:
        unrepaired = [session for day in measurable_days(now, ZONE, settings.grace) for session in list_unrepaired(database, day)]
    until = partial(measurable_until, timezone=ZONE, grace=settings.grace)
    due = due_retries(unrepaired, settings.retry_pauses, now, until)
    for retry in due:
        yield dg.RunRequest(
            run_key=str(retry.retry_of),
            run_config={"ops": {"fleet_accounts": {"config": {"instances": list(retry.instance_names)}}}},
            tags={PARTITION_TAG: retry.day.isoformat(), RETRY_TAG: str(retry.retry_of)},
        )
    if not due:
        yield dg.SkipReason(f"{sum(len(session.instance_names) for session in unrepaired)} instances wait for their next retry, or gave up")
