"""Maps Dagster runs to sessions: each refers to the other, and they end together."""

from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import cast
from uuid import UUID, uuid4

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from whalefall_pipelines.dagster_base.calendar import DAYS, ZONE
from whalefall_pipelines.dagster_base.runs import DAYS_TAG, PARTITION_TAG, RANGE_TAGS, RETRY_TAG, days_of, span, sync_type
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.sessions import SessionPlan, SessionStatus, SyncCategory, session_tag
from whalefall_pipelines.domain.zones import ONLY_CENTRE, ZONE_TAG, Zones, zone_of
from whalefall_pipelines.errors import SessionEndedError
from whalefall_pipelines.sessions.end_dead_sessions import end_sessions_of_run, record_lost_run
from whalefall_pipelines.sessions.keep_session import Check, sync_session
from whalefall_pipelines.sessions.known_runs import is_of_another_run, list_known_runs
from whalefall_pipelines.sessions.show_sessions import cancel_queued_session
from whalefall_pipelines.sessions.store import REACHING
from whalefall_pipelines.store.database import Database

_IN_QUEUE = "its run was cancelled before it began"


def plan_session(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    database: Database,
    category: SyncCategory,
    days: Sequence[date],
    *,
    zones: Zones = ONLY_CENTRE,
    some_instances: bool = False,
    is_over: bool = False,
) -> SessionPlan:
    """Plan the session of this run, which collects in these zones.

    A run that was launched with a session id keeps it, and every run is tagged with its session id.

    A re-executed run copies the tags of the original run, but gets a session of its own. A run that both collects and aggregates opens
    one session of each category.
    """
    tags = context.run.tags
    session_id = _launched_id(database, context.run, category) or uuid4()
    context.instance.add_run_tags(context.run.run_id, {session_tag(category): str(session_id), DAYS_TAG: span(sorted(days))})
    return SessionPlan(
        session_id=session_id,
        category=category,
        sync_type=sync_type(tags, some_instances=some_instances, is_over=is_over),
        first_day=min(days),
        last_day=max(days),
        run_id=context.run.run_id,
        retry_of=UUID(tags[RETRY_TAG]) if RETRY_TAG in tags else None,
        zone=next(iter(zones)) if len(zones) == 1 else None,
    )


def _launched_id(database: Database, run: dg.DagsterRun, category: SyncCategory) -> UUID | None:
    """The session id with which a run was launched; None if it was launched without one, or has the tags of a run that it repeats."""
    tag = session_tag(category)
    tagged_id = UUID(run.tags[tag]) if tag in run.tags else None
    return tagged_id if tagged_id and not is_of_another_run(database, tagged_id, run.run_id) else None


def cancel_queued_sessions(database: Database, run: dg.DagsterRun, today: date) -> None:
    """Store the sessions as cancelled that a run was launched with and had not opened when it was cancelled."""
    for plan in _launched_plans(database, run, today):
        cancel_queued_session(database, plan, _IN_QUEUE)


def fail_queued_sessions(database: Database, run: dg.DagsterRun, today: date) -> None:
    """Store the sessions as failed that a run was launched with and had not opened when it failed.

    Those that reach servers on a day that can still be measured are left to the sensors of their areas, which know their instances.
    """
    for plan in _launched_plans(database, run, today):
        if plan.category not in REACHING or plan.last_day < today - timedelta(days=1):
            record_lost_run(database, plan, [])


def _launched_plans(database: Database, run: dg.DagsterRun, today: date) -> Iterator[SessionPlan]:
    """The sessions that a run was launched with."""
    days = [date.fromisoformat(run.tags[tag]) for tag in (PARTITION_TAG, *RANGE_TAGS) if tag in run.tags] or [today]
    for category in SyncCategory:
        if session_id := _launched_id(database, run, category):
            yield SessionPlan(session_id, category, sync_type(run.tags), days[0], days[-1], run.run_id)


@contextmanager
def session_of_run(
    context: dg.AssetExecutionContext | dg.OpExecutionContext, database: Database, plan: SessionPlan, instances: Sequence[Instance]
) -> Generator[Check]:
    """Keep a session open for the block. Cancelling the session cancels its run, unless the run is already over for Dagster."""
    _end_session_of_parent(context, database)
    try:
        with sync_session(database, plan, instances) as check:
            yield check
    except SessionEndedError as error:
        run = context.instance.get_run_by_id(context.run.run_id)
        if run is None or run.is_finished:
            raise
        context.log.warning("%s", error)
        context.instance.report_run_canceling(run, message=str(error))
        raise dg.DagsterExecutionInterruptedError from error


_ENDS = {dg.DagsterRunStatus.FAILURE: SessionStatus.FAILED, dg.DagsterRunStatus.CANCELED: SessionStatus.CANCELLED}


def _end_session_of_parent(context: dg.AssetExecutionContext | dg.OpExecutionContext, database: Database) -> None:
    """End the session of the run that this one repeats. Dagster launches a retry before a sensor has ended that session."""
    parent_id = context.run.parent_run_id
    parent = context.instance.get_run_by_id(parent_id) if parent_id else None
    if parent is not None and parent.status in _ENDS:
        end_sessions_of_run(database, parent.run_id, _ENDS[parent.status], "its run is over and is repeated")


@dataclass(frozen=True, slots=True)
class RunsOfDays:
    """The runs of a job that asks the servers, each for its days. `op_name` is the op whose config lists instances."""

    job: UnresolvedAssetJobDefinition
    op_name: str
    category: SyncCategory


def record_lost_runs(
    context: dg.SensorEvaluationContext,
    database: Database,
    days: Collection[date],
    runs: RunsOfDays,
    instances_of: Callable[[Sequence[str], Zones | None], Sequence[Instance]],
) -> None:
    """Record a failed session for every run of these days that failed before it opened one, so that it is retried.

    `instances_of` returns the instances that a run was for, by the names in its config and the zones in which it was to run; no name is
    all of them, and None all zones.
    """
    failed = _failed_runs(context.instance, runs, days)
    known = list_known_runs(database, runs.category, failed)
    for run in (run for run_id, run in failed.items() if run_id not in known):
        context.log.warning("run %s failed before it opened a session", run.run_id)
        zone = run.tags.get(ZONE_TAG)
        instances = instances_of(_named_instances(run, runs), frozenset({zone_of(zone)}) if zone else None)
        record_lost_run(database, _lost(database, run, runs), [instance.instance_id for instance in instances])


def _failed_runs(instance: dg.DagsterInstance, runs: RunsOfDays, days: Collection[date]) -> dict[str, dg.DagsterRun]:
    """The failed runs for one of these days, by run id. None was launched before the first of these days."""
    begun = datetime.combine(min(days), time.min, ZONE).astimezone(UTC)
    failed = dg.RunsFilter(job_name=runs.job.name, statuses=[dg.DagsterRunStatus.FAILURE], created_after=begun)
    return {run.run_id: run for run in instance.get_runs(failed) if not set(days).isdisjoint(days_of(run.tags, DAYS))}


def _named_instances(run: dg.DagsterRun, runs: RunsOfDays) -> list[str]:
    """The instances that the run config lists, if any."""
    config = cast("dict[str, dict[str, dict[str, dict[str, list[str]]]]]", run.run_config)
    return config.get("ops", {}).get(runs.op_name, {}).get("config", {}).get("instances", [])


def _lost(database: Database, run: dg.DagsterRun, runs: RunsOfDays) -> SessionPlan:
    days = days_of(run.tags, DAYS)
    return SessionPlan(
        session_id=_launched_id(database, run, runs.category) or uuid4(),
        category=runs.category,
        sync_type=sync_type(run.tags),
        first_day=min(days),
        last_day=max(days),
        run_id=run.run_id,
        retry_of=UUID(run.tags[RETRY_TAG]) if RETRY_TAG in run.tags else None,
        zone=zone_of(run.tags.get(ZONE_TAG)),
    )
