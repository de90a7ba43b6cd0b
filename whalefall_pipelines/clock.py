"""The system clock. Only the entry points (commands and Dagster definitions) use it; other code gets a timestamp or a `Clock`."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)
