"""The PostgreSQL, MariaDB and MySQL targets of this worker, shared by the tests of the adapters."""

from collections.abc import Iterator

import pytest

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers import mariadb as mariadb_servers
from whalefall_pipelines_tests.servers.postgresql import MAJORS, PostgresServers

mariadb, mysql_server = mariadb_servers.mariadb, mariadb_servers.mysql_server
target, maria, mysql = mariadb_servers.target, mariadb_servers.maria, mariadb_servers.mysql


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServers]:
    started = PostgresServers(tmp_path_factory.mktemp("targets"))
    yield started
    started.stop()


@pytest.fixture(params=MAJORS)
def server(request: pytest.FixtureRequest, servers: PostgresServers) -> PostgresCluster:
    """A server of each version in turn."""
    return servers.of(request.param)


@pytest.fixture
def newest(servers: PostgresServers) -> PostgresCluster:
    return servers.of(MAJORS[-1])
