"""Reads and writes alerts and their events. Every writer holds the lock, so that what was read is what is left."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from whalefall_pipelines import queries
from whalefall_pipelines.alerts.conditions import Evidence
from whalefall_pipelines.alerts.model import Alert, Event, Status, Subject
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import as_model, fetch_as, fetch_rows, take


@dataclass(frozen=True, slots=True)
class Change:
    """An alert as it is now, and what happened to it."""

    alert: Alert
    events: tuple[Event, ...]
    was_cleared: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """When a closed day was evaluated, and when the outside was told so."""

    day: date
    evaluated_at: datetime
    heartbeat_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Known:
    alert_id: int
    has_sizes: bool
    has_accounts: bool

    @property
    def evidence(self) -> frozenset[Evidence]:
        has = {Evidence.STORE: True, Evidence.SIZES: self.has_sizes, Evidence.ACCOUNTS: self.has_accounts}
        return frozenset(evidence for evidence, is_there in has.items() if is_there)


def lock_alerts(cursor: Cursor) -> None:
    """Wait until no other program changes alerts."""
    cursor.execute(queries.load("alerts/lock_alerts"))


def insert_evaluation(cursor: Cursor, day: date, now: datetime) -> bool:
    """Say that a day is evaluated; False if it or a later one was."""
    cursor.execute(queries.load("alerts/insert_evaluation"), {"day": day, "now": now})
    return cursor.fetchone() is not None


def find_evaluation(cursor: Cursor, before: date) -> Evaluation | None:
    """The newest evaluation before a day."""
    cursor.execute(queries.load("alerts/find_evaluation"), {"day": before})
    return next(iter(fetch_as(cursor, Evaluation)), None)


def list_alerts_to_evaluate(cursor: Cursor, rule_ids: Sequence[int], met: Iterable[tuple[int, Subject]]) -> tuple[Alert, ...]:
    """The live alerts of these rules, and those of what was found."""
    subjects = _json({"rule_id": rule_id, **_subject(subject)} for rule_id, subject in met)
    cursor.execute(queries.load("alerts/list_alerts_to_evaluate"), {"rule_ids": list(rule_ids), "subjects": subjects})
    return _alerts(cursor)


def list_alerts_to_tell(cursor: Cursor, day: date) -> tuple[Alert, ...]:
    """The alerts of which channels may have to be told."""
    cursor.execute(queries.load("alerts/list_alerts_to_tell"), {"day": day})
    return _alerts(cursor)


def list_known(cursor: Cursor, day: date) -> Mapping[int, frozenset[Evidence]]:
    """Of what a day tells anything, by live alert of a server or database."""
    cursor.execute(queries.load("alerts/list_known_subjects"), {"day": day})
    return {known.alert_id: known.evidence for known in fetch_as(cursor, _Known)}


def write_changes(
    cursor: Cursor, changes: Sequence[Change], day: date, now: datetime, *, person: str | None = None, note: str | None = None
) -> tuple[Alert, ...]:
    """Write alerts and what happened to them. Returns the alerts with their identifiers."""
    if not changes:
        return ()
    new = [change.alert for change in changes if change.alert.alert_id is None]
    identifiers = _insert(cursor, new)
    alerts = tuple(
        replace(change.alert, alert_id=change.alert.alert_id or identifiers[change.alert.rule_id, change.alert.subject])
        for change in changes
    )
    reopened = [alert.alert_id for alert, change in zip(alerts, changes, strict=True) if change.was_cleared and alert.status.is_live]
    if reopened:
        cursor.execute(queries.load("alerts/reopen_alerts"), {"alert_ids": reopened})
    cursor.execute(queries.load("alerts/update_alerts"), {"alerts": _json(map(_row, alerts)), "now": now})
    events = [
        {"alert_id": alert.alert_id, "event": event, "severity": alert.severity, "figures": alert.figures, "person": person, "note": note}
        for alert, change in zip(alerts, changes, strict=True)
        for event in change.events
    ]
    if events:
        cursor.execute(queries.load("alerts/insert_events"), {"events": _json(events), "day": day, "now": now})
    return alerts


def change_of(before: Alert, after: Alert, events: tuple[Event, ...]) -> Change:
    """What is to be written of an alert."""
    return Change(after, events, was_cleared=before.alert_id is not None and before.status is Status.CLEARED)


def delete_expired(cursor: Cursor, before: date) -> None:
    """Delete events, messages and evaluations of before a day."""
    cursor.execute(queries.load("alerts/delete_expired"), {"day": before})


def _insert(cursor: Cursor, alerts: Sequence[Alert]) -> Mapping[tuple[int, Subject], int]:
    if not alerts:
        return {}
    rows = _json({"rule_id": alert.rule_id, **_subject(alert.subject), "severity": alert.severity} for alert in alerts)
    cursor.execute(queries.load("alerts/insert_alerts"), {"alerts": rows})
    return {(row["rule_id"], Subject(row["instance_id"], row["database_id"])): row["alert_id"] for row in fetch_rows(cursor)}


def _alerts(cursor: Cursor) -> tuple[Alert, ...]:
    return tuple(as_alert(row) for row in fetch_rows(cursor))


def as_alert(row: dict[str, Any]) -> Alert:
    """A row of `alerts` as an alert."""
    subject = take(row, Subject)
    return as_model(row, Alert, subject=subject)


def _row(alert: Alert) -> dict[str, object]:
    fields = {name: getattr(alert, name) for name in Alert.__slots__ if name != "subject"}
    return fields | _subject(alert.subject)


def _subject(subject: Subject) -> dict[str, object]:
    return {"instance_id": subject.instance_id, "database_id": subject.database_id}


def _json(rows: Iterable[Mapping[str, object]]) -> str:
    return json.dumps(list(rows), default=_text)


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
