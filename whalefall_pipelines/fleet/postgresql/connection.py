"""The connection to a PostgreSQL server: addresses, the login, and the settings of the session. `sizes.py` probes it.

The session gets its settings after the login, by a statement: poolers refuse or ignore them in the login itself, and a login that the
server writes down (an event trigger of PostgreSQL 17) fails when it is read-only by then. Behind a pooler they would reach whoever gets
the session next, so the probe is refused: the server itself must be registered. Sessions are asynchronous in psycopg2's sense, which is how
libpq tells SQLSTATEs at the login, and how every wait has an end.

The client's encoding is SQL_ASCII, which is none: a server converts and checks nothing, so that names arrive as the bytes that they are.
With sslmode prefer libpq itself sends a login that a TLS server rejected once more without TLS; where accounts get locked, `require`
avoids that.
"""

import json
import math
import select
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_WRITE, make_dsn
from psycopg2.extensions import connection as Connection

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch
from whalefall_pipelines.fleet.postgresql import libpq
from whalefall_pipelines.fleet.postgresql.errors import ReplayConflictError, connect_error, interruption, statement_error
from whalefall_pipelines.fleet.probe import Deadlines

# Replay cancels what stands in its way on a standby that does not wait for readers; a short statement succeeds soon.
CONFLICT_ATTEMPTS = 10
_CONFLICT = "40001"
# psycopg2 takes the texts of a server for UTF-8, which they need not be.
_ERRORS = (psycopg2.Error, UnicodeDecodeError)
_POLL_SECONDS = 0.2
_Rows = list[tuple[object, ...]]


class Session:
    """An open session with one server. `is_standby` tells whether it replays WAL of a primary."""

    def __init__(self, connection: Connection, instance: Instance, watch: Watch, *, is_standby: bool) -> None:
        """Take over a connection that has its settings."""
        self.connection = connection
        self.is_standby = is_standby
        self._instance = instance
        self._watch = watch

    def rows(self, query: str, parameters: Mapping[str, object] | None = None) -> _Rows:
        """Run a statement of `sql/`; what replay cancels is run again.

        Raises:
            SizesError: the server refuses it, fails, or is silent.
        """
        for attempt in range(1, CONFLICT_ATTEMPTS + 1):
            try:
                return _rows(self.connection, self._watch, query, parameters)
            except TimeoutError as error:
                raise interruption(self._instance, self._watch, SizesError) from error
            except _ERRORS as error:
                sqlstate, is_open = getattr(error, "pgcode", None), not self.connection.closed
                if sqlstate != _CONFLICT or not is_open or attempt == CONFLICT_ATTEMPTS:
                    text = libpq.error_text(self.connection) or str(error)
                    raise statement_error(sqlstate, text, self._instance, self._watch, is_open=is_open) from error
        raise AssertionError


def open_session(instance: Instance, login: Login, deadlines: Deadlines, watch: Watch) -> Session:
    """Log in, and give the session its settings. What replay on a standby cancels is tried again.

    Raises:
        UnreachableError: no address answers, or the server cannot serve now.
        LoginRejectedError: the server refuses this login, or what answers is a pooler.
    """
    for _ in range(CONFLICT_ATTEMPTS - 1):
        with suppress(ReplayConflictError):
            return _open_at_an_address(instance, login, deadlines, watch)
    return _open_at_an_address(instance, login, deadlines, watch)


def _open_at_an_address(instance: Instance, login: Login, deadlines: Deadlines, watch: Watch) -> Session:
    """Log in at the first address of the host that answers."""
    addresses = _addresses(instance)
    for address in addresses:
        try:
            return _Opening(instance, login, deadlines, watch, address).open()
        except ReplayConflictError:
            raise
        except UnreachableError:
            if address == addresses[-1] or watch.is_expired:
                raise
    raise AssertionError


def default_database(instance: Instance) -> str:
    """The database in which the session is."""
    return instance.default_database or "postgres"


def _addresses(instance: Instance) -> list[str]:
    if instance.host.startswith(("/", "@")):  # a Unix socket
        return [""]
    try:
        known = socket.getaddrinfo(instance.host, instance.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        message = getattr(error, "strerror", None) or str(error)
        sentence = f"PostgreSQL at {instance.address}: {message}; check the host and the name servers."
        raise UnreachableError(sentence, reason=Reason.HOST_UNKNOWN) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in known))


@dataclass(frozen=True, slots=True)
class _Opening:
    """One attempt at one address."""

    instance: Instance
    login: Login
    deadlines: Deadlines
    watch: Watch
    address: str

    def open(self) -> Session:
        deadline = time.monotonic() + min(self.deadlines.connect_seconds, self.deadlines.instance_seconds)
        connection = self._start()
        try:
            libpq.tell_sqlstate(connection, is_told=True)
            _wait(connection, self.watch, deadline)
            self.watch.attach(connection.fileno())
            return self._with_settings(connection, deadline)
        except TimeoutError as error:
            connection.close()
            raise interruption(self.instance, self.watch, UnreachableError) from error
        except _ERRORS as error:
            text = libpq.error_text(connection) or str(error)
            connection.close()
            raise self._error(text) from error
        except BaseException:
            connection.close()
            raise

    def _start(self) -> Connection:
        libpq.forget_environment()
        parameters: dict[str, str] = {
            "host": self.instance.host,
            "hostaddr": self.address,
            "port": str(self.instance.port),
            "dbname": default_database(self.instance),
            "user": self.login.username,
            "password": self.login.password or "",
            "sslmode": self.instance.sslmode or "prefer",
            "application_name": "whalefall",
            "client_encoding": "SQL_ASCII",
        }
        if self.instance.sslrootcert:
            parameters["sslrootcert"] = self.instance.sslrootcert
        elif parameters["sslmode"] in {"verify-ca", "verify-full"}:
            sentence = f"PostgreSQL at {self.instance.address} was not contacted: sslmode {parameters['sslmode']} needs an sslrootcert."
            raise LoginRejectedError(f"{sentence} Set it to the file with the certificates to trust.", reason=Reason.TLS_FAILED)
        try:
            return psycopg2.connect(f"{libpq.neutral_parameters()} {make_dsn(**parameters)}", async_=True)
        except psycopg2.OperationalError as error:
            raise self._error(str(error)) from error

    def _with_settings(self, connection: Connection, deadline: float) -> Session:
        parameters = {
            "settings": json.dumps(_settings(connection.server_version, self.deadlines)),
            "backend_pid": connection.get_backend_pid(),
        }
        rows = _rows(connection, self.watch, "probes/postgresql/open_session", parameters, deadline)
        libpq.tell_sqlstate(connection, is_told=False)
        if not rows:
            raise LoginRejectedError(
                f"PostgreSQL at {self.instance.address} is a pooler. The session that answers is not the one that was opened, so it can "
                "be neither read-only nor limited. Register the address of the server itself.",
                reason=Reason.SERVER_ERROR,
            )
        return Session(connection, self.instance, self.watch, is_standby=bool(rows[0][2]))

    def _error(self, text: str) -> TargetError:
        if self.watch.is_expired:
            return interruption(self.instance, self.watch, UnreachableError)
        return connect_error(text, self.instance, self.login, default_database(self.instance))


def _settings(server_version: int, deadlines: Deadlines) -> dict[str, str]:
    """What a role or database may have set otherwise, and what would end a session that does nothing wrong."""
    endless = ("lock_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout")
    return {
        "default_transaction_read_only": "on",
        "default_transaction_isolation": "read committed",  # a standby knows no serializable
        "default_transaction_deferrable": "off",
        "search_path": "pg_catalog",
        "statement_timeout": str(max(1, round(deadlines.statement_seconds * 1000))),
        **dict.fromkeys((*endless, "transaction_timeout") if server_version >= 170000 else endless, "0"),
    }


def _rows(connection: Connection, watch: Watch, query: str, parameters: Mapping[str, object] | None, deadline: float = math.inf) -> _Rows:
    with connection.cursor() as cursor:
        cursor.execute(queries.load(query), parameters)
        _wait(connection, watch, deadline)
        return cursor.fetchall()


def _wait(connection: Connection, watch: Watch, deadline: float = math.inf) -> None:
    """Wait for the server's answer; libpq is asked only when the socket is ready, or it fails.

    Raises:
        TimeoutError: the deadline is over, or the probe was ended.
    """
    while (state := connection.poll()) != POLL_OK:
        ready = select.poll()
        ready.register(connection.fileno(), select.POLLOUT if state == POLL_WRITE else select.POLLIN)
        while not ready.poll(_POLL_SECONDS * 1000):
            if watch.is_expired or time.monotonic() > deadline:
                raise TimeoutError
