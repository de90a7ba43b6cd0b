"""Reads the values of the query of an address."""

from collections.abc import Mapping
from datetime import date

from whalefall_pipelines.errors import InputError

Query = Mapping[str, str]
_MOST_DAYS = 3660


def storable(query: Query) -> Query:
    """The query itself, if PostgreSQL can store its texts.

    Raises:
        InputError: a value has a NUL character.
    """
    for name, text in query.items():
        if "\0" in text:
            raise InputError(f"{name!r:.60} has a NUL character, which no name has.")
    return query


def needed(query: Query, name: str) -> str:
    """The text of a name that must be there.

    Raises:
        InputError: it is missing or something else.
    """
    if name not in query:
        raise InputError(f"{name}=… is missing from the address.")
    return query[name]


def number(query: Query, name: str) -> int:
    """A number that must be there.

    Raises:
        InputError: it is missing or something else.
    """
    text = needed(query, name)
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InputError(f"{name}={text!r:.60} is not a number.")
    return int(text)


def count(query: Query, name: str, default: int, most: int = _MOST_DAYS) -> int:
    """A number of days, or of something else of which there are at most `most`; or the default.

    Raises:
        InputError: it is missing or something else.
    """
    text = query.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        raise InputError(f"{name}={text!r:.60} is not a number from 1 to {most}.")
    return int(text)


def count_if_asked(query: Query, name: str) -> int | None:
    """A number of days, if there is one.

    Raises:
        InputError: it is something else.
    """
    return count(query, name, 1) if query.get(name) else None


def day(query: Query) -> date | None:
    """A calendar day, if there is one.

    Raises:
        InputError: it is missing or something else.
    """
    text = query.get("day")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is not a date like 2026-11-29.") from error
