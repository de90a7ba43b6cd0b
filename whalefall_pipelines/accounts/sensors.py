"""The sensor that retries instances whose accounts could not be read. The rules are in `sessions/retries.py`."""

from collections.abc import Iterator

import dagster as dg

from whalefall_pipelines.accounts.jobs import sync_accounts
from whalefall_pipelines.accounts.store.retries import list_unrepaired
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.sessions.retry_requests import request_retries
from whalefall_pipelines.sessions.settings import CollectingSettings


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=sync_accounts,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Retries the instances whose accounts could not be read, after the same pauses as sizes "
    "(WHALEFALL_RETRY_MINUTES). A rejected login and a missing privilege are not retried before someone fixes them.",
)
def retry_unread_accounts(whalefall: WhalefallResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    yield from request_retries(whalefall, "fleet_accounts", list_unrepaired, whalefall.installation().of(CollectingSettings).grace)
