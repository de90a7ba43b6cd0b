"""When a running session is dead, and when what a day lacks is tried again."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines import settings
from whalefall_pipelines.domain.retries import Unrepaired, due_retries
from whalefall_pipelines.domain.sessions import RunState, SessionStatus, verdict
from whalefall_pipelines.errors import InputError

ENDED = datetime(2026, 11, 22, 3, 10, tzinfo=UTC)
PAUSES = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=3))


@pytest.mark.parametrize(
    ("run", "is_alive", "expected"),
    [
        (RunState.GOING, True, None),
        (RunState.GOING, False, SessionStatus.FAILED),
        (RunState.FAILED, True, SessionStatus.FAILED),
        (RunState.FAILED, False, SessionStatus.FAILED),
        (RunState.CANCELLED, True, SessionStatus.CANCELLED),
        (RunState.CANCELLED, False, SessionStatus.CANCELLED),
        (RunState.SUCCEEDED, True, None),
        (RunState.SUCCEEDED, False, SessionStatus.FAILED),
        (RunState.UNKNOWN, True, None),
        (RunState.UNKNOWN, False, SessionStatus.FAILED),
    ],
)
def test_a_running_session_ends_by_its_run_or_by_its_process(run: RunState, is_alive: bool, expected: SessionStatus | None) -> None:
    ending = verdict(run, is_alive=is_alive)
    assert (ending and ending[0]) == expected


def lacking(retries: int, session_id: UUID | None = None) -> Unrepaired:
    return Unrepaired(date(2026, 11, 22), session_id or uuid4(), ENDED, retries, ("orders",))


@given(retries=st.integers(0, 6), waited=st.timedeltas(timedelta(0), timedelta(days=1)))
def test_a_retry_is_due_after_the_pause_of_its_number_and_never_beyond_the_last(retries: int, waited: timedelta) -> None:
    due = due_retries([lacking(retries)], PAUSES, ENDED + waited)
    assert bool(due) == (retries < len(PAUSES) and waited >= PAUSES[retries])


def test_each_session_is_retried_for_its_own_instances() -> None:
    first, second = lacking(0), lacking(2)
    due = due_retries([first, second], PAUSES, ENDED + timedelta(minutes=20))
    assert [(one.retry_of, one.instance_names) for one in due] == [(first.session_id, ("orders",))]


@pytest.mark.parametrize("text", ["", "15,", "0", "15;60", "1441", "-1", "fifteen"])
def test_pauses_that_are_no_minutes_are_refused(text: str) -> None:
    given_text = {"WHALEFALL_RETRY_MINUTES": text} if text else {"WHALEFALL_RETRY_MINUTES": " "}
    with pytest.raises(InputError, match="WHALEFALL_RETRY_MINUTES"):
        settings.load(given_text)


def test_pauses_are_minutes() -> None:
    assert settings.load({}).retry_pauses == PAUSES
    assert settings.load({"WHALEFALL_RETRY_MINUTES": "1, 5"}).retry_pauses == (timedelta(minutes=1), timedelta(minutes=5))
