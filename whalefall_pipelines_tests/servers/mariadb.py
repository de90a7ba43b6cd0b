"""Private MariaDB and MySQL servers as targets, logins and schemas on them.

A MariaDB is created and started by `local_servers/mariadb.py`, a MySQL by `mysql.py`.
"""

import itertools
import os
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pymysql
import pytest

from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, Method, MissingSize
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.mysql.sizes import MySQLSizes
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.runtime.local_servers import mariadb_binaries
from whalefall_pipelines.runtime.local_servers.mariadb import MariadbServer
from whalefall_pipelines.runtime.local_servers.mariadb_binaries import MariadbBinaries
from whalefall_pipelines_tests.servers import mysql as mysql_servers
from whalefall_pipelines_tests.servers import running as running_server

FAMILIES = ("mariadb", "mysql")
RIGHTS = "PROCESS, SHOW VIEW"
_numbers = itertools.count()


def needed_binaries() -> MariadbBinaries:
    """The machine's MariaDB; without it the test is skipped, and under CI it fails."""
    binaries = mariadb_binaries.find()
    if binaries is None:
        message = "no MariaDB here: apt-get install --no-install-recommends mariadb-server-core"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return binaries


def new_name(kind: str) -> str:
    """A name that no other test uses."""
    return f"{kind}_{next(_numbers)}"


def quoted(name: str) -> str:
    """An identifier in a statement without parameters."""
    return f"`{name.replace('`', '``')}`"


def instance_at(host: str, port: int, **settings: str | None) -> Instance:
    """A registered instance at this address."""
    return Instance(1, "target", Engine.MYSQL, host, port, "monitor", **settings)


@dataclass(slots=True)
class Target:
    """A server to be measured, and its administrator. Everything created is dropped at the end."""

    family: str
    server: MariadbServer
    _created: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Where it listens."""
        return self.server.host

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    def ask(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements as the administrator; return the rows of the last."""
        return self.server.administer(*statements)

    def create_schema(self, name: str | None = None) -> str:
        """Create a schema; return its name."""
        name = name or new_name("schema")
        self.ask(f"create database {quoted(name)}")
        self._created.append(f"drop database if exists {quoted(name)}")
        return name

    def create_login(self, rights: str = RIGHTS, *, requirement: str = "") -> Login:
        """A new account with these privileges on all schemas, or with none."""
        login = Login(new_name("we'ird@user"), f"pä'ss \"数据 {new_name('word')}")
        account, password = (pymysql.converters.escape_string(text or "") for text in (login.username, login.password))
        self.ask(f"create user '{account}'@'127.0.0.1' identified by '{password}' {requirement}")
        self._created.append(f"drop user if exists '{account}'@'127.0.0.1'")
        if rights:
            self.ask(f"grant {rights} on *.* to {self.account(login)}")
        return login

    def account(self, login: Login) -> str:
        """The account of a login in the syntax of GRANT."""
        return f"'{pymysql.converters.escape_string(login.username)}'@'127.0.0.1'"

    def fill(self, schema: str, table: str, rows: int, options: str = "") -> None:
        """A table with this many distinct rows of about half a kilobyte."""
        name = f"{quoted(schema)}.{quoted(table)}"
        digits = " union all ".join(f"select {digit} as n" for digit in range(10))
        self.ask(
            f"create table {name} (id int not null, word varchar(800) not null, key (id)) {options}",
            f"insert into {name} select id, repeat(sha2(id, 256), 8) from (select 1000 * a.n + 100 * b.n + 10 * c.n + d.n as id "
            f"from ({digits}) a, ({digits}) b, ({digits}) c, ({digits}) d) e where id < {rows}",
        )

    def files(self, schema: str) -> Path:
        """The folder of a schema whose name needs no encoding."""
        return self.server.data / schema

    def instance(self, **settings: str | None) -> Instance:
        """This server as registered."""
        return instance_at(self.host, self.port, **settings)

    def restart(self, *, crash: bool = False) -> None:
        """Stop our own server and start it again."""
        process = self.server.process_id()
        assert process
        if crash:
            os.kill(process, signal.SIGKILL)
        else:
            self.server.stop()
        self.server.start(with_parent=True)

    def drop_created(self) -> None:
        """Restore the server to its original state."""
        statements, self._created = self._created[::-1], []
        self.ask(*statements)


@contextmanager
def running(folder: Path, *options: str) -> Generator[Target]:
    """A private MariaDB, running for the block."""
    with running_server.running(MariadbServer(needed_binaries(), folder, options=options)) as server:
        yield Target("mariadb", server)


@contextmanager
def running_mysql(folder: Path, *options: str) -> Generator[Target]:
    """A private MySQL, running for the block; without one the test is skipped."""
    binaries = mysql_servers.find()
    if binaries is None:
        pytest.skip(f"{mysql_servers.ABSENT}: {mysql_servers.why_absent()}")
    with running_server.running(mysql_servers.MysqlServer(binaries, folder, options=options)) as server:
        yield Target("mysql", server)


@contextmanager
def in_system_tablespace(target: Target) -> Generator[str]:
    """For the block tables with this option live in the system tablespace."""
    if target.family == "mysql":
        yield "tablespace innodb_system"
        return
    target.ask("set global innodb_file_per_table = off")
    try:
        yield ""
    finally:
        target.ask("set global innodb_file_per_table = on")


def grow_unnoticed(target: Target, schema: str, options: str, megabytes: int = 40) -> None:
    """A table whose statistics date from before it grew, as is usual when less than a tenth of the rows change."""
    target.fill(schema, "grown", 1000, f"stats_auto_recalc=0 {options}")
    target.ask(
        f"alter table {schema}.grown add column long_text longblob",
        f"analyze table {schema}.grown",
        f"update {schema}.grown set long_text = repeat('z', 1000000) where id < {megabytes}",
    )


def _tidy(target: Target) -> Generator[Target]:
    yield target
    target.drop_created()


# Fixtures; a test module uses those that it needs by assigning them to its own names.


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The MariaDB of a module."""
    with running(tmp_path_factory.mktemp("mariadb")) as target:
        yield target


@pytest.fixture(scope="session")
def mysql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The MySQL of a worker."""
    with running_mysql(tmp_path_factory.mktemp("mysql")) as target:
        yield target


@pytest.fixture(params=FAMILIES)
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """A server of each family in turn."""
    yield from _tidy(request.getfixturevalue({"mariadb": "mariadb", "mysql": "mysql_server"}[request.param]))


@pytest.fixture
def maria(mariadb: Target) -> Iterator[Target]:
    """The MariaDB, for what only that family has."""
    yield from _tidy(mariadb)


@pytest.fixture
def mysql(mysql_server: Target) -> Iterator[Target]:
    """The MySQL, for what only that family has."""
    yield from _tidy(mysql_server)


@contextmanager
def probing(target: Target, login: Login | None = None, **settings: str | None) -> Generator[MySQLSizes]:
    with ServerFleet().connect(SIZES, target.instance(**settings), login or target.create_login()) as probe:
        assert isinstance(probe, MySQLSizes)
        yield probe


def measure(target: Target, *names: str, login: Login | None = None) -> list[DatabaseSize | MissingSize]:
    with probing(target, login) as probe:
        outcomes = probe.measure(names)
    assert [outcome.database_name for outcome in outcomes] == list(names)
    return list(outcomes)


def total_bytes(target: Target, name: str, login: Login | None = None) -> int:
    (outcome,) = measure(target, name, login=login)
    assert isinstance(outcome, DatabaseSize), outcome
    assert outcome.data_bytes == outcome.total_bytes
    assert outcome.log_bytes is None
    assert outcome.method is (Method.INNODB_SYS_TABLESPACES if target.family == "mariadb" else Method.INNODB_TABLESPACES)
    return outcome.total_bytes


def missing(target: Target, name: str, reason: Reason, login: Login | None = None) -> str:
    (outcome,) = measure(target, name, login=login)
    assert isinstance(outcome, MissingSize), outcome
    assert outcome.reason is reason
    return outcome.detail
