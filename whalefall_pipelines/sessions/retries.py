"""When instances with missing sizes are retried: the reasons that a machine may retry, the pauses, and their end.

Finding them is `capacity/store/retries.py`; launching is `capacity/sensors.py`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from whalefall_pipelines.domain.reasons import Reason

# What a person cures by changing the credential or the instance. Repeating a rejected login locks accounts.
CURED_BY_A_CHANGE = frozenset({Reason.AUTHENTICATION_FAILED, Reason.ANOTHER_SERVER, Reason.DUPLICATE_SERVER})
# A missing privilege is granted on the server, which nothing here tells.
NEEDS_A_PERSON = CURED_BY_A_CHANGE | {Reason.NO_PERMISSION}
# Once the pauses of WHALEFALL_RETRY_MINUTES are used up, this one is repeated, or the longest of them where that is longer.
STEADY_PAUSE = timedelta(hours=3)
# The last retry of a day comes so long before it cannot be measured any more: longer than the deadline of a visit and a queue of runs.
LAST_RETRY_BEFORE_END = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Unrepaired:
    """Instances with missing sizes after a session that ended; `retries` is how many sessions it is away from the first."""

    day: date
    session_id: UUID
    ended_at: datetime
    retries: int
    instance_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retry:
    """A run to launch for these instances."""

    day: date
    retry_of: UUID
    instance_names: tuple[str, ...]


def next_retry(session: Unrepaired, pauses: Sequence[timedelta], measurable_until: datetime) -> datetime | None:
    """When these instances are visited again: after the pause of their number, then steadily, and once more shortly before the end.

    The last retry takes the place of one that would leave no room for another, so that the end of the day is always tried and never
    twice. None when it has been.
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
    """The retries whose moment has come, of days that can still be measured, which `measurable_until` tells."""
    moments = ((session, next_retry(session, pauses, measurable_until(session.day))) for session in unrepaired)
    return [
        Retry(session.day, session.session_id, session.instance_names)
        for session, moment in moments
        if moment is not None and moment <= now < measurable_until(session.day)
    ]
