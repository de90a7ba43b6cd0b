"""SQL Server 2014 and later through pyodbc. Sizes are allocated files, data and log apart, of master's list: one statement for all.

No real SQL Server was ever at hand: drivers, wire, time-outs, errors and the logic of the statements are tested against the server in
`whalefall_pipelines_tests/servers/sqlserver/`, whose catalogue is as Microsoft documents it.

The login needs `GRANT VIEW ANY DEFINITION`, CONNECT ANY DATABASE for what only a database itself knows (how much of its files is in use,
FILESTREAM and memory-optimized containers), and SELECT on two tables of msdb for days that were missed. Traps: master's list is not told
of the growth of tempdb, nor at once of that of a database on a secondary replica (the method of such a size says so, where the login may
know), and it outlives files: a database that is being restored, recovered or is suspect is missing.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date
from zoneinfo import ZoneInfo

import pyodbc

from whalefall_pipelines import queries
from whalefall_pipelines.domain.capacity import DatabaseSize, Method, MissingSize, Reason, RecoveredSize
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.errors import SizesError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.histories import bounds, last_of_each_day
from whalefall_pipelines.fleet.odbc import Driver, available_drivers
from whalefall_pipelines.fleet.probe import Deadlines, Probe, ProbeDefaults, Right
from whalefall_pipelines.fleet.sqlserver_connection import open_connection, translating

_PARAMETER = re.compile(r"%\((\w+)\)s")
# In these states files stand still or grow under the server's eyes. In all others they may be half there, or damaged.
_MEASURABLE_STATES = {"ONLINE", "OFFLINE", "EMERGENCY"}
_SECONDARY = 2
# So many databases tell by one statement what they use: SQL Server takes 2,100 parameters, and plans long unions slowly.
_UNION = 100


@dataclass(frozen=True, slots=True)
class _Server:
    """What the server says of itself and of our rights. A right to something that cannot be seen is none."""

    product_version: str
    quoted_login: str
    sees_databases: bool
    sees_files: bool
    connects_anywhere: bool
    reads_backups: bool
    sees_replicas: bool
    has_groups: bool


@dataclass(frozen=True, slots=True)
class _Row:
    """One database in master's lists; sizes are None where the login may not see files."""

    state: str
    data_bytes: int | None
    log_bytes: int | None
    container_count: int
    growth_limit_bytes: int | None
    can_be_entered: int


class SqlServerProbe(ProbeDefaults):
    """An open connection to one SQL Server."""

    def __init__(self, connection: pyodbc.Connection, instance: Instance, watch: Watch) -> None:
        """Ask which server it is and what we may do there."""
        self._connection = connection
        self._instance = instance
        self._watch = watch
        ((version, login, *rights),) = self._rows("probes/sqlserver/read_server")
        sees_databases, sees_files, connects_anywhere, *reads, sees_replicas, has_groups = (right == 1 for right in rights)
        held = (sees_databases, sees_files, connects_anywhere, all(reads), sees_replicas)
        self._server = _Server(str(version), str(login), *held, has_groups=has_groups)

    @property
    def server_version(self) -> str:
        """For example `SQL Server 16.0.4135.4`."""
        return f"SQL Server {self._server.product_version}"

    @property
    def driver(self) -> str:
        """The library of the ODBC driver and its version."""
        name, version = (str(self._connection.getinfo(what)) for what in (pyodbc.SQL_DRIVER_NAME, pyodbc.SQL_DRIVER_VER))
        return f"{name} {version}"

    def rights(self) -> Sequence[Right]:
        """What this adapter asks for, from what it cannot do without to what only some databases need."""
        login, msdb = self._server.quoted_login, "USE msdb; CREATE USER {0} FOR LOGIN {0}; GRANT SELECT ON dbo.{1} TO {0};"
        entering, replicas = f"GRANT CONNECT ANY DATABASE TO {login};", f"GRANT VIEW SERVER STATE TO {login};"
        backups = f"{msdb.format(login, 'backupset')} GRANT SELECT ON dbo.backupfile TO {login};"
        return (
            Right("list databases", f"GRANT VIEW ANY DATABASE TO {login};", is_held=self._server.sees_databases),
            Right("measure them", f"GRANT VIEW ANY DEFINITION TO {login};", is_held=self._server.sees_files),
            Right("measure used space, and containers", entering, is_held=self._server.connects_anywhere, is_optional=True),
            Right("recover missed days from the backup history", backups, is_held=self._server.reads_backups, is_optional=True),
            Right("know secondary replicas", replicas, is_held=self._server.sees_replicas, is_optional=True),
        )[: None if self._server.has_groups else -1]

    def list_databases(self) -> Mapping[str, str | None]:
        """Every database but snapshots.

        Raises:
            SizesError: the login sees only some of them, which would look as if the others were dropped.
        """
        if not self._server.sees_databases:
            grant = f"GRANT VIEW ANY DATABASE TO {self._server.quoted_login};"
            sentence = f"SQL Server at {self._instance.address} shows this login only some of its databases; run there: {grant}"
            raise SizesError(sentence, reason=Reason.NO_PERMISSION)
        return {str(name): None for (name,) in self._rows("probes/sqlserver/list_databases")}

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """Measure all by one statement, each database that has containers by one more, and what is in use by one for a hundred of them."""
        rows = {str(name): _Row(*row) for name, *row in self._rows("probes/sqlserver/measure_databases")}
        secondaries = self._list_secondaries()
        outcomes = [self._outcome(name, rows.get(name), is_secondary=name in secondaries) for name in database_names]
        names = [one.database_name for one in outcomes if isinstance(one, DatabaseSize)]
        used = self._sum_used_space([name for name in names if rows[name].can_be_entered and name not in secondaries])
        return [_with_used_space(one, rows, used) if isinstance(one, DatabaseSize) else one for one in outcomes]

    def recover_sizes(self, database_names: Sequence[str], first_day: date, last_day: date, timezone: ZoneInfo) -> Sequence[RecoveredSize]:
        """The last full or differential backup of each database and day: what it says of the length of the files when it began.

        Raises:
            SizesError: the backup history may not be read.
        """
        if not self._server.reads_backups:
            (grant,) = (right.statement for right in self.rights() if "backup" in right.purpose)
            sentence = f"SQL Server at {self._instance.address} does not show its backup history; run there: {grant}"
            raise SizesError(sentence, reason=Reason.NO_PERMISSION)
        rows = self._rows("probes/sqlserver/list_backups", bounds(first_day, last_day, timezone))
        return last_of_each_day((_recovered(row, timezone) for row in rows), database_names)

    def _list_secondaries(self) -> frozenset[str]:
        """The databases of which this server has a secondary replica; nobody may know without VIEW SERVER STATE."""
        if not (self._server.has_groups and self._server.sees_replicas):
            return frozenset()
        return frozenset(str(name) for name, role in self._rows("probes/sqlserver/list_replicas") if role == _SECONDARY)

    def _sum_used_space(self, names: Sequence[str]) -> dict[str, int]:
        """What is in use of the files of each; after a question that takes too long none is put: these figures are not worth the visit."""
        used: dict[str, int] = {}
        try:
            for begin in range(0, len(names), _UNION):
                used |= self._ask_used_space(names[begin : begin + _UNION])
        except SizesError as error:
            if error.reason != Reason.TIMEOUT:
                raise
        return used

    def _ask_used_space(self, names: Sequence[str]) -> dict[str, int]:
        """By one statement; a database that does not let us in is found by halves, and stays unknown."""
        try:
            rows = self._rows("probes/sqlserver/sum_used_space", database_names=names)
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
            detail = f"the database is {row.state}, so that its files may be incomplete; it is measured when it is open again"
            return MissingSize(name, Reason.UNAVAILABLE, detail)
        if row.data_bytes is None or row.log_bytes is None:
            if self._server.sees_files:
                return MissingSize(name, Reason.INCOMPLETE, "the server lists no data file or no log file of it")
            return MissingSize(name, Reason.NO_PERMISSION, f"GRANT VIEW ANY DEFINITION TO {self._server.quoted_login};")
        container_bytes = 0
        if row.container_count:
            try:
                ((known,),) = self._rows("probes/sqlserver/sum_containers", database_names=[name])
            except SizesError as error:
                if self._watch.is_expired:
                    raise
                grant = f"GRANT CONNECT ANY DATABASE TO {self._server.quoted_login};"
                return MissingSize(name, Reason(error.reason), grant if error.reason == Reason.NO_PERMISSION else str(error))
            container_bytes = int(known or 0)
        data_bytes = row.data_bytes + container_bytes
        return DatabaseSize(
            name,
            data_bytes + row.log_bytes,
            Method.MASTER_FILES_OF_SECONDARY if is_secondary else Method.MASTER_FILES,
            data_bytes=data_bytes,
            log_bytes=row.log_bytes,
            growth_limit_bytes=row.growth_limit_bytes,
        )

    def _rows(self, query: str, values: Mapping[str, object] | None = None, database_names: Sequence[str] = ()) -> list[pyodbc.Row]:
        """Rows of a statement, or of its union over databases. ODBC knows parameters by position only."""
        text = queries.load(query)
        names = _PARAMETER.findall(text)
        text = _PARAMETER.sub("?", text)
        if database_names:
            body = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
            parts = (text, *[body] * (len(database_names) - 1))
            named = (part.replace("{database_name}", _quoted(name)) for part, name in zip(parts, database_names, strict=True))
            text = "\nunion all\n".join(named)
        places = [{"database_name": name} for name in database_names] or [values or {}]
        with translating(self._instance, self._watch), closing(self._connection.cursor()) as cursor:
            return cursor.execute(text, *(place[name] for place in places for name in names)).fetchall()


def _with_used_space(size: DatabaseSize, rows: Mapping[str, _Row], used: Mapping[str, int]) -> DatabaseSize:
    """Containers are in use as a whole; they are the part of the data that master's list does not have."""
    if size.database_name not in used:
        return size
    container_bytes = (size.data_bytes or 0) - (rows[size.database_name].data_bytes or 0)
    return replace(size, used_bytes=used[size.database_name] + container_bytes)


def _quoted(name: str) -> str:
    return "[" + name.replace("]", "]]") + "]"


def _recovered(row: pyodbc.Row, timezone: ZoneInfo) -> RecoveredSize:
    name, began_at, data_bytes, log_bytes, is_replica = row
    recorded_at = began_at.replace(tzinfo=UTC)
    method = Method.BACKUP_FILE_SIZE_OF_REPLICA if is_replica else Method.BACKUP_FILE_SIZE
    sizes = (data_bytes + log_bytes, data_bytes, log_bytes)
    return RecoveredSize(str(name), recorded_at.astimezone(timezone).date(), *sizes, method=method, recorded_at=recorded_at)


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[Probe]:
    """Open a connection through the best driver of this machine."""
    drivers = available_drivers()
    if not drivers:
        sentence = "this machine has no ODBC driver for SQL Server: install ODBC Driver 18 for SQL Server, or tdsodbc (FreeTDS)."
        raise UnreachableError(f"{instance.name!r} cannot be reached: {sentence}", reason=Reason.INTERNAL_ERROR)
    with connect_through(drivers[0], instance, login, deadlines, watchdog) as probe:
        yield probe


@contextmanager
def connect_through(
    driver: Driver, instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog
) -> Generator[SqlServerProbe]:
    """Open a connection through this driver. ODBC has no read-only sessions: that nothing is written is for the rights to ensure."""
    with (
        watchdog.watch(None, deadlines.instance_seconds) as watch,
        closing(open_connection(driver, instance, login, deadlines, watch)) as connection,
    ):
        yield SqlServerProbe(connection, instance, watch)
