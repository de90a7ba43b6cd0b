"""Reads what is watched and where messages go, and runs the statements of conditions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from whalefall_pipelines import queries
from whalefall_pipelines.alerts.conditions import Condition
from whalefall_pipelines.alerts.model import Blackout, Channel, Finding, Mute, Rule, RuleText, Subject
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


def find_oldest_instance(cursor: Cursor) -> date | None:
    """The day since which an instance has been active; None if none is."""
    cursor.execute(queries.load("alerts/find_oldest_instance"))
    return (cursor.fetchone() or (None,))[0]


def is_busy(cursor: Cursor, day: date) -> bool:
    """Whether a session of the day is running whose results rules read."""
    cursor.execute(queries.load("alerts/find_busy_day"), {"day": day})
    return bool((cursor.fetchone() or (False,))[0])


def save(cursor: Cursor, rules: Sequence[RuleText], channels: Sequence[Channel], blackouts: Sequence[Blackout], person: str) -> None:
    """Add or change rules, channels and windows by their names."""
    entries = [_fields(text.rule, "rule_id") | {"examples": list(text.examples), "changed_by": person} for text in rules]
    channel_entries = [_fields(channel, "channel_id") for channel in channels]
    cursor.execute(queries.load("alerts/upsert_rules"), {"rules": json.dumps(entries)})
    cursor.execute(queries.load("alerts/upsert_channels"), {"channels": json.dumps(channel_entries)})
    cursor.execute(queries.load("alerts/upsert_blackouts"), {"blackouts": json.dumps([_fields(blackout) for blackout in blackouts])})


def switch_rule(cursor: Cursor, rule_name: str, person: str, *, is_active: bool) -> bool:
    """Switch a rule on or off; False if there is none of this name."""
    cursor.execute(queries.load("alerts/switch_rule"), {"rule_name": rule_name, "is_active": is_active, "changed_by": person})
    return cursor.fetchone() is not None


def disable_channel(cursor: Cursor, channel_name: str) -> bool:
    """Take a channel out of use; False if there is none of this name."""
    cursor.execute(queries.load("alerts/disable_channel"), {"channel_name": channel_name})
    return cursor.fetchone() is not None


def _fields(entry: Rule | Channel | Blackout, *without: str) -> dict[str, object]:
    return {name: value for name, value in asdict(entry).items() if name not in without}
