"""What a day holds of a server is its disk: the stored total and the stored remainder together are the files of the data directory."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from whalefall_pipelines.capacity.collect import capacity_collector
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Engine, Login
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.collection import server_collection
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import query, register
from whalefall_pipelines_tests.servers import mariadb
from whalefall_pipelines_tests.servers.postgresql import MAJORS, bytes_of, create_database, create_login, new_cluster, superuser
from whalefall_pipelines_tests.servers.running import running

pytestmark = pytest.mark.process


@contextmanager
def postgresql(folder: Path) -> Generator[tuple[Engine, int, Login, Path]]:
    with running(new_cluster(MAJORS[-1], folder)) as server:
        login, database = create_login(server), create_database(server)
        with superuser(server, database) as cursor:
            cursor.execute(f"grant pg_monitor to {login.username}")
            cursor.execute("create table big as select number, repeat('x', 500) as text from generate_series(1, 20000) as number")
        yield Engine.POSTGRESQL, server.port, login, server.data


@contextmanager
def mysql_family(folder: Path, family: str) -> Generator[tuple[Engine, int, Login, Path]]:
    with (mariadb.running if family == "mariadb" else mariadb.running_mysql)(folder) as target:
        schema = target.create_schema()
        for number in range(6):  # files that no view names, logs and metadata, are 1.5 MB of a new MySQL
            target.fill(schema, f"big_{number}", 10_000)
        rights = "process, select, show view, " + ("binlog monitor" if family == "mariadb" else "replication client")
        yield Engine.MYSQL, target.port, target.create_login(rights), target.server.data


@pytest.fixture(params=["postgresql", "mariadb", "mysql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Engine, int, Login, Path]]:
    folder = tmp_path / "server"
    folder.mkdir()
    with postgresql(folder) if request.param == "postgresql" else mysql_family(folder, request.param) as started:
        yield started


def test_the_stored_total_and_the_stored_remainder_are_the_disk(
    store: Database, store_environment: dict[str, str], server: tuple[Engine, int, Login, Path], tmp_path: Path
) -> None:
    engine, port, login, data = server
    register(store, "target", engine=engine, port=port)
    secret = tmp_path / "secret"
    secret.write_text(str(login.password))
    with store.transaction() as cursor:
        cursor.execute("update credentials set username = %s, secret = %s", (login.username, f"file:{secret}"))
    day = today(datetime.now(UTC), TIMEZONE)
    configured = load_settings(store_environment)
    (outcome,) = capacity_collector(configured, server_collection(configured, store)).collect_day(active_instances(store), day, None)
    assert (outcome.error, outcome.missing) == (None, ())
    assert outcome.hidden >= 2
    ((total_bytes, shared_bytes),) = query(store, "select total_bytes, shared_bytes from instance_size_stats")
    assert total_bytes + shared_bytes == pytest.approx(bytes_of(data), rel=0.01)
