"""Reads what reports of weeks count, and keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from whalefall_pipelines import queries
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import fetch_as


@dataclass(frozen=True, slots=True)
class AccessChanges:
    """How many changes of a kind there were, on how many servers."""

    change_type: str
    changes: int
    instances: int


@dataclass(frozen=True, slots=True)
class RuleEvents:
    """How many alerts of a rule opened and cleared, and how many are open."""

    rule_name: str
    opened: int
    cleared: int
    still_open: int


def count_access_changes(cursor: Cursor, first_day: date, last_day: date) -> tuple[AccessChanges, ...]:
    """The changes of accounts and privileges between two days."""
    cursor.execute(queries.load("alerts/count_access_changes"), {"first_day": first_day, "last_day": last_day})
    return fetch_as(cursor, AccessChanges)


def count_events(cursor: Cursor, first_day: date, last_day: date) -> tuple[RuleEvents, ...]:
    """What happened to alerts between two days."""
    cursor.execute(queries.load("alerts/count_events"), {"first_day": first_day, "last_day": last_day})
    return fetch_as(cursor, RuleEvents)


def find_report(cursor: Cursor, week_start: date) -> Sequence[Mapping[str, Any]] | None:
    """The sections of the report of a week; None if it was not made."""
    cursor.execute(queries.load("alerts/find_report"), {"week_start": week_start})
    return (cursor.fetchone() or (None,))[0]


def insert_report(cursor: Cursor, week_start: date, made_at: datetime, sections: str) -> bool:
    """Keep the report of a week; False if it was made before."""
    values = {"week_start": week_start, "made_at": made_at, "sections": sections}
    cursor.execute(queries.load("alerts/insert_report"), values)
    return cursor.fetchone() is not None
