"""Periods: the calendar's days, weeks, months and quarters, each named by its first day.

What is computed of a period is `sql/aggregation/`; Dagster's calendars over the same periods are `dagster_base/calendar.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class PeriodType(StrEnum):
    """How long a period is: the public `period_type` of an aggregation. Weeks begin on Monday."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One period of the calendar. `start` and `end` are its first and its last day."""

    period_type: PeriodType
    start: date

    def __post_init__(self) -> None:
        """Refuse a start on which no such period begins."""
        if floor(self.period_type, self.start) != self.start:
            raise ValueError(
                f"no {self.period_type} period starts on {self.start}: it is in the one of {floor(self.period_type, self.start)}"
            )

    @property
    def end(self) -> date:
        """The last day, inclusive."""
        return self.following.start - timedelta(days=1)

    @property
    def following(self) -> "Period":
        """The period right after."""
        longest = {PeriodType.DAILY: 1, PeriodType.WEEKLY: 7, PeriodType.MONTHLY: 31, PeriodType.QUARTERLY: 92}
        return period_of(self.period_type, self.start + timedelta(days=longest[self.period_type]))

    @property
    def previous(self) -> "Period":
        """The period right before: the real one of the calendar, whether or not it has data."""
        return period_of(self.period_type, self.start - timedelta(days=1))

    def days_until(self, today: date) -> tuple[date, ...]:
        """Its days that have begun."""
        return tuple(self.start + timedelta(days=number) for number in range((min(self.end, today) - self.start).days + 1))


def periods_between(period_type: PeriodType, first_day: date, last_day: date) -> tuple[Period, ...]:
    """The periods from the one in which the first day lies to the one in which the last day lies."""
    periods = [period_of(period_type, first_day)]
    while periods[-1].end < last_day:
        periods.append(periods[-1].following)
    return tuple(periods)


def spans(periods: Iterable[Period]) -> list[tuple[Period, Period]]:
    """Periods of one type, in order, as the first and the last of each unbroken row of them."""
    merged: list[tuple[Period, Period]] = []
    for period in periods:
        if merged and merged[-1][1].following == period:
            merged[-1] = (merged[-1][0], period)
        else:
            merged.append((period, period))
    return merged


def floor(period_type: PeriodType, day: date) -> date:
    """The first day of the period of this type in which a day lies."""
    match period_type:
        case PeriodType.DAILY:
            return day
        case PeriodType.WEEKLY:
            return day - timedelta(days=day.weekday())
        case PeriodType.MONTHLY:
            return day.replace(day=1)
        case PeriodType.QUARTERLY:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def period_of(period_type: PeriodType, day: date) -> Period:
    """The period of this type in which a day lies."""
    return Period(period_type, floor(period_type, day))
