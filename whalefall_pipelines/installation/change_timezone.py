"""Changes the time zone of a store, by a plan that is shown before it is applied."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from whalefall_pipelines.aggregation.known_days import find_known_days
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.sessions.refuse_while_running import refuse_while_running
from whalefall_pipelines.store import installation
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class TimezoneChange:
    """A change from one time zone to another, with the current day in each, and the first and the last stored day."""

    old: ZoneInfo
    new: ZoneInfo
    old_today: date
    new_today: date
    known_days: tuple[date, date] | None


def plan_timezone(database: Database, timezone: ZoneInfo, now: datetime) -> TimezoneChange:
    """Plan a change to this time zone.

    Raises:
        InputError: a session is running.
    """
    refuse_while_running(database)
    old = database.timezone
    return TimezoneChange(old, timezone, today(now, old), today(now, timezone), find_known_days(database))


def change_timezone(database: Database, change: TimezoneChange) -> None:
    """Use the new time zone from now on, in psql as well. Stored days keep their dates.

    Raises:
        InputError: a session is running, or the time zone has changed since the plan was made.
    """
    with database.transaction() as cursor:
        installation.lock_opening_of_sessions(cursor)
        refuse_while_running(database)
        if installation.find_timezone(cursor) != change.old.key:
            raise InputError(
                "The time zone of the store was changed after the plan was made, so nothing was written. Run the command again."
            )
        installation.set_timezone(cursor, str(database.url.database), change.new)
