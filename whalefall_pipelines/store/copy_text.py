"""Rows in the text format of PostgreSQL's COPY."""

import io
from collections.abc import Iterable
from datetime import date
from functools import lru_cache


class Lines(io.TextIOBase):
    """An iterator of lines as a file for COPY, so that a million rows never stand in memory at once."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)

    def read(self, size: int | None = -1, /) -> str:
        """Whole lines of about `size` characters; empty at the end."""
        wanted = size or 1 << 16
        parts: list[str] = []
        length = 0
        for line in self._lines:
            parts.append(line)
            length += len(line)
            if length >= wanted > 0:
                break
        return "".join(parts)


# How COPY's text format writes the characters that mean something to it.
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


# The rows of a probe have one day and one instant, those of many days the same names again and again.
@lru_cache(1 << 16)
def text(value: str) -> str:
    """A text that COPY reads as it is."""
    return value.translate(_ESCAPES)


@lru_cache(1 << 12)
def iso(value: date) -> str:
    """A day or an instant."""
    return value.isoformat()


def number(value: int | None) -> str:
    """A number; unknown is NULL."""
    return "\\N" if value is None else str(value)
