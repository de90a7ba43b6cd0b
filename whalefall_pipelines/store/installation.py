"""The installation's own settings in the store: the time zone of its days."""

from zoneinfo import ZoneInfo

from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.store.database import Cursor


def find_timezone(cursor: Cursor) -> str | None:
    """The time zone of the store. An older store has it as a database setting; None if there is none yet."""
    cursor.execute(queries.load("store/find_installation"))
    (is_kept,) = cursor.fetchone() or (False,)
    if not is_kept:
        return find_client_timezone(cursor)
    cursor.execute(queries.load("store/read_timezone"))
    (timezone,) = cursor.fetchone() or (None,)
    return timezone


def find_client_timezone(cursor: Cursor) -> str | None:
    """The default time zone of the database for clients; None if it is the server's."""
    cursor.execute(queries.load("store/find_client_timezone"))
    row = cursor.fetchone()
    return str(row[0]) if row else None


def set_client_timezone(cursor: Cursor, database_name: str, timezone: str) -> None:
    """Set the default time zone of the database for clients, so that `current_date` in psql is our day."""
    statement = sql.SQL(queries.load("store/set_client_timezone"))
    cursor.execute(statement.format(database=sql.Identifier(database_name), timezone=sql.Literal(timezone)))


def lock_opening_of_sessions(cursor: Cursor) -> None:
    """Prevent the opening of sessions until the transaction ends."""
    cursor.execute(queries.load("sessions/lock_opening"))


def set_timezone(cursor: Cursor, database_name: str, timezone: ZoneInfo) -> None:
    """Change the time zone of the store, and the default for psql."""
    cursor.execute(queries.load("store/set_timezone"), {"timezone": timezone.key})
    set_client_timezone(cursor, database_name, timezone.key)
