"""SQL Server 2014 and later through pyodbc. Sizes are allocated files, data and log apart, of master's list: one statement for all.

No real SQL Server was ever at hand: drivers, wire, time-outs, errors and the logic of the statements are tested against the server in
`whalefall_pipelines_tests/servers/sqlserver/`, whose catalogue is as Microsoft documents it.

The login needs `GRANT VIEW ANY DEFINITION`; what it may be granted besides, and for what, is `privileges.py`. Traps: master's
list is not told of the growth of tempdb, nor at once of that of a database on a secondary replica (the method of such a size says so,
where the login may know), and it outlives files: a database that is being restored, recovered or is suspect is missing.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date
from zoneinfo import ZoneInfo

import pyodbc

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, Method, MissingSize, RecoveredSize, SharedPart, Volume
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.histories import bounds, last_of_each_day
from whalefall_pipelines.fleet.names import storable
from whalefall_pipelines.fleet.probe import Deadlines, Privilege
from whalefall_pipelines.fleet.sizes import SizesDefaults, SizesProbe
from whalefall_pipelines.fleet.sqlserver.odbc import Driver
from whalefall_pipelines.fleet.sqlserver.probe import SqlServerProbe, best_driver, opened_connection
from whalefall_pipelines.fleet.sqlserver.statements import is_sendable, quoted, statement, union

# In these states files stand still or grow under the server's eyes. In all others they may be half there, or damaged.
_MEASURABLE_STATES = {"ONLINE", "OFFLINE", "EMERGENCY"}
_SECONDARY = 2
_SHARED_PARTS = ("snapshots", "resource_database")
# So many databases tell by one statement what they use: SQL Server takes 2,100 parameters, and plans long unions slowly.
_UNION = 100


@dataclass(frozen=True, slots=True)
class _Row:
    """One database in master's lists, by its name on the server; sizes are None where the login may not see files."""

    name: str
    state: str
    data_bytes: int | None
    log_bytes: int | None
    container_count: int
    growth_limit_bytes: int | None
    shows_all: int


class SqlServerSizes(SqlServerProbe, SizesDefaults):
    """An open connection that measures databases."""

    def privileges(self) -> Sequence[Privilege]:
        """What this adapter asks for."""
        return self._server.privileges()

    def list_databases(self) -> Mapping[str, str | None]:
        """Every database but snapshots, with its identifiers.

        Raises:
            SizesError: the login sees only some of them, which would look as if the others were dropped.
        """
        self._require(self._server.grant_list, "shows this login only some of its databases", is_held=self._server.sees_databases)
        rows = self._rows(*statement("probes/sqlserver/list_databases", {}))
        return {storable(_text(name)): native_id for name, native_id in rows}

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """Measure all by one statement, each database that has containers by one more, and what is in use by one for a hundred of them."""
        measured = [_Row(_text(name), *values) for name, *values in self._rows(*statement("probes/sqlserver/measure_databases", {}))]
        rows = {storable(row.name): row for row in measured}
        secondaries = self._list_secondaries()
        outcomes = [self._outcome(name, rows.get(name), is_secondary=name in secondaries) for name in database_names]
        names = [outcome.database_name for outcome in outcomes if isinstance(outcome, DatabaseSize)]
        readable = [rows[name].name for name in names if rows[name].shows_all and name not in secondaries]
        used = self._sum_used_space([name for name in readable if is_sendable(name)])
        return [
            _with_used_space(outcome, rows[outcome.database_name], used) if isinstance(outcome, DatabaseSize) else outcome
            for outcome in outcomes
        ]

    def measure_shared(self) -> Sequence[SharedPart]:
        """The sparse files of snapshots and the hidden resource database: all else is in a database here."""
        if not (self._server.sees_databases and self._server.sees_state):
            grant = self._server.grant_state if self._server.sees_databases else self._server.grant_list
            return [SharedPart(part, None, grant) for part in _SHARED_PARTS]
        try:
            rows = self._rows(*statement("probes/sqlserver/list_shared_space", {}))
        except SizesError as error:
            if self._watch.reason is Reason.CANCELLED:
                raise
            return [SharedPart(part, None, str(error)) for part in _SHARED_PARTS]
        return [SharedPart(str(part), int(total)) for part, total in rows]

    def measure_volumes(self) -> Sequence[Volume]:
        """The volumes of all files that the login sees."""
        if not (self._server.sees_files and self._server.sees_state):
            return ()
        try:
            rows = self._rows(*statement("probes/sqlserver/list_volumes", {}))
        except SizesError:
            if self._watch.reason is Reason.CANCELLED:
                raise
            return ()
        return [Volume(str(volume), int(total), int(free)) for volume, total, free in rows]

    def recover_sizes(self, database_names: Sequence[str], first_day: date, last_day: date, timezone: ZoneInfo) -> Sequence[RecoveredSize]:
        """The last full or differential backup of each database and day: what it says of the length of the files when it began.

        Raises:
            SizesError: the backup history may not be read.
        """
        self._require(self._server.grant_backups, "does not show its backup history", is_held=self._server.reads_backups)
        rows = self._rows(*statement("probes/sqlserver/list_backups", bounds(first_day, last_day, timezone)))
        return last_of_each_day((_recovered(row, timezone) for row in rows), database_names)

    def _list_secondaries(self) -> frozenset[str]:
        """The databases of which this server has a secondary replica; nobody may know without VIEW SERVER STATE."""
        if not (self._server.has_groups and self._server.sees_state):
            return frozenset()
        rows = self._rows(*statement("probes/sqlserver/list_replicas", {}))
        return frozenset(storable(_text(name)) for name, role in rows if role == _SECONDARY)

    def _sum_used_space(self, names: Sequence[str]) -> dict[str, int]:
        """The used bytes of the files of each database. After a statement that took too long, no further one is sent, to save the probe."""
        used: dict[str, int] = {}
        try:
            for begin in range(0, len(names), _UNION):
                used |= self._ask_used_space(names[begin : begin + _UNION])
        except SizesError as error:
            if error.reason != Reason.TIMEOUT:
                raise
        return used

    def _ask_used_space(self, names: Sequence[str]) -> dict[str, int]:
        """By one statement; a database that the login may not enter tells half of it, and stays unknown."""
        try:
            rows = self._rows(*union("probes/sqlserver/sum_used_space", names))
        except SizesError as error:
            if error.reason in {Reason.TIMEOUT, Reason.CANCELLED}:
                raise
            half = len(names) // 2
            return {} if half == 0 else self._ask_used_space(names[:half]) | self._ask_used_space(names[half:])
        return {str(name): int(used) for name, used in rows if used is not None}

    def _outcome(self, name: str, row: _Row | None, *, is_secondary: bool) -> DatabaseSize | MissingSize:
        if row is None:
            return MissingSize(name, Reason.VANISHED, "dropped between listing and measuring")
        if row.state not in _MEASURABLE_STATES:
            detail = f"the database is {row.state}, so its files may be incomplete; it will be measured when it is open again"
            return MissingSize(name, Reason.UNAVAILABLE, detail)
        if row.data_bytes is None or row.log_bytes is None:
            if self._server.sees_files:
                return MissingSize(name, Reason.INCOMPLETE, "the server lists no data file or no log file for it")
            return MissingSize(name, Reason.NO_PERMISSION, self._server.grant_files)
        container_bytes = self._sum_containers(name, row) if row.container_count else 0
        if isinstance(container_bytes, MissingSize):
            return container_bytes
        data_bytes = row.data_bytes + container_bytes
        return DatabaseSize(
            name,
            data_bytes + row.log_bytes,
            Method.MASTER_FILES_OF_SECONDARY if is_secondary else Method.MASTER_FILES,
            data_bytes=data_bytes,
            log_bytes=row.log_bytes,
            growth_limit_bytes=row.growth_limit_bytes,
        )

    def _sum_containers(self, name: str, row: _Row) -> int | MissingSize:
        if not is_sendable(row.name):
            return MissingSize(name, Reason.INCOMPLETE, "it has containers, and drivers cannot query a database with this name; rename it")
        try:
            ((container_bytes,),) = self._rows(*union("probes/sqlserver/sum_containers", [row.name]))
        except SizesError as error:
            if self._watch.is_expired:
                raise
            grant = self._server.grant_entry(quoted(row.name))
            return MissingSize(name, Reason(error.reason), grant if error.reason == Reason.NO_PERMISSION else str(error))
        return int(container_bytes or 0)


def _text(name: bytes) -> str:
    """A name as the server has it, half a surrogate pair included."""
    return name.decode("utf-16-le", "surrogatepass")


def _with_used_space(size: DatabaseSize, row: _Row, used: Mapping[str, int]) -> DatabaseSize:
    """Containers are in use as a whole; they are the part of the data that master's list does not have."""
    if row.name not in used:
        return size
    container_bytes = (size.data_bytes or 0) - (row.data_bytes or 0)
    return replace(size, used_bytes=used[row.name] + container_bytes)


def _recovered(row: pyodbc.Row, timezone: ZoneInfo) -> RecoveredSize:
    name, began_at, data_bytes, log_bytes, is_replica = row
    recorded_at = began_at.replace(tzinfo=UTC)
    method = Method.BACKUP_FILE_SIZE_OF_REPLICA if is_replica else Method.BACKUP_FILE_SIZE
    sizes = (data_bytes + log_bytes, data_bytes, log_bytes)
    return RecoveredSize(storable(_text(name)), recorded_at.astimezone(timezone).date(), *sizes, method=method, recorded_at=recorded_at)


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[SizesProbe]:
    """Open a connection that measures databases, through the best driver of this machine."""
    with connect_through(best_driver(instance), instance, login, deadlines, watchdog) as probe:
        yield probe


@contextmanager
def connect_through(
    driver: Driver, instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog
) -> Generator[SqlServerSizes]:
    """Open a connection that measures databases, through this driver."""
    with opened_connection(driver, instance, login, deadlines, watchdog) as (connection, watch):
        yield SqlServerSizes(connection, instance, watch)
