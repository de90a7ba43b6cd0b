"""Sessions and their records, and the rule by which a running session is dead.

The state transitions are rows of `sync_state_moves` in the store; `sessions/retries.py` has the retries.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class SyncCategory(StrEnum):
    """The category of a session's work."""

    CAPACITY = "capacity"
    """Collecting, recovering or estimating sizes of databases."""
    AGGREGATION = "aggregation"
    """Computing days, weeks, months and quarters."""
    ACCOUNT = "account"
    """Reading the accounts of the servers."""
    CLASSIFICATION = "classification"
    """Classifying accounts."""
    PARTITION = "partition"
    """Maintaining table partitions and deleting expired rows."""
    TABLES = "tables"
    """Reading the sizes of tables."""
    FORECAST = "forecast"
    """Forecasting, scoring forecasts, and detecting changes."""


def session_tag(category: SyncCategory) -> str:
    """The tag of a Dagster run with its session id of a category. A run may open one session of each category."""
    return "whalefall/session_id" if category is SyncCategory.CAPACITY else f"whalefall/{category}_session_id"


class SyncType(StrEnum):
    """What started a session."""

    SCHEDULED_TASK = "scheduled_task"
    """A schedule or a sensor."""
    MANUAL_TASK = "manual_task"
    """A user, for all instances."""
    MANUAL_BATCH = "manual_batch"
    """A user, for some instances."""
    RETRY = "retry"
    """The retry of a session that ended with missing sizes."""
    BACKFILL = "backfill"
    """A run over past days."""


class SessionStatus(StrEnum):
    """running → completed | failed | cancelled."""

    RUNNING = "running"
    """Its process is working and sends heartbeats."""
    COMPLETED = "completed"
    """The work is finished, and no instance failed."""
    FAILED = "failed"
    """An instance or the session as a whole failed."""
    CANCELLED = "cancelled"
    """A user cancelled it. Finished instances keep their results."""


class RecordStatus(StrEnum):
    """pending → running → completed | failed."""

    PENDING = "pending"
    """The work has not begun."""
    RUNNING = "running"
    """The work has begun."""
    COMPLETED = "completed"
    """The work is finished."""
    FAILED = "failed"
    """The work failed; the record has a code and a message."""


# The interval of a session's heartbeats, and the age of the last heartbeat after which the session is dead, in seconds.
BEAT_SECONDS = 2.0
DEAD_AFTER_SECONDS = 60.0


class RunState(StrEnum):
    """The state of a session's run in Dagster."""

    GOING = "going"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RunningSession:
    """A session with status running. `is_alive` is true if its last heartbeat is recent."""

    session_id: UUID
    run_id: str | None
    is_alive: bool


def ending_of(run: RunState, *, is_alive: bool) -> tuple[SessionStatus, str] | None:
    """How a running session ends, and why, given its run and whether its process is alive; None if it continues.

    A run that is over for Dagster is over, even if its process has not noticed yet. A run that is active for Dagster is over if its process
    has died. If Dagster does not know the run (it was deleted, or the session has none), only the process counts.
    """
    if run is RunState.CANCELLED:
        return SessionStatus.CANCELLED, "its run was cancelled"
    if run is RunState.FAILED:
        return SessionStatus.FAILED, "its run failed before the work was finished"
    if run is RunState.SUCCEEDED and not is_alive:
        return SessionStatus.FAILED, "its run ended without closing it"
    if not is_alive:
        return SessionStatus.FAILED, f"its process has died: it sent no heartbeat for {DEAD_AFTER_SECONDS:.0f} s"
    return None


@dataclass(frozen=True, slots=True)
class SessionPlan:
    """A session about to be opened, for the days that its run covers."""

    session_id: UUID
    category: SyncCategory
    sync_type: SyncType
    first_day: date
    last_day: date
    run_id: str | None = None
    retry_of: UUID | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One stored session. `error_code` is that of the whole session; `failures` counts the failed instances by their error codes."""

    session_id: UUID
    run_id: str | None
    sync_category: SyncCategory
    sync_type: SyncType
    status: SessionStatus
    total_instances: int
    successful_instances: int
    failed_instances: int
    skipped_instances: int
    first_day: date
    last_day: date
    started_at: datetime
    completed_at: datetime | None
    retry_of: UUID | None
    error_code: str | None
    error_message: str | None
    failures: Mapping[str, int]
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class ClosedRecord:
    """How the work on one instance ended: completed, or failed if there is an error code. The items are databases, accounts or tables."""

    instance_id: int
    sync_details: Mapping[str, object]
    is_skipped: bool = False
    items_synced: int = 0
    items_created: int = 0
    items_updated: int = 0
    items_deleted: int = 0
    error_code: str | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """The stored record of one instance in one session."""

    instance_id: int
    instance_name: str
    status: RecordStatus
    is_skipped: bool
    attempts: int
    started_at: datetime | None
    completed_at: datetime | None
    items_synced: int
    items_created: int
    items_updated: int
    items_deleted: int
    error_code: str | None
    error_message: str | None
    sync_details: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class ProbeRecord:
    """What happened to one instance in a session, as the instance tells it: `first_day` and `last_day` are those of the session."""

    session_id: UUID
    sync_category: SyncCategory
    first_day: date
    last_day: date
    status: str
    started_at: datetime
    attempts: int
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A message about an anomaly of a measured database."""

    instance_name: str
    database_name: str
    notice: str
