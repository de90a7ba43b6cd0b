"""What every probe of a PostgreSQL server has: its session, its version, and its identity."""

from collections.abc import Generator
from contextlib import closing, contextmanager

from psycopg2.extensions import libpq_version

from whalefall_pipelines.domain.instances import Instance, Login, ServerIdentity
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.postgresql.connection import Session, open_session
from whalefall_pipelines.fleet.probe import Deadlines


class PostgresProbe:
    """An open session with one PostgreSQL server."""

    def __init__(self, session: Session) -> None:
        """Ask through a session that is already read-only."""
        self._session = session

    @property
    def server_version(self) -> str:
        """As `server_version` says it, for example `PostgreSQL 18.6`."""
        return f"PostgreSQL {self._session.connection.get_parameter_status('server_version')}"

    @property
    def driver(self) -> str:
        """The libpq in psycopg2, for example `libpq 17.6`."""
        major, minor = divmod(libpq_version(), 10000)
        return f"libpq {major}.{minor}"

    def identity(self) -> ServerIdentity | None:
        """The system identifier, which a cluster gets when it is made; copies of its files have the same one."""
        try:
            ((identifier, is_standby, started_at),) = self._session.rows("probes/postgresql/read_identity")
        except SizesError as error:
            if error.reason != Reason.NO_PERMISSION:
                raise
            return None
        return ServerIdentity(str(identifier), is_replica=bool(is_standby), started_at=str(started_at))


@contextmanager
def opened_session(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[Session]:
    """Open a read-only session that names itself and carries its own statement time-out; leaving the context closes it."""
    with watchdog.watch(None, deadlines.instance_seconds) as watch:
        session = open_session(instance, login, deadlines, watch)
        with closing(session.connection):
            yield session
