"""Fixtures for every test: a PostgreSQL server per worker, and a freshly migrated store per test."""

import itertools
import os
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.engine import URL

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import available
from whalefall_pipelines.store import migrations
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.servers import mysql

pytest_plugins = [f"whalefall_pipelines_tests.fixtures.{name}" for name in ("dagster", "homes", "maintenance")]
TIMEZONE = ZoneInfo("Asia/Shanghai")
# The code location is loaded without a store, and its calendars must match those of the stores below.
os.environ["WHALEFALL_TIMEZONE"] = TIMEZONE.key
# Durability costs tests half their time and is not what they test; test_embedded.py has a durable server.
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "jit=off")
_numbers = itertools.count()


def libpq_url(url: URL) -> str:
    """The URL of a store as psql and psycopg2 read it."""
    text = url.set(drivername="postgresql").render_as_string(hide_password=False)
    place, mark, options = text.partition("?")
    return place + mark + options.replace("+", "%20")  # libpq does not read + as a space


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Say in the last line that MySQL was missing: skipped tests must not pass for tests that ran."""
    yield
    reports: list[pytest.TestReport] = terminalreporter.stats.get("skipped", [])
    skipped = sum(mysql.ABSENT in str(report.longrepr) for report in reports)
    if skipped:
        terminalreporter.write_line(f"{skipped} tests of a real MySQL were skipped: {mysql.why_absent()}", yellow=True)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresCluster]:
    """A running PostgreSQL of the newest available version, stopped with the worker."""
    newest = max(available(), key=lambda binaries: binaries.major)
    cluster = PostgresCluster(
        bin_dir=newest.bin_dir,
        folder=tmp_path_factory.mktemp("postgresql"),
        options=FAST,
        initdb_options=("--wal-segsize=4", "-N"),
    )
    cluster.start(with_parent=True)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def store_template(postgres_server: PostgresCluster) -> str:
    """The name of a migrated database that stores are cloned from."""
    administer(postgres_server, "create database store_template")
    database = Database(parse_url(postgres_server.url("store_template")), TIMEZONE)
    migrations.migrate(database, TIMEZONE.key)
    database.close()
    return "store_template"


@contextmanager
def cloned_store(server: PostgresCluster, template: str) -> Generator[Database]:
    """A copy of a database of this server, for the block."""
    name = f"store_{next(_numbers)}"
    administer(server, f"create database {name} template {template}")
    administer(server, f"alter database {name} set timezone to '{TIMEZONE.key}'")
    with closing(Database(parse_url(server.url(name)), TIMEZONE)) as database:
        yield database
    administer(server, f"drop database {name} with (force)")


@pytest.fixture
def store(postgres_server: PostgresCluster, store_template: str) -> Iterator[Database]:
    """An empty, migrated store for this test."""
    with cloned_store(postgres_server, store_template) as database:
        yield database


@pytest.fixture
def store_environment(store: Database, tmp_path: Path) -> dict[str, str]:
    """The environment in which the `whalefall` command uses this test's store."""
    return {
        "WHALEFALL_DATABASE_URL": libpq_url(store.url),
        "WHALEFALL_HOME": str(tmp_path / "home"),
        "WHALEFALL_TIMEZONE": TIMEZONE.key,
        "WHALEFALL_SECRET_FOLDERS": str(tmp_path),
    }
