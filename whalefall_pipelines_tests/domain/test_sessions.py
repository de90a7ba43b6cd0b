"""When a running session is dead."""

import pytest

from whalefall_pipelines.domain.sessions import RunState, SessionStatus, ending_of


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
    ending = ending_of(run, is_alive=is_alive)
    assert (ending and ending[0]) == expected
