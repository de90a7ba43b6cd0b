"""The round values of axes: few, round, and between the ends, for any range."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from whalefall_pipelines.console.charts.scales import Scale, round_days, round_values

SIZES = st.integers(0, 2**62)


@settings(deadline=None)  # the first example also loads what it uses
@given(SIZES, SIZES, st.integers(2, 12))
def test_sizes_are_round_and_few(left: int, right: int, at_most: int) -> None:
    low, high = sorted((left, right))
    values = round_values(low, high, at_most)
    assert len(values) <= at_most
    # Floats of this size are exact to a part in 2**52: an end may be missed by that.
    slack = high / 2**50
    assert all(low - slack <= value <= high + slack for value in values)
    if len(values) > 1:
        step = values[1] - values[0]
        assert int(str(step).rstrip("0") or 0) in {1, 2, 5}
        assert all(value % step == 0 for value in values)


@settings(deadline=None)  # the first example also loads what it uses
@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 20_000), st.integers(2, 12))
def test_days_are_few_and_begin_something(first: date, span: int, at_most: int) -> None:
    last = first + timedelta(days=span)
    days = round_days(first, last, at_most)
    assert len(days) <= at_most + 1
    assert all(first <= day <= last for day in days)
    steps = {(after - before).days for before, after in pairwise(days)}
    if steps and min(steps) >= 28:
        assert all(day.day == 1 for day in days)
    elif steps and min(steps) >= 7:
        assert all(day.isoweekday() == 1 for day in days)


@settings(deadline=None)  # the first example also loads what it uses
@given(st.floats(-1e15, 1e15), st.floats(-1e15, 1e15))
def test_the_ends_of_a_scale_are_its_pixels(low: float, high: float) -> None:
    scale = Scale(low, high, 10, 110)
    if low == high:
        assert scale(low) == 60
    else:
        assert (round(scale(low), 6), round(scale(high), 6)) == (10, 110)
