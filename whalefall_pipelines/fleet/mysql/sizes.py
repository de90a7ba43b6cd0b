"""MySQL 8 and later and MariaDB through PyMySQL. Sizes are files: InnoDB's tablespaces, and data and index length of tables without one.
`.frm`, `.opt` and `.sdi` files (kilobytes) are not counted.

The login needs `GRANT PROCESS, SHOW VIEW ON *.*` and nothing else: PROCESS shows the tablespaces, SHOW VIEW makes schemas and tables
visible in information_schema; neither reads a row of data. A schema whose tables the login cannot all see, by whatever grant, role or
revoke, is missing with the GRANT that cures it: an unseen MyISAM table would read as 0. Each statement in `sql/probes/mysql/` names its
own traps. `connection.py` opens a connection, `session.py` has the session, `schemas.py` the sum of a schema, and `shared.py` the
files that several schemas share.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize, SharedPart
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.mysql.probe import MySQLProbe, opened_session
from whalefall_pipelines.fleet.mysql.schemas import Schema, Schemas, read_schemas, size_of
from whalefall_pipelines.fleet.mysql.session import MARIADB, MYSQL, Session
from whalefall_pipelines.fleet.mysql.shared import binary_log_bytes, unattributed_files, unseen_schemas
from whalefall_pipelines.fleet.probe import Deadlines, Privilege
from whalefall_pipelines.fleet.sizes import SizesDefaults, SizesProbe

# Schemas that a server shows to everybody.
_PUBLIC = {"information_schema", "performance_schema"}
_BINARY_LOGS = "binary_logs"


class MySQLSizes(MySQLProbe, SizesDefaults):
    """An open session that measures schemas."""

    def __init__(self, session: Session, instance: Instance) -> None:
        """Ask which tables and files the login may see."""
        super().__init__(session, instance)
        self._sees_tables = self._session.may("probes/mysql/may_see_all_tables")
        self._sees_files = self._session.may("probes/mysql/may_see_files")
        self._schemas: Schemas | None = None

    def privileges(self) -> Sequence[Privilege]:
        """What every schema needs, in one statement: the same that a schema without it is missing with."""
        is_held = self._sees_tables and self._sees_files
        privileges = [Privilege("list and measure every schema", self._grant(), is_held=is_held)]
        if self._session.rows("probes/mysql/has_binary_log")[0][0]:
            may_list = self._session.may("probes/mysql/list_binary_logs")
            purpose = "measure the binary logs, which belong to no schema"
            privileges.append(Privilege(purpose, self._grant_of_logs(), is_held=may_list, is_optional=True))
        return privileges

    def list_databases(self) -> Mapping[str, str | None]:
        """Every schema that the login may see or that the list of tablespaces names; a schema has no identifier.

        An empty schema, or one of other engines' tables alone, is in no list of tablespaces: without SHOW VIEW it cannot be known.

        Raises:
            SizesError: the login sees no schema at all, not even by its tablespaces.
        """
        names = [str(name) for (name,) in self._session.rows("probes/mysql/list_databases")]
        listed = {name if not count else f"{name} ({count + 1})" for name, count in _counted(names)}
        if self._sees_files and not (self._sees_tables and self._session.family is MARIADB):
            listed.update(str(name) for name, *_ in self._session.rows(self._session.of_family("probes/mysql/sum_tablespaces_{family}")))
            listed.update(unseen_schemas(self._session, listed))
        if not listed - _PUBLIC:
            sentence = f"MySQL at {self._instance.address} shows this login no schemas at all: {self._grant()}"
            raise SizesError(sentence, reason=Reason.NO_PERMISSION)
        return dict.fromkeys(sorted(listed))

    def grant_to_list(self) -> str | None:
        """Without a privilege on all schemas, those that the login may not use are in the listing by their tablespaces at best."""
        return None if self._sees_tables else self._grant()

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """Measure all by a few statements, and each schema that has tables of other engines by one more.

        Lists that cannot be believed are read again once, after MariaDB opened its tables; a table dropped between the two is a cause, too.
        """
        if not self._sees_files:
            alive = {str(name) for (name,) in self._session.rows("probes/mysql/list_databases")}
            return [self._forbidden(name) if name in alive else _vanished(name) for name in database_names]
        schemas, was_cut_off = read_schemas(self._session), False
        if any(schemas.by_name[name].is_doubtful for name in database_names if name in schemas.by_name):
            was_cut_off = not self._open_tables()
            schemas = read_schemas(self._session)
        self._schemas = schemas
        return [self._outcome(name, schemas, was_cut_off=was_cut_off) for name in database_names]

    def measure_shared(self) -> Sequence[SharedPart]:
        """All files that the server names, but the part of them that is attributed to schemas, and the binary logs.

        Not counted, because nothing names their size: logs of errors, statements and Aria, relay logs, and files that are no server's.
        """
        parts = [self._binary_logs()]
        if not (self._sees_files and self._sees_tables):
            return [SharedPart("innodb", None, self._grant()), *parts]
        try:
            shared = (self._schemas or read_schemas(self._session)).shared  # what was measured is what is attributed
            files = unattributed_files(self._session, shared)
        except SizesError as error:
            return [SharedPart("innodb", None, str(error)), *parts]
        return [*(SharedPart(part, total) for part, total in files.items()), *parts]

    def _binary_logs(self) -> SharedPart:
        try:
            total = binary_log_bytes(self._session)
        except SizesError as error:
            return SharedPart(_BINARY_LOGS, None, str(error))
        return SharedPart(_BINARY_LOGS, total, None if total is not None else self._grant_of_logs())

    def _outcome(self, name: str, schemas: Schemas, *, was_cut_off: bool) -> DatabaseSize | MissingSize:
        original, _, number = name.rpartition(" (")
        if folders := schemas.unnameable.get(name) or schemas.unnameable.get(original if number else name):
            sentence = f"{folders} folders in the data directory have names that the server cannot distinguish; rename or remove them."
            return MissingSize(name, Reason.INCOMPLETE, sentence)
        schema = schemas.by_name.get(name)
        try:
            if schema is None and name not in self.list_databases():
                return _vanished(name)
            if schema is None or not schema.is_visible or not self._is_seen(name, schema):
                return self._forbidden(name)
            return size_of(self._session, name, schema, schemas.shared, was_cut_off=was_cut_off)
        except SizesError as error:
            if not self._session.connection.open:
                raise
            return MissingSize(name, Reason(error.reason), str(error))

    def _is_seen(self, name: str, schema: Schema) -> bool:
        # MySQL may revoke a global privilege for one schema (partial revokes): one that shows no table at all is asked for by itself.
        return (self._sees_tables and schema.shows_tables) or self._session.may("probes/mysql/may_see_tables_of_schema", name)

    def _open_tables(self) -> bool:
        """Let MariaDB open all its tables; False when a deadline cut it off."""
        if self._session.family is MYSQL:
            return True
        try:
            self._session.rows("probes/mysql/open_tables")
        except SizesError as error:
            # The tables that were opened stay open, so the next probe gets further.
            if error.reason != Reason.TIMEOUT or not self._session.connection.open:
                raise
            return False
        return True

    def _grant(self) -> str:
        """The one statement for whatever is missing on the whole server, or for all that is needed."""
        missing = [name for name, is_held in (("PROCESS", self._sees_files), ("SHOW VIEW", self._sees_tables)) if not is_held]
        return f"GRANT {', '.join(missing or ('PROCESS', 'SHOW VIEW'))} ON *.* TO {self._session.grantee};"

    def _grant_of_logs(self) -> str:
        return f"GRANT REPLICATION CLIENT ON *.* TO {self._session.grantee};"

    def _forbidden(self, name: str) -> MissingSize:
        statement = self._grant()
        if self._sees_files and self._sees_tables:
            # A privilege that was revoked for one schema is given back for that one: a grant on *.* would change nothing.
            statement = f"GRANT SHOW VIEW ON `{name.replace('`', '``')}`.* TO {self._session.grantee};"
        return MissingSize(name, Reason.NO_PERMISSION, statement)


def _counted(names: Sequence[str]) -> Generator[tuple[str, int]]:
    """Each name with how often it came before: folders whose names the server cannot decode may share one."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, -1) + 1
        yield name, seen[name]


def _vanished(name: str) -> MissingSize:
    return MissingSize(name, Reason.VANISHED, "dropped between listing and measuring")


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[SizesProbe]:
    """Open a session that measures schemas."""
    with opened_session(instance, login, deadlines, watchdog) as session:
        yield MySQLSizes(session, instance)
