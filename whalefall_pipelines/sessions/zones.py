"""What the sessions of a day did in each zone of the fleet. An installation without zones has no rows here."""

from dataclasses import dataclass
from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import fetch_as


@dataclass(frozen=True, slots=True)
class ZoneOfDay:
    """A zone with its number of active instances: whether a session was in it, and whether such a session has ended.

    `is_asked_for` tells whether a session of the day was for the whole fleet.
    """

    zone: str | None
    instances: int
    has_session: bool
    has_ended: bool
    is_asked_for: bool


def list_zones(database: Database, category: SyncCategory, day: date) -> tuple[ZoneOfDay, ...]:
    """The zones of the active instances, the centre first; none where no active instance has a zone."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("sessions/list_zones"), {"category": category, "day": day})
        return fetch_as(cursor, ZoneOfDay)


def describe_unfinished(database: Database, category: SyncCategory, day: date) -> str | None:
    """A sentence about the zones in which no session of the day has ended; None if there is none."""
    waiting = [known for known in list_zones(database, category, day) if not known.has_ended]
    named = ", ".join(f"{known.zone or 'the centre'} ({counted(known.instances, 'instance')})" for known in waiting)
    return f"no session of {day} has ended in {named}" if waiting else None
