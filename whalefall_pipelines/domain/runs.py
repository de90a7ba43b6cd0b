"""Runs to be started in Dagster: a job, its days or periods, and the session that it will open.

`sessions/run_in_dagster.py` executes them in a subprocess, `api/dagster_launcher.py` puts them into Dagster's queue.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from uuid import UUID, uuid4

from whalefall_pipelines.domain.periods import Period
from whalefall_pipelines.domain.sessions import SyncCategory, session_tag


@dataclass(frozen=True, slots=True)
class Run:
    """A job, its Dagster partitions (one, or a range as a backfill, each named by its first day), and the id of its session.

    A job without partitions has no days.
    """

    job_name: str
    category: SyncCategory
    first_start: date | None
    last_start: date | None
    session_id: UUID = field(default_factory=uuid4)
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def tags(self) -> dict[str, str]:
        """The tags with which it is launched."""
        tags = {session_tag(self.category): str(self.session_id)}
        if self.first_start is None or self.last_start is None:
            return tags
        if self.first_start == self.last_start:
            return tags | {"dagster/partition": str(self.first_start)}
        span = {"dagster/asset_partition_range_start": str(self.first_start), "dagster/asset_partition_range_end": str(self.last_start)}
        return tags | span


@dataclass(frozen=True, slots=True)
class Queued:
    """A run that was launched and has not opened its session yet, and what was answered when it was."""

    session_id: UUID
    run_id: str
    answer: Mapping[str, Any]


class Launcher(Protocol):
    """Puts runs into Dagster's queue, where its concurrency groups and retries apply."""

    def launch(self, run: Run) -> str:
        """Put a run into the queue and return its id in Dagster.

        Raises:
            LaunchError: Dagster cannot be reached or refuses the run.
        """
        ...


def collection(first_day: date, last_day: date) -> Run:
    """The run that collects a day, or fills a range of past days."""
    return Run("collect_capacity", SyncCategory.CAPACITY, first_day, last_day)


def aggregation(first: Period, last: Period) -> Run:
    """The run that computes periods from their days."""
    return Run(f"aggregate_{first.period_type}_periods", SyncCategory.AGGREGATION, first.start, last.start)
