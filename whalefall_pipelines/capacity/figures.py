"""What days hold, in figures: what reports and metadata tell of a day."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One day of the fleet. Sizes in bytes; None where nothing is known. Instances are those with a total.

    `total_bytes` is the sum of what has a size; it is the whole fleet only where the day `is_complete`. `held_total_bytes` has what is
    missing at its last known size. `shared_bytes` belong to no database.
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


@dataclass(frozen=True, slots=True)
class InventorySummary:
    """The inventory on one day: instances with databases, databases, how many came and went."""

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
    """An expected size that is not there. `database_name` is None when the databases of the instance were never listed."""

    stat_date: date
    instance_name: str
    database_name: str | None
    reason: str
    detail: str
    missing_of_day: int
