"""Writes assignments by hand. Those of rules are written by `evaluation.py`."""

from dataclasses import dataclass
from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import fetch_as


@dataclass(frozen=True, slots=True)
class Target:
    """An instance with an account and a class, which are None if there are none of these names."""

    instance_id: int
    account_id: int | None
    classification_id: int | None


def find_target(cursor: Cursor, instance_name: str, account_name: str, code: str) -> Target | None:
    """What is called so; None if there is no such instance."""
    names = {"instance_name": instance_name, "account_name": account_name, "code": code}
    cursor.execute(queries.load("classification/find_target"), names)
    return next(iter(fetch_as(cursor, Target)), None)


def open_by_hand(cursor: Cursor, target: Target, day: date, *, assigned_by: str, notes: str, until: date | None) -> bool:
    """Begin an assignment by hand, unless one holds."""
    values = {
        "account_id": target.account_id,
        "classification_id": target.classification_id,
        "day": day,
        "until": until,
        "assigned_by": assigned_by,
        "notes": notes,
    }
    cursor.execute(queries.load("classification/open_by_hand"), values)
    return cursor.fetchone() is not None


def close_by_hand(cursor: Cursor, target: Target, day: date) -> bool:
    """End an assignment by hand. One that began today leaves no trace."""
    values = {"account_id": target.account_id, "classification_id": target.classification_id, "day": day}
    cursor.execute(queries.load("classification/close_by_hand"), values)
    return cursor.fetchone() is not None
