"""Reads alerts as people see them, and writes mutes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from whalefall_pipelines import queries
from whalefall_pipelines.alerts.model import Alert, Mute, Status
from whalefall_pipelines.alerts.store.alerts import as_alert
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import fetch_as, fetch_rows


@dataclass(frozen=True, slots=True)
class EventRow:
    """What happened to an alert."""

    event: str
    day: date
    happened_at: datetime
    severity: str
    person: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class MuteRow:
    """A mute with the names of what it covers; None is any."""

    mute_id: int
    rule_name: str | None
    instance_name: str | None
    database_name: str | None
    owner: str
    reason: str
    created_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Target:
    """What is called so; None if nothing is."""

    rule_id: int | None
    instance_id: int | None
    database_id: int | None


@dataclass(frozen=True, slots=True)
class Selected:
    """Which alerts are listed: the open and acknowledged ones or all, or a single one; after an alert, or from an offset."""

    with_all: bool = False
    alert_id: int | None = None
    after_id: int | None = None
    skipped: int = 0
    most: int = 1000


def list_alerts(cursor: Cursor, now: datetime, selected: Selected) -> list[dict[str, Any]]:
    """The columns of alerts that people see, the most urgent alert first."""
    values = {"now": now, **asdict(selected)}
    cursor.execute(queries.load("alerts/list_alerts"), values)
    return [{**row, "status": Status(row["status"])} for row in fetch_rows(cursor)]


def list_events(cursor: Cursor, alert_id: int) -> tuple[EventRow, ...]:
    """What happened to an alert, the newest first."""
    cursor.execute(queries.load("alerts/list_events"), {"alert_id": alert_id})
    return fetch_as(cursor, EventRow)


def find_alert(cursor: Cursor, alert_id: int) -> Alert | None:
    """One alert."""
    cursor.execute(queries.load("alerts/find_alert"), {"alert_id": alert_id})
    return next((as_alert(row) for row in fetch_rows(cursor)), None)


def find_target(cursor: Cursor, names: Mapping[str, str | None]) -> Target:
    """The identifiers of what is called so."""
    cursor.execute(queries.load("alerts/find_target"), names)
    return fetch_as(cursor, Target)[0]


def insert_mute(cursor: Cursor, target: Target, *, owner: str, reason: str, now: datetime, until_at: datetime) -> Mute:
    """Add a mute."""
    values = {
        "rule_id": target.rule_id,
        "instance_id": target.instance_id,
        "database_id": target.database_id,
        "owner": owner,
        "reason": reason,
        "now": now,
        "until_at": until_at,
    }
    cursor.execute(queries.load("alerts/insert_mute"), values)
    return fetch_as(cursor, Mute)[0]


def list_mutes(cursor: Cursor, now: datetime) -> tuple[MuteRow, ...]:
    """The mutes that are not over, with names."""
    cursor.execute(queries.load("alerts/list_named_mutes"), {"now": now})
    return fetch_as(cursor, MuteRow)


def end_mute(cursor: Cursor, mute_id: int, now: datetime) -> bool:
    """End a mute; False if it is over, or there is none."""
    cursor.execute(queries.load("alerts/end_mute"), {"mute_id": mute_id, "now": now})
    return cursor.fetchone() is not None
