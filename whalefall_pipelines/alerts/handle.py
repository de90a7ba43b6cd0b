"""What a person may do with alerts: list them, say that they have seen one, mute, and end a mute."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from whalefall_pipelines.alerts.advance import acknowledge
from whalefall_pipelines.alerts.catalogue import CONDITIONS
from whalefall_pipelines.alerts.conditions import Evidence
from whalefall_pipelines.alerts.model import Alert, Event, Mute, Status
from whalefall_pipelines.alerts.store import alerts as store
from whalefall_pipelines.alerts.store import outbox, people
from whalefall_pipelines.alerts.store.alerts import Change
from whalefall_pipelines.alerts.store.outbox import Undelivered
from whalefall_pipelines.alerts.store.people import EventRow, MuteRow, Selected
from whalefall_pipelines.alerts.wording import FLEET, sentence
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.store.database import Database

MOST_MUTE_DAYS = 90


@dataclass(frozen=True, slots=True)
class ListedAlert:
    """An alert as people see it."""

    alert_id: int
    rule_name: str
    condition: str
    instance_id: int | None
    instance_name: str | None
    database_name: str | None
    status: Status
    severity: str
    sentence: str
    figures: Mapping[str, Any]
    opened_on: date | None
    cleared_on: date | None
    unknown_since: date | None
    flaps: int
    acknowledged_by: str | None
    acknowledged_note: str | None
    acknowledged_until: date | None
    is_muted: bool

    @property
    def subject(self) -> str:
        """The server, with its database, or the fleet."""
        return "/".join(filter(None, (self.instance_name, self.database_name))) or FLEET


def list_alerts(database: Database, now: datetime, selected: Selected) -> tuple[ListedAlert, ...]:
    """The selected alerts, the most urgent first."""
    with database.transaction() as cursor:
        rows = people.list_alerts(cursor, now, selected)
    return tuple(_listed(row) for row in rows)


def show_alert(database: Database, alert_id: int, now: datetime) -> tuple[ListedAlert, tuple[EventRow, ...]]:
    """One alert and what happened to it, the newest first.

    Raises:
        NotFoundError: there is none.
    """
    with database.transaction() as cursor:
        rows = people.list_alerts(cursor, now, Selected(with_all=True, alert_id=alert_id))
        events = people.list_events(cursor, alert_id)
    if not rows:
        raise _unknown(alert_id)
    return _listed(rows[0]), events


def acknowledge_alert(
    database: Database, alert_id: int, person: str, *, now: datetime, note: str | None = None, until: date | None = None
) -> Alert:
    """Say that a person has seen an open alert: nothing more is sent, unless it becomes worse or the day has come.

    Raises:
        NotFoundError: there is none.
        InputError: it is not open, or the day is over.
    """
    today = now.astimezone(database.timezone).date()
    if until is not None and until < today:
        raise InputError(f"{until} is over.")
    with database.transaction() as cursor:
        store.lock_alerts(cursor)
        before = people.find_alert(cursor, alert_id)
        if before is None:
            raise _unknown(alert_id)
        if before.status not in {Status.OPEN, Status.ACKNOWLEDGED}:
            raise InputError(f"The alert {alert_id} is {before.status}; only an open one can be acknowledged.")
        after = acknowledge(before, person, note, until)
        store.write_changes(cursor, [Change(after, (Event.ACKNOWLEDGED,))], today, now, person=person, note=note)
    return after


def mute(
    database: Database,
    owner: str,
    reason: str,
    *,
    now: datetime,
    days: int,
    rule_name: str | None = None,
    instance_name: str | None = None,
    database_name: str | None = None,
) -> Mute:
    """Send nothing about a rule, a server or a database for some days. What is so is evaluated all the same.

    Raises:
        InputError: neither a rule nor a server is named, there is no reason, or the days are too many.
        NotFoundError: there is no such rule, server or database.
    """
    if not rule_name and not instance_name:
        raise InputError("Name a rule or an instance: nobody mutes everything.")
    if not reason.strip() or not 1 <= days <= MOST_MUTE_DAYS:
        raise InputError(f"A mute has a reason, and ends within {MOST_MUTE_DAYS} days.")
    with database.transaction() as cursor:
        names = {"rule_name": rule_name, "instance_name": instance_name, "database_name": database_name}
        target = people.find_target(cursor, names)
        asked = {"rule": (rule_name, target.rule_id), "instance": (instance_name, target.instance_id)}
        asked["database"] = (database_name, target.database_id)
        for what, (name, identifier) in asked.items():
            if name and identifier is None:
                raise NotFoundError(f"There is no {what} {name!r}.")
        return people.insert_mute(cursor, target, owner=owner, reason=reason.strip(), now=now, until_at=now + timedelta(days=days))


def list_mutes(database: Database, now: datetime) -> tuple[MuteRow, ...]:
    """The mutes that are not over."""
    with database.transaction() as cursor:
        return people.list_mutes(cursor, now)


def unmute(database: Database, mute_id: int, now: datetime) -> None:
    """End a mute.

    Raises:
        NotFoundError: there is none that is not over.
    """
    with database.transaction() as cursor:
        if not people.end_mute(cursor, mute_id, now):
            raise NotFoundError(f"There is no mute {mute_id} that is not over; `whalefall alerts list --mutes` shows them.")


def list_undelivered(database: Database) -> tuple[Undelivered, ...]:
    """The messages that were given up after three attempts."""
    with database.transaction() as cursor:
        return outbox.list_undelivered(cursor)


def retry_undelivered(database: Database, now: datetime) -> int:
    """Queue again what was given up. Returns the number of messages."""
    with database.transaction() as cursor:
        return outbox.requeue_failed(cursor, now)


def without_names(alert: ListedAlert) -> ListedAlert:
    """The same without names of accounts, for who may not read accounts."""
    if CONDITIONS[alert.condition].evidence is not Evidence.ACCOUNTS:
        return alert
    figures = {name: value for name, value in alert.figures.items() if name != "names"}
    return replace(alert, figures=figures, sentence=sentence(alert.condition, figures))


def _listed(row: Mapping[str, Any]) -> ListedAlert:
    return ListedAlert(**row, sentence=sentence(row["condition"], row["figures"]))


def _unknown(alert_id: int) -> NotFoundError:
    return NotFoundError(f"There is no alert {alert_id}; `whalefall alerts list` shows them.")
