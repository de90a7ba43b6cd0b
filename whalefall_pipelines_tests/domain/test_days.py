"""Which day can be measured, and what a size may be."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.domain.days import measurable_day, today
from whalefall_pipelines.domain.sizes import DatabaseSize, Method

ZONES = st.sampled_from([ZoneInfo(name) for name in ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Africa/Cairo", "UTC")])
INSTANTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - given its zone here
GRACES = st.integers(0, 23).map(lambda hours: timedelta(hours=hours))


@given(INSTANTS, ZONES, GRACES)
def test_today_is_always_measurable_and_the_future_never(now: datetime, zone: ZoneInfo, grace: timedelta) -> None:
    day = today(now, zone)
    assert measurable_day([day - timedelta(days=1), day], now, zone, grace) == day
    assert measurable_day([day + timedelta(days=1)], now, zone, grace) is None


@given(INSTANTS, ZONES, GRACES)
def test_yesterday_is_measurable_exactly_within_the_grace_period(now: datetime, zone: ZoneInfo, grace: timedelta) -> None:
    yesterday = today(now, zone) - timedelta(days=1)
    midnight = datetime.combine(yesterday + timedelta(days=1), datetime.min.time(), tzinfo=zone).astimezone(UTC)
    measurable = measurable_day([yesterday], now, zone, grace) is not None
    assert measurable == (now - grace < midnight)


@given(INSTANTS, ZONES, GRACES, st.integers(2, 400))
def test_an_older_day_never_is(now: datetime, zone: ZoneInfo, grace: timedelta, age: int) -> None:
    assert measurable_day([today(now, zone) - timedelta(days=age)], now, zone, grace) is None


def test_one_instant_is_two_days_in_two_zones() -> None:
    instant = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
    assert today(instant, ZoneInfo("Asia/Shanghai")) == date(2026, 11, 23)
    assert today(instant, ZoneInfo("America/New_York")) == date(2026, 11, 22)


def test_a_size_is_never_negative_and_no_invented_method_is_one_of_measuring() -> None:
    with pytest.raises(ValueError, match="negative"):
        DatabaseSize("x", total_bytes=-1, method=Method.PG_DATABASE_SIZE)
    with pytest.raises(ValueError, match="negative"):
        DatabaseSize("x", total_bytes=1, used_bytes=-1, method=Method.PG_DATABASE_SIZE)
    for method in ("simulated", "linear"):
        with pytest.raises(ValueError, match="method"):
            DatabaseSize("x", total_bytes=1, method=method)
