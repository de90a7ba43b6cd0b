"""Changes the time zone by which a store counts its days, by a plan that is shown before it is carried out."""

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
    """From one zone to another, with the day that it is in each, and the first and the last day that are stored."""

    old: ZoneInfo
    new: ZoneInfo
    old_today: date
    new_today: date
    known_days: tuple[date, date] | None


def plan_timezone(database: Database, timezone: ZoneInfo, now: datetime) -> TimezoneChange:
    """What counting days by this zone would mean.

    Raises:
        InputError: a session runs.
    """
    refuse_while_running(database)
    old = database.timezone
    return TimezoneChange(old, timezone, today(now, old), today(now, timezone), find_known_days(database))


def change_timezone(database: Database, change: TimezoneChange) -> None:
    """Count days by the new zone from now on, in psql as well. Stored days keep their dates.

    Raises:
        InputError: a session runs, or the zone is not the one any more from which the plan leads away.
    """
    with database.transaction() as cursor:
        installation.lock_opening_of_sessions(cursor)
        refuse_while_running(database)
        if installation.find_timezone(cursor) != change.old.key:
            raise InputError("The time zone of the store was changed while the plan was read, so nothing was written: make the plan again.")
        installation.set_timezone(cursor, str(database.url.database), change.new)
