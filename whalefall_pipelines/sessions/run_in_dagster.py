"""Starts Dagster runs in a subprocess and waits for their sessions. Dagster is not imported here.

The subprocess (`execute_runs.py`) executes the runs itself, without the daemon's queue. They work without `whalefall up` and are
visible in its UI all the same.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from whalefall_pipelines.domain.runs import Run
from whalefall_pipelines.domain.sessions import Session, SessionStatus
from whalefall_pipelines.errors import NotFoundError, RunFailedError, StoreError, StoreUnreachableError
from whalefall_pipelines.runtime.dagster_environment import dagster_environment
from whalefall_pipelines.runtime.embedded import address
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.outage import retry_while_unavailable

POLL_SECONDS = 0.2
# A terminated run closes its session first. It checks for termination several times a second.
STOP_SECONDS = 10


def run_in_dagster(
    settings: Settings, database: Database, *runs: Run, on_progress: Callable[[Session], None] = lambda _: None
) -> tuple[Session, ...]:
    """Execute runs one after the other, and return their ended sessions. Runs after a cancelled one are not started.

    While the store is unavailable, no progress is shown. The run handles the outage itself, and is watched until it ends.

    Raises:
        RunFailedError: a run failed, so there may be no session; the message names the log.
        StoreUnreachableError: the runs ended, but the store was unavailable for too long to read their sessions.
    """
    log = settings.home / "logs" / f"{runs[0].job_name}-{runs[0].session_id}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(runs),
            env=os.environ | dagster_environment(settings, address(settings), database.timezone),
            cwd=settings.home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while _is_running(process):
                with suppress(StoreUnreachableError):
                    _show(database, runs, on_progress)
        except BaseException as error:
            _stop(process)
            _abandon(database, runs, SessionStatus.CANCELLED, "CANCELLED", f"its command ended: {type(error).__name__}")
            raise
    if process.returncode != 0 and not _was_cancelled(database, runs):
        reason = find_reason(log) if process.returncode > 0 else f"its process was killed by signal {-process.returncode}."
        _abandon(database, runs, SessionStatus.FAILED, RunFailedError.code, f"the run failed: {reason}")
        raise RunFailedError(f"The Dagster run failed: {reason} The full log is in {log}.")
    retry_while_unavailable(lambda: _show(database, runs, on_progress))
    opened = retry_while_unavailable(lambda: _opened(database, runs))
    log.unlink()
    return opened


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the run gracefully, and kill it when it does not respond or the user interrupts again."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
        process.wait(STOP_SECONDS)
    process.kill()
    process.wait()


def _abandon(database: Database, runs: Sequence[Run], status: SessionStatus, code: str, message: str) -> None:
    """End the sessions that the runs left open. If the store is unavailable, the sensor or the next run ends them."""
    with suppress(StoreError):
        for run in runs:
            sessions.abandon_session(database, run.session_id, status, error_code=code, error_message=message)


def _was_cancelled(database: Database, runs: Sequence[Run]) -> bool:
    try:
        opened = retry_while_unavailable(lambda: _opened(database, runs))
    except StoreUnreachableError:
        return False
    return bool(opened) and opened[-1].status is SessionStatus.CANCELLED


def _command(runs: Sequence[Run]) -> list[str]:
    # The repository tag links a run to its code location in the UI.
    orders = [{"job": run.job_name, "tags": run.tags | {".dagster/repository": "__repository__@whalefall_pipelines"}} for run in runs]
    return [sys.executable, "-m", "whalefall_pipelines.execute_runs", json.dumps(orders)]


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _show(database: Database, runs: Sequence[Run], on_progress: Callable[[Session], None]) -> None:
    for session in _opened(database, runs)[-1:]:
        on_progress(session)


def _opened(database: Database, runs: Sequence[Run]) -> tuple[Session, ...]:
    """The sessions that the runs have opened so far."""
    opened: list[Session] = []
    for run in runs:
        try:
            opened.append(sessions.get_session(database, run.session_id))
        except NotFoundError:
            break
    return tuple(opened)


def find_reason(log: Path) -> str:
    """The line of the log of a run that names the innermost error; Dagster wraps it in several others, and ends with a stack trace."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    ours = [line for line in lines if line.startswith("whalefall_pipelines.errors.")]
    named = [line for line in lines if _ERROR.match(line)]
    return (ours or named or lines or ["it wrote nothing."])[-1]


_ERROR = re.compile(r"[\w.]*(Error|Exception|Interrupt)(: |$)")
