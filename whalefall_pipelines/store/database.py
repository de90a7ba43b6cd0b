"""Access to the store: a bounded pool of connections, and transactions. `driver_errors.py` translates what the driver raises.

`urls.py` parses URLs, `runtime/embedded.py` chooses the store, `migrations.py` has its schema. SQLAlchemy is imported on first use: that
takes 0.2 s, and Dagster imports this module whenever it loads the code location, without opening a connection.
"""

import io
import select
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import psycopg2
from psycopg2 import extensions
from psycopg2.sql import Composable

from whalefall_pipelines import queries
from whalefall_pipelines.store.driver_errors import first_line, is_unavailable, store_error, unreachable

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

CONNECT_TIMEOUT_SECONDS = 10
POOL_TIMEOUT_SECONDS = 30
# A statement of a probe, a tick or a report finishes within a minute; otherwise the store is overloaded and must not get more work.
STATEMENT_SECONDS = 60
# For work over the whole fleet and many days: periods, backfills, migrations, months.
LONG_STATEMENT_SECONDS = 3600
# For a read of the API, for which a person or a script waits.
READ_SECONDS = 5
# A client whose network was cut off notices it after a minute, not after the two hours of the kernel: a run would hang for as long.
_CLIENT_KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
# The server releases the locks of a frozen or lost client before whoever waits for them gives up. None of our transactions idles for even
# a second.
_KEEPALIVES = ("tcp_keepalives_idle=30", "tcp_keepalives_interval=10", "tcp_keepalives_count=3")
# A month of thousands of servers is grouped in memory: PostgreSQL's default of 4 MB writes it to files first.
_READER_MEMORY = "work_mem=32MB"
_SERVER_SETTINGS = (f"statement_timeout={STATEMENT_SECONDS}s", "idle_in_transaction_session_timeout=45s", *_KEEPALIVES)


class Cursor:
    """A cursor that buffers its statements until a result is needed, and sends them in one message, in order.

    Most statements of a probe return nothing, and each wait for the server may also become a wait for thirty other threads.
    """

    def __init__(self, cursor: extensions.cursor, *, keeps: bool = True) -> None:
        """Wrap a cursor. Without `keeps`, each statement is sent immediately."""
        self._cursor = cursor
        self._keeps = keeps
        self._unsent: list[bytes] = []

    def execute(self, statement: str | Composable, parameters: Mapping[str, Any] | Sequence[Any] | None = None) -> None:
        """Buffer a statement. Its errors are raised when it is sent."""
        self._unsent.append(self._cursor.mogrify(statement, parameters))
        if not self._keeps:
            self.send()

    def send(self) -> None:
        """Send the buffered statements."""
        if self._unsent:
            unsent, self._unsent = self._unsent, []
            self._cursor.execute(b"\n;\n".join(unsent))

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row of the last statement."""
        self.send()
        return self._cursor.fetchone()

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows of the last statement."""
        self.send()
        return self._cursor.fetchall()

    def column_names(self) -> list[str]:
        """The columns of the last statement."""
        self.send()
        return [column.name for column in self._cursor.description or ()]

    def column_types(self) -> list[int]:
        """The OIDs of the types of these columns."""
        self.send()
        return [column.type_code for column in self._cursor.description or ()]

    def write_out(self, statement: str | Composable, parameters: Mapping[str, Any] | None = None) -> str:
        """The text of a statement with its parameters, without sending it. Quoting depends on the connection."""
        return self._cursor.mogrify(statement, parameters).decode()

    def attempt(self, statement: str, parameters: Mapping[str, Any]) -> str | None:
        """Execute a statement that may fail alone: the transaction continues without it. Return the server's sentence if it failed.

        Raises:
            psycopg2.Error: the connection is lost, or the server shuts down.
        """
        self.execute(queries.load("store/set_savepoint"))
        self.send()  # a syntax error refuses the whole message that it is in
        self.execute(statement, parameters)
        try:
            self.send()
        except psycopg2.Error as error:
            if is_unavailable(error):
                raise
            self._unsent.clear()
            self.execute(queries.load("store/roll_back_to_savepoint"))
            self.send()
            return first_line(error)
        return None

    def copy(self, statement: Composable, file: IO[bytes] | io.RawIOBase) -> None:
        """Run a COPY statement from or to a file."""
        self.send()
        self._cursor.copy_expert(statement, file)

    def copy_from(self, file: io.TextIOBase, table_name: str, *, size: int) -> None:
        """Copy PostgreSQL's text format into a table, reading so many characters at once."""
        self.send()
        self._cursor.copy_from(file, table_name, size=size)


class Database:
    """A thread-safe pool of at most `pool_size` connections to the store. `timezone` is the time zone of its days."""

    def __init__(self, url: "URL", timezone: ZoneInfo, *, pool_size: int = 8, is_reader: bool = False) -> None:
        """Open no connection yet; the first transaction does. With `is_reader`, statements only read, and end after READ_SECONDS."""
        from sqlalchemy import create_engine, event  # noqa: PLC0415

        self.url = url
        self.timezone = timezone
        limits = (f"statement_timeout={READ_SECONDS}s", "default_transaction_read_only=on", _READER_MEMORY) if is_reader else ()
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                **_CLIENT_KEEPALIVES,
                "application_name": "whalefall",
                "options": " ".join(f"-c {setting}" for setting in (f"timezone={timezone.key}", *_SERVER_SETTINGS, *limits)),
            },
        )
        event.listen(self._engine, "checkout", _refuse_dead)
        self._in_use: set[extensions.connection] = set()

    @contextmanager
    def transaction(self, *, statement_seconds: int = STATEMENT_SECONDS) -> Generator[Cursor]:
        """One transaction, committed when the block ends and rolled back when it raises. `statement_seconds` limits each statement.

        Raises:
            StoreUnreachableError: no connection within the deadline.
            StoreError: the store refused a statement; the transaction was rolled back.
        """
        with self._connection() as connection, connection, connection.cursor() as driver_cursor:
            cursor = Cursor(driver_cursor)
            if statement_seconds != STATEMENT_SECONDS:
                _limit_statements(cursor, statement_seconds, is_local=True)
            yield cursor
            cursor.send()

    @contextmanager
    def session(self) -> Generator[Cursor]:
        """One connection without a transaction, for statements that cannot run in a transaction and for session locks.

        Its settings are reset at the end of the block. The block releases its locks; if it raises, they are released as well.

        Raises:
            StoreUnreachableError: no connection within the deadline.
            StoreError: the store refused a statement; the earlier statements are kept.
        """
        with self._connection(closes_on_error=True) as connection, connection.cursor() as driver_cursor:
            connection.autocommit = True
            cursor = Cursor(driver_cursor, keeps=False)
            _limit_statements(cursor, LONG_STATEMENT_SECONDS, is_local=False)
            yield cursor
            connection.autocommit = False
            connection.reset()

    @contextmanager
    def _connection(self, *, closes_on_error: bool = False) -> Generator[extensions.connection]:
        from sqlalchemy import exc  # noqa: PLC0415

        try:
            pooled = self._engine.raw_connection()
        except (psycopg2.OperationalError, exc.TimeoutError) as error:
            raise unreachable(self.url, error) from error
        connection = cast("extensions.connection", pooled.driver_connection)
        is_done = False
        self._in_use.add(connection)
        try:
            yield connection
            is_done = True
        except psycopg2.Error as error:
            raise store_error(self.url, error) from error
        finally:
            self._in_use.discard(connection)
            if connection.closed or (closes_on_error and not is_done):
                pooled.invalidate()
            pooled.close()

    def interrupt(self) -> None:
        """Cancel the running statements of all threads. Each raises StoreError in its own thread."""
        for connection in tuple(self._in_use):
            with suppress(psycopg2.Error):  # it was closed meanwhile
                connection.cancel()

    def close(self) -> None:
        """Close every pooled connection."""
        self._engine.dispose()


def _limit_statements(cursor: Cursor, seconds: int, *, is_local: bool) -> None:
    cursor.execute(queries.load("store/limit_statements"), {"statement_timeout": f"{seconds}s", "is_local": is_local})


def _refuse_dead(connection: extensions.connection, _record: object, _proxy: object) -> None:
    """Let the pool replace its connections once the server has closed one: an idle connection is readable only if it was closed.

    SQLAlchemy's pre-ping would detect the same with an additional statement before every transaction.
    """
    from sqlalchemy import exc  # noqa: PLC0415

    poll = select.poll()
    poll.register(connection, select.POLLIN)
    if poll.poll(0):
        raise exc.InvalidatePoolError
