"""Stores on the oldest and the newest PostgreSQL for what depends on its version."""

import itertools
from collections.abc import Iterator
from contextlib import closing

import pytest

from whalefall_pipelines.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.local_servers.postgresql_admin import administer
from whalefall_pipelines.store import migrations
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.servers.postgresql import new_cluster
from whalefall_pipelines_tests.servers.running import running

_numbers = itertools.count()


@pytest.fixture(scope="session", params=[15, 18])
def upkeep_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresCluster]:
    """A server of the oldest and of the newest version, with a migrated database to clone."""
    with running(new_cluster(request.param, tmp_path_factory.mktemp(f"upkeep-{request.param}"))) as cluster:
        administer(cluster, "create database upkeep_template")
        with closing(Database(parse_url(cluster.url("upkeep_template")), TIMEZONE)) as database:
            migrations.migrate(database, TIMEZONE.key)
        yield cluster


@pytest.fixture
def upkeep_store(upkeep_server: PostgresCluster) -> Iterator[Database]:
    """An empty, migrated store on each of them in turn."""
    name = f"upkeep_{next(_numbers)}"
    administer(upkeep_server, f"create database {name} template upkeep_template")
    with closing(Database(parse_url(upkeep_server.url(name)), TIMEZONE)) as database:
        yield database
    administer(upkeep_server, f"drop database {name} with (force)")
