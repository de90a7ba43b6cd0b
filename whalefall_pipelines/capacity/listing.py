"""Lists of stored sizes, gaps and coverage, for the API. `ask.py` has the answers of the commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from whalefall_pipelines.capacity.store import listing as store
from whalefall_pipelines.domain.filters import Days, FleetFilter
from whalefall_pipelines.domain.sizes import Provenance
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class StoredSize:
    """One database on a day. Sizes are bytes; parts are null if the engine does not distinguish them."""

    instance_id: int
    instance_name: str
    database_name: str
    stat_date: date
    total_bytes: int
    data_bytes: int | None
    log_bytes: int | None
    provenance: Provenance
    method: str
    collected_at: datetime
    session_id: UUID | None


@dataclass(frozen=True, slots=True)
class OpenGap:
    """An expected size that is missing, with its reason and what to do. `database_name` is null if the server was never listed."""

    stat_date: date
    instance_id: int
    instance_name: str
    database_name: str | None
    reason: str
    detail: str
    session_id: UUID | None
    cursor_name: str


@dataclass(frozen=True, slots=True)
class InstanceCoverage:
    """How many databases of a server were expected on a day, and what is known of them. `expected` is null if it was never listed."""

    stat_date: date
    instance_id: int
    instance_name: str
    expected: int | None
    measured: int
    recovered: int
    estimated: int
    missing: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SizeFilter:
    """Which sizes, gaps or days are asked for."""

    days: Days
    fleet: FleetFilter = field(default_factory=FleetFilter)
    database_name: str | None = None
    reason: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the statements."""
        own = {"database_name": self.database_name, "reason": self.reason}
        return {**own, **self.fleet.parameters, **self.days.parameters}


def list_sizes(database: Database, wanted: SizeFilter, after: Mapping[str, Any], limits: Mapping[str, int]) -> tuple[StoredSize, ...]:
    """Sizes of databases, the newest day first. `after` has after_day, after_id and after_name."""
    return store.fetch(database, "list_sizes", StoredSize, {**wanted.parameters, **after, **limits})


def list_latest_sizes(
    database: Database, wanted: SizeFilter, after: Mapping[str, Any], limits: Mapping[str, int]
) -> tuple[StoredSize, ...]:
    """The newest size of each database of the inventory. `after` has after_id and after_name."""
    return store.fetch(database, "list_latest_sizes", StoredSize, {**wanted.parameters, **after, **limits})


def list_open_gaps(
    database: Database, wanted: SizeFilter, after: Mapping[str, Any], limits: Mapping[str, int | None]
) -> tuple[OpenGap, ...]:
    """What is missing and why, the newest day first. `after` has after_day, after_id and after_name."""
    return store.fetch(database, "list_open_gaps", OpenGap, {**wanted.parameters, **after, **limits})


def list_coverage(
    database: Database, wanted: SizeFilter, after: Mapping[str, Any], limits: Mapping[str, int]
) -> tuple[InstanceCoverage, ...]:
    """The coverage of instances, the newest day first. `after` has after_day and after_id."""
    return store.fetch(database, "list_instance_coverage", InstanceCoverage, {**wanted.parameters, **after, **limits})
