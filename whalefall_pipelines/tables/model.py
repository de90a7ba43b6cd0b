"""What the area answers: observed days, tables with their growth, the history of one table."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from whalefall_pipelines.capacity.coverage import CoverageState
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import TableKind, TableMethod, TableSizes


@dataclass(frozen=True, slots=True)
class Reading:
    """What a server answered, to be stored on this day; `session_id` is None for a reading by hand."""

    day: date
    collected_at: datetime
    outcome: TableSizes | MissingSize
    session_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """One database on a day on which its tables were asked for. `reason` and `detail` are None if they were read."""

    stat_date: date
    collected_at: datetime
    total_bytes: int | None
    row_count: int | None
    smaller_tables: int | None
    smaller_partitions: int | None
    missing: Sequence[dict[str, Any]]
    sizes_digest: str | None
    reason: str | None
    detail: str | None

    def is_missing(self, schema_name: str, table_name: str, partition_name: str) -> bool:
        """Whether a table was there, or may have been, and has no size of its own on that day."""
        is_beyond_limit = bool(self.smaller_partitions if partition_name else self.smaller_tables)
        name = (schema_name, table_name, partition_name)
        return is_beyond_limit or any((gap["schema_name"], gap["table_name"], gap["partition_name"]) == name for gap in self.missing)


@dataclass(frozen=True, slots=True)
class StoredTable:
    """One row of a day. `before_bytes` is its size on the observed day before; None if it had none."""

    schema_name: str
    table_name: str
    partition_name: str
    kind: TableKind
    total_bytes: int
    data_bytes: int | None
    index_bytes: int | None
    lob_bytes: int | None
    row_estimate: int | None
    method: TableMethod
    before_bytes: int | None


@dataclass(frozen=True, slots=True)
class TablesOfDay:
    """The tables of a database as they were read last, largest first, and the observed day before, which growth is against."""

    observation: Observation
    before: Observation | None
    tables: Sequence[StoredTable]

    def is_new(self, table: StoredTable) -> bool:
        """Whether the table was not there on the day before; unknown is no."""
        if self.before is None or table.before_bytes is not None or not table.table_name:
            return False
        return not self.before.is_missing(table.schema_name, table.table_name, table.partition_name)

    def change_bytes(self, table: StoredTable) -> int | None:
        """The growth since the day before, all of a new table; None where it is unknown.

        What belongs to no table contains the missing tables, so that its change says nothing while there are any.
        """
        if self.is_new(table):
            return table.total_bytes
        is_blurred = table.kind is TableKind.NO_TABLE and (self.observation.missing or (self.before and self.before.missing))
        return None if table.before_bytes is None or is_blurred else table.total_bytes - table.before_bytes


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of a database are asked for: of one schema or all, with table partitions or without, and how many at most."""

    schema_name: str | None = None
    with_partitions: bool = False
    most: int = 20


@dataclass(frozen=True, slots=True)
class TableName:
    """One stored table, or one of its partitions."""

    database_name: str
    schema_name: str
    table_name: str
    partition_name: str


@dataclass(frozen=True, slots=True)
class TableDay:
    """One table on a day on which the tables of its database were asked for; `total_bytes` is None if it has no size."""

    stat_date: date
    total_bytes: int | None
    data_bytes: int | None
    index_bytes: int | None
    lob_bytes: int | None
    row_estimate: int | None
    method: str | None
    reason: str | None
    is_below_limit: bool


def digest(sizes: TableSizes) -> str:
    """The same text for the same sizes. Estimates of rows do not count: they change without any byte."""
    hashed = hashlib.blake2b(digest_size=16)
    for table in sorted(sizes.tables, key=lambda table: (table.key, table.kind)):
        parts = (table.total_bytes, table.data_bytes, table.index_bytes, table.lob_bytes, table.method)
        hashed.update(repr((*table.key, table.kind, *parts)).encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()


@dataclass(frozen=True, slots=True)
class Rules:
    """Which databases are read by schedule: those of servers with a tag, above a size, or that grew by more in seven days; in bytes.

    `tag_value` is None if any value counts.
    """

    tag_key: str
    tag_value: str | None
    size_over: int
    grew_over: int


@dataclass(frozen=True, slots=True)
class ChosenDatabase:
    """A database that is read by schedule, and the rule that names it: `tag`, `size` or `growth`."""

    instance_id: int
    database_name: str
    rule: str


@dataclass(frozen=True, slots=True)
class RankedTable:
    """A table in one of the rankings of a day: `largest`, `fastest growing`, `new` or `gone`."""

    ranking: str
    instance_name: str
    database_name: str
    schema_name: str
    table_name: str
    total_bytes: int
    change_bytes: int | None


@dataclass(frozen=True, slots=True)
class Missing:
    """A database, or with `table_name` one of its tables, without a size on a day."""

    instance_name: str
    database_name: str
    schema_name: str | None
    table_name: str | None
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class TablesCoverage:
    """The databases of one instance whose tables were to be read on a day. `missing_tables` are in databases that were read."""

    instance_name: str
    stat_date: date
    expected: int
    measured: int
    missing: int
    reasons: tuple[str, ...]
    missing_tables: int

    @property
    def state(self) -> CoverageState:
        """The state of the day."""
        if not self.measured:
            return CoverageState.MISSING
        return CoverageState.PARTLY_MISSING if self.missing or self.missing_tables else CoverageState.MEASURED
