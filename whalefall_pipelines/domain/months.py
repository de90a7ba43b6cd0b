"""Table partitions: the calendar month of a day, and the tables of the catalogue.

`retention/maintenance.py` plans their maintenance; `store/months.py` reads the catalogue.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Content(StrEnum):
    """The content of a partitioned table, which determines how long its months are kept."""

    DAYS = "days"
    AGGREGATED_DAYS = "aggregated days"  # days from which periods are computed; a month is held until they have been
    PERIODS = "periods"
    RESULTS = "results"  # of days, which they outlive as periods do; a month is dropped as a whole


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
        """The month that is this many months later, or earlier if negative."""
        years, index = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(years, index + 1)

    def table_partition(self, table_name: str) -> str:
        """The name of this month's table partition."""
        return f"{table_name}_{self.year:04d}_{self.month:02d}"

    def __str__(self) -> str:
        """The month in the form YYYY-MM."""
        return f"{self.year:04d}-{self.month:02d}"


def months_of(days: Iterable[date]) -> tuple[Month, ...]:
    """The months of these days, in order."""
    return tuple(sorted({Month(day.year, day.month) for day in days}))


def months_between(first: Month, last: Month) -> tuple[Month, ...]:
    """Every month from `first` to `last`, inclusive."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return tuple(first.plus(number) for number in range(count))


class Place(StrEnum):
    """The state of a table in the catalogue."""

    ATTACHED = "attached"
    DETACH_PENDING = "detach pending"
    DETACHED = "detached"  # by a maintenance that was interrupted before it dropped the table; the table has a mark
    STRAY = "stray"  # it has the name of a month, but is not attached to the table


@dataclass(frozen=True, slots=True)
class TablePartition:
    """One table in the catalogue. The days are its bounds, None if the bounds are not two days; `rows` is PostgreSQL's estimate."""

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
        """The month of its bounds; None if they are not exactly one month."""
        if self.first_day is None or self.end_day is None or not self.is_plain:
            return None
        month = Month(self.first_day.year, self.first_day.month)
        return month if (month.first_day, month.end_day) == (self.first_day, self.end_day) else None

    def overlaps(self, month: Month) -> bool:
        """Whether it may contain days of the month. A table without bounds, such as a default partition, does not count."""
        if self.first_day is None and self.end_day is None:
            return False
        begins_before_end = self.first_day is None or self.first_day < month.end_day
        return begins_before_end and (self.end_day is None or self.end_day > month.first_day)
