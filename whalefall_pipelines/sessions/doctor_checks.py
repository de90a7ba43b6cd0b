"""What `whalefall doctor` checks of sessions: that none is running without a process."""

from collections.abc import Iterator, Sequence

from whalefall_pipelines.doctor.examined import Examined
from whalefall_pipelines.doctor.outcome import Outcome, fine, problem
from whalefall_pipelines.domain.sessions import RunningSession
from whalefall_pipelines.sessions.store import list_running


def check(examined: Examined) -> Iterator[Outcome]:
    """The running sessions."""
    yield from check_sessions(list_running(examined.store, examined.installation.dead_after_seconds))


def check_sessions(running: Sequence[RunningSession]) -> list[Outcome]:
    """A session whose process says nothing any more is dead, and Dagster's daemon should have ended it by now or will within minutes."""
    step = "see that the daemon runs, which ends it within minutes; else run `whalefall sessions cancel {}`."
    bad = [
        problem("sessions", f"{session.session_id} is called running, but its process is gone.", step.format(session.session_id))
        for session in running
        if not session.is_alive
    ]
    return bad or [fine("sessions", f"{len(running)} running, none of them dead.")]
