"""Requests the runs that retry failed instances. The rule is in `retries.py`; each area finds its own instances."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from functools import partial

import dagster as dg

from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import PARTITION_TAG, RETRY_TAG
from whalefall_pipelines.domain.days import measurable_days, measurable_until
from whalefall_pipelines.sessions.retries import Retry, Unrepaired, due_retries, next_retry
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.store.database import Database


def retry_request(retry: Retry, op_name: str, *, run_key: str) -> dg.RunRequest:
    """The request for a run of these instances. Dagster launches each key once."""
    return dg.RunRequest(
        run_key=run_key,
        run_config={"ops": {op_name: {"config": {"instances": list(retry.instance_names)}}}},
        tags={PARTITION_TAG: retry.day.isoformat(), RETRY_TAG: str(retry.retry_of)},
    )


def request_retries(
    whalefall: WhalefallResource, op_name: str, list_unrepaired: Callable[[Database, date], Sequence[Unrepaired]], grace: timedelta
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request a run for the failed instances of every session whose retry is due. A day stays open for `grace` after its midnight."""
    now, pauses = whalefall.now(), whalefall.installation().of(CollectingSettings).retry_pauses
    with whalefall.store() as database:
        unrepaired = [session for day in measurable_days(now, ZONE, grace) for session in list_unrepaired(database, day)]
    until = partial(measurable_until, timezone=ZONE, grace=grace)
    due = due_retries(unrepaired, pauses, now, until)
    yield from (retry_request(retry, op_name, run_key=str(retry.retry_of)) for retry in due)
    if not due:
        moments = [(session, next_retry(session, pauses, until(session.day))) for session in unrepaired]
        waiting = sum(len(session.instance_names) for session, moment in moments if moment)
        given_up = sum(len(session.instance_names) for session in unrepaired) - waiting
        yield dg.SkipReason(f"{waiting} instances are waiting for their next retry, {given_up} had their last retry today")
