"""When missing sizes are retried: after growing pauses, then regularly, and a last time before the day is over."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.domain.days import measurable_until
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.sessions.retries import Unrepaired, due_retries, next_retry
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.settings import load_settings

DAY = date(2026, 11, 22)
PAUSES = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=3))
ENDED, UNTIL = datetime(2026, 11, 22, 3, 10, tzinfo=UTC), datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
LAST = UNTIL - timedelta(minutes=30)
SOME_PAUSES = st.lists(st.timedeltas(timedelta(minutes=1), timedelta(days=1)), min_size=1, max_size=5)


def unrepaired(retries: int = 0, ended_at: datetime = ENDED) -> Unrepaired:
    return Unrepaired(DAY, uuid4(), ended_at, retries, ("orders",))


def a_day_of_failures(pauses: Sequence[timedelta], ended_at: datetime = ENDED, run: timedelta = timedelta(minutes=2)) -> Iterator[datetime]:
    """The times at which a server that never comes back is retried, if each run takes this long."""
    failed = unrepaired(ended_at=ended_at)
    while (moment := next_retry(failed, pauses, UNTIL)) is not None:
        yield moment
        failed = replace(failed, ended_at=moment + run, retries=failed.retries + 1)


def test_a_server_that_stays_down_is_probed_until_the_end_of_its_day() -> None:
    shown = [f"{moment:%d %H:%M}" for moment in a_day_of_failures(PAUSES, run=timedelta(0))]
    assert shown == ["22 03:25", "22 04:25", "22 07:25", "22 10:25", "22 13:25", "22 16:25", "22 19:25", "22 22:25", "23 01:30"]


@given(
    pauses=SOME_PAUSES,
    begun=st.timedeltas(timedelta(0), timedelta(hours=26) - timedelta(minutes=31)),
    run=st.timedeltas(timedelta(0), timedelta(minutes=10)),
)
def test_attempts_are_bounded_spread_and_end_with_one_shortly_before_the_end(
    pauses: list[timedelta], begun: timedelta, run: timedelta
) -> None:
    ended_at = UNTIL - timedelta(hours=26) + begun
    moments = list(a_day_of_failures(pauses, ended_at, run))
    assert moments[-1] == LAST
    assert len(moments) <= len(pauses) + 26 // 3 + 1
    before = ended_at
    for number, moment in enumerate(moments):
        pause = pauses[number] if number < len(pauses) else max(timedelta(hours=3), *pauses)
        assert moment - before >= pause or moment == LAST
        assert moment - before < 2 * pause
        before = moment + run


@given(retries=st.integers(0, 12), waited=st.timedeltas(timedelta(0), timedelta(days=2)))
def test_a_retry_is_launched_from_its_moment_on_and_only_while_the_day_can_be_measured(retries: int, waited: timedelta) -> None:
    failed, now = unrepaired(retries), ENDED + waited
    due = due_retries([failed], PAUSES, now, lambda _: UNTIL)
    moment = next_retry(failed, PAUSES, UNTIL)
    assert moment
    assert bool(due) == (moment <= now < UNTIL)


def test_each_session_is_retried_for_its_own_instances() -> None:
    first, second = unrepaired(0), unrepaired(2)
    due = due_retries([first, second], PAUSES, ENDED + timedelta(minutes=20), lambda _: UNTIL)
    assert [(retry.retry_of, retry.instance_names) for retry in due] == [(first.session_id, ("orders",))]


def test_the_end_of_a_day_is_by_its_own_midnight_and_the_grace_period() -> None:
    assert measurable_until(DAY, ZoneInfo("UTC"), timedelta(hours=2)) == UNTIL
    havana = ZoneInfo("America/Havana")  # where clocks go back at the end of 31 October: 00:00 to 00:59 occur twice
    assert measurable_until(date(2026, 10, 31), havana, timedelta(hours=1)) == datetime(2026, 11, 1, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "15,", "0", "15;60", "1441", "-1", "fifteen"])
def test_pauses_that_are_no_minutes_are_refused(text: str) -> None:
    given_text = {"WHALEFALL_RETRY_MINUTES": text} if text else {"WHALEFALL_RETRY_MINUTES": " "}
    with pytest.raises(InputError, match="WHALEFALL_RETRY_MINUTES"):
        load_settings(given_text)


def test_pauses_are_minutes() -> None:
    assert load_settings({}).of(CollectingSettings).retry_pauses == PAUSES
    assert load_settings({"WHALEFALL_RETRY_MINUTES": "1, 5"}).of(CollectingSettings).retry_pauses == (
        timedelta(minutes=1),
        timedelta(minutes=5),
    )
