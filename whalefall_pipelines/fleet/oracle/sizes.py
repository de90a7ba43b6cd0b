"""Oracle Database through python-oracledb in thin mode (the extra `oracle`). A "database" is a tablespace; sizes are allocated files.

It was never run against a real Oracle server: the driver, its login, time-outs, TLS, errors and the logic of the statements are tested
against the server in `whalefall_pipelines_tests/servers/oracle/`, which implements the protocol that the driver expects and has the
documented dictionary. One probe covers one container: each PDB is registered as an instance of its own, by its service (default_database
in the store), and the version names the container. No view shows the length of a file to a login without privileges: user_tablespaces
and user_segments show only the login's own segments and not the tablespace. Such a login is refused with the missing grants, because its
sizes would be too small.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from typing import Protocol, cast
from zoneinfo import ZoneInfo

import oracledb

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Instance, Login, ServerIdentity
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, Method, MissingSize, RecoveredSize
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.histories import bounds, last_of_each_day
from whalefall_pipelines.fleet.names import storable
from whalefall_pipelines.fleet.oracle.connection import open_connection, translating
from whalefall_pipelines.fleet.oracle.privileges import HISTORY, IDENTIFIERS, IDENTITY, LISTING, SHARED, USED, Privileges
from whalefall_pipelines.fleet.probe import Deadlines, Privilege, Probe, ProbeDefaults

_PUBLIC = ("product_component_version", "all_users", "all_views", "session_privs")
# A logical standby has an identifier of its own.
_REPLICAS = {"PHYSICAL STANDBY", "SNAPSHOT STANDBY"}
# Each list of files with the statement that measures by it.
_FILES = {"dba_data_files": "probes/oracle/measure_data_files", "dba_temp_files": "probes/oracle/measure_temp_files"}


class Cursor(Protocol):
    """What of a DB-API cursor is used."""

    def execute(self, statement: str, parameters: dict[str, object], /) -> object: ...
    def fetchall(self) -> list[tuple[object, ...]]: ...
    def close(self) -> None: ...


class Connection(Protocol):
    """What of a DB-API connection is used."""

    def cursor(self) -> Cursor: ...


class OracleProbe(ProbeDefaults):
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
            sentence = f"Oracle at {instance.address} does not show this login what it shows everybody unless that was revoked"
            raise SizesError(f"{sentence}; run on that server: {grants}", reason=Reason.NO_PERMISSION) from error
        self._version, self._container = str(version), str(container)
        self._privileges = Privileges(str(login), int(str(container_id)), bool(is_on_rds), seen)

    @property
    def server_version(self) -> str:
        """Version and container, for example `Oracle 19.0.0.0.0 (ORCLPDB1)`."""
        return f"Oracle {self._version} ({self._container})"

    def privileges(self) -> Sequence[Privilege]:
        """What this adapter asks for."""
        return self._privileges.privileges()

    def identity(self) -> ServerIdentity | None:
        """The identifiers of the database and of the container; None where the login may not ask, or the server is older than 12.1."""
        rows = self._optional_rows("probes/oracle/read_identity", *IDENTITY)
        if not rows:
            return None
        ((dbid, container_dbid, role, started_at),) = rows
        started = cast("datetime | None", started_at)
        return ServerIdentity(f"{dbid}/{container_dbid}", role in _REPLICAS, started.isoformat() if started else None)

    def list_databases(self) -> Mapping[str, str | None]:
        """Every tablespace of the container, with its identifiers where the login may see them.

        Raises:
            SizesError: the login sees none but its own.
        """
        self._require(LISTING)
        names = [_name(text, name_bytes) for text, name_bytes in self._rows("probes/oracle/list_databases")]
        identifiers = {
            _name(text, name_bytes): f"{number}" if change is None else f"{number}/{change}"
            for text, name_bytes, number, change in self._optional_rows("probes/oracle/list_identifiers", *IDENTIFIERS)
        }
        return {name: identifiers.get(name) for name in names}

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """Measure all by one statement for each kind of files, and what is in use by one more."""
        self._require(LISTING)
        unseen = self._privileges.missing(*_FILES)
        allowed = [query for view, query in _FILES.items() if view not in unseen]
        rows = {_name(text, name_bytes): values for query in allowed for text, name_bytes, *values in self._rows(query)}
        used = {
            _name(text, name_bytes): _number(used_bytes)
            for text, name_bytes, used_bytes in self._optional_rows("probes/oracle/sum_used_space", USED)
        }
        # What is in no list of files that may be read is in one that may not.
        absent = (
            (Reason.NO_PERMISSION, self._privileges.grants(*unseen))
            if unseen
            else (Reason.VANISHED, "dropped between listing and measuring")
        )
        return [
            _outcome(name, *rows[name], used_bytes=used.get(name)) if name in rows else MissingSize(name, *absent)
            for name in database_names
        ]

    def measure_shared(self) -> int | None:
        """Redo logs and control files; a PDB has none of its own."""
        if not self._privileges.is_whole_database:
            return 0
        rows = self._optional_rows("probes/oracle/measure_shared", *SHARED)
        return _number(rows[0][0]) if rows else None

    def recover_sizes(self, database_names: Sequence[str], first_day: date, last_day: date, timezone: ZoneInfo) -> Sequence[RecoveredSize]:
        """What AWR's last snapshot of each day says. Only for those who hold its licence: see `engines_with_history`.

        Raises:
            SizesError: AWR may not be read.
        """
        self._require(LISTING, *HISTORY)
        rows = self._rows("probes/oracle/list_snapshots", bounds(first_day, last_day, timezone))
        return last_of_each_day((_recovered(row, timezone) for row in rows), database_names)

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


def _name(text: object, name_bytes: object) -> str:
    """A name as the server converts it, or by its own bytes where the conversion lost something (U+FFFD), so that no two become one."""
    if "\ufffd" not in str(text):
        return storable(str(text))
    return storable(bytes.fromhex(str(name_bytes)).decode("ascii", "surrogateescape"))


def _outcome(
    name: str, file_bytes: object, limit_bytes: object, file_count: object, unsized_count: object, *, used_bytes: int | None
) -> DatabaseSize | MissingSize:
    if not file_count:
        return MissingSize(name, Reason.INCOMPLETE, "the server lists no file of it")
    size = _number(file_bytes)
    if unsized_count or size is None:
        return MissingSize(name, Reason.INCOMPLETE, f"{unsized_count} of its {file_count} files are offline or missing, and tell no size")
    limit = _number(limit_bytes)
    return DatabaseSize(name, size, Method.DBA_DATA_FILES, data_bytes=size, growth_limit_bytes=limit, used_bytes=used_bytes)


def _recovered(row: tuple[object, ...], timezone: ZoneInfo) -> RecoveredSize:
    text, name_bytes, at, file_bytes, limit_bytes, used_bytes = row
    recorded_at, size = cast("datetime", at).replace(tzinfo=UTC), int(str(file_bytes))
    return RecoveredSize(
        _name(text, name_bytes),
        recorded_at.astimezone(timezone).date(),
        total_bytes=size,
        data_bytes=size,
        log_bytes=None,
        method=Method.DBA_HIST_TBSPC_SPACE_USAGE,
        recorded_at=recorded_at,
        growth_limit_bytes=_number(limit_bytes),
        used_bytes=_number(used_bytes),
    )


def _number(value: object) -> int | None:
    return None if value is None else int(str(value))


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[Probe]:
    """Open a connection. The privileges of the login ensure that nothing is written."""
    with (
        watchdog.watch(None, deadlines.instance_seconds) as watch,
        closing(open_connection(instance, login, deadlines, watchdog, watch)) as connection,
    ):
        yield OracleProbe(connection, instance, watch)
