"""Table partitions: which calendar month a day is stored in, and what the catalogue has of each.

What is to be done with them is `maintenance.py`; reading the catalogue is `store/months.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Content(StrEnum):
    """What a partitioned table holds, which decides how long its months are kept."""

    DAYS = "days"
    AGGREGATED_DAYS = "aggregated days"  # days from which periods are computed: a month is held until they are
    PERIODS = "periods"


@dataclass(frozen=True, slots=True)
class PartitionedTable:
    """A table that has a table partition for each calendar month."""

    name: str
    content: Content


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One calendar month."""

    year: int
    month: int

    @property
    def first_day(self) -> date:
        """The first day, inclusive."""
        return date(self.year, self.month, 1)

    @property
    def end_day(self) -> date:
        """The first day of the next month, exclusive."""
        return self.plus(1).first_day

    @property
    def last_day(self) -> date:
        """The last day, inclusive."""
        return self.end_day - timedelta(days=1)

    def plus(self, months: int) -> "Month":
        """The month so many months later, or earlier."""
        years, index = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(years, index + 1)

    def table_partition(self, table_name: str) -> str:
        """The name of this month's part of a table."""
        return f"{table_name}_{self.year:04d}_{self.month:02d}"

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.year:04d}-{self.month:02d}"


def months_of(days: Iterable[date]) -> tuple[Month, ...]:
    """The months in which these days lie, in order."""
    return tuple(sorted({Month(day.year, day.month) for day in days}))


def months_between(first: Month, last: Month) -> tuple[Month, ...]:
    """Every month from one to the other, both included."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return tuple(first.plus(number) for number in range(count))


class Place(StrEnum):
    """Where a table of the catalogue stands."""

    ATTACHED = "attached"
    DETACH_PENDING = "detach pending"
    DETACHED = "detached"  # by an maintenance that was interrupted before it dropped the table; it left its mark
    STRAY = "stray"  # it has the name of a month and is no part of the table


@dataclass(frozen=True, slots=True)
class TablePartition:
    """One table of the catalogue. The days are its bounds, None where they are no two days; `rows` is PostgreSQL's estimate."""

    table_name: str
    schema_name: str
    name: str
    place: Place
    first_day: date | None
    end_day: date | None
    total_bytes: int
    rows: int | None
    is_plain: bool = True

    @property
    def month(self) -> Month | None:
        """The month that it holds; None when its bounds are not exactly one."""
        if self.first_day is None or self.end_day is None or not self.is_plain:
            return None
        month = Month(self.first_day.year, self.first_day.month)
        return month if (month.first_day, month.end_day) == (self.first_day, self.end_day) else None

    def overlaps(self, month: Month) -> bool:
        """Whether days of the month lie in it. None are known to lie in what has no bounds, such as a default partition."""
        if self.first_day is None and self.end_day is None:
            return False
        begins_before_end = self.first_day is None or self.first_day < month.end_day
        return begins_before_end and (self.end_day is None or self.end_day > month.first_day)
