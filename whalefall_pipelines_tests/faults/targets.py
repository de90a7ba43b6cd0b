"""The server under fault: a PostgreSQL, a MariaDB, a MySQL, and our own SQL Server and Oracle, each with the same databases and a login.

The faults are caused in `breaks.py`. Each server is made once per worker, and every test leaves it as it was.
"""

from collections.abc import Generator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from psycopg2 import sql

from whalefall_pipelines.domain.instances import Engine, Login
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers import mariadb, postgresql
from whalefall_pipelines_tests.servers.oracle import targets as oracle
from whalefall_pipelines_tests.servers.oracle.double import OracleDouble
from whalefall_pipelines_tests.servers.oracle.server import OracleServer
from whalefall_pipelines_tests.servers.running import running
from whalefall_pipelines_tests.servers.sqlserver import targets as sqlserver
from whalefall_pipelines_tests.servers.standby import PRIMARY

# Ten thousand tables take four minutes with durability.
_NOT_DURABLE = ("--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0", "--sync-frm=0")
NAMES: tuple[str, ...] = ("app", "crm", "shop", "wiki")


class Target(Protocol):
    """A server with the databases NAMES, of which `databases` are expected, and the monitoring login."""

    engine: Engine
    host: str
    login: Login
    databases: frozenset[str]

    @property
    def port(self) -> int:
        """Where it listens."""
        ...

    def create(self, *names: str) -> None:
        """Make databases."""
        ...

    def drop(self, *names: str) -> None:
        """Drop databases."""
        ...

    @contextmanager
    def forbidden(self, *names: str) -> Generator[None]:
        """For the block the login may not measure these, or none at all if none is named."""
        ...

    def restart(self) -> None:
        """End every session, as a restart does."""
        ...


class PostgresTarget:
    """A PostgreSQL of the newest version."""

    def __init__(self, cluster: PostgresCluster, keeper: Executor) -> None:
        self.engine, self.cluster, self.host, self._keeper = Engine.POSTGRESQL, cluster, cluster.host, keeper
        self.databases = frozenset({*NAMES, "postgres"})
        self.create(*NAMES)
        self.login = postgresql.create_login(cluster, "monitor")

    @property
    def port(self) -> int:
        return self.cluster.port

    def create(self, *names: str) -> None:
        for name in names:
            postgresql.create_database(self.cluster, name)

    def drop(self, *names: str) -> None:
        self._each("drop database {} with (force)", names)

    def drop_bytes(self, name: bytes) -> None:
        """Drop a database whose name is not valid text, through one in which names are bytes."""
        with postgresql.superuser(self.cluster, "raw") as cursor:
            cursor.execute("set client_encoding to 'SQL_ASCII'")
            cursor.execute(b'drop database "' + name + b'" with (force)')

    def rename(self, name: str, new_name: str) -> None:
        with postgresql.superuser(self.cluster) as cursor:
            cursor.execute(f"alter database {name} rename to {new_name}")

    @contextmanager
    def forbidden(self, *names: str) -> Generator[None]:
        concerned = names or tuple(self.databases)
        self._each("revoke connect on database {} from public", concerned)
        try:
            yield
        finally:
            self._each("grant connect on database {} to public", concerned)

    def restart(self) -> None:
        self._keeper.submit(self._restart).result()

    def _restart(self) -> None:
        self.cluster.stop()
        self.cluster.start(with_parent=True)

    def _each(self, statement: str, names: tuple[str, ...]) -> None:
        with postgresql.superuser(self.cluster) as cursor:
            for name in names:
                cursor.execute(sql.SQL(statement).format(sql.Identifier(name)))


class MariadbTarget:
    """A MariaDB or a MySQL; `shop` has a table without its own tablespace, whose size is shown only to a login that sees the table."""

    def __init__(self, server: mariadb.Target, keeper: Executor) -> None:
        self.engine, self.server, self.host, self._keeper = Engine.MYSQL, server, server.host, keeper
        self.databases = frozenset(NAMES)
        self.create(*NAMES)
        self.login = server.create_login()
        self.account = server.account(self.login)

    @property
    def port(self) -> int:
        return self.server.port

    def create(self, *names: str) -> None:
        self.server.ask(*(f"create database {mariadb.quoted(name)}" for name in names))
        if "shop" in names:
            self.server.fill("shop", "other", 10, "engine=MyISAM")

    def drop(self, *names: str) -> None:
        self.server.ask(*(f"drop database {mariadb.quoted(name)}" for name in names))

    @contextmanager
    def forbidden(self, *names: str) -> Generator[None]:
        concerned = names or NAMES
        others = [name for name in NAMES if name not in concerned]
        # EVENT shows that a schema exists, and nothing of its contents.
        grants = [*(f"show view on {name}.*" for name in others), *(f"event on {name}.*" for name in concerned)]
        self.server.ask(f"revoke show view on *.* from {self.account}", *(f"grant {grant} to {self.account}" for grant in grants))
        if not others:
            self.server.ask(f"revoke process on *.* from {self.account}")
        try:
            yield
        finally:
            self.server.ask(*(f"revoke {grant} from {self.account}" for grant in grants))
            self.server.ask(f"grant {mariadb.RIGHTS} on *.* to {self.account}")

    def restart(self) -> None:
        self._keeper.submit(self.server.restart).result()


class SqlServerTarget:
    """The SQL Server for tests; `shop` has a container, which only a login that can connect there can measure."""

    def __init__(self, server: sqlserver.SqlServer) -> None:
        self.engine, self.server, self.host = Engine.SQLSERVER, server, server.host
        self.databases = frozenset(NAMES)
        self.create(*NAMES)
        self.login = sqlserver.LOGIN

    @property
    def port(self) -> int:
        return self.server.port

    def create(self, *names: str) -> None:
        for name in names:
            self.server.catalogue.add_database(name, container_pages=16 if name == "shop" else None)

    def drop(self, *names: str) -> None:
        for name in names:
            self.server.catalogue.drop_database(name)

    def rename(self, name: str, new_name: str) -> None:
        self.server.catalogue.rename_database(name, new_name)

    @contextmanager
    def forbidden(self, *names: str) -> Generator[None]:
        right = "CONNECT ANY DATABASE" if names else "VIEW ANY DEFINITION"
        self.server.catalogue.revoke(self.login.username, right)
        try:
            yield
        finally:
            self.server.catalogue.grant(self.login.username, right)

    def restart(self) -> None:
        self.server.end_sessions()


class OracleTarget:
    """The Oracle for tests; `shop` is a temporary tablespace, whose files are in a separate list."""

    def __init__(self, server: OracleServer) -> None:
        self.engine, self.server, self.host = Engine.ORACLE, server, server.host
        self.databases = frozenset(NAMES)
        self.create(*NAMES)
        self.login = oracle.LOGIN

    @property
    def port(self) -> int:
        return self.server.port

    def create(self, *names: str) -> None:
        for name in names:
            self.server.double.add_tablespace(name, (2**20, None), contents="TEMPORARY" if name == "shop" else "PERMANENT")

    def drop(self, *names: str) -> None:
        self.server.double.drop_tablespaces(names)

    def rename(self, name: str, new_name: str) -> None:
        self.server.double.rename_tablespace(name, new_name)

    @contextmanager
    def forbidden(self, *names: str) -> Generator[None]:
        view = "dba_temp_files" if names else "dba_tablespaces"
        self.server.double.revoke(view)
        try:
            yield
        finally:
            self.server.double.grant(view)

    def restart(self) -> None:
        self.server.end_sessions()


class Targets:
    """The targets of this worker, each started on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        # A server ends with the thread that started it, and the threads of a run are short-lived.
        self._keeper = self._stack.enter_context(ThreadPoolExecutor(1))
        self._started: dict[str, Target] = {}

    def of(self, engine: str) -> Target:
        """The target of this engine, by its name in the matrix."""
        if engine not in self._started:
            self._started[engine] = self._start(engine)
        return self._started[engine]

    def stop(self) -> None:
        """Stop what was started."""
        self._stack.close()

    def _start(self, engine: str) -> Target:
        if engine == "PostgreSQL":
            cluster = postgresql.new_cluster(postgresql.MAJORS[-1], self._folder / "postgresql", *PRIMARY)
            return PostgresTarget(self._stack.enter_context(running(cluster)), self._keeper)
        if engine == "MariaDB":
            return MariadbTarget(self._stack.enter_context(mariadb.running(self._folder / "mariadb", *_NOT_DURABLE)), self._keeper)
        if engine == "MySQL":
            return MariadbTarget(self._stack.enter_context(mariadb.running_mysql(self._folder / "mysql")), self._keeper)
        if engine == "Oracle":
            return OracleTarget(self._stack.enter_context(oracle.new_server(OracleDouble())))
        return SqlServerTarget(self._stack.enter_context(sqlserver.new_server()))
