"""PostgreSQL 15 to 18 through psycopg2. Sizes are `pg_database_size`: every file of a database on disk, by one statement.

Trap: without CONNECT on one database (or pg_read_all_stats) that function fails the whole statement, so the statement guards each
database and the missing privilege comes back as an outcome. Whatever privilege is missing, the same GRANT cures it: of pg_monitor, which
includes pg_read_all_stats. Databases are measured by their OID, because a name may be any bytes (`names.py`). `connection.py`
opens a session, and `errors.py` translates errors.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, Method, MissingSize, SharedPart
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.postgresql.connection import Session
from whalefall_pipelines.fleet.postgresql.names import decode_name, is_utf8
from whalefall_pipelines.fleet.postgresql.probe import PostgresProbe, opened_session
from whalefall_pipelines.fleet.probe import Deadlines, Privilege
from whalefall_pipelines.fleet.sizes import SizesDefaults, SizesProbe

_SHARED_PARTS = ("global", "wal", "temporary_files", "replication", "server_logs")


class PostgresSizes(PostgresProbe, SizesDefaults):
    """An open session that measures databases."""

    def __init__(self, session: Session) -> None:
        """Ask through a session that is already read-only."""
        super().__init__(session)
        self._listed: dict[str, int] = {}

    def privileges(self) -> Sequence[Privilege]:
        """pg_monitor for everything. CONNECT on every database, or pg_read_all_stats, is sufficient for the sizes."""
        parameters = {"system_databases": sorted(Engine.POSTGRESQL.system_databases)}
        ((login, may_measure, may_measure_shared),) = self._session.rows("probes/postgresql/find_rights", parameters)
        grant = _grant(_bytes(login))
        return (
            Privilege("measure databases", grant, is_held=bool(may_measure)),
            Privilege("measure what belongs to no database", grant, is_held=bool(may_measure_shared), is_optional=True),
        )

    def list_databases(self) -> Mapping[str, str | None]:
        """Every database in pg_database, with its OID."""
        self._listed = self._list()
        return {name: str(identifier) for name, identifier in self._listed.items()}

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """Measure by one statement; a second listing tells what was dropped, or made anew, since the first.

        On a standby each database is measured by a statement of its own: replay cancels long ones again and again.
        """
        listed = self._listed or self._list()
        identifiers = [listed[name] for name in database_names if name in listed]
        measured: dict[int, _Answer] = {}
        lost: dict[int, str] = {}
        for group in [[identifier] for identifier in identifiers] if self._session.is_standby else [identifiers]:
            try:
                measured |= self._measure(group)
            except SizesError as error:
                if not self._session.is_standby or self._session.connection.closed:
                    raise
                lost[group[0]] = str(error)
        now = self._list()
        return [
            MissingSize(name, Reason.UNAVAILABLE, lost[listed[name]])
            if listed.get(name) in lost
            else _outcome(name, measured.get(listed[name]) if name in listed and listed[name] == now.get(name) else None)
            for name in database_names
        ]

    def measure_shared(self) -> Sequence[SharedPart]:
        """All but a few files that no monitor may ask for; nothing is known without pg_monitor, for WAL is the larger part."""
        try:
            rows = self._session.rows("probes/postgresql/list_shared_space")
        except SizesError as error:
            why = self.privileges()[-1].statement if error.reason == Reason.NO_PERMISSION else str(error)
            return [SharedPart(part, None, why) for part in _SHARED_PARTS]
        return [SharedPart(str(part), int(str(total))) for part, total in rows]

    def _measure(self, identifiers: Sequence[int]) -> dict[int, "_Answer"]:
        rows = self._session.rows("probes/postgresql/measure_databases", {"database_ids": list(identifiers)})
        return {int(str(identifier)): _Answer(*values) for identifier, *values in rows}

    def _list(self) -> dict[str, int]:
        rows = self._session.rows("probes/postgresql/list_databases")
        return {decode_name(_bytes(name)): int(str(identifier)) for name, identifier in rows}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the server says of one database."""

    is_half_dropped: object
    is_allowed: object
    total_bytes: object
    quoted_name: object
    quoted_login: object


def _bytes(value: object) -> bytes:
    return bytes(cast("memoryview", value))


def _typed(quoted_name: bytes) -> str:
    """A name as it is typed in a statement; bytes that cannot be typed come with the way to send them."""
    if is_utf8(quoted_name):
        return quoted_name.decode()
    return quoted_name.decode("utf-8", "backslashreplace") + " /* each \\xHH is one byte; client_encoding = SQL_ASCII */"


def _grant(quoted_login: bytes) -> str:
    return f"GRANT pg_monitor TO {_typed(quoted_login)};"


def _outcome(name: str, answer: _Answer | None) -> DatabaseSize | MissingSize:
    if answer is None:
        return MissingSize(name, Reason.VANISHED, "dropped between listing and measuring")
    if not answer.is_allowed:
        return MissingSize(name, Reason.NO_PERMISSION, _grant(_bytes(answer.quoted_login)))
    notice = None
    if answer.is_half_dropped:
        statement = f"DROP DATABASE {_typed(_bytes(answer.quoted_name))};"
        notice = f"An interrupted DROP DATABASE left it behind. It cannot be used, but its files still exist. Run {statement}"
    elif answer.total_bytes is None:
        return MissingSize(name, Reason.SERVER_ERROR, "the server lists it but finds no files of it")
    size = int(str(answer.total_bytes or 0))
    return DatabaseSize(name, total_bytes=size, data_bytes=size, method=Method.PG_DATABASE_SIZE, notice=notice)


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[SizesProbe]:
    """Open a session that measures databases."""
    with opened_session(instance, login, deadlines, watchdog) as session:
        yield PostgresSizes(session)
