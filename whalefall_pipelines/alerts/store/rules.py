"""Reads what is watched and where messages go, and runs the statements of conditions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from whalefall_pipelines import queries
from whalefall_pipelines.alerts.conditions import Condition
from whalefall_pipelines.alerts.model import Blackout, Channel, Finding, Mute, Rule, Subject
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import fetch_as, fetch_rows, take


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule with what people wrote beside it."""

    rule: Rule
    changed_by: str
    changed_at: datetime
    examples: tuple[Mapping[str, Any], ...] = field(default=())


def list_rules(cursor: Cursor) -> tuple[StoredRule, ...]:
    """Every rule."""
    cursor.execute(queries.load("alerts/list_rules"))
    return tuple(StoredRule(take(row, Rule), row["changed_by"], row["changed_at"], tuple(row["examples"])) for row in fetch_rows(cursor))


def list_channels(cursor: Cursor) -> tuple[Channel, ...]:
    """The channels that are in use."""
    cursor.execute(queries.load("alerts/list_channels"))
    return fetch_as(cursor, Channel)


def list_blackouts(cursor: Cursor) -> tuple[Blackout, ...]:
    """The windows in which messages wait."""
    cursor.execute(queries.load("alerts/list_blackouts"))
    return fetch_as(cursor, Blackout)


def list_mutes(cursor: Cursor, now: datetime) -> tuple[Mute, ...]:
    """The mutes that are not over."""
    cursor.execute(queries.load("alerts/list_mutes"), {"now": now})
    return fetch_as(cursor, Mute)


def list_tags(cursor: Cursor) -> Mapping[int, Mapping[str, str]]:
    """The tags of the active servers."""
    cursor.execute(queries.load("alerts/list_tags"))
    return dict(cursor.fetchall())


def find_subjects(cursor: Cursor, condition: Condition, parameters: Mapping[str, object]) -> tuple[Finding, ...]:
    """What a condition finds: subjects that are at least near its thresholds, with their figures."""
    cursor.execute(queries.load(f"alerts/conditions/{condition.statement}"), parameters)
    return tuple(Finding(take(row, Subject), row["figures"], row["occurred_on"]) for row in fetch_rows(cursor))


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A day whose night is over: sizes were measured, its session has ended, and none is running."""

    day: date
    closed_at: datetime


def find_closed_day(cursor: Cursor, now: datetime) -> ClosedDay | None:
    """The newest closed day; None if no day was closed within two weeks."""
    cursor.execute(queries.load("alerts/find_closed_day"), {"now": now})
    return next(iter(fetch_as(cursor, ClosedDay)), None)


def is_busy(cursor: Cursor, day: date) -> bool:
    """Whether a session of the day is running whose results rules read."""
    cursor.execute(queries.load("alerts/find_busy_day"), {"day": day})
    return bool((cursor.fetchone() or (False,))[0])
