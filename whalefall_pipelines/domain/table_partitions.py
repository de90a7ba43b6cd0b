"""Table partitions: which calendar month a day is stored in. Making them is `store/table_partitions.py`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

PARTITIONED_TABLES = ("database_size_stats", "instance_size_stats", "database_size_aggregations", "instance_size_aggregations")


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
        return date(self.year + self.month // 12, self.month % 12 + 1, 1)

    def table_partition(self, table_name: str) -> str:
        """The name of this month's part of a table."""
        return f"{table_name}_{self.year:04d}_{self.month:02d}"


def months_of(days: Iterable[date]) -> tuple[Month, ...]:
    """The months in which these days lie, in order."""
    return tuple(sorted({Month(day.year, day.month) for day in days}))
