"""One session on a MySQL or MariaDB server: its family, its limits, and its statements. `sizes.py` probes through it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pymysql
from pymysql.connections import Connection

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import Method
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.deadlines import Watch
from whalefall_pipelines.fleet.mysql.connection import native_number, translating
from whalefall_pipelines.fleet.probe import Deadlines

# What the server says to somebody who asks for a table or schema that is not there: without the privilege to see any, and with it.
_DENIED = {1044, 1142, 1227}
_ABSENT = {1049, 1109, 1146}


@dataclass(frozen=True, slots=True)
class Family:
    """What differs between the two: the statements written for each, by the end of their names, and what a row's method is called."""

    name: str
    suffix: str
    exact: Method
    with_statistics: Method
    incomplete: Method


MARIADB = Family(
    name="MariaDB",
    suffix="mariadb",
    exact=Method.INNODB_SYS_TABLESPACES,
    with_statistics=Method.INNODB_SYS_TABLESPACES_AND_STATISTICS,
    incomplete=Method.INNODB_SYS_TABLESPACES_INCOMPLETE,
)
MYSQL = Family(
    name="MySQL",
    suffix="mysql",
    exact=Method.INNODB_TABLESPACES,
    with_statistics=Method.INNODB_TABLESPACES_AND_STATISTICS,
    incomplete=Method.INNODB_TABLESPACES_INCOMPLETE,
)


class Session:
    """A read-only session with a deadline for each statement; `grantee` is its account as GRANT wants it."""

    def __init__(self, connection: Connection, instance: Instance, watch: Watch, deadlines: Deadlines) -> None:
        """Ask which server it is, set the limits, and read them back.

        Raises:
            SizesError: the limits that were set do not hold, as behind a proxy that answers SET by itself.
        """
        self.connection = connection
        self._instance = instance
        self._watch = watch
        version, comment, grantee = (str(value) for value in self.rows("probes/mysql/read_server")[0])
        self.grantee = grantee
        self.family = MARIADB if "mariadb" in f"{version} {comment}".lower() else MYSQL
        self.version = version.split("-", maxsplit=1)[0]
        self.rows("probes/mysql/set_read_only")
        milliseconds = max(1, round(deadlines.statement_seconds * 1000))
        self.rows(self.of_family("probes/mysql/set_limits_{family}"), statement_milliseconds=milliseconds)
        ((is_read_only, is_limited),) = self.rows(self.of_family("probes/mysql/read_limits_{family}"), statement_milliseconds=milliseconds)
        if not (is_read_only and is_limited):
            raise SizesError(
                f"MySQL at {instance.address}: the session is not {'limited' if is_read_only else 'read-only'} although it was set so. "
                "This is the address of a proxy; register the server itself.",
                reason=Reason.SERVER_ERROR,
            )

    def of_family(self, query: str) -> str:
        """The name of a statement that is written for each of the two."""
        return query.format(family=self.family.suffix)

    def rows(self, query: str, **parameters: str | int) -> Sequence[tuple[str | int | None, ...]]:
        """The rows of a statement."""
        with translating(self._instance, self._watch), self.connection.cursor() as cursor:
            cursor.execute(queries.load(query), parameters)
            return cursor.fetchall()

    def may(self, query: str, database_name: str | None = None) -> bool:
        """Whether the login may ask this, in this schema; the answer does not count, an error about what is not there is a yes."""
        with translating(self._instance, self._watch):
            try:
                if database_name is not None:
                    self.connection.select_db(database_name)  # pyright: ignore[reportUnknownMemberType] - its stub leaves it untyped
                with self.connection.cursor() as cursor:
                    cursor.execute(queries.load(query))
            except pymysql.MySQLError as error:
                number = native_number(error)
                if number not in _DENIED | _ABSENT:
                    raise
                return number in _ABSENT
            return True
