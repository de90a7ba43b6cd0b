"""How a Dagster run maps onto a session: the one names the other, tags tell what started it, and they end together."""

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid4

import dagster as dg

from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.periods import Period
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType, session_tag
from whalefall_pipelines.errors import SessionEndedError
from whalefall_pipelines.sessions.keep_session import Check, sync_session
from whalefall_pipelines.sessions.store import is_known
from whalefall_pipelines.store.database import Database

PARTITION_TAG = "dagster/partition"
RETRY_TAG = "whalefall/retry_of"
# Each line of a run's log is a commit in Dagster's database, so there are few however many instances a run has.
PROGRESS_SECONDS = 10.0
MOST_WARNINGS = 100
RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def plan_session(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    database: Database,
    category: SyncCategory,
    days: Sequence[date],
    *,
    some_instances: bool = False,
    is_over: bool = False,
) -> SessionPlan:
    """The session of this run. A run that was launched with a session id keeps it; every run is tagged with the id it has.

    A run that is executed again copies the tags of the first, whose session is not its own. A run that collects and aggregates opens one
    session of each category.
    """
    tags = context.run.tags
    tag = session_tag(category)
    given = UUID(tags[tag]) if tag in tags else None
    session_id = given if given and not is_known(database, given) else uuid4()
    context.instance.add_run_tags(context.run.run_id, {tag: str(session_id)})
    return SessionPlan(
        session_id=session_id,
        category=category,
        sync_type=sync_type(tags, some_instances=some_instances, is_over=is_over),
        first_day=min(days),
        last_day=max(days),
        run_id=context.run.run_id,
        retry_of=UUID(tags[RETRY_TAG]) if RETRY_TAG in tags else None,
    )


@contextmanager
def session_of_run(
    context: dg.AssetExecutionContext | dg.OpExecutionContext, database: Database, plan: SessionPlan, instances: Sequence[Instance]
) -> Generator[Check]:
    """A session for the block, ended with it. A session that somebody cancels cancels its run, unless that is over for Dagster already."""
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


def sync_type(tags: Mapping[str, str], *, some_instances: bool = False, is_over: bool = False) -> SyncType:
    """What started a run, by its tags. A run over days that are over is a backfill, whoever started it."""
    if RETRY_TAG in tags and not is_over:
        return SyncType.RETRY
    if is_over or "dagster/backfill" in tags or RANGE_TAGS[0] in tags:
        return SyncType.BACKFILL
    if "dagster/schedule_name" in tags or "dagster/sensor_name" in tags:
        return SyncType.SCHEDULED_TASK
    return SyncType.MANUAL_BATCH if some_instances else SyncType.MANUAL_TASK


def span_tags(first: Period, last: Period) -> dict[str, str]:
    """The tags that launch a run for these periods of one type, from the first to the last."""
    if first == last:
        return {PARTITION_TAG: first.start.isoformat()}
    return {RANGE_TAGS[0]: first.start.isoformat(), RANGE_TAGS[1]: last.start.isoformat()}


def days_of(tags: Mapping[str, str], calendar: dg.TimeWindowPartitionsDefinition) -> list[date]:
    """The days that a run was launched for, by its tags; none when it was launched without."""
    if PARTITION_TAG in tags:
        return [date.fromisoformat(tags[PARTITION_TAG])]
    if RANGE_TAGS[0] in tags:
        keys = calendar.get_partition_keys_in_range(dg.PartitionKeyRange(tags[RANGE_TAGS[0]], tags[RANGE_TAGS[1]]))
        return [date.fromisoformat(key) for key in keys]
    return []


@dataclass
class Progress:
    """What a run logs of its instances: how far it is every few seconds, and its problems up to a number. The records have all of them."""

    log: dg.DagsterLogManager
    total: int
    done: int = 0
    warnings: int = 0
    shown_at: float = field(default_factory=time.monotonic)

    def note(self, problem: str | None) -> None:
        """Count one more instance that is done, with its problem if it has one."""
        self.done += 1
        if problem:
            self.warn(problem)
        if self.done == self.total or time.monotonic() >= self.shown_at + PROGRESS_SECONDS:
            self.shown_at = time.monotonic()
            self.log.info("%d of %d instances done, %d with a problem", self.done, self.total, self.warnings)

    def warn(self, problem: str) -> None:
        """Log a problem."""
        self.warnings += 1
        if self.warnings <= MOST_WARNINGS:
            self.log.warning("%s", problem)
        elif self.warnings == MOST_WARNINGS + 1:
            self.log.warning("Further problems are not logged: `whalefall sessions show` names every instance of the session.")
