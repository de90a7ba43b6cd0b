"""The sensor that retries instances whose accounts could not be read. The rules are in `sessions/retries.py`."""

from collections.abc import Iterator

import dagster as dg

from whalefall_pipelines.accounts.jobs import sync_accounts
from whalefall_pipelines.accounts.store.retries import list_unrepaired
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.domain.days import measurable_days
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.retry_requests import request_remaining_zones, request_retries
from whalefall_pipelines.sessions.runs import RunsOfDays, record_lost_runs
from whalefall_pipelines.sessions.settings import CollectingSettings

_READINGS = RunsOfDays(sync_accounts, "fleet_accounts", SyncCategory.ACCOUNT)


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=sync_accounts,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Retries the instances whose accounts could not be read, after the same pauses as sizes "
    "(WHALEFALL_RETRY_MINUTES). A rejected login and a missing privilege are not retried before someone fixes them. A run that failed "
    "before it opened a session gets a session, so that it is retried. Zones that a run without a zone did not reach get a run.",
)
def retry_unread_accounts(context: dg.SensorEvaluationContext, whalefall: WhalefallResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    grace = whalefall.installation().of(CollectingSettings).grace
    days = measurable_days(whalefall.now(), ZONE, grace)
    with whalefall.store() as database:
        record_lost_runs(context, database, days, _READINGS, lambda names, zones: active_instances(database, names, zones=zones))
        remaining = request_remaining_zones(context, database, days, _READINGS)
    yield from remaining or request_retries(whalefall, _READINGS, list_unrepaired, grace)
