"""What every probe of an Oracle server has: its connection, its version, its identity, and which views the login may read."""

from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Protocol, cast

import oracledb

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Instance, Login, ServerIdentity
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.names import storable
from whalefall_pipelines.fleet.oracle.connection import open_connection, translating
from whalefall_pipelines.fleet.oracle.privileges import IDENTITY, Privileges
from whalefall_pipelines.fleet.probe import Deadlines

_PUBLIC = ("product_component_version", "all_users", "all_views", "session_privs")
# A logical standby has an identifier of its own.
_REPLICAS = {"PHYSICAL STANDBY", "SNAPSHOT STANDBY"}


class Cursor(Protocol):
    """What of a DB-API cursor is used."""

    def execute(self, statement: str, parameters: dict[str, object], /) -> object: ...
    def fetchall(self) -> list[tuple[object, ...]]: ...
    def close(self) -> None: ...


class Connection(Protocol):
    """What of a DB-API connection is used."""

    def cursor(self) -> Cursor: ...


class OracleProbe:
    """An open connection to one container of one Oracle server."""

    driver = f"python-oracledb {oracledb.__version__} thin"

    def __init__(self, connection: Connection, instance: Instance, watch: Watch) -> None:
        """Ask which server it is and which views we may read.

        Raises:
            SizesError: the login does not see what every login sees where nobody took it away.
        """
        self._connection = connection
        self._instance = instance
        self._watch = watch
        try:
            ((version, container, container_id, login, is_on_rds),) = self._rows("probes/oracle/read_server")
            seen = frozenset(str(name) for (name,) in self._rows("probes/oracle/find_rights"))
        except SizesError as error:
            if error.reason != Reason.NO_PERMISSION:
                raise
            grants = " ".join(f"GRANT SELECT ON sys.{view} TO {instance.username};" for view in _PUBLIC)
            sentence = f"Oracle at {instance.address} does not show this login what is public unless it was revoked"
            raise SizesError(f"{sentence}; run on that server: {grants}", reason=Reason.NO_PERMISSION) from error
        self._version, self._container = str(version), str(container)
        self._privileges = Privileges(str(login), int(str(container_id)), bool(is_on_rds), seen)

    @property
    def server_version(self) -> str:
        """Version and container, for example `Oracle 19.0.0.0.0 (ORCLPDB1)`."""
        return f"Oracle {self._version} ({self._container})"

    def identity(self) -> ServerIdentity | None:
        """The identifiers of the database and of the container; None where the login may not ask, or the server is older than 12.1."""
        rows = self._optional_rows("probes/oracle/read_identity", *IDENTITY)
        if not rows:
            return None
        ((dbid, container_dbid, role, started_at),) = rows
        started = cast("datetime | None", started_at)
        return ServerIdentity(f"{dbid}/{container_dbid}", role in _REPLICAS, started.isoformat() if started else None)

    def _require(self, *views: str) -> None:
        missing = self._privileges.missing(*views)
        if missing:
            sentence = f"Oracle at {self._instance.address} does not show this login {' and '.join(missing)}"
            raise SizesError(f"{sentence}; run on that server: {self._privileges.grants(*missing)}", reason=Reason.NO_PERMISSION)

    def _optional_rows(self, query: str, *views: str) -> list[tuple[object, ...]]:
        """Rows of a statement that must not fail the probe: empty without the privilege, or if the statement fails."""
        try:
            return [] if self._privileges.missing(*views) else self._rows(query)
        except SizesError:
            if self._watch.reason is Reason.CANCELLED:
                raise
            return []

    def _rows(self, query: str, parameters: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
        values = dict(parameters or {})
        text = queries.load(query) % {name: f":{name}" for name in values} if values else queries.load(query)
        with translating(self._instance, self._watch), closing(self._connection.cursor()) as cursor:
            cursor.execute(text, values)
            return cursor.fetchall()


def decode_name(text: object, name_bytes: object) -> str:
    """A name as the server converts it, or by its own bytes where the conversion lost something (U+FFFD), so that no two become one."""
    if "\ufffd" not in str(text):
        return storable(str(text))
    return storable(bytes.fromhex(str(name_bytes)).decode("ascii", "surrogateescape"))


@contextmanager
def opened_connection(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[tuple[Connection, Watch]]:
    """Open a connection. The privileges of the login ensure that nothing is written."""
    with (
        watchdog.watch(None, deadlines.instance_seconds) as watch,
        closing(open_connection(instance, login, deadlines, watchdog, watch)) as connection,
    ):
        yield connection, watch
