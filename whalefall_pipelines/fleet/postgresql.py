"""PostgreSQL 15 to 18 through psycopg2. Sizes are `pg_database_size`: every file of a database on disk, by one statement.

Trap: without CONNECT on one database (or pg_read_all_stats) that function fails the whole statement, so the statement guards each
database and the missing right comes back as an outcome. Errors at connecting carry no SQLSTATE in libpq; they are told apart by
libpq's own texts, and a rejection in a language other than English counts as a rejected login, which is never retried. With sslmode
prefer libpq itself sends a login that a TLS server rejected once more without TLS; where accounts get locked, `require` avoids that.
"""

import errno
import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import libpq_version

from whalefall_pipelines import queries
from whalefall_pipelines.domain.capacity import DatabaseSize, Method, MissingSize, Reason
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.probe import Deadlines, Probe, ProbeDefaults, Right


class PostgresProbe(ProbeDefaults):
    """An open connection to one PostgreSQL server."""

    def __init__(self, connection: Connection, instance: Instance, watch: Watch) -> None:
        """Wrap a connection that is already read-only."""
        self._connection = connection
        self._instance = instance
        self._watch = watch

    @property
    def server_version(self) -> str:
        """As `server_version` says it, for example `PostgreSQL 18.6`."""
        return f"PostgreSQL {self._connection.get_parameter_status('server_version')}"

    @property
    def driver(self) -> str:
        """The libpq in psycopg2, for example `libpq 17.6`."""
        major, minor = divmod(libpq_version(), 10000)
        return f"libpq {major}.{minor}"

    def rights(self) -> Sequence[Right]:
        """CONNECT on every database will do, too; nobody needs more than to be a member of pg_read_all_stats."""
        ((login, is_held),) = self._rows("probes/postgresql/find_rights")
        return (Right("measure databases", f"GRANT pg_read_all_stats TO {login};", is_held=bool(is_held)),)

    def list_databases(self) -> Mapping[str, str | None]:
        """Every database in pg_database, with its OID."""
        return {name: str(identity) for name, identity in self._identities().items()}

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        """Measure by one statement; a second listing tells what was dropped, or made anew, while it was measured."""
        rows = self._rows("probes/postgresql/measure_databases", {"database_names": list(database_names)})
        measured = {_name(name): values for name, *values in rows}
        now = self._identities()
        return [_outcome(name, now.get(name), *measured.get(name, (None, None, None))) for name in database_names]

    def _identities(self) -> dict[str, object]:
        return {_name(name): identity for name, identity in self._rows("probes/postgresql/list_databases")}

    def _rows(self, query: str, parameters: dict[str, object] | None = None) -> list[tuple[object, ...]]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(queries.load(query), parameters)
                return cursor.fetchall()
        except psycopg2.Error as error:
            raise _statement_error(error, self._instance, self._watch) from error


def _name(value: object) -> str:
    """A name may be anything but UTF-8 when it was given in a database of another encoding; then it is written with escapes."""
    return bytes(cast("memoryview", value)).decode("utf-8", "backslashreplace")


def _outcome(name: str, identity_now: object, identity: object, total: object, grant: object) -> DatabaseSize | MissingSize:
    if identity_now is None or identity not in {None, identity_now}:
        return MissingSize(name, Reason.VANISHED, "dropped between listing and measuring")
    if grant is None:
        return MissingSize(name, Reason.SERVER_ERROR, "it is listed, but not found by this name: a name that is no UTF-8 must be changed")
    if total is None:
        return MissingSize(name, Reason.NO_PERMISSION, f"{grant};")
    size = int(str(total))
    return DatabaseSize(name, total_bytes=size, data_bytes=size, method=Method.PG_DATABASE_SIZE)


@contextmanager
def connect(instance: Instance, login: Login, deadlines: Deadlines, watchdog: Watchdog) -> Generator[Probe]:
    """Open a read-only connection that names itself and carries its own statement time-out."""
    with watchdog.watch(None, deadlines.instance_seconds) as watch:
        connection = _open(instance, login, deadlines)
        try:
            watch.attach(connection.fileno())
            yield PostgresProbe(connection, instance, watch)
        finally:
            connection.close()


def _open(instance: Instance, login: Login, deadlines: Deadlines) -> Connection:
    options = {
        "default_transaction_read_only": "on",
        "statement_timeout": round(deadlines.statement_seconds * 1000),
        "search_path": "pg_catalog",  # else whoever may create functions there could have us run his own
        "datestyle": "ISO",  # else psycopg2 sets it by a statement of its own, which no deadline covers
    }
    try:
        connection = psycopg2.connect(
            host=instance.host,
            port=instance.port,
            dbname=_database(instance),
            user=login.username,
            password=login.password or "",  # None would send the collector's own PGPASSWORD to any server
            sslmode=instance.sslmode or "prefer",
            sslrootcert=instance.sslrootcert,
            # libpq takes whole seconds, two at least, for each address of the host
            connect_timeout=max(2, round(min(deadlines.connect_seconds, deadlines.instance_seconds))),
            application_name="whalefall",
            client_encoding="UTF8",
            options=" ".join(f"-c {name}={value}" for name, value in options.items()),
        )
    except (psycopg2.OperationalError, UnicodeDecodeError) as error:
        raise _connect_error(error, instance, login) from error
    connection.autocommit = True
    return connection


def _database(instance: Instance) -> str:
    return instance.default_database or "postgres"


_AGAIN = "it will be tried again."
_ROUTE = "check address, route and firewall."
_FULL = "this machine has no socket left."  # for which libpq has no words
_TLS = "check sslmode and sslrootcert of the instance."
# What this machine says of a socket, alone on its line; a server's refusal is longer.
_SYSTEM_ERRORS = "|".join(sorted({re.escape(os.strerror(number)) for number in errno.errorcode}))
# What libpq and the server say, the error class, the reason, the advice. The first that fits.
_CONNECT_ERRORS: tuple[tuple[str, type[TargetError], Reason, str], ...] = (
    (
        "Connection refused|^No such file or directory$",
        UnreachableError,
        Reason.CONNECTION_REFUSED,
        "is the server running, and is the port right?",
    ),
    ("timeout expired|timed out|No route to host|Network is unreachable|Host is down", UnreachableError, Reason.TIMEOUT, _ROUTE),
    ("could not translate host name", UnreachableError, Reason.HOST_UNKNOWN, "check the host and the name servers."),
    ("starting up|shutting down|in recovery mode|accepting connections", UnreachableError, Reason.UNAVAILABLE, _AGAIN),
    ("too many (clients|connections)|remaining connection slots", UnreachableError, Reason.UNAVAILABLE, _AGAIN),
    ("server closed the connection|Connection reset|SSL SYSCALL error", UnreachableError, Reason.UNAVAILABLE, "it hung up; " + _AGAIN),
    (
        "could not create socket|Too many open files|^no message$",
        UnreachableError,
        Reason.INTERNAL_ERROR,
        "this machine has no socket left.",
    ),
    (
        "invalid response|expected authentication request",
        UnreachableError,
        Reason.SERVER_ERROR,
        "that is no PostgreSQL: check the port.",
    ),
    ("does not support SSL|certificate|SSL error", LoginRejectedError, Reason.TLS_FAILED, _TLS),
    ("FATAL: +database .* does not exist", LoginRejectedError, Reason.UNAVAILABLE, "correct the default database of the instance."),
    (f"^({_SYSTEM_ERRORS})$", UnreachableError, Reason.TIMEOUT, _ROUTE),
    ("pg_hba.conf", LoginRejectedError, Reason.AUTHENTICATION_FAILED, "admit this host, login and encryption in the server's pg_hba.conf."),
)


def _connect_error(error: Exception, instance: Instance, login: Login) -> TargetError:
    where = f"PostgreSQL at {instance.address}"
    if isinstance(error, UnicodeDecodeError):
        sentence = f"{where} rejects the login {login.username!r} in an encoding that cannot be read; its log has the cause."
        return LoginRejectedError(sentence, reason=Reason.AUTHENTICATION_FAILED)
    text = nameless = str(error)
    for name in (login.username, _database(instance), instance.host):
        nameless = nameless.replace(f'"{name}"', '""')  # a login may be called "starting up"
    said, nameless = _decisive_line(text).removeprefix("FATAL:").strip(), _decisive_line(nameless)
    if "permission denied for database" in nameless:
        names = " TO ".join(_quoted(name) for name in (_database(instance), login.username))
        return LoginRejectedError(f"{where}: {said}; GRANT CONNECT ON DATABASE {names};", reason=Reason.NO_PERMISSION)
    for pattern, kind, reason, advice in _CONNECT_ERRORS:
        if re.search(pattern, nameless):
            return kind(f"{where}: {said}; {advice}", reason=reason)
    sentence = f"{where} rejects the login {login.username!r}: {said}; check the credential of {instance.name!r}."
    return LoginRejectedError(sentence, reason=Reason.AUTHENTICATION_FAILED)


def _decisive_line(text: str) -> str:
    """What the last attempt met: libpq tries every address of a host, and with sslmode prefer each with and without TLS."""
    last_attempt = re.split(r"^connection to server (?:at|on) .*? failed: ", text.strip(), flags=re.MULTILINE)[-1]
    return last_attempt.partition("\n")[0] or "no message"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _statement_error(error: psycopg2.Error, instance: Instance, watch: Watch) -> SizesError:
    where = f"PostgreSQL at {instance.address}"
    if watch.reason is Reason.CANCELLED:
        return SizesError(f"The visit of {where} was stopped.", reason=Reason.CANCELLED)
    if watch.reason or error.pgcode == "57014":
        return SizesError(f"{where} did not answer within its deadline.", reason=Reason.TIMEOUT)
    said = (str(error).strip().splitlines() or ["no message"])[0]
    if error.pgcode == "42501":
        return SizesError(f"{where} refuses the sizes: {said}.", reason=Reason.NO_PERMISSION)
    is_gone = error.pgcode is None or error.pgcode.startswith(("08", "57P"))
    return SizesError(f"{where} failed in mid-query: {said}.", reason=Reason.UNAVAILABLE if is_gone else Reason.SERVER_ERROR)
