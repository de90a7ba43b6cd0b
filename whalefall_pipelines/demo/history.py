"""The simulated history of the demo's databases: 120 days that end at today's sizes, with every kind of event that a history can have.

The functions are pure. `demo_day.py` writes the days, with the only statement that may write `simulated`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

HISTORY_DAYS = 120
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class SimulatedDay:
    """One database on one simulated day, in bytes."""

    instance_id: int
    database_name: str
    stat_date: date
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Past:
    """How a database reached its size of today. Ages are days before today. `grown` is the share of today's bytes that grew evenly.

    Before `step_age`, a share `step` of today's bytes was not there yet; if negative, that share was there and was purged.
    """

    grown: float = 0.3
    step: float = 0.0
    step_age: int = 0
    first_age: int = HISTORY_DAYS
    last_age: int = 1

    def bytes_at(self, age: int, today_bytes: int) -> int | None:
        """The size `age` days ago; None before the database was created and after it was dropped.

        It is at least a mebibyte, or today's size where that is less.
        """
        if not self.last_age <= age <= self.first_age:
            return None
        before_step = self.step if age > self.step_age > 0 else 0.0
        share = 1 - self.grown * age / HISTORY_DAYS - before_step
        ripple = (age * 37 % 11) * 8192
        return max(min(_MEBIBYTE, today_bytes), round(today_bytes * share) - ripple)


STEADY = Past()
PASTS: Mapping[tuple[str, str], Past] = {
    ("orders", "shop"): Past(grown=0.45),
    ("orders", "billing"): Past(grown=0.2, step=0.35, step_age=45),
    ("analytics", "events"): Past(grown=0.55),
    ("analytics", "staging"): Past(grown=0.1, step=-1.5, step_age=30),
    ("platform", "auth"): Past(grown=0.05),
    ("platform", "Mixed Case; 日本"): Past(grown=0.1, first_age=60),
    ("web", "wordpress"): Past(grown=0.35),
}
# Databases that no server has today: a dropped one, and those of the server that is down.
DEPARTED: Mapping[tuple[str, str], tuple[Past, int]] = {
    ("analytics", "archive_2025"): (Past(grown=0.0, last_age=40), 64 * _MEBIBYTE),
    ("legacy", "crm"): (Past(grown=0.15), 40 * _MEBIBYTE),
    ("legacy", "crm_documents"): (Past(grown=0.25), 90 * _MEBIBYTE),
}


def simulate(today: date, instance_ids: Mapping[str, int], sizes: Mapping[tuple[str, str], int]) -> Iterator[SimulatedDay]:
    """Every simulated day of these databases, given as (instance name, database name) with today's bytes."""
    pasts = {key: (PASTS.get(key, STEADY), size) for key, size in sizes.items()} | dict(DEPARTED)
    for (instance_name, database_name), (past, today_bytes) in pasts.items():
        for age in range(HISTORY_DAYS, 0, -1):
            size = past.bytes_at(age, today_bytes)
            if size is not None and instance_name in instance_ids:
                yield SimulatedDay(instance_ids[instance_name], database_name, today - timedelta(days=age), size)
