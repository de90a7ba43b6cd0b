"""The figures of a day that reports and metadata show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One day of the fleet. Sizes are in bytes, None if unknown. Only instances with a total are counted.

    `total_bytes` is the sum of all known sizes; it covers the whole fleet only if the day `is_complete`. `held_total_bytes` adds the
    last known size of every missing database. `shared_bytes` belong to no database.
    """

    stat_date: date
    instances: int
    databases: int
    total_bytes: int | None
    held_total_bytes: int | None
    is_complete: bool
    shared_bytes: int | None
    change_bytes: int | None
    measured: int
    recovered: int
    estimated: int
    missing: int

    @property
    def expected(self) -> int:
        """The number of expected databases. A server whose databases were never listed counts as one."""
        return self.measured + self.recovered + self.estimated + self.missing

    def is_below(self, share: float) -> bool:
        """Whether less than this share of the expected databases was measured."""
        return self.measured < share * self.expected


@dataclass(frozen=True, slots=True)
class InventorySummary:
    """The inventory of one day: the numbers of instances with databases, of databases, and of added and removed databases."""

    stat_date: date
    instances: int
    databases: int
    created: int
    deactivated: int


@dataclass(frozen=True, slots=True)
class RankedDatabase:
    """A database among the largest (`size_rank`) or the fastest growing (`growth_rank`) of its day."""

    stat_date: date
    instance_name: str
    database_name: str
    total_bytes: int
    change_bytes: int | None
    size_rank: int
    growth_rank: int | None


@dataclass(frozen=True, slots=True)
class RankedInstance:
    """An instance among the largest of its day; incomplete when `database_count` is less than `expected_count`."""

    stat_date: date
    instance_name: str
    engine: str
    total_bytes: int
    shared_bytes: int | None
    change_bytes: int | None
    database_count: int
    expected_count: int


@dataclass(frozen=True, slots=True)
class Gap:
    """An expected size that is missing. `database_name` is None if the databases of the instance were never listed."""

    stat_date: date
    instance_name: str
    database_name: str | None
    reason: str
    detail: str
    missing_of_day: int


@dataclass(frozen=True, slots=True)
class InstanceMetrics:
    """An active instance on a day: its newest complete total of at most 14 days before, and how many databases have a size."""

    instance_name: str
    engine: str
    capacity_limit_bytes: int | None
    total_bytes: int | None
    collected_at: datetime | None
    measured: int | None
    recovered: int | None
    estimated: int | None
    missing: int | None

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of its samples."""
        return {"instance": self.instance_name, "engine": self.engine}
