"""What Prometheus is told of sessions: when the last ones ended, and the newest day that is collected."""

from datetime import date, datetime, time, timedelta

from whalefall_pipelines import queries
from whalefall_pipelines.domain.metrics import Metric, gauge
from whalefall_pipelines.domain.sessions import SessionStatus, SyncCategory
from whalefall_pipelines.store.database import Database

# Older sessions are not looked for, so that a scrape costs the same after years.
_DAYS = 35


def read_metrics(database: Database, today: date) -> tuple[Metric, ...]:
    """The ends of the last sessions, and the dead man's signal: it stands still when nothing is collected any more."""
    since = _begin(today - timedelta(days=_DAYS), database)
    with database.transaction() as cursor:
        cursor.execute(queries.load("sessions/summarize_recent"), {"since": since})
        ended = cursor.fetchall()
    closing = {(SyncCategory.CAPACITY, SessionStatus.COMPLETED), (SyncCategory.CAPACITY, SessionStatus.FAILED)}
    closed_days = [last_day for category, status, _, last_day in ended if (category, status) in closing and last_day]
    return (
        gauge(
            "whalefall_session_last_timestamp_seconds",
            "Time at which the last session of a category ended with a status.",
            [(completed_at.timestamp(), {"category": category, "status": status}) for category, status, completed_at, _ in ended],
        ),
        gauge(
            "whalefall_last_closed_day_timestamp",
            "Start of the newest day whose collection has ended and reached a server, in seconds.",
            [(_begin(day, database).timestamp(), {}) for day in sorted(closed_days)[-1:]],
        ),
    )


def _begin(day: date, database: Database) -> datetime:
    return datetime.combine(day, time(), database.timezone)
