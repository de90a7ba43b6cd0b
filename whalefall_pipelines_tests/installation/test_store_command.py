"""`whalefall store` as people run it: the embedded store, and an external store."""

import json
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import for_store
from whalefall_pipelines.store import migrations
from whalefall_pipelines_tests.cli.trees import Home

pytestmark = pytest.mark.process


def test_the_embedded_store_is_started_described_and_stopped(prepared_home: Callable[..., Home]) -> None:
    home = prepared_home()
    stopped = home.run("store", "status", "--json")
    assert stopped.returncode == 1
    assert json.loads(stopped.stdout)["state"] == "stopped"
    assert json.loads(stopped.stdout)["whalefall_bytes"] is None

    assert "The store runs at 127.0.0.1:" in home.succeed("store", "start")
    assert "was already running" in home.succeed("store", "start")
    status = json.loads(home.succeed("store", "status", "--json"))
    assert status["state"] == "running"
    assert status["server_version"].split()[0] == for_store().version
    assert status["schema_version"] == migrations.shipped()[-1].version
    assert status["whalefall_bytes"] > 1_000_000
    assert status["dagster_bytes"] > 1_000_000
    assert status["folder"] == str(home.folder / "store")
    assert "running" in home.succeed("store", "status")

    psycopg2.connect(home.succeed("store", "url", "--database", "dagster").strip()).close()
    assert home.succeed("store", "stop") == "The store is stopped.\n"
    assert home.succeed("store", "stop") == "The store was not running.\n"
    assert home.processes() == []


def test_a_url_of_a_store_that_was_never_started_is_one_sentence(tmp_path: Path) -> None:
    result = Home(tmp_path / "home").run("store", "url")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"whalefall: There is no store in {tmp_path / 'home'} yet; run `whalefall store start`")
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "home").exists()


def test_a_home_that_cannot_be_written_is_one_sentence_and_code_2(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for command in (("store", "start"), ("instances", "add", "a", "--engine", "mysql", "--host", "h", "--username", "u"), ("up",)):
        result = Home(tmp_path / "file" / "home").run(*command)
        assert result.returncode == 2
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1, result.stderr
        assert "Not a directory" in result.stderr


def test_missing_binaries_are_one_sentence(tmp_path: Path) -> None:
    result = Home(tmp_path / "home", {"WHALEFALL_PG_BIN": str(tmp_path)}).run("store", "start")
    assert result.returncode == 2
    assert result.stderr.startswith(f"whalefall: WHALEFALL_PG_BIN is {tmp_path}, but that folder has no working `postgres` and `initdb`")


@pytest.fixture
def own_server(postgres_server: PostgresCluster) -> Callable[..., str]:
    """Creates a login and returns its URL for a database that does not exist yet."""

    def make(name: str, *, may_create: bool) -> str:
        administer(postgres_server, f"create role {name} login password 'p@ss w/%rd'{' createdb' if may_create else ''}")
        return f"postgresql://{name}:p%40ss%20w%2F%25rd@127.0.0.1:{postgres_server.port}/{name}"

    return make


def own_home(tmp_path: Path, url: str, dagster: str) -> Home:
    beside = f"{url.rpartition('/')[0]}/{dagster}"
    return Home(tmp_path / "home", {"WHALEFALL_DATABASE_URL": url, "WHALEFALL_DAGSTER_DATABASE_URL": beside})


def test_an_external_store_is_migrated_and_inspected_but_never_started_or_stopped(own_server: Callable[..., str], tmp_path: Path) -> None:
    url = own_server("own_store", may_create=True)
    home = own_home(tmp_path, url, "own_dagster")
    unreachable = home.run("store", "status", "--json")
    assert unreachable.returncode == 1
    assert json.loads(unreachable.stdout)["state"] == "unreachable"

    output = home.succeed("store", "migrate")
    assert "Created the database 127.0.0.1" in output
    assert "Applied 0001_store." in output
    status = json.loads(home.succeed("store", "status", "--json"))
    assert (status["state"], status["schema_version"], status["folder"]) == ("running", migrations.shipped()[-1].version, None)
    assert status["dagster_bytes"] > 1_000_000, "Dagster's tables are not there"

    for word in ("start", "stop"):
        refused = home.run("store", word)
        assert refused.returncode == 2
        assert "your own PostgreSQL" in refused.stderr
    shown = home.run("store", "url", "--database", "dagster")
    assert "***" in shown.stdout
    assert "own_dagster" in shown.stdout
    for result in (unreachable, shown, refused):
        assert "p@ss" not in result.stdout + result.stderr
        assert "p%40ss" not in result.stdout + result.stderr
    psycopg2.connect(home.succeed("store", "url", "--show-password").strip()).close()


def test_a_dagster_database_that_may_not_be_created_is_named_with_the_statement(
    own_server: Callable[..., str], postgres_server: PostgresCluster, tmp_path: Path
) -> None:
    url = own_server("poor_store", may_create=False)
    administer(postgres_server, "create database poor_store owner poor_store")
    home = own_home(tmp_path, url, "poor_dagster")
    refused = home.run("store", "migrate")
    assert refused.returncode == 2
    assert 'create database "poor_dagster"' in refused.stderr
    assert 'owner "poor_store";' in refused.stderr
