"""Days: which calendar day an instant lies in, and which days can still be measured."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def today(now: datetime, timezone: ZoneInfo) -> date:
    """The calendar day of an instant in the time zone that whalefall counts by."""
    return now.astimezone(timezone).date()


def measurable_day(days: Iterable[date], now: datetime, timezone: ZoneInfo, grace: timedelta) -> date | None:
    """The one of these days that can be measured now: today, else yesterday until the grace period after midnight is over, else none."""
    wanted = set(days)
    return next((day for day in measurable_days(now, timezone, grace) if day in wanted), None)


def measurable_days(now: datetime, timezone: ZoneInfo, grace: timedelta) -> tuple[date, ...]:
    """The days that can be measured now: today, and yesterday until the grace period after midnight is over."""
    return tuple(dict.fromkeys((today(now, timezone), today(now - grace, timezone))))


def measurable_until(day: date, timezone: ZoneInfo, grace: timedelta) -> datetime:
    """The instant at which a day cannot be measured any more: the midnight that ends it, and the grace period."""
    return datetime.combine(day + timedelta(days=1), time.min, timezone).astimezone(UTC) + grace
