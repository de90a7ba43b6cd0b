"""What every probe of a SQL Server has: its connection, its version, its identity, and what the login may do there."""

from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager

import pyodbc

from whalefall_pipelines.domain.instances import Instance, Login, ServerIdentity
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sqlserver.connection import open_connection, translating
from whalefall_pipelines.fleet.sqlserver.odbc import Driver, available_drivers
from whalefall_pipelines.fleet.sqlserver.privileges import Server
from whalefall_pipelines.fleet.sqlserver.statements import statement


class SqlServerProbe:
    """An open connection to one SQL Server."""

    def __init__(self, connection: pyodbc.Connection, instance: Instance, watch: Watch) -> None:
        """Ask which server it is and what the login may do there."""
        self._connection = connection
        self._instance = instance
        self._watch = watch
        self._server = self._read_server()

    @property
    def server_version(self) -> str:
        """For example `SQL Server 16.0.4135.4`."""
        return f"SQL Server {self._server.product_version}"

    @property
    def driver(self) -> str:
        """The library of the ODBC driver and its version."""
        name, version = (str(self._connection.getinfo(what)) for what in (pyodbc.SQL_DRIVER_NAME, pyodbc.SQL_DRIVER_VER))
        return f"{name} {version}"

    def identity(self) -> ServerIdentity | None:
        """The server's name and msdb's own identifier; None where the login does not see msdb."""
        return self._server.identity

    def _read_server(self) -> Server:
        (row,) = self._rows(*statement("probes/sqlserver/read_server", {}))
        return Server(**dict(zip((column[0] for column in row.cursor_description), row, strict=True)))

    def _require(self, grant: str, what: str, *, is_held: object) -> None:
        if not is_held:
            raise SizesError(f"SQL Server at {self._instance.address} {what}; run on that server: {grant}", reason=Reason.NO_PERMISSION)

    def _rows(self, text: str, values: Sequence[object]) -> list[pyodbc.Row]:
        with translating(self._instance, self._watch), closing(self._connection.cursor()) as cursor:
            return cursor.execute(text, *values).fetchall()


def best_driver(instance: Instance) -> Driver:
    """The best ODBC driver of this machine.

    Raises:
        UnreachableError: it has none.
    """
    drivers = available_drivers()
    if not drivers:
        sentence = "this machine has no ODBC driver for SQL Server; install ODBC Driver 18 for SQL Server, or tdsodbc (FreeTDS)."
        raise UnreachableError(f"{instance.name!r} cannot be reached: {sentence}", reason=Reason.INTERNAL_ERROR)
    return drivers[0]


@contextmanager
def opened_connection(
    driver: Driver, instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog
) -> Generator[tuple[pyodbc.Connection, Watch]]:
    """Open a connection through this driver. ODBC has no read-only sessions; the privileges of the login ensure that nothing is written."""
    with (
        watchdog.watch(None, deadlines.instance_seconds) as watch,
        closing(open_connection(driver, instance, login, deadlines, watch)) as connection,
    ):
        yield connection, watch
