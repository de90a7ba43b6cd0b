"""The settings of every collection from the monitored servers."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.settings.group import Group, Minutes


class CollectingSettings(Group):
    """How many servers are probed at once, for how long, and when they are retried."""

    title: ClassVar[str] = "Collecting"

    parallel_instances: int = Field(64, ge=1, le=512, description="Number of servers that are probed at the same time.")
    connect_timeout_seconds: int = Field(10, ge=2, le=300, description="Deadline of a connection.")
    statement_timeout_seconds: int = Field(60, ge=1, le=3600, description="Deadline of a statement on a monitored server.")
    instance_timeout_seconds: int = Field(
        300, ge=2, le=7200, description="Deadline of the whole probe of a server, with its retries within the run."
    )
    grace_hours: int = Field(
        2, ge=0, le=23, description="Number of hours after midnight during which the previous day may still be measured."
    )
    retry_minutes: Minutes = Field(
        (15, 60, 180),
        description="Pauses in minutes before the first retries of missing sizes. Later retries follow every 3 hours, or after the longest "
        "of these pauses.",
    )

    @property
    def grace(self) -> timedelta:
        """How long after midnight the day before may still be measured."""
        return timedelta(hours=self.grace_hours)

    @property
    def retry_pauses(self) -> tuple[timedelta, ...]:
        """The pauses before the first retries by later runs."""
        return tuple(timedelta(minutes=minutes) for minutes in self.retry_minutes)

    @property
    def deadlines(self) -> Deadlines:
        """The deadlines of a probe."""
        return Deadlines(self.connect_timeout_seconds, self.statement_timeout_seconds, self.instance_timeout_seconds)


SETTINGS = CollectingSettings
