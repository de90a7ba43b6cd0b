"""Writes messages into the outbox and what channels were told, in the transaction of the caller. `deliver.py` sends them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from whalefall_pipelines import queries
from whalefall_pipelines.alerts.model import Kind, Notice, Subject
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import fetch_as


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be delivered. `message_id` stays the same however often it is tried."""

    message_id: UUID
    channel_id: int
    kind: Kind
    subject: str
    body: str
    document: Mapping[str, object]
    alert_ids: tuple[int, ...] = field(default=())
    html: str | None = None


@dataclass(frozen=True, slots=True)
class _Named:
    instance_id: int
    database_id: int | None
    instance_name: str
    database_name: str | None


def list_notices(cursor: Cursor, alert_ids: Sequence[int]) -> tuple[Notice, ...]:
    """What channels were told of these alerts."""
    cursor.execute(queries.load("alerts/list_notices"), {"alert_ids": list(alert_ids)})
    return fetch_as(cursor, Notice)


def count_messages(cursor: Cursor, since: datetime) -> Mapping[int, int]:
    """How many messages about alerts each channel was given since an instant."""
    cursor.execute(queries.load("alerts/count_messages"), {"since": since})
    return dict(cursor.fetchall())


def name_subjects(cursor: Cursor, subjects: Iterable[Subject]) -> Mapping[Subject, str]:
    """What servers and databases are called now."""
    rows = [{"instance_id": subject.instance_id, "database_id": subject.database_id} for subject in subjects if subject.instance_id]
    cursor.execute(queries.load("alerts/list_names"), {"subjects": json.dumps(rows)})
    return {
        Subject(named.instance_id, named.database_id): "/".join(filter(None, (named.instance_name, named.database_name)))
        for named in fetch_as(cursor, _Named)
    }


def write_messages(cursor: Cursor, messages: Sequence[NewMessage], notices: Sequence[Notice], now: datetime) -> None:
    """Put messages into the outbox, and write down what their channels are told by them."""
    rows = [{name: getattr(message, name) for name in NewMessage.__slots__} for message in messages]
    cursor.execute(queries.load("alerts/insert_messages"), {"messages": json.dumps(rows, default=str), "now": now})
    told = [{name: getattr(notice, name) for name in Notice.__slots__} for notice in notices]
    if told:
        cursor.execute(queries.load("alerts/upsert_notices"), {"notices": json.dumps(told, default=str)})


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message that this process may send now, and where it goes. `url` and `signing_key` are references."""

    message_id: UUID
    channel_name: str
    kind: str
    url: str
    signing_key: str | None
    subject: str
    body: str
    html: str | None
    document: Mapping[str, object]
    attempts: int


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that was given up."""

    message_id: UUID
    channel_name: str
    subject: str
    created_at: datetime
    error: str


def claim(cursor: Cursor, now: datetime, claim_for: timedelta) -> QueuedMessage | None:
    """The oldest message that is due; nobody else gets it for this long. Its attempts include this one."""
    cursor.execute(queries.load("alerts/claim_message"), {"now": now, "claimed_until": now + claim_for})
    return next(iter(fetch_as(cursor, QueuedMessage)), None)


def mark_sent(cursor: Cursor, message: QueuedMessage, now: datetime) -> None:
    """Write down that a message was delivered."""
    cursor.execute(queries.load("alerts/mark_sent"), {"message_id": str(message.message_id), "now": now})


def defer(cursor: Cursor, message: QueuedMessage, status: str, next_attempt_at: datetime, error: str) -> None:
    """Write down that an attempt failed: `queued` again, or `failed` for good."""
    values = {"message_id": str(message.message_id), "status": status, "next_attempt_at": next_attempt_at, "error": error}
    cursor.execute(queries.load("alerts/defer_message"), values)


def list_undelivered(cursor: Cursor) -> tuple[Undelivered, ...]:
    """The messages that were given up, the newest first."""
    cursor.execute(queries.load("alerts/list_undelivered"))
    return fetch_as(cursor, Undelivered)


def requeue_failed(cursor: Cursor, now: datetime) -> int:
    """Queue again what was given up. Returns the number of messages."""
    cursor.execute(queries.load("alerts/requeue_failed"), {"now": now})
    return len(cursor.fetchall())


def find_unsent_heartbeat(cursor: Cursor) -> date | None:
    """The newest evaluated day, if the outside was not told of it."""
    cursor.execute(queries.load("alerts/find_unsent_heartbeat"))
    return (cursor.fetchone() or (None,))[0]


def mark_heartbeat(cursor: Cursor, day: date, now: datetime) -> None:
    """Write down that the outside was told of a day."""
    cursor.execute(queries.load("alerts/mark_heartbeat"), {"day": day, "now": now})
