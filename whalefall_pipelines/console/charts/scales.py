"""Maps values to pixels, chooses the round values that an axis names, and parts days into runs without a gap."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, floor, log10

# Steps between named days, in days; longer ones are whole months.
_DAY_STEPS = (1, 2, 7, 14)
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60, 120)
_DAYS_A_MONTH = 30.44
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map of the values from `low` to `high` to the pixels from `start` to `end`. A single value is in the middle."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        share = (value - self.low) / (self.high - self.low) if self.high != self.low else 0.5
        return self.start + share * (self.end - self.start)


def day_scale(first: date, last: date, start: float, end: float) -> Scale:
    """The scale of the days from `first` to `last`, by their ordinal numbers."""
    return Scale(first.toordinal(), last.toordinal(), start, end)


def round_values(low: float, high: float, at_most: int) -> list[int]:
    """Whole multiples of 1, 2 or 5 times a power of ten between two values: at most so many, at least one if any value is between."""
    step = 1
    if high > low:
        raw = max((high - low) / at_most, 1)
        power = 10 ** floor(log10(raw))
        step = next(int(factor * power) for factor in (1, 2, 5, 10, 20) if _count(low, high, factor * power) <= at_most)
    return list(range(ceil(low / step) * step, floor(high / step) * step + 1, step))


def round_days(first: date, last: date, at_most: int) -> list[date]:
    """The days that an axis names: every day, every Monday, or the first of months; at most so many."""
    span = (last - first).days
    for step in _DAY_STEPS:
        # Weeks begin on Mondays: ordinal 1 is one.
        start = -(-(first.toordinal() - 1) // step) * step + 1
        ordinals = range(start, last.toordinal() + 1, step)
        if len(ordinals) <= at_most:
            return [date.fromordinal(ordinal) for ordinal in ordinals]
    months = next((step for step in _MONTH_STEPS if span / (step * _DAYS_A_MONTH) <= at_most - 1), 240)
    return list(_firsts_of_months(first, last, months))


def _firsts_of_months(first: date, last: date, months: int) -> Iterator[date]:
    number = first.year * 12 + first.month - 1
    number = -(-number // months) * months
    while (day := date(number // 12, number % 12 + 1, 1)) <= last:
        if day >= first:
            yield day
        number += months


def _count(low: float, high: float, step: float) -> int:
    return floor(high / step) - ceil(low / step) + 1


def runs_of_days(days: Sequence[date]) -> list[list[date]]:
    """These sorted days in runs in which each day follows the one before."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == _DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs
