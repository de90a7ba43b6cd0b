"""The doctor's checks of sessions: fine, or a problem with one next step."""

from uuid import UUID

from whalefall_pipelines.doctor.outcome import Severity
from whalefall_pipelines.domain.sessions import RunningSession
from whalefall_pipelines.sessions.doctor_checks import check_sessions
from whalefall_pipelines_tests.doctor.outcomes import bad


def test_a_session_is_dead_when_its_process_is_gone() -> None:
    alive, dead = (RunningSession(UUID(int=number), None, is_alive=number == 1) for number in (1, 2))
    assert bad(check_sessions([alive])) == []
    ((severity, sentence, step),) = bad(check_sessions([alive, dead]))
    assert severity is Severity.PROBLEM
    assert str(dead.session_id) in sentence
    assert f"whalefall sessions cancel {dead.session_id}" in step
