"""Formats columns of many rows as arrays in PostgreSQL's text format, which it parses several times faster than ARRAY[…] constants."""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})


def numbers(values: Iterable[int | None]) -> str:
    """An array of numbers; unknown is NULL."""
    return _array("NULL" if value is None else str(value) for value in values)


def texts(values: Iterable[str]) -> str:
    """An array of texts with any content."""
    return _array(map(_quoted, values))


def dates(values: Iterable[date]) -> str:
    """An array of days or timestamps."""
    return _array(map(_iso, values))


def _array(elements: Iterable[str]) -> str:
    return f"{{{','.join(elements)}}}"


# The rows of one probe share a day and a timestamp; the rows of many days repeat the same names.
@lru_cache(1 << 16)
def _quoted(value: str) -> str:
    return f'"{value.translate(_ESCAPES)}"'


@lru_cache(1 << 12)
def _iso(value: date) -> str:
    return value.isoformat()
