"""Days: the calendar day of a timestamp, and the days that can still be measured."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def today(now: datetime, timezone: ZoneInfo) -> date:
    """The calendar day of a timestamp in the time zone of the store."""
    return now.astimezone(timezone).date()


def parse_since(text: str) -> date | timedelta | None:
    """A day as YYYY-MM-DD, or a number of days before the newest one, like 30d; None if it is neither."""
    if match := re.fullmatch(r"([0-9]{1,4})d", text):
        return timedelta(days=int(match[1]))
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def measurable_day(days: Iterable[date], now: datetime, timezone: ZoneInfo, grace: timedelta) -> date | None:
    """The day among these that can be measured now: today, or else yesterday within the grace period after midnight, or else None."""
    wanted = set(days)
    return next((day for day in measurable_days(now, timezone, grace) if day in wanted), None)


def measurable_days(now: datetime, timezone: ZoneInfo, grace: timedelta) -> tuple[date, ...]:
    """The days that can be measured now: today, and yesterday within the grace period after midnight."""
    return tuple(dict.fromkeys((today(now, timezone), today(now - grace, timezone))))


def measurable_until(day: date, timezone: ZoneInfo, grace: timedelta) -> datetime:
    """The end of the measuring window of a day: the midnight that ends it, plus the grace period."""
    return datetime.combine(day + timedelta(days=1), time.min, timezone).astimezone(UTC) + grace
