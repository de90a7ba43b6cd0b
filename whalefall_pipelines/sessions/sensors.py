"""Sessions that always end and days that repair themselves: what closes the sessions of dead runs, and what retries failed instances.

The rules are `domain/sessions.py` and `sessions/retries.py`; ending is `sessions/end_dead_sessions.py`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import partial
from typing import cast
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import dagster as dg

from whalefall_pipelines.capacity.jobs import collect_capacity
from whalefall_pipelines.capacity.store.retries import list_unrepaired
from whalefall_pipelines.dagster_base.calendar import DAYS, ZONE
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import PARTITION_TAG, RETRY_TAG, days_of, sync_type
from whalefall_pipelines.domain.days import measurable_days, measurable_until
from whalefall_pipelines.domain.sessions import RunState, SessionPlan, SessionStatus, SyncCategory
from whalefall_pipelines.sessions.end_dead_sessions import end_dead_sessions, end_sessions_of_run, record_lost_run
from whalefall_pipelines.sessions.retries import due_retries, next_retry
from whalefall_pipelines.sessions.store import list_known_runs

_STATES = {
    dg.DagsterRunStatus.SUCCESS: RunState.SUCCEEDED,
    dg.DagsterRunStatus.FAILURE: RunState.FAILED,
    # A run that was told to stop cannot hear it while it waits for a statement, and ending its session interrupts that.
    dg.DagsterRunStatus.CANCELING: RunState.CANCELLED,
    dg.DagsterRunStatus.CANCELED: RunState.CANCELLED,
}


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    job=collect_capacity,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Visits the instances again whose day still lacks something: 15 minutes, 1 hour and 3 hours later "
    "(WHALEFALL_RETRY_MINUTES), then every 3 hours, and a last time shortly before the day cannot be measured any more. A rejected login "
    "and a missing privilege wait for a person.",
)
def retry_failed_instances(whalefall: WhalefallResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    given = whalefall.installation()
    now = whalefall.now()
    with whalefall.store() as database:
        unrepaired = [one for day in measurable_days(now, ZONE, given.grace) for one in list_unrepaired(database, day)]
    until = partial(measurable_until, timezone=ZONE, grace=given.grace)
    due = due_retries(unrepaired, given.retry_pauses, now, until)
    for one in due:
        yield dg.RunRequest(
            run_key=str(one.retry_of),
            run_config={"ops": {"fleet_day": {"config": {"instances": list(one.instance_names)}}}},
            tags={PARTITION_TAG: one.day.isoformat(), RETRY_TAG: str(one.retry_of)},
        )
    if not due:
        moments = [(one, next_retry(one, given.retry_pauses, until(one.day))) for one in unrepaired]
        waiting = sum(len(one.instance_names) for one, moment in moments if moment)
        given_up = sum(len(one.instance_names) for one in unrepaired) - waiting
        yield dg.SkipReason(f"{waiting} instances wait for their next try, {given_up} had their last one today")


@dg.sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends every session that still runs although its run is over or its process is gone, whenever that happened. A collection "
    "of a day that can still be measured that failed before it had a session gets one, so that it is retried.",
)
def end_dead_runs(context: dg.SensorEvaluationContext, whalefall: WhalefallResource) -> dg.SkipReason:
    given = whalefall.installation()
    days = measurable_days(whalefall.now(), ZONE, given.grace)
    with whalefall.store() as database:
        ended = end_dead_sessions(database, lambda run_ids: _states(context.instance, run_ids))
        for one in ended:
            context.log.warning("session %s was %s: %s", one.session.session_id, one.status, one.why)
            run = context.instance.get_run_by_id(one.session.run_id) if one.session.run_id and one.run_goes_on else None
            if run:  # else it stays started for ever, in a slot of its lane
                context.instance.report_run_failed(run, message=f"Its session {one.session.session_id} was ended: {one.why}.")
        failed = _failed_collections(context.instance, days, ZONE)
        known = list_known_runs(database, failed)
        lost = [run for run_id, run in failed.items() if run_id not in known]
        for run in lost:
            context.log.warning("run %s failed before it had a session", run.run_id)
            record_lost_run(database, _lost(run), _named_instances(run))
    if not ended and not lost:
        return dg.SkipReason("every running session has a living run")
    return dg.SkipReason(f"{len(ended)} sessions were ended, {len(lost)} runs had failed before they had one")


@dg.run_failure_sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends the session of a run that failed.",
)
def end_failed_runs(context: dg.RunFailureSensorContext, whalefall: WhalefallResource) -> None:
    why = context.failure_event.message or "it gave no reason"
    with whalefall.store() as database:
        end_sessions_of_run(database, context.dagster_run.run_id, SessionStatus.FAILED, f"its run failed: {why}")


@dg.run_status_sensor(  # pyright: ignore[reportUnknownMemberType] - Dagster types it in part
    run_status=dg.DagsterRunStatus.CANCELED,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Cancels the session of a run that was cancelled.",
)
def end_cancelled_runs(context: dg.RunStatusSensorContext, whalefall: WhalefallResource) -> None:
    with whalefall.store() as database:
        end_sessions_of_run(database, context.dagster_run.run_id, SessionStatus.CANCELLED, "its run was cancelled")


def _states(instance: dg.DagsterInstance, run_ids: Sequence[str]) -> Mapping[str, RunState]:
    runs: Sequence[dg.DagsterRun] = instance.get_runs(dg.RunsFilter(run_ids=list(run_ids))) if run_ids else ()
    return {run.run_id: _STATES.get(run.status, RunState.GOING) for run in runs}


def _failed_collections(instance: dg.DagsterInstance, days: Collection[date], timezone: ZoneInfo) -> dict[str, dg.DagsterRun]:
    """The failed runs that were to collect one of these days, by their ids; none was launched before the first of them."""
    begun = datetime.combine(min(days), time.min, timezone).astimezone(UTC)
    failed = dg.RunsFilter(job_name=collect_capacity.name, statuses=[dg.DagsterRunStatus.FAILURE], created_after=begun)
    return {run.run_id: run for run in instance.get_runs(failed) if not set(days).isdisjoint(days_of(run.tags, DAYS))}


def _named_instances(run: dg.DagsterRun) -> list[str]:
    """The instances that the run config names, if it names any."""
    config = cast("dict[str, dict[str, dict[str, dict[str, list[str]]]]]", run.run_config)
    return config.get("ops", {}).get("fleet_day", {}).get("config", {}).get("instances", [])


def _lost(run: dg.DagsterRun) -> SessionPlan:
    days = days_of(run.tags, DAYS)
    return SessionPlan(
        session_id=uuid4(),
        category=SyncCategory.CAPACITY,
        sync_type=sync_type(run.tags),
        first_day=min(days),
        last_day=max(days),
        run_id=run.run_id,
        retry_of=UUID(run.tags[RETRY_TAG]) if RETRY_TAG in run.tags else None,
    )
