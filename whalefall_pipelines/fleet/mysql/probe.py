"""What every probe of a MySQL or MariaDB server has: its session, its version, and its identity."""

from collections.abc import Generator
from contextlib import closing, contextmanager

import pymysql

from whalefall_pipelines.domain.instances import Instance, Login, ServerIdentity
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.mysql.connection import open_connection
from whalefall_pipelines.fleet.mysql.session import MARIADB, Session
from whalefall_pipelines.fleet.probe import Deadlines


class MySQLProbe:
    """An open session with one MySQL or MariaDB server."""

    def __init__(self, session: Session, instance: Instance) -> None:
        """Ask through a session that is already read-only."""
        self._session = session
        self._instance = instance

    @property
    def server_version(self) -> str:
        """Family and version, for example `MariaDB 10.11.19` or `MySQL 9.7.4`."""
        return f"{self._session.family.name} {self._session.version}"

    @property
    def driver(self) -> str:
        """PyMySQL, which is its own client library."""
        return f"PyMySQL {pymysql.__version__}"

    def identity(self) -> ServerIdentity | None:
        """The uuid of a MySQL, which each replica has of its own; MariaDB has none."""
        if self._session.family is MARIADB:
            return None
        ((server_uuid,),) = self._session.rows("probes/mysql/read_identity")
        return ServerIdentity(str(server_uuid))


@contextmanager
def opened_session(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[Session]:
    """Open a read-only session with a deadline for each statement. No database is used, as none is needed to log in."""
    with (
        watchdog.watch(None, deadlines.instance_seconds) as watch,
        closing(open_connection(instance, login, deadlines, watchdog, watch)) as connection,
    ):
        yield Session(connection, instance, watch, deadlines)
