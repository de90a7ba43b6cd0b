"""What a day holds of a server is its disk: the stored total and the stored remainder together are the files of the data directory."""

import json
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from whalefall_pipelines.capacity.collect import capacity_collector
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Engine, Login
from whalefall_pipelines.domain.sizes import SharedPart, Volume
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions.collection import server_collection
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import succeed
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import FleetTest, query, register
from whalefall_pipelines_tests.factories import server as server_of
from whalefall_pipelines_tests.servers import mariadb
from whalefall_pipelines_tests.servers.postgresql import MAJORS, bytes_of, create_database, create_login, new_cluster, superuser
from whalefall_pipelines_tests.servers.running import running

pytestmark = pytest.mark.process
# The files of the parts, by pattern; what does not exist is of another engine.
FILES = {
    "wal": ["pg_wal"],
    "global": ["global"],
    "redo": ["ib_logfile*", "#innodb_redo"],
    "undo": ["undo*"],
    "binary_logs": ["binlog.0*"],
    "doublewrite": ["*.dblwr"],
}


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


def disk_usage(folder: Path) -> int:
    """What `du` says of a folder, by the lengths of files: the kernel allocates blocks only when it writes them to the disk."""
    du = subprocess.run(["du", "--summarize", "--bytes", str(folder)], capture_output=True, check=True, text=True)
    return int(du.stdout.split()[0])


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
    assert total_bytes + shared_bytes == pytest.approx(disk_usage(data), rel=0.01)
    parts = {str(part): int(str(total)) for part, total in query(store, "select part, total_bytes from instance_shared_stats")}
    assert sum(parts.values()) == shared_bytes
    for part, patterns in FILES.items():
        paths = [path for pattern in patterns for path in data.glob(pattern)]
        on_disk = sum(bytes_of(path) if path.is_dir() else path.stat().st_size for path in paths)
        assert not paths or parts[part] == pytest.approx(on_disk, rel=0.02, abs=16384), part
    shown = json.loads(succeed(store_environment, "disk", "target", "--json"))
    assert {part["part"]: part["total_bytes"] for part in shown["parts"]} == {None: total_bytes, **parts}


def test_a_part_that_cannot_be_asked_is_unknown_with_its_grant(store: Database, tmp_path: Path, store_environment: dict[str, str]) -> None:
    servers = {"a": server_of({"app": 1000})}
    servers["a"].shared = (SharedPart("redo", 5), SharedPart("binary_logs", None, "GRANT REPLICATION CLIENT ON *.* TO 'm'@'%';"))
    servers["a"].volumes = (Volume("D:\\", 900, 300),)
    fleet = FleetTest(store, tmp_path, servers)
    fleet.collect()
    assert query(store, "select total_bytes, shared_bytes from instance_size_stats") == [(1000, None)]
    shown = succeed(store_environment, "disk", "a")
    assert "partly unknown" in shown
    assert "GRANT REPLICATION CLIENT ON *.*" in shown
    assert "600 B" in shown  # of the volume, in use
    servers["a"].shared = (SharedPart("redo", 7),)
    fleet.collect()
    assert query(store, "select part, total_bytes from instance_shared_stats") == [("redo", 7)]
    servers["a"].shared = ()
    fleet.collect()
    assert query(store, "select shared_bytes from instance_size_stats") == [(7,)]
