"""When what a day lacks is tried again: the reasons that a machine may retry, the pauses, and their end.

Finding what lacks is `store/retries.py`; launching is `defs/sessions.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from whalefall_pipelines.domain.capacity import Reason

# What a person cures by changing the credential or the instance. Repeating a rejected login locks accounts.
CURED_BY_A_CHANGE = frozenset({Reason.AUTHENTICATION_FAILED, Reason.ANOTHER_SERVER, Reason.DUPLICATE_SERVER})
# A missing privilege is granted on the server, which nothing here tells.
NEEDS_A_PERSON = CURED_BY_A_CHANGE | {Reason.NO_PERMISSION}


@dataclass(frozen=True, slots=True)
class Unrepaired:
    """Instances whose day lacks something after a session that ended; `retries` is how many sessions it is away from the first."""

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


def due_retries(unrepaired: Iterable[Unrepaired], pauses: Sequence[timedelta], now: datetime) -> list[Retry]:
    """The retries whose pause is over: the n-th comes the n-th pause after the session that it retries. There are no more than pauses."""
    return [
        Retry(one.day, one.session_id, one.instance_names)
        for one in unrepaired
        if one.retries < len(pauses) and now >= one.ended_at + pauses[one.retries]
    ]
