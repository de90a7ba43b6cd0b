"""The tables of a PostgreSQL database: heap, TOAST and indexes, with all forks, from the files on disk.

A session sees the catalogue of one database alone, so that each measured database gets a session of its own, beside that in the default
database, which says what server it is. Privileges on the tables are not needed, only CONNECT.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import MissingTable, TableKind, TableMethod, TableSize, TableSizes
from whalefall_pipelines.errors import LoginRejectedError, TargetError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.postgresql.connection import Session, open_session
from whalefall_pipelines.fleet.postgresql.names import decode_name
from whalefall_pipelines.fleet.postgresql.probe import PostgresProbe
from whalefall_pipelines.fleet.probe import Deadlines, Privilege
from whalefall_pipelines.fleet.tables import TablesProbe

# What shrinks by more than all that belongs to no table while a statement reads it is read again.
_ATTEMPTS = 3
_KINDS = {
    "r": TableKind.TABLE,
    "p": TableKind.PARTITIONED,
    "u": TableKind.UNLOGGED,
    "m": TableKind.MATERIALIZED_VIEW,
    "f": TableKind.FOREIGN,
    "s": TableKind.SMALLER_TABLES,
    "n": TableKind.NO_TABLE,
}
_METHODS = {TableKind.SMALLER_TABLES: TableMethod.SUM, TableKind.NO_TABLE: TableMethod.REMAINDER}
_LOCKED = "another session holds or waits for an ACCESS EXCLUSIVE lock on it, as VACUUM FULL, TRUNCATE and ALTER TABLE do"
_MISSING = {
    "locked": (Reason.UNAVAILABLE, _LOCKED),
    "incomplete": (Reason.INCOMPLETE, f"one of its partitions could not be measured: {_LOCKED}"),
    "vanished": (Reason.VANISHED, "dropped between listing and measuring"),
}


class PostgresTables(PostgresProbe):
    """An open session that measures tables. `open_database` opens one in the database of this name."""

    def __init__(self, session: Session, open_database: Callable[[str], Session]) -> None:
        """Ask through sessions that are already read-only."""
        super().__init__(session)
        self._open_database = open_database

    def privileges(self) -> Sequence[Privilege]:
        """None but CONNECT on the database: the measurement without it is missing with that GRANT."""
        return ()

    def measure_tables(self, database_name: str, at_most: int) -> TableSizes | MissingSize:
        """Measure by one statement in a session of its own."""
        names = [decode_name(_bytes(name)) for name, _ in self._session.rows("probes/postgresql/list_databases")]
        if database_name not in names:
            return MissingSize(database_name, Reason.VANISHED, "the server has no database of this name")
        try:
            session = self._open_database(database_name)
            with closing(session.connection):
                return _measure(session, database_name, at_most)
        except TargetError as error:
            is_closed = isinstance(error, LoginRejectedError) and error.reason == Reason.UNAVAILABLE
            return MissingSize(database_name, Reason(error.reason), "the database accepts no connections" if is_closed else str(error))


def _measure(session: Session, database_name: str, at_most: int) -> TableSizes | MissingSize:
    for _ in range(_ATTEMPTS):
        rows = [_Row(*cast("tuple[Any, ...]", row)) for row in session.rows("probes/postgresql/measure_tables", {"at_most": at_most})]
        if all(row.total_bytes is None or row.total_bytes >= 0 for row in rows):
            return _sizes(database_name, rows)
    return MissingSize(database_name, Reason.SERVER_ERROR, "its tables shrink faster than they can be measured")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the statement."""

    row_kind: str
    state: str
    schema_name: object
    table_name: object
    partition_schema: object
    partition_name: object
    total_bytes: int | None
    data_bytes: int | None
    index_bytes: int | None
    toast_bytes: int | None
    row_estimate: int | None
    table_count: int | None
    partition_count: int | None


def _sizes(database_name: str, rows: Sequence[_Row]) -> TableSizes:
    measured = [_size(row) for row in rows if row.state == "measured" and (row.row_kind != "s" or row.table_count)]
    rest = next(row for row in rows if row.row_kind == "s")
    return TableSizes(
        database_name,
        total_bytes=sum(size.total_bytes for size in measured if not size.partition_name),
        tables=sorted(measured, key=lambda size: (-size.total_bytes, size.key)),
        missing=[_missing(row) for row in rows if row.state != "measured"],
        smaller_tables=rest.table_count or 0,
        smaller_partitions=rest.partition_count or 0,
    )


def _size(row: _Row) -> TableSize:
    kind = _KINDS[row.row_kind]
    return TableSize(
        *_names(row),
        kind,
        total_bytes=row.total_bytes or 0,
        method=_METHODS.get(kind, TableMethod.PG_TABLE_SIZE),
        data_bytes=row.data_bytes,
        index_bytes=row.index_bytes,
        lob_bytes=row.toast_bytes,
        row_estimate=row.row_estimate,
        partition_name=_partition(row),
    )


def _missing(row: _Row) -> MissingTable:
    return MissingTable(*_names(row), *_MISSING[row.state], partition_name=_partition(row))


def _names(row: _Row) -> tuple[str, str]:
    return (_text(row.schema_name), _text(row.table_name)) if row.schema_name is not None else ("", "")


def _partition(row: _Row) -> str:
    """A partition's own name, with its schema where that is not its parent's; quotation marks tell the two apart."""
    if row.partition_name is None:
        return ""
    schema, name = _text(row.partition_schema), _text(row.partition_name)
    if schema == _text(row.schema_name) and not name.startswith('"'):
        return name
    return ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name))


def _text(value: object) -> str:
    return decode_name(_bytes(value))


def _bytes(value: object) -> bytes:
    return bytes(cast("memoryview", value))


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[TablesProbe]:
    """Open a session in the default database, and later one in each measured database; one watch ends them all."""
    with watchdog.watch(None, deadlines.instance_seconds) as watch:
        session = open_session(instance, login, deadlines, watch)
        with closing(session.connection):
            yield PostgresTables(session, lambda name: open_session(replace(instance, default_database=name), login, deadlines, watch))
