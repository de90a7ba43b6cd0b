"""Reads which accounts are in which class on a day, what changed, and what the sensor compares."""

from collections.abc import Mapping
from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.classification.model import ClassCount, Member, MemberFilter, NewMember
from whalefall_pipelines.errors import ClassificationError
from whalefall_pipelines.store.database import Cursor, Database
from whalefall_pipelines.store.rows import fetch_as


def find_newest_day(cursor: Cursor) -> date | None:
    """The newest day on which accounts were classified."""
    cursor.execute(queries.load("classification/find_newest_day"))
    row = cursor.fetchone()
    return row[0] if row else None


def summarize_classes(database: Database, day: date) -> tuple[ClassCount, ...]:
    """How many accounts of each engine are in each class."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("classification/summarize_classes"), {"day": day})
        return fetch_as(cursor, ClassCount)


def count_by_class(database: Database, day: date) -> dict[str, int]:
    """How many accounts are in each class that has any."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("classification/count_by_class"), {"day": day})
        return dict(cursor.fetchall())


def count_members_by_day(database: Database, code: str, first_day: date, last_day: date) -> dict[date, int]:
    """How many accounts were in a class on each day on which accounts were classified."""
    with database.transaction() as cursor:
        parameters = {"code": code, "first_day": first_day, "last_day": last_day}
        cursor.execute(queries.load("classification/count_members_by_day"), parameters)
        return dict(cursor.fetchall())


def list_members(
    database: Database, wanted: MemberFilter, after: Mapping[str, int | None], limits: Mapping[str, int | None]
) -> tuple[Member, ...]:
    """A page of these accounts in classes, in the order in which they were first seen."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("classification/list_members"), {**wanted.parameters, **after, **limits})
        return fetch_as(cursor, Member)


def count_members(database: Database, wanted: MemberFilter) -> int:
    """How many rows that list has."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("classification/count_members"), wanted.parameters)
        ((count,),) = cursor.fetchall()
    return count


def list_changes(database: Database, day: date, *, most: int) -> tuple[Member, ...]:
    """The first `most` assignments by which accounts entered or left a class on a day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("classification/list_class_changes"), {"day": day, "most": most})
        return fetch_as(cursor, Member)


def list_new_members(database: Database, day: date, code: str) -> tuple[NewMember, ...]:
    """The accounts that entered a class on a day and that nobody announced by an assignment."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("classification/list_new_members"), {"day": day, "code": code})
        return fetch_as(cursor, NewMember)


def find_inputs(database: Database, first_day: date) -> tuple[str | None, bool]:
    """A digest of what the newest evaluation should have seen (None: no rule was ever written), and whether accounts are being read."""
    with database.transaction() as cursor:
        parameters = {"first_day": first_day, "rule_failed": ClassificationError.code}
        cursor.execute(queries.load("classification/find_inputs"), parameters)
        row = cursor.fetchone()
    return (None, False) if row is None else (row[0], bool(row[1]))
