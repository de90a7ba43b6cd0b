"""The tables of a SQL Server database, from its allocation: pages that are reserved for rows, indexes and LOBs, never estimates.

The log, free space, and what the server keeps for itself belong to no table. A memory-optimized table has its bytes in containers,
which do not tell one from the other: such a table is missing. Like `sizes.py`, it was never run against a real SQL Server.
"""

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import MissingTable, TableKind, TableMethod, TableSize, TableSizes, largest_tables
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.names import storable
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sqlserver.odbc import Driver
from whalefall_pipelines.fleet.sqlserver.probe import best_driver, opened_connection
from whalefall_pipelines.fleet.sqlserver.sizes import SqlServerSizes
from whalefall_pipelines.fleet.sqlserver.statements import is_sendable, quoted, statement, union
from whalefall_pipelines.fleet.tables import TablesProbe

_ATTEMPTS = 3
_IN_MEMORY = (Reason.INCOMPLETE, "a memory-optimized table; its bytes are in containers, which do not distinguish tables")


@dataclass(frozen=True, slots=True)
class _Row:
    """The pages of one index in one partition."""

    schema_name_bytes: bytes
    table_name_bytes: bytes
    is_view: int
    is_in_memory: int
    index_id: int
    is_internal: int
    partition_number: int
    total_bytes: int | None
    lob_bytes: int | None
    row_estimate: int | None

    @property
    def names(self) -> tuple[str, str]:
        """Schema and table."""
        return _text(self.schema_name_bytes), _text(self.table_name_bytes)

    @property
    def has_rows(self) -> bool:
        """Whether this is the heap or the clustered index."""
        return self.index_id <= 1 and not self.is_internal


class SqlServerTables(SqlServerSizes):
    """An open connection that measures tables."""

    def measure_tables(self, database_name: str, at_most: int) -> TableSizes | MissingSize:
        """Measure the tables, then the files of the database; a database that changed meanwhile is read again."""
        try:
            for _ in range(_ATTEMPTS):
                rows = self._list_tables(database_name)
                if isinstance(rows, MissingSize):
                    return rows
                tables, missing = _tables(rows)
                (database,) = self.measure([database_name])
                if isinstance(database, MissingSize):
                    return database
                sizes = largest_tables(database_name, database.total_bytes, tables, missing, at_most)
                if sizes is not None:
                    return sizes
        except SizesError as error:
            return MissingSize(database_name, Reason(error.reason), str(error))
        return MissingSize(
            database_name, Reason.INCOMPLETE, "its files are smaller than its tables, because the server's list of files is old"
        )

    def _list_tables(self, database_name: str) -> list[_Row] | MissingSize:
        names = {storable(_decode(name)): (_decode(name), state, shows_all) for name, state, shows_all in self._databases()}
        if database_name not in names:
            return MissingSize(database_name, Reason.VANISHED, "the server has no database of this name")
        name, state, shows_all = names[database_name]
        if state != "ONLINE":
            return MissingSize(database_name, Reason.UNAVAILABLE, f"the database is {state}, so its tables cannot be queried")
        grant = self._server.grant_entry(quoted(name))
        if not shows_all:
            return MissingSize(database_name, Reason.NO_PERMISSION, f"{grant} {self._server.grant_files}")
        if not is_sendable(name):
            return MissingSize(database_name, Reason.INCOMPLETE, "drivers cannot query a database with this name; rename it")
        return [_Row(*row) for row in self._rows(*union("probes/sqlserver/list_tables", [name]))]

    def _databases(self) -> list[tuple[bytes, str, int]]:
        return [(row.name_bytes, row.state_desc, row.shows_all) for row in self._rows(*statement("probes/sqlserver/measure_databases", {}))]


def _tables(rows: Iterable[_Row]) -> tuple[list[TableSize], list[MissingTable]]:
    by_table: defaultdict[tuple[str, str], list[_Row]] = defaultdict(list)
    for row in rows:
        by_table[row.names].append(row)
    tables: list[TableSize] = []
    missing: list[MissingTable] = []
    for names, parts in by_table.items():
        if parts[0].is_in_memory:
            missing.append(MissingTable(*names, *_IN_MEMORY))
            continue
        numbers = {part.partition_number for part in parts if part.has_rows}
        tables.append(_size(parts, is_partitioned=len(numbers) > 1))
        if len(numbers) > 1:
            tables += [_size(parts_of, partition=str(number)) for number in numbers if (parts_of := _aligned(parts, number))]
    return tables, missing


def _aligned(parts: Sequence[_Row], number: int) -> list[_Row]:
    """The rows of a partition, and the indexes that are partitioned as the table is; one that is not belongs to the whole table."""
    divided = {part.index_id for part in parts if part.partition_number > 1 and not part.is_internal}
    return [part for part in parts if part.partition_number == number and part.index_id in divided and not part.is_internal]


def _size(parts: Sequence[_Row], *, is_partitioned: bool = False, partition: str = "") -> TableSize:
    rows = [part for part in parts if part.has_rows]
    kind = TableKind.MATERIALIZED_VIEW if parts[0].is_view else TableKind.PARTITIONED if is_partitioned else TableKind.TABLE
    total_bytes, lob_bytes = _sum(part.total_bytes for part in parts), _sum(part.lob_bytes for part in rows)
    data_bytes = _sum(part.total_bytes for part in rows) - lob_bytes
    return TableSize(
        *parts[0].names,
        kind,
        total_bytes,
        TableMethod.ALLOCATION_UNITS,
        data_bytes=data_bytes,
        index_bytes=total_bytes - data_bytes - lob_bytes,
        lob_bytes=lob_bytes,
        row_estimate=_sum(part.row_estimate for part in rows),
        partition_name=partition,
    )


def _sum(values: Iterable[int | None]) -> int:
    return sum(value or 0 for value in values)


def _text(name: bytes) -> str:
    return storable(_decode(name))


def _decode(name: bytes) -> str:
    return name.decode("utf-16-le", "surrogatepass")


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[TablesProbe]:
    """Open a connection that measures tables, through the best driver of this machine."""
    with connect_through(best_driver(instance), instance, login, deadlines, watchdog) as probe:
        yield probe


@contextmanager
def connect_through(
    driver: Driver, instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog
) -> Generator[SqlServerTables]:
    """Open a connection that measures tables, through this driver."""
    with opened_connection(driver, instance, login, deadlines, watchdog) as (connection, watch):
        yield SqlServerTables(connection, instance, watch)
