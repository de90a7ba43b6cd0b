"""How a Dagster run maps onto a session: the one names the other, and tags tell what started it."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID, uuid4

import dagster as dg

from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType, session_tag

PARTITION_TAG = "dagster/partition"
RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def plan_session(
    context: dg.AssetExecutionContext, category: SyncCategory, days: Sequence[date], *, some_instances: bool = False, is_over: bool = False
) -> SessionPlan:
    """The session of this run. A run that was launched with a session id keeps it; every run is tagged with the id it has.

    A run that collects and aggregates opens one session of each category.
    """
    tags = context.run.tags
    tag = session_tag(category)
    session_id = UUID(tags[tag]) if tag in tags else uuid4()
    context.instance.add_run_tags(context.run.run_id, {tag: str(session_id)})
    return SessionPlan(
        session_id=session_id,
        category=category,
        sync_type=sync_type(tags, some_instances=some_instances, is_over=is_over),
        first_day=min(days),
        last_day=max(days),
        run_id=context.run.run_id,
    )


def sync_type(tags: Mapping[str, str], *, some_instances: bool = False, is_over: bool = False) -> SyncType:
    """What started a run, by its tags. A run over days that are over is a backfill, whoever started it."""
    if is_over or "dagster/backfill" in tags or RANGE_TAGS[0] in tags:
        return SyncType.BACKFILL
    if "dagster/schedule_name" in tags or "dagster/sensor_name" in tags:
        return SyncType.SCHEDULED_TASK
    return SyncType.MANUAL_BATCH if some_instances else SyncType.MANUAL_TASK


def days_of(tags: Mapping[str, str], calendar: dg.TimeWindowPartitionsDefinition) -> list[date]:
    """The days that a run was launched for, by its tags; none when it was launched without."""
    if PARTITION_TAG in tags:
        return [date.fromisoformat(tags[PARTITION_TAG])]
    if RANGE_TAGS[0] in tags:
        keys = calendar.get_partition_keys_in_range(dg.PartitionKeyRange(tags[RANGE_TAGS[0]], tags[RANGE_TAGS[1]]))
        return [date.fromisoformat(key) for key in keys]
    return []
