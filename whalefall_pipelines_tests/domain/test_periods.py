"""Calendar periods: they follow each other without a gap, and every day lies in exactly one of each type."""

import calendar
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.domain.periods import Period, PeriodType, period_of

DAYS = st.dates(date(1999, 1, 1), date(2101, 12, 31))
TYPES = st.sampled_from(PeriodType)


@given(TYPES, DAYS)
def test_a_day_lies_in_its_period_and_periods_follow_without_a_gap(period_type: PeriodType, day: date) -> None:
    period = period_of(period_type, day)
    assert period.start <= day <= period.end
    assert period.following.start == period.end + timedelta(days=1)
    assert period.following.previous == period
    assert period.previous.end == period.start - timedelta(days=1)


@given(DAYS)
def test_periods_begin_where_the_calendar_says(day: date) -> None:
    assert period_of(PeriodType.WEEKLY, day).start.weekday() == calendar.MONDAY
    assert period_of(PeriodType.MONTHLY, day).start == date(day.year, day.month, 1)
    assert period_of(PeriodType.QUARTERLY, day).start.month in {1, 4, 7, 10}
    assert period_of(PeriodType.DAILY, day).end == day


@pytest.mark.parametrize(
    ("period_type", "day", "start", "end"),
    [
        (PeriodType.WEEKLY, date(2027, 1, 1), date(2026, 12, 28), date(2027, 1, 3)),
        (PeriodType.MONTHLY, date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29)),
        (PeriodType.QUARTERLY, date(2026, 12, 31), date(2026, 10, 1), date(2026, 12, 31)),
        (PeriodType.QUARTERLY, date(2024, 2, 29), date(2024, 1, 1), date(2024, 3, 31)),
    ],
)
def test_years_leap_days_and_quarters(period_type: PeriodType, day: date, start: date, end: date) -> None:
    period = period_of(period_type, day)
    assert (period.start, period.end) == (start, end)


def test_a_period_is_named_by_its_first_day_only() -> None:
    with pytest.raises(ValueError, match="it is in the one of 2026-10-01"):
        Period(PeriodType.QUARTERLY, date(2026, 11, 1))
