"""Sessions and their records: the words for them, and when one that still runs is dead.

The moves between states are rows of `sync_state_moves` in the store; when a failed one is retried is `retries.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class SyncCategory(StrEnum):
    """What a session works on."""

    CAPACITY = "capacity"
    AGGREGATION = "aggregation"
    ACCOUNT = "account"
    CLASSIFICATION = "classification"
    PARTITION = "partition"


def session_tag(category: SyncCategory) -> str:
    """The tag of a Dagster run that names its session of a category; a run may open one of each."""
    return "whalefall/session_id" if category is SyncCategory.CAPACITY else f"whalefall/{category}_session_id"


class SyncType(StrEnum):
    """What started a session."""

    SCHEDULED_TASK = "scheduled_task"
    MANUAL_TASK = "manual_task"
    MANUAL_BATCH = "manual_batch"
    RETRY = "retry"
    BACKFILL = "backfill"


class SessionStatus(StrEnum):
    """running → completed | failed | cancelled."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RecordStatus(StrEnum):
    """pending → running → completed | failed."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


# A process says so often that its session lives, in seconds; one that has not for so long is dead.
BEAT_SECONDS = 2.0
DEAD_AFTER_SECONDS = 60.0


class RunState(StrEnum):
    """What Dagster says of the run of a session."""

    GOING = "going"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RunningSession:
    """A session that the store believes to run; `is_alive` when its process said so lately."""

    session_id: UUID
    run_id: str | None
    is_alive: bool


def ending_of(run: RunState, *, is_alive: bool) -> tuple[SessionStatus, str] | None:
    """How a running session ends, and why, given its run and whether its process lives; None when it goes on.

    What Dagster knows to be over is over, even if its process does not know it yet; what Dagster believes to run is over when its process
    is gone. A run of which Dagster knows nothing (it was deleted, or the session has none) is judged by its process alone.
    """
    if run is RunState.CANCELLED:
        return SessionStatus.CANCELLED, "its run was cancelled"
    if run is RunState.FAILED:
        return SessionStatus.FAILED, "its run failed before the work was over"
    if run is RunState.SUCCEEDED and not is_alive:
        return SessionStatus.FAILED, "its run ended without closing it"
    if not is_alive:
        return SessionStatus.FAILED, f"its process is gone: nothing was heard of it for {DEAD_AFTER_SECONDS:.0f} s"
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


@dataclass(frozen=True, slots=True)
class Session:
    """One run of one category as stored. `error_code` is of the session as a whole; `failures` counts the failed instances by theirs."""

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


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """One instance in one session as stored."""

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
class Notice:
    """What a session found odd about a database that it measured all the same: a sentence for people."""

    instance_name: str
    database_name: str
    notice: str
