"""What a PostgreSQL server reports besides its databases: its identity, and the bytes that belong to none of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.sizes import DatabaseSize, total_of
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Privilege
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers.postgresql import (
    MAJORS,
    bytes_of,
    create_database,
    create_login,
    instance_of,
    new_cluster,
    superuser,
)
from whalefall_pipelines_tests.servers.running import running

pytestmark = pytest.mark.process


def monitor(server: PostgresCluster) -> Login:
    """A login that may query everything that belongs to no database."""
    login = create_login(server)
    with superuser(server) as cursor:
        cursor.execute(f"grant pg_monitor to {login.username}")
    return login


def sizes_of(server: PostgresCluster, login: Login) -> tuple[int, int | None]:
    """The bytes of all databases together, and those that belong to none."""
    with ServerFleet().connect(SIZES, instance_of(server), login) as probe:
        outcomes = probe.measure(list(probe.list_databases()))
        return sum(outcome.total_bytes for outcome in outcomes if isinstance(outcome, DatabaseSize)), total_of(probe.measure_shared())


@pytest.mark.parametrize("major", MAJORS)
def test_databases_and_the_rest_are_what_the_file_system_has(major: int, tmp_path: Path) -> None:
    options = ("logging_collector=on", "log_directory=log", "wal_level=logical", "max_wal_size=200MB", "temp_file_limit=-1")
    with running(new_cluster(major, tmp_path, *options)) as server:
        login, database = monitor(server), create_database(server)
        with superuser(server, database) as cursor:
            cursor.execute("select pg_create_logical_replication_slot('kept', 'pgoutput')")
            cursor.execute("create table big as select number, repeat('x', 500) as text from generate_series(1, 60000) as number")
            for _ in range(3):
                cursor.execute("do $$begin raise log '%', repeat('what a log keeps ', 50000); end$$")
            # An open cursor keeps its sorted rows in a temporary file.
            cursor.execute("set work_mem to '64kB'")
            cursor.execute("begin; declare sorted cursor for select * from big order by text, number desc; fetch 1 from sorted")
            cursor.execute("select count(*) from pg_ls_tmpdir()")
            assert cursor.fetchone() == (1,)
            databases, shared = sizes_of(server, login)
            on_disk = bytes_of(server.data)
        assert shared
        assert abs(databases + shared - on_disk) < on_disk / 100, (databases, shared, on_disk)
        logs, wal = bytes_of(server.data / "log"), bytes_of(server.data / "pg_wal")
        assert logs > 2_000_000
        assert shared > logs + wal


def test_logs_elsewhere_are_not_counted(tmp_path: Path) -> None:
    elsewhere = tmp_path / "logs"
    elsewhere.mkdir(mode=0o777)
    with running(new_cluster(MAJORS[-1], tmp_path / "server", "logging_collector=on", f"log_directory={elsewhere}")) as server:
        login = monitor(server)
        with superuser(server) as cursor:
            cursor.execute("do $$begin raise log '%', repeat('x', 5000000); end$$")
        databases, shared = sizes_of(server, login)
        assert bytes_of(elsewhere) > 5_000_000
        assert abs(databases + (shared or 0) - bytes_of(server.data)) < 1_000_000


def test_without_the_privilege_it_is_unknown_and_the_privilege_is_named(server: PostgresCluster) -> None:
    login = create_login(server)
    with ServerFleet().connect(SIZES, instance_of(server), login) as probe:
        assert total_of(probe.measure_shared()) is None
        right = probe.privileges()[1]
        grant = f"GRANT pg_monitor TO {login.username};"
        assert right == Privilege("measure what belongs to no database", grant, is_held=False, is_optional=True)
        with superuser(server) as cursor:
            cursor.execute(right.statement)
        assert isinstance(total_of(probe.measure_shared()), int)
        assert all(right.is_held for right in probe.privileges())


def test_the_identity_of_a_server_is_visible_to_every_login(server: PostgresCluster) -> None:
    login = create_login(server)
    with superuser(server) as cursor, ServerFleet().connect(SIZES, instance_of(server), login) as probe:
        cursor.execute("select system_identifier::text, pg_postmaster_start_time() from pg_control_system()")
        ((name, started_at),) = cursor.fetchall()
        identity = probe.identity()
        assert identity
        assert (identity.name, identity.is_replica) == (name, False)
        assert identity.started_at
        assert datetime.fromisoformat(identity.started_at) == started_at.astimezone(UTC)
        assert datetime.now(UTC) - started_at < timedelta(days=1)


def test_a_login_without_the_privilege_gets_no_identity(newest: PostgresCluster) -> None:
    login = create_login(newest)
    with superuser(newest) as cursor, ServerFleet().connect(SIZES, instance_of(newest), login) as probe:
        cursor.execute("revoke execute on function pg_control_system() from public")
        try:
            assert probe.identity() is None
        finally:
            cursor.execute("grant execute on function pg_control_system() to public")
        assert probe.identity()


def test_a_restarted_server_is_the_same_with_another_start(tmp_path: Path) -> None:
    server = new_cluster(MAJORS[-1], tmp_path)
    seen = []
    for _ in range(2):
        with running(server), ServerFleet().connect(SIZES, instance_of(server), Login("postgres", _password(server))) as probe:
            seen.append(probe.identity())
    first, second = seen
    assert first
    assert second
    assert (first.name, first.started_at == second.started_at) == (second.name, False)


def _password(server: PostgresCluster) -> str:
    return server.pgpass.read_text().strip().rpartition(":")[2]
