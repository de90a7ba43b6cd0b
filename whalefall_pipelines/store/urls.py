"""URLs of PostgreSQL databases, whalefall's and Dagster's: read, and shown without their login."""

import re
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import extensions

from whalefall_pipelines.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

# Stricter than SQLAlchemy and libpq, which cut `p@ss/word` at different places and take the rest for a host, so that it is shown.
_SURE = re.compile(
    r"postgres(ql)?(\+\w+)?://"
    r"((?P<user>[^:/?@]*)(:(?P<password>[^/?@]*))?@)?"
    r"([^:/?@\[\]]*|\[[0-9a-fA-F:.]+\])(:[0-9]*)?"
    r"(/(?P<database>[^/?@]*))?(\?(?P<options>[^?@]*))?",
)
_ADVICE = (
    "write postgresql://user:password@host:5432/whalefall, and in a user name or password %40 for @, %3A for :, %2F for /, %3F for ? and "
    "%25 for %."
)
# The only option of libpq, besides the password, that is a secret.
_KEY_PASSWORD = "sslpassword"  # noqa: S105 - its name


def parse_url(text: str) -> "URL":
    """Read a PostgreSQL URL and choose its driver: a bare `postgres://` would pick another driver under SQLAlchemy 2.1.

    Raises:
        InputError: it is no PostgreSQL URL, or may be meant in two ways. Neither it nor the cause is repeated: it may hold a password.
    """
    from sqlalchemy import exc, make_url  # noqa: PLC0415

    match = _SURE.fullmatch(text)
    if not match or any(re.search(r"%(?![0-9a-fA-F]{2})", part) for part in match.groupdict("").values()):
        raise InputError(
            f"The URL of the store, or that of Dagster's database, cannot be read surely, so nothing of it is shown; {_ADVICE}"
        )
    try:
        url = make_url(text)
        extensions.make_dsn(**{name: str(value) for name, value in url.query.items()})
    except (exc.ArgumentError, psycopg2.ProgrammingError, ValueError):
        raise InputError(f"An option in the URL of the store, or in that of Dagster's database, cannot be read; {_ADVICE}") from None
    if "password" in url.query:
        raise InputError(f"The password of a URL belongs before the @ and not among its options; {_ADVICE}")
    return url.set(drivername="postgresql+psycopg2", database=url.database or "whalefall")


def describe(url: "URL") -> str:
    """Where a store is, without its login."""
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"


def holds_secret(url: "URL") -> bool:
    """Tell whether somebody could log in with what is in a URL, or open a key with it."""
    return bool(url.password) or _KEY_PASSWORD in url.query


def hide_secrets(url: "URL") -> str:
    """A URL with *** in the place of its secrets."""
    shown = url.update_query_dict({_KEY_PASSWORD: "***"}) if _KEY_PASSWORD in url.query else url
    return shown.render_as_string(hide_password=True)
