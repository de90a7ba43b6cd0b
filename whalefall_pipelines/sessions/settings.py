"""The settings of every collection from the monitored servers."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from whalefall_pipelines.domain.zones import CENTRE, Zones, zone_of
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.settings.group import Group, Minutes, Names


class CollectingSettings(Group):
    """How many servers are probed at once, for how long, and when they are retried."""

    title: ClassVar[str] = "Collecting"

    parallel_instances: int | None = Field(
        None,
        ge=1,
        le=512,
        description="Number of servers that are probed at the same time.",
        examples=["64 up to 1,000 servers, 256 up to 10,000, 512 above"],
    )
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

    broker_url: str | None = Field(
        None,
        repr=False,
        description="URL of the Redis through which runs reach the workers of zones. Only the extra `celery` uses it.",
        examples=["none"],
    )
    zones: Names = Field(
        (CENTRE,),
        description="The zones whose servers this process reaches, separated by commas; `centre` are the servers without a zone. It "
        "connects to no server of another zone.",
        examples=["`centre`"],
    )

    @property
    def reached(self) -> Zones:
        """The zones whose servers this process reaches."""
        return frozenset(map(zone_of, self.zones))

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
