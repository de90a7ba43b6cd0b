"""How many requests a caller may make: a bucket of tokens for each, in this process."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests that each caller may make. A second's worth, or a minute's, may come at once."""

    reads_per_second: float = 20
    actions_per_minute: float = 10


@dataclass
class Limits:
    """The buckets. A caller has one for reads and one for actions."""

    rates: Rates
    now: Callable[[], float] = time.monotonic
    _buckets: dict[tuple[str, bool], tuple[float, float]] = field(default_factory=dict[tuple[str, bool], tuple[float, float]])

    def seconds_to_wait(self, caller: str, *, is_action: bool) -> float:
        """Take one request out of the bucket: 0 if it may pass, else after how many seconds the next one may."""
        per_second = self.rates.actions_per_minute / 60 if is_action else self.rates.reads_per_second
        size = self.rates.actions_per_minute if is_action else 2 * self.rates.reads_per_second
        now = self.now()
        left, filled_at = self._buckets.get((caller, is_action), (size, now))
        left = min(size, left + (now - filled_at) * per_second)
        if left < 1:
            self._buckets[caller, is_action] = left, now
            return (1 - left) / per_second
        self._buckets[caller, is_action] = left - 1, now
        return 0.0
