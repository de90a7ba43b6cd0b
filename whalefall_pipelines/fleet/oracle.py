"""Oracle Database through python-oracledb in thin mode (the extra `oracle`). A "database" is a tablespace; sizes are allocated files.

Never run against a real Oracle: connecting is tested with listeners that refuse, stay silent or speak something else, the statements
by sqlglot's Oracle dialect over a catalogue of our own. One visit sees one container: each PDB is registered as an instance of its own,
by its service (the default database of the instance). Traps: the driver waits for ever on a listener that accepts and says nothing,
whatever its time-outs say, and until one connection succeeded that one blocks every other unless thin mode was enabled before.
"""

from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from typing import Protocol

import oracledb

from whalefall_pipelines import queries
from whalefall_pipelines.domain.capacity import DatabaseSize, Method, MissingSize, Reason
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.oracle_connection import open_connection, translating
from whalefall_pipelines.fleet.probe import Deadlines, NoHistory, Probe, Right

_VIEWS = ("DBA_TABLESPACES", "DBA_DATA_FILES", "DBA_TEMP_FILES")


class Cursor(Protocol):
    """What of a DB-API cursor is used."""

    def execute(self, statement: str, /) -> object: ...
    def fetchall(self) -> list[tuple[object, ...]]: ...
    def close(self) -> None: ...


class Connection(Protocol):
    """What of a DB-API connection is used."""

    def cursor(self) -> Cursor: ...


class OracleProbe(NoHistory):
    """An open connection to one container of one Oracle server."""

    driver = f"python-oracledb {oracledb.__version__} thin"

    def __init__(self, connection: Connection, instance: Instance, watch: Watch) -> None:
        """Ask which server it is and which views we may read."""
        self._connection = connection
        self._instance = instance
        self._watch = watch
        ((version, container, login),) = self._rows("probes/oracle/read_server")
        self._version, self._container, self._login = str(version), str(container), str(login)
        self._seen = {str(name) for (name,) in self._rows("probes/oracle/find_rights")}

    @property
    def server_version(self) -> str:
        """Version and container, for example `Oracle 19.0.0.0.0 (ORCLPDB1)`."""
        return f"Oracle {self._version} ({self._container})"

    def rights(self) -> Sequence[Right]:
        """SELECT on three views of the dictionary; neither shows a row of data."""
        return [
            Right("list and measure tablespaces", f"GRANT SELECT ON sys.{view} TO {self._login};", is_held=view in self._seen)
            for view in _VIEWS
        ]

    def list_databases(self) -> Sequence[str]:
        """Every tablespace of the container."""
        return [str(name) for (name,) in self._rows("probes/oracle/list_databases")]

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """Measure all by one statement."""
        missing = [right.statement for right in self.rights() if not right.is_held]
        if missing:
            return [MissingSize(name, Reason.NO_PERMISSION, " ".join(missing)) for name in database_names]
        rows = {str(name): values for name, *values in self._rows("probes/oracle/measure_databases")}
        return [_outcome(name, *rows[name]) if name in rows else _vanished(name) for name in database_names]

    def _rows(self, query: str) -> list[tuple[object, ...]]:
        with translating(self._instance, self._watch), closing(self._connection.cursor()) as cursor:
            cursor.execute(queries.load(query))
            return cursor.fetchall()


def _outcome(name: str, file_bytes: object, limit_bytes: object, file_count: object, unsized_count: object) -> DatabaseSize | MissingSize:
    if not file_count:
        return MissingSize(name, Reason.INCOMPLETE, "the server lists no file of it")
    if unsized_count:
        return MissingSize(name, Reason.INCOMPLETE, f"{unsized_count} of its {file_count} files are offline or missing, and tell no size")
    size = int(str(file_bytes))
    limit = None if limit_bytes is None else int(str(limit_bytes))
    return DatabaseSize(name, total_bytes=size, data_bytes=size, method=Method.DBA_DATA_FILES, growth_limit_bytes=limit)


def _vanished(name: str) -> MissingSize:
    return MissingSize(name, Reason.VANISHED, "dropped between listing and measuring")


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[Probe]:
    """Open a connection; that nothing is written is for the rights to ensure."""
    with (
        watchdog.watch(None, deadlines.instance_seconds) as watch,
        closing(open_connection(instance, login, deadlines, watchdog, watch)) as connection,
    ):
        yield OracleProbe(connection, instance, watch)
