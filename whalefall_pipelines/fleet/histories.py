"""Helpers of adapters that read a server's own history of sizes: timestamps in UTC, and the last size of each day."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from whalefall_pipelines.domain.sizes import RecoveredSize


def bounds(first_day: date, last_day: date, timezone: ZoneInfo) -> dict[str, datetime]:
    """The start and the exclusive end of these days as statement parameters: in UTC, without a time zone."""
    days = {"begins_at": first_day, "ends_at": last_day + timedelta(days=1)}
    return {name: datetime.combine(day, time(), timezone).astimezone(UTC).replace(tzinfo=None) for name, day in days.items()}


def last_of_each_day(sizes: Iterable[RecoveredSize], wanted: Iterable[str]) -> list[RecoveredSize]:
    """One size per day of each of these databases: the one that was recorded last."""
    names = set(wanted)
    last: dict[tuple[str, date], RecoveredSize] = {}
    for size in sorted(sizes, key=lambda size: size.recorded_at):
        if size.database_name in names:
            last[size.database_name, size.stat_date] = size
    return list(last.values())
