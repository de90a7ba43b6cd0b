"""The doctor's checks of the sessions area: no session is running without a process."""

from collections.abc import Iterator, Sequence

from whalefall_pipelines.doctor.examined import Examined
from whalefall_pipelines.doctor.outcome import Outcome, fine, problem
from whalefall_pipelines.domain.sessions import RunningSession
from whalefall_pipelines.sessions.store import list_running


def check(examined: Examined) -> Iterator[Outcome]:
    """Check the running sessions."""
    yield from check_sessions(list_running(examined.store, examined.installation.dead_after_seconds))


def check_sessions(running: Sequence[RunningSession]) -> list[Outcome]:
    """A session without a heartbeat is dead. Dagster's daemon should have ended it, or will end it within minutes."""
    step = "make sure that the Dagster daemon is running, which ends it within minutes, or run `whalefall sessions cancel {}`."
    bad = [
        problem("sessions", f"{session.session_id} is marked as running, but its process has ended.", step.format(session.session_id))
        for session in running
        if not session.is_alive
    ]
    return bad or [fine("sessions", f"{len(running)} running, none of them dead.")]
