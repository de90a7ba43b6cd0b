"""Periods: calendar days, weeks, months and quarters, each identified by its first day.

`sql/aggregation/` computes them; `dagster_base/calendar.py` has Dagster's calendars of the same periods.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class PeriodType(StrEnum):
    """The public `period_type` of an aggregation. Weeks begin on Monday."""

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
        """Refuse a day on which no period of this type begins."""
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
        """The period right before in the calendar, even if it has no data."""
        return period_of(self.period_type, self.start - timedelta(days=1))

    def days_until(self, today: date) -> tuple[date, ...]:
        """Its days that have begun."""
        return tuple(self.start + timedelta(days=number) for number in range((min(self.end, today) - self.start).days + 1))


def periods_between(period_type: PeriodType, first_day: date, last_day: date) -> tuple[Period, ...]:
    """The periods from the one that contains the first day to the one that contains the last day."""
    periods = [period_of(period_type, first_day)]
    while periods[-1].end < last_day:
        periods.append(periods[-1].following)
    return tuple(periods)


def spans(periods: Iterable[Period]) -> list[tuple[Period, Period]]:
    """Merge ordered periods of one type into spans: the first and the last period of each consecutive series."""
    merged: list[tuple[Period, Period]] = []
    for period in periods:
        if merged and merged[-1][1].following == period:
            merged[-1] = (merged[-1][0], period)
        else:
            merged.append((period, period))
    return merged


def floor(period_type: PeriodType, day: date) -> date:
    """The first day of the period of this type that contains a day."""
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
    """The period of this type that contains a day."""
    return Period(period_type, floor(period_type, day))
