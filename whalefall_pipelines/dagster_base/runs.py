"""Reads the tags of a Dagster run and logs its progress. `sessions/runs.py` has its session."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from pydantic import Field

from whalefall_pipelines.domain.periods import Period
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.sessions import SyncType
from whalefall_pipelines.domain.zones import CENTRE, ZONE_TAG

PARTITION_TAG = "dagster/partition"
RETRY_TAG = "whalefall/retry_of"
GROUP_TAG = "whalefall/concurrency_group"
# The list of runs shows only the first two tags in the order of the alphabet, so these have no prefix.
DAYS_TAG = "days"
MISSING_TAG = "missing"
# Each log line of a run is a commit in Dagster's database, so there are only a few, regardless of the number of instances.
PROGRESS_SECONDS = 10.0
MOST_WARNINGS = 100
RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


class InstancesConfig(dg.Config):
    """The names of the instances to probe; every active instance of the run's zone if empty."""

    instances: list[str] = Field(default_factory=list[str])


def sync_type(tags: Mapping[str, str], *, some_instances: bool = False, is_over: bool = False) -> SyncType:
    """The sync type of a run, by its tags. A run over past days is always a backfill."""
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


def zone_tags(job: UnresolvedAssetJobDefinition, zone: str | None) -> dict[str, str]:
    """The tags that launch a run of this job in a zone. Each zone is a concurrency group of its own, so that none waits for another."""
    if zone is None:
        return {ZONE_TAG: CENTRE}
    return {ZONE_TAG: zone, GROUP_TAG: f"{(job.tags or {})[GROUP_TAG]} {zone}"}


def days_of(tags: Mapping[str, str], calendar: dg.TimeWindowPartitionsDefinition) -> list[date]:
    """The days for which a run was launched, by its tags; empty if it was launched without days."""
    if PARTITION_TAG in tags:
        return [date.fromisoformat(tags[PARTITION_TAG])]
    if RANGE_TAGS[0] in tags:
        keys = calendar.get_partition_keys_in_range(dg.PartitionKeyRange(tags[RANGE_TAGS[0]], tags[RANGE_TAGS[1]]))
        return [date.fromisoformat(key) for key in keys]
    return []


def span(days: Sequence[date]) -> str:
    """The first and the last of these ordered days."""
    return f"{days[0]}" if days[0] == days[-1] else f"{days[0]} to {days[-1]}"


@dataclass
class Progress:
    """Logs the progress of a run every few seconds, and its problems up to a limit. The records have all problems."""

    log: dg.DagsterLogManager
    total: int
    done: int = 0
    warnings: int = 0
    shown_at: float = field(default_factory=time.monotonic)

    def note(self, problem: str | None) -> None:
        """Count a finished instance, and log its problem if there is one."""
        self.done += 1
        if problem:
            self.warn(problem)
        if self.done == self.total or time.monotonic() >= self.shown_at + PROGRESS_SECONDS:
            self.shown_at = time.monotonic()
            self.log.info("%d of %s done, %d with a problem", self.done, counted(self.total, "instance"), self.warnings)

    def warn(self, problem: str) -> None:
        """Log a problem."""
        self.warnings += 1
        if self.warnings <= MOST_WARNINGS:
            self.log.warning("%s", problem)
        elif self.warnings == MOST_WARNINGS + 1:
            self.log.warning("Further problems are not logged; `whalefall sessions show` lists every instance of the session.")
