"""The tables of a MySQL or MariaDB schema: the length of their files, and the server's statistics where a table has none of its own.

InnoDB tells the length of a file, and only by statistics how much of it is indexes: the total is exact, its parts are not. The size of
the schema, with whatever may be missing in it, is that of `sizes.py`, so that both agree.
"""

from collections import Counter, defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import MissingTable, TableKind, TableMethod, TableSize, TableSizes, largest_tables, sum_of_partitions
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.mysql.probe import opened_session
from whalefall_pipelines.fleet.mysql.session import MARIADB
from whalefall_pipelines.fleet.mysql.sizes import MySQLSizes
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.tables import TablesProbe

# Tables may be made and dropped while lists are read; then both are read again.
_ATTEMPTS = 3
_INNODB = "InnoDB"
# Their length is that of files; a table of them that tells none has lost its files, or is a CSV table, which never does.
_WITH_FILES = {"MyISAM", "Aria", "ARCHIVE", "CSV"}
_WITHOUT_FILES = {
    *(
        "MEMORY",
        "BLACKHOLE",
        "FEDERATED",
        "MRG_MyISAM",
        "MRG_MYISAM",
        "PERFORMANCE_SCHEMA",
        "SEQUENCE",
        "SPIDER",
        "S3",
        "SPHINX",
        "OQGRAPH",
    ),
}
_UNTOLD = (Reason.INCOMPLETE, "it reports no size, because it is a CSV table, or is damaged, lost or discarded")
_TWINS = (Reason.INCOMPLETE, "the server lists its file under the same name as another table's; rename one of them")
_DROPPED = (Reason.VANISHED, "dropped between listing and measuring")
_INCOMPLETE = (Reason.INCOMPLETE, "one of its partitions could not be measured")
_SHRINKING = "according to old server statistics, its tables are larger than the database itself; ANALYZE TABLE updates the statistics"


@dataclass(frozen=True, slots=True)
class _Row:
    """A table, or one of its partitions, as the storage engine has it."""

    table_name: str
    partition_name: str
    engine: str | None
    data_length: int | None
    index_length: int | None
    row_estimate: int | None
    file_key: str

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the row within its schema."""
        return self.table_name, self.partition_name


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of InnoDB, by the key of their table: bytes of the table's own, and of its full-text indexes."""

    own_bytes: dict[str, int]
    index_bytes: Counter[str]
    twins: frozenset[str]


class MySQLTables(MySQLSizes):
    """An open session that measures tables."""

    def measure_tables(self, database_name: str, at_most: int) -> TableSizes | MissingSize:
        """Measure the schema, then its tables; a list that changed meanwhile is read again."""
        for _ in range(_ATTEMPTS):
            try:
                tables, missing = self._read(database_name)
                (schema,) = self.measure([database_name])
            except SizesError as error:
                return MissingSize(database_name, Reason(error.reason), str(error))
            if isinstance(schema, MissingSize):
                return schema
            sizes = largest_tables(database_name, schema.total_bytes, tables, missing, at_most)
            if sizes is not None:
                return sizes
        return MissingSize(database_name, Reason.INCOMPLETE, _SHRINKING)

    def _read(self, database_name: str) -> tuple[list[TableSize], list[MissingTable]]:
        rows = self._list_rows(database_name)
        if self._session.family is MARIADB and any(row.engine == _INNODB for row in rows):
            self._open_tables()  # full-text index tables too, which no other list opens
        files = self._read_files(database_name)
        dropped: set[tuple[str, str]] = set()
        if any(row.engine == _INNODB and row.file_key not in files.own_bytes for row in rows):
            # Its statistics are those of the first list, even if it was dropped before the files were listed.
            dropped = {row.key for row in rows} - {row.key for row in self._list_rows(database_name)}
        outcomes = [_missing(row, _DROPPED) if row.key in dropped else _size(row, files) for row in rows]
        outcomes += _partitioned_tables(outcomes)
        return (
            [outcome for outcome in outcomes if isinstance(outcome, TableSize)],
            [outcome for outcome in outcomes if isinstance(outcome, MissingTable)],
        )

    def _list_rows(self, database_name: str) -> list[_Row]:
        """The tables, or instead of a partitioned table its partitions."""
        tables = [_Row(str(name), "", *values) for name, *values in self._list("probes/mysql/list_tables_{family}", database_name)]
        engines = {row.table_name: row.engine for row in tables}
        partitions = [
            _Row(str(name), str(partition), engines.get(str(name)), *values)
            for name, partition, *values in self._list("probes/mysql/list_partitions_{family}", database_name)
        ]
        partitioned = {row.table_name for row in partitions}
        return [*(row for row in tables if row.table_name not in partitioned), *partitions]

    def _read_files(self, database_name: str) -> _Files:
        own: dict[str, int] = {}
        indexes: Counter[str] = Counter()
        twins: set[str] = set()
        for key, total, is_index in self._list("probes/mysql/list_table_files_{family}", database_name):
            if is_index:
                indexes[key] += total
            elif key in own:
                twins.add(key)
            else:
                own[key] = total
        return _Files(own, indexes, frozenset(twins))

    def _list(self, query: str, database_name: str) -> Sequence[tuple[Any, ...]]:
        return self._session.rows(self._session.of_family(query), database_name=database_name)


def _size(row: _Row, files: _Files) -> TableSize | MissingTable:
    if row.engine in _WITHOUT_FILES:
        return _table(row, 0, TableMethod.TABLE_STATISTICS, kind=TableKind.FOREIGN)
    if row.engine == _INNODB and row.file_key in files.own_bytes:
        return _innodb_file(row, files)
    length = (row.data_length or 0) + (row.index_length or 0)
    if row.engine is None or not (row.data_length if row.engine == _INNODB else length):
        return _missing(row, _UNTOLD)
    method = TableMethod.TABLE_FILES if row.engine in _WITH_FILES else TableMethod.TABLE_STATISTICS
    return _table(row, length, method, index_bytes=row.index_length)


def _innodb_file(row: _Row, files: _Files) -> TableSize | MissingTable:
    own_bytes = files.own_bytes[row.file_key]
    if not own_bytes or row.file_key in files.twins:
        return _missing(row, _TWINS if own_bytes else _UNTOLD)
    full_text_bytes = files.index_bytes[row.file_key]
    index_bytes = None if row.index_length is None else min(row.index_length, own_bytes) + full_text_bytes
    return _table(row, own_bytes + full_text_bytes, TableMethod.INNODB_TABLESPACES, index_bytes=index_bytes)


def _table(
    row: _Row, total_bytes: int, method: TableMethod, *, index_bytes: int | None = None, kind: TableKind = TableKind.TABLE
) -> TableSize:
    return TableSize(
        "",
        row.table_name,
        kind,
        total_bytes,
        method,
        data_bytes=None if index_bytes is None else total_bytes - index_bytes,
        index_bytes=index_bytes,
        row_estimate=row.row_estimate,
        partition_name=row.partition_name,
    )


def _missing(row: _Row, why: tuple[Reason, str]) -> MissingTable:
    return MissingTable("", row.table_name, *why, partition_name=row.partition_name)


def _partitioned_tables(outcomes: Sequence[TableSize | MissingTable]) -> list[TableSize | MissingTable]:
    """Each partitioned table as the sum of its partitions, unless one of them is missing; dropped ones do not count."""
    parts: defaultdict[str, list[TableSize]] = defaultdict(list)
    reasons: defaultdict[str, set[Reason]] = defaultdict(set)
    for outcome in outcomes:
        if outcome.partition_name and isinstance(outcome, TableSize):
            parts[outcome.table_name].append(outcome)
        elif outcome.partition_name and isinstance(outcome, MissingTable):
            reasons[outcome.table_name].add(outcome.reason)
    incomplete = {name for name, why in reasons.items() if why != {Reason.VANISHED}}
    dropped = reasons.keys() - incomplete - parts.keys()
    sums: list[TableSize | MissingTable] = [sum_of_partitions(sizes) for name, sizes in parts.items() if name not in incomplete]
    return [
        *sums,
        *(MissingTable("", name, *_INCOMPLETE) for name in sorted(incomplete)),
        *(MissingTable("", name, *_DROPPED) for name in sorted(dropped)),
    ]


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[TablesProbe]:
    """Open a session that measures tables."""
    with opened_session(instance, login, deadlines, watchdog) as session:
        yield MySQLTables(session, instance)
