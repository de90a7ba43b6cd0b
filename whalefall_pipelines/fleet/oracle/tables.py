"""The tables of an Oracle tablespace: the segments in it of their rows, partitions, indexes and LOBs.

A table whose segments are in several tablespaces is in each of them, with what it has there. Free space, undo, and what was dropped and
not purged belong to no table. Like `sizes.py`, it was never run against a real Oracle server.
"""

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import TableKind, TableMethod, TableSize, TableSizes, largest_tables
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.oracle.privileges import SEGMENTS
from whalefall_pipelines.fleet.oracle.probe import decode_name, opened_connection
from whalefall_pipelines.fleet.oracle.sizes import OracleSizes
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.tables import TablesProbe

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class _Row:
    """What a table, or one of its partitions, has of one kind of segments."""

    schema_name: str
    table_name: str
    partition_name: str
    part: str
    total_bytes: int
    row_estimate: int | None


class OracleTables(OracleSizes):
    """An open connection that measures tables."""

    def measure_tables(self, database_name: str, at_most: int) -> TableSizes | MissingSize:
        """Measure the tables, then the files of the tablespace; a tablespace that changed meanwhile is read again."""
        missing_views = self._privileges.missing(*SEGMENTS)
        if missing_views:
            return MissingSize(database_name, Reason.NO_PERMISSION, self._privileges.grants(*missing_views))
        try:
            for _ in range(_ATTEMPTS):
                tables = _tables(_row(row) for row in self._rows("probes/oracle/list_tables", {"database_name": database_name}))
                (tablespace,) = self.measure([database_name])
                if isinstance(tablespace, MissingSize):
                    return tablespace
                sizes = largest_tables(database_name, tablespace.total_bytes, tables, (), at_most)
                if sizes is not None:
                    return sizes
        except SizesError as error:
            return MissingSize(database_name, Reason(error.reason), str(error))
        return MissingSize(database_name, Reason.INCOMPLETE, "its segments are larger than the files that the server lists")


def _row(row: tuple[object, ...]) -> _Row:
    owner, owner_bytes, table, table_bytes, partition, part, total_bytes, row_estimate = row
    return _Row(
        decode_name(owner, owner_bytes),
        decode_name(table, table_bytes),
        "" if partition is None else str(partition),
        str(part),
        int(str(total_bytes)),
        None if row_estimate is None else int(str(row_estimate)),
    )


def _tables(rows: Iterable[_Row]) -> list[TableSize]:
    by_table: defaultdict[tuple[str, str], list[_Row]] = defaultdict(list)
    for row in rows:
        by_table[row.schema_name, row.table_name].append(row)
    tables: list[TableSize] = []
    for parts in by_table.values():
        partitions = [part for part in parts if part.partition_name]
        tables.append(_size(parts, TableKind.PARTITIONED if partitions else TableKind.TABLE))
        tables += [_size([part], TableKind.TABLE, part.partition_name) for part in partitions]
    return tables


def _size(parts: Sequence[_Row], kind: TableKind, partition_name: str = "") -> TableSize:
    data_bytes, index_bytes, lob_bytes = (sum(row.total_bytes for row in parts if row.part == part) for part in ("data", "index", "lob"))
    return TableSize(
        parts[0].schema_name,
        parts[0].table_name,
        kind,
        data_bytes + index_bytes + lob_bytes,
        TableMethod.DBA_SEGMENTS,
        data_bytes,
        index_bytes,
        lob_bytes,
        row_estimate=None if partition_name else parts[0].row_estimate,
        partition_name=partition_name,
    )


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[TablesProbe]:
    """Open a connection that measures tables."""
    with opened_connection(instance, login, deadlines, watchdog) as (connection, watch):
        yield OracleTables(connection, instance, watch)
