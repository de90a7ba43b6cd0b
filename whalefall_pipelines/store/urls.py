"""URLs of PostgreSQL databases, whalefall's and Dagster's: read, and shown without their login."""

from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import extensions

from whalefall_pipelines.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


def parse_url(text: str) -> "URL":
    """Read a PostgreSQL URL and settle its driver: a bare `postgres://` would pick another driver under SQLAlchemy 2.1.

    Raises:
        InputError: it is no PostgreSQL URL. Neither its text nor the cause is repeated: it may hold a password.
    """
    from sqlalchemy import exc, make_url  # noqa: PLC0415

    try:
        url = make_url(text)
        extensions.make_dsn(**{name: str(value) for name, value in url.query.items()})
    except (exc.ArgumentError, psycopg2.ProgrammingError, ValueError):
        raise InputError(
            "The store's URL or an option in it cannot be read; write postgresql://user:password@host:5432/whalefall."
        ) from None
    if (backend := url.get_backend_name()) not in {"postgresql", "postgres"}:
        raise InputError(f"The store must be PostgreSQL, not {backend}; write postgresql://user:password@host:5432/whalefall.")
    return url.set(drivername="postgresql+psycopg2", database=url.database or "whalefall")


def describe(url: "URL") -> str:
    """Where a store is, without its login."""
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"
