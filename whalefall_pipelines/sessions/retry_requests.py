"""Requests the runs that retry failed instances, and those of zones in which no run has collected.

The rule of retries is in `retries.py`; each area finds its own instances.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import partial

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import PARTITION_TAG, RETRY_TAG, zone_tags
from whalefall_pipelines.domain.days import measurable_days, measurable_until
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.zones import ZONE_TAG, name_of, zone_of
from whalefall_pipelines.sessions.retries import Retry, Unrepaired, due_retries, next_retry
from whalefall_pipelines.sessions.runs import RunsOfDays
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.sessions.zones import list_zones
from whalefall_pipelines.store.database import Database


def retry_request(retry: Retry, runs: RunsOfDays, *, why: str = "") -> dg.RunRequest:
    """The request for a run of these instances. Dagster launches each key, made of the session, the zone and `why`, once."""
    keys = (str(retry.retry_of), retry.zone, why)
    return dg.RunRequest(
        run_key=":".join(filter(None, keys)),
        run_config={"ops": {runs.op_name: {"config": {"instances": list(retry.instance_names)}}}},
        tags={
            PARTITION_TAG: retry.day.isoformat(),
            RETRY_TAG: str(retry.retry_of),
            **(zone_tags(runs.job, retry.zone) if retry.zone else {}),
        },
    )


def request_remaining_zones(
    context: dg.SensorEvaluationContext, database: Database, days: Iterable[date], runs: RunsOfDays
) -> list[dg.RunRequest]:
    """Requests for the zones in which no run has collected a day that was asked for, and for which none waits or runs."""
    requests: list[dg.RunRequest] = []
    for day in days:
        zones = [known.zone for known in list_zones(database, runs.category, day) if known.is_asked_for and not known.has_session]
        going = _going_zones(context.instance, runs.job.name, day) if zones else ()
        requests += [
            dg.RunRequest(run_key=f"{day}:{name_of(zone)}", tags={PARTITION_TAG: day.isoformat(), **zone_tags(runs.job, zone)})
            for zone in zones
            if zone not in going
        ]
    return requests


def _going_zones(instance: dg.DagsterInstance, job_name: str, day: date) -> set[str | None]:
    """The zones for which a run of a day waits or runs. A run without a zone collects in the centre."""
    going = dg.RunsFilter(job_name=job_name, statuses=NOT_FINISHED_STATUSES, tags={PARTITION_TAG: day.isoformat()})
    return {zone_of(run.tags.get(ZONE_TAG)) for run in instance.get_runs(going)}


def request_retries(
    whalefall: WhalefallResource, runs: RunsOfDays, list_unrepaired: Callable[[Database, date], Sequence[Unrepaired]], grace: timedelta
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Request a run for the failed instances of every session whose retry is due. A day stays open for `grace` after its midnight."""
    now, pauses = whalefall.now(), whalefall.installation().of(CollectingSettings).retry_pauses
    with whalefall.store() as database:
        unrepaired = [session for day in measurable_days(now, ZONE, grace) for session in list_unrepaired(database, day)]
    until = partial(measurable_until, timezone=ZONE, grace=grace)
    due = due_retries(unrepaired, pauses, now, until)
    yield from (retry_request(retry, runs) for retry in due)
    if not due:
        moments = [(session, next_retry(session, pauses, until(session.day))) for session in unrepaired]
        waiting = sum(len(session.instance_names) for session, moment in moments if moment)
        given_up = sum(len(session.instance_names) for session in unrepaired) - waiting
        waits = counted(waiting, "instance is waiting for its next retry", "instances are waiting for their next retry")
        yield dg.SkipReason(f"{waits}, {counted(given_up, 'had its last retry today', 'had their last retry today')}")
