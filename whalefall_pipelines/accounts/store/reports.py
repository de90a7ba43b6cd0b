"""Reads figures, changes and gaps of days."""

from collections.abc import Sequence
from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.accounts.figures import Change, DayFigures, GapRow, NamedAccount, Unobserved
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import fetch_as


def summarize_day(database: Database, day: date) -> DayFigures:
    """The figures of a day over the whole fleet."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/summarize_day"), {"day": day})
        (figures,) = fetch_as(cursor, DayFigures)
    return figures


def list_changes(database: Database, first_day: date, last_day: date, names: Sequence[str], most: int) -> tuple[Change, ...]:
    """The newest changes of these days, of these instances or of all."""
    parameters = {"first_day": first_day, "last_day": last_day, "names": list(names) or None, "most": most}
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/list_changes"), parameters)
        return fetch_as(cursor, Change)


def list_unobserved(database: Database, day: date) -> tuple[Unobserved, ...]:
    """The active instances whose accounts were not read on a day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/list_unobserved"), {"day": day})
        return fetch_as(cursor, Unobserved)


def list_new_superusers(database: Database, day: date) -> tuple[NamedAccount, ...]:
    """The accounts that are superusers since a day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/list_new_superusers"), {"day": day})
        return fetch_as(cursor, NamedAccount)


def list_gaps(database: Database, day: date, names: Sequence[str] = ()) -> tuple[GapRow, ...]:
    """What could not be read on a day."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("accounts/list_gaps"), {"day": day, "names": list(names) or None})
        return fetch_as(cursor, GapRow)
