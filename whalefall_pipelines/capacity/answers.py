"""What people ask about sizes: the largest databases and groups, the history of one, and growth. `ask.py` has the answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from whalefall_pipelines.capacity.coverage import CoverageState

_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class LargeDatabase:
    """A database on a day; `total_bytes` is None while it is missing. `known_bytes` is its newest size of at most 14 days before.

    `database_name` is None where the databases of the instance were never listed.
    """

    instance_name: str
    engine: str
    database_name: str | None
    total_bytes: int | None
    state: str
    reason: str | None
    known_date: date | None
    known_bytes: int | None


@dataclass(frozen=True, slots=True)
class LargeGroup:
    """The databases of an instance or a tag on a day: `total_bytes` without the `missing` ones, `known_bytes` with their newest size."""

    group_name: str | None
    instances: int
    databases: int
    missing: int
    estimated: int
    total_bytes: int | None
    known_bytes: int | None


@dataclass(frozen=True, slots=True)
class FleetDay:
    """The total of all active instances on a day; None if no size is known.

    `held` instances were not completely measured and count with their newest complete total of at most 14 days before; `unknown` ones have
    no such total and do not count.
    """

    stat_date: date
    total_bytes: int | None
    instances: int
    held: int
    unknown: int


@dataclass(frozen=True, slots=True)
class StackedSize:
    """One layer of what a server consists of on a day: a database, or with None all that have no layer of their own."""

    stat_date: date
    database_name: str | None
    total_bytes: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Growth:
    """The growth of a database between the first and the last known day of a span; None if these are not two days."""

    instance_name: str
    engine: str
    database_name: str | None
    state: str
    reason: str | None
    from_date: date | None
    from_bytes: int | None
    to_date: date | None
    to_bytes: int | None
    is_estimated: bool
    change_bytes: int | None

    @property
    def change_percent(self) -> float | None:
        """The growth in percent of the first size; None if that is zero or unknown."""
        return round(100 * self.change_bytes / self.from_bytes, 1) if self.change_bytes is not None and self.from_bytes else None

    @property
    def bytes_a_day(self) -> int | None:
        """The average growth of one day."""
        if self.change_bytes is None or self.from_date is None or self.to_date is None:
            return None
        return round(self.change_bytes / (self.to_date - self.from_date).days)


@dataclass(frozen=True, slots=True)
class HistoryDay:
    """One day of a database or an instance. `total_bytes` is None if missing, and without the missing databases of a partly missing day."""

    stat_date: date
    total_bytes: int | None
    state: CoverageState
    reasons: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether its size may be compared with that of another day."""
        return self.state not in {CoverageState.MISSING, CoverageState.PARTLY_MISSING}


def changes(days: Sequence[HistoryDay]) -> list[int | None]:
    """The growth of each day against the day before, in bytes; None unless both are complete."""
    by_date = {day.stat_date: day for day in days}
    befores = [by_date.get(day.stat_date - timedelta(days=1)) for day in days]
    return [_change(before, day) for before, day in zip(befores, days, strict=True)]


def sparkline(days: Sequence[HistoryDay]) -> str:
    """One sign for each calendar day from the first to the last: a bar from the smallest to the largest size, or how the day is missing."""
    sizes = [day.total_bytes for day in days if day.is_complete and day.total_bytes is not None]
    least, span = (min(sizes), max(sizes) - min(sizes)) if sizes else (0, 0)
    by_date = {day.stat_date: day for day in days}
    signs = ""
    for number in range((days[-1].stat_date - days[0].stat_date).days + 1):
        day = by_date.get(days[0].stat_date + timedelta(days=number))
        if day is None:
            signs += CoverageState.NOT_EXPECTED.sign
        elif day.is_complete and day.total_bytes is not None:
            signs += _BARS[(day.total_bytes - least) * (len(_BARS) - 1) // span if span else 0]
        else:
            signs += day.state.sign
    return signs


def _change(before: HistoryDay | None, day: HistoryDay) -> int | None:
    if before is None or not (before.is_complete and day.is_complete) or before.total_bytes is None or day.total_bytes is None:
        return None
    return day.total_bytes - before.total_bytes
