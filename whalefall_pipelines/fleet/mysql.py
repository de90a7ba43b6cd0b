"""MySQL 8 and later and MariaDB through PyMySQL. Sizes are files: InnoDB's tablespaces, and data and index length of tables without one.
`.frm`, `.opt` and `.sdi` files (kilobytes) are not counted, nor are redo, undo and binary logs, which belong to no database.

The login needs `GRANT PROCESS, SHOW VIEW ON *.*` and nothing else: PROCESS shows the tablespaces, SHOW VIEW makes schemas and tables
visible in information_schema; neither reads a row of data. A schema whose tables the login cannot all see, by whatever grant, role or
revoke, is missing with the GRANT that cures it: an unseen MyISAM table would read as 0. Each statement in `sql/probes/mysql/` names its
own traps; how a connection is opened, and what its errors mean, is in `mysql_connection.py`.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import pymysql
from pymysql.connections import Connection

from whalefall_pipelines import queries
from whalefall_pipelines.domain.capacity import DatabaseSize, Method, MissingSize, Reason
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.mysql_connection import native_number, open_connection, translating
from whalefall_pipelines.fleet.probe import Deadlines, Probe, ProbeDefaults, Right


@dataclass(frozen=True, slots=True)
class _Family:
    """What differs between the two: the view that lists tablespaces, and the statements written for it."""

    name: str
    method: Method
    set_limits: str
    sum_tablespaces: str
    sum_shared_tables: str
    open_tables: str | None


_MARIADB = _Family(
    name="MariaDB",
    method=Method.INNODB_SYS_TABLESPACES,
    set_limits="probes/mysql/set_limits_mariadb",
    sum_tablespaces="probes/mysql/sum_innodb_sys_tablespaces",
    sum_shared_tables="probes/mysql/sum_shared_tables_mariadb",
    open_tables="probes/mysql/open_tables",
)
_MYSQL = _Family(
    name="MySQL",
    method=Method.INNODB_TABLESPACES,
    set_limits="probes/mysql/set_limits_mysql",
    sum_tablespaces="probes/mysql/sum_innodb_tablespaces",
    sum_shared_tables="probes/mysql/sum_shared_tables_mysql",
    open_tables=None,
)
# What the server says to somebody who asks for a table or schema that is not there: without the right to see any, and with it.
_DENIED = {1044, 1142, 1227}
_ABSENT = {1049, 1109, 1146}


@dataclass(frozen=True, slots=True)
class _Schema:
    """What the server's two lists say of one schema: InnoDB's own, of files, and that of the tables which the login sees."""

    file_bytes: int
    table_count: int
    unopened_count: int
    shared_count: int
    innodb_count: int
    other_count: int
    unreadable_count: int
    shows_tables: bool

    def doubts(self) -> list[str]:
        """Why the two lists cannot be believed, as far as reading them again may help."""
        unlisted = max(0, self.innodb_count - self.table_count - self.shared_count)
        found = {
            f"{self.unopened_count} tablespaces that the server lists no file of, even after it was told to open them": self.unopened_count,
            f"{unlisted} tables that the server's own list of InnoDB tables lacks": unlisted,
            f"{self.unreadable_count} tables whose definition cannot be read": self.unreadable_count,
        }
        return [doubt for doubt, count in found.items() if count]


class MySQLProbe(ProbeDefaults):
    """An open connection to one MySQL or MariaDB server."""

    def __init__(self, connection: Connection, instance: Instance, watch: Watch, deadlines: Deadlines) -> None:
        """Ask which server it is, and make the session read-only with a deadline for each statement."""
        self._connection = connection
        self._instance = instance
        self._watch = watch
        version, comment, self._grantee = (str(value) for value in self._rows("probes/mysql/read_server")[0])
        self._family = _MARIADB if "mariadb" in f"{version} {comment}".lower() else _MYSQL
        self._version = version.split("-", maxsplit=1)[0]
        self._rows("probes/mysql/set_read_only")
        self._rows(self._family.set_limits, statement_milliseconds=max(1, round(deadlines.statement_seconds * 1000)))

    @property
    def server_version(self) -> str:
        """Family and version, for example `MariaDB 10.11.19` or `MySQL 9.7.4`."""
        return f"{self._family.name} {self._version}"

    @property
    def driver(self) -> str:
        """PyMySQL, which is its own client library."""
        return f"PyMySQL {pymysql.__version__}"

    def rights(self) -> Sequence[Right]:
        """Both rights are global; what a missing one costs is told by each database."""
        sees_tables = self._may_see("probes/mysql/find_global_right")
        sees_files = self._may_see("probes/mysql/find_files_right")
        return (
            Right("measure tablespaces", f"GRANT PROCESS ON *.* TO {self._grantee};", is_held=sees_files),
            Right("see schemas and tables", f"GRANT SHOW VIEW ON *.* TO {self._grantee};", is_held=sees_tables),
        )

    def list_databases(self) -> Mapping[str, str | None]:
        """Every schema that the login may see: all of them with the grant that this module asks for. A schema has no identifier."""
        return {str(name): None for (name,) in self._rows("probes/mysql/list_databases")}

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """Measure all by three statements, and each database that has tables of other engines by one more.

        Lists that cannot be believed are read again once, after MariaDB opened its tables; a table dropped between the two is a cause, too.
        """
        sees_all = self._may_see("probes/mysql/find_global_right")
        try:
            schemas = self._read_schemas()
            if any(schemas[name].doubts() for name in database_names if name in schemas):
                self._open_tables()
                schemas = self._read_schemas()
        except SizesError as error:
            if error.reason != Reason.NO_PERMISSION:
                raise
            rights, alive = "PROCESS" if sees_all else "PROCESS, SHOW VIEW", set(self.list_databases())
            return [self._forbidden(name, rights) if name in alive else _vanished(name) for name in database_names]
        return [self._outcome(name, schemas[name], sees_all=sees_all) if name in schemas else _vanished(name) for name in database_names]

    def _read_schemas(self) -> dict[str, _Schema]:
        # The tables first: one that is made between the two lists is a file more, which is no reason for doubt.
        tables = {name: counts for name, *counts in self._rows("probes/mysql/count_tables")}
        files = {name: counts for name, *counts in self._rows(self._family.sum_tablespaces)}
        return {
            str(name): _Schema(*map(int, counts), *map(int, tables.get(name, (0, 0, 0))), shows_tables=name in tables)
            for name, counts in files.items()
        }

    def _outcome(self, name: str, schema: _Schema, *, sees_all: bool) -> DatabaseSize | MissingSize:
        try:
            # MySQL may revoke a global right for one schema (partial revokes): one that shows no table at all is asked for by itself.
            if not (sees_all and schema.shows_tables) and not self._may_see("probes/mysql/find_right", name):
                return self._forbidden(name, "SHOW VIEW")
            total, unsized = self._sum_tables_without_file(name, schema)
        except SizesError as error:
            if not self._connection.open:
                raise
            return MissingSize(name, Reason(error.reason), str(error))
        doubts = [*schema.doubts(), *([f"{unsized} tables that tell no size, as CSV tables and damaged ones do"] if unsized else [])]
        if doubts:
            return MissingSize(name, Reason.INCOMPLETE, f"It has {' and '.join(doubts)}.")
        total += schema.file_bytes
        return DatabaseSize(name, total_bytes=total, data_bytes=total, method=self._family.method)

    def _sum_tables_without_file(self, name: str, schema: _Schema) -> tuple[int, int]:
        total = unsized = 0
        for query, count in (
            ("probes/mysql/sum_other_tables", schema.other_count),
            (self._family.sum_shared_tables, schema.shared_count if schema.innodb_count else 0),
        ):
            if count:
                total_bytes, unsized_count = self._rows(query, database_name=name, shared_count=count)[0]
                total += int(total_bytes)
                unsized += int(unsized_count)
        return total, unsized

    def _open_tables(self) -> None:
        if self._family.open_tables is None:
            return
        try:
            self._rows(self._family.open_tables)
        except SizesError as error:
            # What was opened until then stays open: the next visit gets further.
            if error.reason != Reason.TIMEOUT or not self._connection.open:
                raise

    def _may_see(self, query: str, database_name: str | None = None) -> bool:
        with translating(self._instance, self._watch):
            try:
                if database_name is not None:
                    self._connection.select_db(database_name)  # pyright: ignore[reportUnknownMemberType] - its stub leaves it untyped
                with self._connection.cursor() as cursor:
                    cursor.execute(queries.load(query))
            except pymysql.MySQLError as error:
                number = native_number(error)
                if number not in _DENIED | _ABSENT:
                    raise
                return number in _ABSENT
            return True

    def _forbidden(self, name: str, rights: str) -> MissingSize:
        return MissingSize(name, Reason.NO_PERMISSION, f"GRANT {rights} ON *.* TO {self._grantee};")

    def _rows(self, query: str, **parameters: str | int) -> Sequence[tuple[str | int, ...]]:
        with translating(self._instance, self._watch), self._connection.cursor() as cursor:
            cursor.execute(queries.load(query), parameters)
            return cursor.fetchall()


def _vanished(name: str) -> MissingSize:
    return MissingSize(name, Reason.VANISHED, "dropped between listing and measuring")


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[Probe]:
    """Open a read-only connection; the default database is not used, as none is needed to be let in."""
    with (
        watchdog.watch(None, deadlines.instance_seconds) as watch,
        closing(open_connection(instance, login, deadlines, watchdog, watch)) as connection,
    ):
        yield MySQLProbe(connection, instance, watch, deadlines)
