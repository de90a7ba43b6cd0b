"""When instances are retried, within a run and by later runs: for which reasons, after which pause, and until when.

`collection.py` retries within a run. Each area finds its instances for later runs, and `runs.py` requests the runs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import TargetError

# Fixed by changing the credential or the instance. Repeating a rejected login would lock the account.
CURED_BY_A_CHANGE = frozenset({Reason.AUTHENTICATION_FAILED, Reason.ANOTHER_SERVER, Reason.DUPLICATE_SERVER})
# A missing privilege is granted on the server, where whalefall cannot see it.
NEEDS_A_PERSON = CURED_BY_A_CHANGE | {Reason.NO_PERMISSION}
# Attempts within one run, for failures that came quickly. A probe that used up its deadline is retried by a later run.
ATTEMPTS = 3
QUICK_SECONDS = 2.0
# Each pause before another attempt is this many times as long as the one before.
BACK_OFF = 3
# After the pauses of WHALEFALL_RETRY_MINUTES this pause is repeated, or the longest of them if that is longer.
STEADY_PAUSE = timedelta(hours=3)
# The last retry of a day starts this long before its measuring window closes: longer than the deadline of a probe and a queue of runs.
LAST_RETRY_BEFORE_END = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class RetryRule:
    """When a failed probe is retried within the same run. All attempts of an instance and their pauses share one deadline."""

    pause_seconds: float = 0.5
    deadline_seconds: float = 300

    def pause_after(self, attempt: int) -> float:
        """The pause after this attempt; the first one is attempt 1."""
        return self.pause_seconds * BACK_OFF ** (attempt - 1)

    def allows(self, error: TargetError, attempt: int, *, seconds: float, spent_seconds: float) -> bool:
        """Whether to retry an attempt that failed after `seconds`. Earlier attempts and pauses took `spent_seconds`."""
        is_worth_it = error.is_transient and error.reason not in NEEDS_A_PERSON
        has_time = spent_seconds + seconds + self.pause_after(attempt) < self.deadline_seconds
        return is_worth_it and seconds < QUICK_SECONDS and attempt < ATTEMPTS and has_time


@dataclass(frozen=True, slots=True)
class Unrepaired:
    """Instances of a zone with missing sizes after a session that ended. `retries` counts the retries that led to this session."""

    day: date
    session_id: UUID
    ended_at: datetime
    retries: int
    instance_names: tuple[str, ...]
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """A run to launch for these instances of a zone."""

    day: date
    retry_of: UUID
    instance_names: tuple[str, ...]
    zone: str | None = None


def next_retry(session: Unrepaired, pauses: Sequence[timedelta], measurable_until: datetime) -> datetime | None:
    """When these instances are retried: after the configured pauses, then at a steady interval, and once more shortly before the end.

    The last retry replaces any retry that would come too close to it, so that there is exactly one shortly before the end. None after
    the last retry.
    """
    last = measurable_until - LAST_RETRY_BEFORE_END
    if session.ended_at >= last:
        return None
    pause = pauses[session.retries] if session.retries < len(pauses) else max(STEADY_PAUSE, *pauses)
    due = session.ended_at + pause
    return last if due + pause > last else due


def due_retries(
    unrepaired: Iterable[Unrepaired], pauses: Sequence[timedelta], now: datetime, measurable_until: Callable[[date], datetime]
) -> list[Retry]:
    """The retries that are due, of days that can still be measured. `measurable_until` returns the end of a day's window."""
    moments = ((session, next_retry(session, pauses, measurable_until(session.day))) for session in unrepaired)
    return [
        Retry(session.day, session.session_id, session.instance_names, session.zone)
        for session, moment in moments
        if moment is not None and moment <= now < measurable_until(session.day)
    ]
