"""The embedded store: started by the first command, found by the others, and distinguished from an external store."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from whalefall_pipelines.errors import InputError, LocalServerError, StoreError, StoreUnreachableError
from whalefall_pipelines.runtime import embedded
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import for_store
from whalefall_pipelines.runtime.store_status import read_status
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.creation import create_missing_database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.cli.trees import WHALEFALL, Home
from whalefall_pipelines_tests.servers.postgresql import binaries_of

pytestmark = pytest.mark.process


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home whose path is as hostile as a path may be."""
    home = Home(tmp_path / 'a b\'s "ömé" 100%+&' / "数据")
    yield home
    embedded.cluster(load_settings(home.environment)).stop()


def test_it_starts_with_both_databases_and_is_found_again_where_it_is(home: Home) -> None:
    configured = load_settings(home.environment)
    with pytest.raises(LocalServerError, match="There is no store in"):
        embedded.address(configured)
    started = embedded.start(configured, with_parent=True)
    assert started.is_embedded
    assert embedded.address(configured) == started
    for url in (started.whalefall, started.dagster):
        assert url.password is None
        assert create_missing_database(url) is False
    database = embedded.open_database(configured)
    status = read_status(database, started)
    database.close()
    assert status.server_version.split()[0] == for_store().version
    assert status.whalefall_bytes > 0
    assert status.dagster_bytes is not None
    assert status.schema_version is None


def test_psql_and_psycopg2_connect_with_the_url_that_is_printed(home: Home) -> None:
    embedded.start(load_settings(home.environment), with_parent=True)
    printed = home.succeed("store", "url").strip()
    with closing(psycopg2.connect(printed)) as connection:
        assert connection.info.dbname == "whalefall"


def test_two_commands_at_once_on_a_fresh_home_both_succeed_with_one_server(home: Home) -> None:
    starts = [
        subprocess.Popen(
            [*WHALEFALL, "store", "start"], env=home.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/"
        )
        for _ in range(2)
    ]
    outputs = [start.communicate(timeout=60) for start in starts]
    assert [start.returncode for start in starts] == [0, 0], outputs
    assert len({output.split(" at ")[1] for output, _ in outputs}) == 1
    assert len([process for process in home.processes() if "-D" in process.cmdline()]) == 1


def test_data_made_by_another_version_are_run_by_that_version(tmp_path: Path) -> None:
    older = binaries_of(17)
    home = {"WHALEFALL_HOME": str(tmp_path)}
    PostgresCluster(bin_dir=older.bin_dir, folder=tmp_path / "store", superuser="whalefall").start()
    try:
        cluster = embedded.cluster(load_settings(home))
        assert cluster.bin_dir.is_relative_to(older.bin_dir.parents[1])
        assert cluster.stop()
        embedded.start(load_settings(home), with_parent=True)
    finally:
        embedded.cluster(load_settings(home)).stop()


def test_an_external_store_is_looked_up_and_never_started() -> None:
    configured = load_settings({"WHALEFALL_DATABASE_URL": "postgres://me:secret@db.example:6432/facts?sslmode=require"})
    database = embedded.start(configured)
    assert not database.is_embedded
    assert (database.whalefall.drivername, database.whalefall.database) == ("postgresql+psycopg2", "facts")
    assert (database.dagster.host, database.dagster.port, database.dagster.database) == ("db.example", 6432, "dagster")
    assert database.dagster.query == {"sslmode": "require"}
    with pytest.raises(InputError, match=r"^The store is your own PostgreSQL at db\.example:6432/facts") as refused:
        embedded.cluster(configured)
    assert "secret" not in str(refused.value)


def test_dagsters_database_may_be_named_apart() -> None:
    configured = load_settings({"WHALEFALL_DATABASE_URL": "postgres://a/b", "WHALEFALL_DAGSTER_DATABASE_URL": "postgres://c:7/d"})
    assert embedded.address(configured).dagster.render_as_string() == "postgresql+psycopg2://c:7/d"


def test_the_settings_file_of_the_home_names_the_store_too(tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("WHALEFALL_DATABASE_URL=postgresql://me@db.example/facts\n")
    assert not embedded.address(load_settings({"WHALEFALL_HOME": str(tmp_path)})).is_embedded


def test_a_missing_database_is_created_once(postgres_server: PostgresCluster) -> None:
    url = parse_url(postgres_server.url('made by "us"'))
    try:
        assert create_missing_database(url) is True
        assert create_missing_database(url) is False
    finally:
        administer(postgres_server, 'drop database "made by ""us"""')


def test_a_login_that_may_not_create_databases_gets_the_statement_for_one_that_may(postgres_server: PostgresCluster) -> None:
    administer(postgres_server, "create role plain_login login password 'p@ss/w%rd'")
    try:
        url = parse_url(f"postgresql://plain_login:p%40ss%2Fw%25rd@127.0.0.1:{postgres_server.port}/dagster_wanted")
        with pytest.raises(StoreError, match="plain_login may not create one") as refused:
            create_missing_database(url)
        statement = str(refused.value).rsplit("run: ", 1)[1]
        assert "p@ss" not in str(refused.value)
        administer(postgres_server, statement)
        assert create_missing_database(url) is False
    finally:
        administer(postgres_server, "drop database if exists dagster_wanted", "drop role plain_login")


def test_a_wrong_password_is_not_a_missing_database(postgres_server: PostgresCluster) -> None:
    url = parse_url(f"postgresql://postgres:wrong@127.0.0.1:{postgres_server.port}/anything")
    with pytest.raises(
        StoreUnreachableError, match=r"127\.0\.0\.1:\d+/anything cannot be reached: .*password authentication failed"
    ) as refused:
        create_missing_database(url)
    assert "wrong" not in str(refused.value)


def test_a_crashed_start_that_left_only_half_a_store_is_repaired(tmp_path: Path) -> None:
    """Databases are created after the server has started: a kill in between leaves a server without them."""
    home = {"WHALEFALL_HOME": str(tmp_path)}
    server = embedded.cluster(load_settings(home))
    server.start()
    try:
        database = embedded.start(load_settings(home))
        assert create_missing_database(database.dagster) is False
    finally:
        server.stop()
    shutil.rmtree(tmp_path / "store")
