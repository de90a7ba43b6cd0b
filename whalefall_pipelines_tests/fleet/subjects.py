"""Each engine's adapter with its own server and a login on it, for behaviour that must be the same in all of them."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.mysql import sizes as mysql
from whalefall_pipelines.fleet.oracle import sizes as oracle
from whalefall_pipelines.fleet.postgresql import sizes as postgresql
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sizes import SizesProbe
from whalefall_pipelines.fleet.sqlserver.sizes import connect_through
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers import mariadb as mariadb_servers
from whalefall_pipelines_tests.servers import postgresql as postgresql_servers
from whalefall_pipelines_tests.servers.oracle import targets as oracle_targets
from whalefall_pipelines_tests.servers.probes import PATIENT
from whalefall_pipelines_tests.servers.sqlserver import targets as sqlserver_targets


class Place(Protocol):
    """An address where something listens, or seems to."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """An adapter and a server. `product` is what errors call the server, `database` one that the login can measure."""

    product: str
    connect: Callable[[Instance, Login, Deadlines, Watchdog], AbstractContextManager[SizesProbe]]
    instance: Instance
    login: Login
    database: str
    end_sessions: Callable[[], object]

    @property
    def host(self) -> str:
        return self.instance.host

    @property
    def port(self) -> int:
        return self.instance.port

    def probing(
        self, at: Place | None = None, login: Login | None = None, deadlines: Deadlines = PATIENT, watchdog: Watchdog | None = None
    ) -> AbstractContextManager[SizesProbe]:
        """A probe of the server, or of whatever stands in front of it or in its place."""
        at = at or self
        return self.connect(replace(self.instance, host=at.host, port=at.port), login or self.login, deadlines, watchdog or Watchdog())

    def refused(self, at: Place | None = None, login: Login | None = None, deadlines: Deadlines = PATIENT) -> None:
        """A probe that must fail."""
        with self.probing(at, login, deadlines):
            raise AssertionError("connected")


def of_postgresql(cluster: PostgresCluster) -> Subject:
    login = postgresql_servers.create_login(cluster)

    def end_sessions() -> None:
        with postgresql_servers.superuser(cluster) as cursor:
            cursor.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = %s", (login.username,))
            assert cursor.fetchall() == [(True,)]

    return Subject("PostgreSQL", postgresql.connect, postgresql_servers.instance_of(cluster), login, "postgres", end_sessions)


def of_mysql(target: mariadb_servers.Target) -> Subject:
    login = target.create_login()
    end_sessions = partial(target.ask, f"kill user {target.account(login)}")
    return Subject("MySQL", mysql.connect, target.instance(), login, target.create_schema(), end_sessions)


@contextmanager
def of_sqlserver(driver: str) -> Generator[Subject]:
    connect = partial(connect_through, sqlserver_targets.driver_of(driver))
    with sqlserver_targets.new_server() as server:
        instance = sqlserver_targets.instance_at(server.host, server.port)
        yield Subject("SQL Server", connect, instance, sqlserver_targets.LOGIN, "msdb", server.end_sessions)


@contextmanager
def of_oracle() -> Generator[Subject]:
    with oracle_targets.new_server() as server:
        instance = oracle_targets.instance_at(server.host, server.port)
        yield Subject("Oracle", oracle.connect, instance, oracle_targets.LOGIN, "USERS", server.end_sessions)
