"""The sizes of the tables of one database: what a probe returns, and what `tables/store.py` stores.

Bytes are integers; unknown is None, never 0. The rows that are no table partition add up to the size of the database, to the byte.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.domain.reasons import Reason


class TableKind(StrEnum):
    """The public `kind` of a row. The last two are not tables: what is in none, and what is beyond the limit of stored tables."""

    TABLE = "table"
    PARTITIONED = "partitioned"
    UNLOGGED = "unlogged"
    MATERIALIZED_VIEW = "materialized_view"
    FOREIGN = "foreign"  # it keeps no byte on this server's disk: its rows are in memory, or elsewhere
    NO_TABLE = "no_table"
    SMALLER_TABLES = "smaller_tables"


class TableMethod(StrEnum):
    """The public `method` of a row: how a server reported the number. `…_statistics` are estimates of the server."""

    PG_TABLE_SIZE = "pg_table_size"
    INNODB_TABLESPACES = "innodb_tablespaces"
    TABLE_FILES = "table_files"
    TABLE_STATISTICS = "table_statistics"
    ALLOCATION_UNITS = "allocation_units"
    DBA_SEGMENTS = "dba_segments"
    REMAINDER = "remainder"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table, or with `partition_name` one of its table partitions, which its own row contains.

    `lob_bytes` are TOAST or LOB segments. The three parts are None if the engine does not distinguish them. `row_estimate` is the server's
    own estimate; None if it has none.
    """

    schema_name: str
    table_name: str
    kind: TableKind
    total_bytes: int
    method: TableMethod
    data_bytes: int | None = None
    index_bytes: int | None = None
    lob_bytes: int | None = None
    row_estimate: int | None = None
    partition_name: str = ""

    @property
    def key(self) -> tuple[str, str, str, bool]:
        """What identifies the row within its database."""
        return self.schema_name, self.table_name, self.partition_name, self.kind is TableKind.SMALLER_TABLES

    def __post_init__(self) -> None:
        """Refuse what no server can honestly say."""
        parts = [part for part in (self.data_bytes, self.index_bytes, self.lob_bytes) if part is not None]
        if min(self.total_bytes, *parts, self.row_estimate or 0) < 0:
            raise ValueError(f"a size cannot be negative: {self}")


@dataclass(frozen=True, slots=True)
class MissingTable:
    """One table, or table partition, without a size. `detail` is a message; with `no_permission` it is the missing GRANT."""

    schema_name: str
    table_name: str
    reason: Reason
    detail: str
    partition_name: str = ""


@dataclass(frozen=True, slots=True)
class TableSizes:
    """One measured database, largest tables first. `smaller_tables` and `smaller_partitions` are beyond the limit.

    The former are in `tables` as one row with their sum. The bytes of a missing table are in the row of what belongs to no table.
    """

    database_name: str
    total_bytes: int
    tables: Sequence[TableSize]
    missing: Sequence[MissingTable] = ()
    smaller_tables: int = 0
    smaller_partitions: int = 0

    def __post_init__(self) -> None:
        """Refuse rows that do not add up."""
        total = _sum(self.tables)
        if total != self.total_bytes:
            sums = f"add up to {counted(total, 'byte')}, and the database has {self.total_bytes:,}"
            raise ValueError(f"the tables of {self.database_name!r} {sums}")


def sum_of_partitions(partitions: Sequence[TableSize]) -> TableSize:
    """The table whose partitions these are, at least one. A part or an estimate that one of them does not have is unknown."""

    def total(values: Iterable[int | None]) -> int | None:
        known = list(values)
        return None if None in known else sum(value for value in known if value is not None)

    return TableSize(
        partitions[0].schema_name,
        partitions[0].table_name,
        TableKind.PARTITIONED,
        sum(partition.total_bytes for partition in partitions),
        partitions[0].method,
        data_bytes=total(partition.data_bytes for partition in partitions),
        index_bytes=total(partition.index_bytes for partition in partitions),
        lob_bytes=total(partition.lob_bytes for partition in partitions),
        row_estimate=total(partition.row_estimate for partition in partitions),
    )


def largest_tables(
    database_name: str, total_bytes: int, tables: Sequence[TableSize], missing: Sequence[MissingTable], at_most: int
) -> TableSizes | None:
    """The database with the largest rows, the rest as one row, and what belongs to no table as another.

    None if the tables are larger than the database, because they changed while they were read.
    """
    ranked = sorted(tables, key=lambda table: (-table.total_bytes, table.key))
    kept, smaller = ranked[:at_most], ranked[at_most:]
    remainder = total_bytes - _sum(ranked)
    if remainder < 0:
        return None
    smaller_count = sum(not table.partition_name for table in smaller)
    rows = [TableSize("", "", TableKind.NO_TABLE, remainder, TableMethod.REMAINDER)]
    if smaller_count:
        rows.append(TableSize("", "", TableKind.SMALLER_TABLES, _sum(smaller), TableMethod.SUM))
    return TableSizes(
        database_name,
        total_bytes,
        sorted([*kept, *rows], key=lambda table: (-table.total_bytes, table.key)),
        missing[:at_most],
        smaller_count,
        len(smaller) - smaller_count,
    )


def _sum(tables: Sequence[TableSize]) -> int:
    return sum(table.total_bytes for table in tables if not table.partition_name)
