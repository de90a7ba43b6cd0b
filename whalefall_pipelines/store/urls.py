"""Parses the URLs of whalefall's and Dagster's PostgreSQL databases, and formats them without their login."""

import re
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import extensions

from whalefall_pipelines.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

# Stricter than SQLAlchemy and libpq, which split `p@ss/word` differently and use the rest as a host, which would then be shown.
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
# The only libpq option besides the password that is a secret.
_KEY_PASSWORD = "sslpassword"  # noqa: S105 - its name


def parse_url(text: str) -> "URL":
    """Parse a PostgreSQL URL and set its driver, because a bare `postgres://` would choose another one under SQLAlchemy 2.1.

    Raises:
        InputError: it is not a PostgreSQL URL, or is ambiguous. Neither it nor the cause is repeated, because it may contain a password.
    """
    from sqlalchemy import exc, make_url  # noqa: PLC0415

    match = _SURE.fullmatch(text)
    if not match or any(re.search(r"%(?![0-9a-fA-F]{2})", part) for part in match.groupdict("").values()):
        raise InputError(f"The URL of the store or of Dagster's database is ambiguous, so it is not shown; {_ADVICE}")
    try:
        url = make_url(text)
        extensions.make_dsn(**{name: str(value) for name, value in url.query.items()})
    except (exc.ArgumentError, psycopg2.ProgrammingError, ValueError):
        raise InputError(f"An option in the URL of the store or of Dagster's database cannot be read; {_ADVICE}") from None
    if "password" in url.query:
        raise InputError(f"The password of a URL must be before the @ and not in its options; {_ADVICE}")
    return url.set(drivername="postgresql+psycopg2", database=url.database or "whalefall")


def describe(url: "URL") -> str:
    """The address of a store, without its login."""
    return f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"


def holds_secret(url: "URL") -> bool:
    """Tell whether a URL contains a password of a login or of a key."""
    return bool(url.password) or _KEY_PASSWORD in url.query


def hide_secrets(url: "URL") -> str:
    """A URL with its secrets replaced by ***."""
    shown = url.update_query_dict({_KEY_PASSWORD: "***"}) if _KEY_PASSWORD in url.query else url
    return shown.render_as_string(hide_password=True)
