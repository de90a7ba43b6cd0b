"""Bars and changes of a history: a missing day is never zero and never a shrink."""

from datetime import date, timedelta

import pytest

from whalefall_pipelines.capacity.answers import Growth, HistoryDay, changes, sparkline
from whalefall_pipelines.capacity.coverage import CoverageState

FIRST = date(2026, 11, 1)


def days(*sizes: int | None, partly: tuple[int, ...] = ()) -> list[HistoryDay]:
    states = [
        CoverageState.PARTLY_MISSING if number in partly else CoverageState.MISSING if size is None else CoverageState.MEASURED
        for number, size in enumerate(sizes)
    ]
    return [
        HistoryDay(FIRST + timedelta(days=number), size, state, ()) for number, (size, state) in enumerate(zip(sizes, states, strict=True))
    ]


def test_bars_reach_from_the_smallest_to_the_largest_size() -> None:
    assert sparkline(days(100, 150, 200, None, 800)) == "▁▁▂!█"
    assert sparkline(days(5, 5, 5)) == "▁▁▁"
    assert sparkline(days(None, None)) == "!!"


def test_the_size_of_a_partly_missing_day_is_no_bar() -> None:
    assert sparkline(days(100, 40, 110, partly=(1,))) == "▁~█"


def test_days_on_which_nothing_was_expected_keep_their_place() -> None:
    first, _, last = days(100, 150, 200)
    assert sparkline([first, last]) == "▁.█"


def test_a_change_needs_two_complete_days_in_a_row() -> None:
    assert changes(days(100, 150, None, 200, 190, 50, 220, partly=(5,))) == [None, 50, None, None, -10, None, None]


@pytest.mark.parametrize(
    ("from_bytes", "to_bytes", "percent", "a_day"),
    [(1000, 1500, 50.0, 50), (1000, 800, -20.0, -20), (0, 100, None, 10), (None, 100, None, None)],
)
def test_growth_in_percent_and_by_the_day(from_bytes: int | None, to_bytes: int, percent: float | None, a_day: int | None) -> None:
    grown = Growth(
        instance_name="orders",
        engine="postgresql",
        database_name="shop",
        state="measured",
        reason=None,
        from_date=None if from_bytes is None else FIRST,
        from_bytes=from_bytes,
        to_date=FIRST + timedelta(days=10),
        to_bytes=to_bytes,
        is_estimated=False,
        change_bytes=None if from_bytes is None else to_bytes - from_bytes,
    )
    assert (grown.change_percent, grown.bytes_a_day) == (percent, a_day)
