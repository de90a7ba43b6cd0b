"""The one clock. The edges (`cli`, `defs`) ask it or hand it in; whatever is below them is given an instant or a `Clock`."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)
