"""Oracle Database through python-oracledb in thin mode (the extra `oracle`). A "database" is a tablespace; sizes are allocated files.

Never run against a real Oracle: the driver, its log-in, time-outs, TLS, errors and the logic of the statements are tested against the
server in `whalefall_pipelines_tests/servers/oracle/`, which speaks as the driver expects it, and whose dictionary is as Oracle documents
it. One visit sees one container: each PDB is registered as an instance of its own, by its service (the default
database of the instance), and the version names the container. No view tells a login without rights how long a file is: user_tablespaces
and user_segments show only what is its own, which is not the tablespace, so it is refused with the grants instead of measured too small.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from typing import Protocol, cast
from zoneinfo import ZoneInfo

import oracledb

from whalefall_pipelines import queries
from whalefall_pipelines.domain.capacity import DatabaseSize, Method, MissingSize, Reason, RecoveredSize
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.histories import bounds, last_of_each_day
from whalefall_pipelines.fleet.oracle_connection import open_connection, translating
from whalefall_pipelines.fleet.probe import Deadlines, Probe, ProbeDefaults, Right

_LISTING, _USED = "dba_tablespaces", "dba_tablespace_usage_metrics"
# Each list of files with the statement that measures by it.
_FILES = {"dba_data_files": "probes/oracle/measure_data_files", "dba_temp_files": "probes/oracle/measure_temp_files"}
_HISTORY = ("dba_hist_tbspc_space_usage", "dba_hist_snapshot", "v_$tablespace")


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
        """SELECT on views of the dictionary; none of them shows a row of data."""
        return (
            self._right("list tablespaces", _LISTING),
            self._right("measure them", "dba_data_files"),
            self._right("measure temporary ones", "dba_temp_files"),
            self._right("measure used space", _USED, is_optional=True),
            self._right("recover missed days from AWR, where it is licensed", *_HISTORY, is_optional=True),
        )

    def list_databases(self) -> Mapping[str, str | None]:
        """Every tablespace of the container.

        Raises:
            SizesError: the login sees none but its own.
        """
        self._require(_LISTING)
        return {str(name): None for (name,) in self._rows("probes/oracle/list_databases")}

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """Measure all by one statement for each kind of files, and what is in use by one more."""
        self._require(_LISTING)
        unseen = [view for view in _FILES if view not in self._seen]
        rows = {str(name): values for view, query in _FILES.items() if view in self._seen for name, *values in self._rows(query)}
        used = self._sum_used_space()
        # What is in no list of files that may be read is in one that may not.
        absent = (Reason.NO_PERMISSION, self._grants(*unseen)) if unseen else (Reason.VANISHED, "dropped between listing and measuring")
        return [
            _outcome(name, *rows[name], used_bytes=used.get(name)) if name in rows else MissingSize(name, *absent)
            for name in database_names
        ]

    def recover_sizes(self, database_names: Sequence[str], first_day: date, last_day: date, timezone: ZoneInfo) -> Sequence[RecoveredSize]:
        """What AWR's last snapshot of each day says. Only for those who hold its licence: see `engines_with_history`.

        Raises:
            SizesError: AWR may not be read.
        """
        self._require(_LISTING, *_HISTORY)
        rows = self._rows("probes/oracle/list_snapshots", bounds(first_day, last_day, timezone))
        return last_of_each_day((_recovered(row, timezone) for row in rows), database_names)

    def _sum_used_space(self) -> dict[str, int | None]:
        """What is in use of each tablespace; without the right, or when the question fails, that stays unknown."""
        try:
            rows = self._rows("probes/oracle/sum_used_space") if _USED in self._seen else []
        except SizesError:
            if self._watch.reason is Reason.CANCELLED:
                raise
            return {}
        return {str(name): _number(used) for name, used in rows}

    def _right(self, purpose: str, *views: str, is_optional: bool = False) -> Right:
        return Right(purpose, self._grants(*views), is_held=self._seen.issuperset(views), is_optional=is_optional)

    def _grants(self, *views: str) -> str:
        return " ".join(f"GRANT SELECT ON sys.{view} TO {self._login};" for view in views)

    def _require(self, *views: str) -> None:
        missing = [view for view in views if view not in self._seen]
        if missing:
            sentence = f"Oracle at {self._instance.address} does not show this login {' and '.join(missing)}"
            raise SizesError(f"{sentence}; run there: {self._grants(*missing)}", reason=Reason.NO_PERMISSION)

    def _rows(self, query: str, parameters: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
        values = dict(parameters or {})
        text = queries.load(query) % {name: f":{name}" for name in values} if values else queries.load(query)
        with translating(self._instance, self._watch), closing(self._connection.cursor()) as cursor:
            cursor.execute(text, values)
            return cursor.fetchall()


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
    name, at, file_bytes, limit_bytes, used_bytes = row
    recorded_at, size = cast("datetime", at).replace(tzinfo=UTC), int(str(file_bytes))
    return RecoveredSize(
        str(name),
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
    """Open a connection; that nothing is written is for the rights to ensure."""
    with (
        watchdog.watch(None, deadlines.instance_seconds) as watch,
        closing(open_connection(instance, login, deadlines, watchdog, watch)) as connection,
    ):
        yield OracleProbe(connection, instance, watch)
