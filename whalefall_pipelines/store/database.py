"""The way into the store: URLs, a bounded pool of connections, transactions, and the errors that leave here.

Which store it is (embedded or one's own) is decided in `embedded.py`; its schema is `migrations.py`. SQLAlchemy is imported on first
use: it takes 0.2 s, and Dagster loads this module whenever it loads the code location, which connects to nothing.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from whalefall_pipelines.errors import InputError, SchemaError, StoreError, StoreUnreachableError

if TYPE_CHECKING:
    from sqlalchemy import exc
    from sqlalchemy.engine import URL

CONNECT_TIMEOUT_SECONDS = 10
POOL_TIMEOUT_SECONDS = 30


def parse_url(text: str) -> "URL":
    """Read a PostgreSQL URL and settle its driver: a bare `postgres://` would pick another driver under SQLAlchemy 2.1.

    Raises:
        InputError: it is no PostgreSQL URL. The text is not repeated, because it may hold a password.
    """
    from sqlalchemy import exc, make_url  # noqa: PLC0415

    try:
        url = make_url(text)
    except exc.ArgumentError as error:
        raise InputError("The store's URL cannot be read; write it as postgresql://user:password@host:5432/whalefall.") from error
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise InputError(
            f"The store must be PostgreSQL, not {url.get_backend_name()}; write postgresql://user:password@host:5432/whalefall."
        )
    return url.set(drivername="postgresql+psycopg2", database=url.database or "whalefall")


def describe(url: "URL") -> str:
    """Where a store is, without its login."""
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"


def libpq_url(url: "URL") -> str:
    """The same URL as psql and psycopg2 read it."""
    text = url.set(drivername="postgresql").render_as_string(hide_password=False)
    place, mark, options = text.partition("?")
    return place + mark + options.replace("+", "%20")  # libpq does not read + as a space


class Database:
    """The store as a pool of at most `pool_size` connections, safe to share between threads."""

    def __init__(self, url: "URL", timezone: ZoneInfo, *, pool_size: int = 8) -> None:
        """Open nothing yet: the first transaction does."""
        from sqlalchemy import create_engine  # noqa: PLC0415

        self.url = url
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                "application_name": "whalefall",
                "options": f"-c timezone={timezone.key}",
            },
        )

    @contextmanager
    def transaction(self) -> Generator[Cursor]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Raises:
            StoreUnreachableError: no connection within the deadline.
            StoreError: the store refused a statement; nothing of the block is kept.
        """
        from sqlalchemy import exc  # noqa: PLC0415

        try:
            pooled = self._engine.raw_connection()
        except (psycopg2.OperationalError, exc.TimeoutError) as error:
            raise _unreachable(self.url, error) from error
        connection = cast("Connection", pooled.driver_connection)
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error as error:
            raise _store_error(self.url, error) from error
        finally:
            if connection.closed:
                pooled.invalidate()
            pooled.close()

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


def _unreachable(url: "URL", error: "psycopg2.OperationalError | exc.TimeoutError") -> StoreError:
    return StoreUnreachableError(
        f"The store at {describe(url)} cannot be reached: {_first_line(error)}. "
        "Start it (`whalefall store start`), or correct WHALEFALL_DATABASE_URL."
    )


def _store_error(url: "URL", error: psycopg2.Error) -> StoreError:
    if error.pgcode is None or error.pgcode.startswith(("08", "57P")):
        return StoreUnreachableError(
            f"The store at {describe(url)} went away in mid-work: {_first_line(error)}; nothing of this step was kept."
        )
    if error.pgcode in _MISSING_SCHEMA:
        return SchemaError(f"The store at {describe(url)} lacks the schema: {_first_line(error)}; run `whalefall store migrate`.")
    return StoreError(f"The store at {describe(url)} refused a statement ({error.pgcode}): {_first_line(error)}")


# undefined_table, undefined_column, undefined_function
_MISSING_SCHEMA = frozenset({"42P01", "42703", "42883"})


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]
