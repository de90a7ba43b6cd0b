"""Creates missing databases of the store, on the embedded server or on your own. `migrations.py` creates their tables."""

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
from psycopg2 import errors, sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import make_dsn

from whalefall_pipelines import queries
from whalefall_pipelines.errors import StoreError
from whalefall_pipelines.store.database import CONNECT_TIMEOUT_SECONDS, STATEMENT_SECONDS
from whalefall_pipelines.store.driver_errors import unreachable
from whalefall_pipelines.store.urls import describe

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


def create_missing_database(url: "URL") -> bool:
    """Create the database of this URL if it does not exist, by a connection to `postgres`. Return True if it was created.

    Raises:
        StoreUnreachableError: the server does not answer or refuses the login.
        StoreError: this login may not create databases; the message has the statement for an administrator.
    """
    try:
        _connect(url).close()
    except psycopg2.OperationalError as refused:
        try:
            maintenance = _connect(url.set(database="postgres"))
        except psycopg2.OperationalError:
            maintenance = None
        if maintenance is None:
            raise unreachable(url, refused) from refused
        with closing(maintenance):
            if not _create(maintenance, url):
                raise unreachable(url, refused) from refused
        return True
    return False


def _create(maintenance: Connection, url: "URL") -> bool:
    """Create the database. Return False if it exists, because then the connection failed for another reason."""
    maintenance.autocommit = True
    name = str(url.database)
    with maintenance.cursor() as cursor:
        cursor.execute(queries.load("store/lock_database_creation"))
        cursor.execute(queries.load("store/find_database"), {"database": name})
        if cursor.fetchone() is not None:
            return _answers(url)
        statement = sql.SQL(queries.load("store/create_database")).format(database=sql.Identifier(name))
        try:
            cursor.execute(statement)
        except errors.InsufficientPrivilege as error:
            wanted = " ".join(line for line in statement.as_string(cursor).splitlines() if not line.startswith("--"))
            raise StoreError(
                f"There is no database {name} at {describe(url)}, and {url.username or 'this login'} may not create one; ask "
                f"an administrator to run: {wanted} owner {sql.Identifier(str(url.username)).as_string(cursor)};"
            ) from error
    return True


def _answers(url: "URL") -> bool:
    # Another program may have created it between our first attempt and the lock.
    try:
        _connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True


def _connect(url: "URL") -> Connection:
    # Not passed as a URL, because SQLAlchemy encodes a space as a plus sign, which libpq reads literally.
    parts = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    parts |= {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "whalefall"}
    parts["options"] = f"-c statement_timeout={STATEMENT_SECONDS}s"
    return psycopg2.connect(make_dsn(**{name: str(value) for name, value in parts.items()}))
