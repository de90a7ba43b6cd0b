"""One server under two names, and another server behind a known name, in `add`, `import`, `test` and `accept`, with real servers."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.commands import document, everything, refused, succeed, whalefall
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.servers import mariadb, postgresql
from whalefall_pipelines_tests.servers.mariadb import Target
from whalefall_pipelines_tests.servers.running import running

pytestmark = pytest.mark.process
Environment = dict[str, str]
Clusters = tuple[PostgresCluster, PostgresCluster]
MEASURED = "select database_name from database_size_stats order by 1"


@pytest.fixture(scope="module")
def marias(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Target, Target]]:
    """Two servers with the same login: on the first the schema `ours`, on the second `theirs`."""
    with mariadb.running(tmp_path_factory.mktemp("a")) as first, mariadb.running(tmp_path_factory.mktemp("b")) as second:
        for target, schema in ((first, "ours"), (second, "theirs")):
            target.create_schema(schema)
            target.ask("create user monitor identified by 'pw'", f"grant {mariadb.RIGHTS} on *.* to monitor")
        yield first, second


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """The same with PostgreSQL, and the databases `ours` and `theirs`."""
    first, second = (postgresql.new_cluster(postgresql.MAJORS[-1], tmp_path_factory.mktemp(name)) for name in "ab")
    with running(first), running(second):
        for cluster, name in ((first, "ours"), (second, "theirs")):
            postgresql.create_database(cluster, name)
            with postgresql.superuser(cluster) as cursor:
                cursor.execute("create role monitor login password 'pw'")
        yield first, second


@pytest.fixture
def environment(store_environment: Environment) -> Environment:
    return store_environment | {"MONITOR_PASSWORD": "pw"}


def entry(name: str, port: int, *, engine: str = "postgresql", host: str = "127.0.0.1", more: str = "") -> str:
    return f"- {{name: {name}, engine: {engine}, host: {host}, port: {port}, username: monitor, secret: env:MONITOR_PASSWORD{more}}}\n"


def import_(environment: Environment, folder: Path, text: str, *options: str) -> tuple[int, str]:
    """The exit code of an import of these entries, and all its output."""
    (folder / "fleet.yaml").write_text(text)
    result = whalefall(environment, "instances", "import", "--yes", str(folder / "fleet.yaml"), *options)
    return result.exit_code, everything(result)


def names(environment: Environment) -> set[str]:
    return {row["name"] for row in document(environment, "instances", "list")}


def test_a_changed_address_of_a_server_without_identity_is_asked_about_and_nothing_is_mixed(
    store: Database, environment: Environment, marias: tuple[Target, Target], tmp_path: Path
) -> None:
    first, second = (entry("shop", target.port, engine="mysql") for target in marias)
    assert import_(environment, tmp_path, first)[0] == 0
    succeed(environment, "collect", "--instance", "shop")
    before = query(store, "select * from database_size_stats")
    assert query(store, MEASURED) == [("ours",)]
    code, text = import_(environment, tmp_path, second)
    assert code == 2
    assert f"the mysql at 127.0.0.1:{marias[0].port} until now" in text
    assert "was it moved, or is it another server?" in text
    assert "--moved shop" in text
    succeed(environment, "collect", "--instance", "shop")
    assert query(store, MEASURED) == [("ours",)]
    code, text = import_(environment, tmp_path, second, "--moved", "shop")
    assert (code, "moved" in text) == (0, True)
    assert query(store, "select count(*) from database_size_stats") == [(len(before),)]
    assert import_(environment, tmp_path, second)[0] == 0


def test_two_names_of_a_server_without_identity_are_refused_however_it_is_called(
    environment: Environment, marias: tuple[Target, Target], tmp_path: Path
) -> None:
    port = marias[0].port
    assert import_(environment, tmp_path, entry("shop", port, engine="mysql"))[0] == 0
    for host in ("localhost", socket.gethostname(), "127.0.0.1"):
        code, text = import_(environment, tmp_path, entry("renamed", port, engine="mysql", host=host))
        assert (code, "'renamed' is the same server as 'shop'" in text) == (2, True), text
        assert "remove 'shop' first" in text
    assert names(environment) == {"shop"}
    assert import_(environment, tmp_path, entry("renamed", port, engine="mysql", more=", replica: true"))[0] == 0
    assert [row["replica"] for row in document(environment, "instances", "list")] == [False, True]


def test_a_server_with_an_identity_is_recognized_under_every_name(environment: Environment, clusters: Clusters, tmp_path: Path) -> None:
    first, second = clusters
    code, text = import_(environment, tmp_path, entry("a", first.port) + entry("b", first.port, host="localhost") + entry("c", second.port))
    assert (code, "line 2: 'b' is the same server as 'a'" in text) == (2, True), text
    assert names(environment) == set()
    assert import_(environment, tmp_path, entry("a", first.port) + entry("c", second.port))[0] == 0
    add = ("instances", "add", "b", "--engine", "postgresql", "--host", "localhost", "--port", str(first.port))
    login = ("--username", "monitor", "--secret", "env:MONITOR_PASSWORD")
    assert "'b' is the same server as 'a'" in refused(environment, *add, *login)
    identities = {row["name"]: row["identity"] for row in document(environment, "instances", "list")}
    assert len({*identities.values(), None}) == 3  # both identities are known
    succeed(environment, "instances", "remove", "a", "--yes")
    succeed(environment, *add, *login)


def test_another_server_behind_a_known_name_is_asked_about(
    store: Database, environment: Environment, clusters: Clusters, tmp_path: Path
) -> None:
    first, second = clusters
    assert import_(environment, tmp_path, entry("a", first.port))[0] == 0
    succeed(environment, "collect", "--instance", "a")
    code, text = import_(environment, tmp_path, entry("a", second.port))
    assert (code, "was it moved, or is it another server?" in text) == (2, True), text
    # The address of the same server may be written in another way.
    assert import_(environment, tmp_path, entry("a", first.port, host="localhost"))[0] == 0
    succeed(environment, "instances", "remove", "a", "--yes")
    code, text = import_(environment, tmp_path, entry("a", second.port))
    assert (code, "was it moved, or is it another server?" in text) == (2, True), text
    assert import_(environment, tmp_path, entry("a", second.port), "--moved", "a")[0] == 0
    succeed(environment, "collect", "--instance", "a")
    assert ("theirs",) in query(store, MEASURED)


def test_a_server_replaced_at_its_address_is_reported_by_test_and_collect_until_a_person_answers(
    store: Database, environment: Environment, clusters: Clusters, tmp_path: Path
) -> None:
    first, second = clusters
    assert import_(environment, tmp_path, entry("a", first.port))[0] == 0
    succeed(environment, "collect", "--instance", "a")
    query(store, "update instances set port = %s returning 1", second.port)
    for command in (("instances", "test"), ("collect", "--instance", "a"), ("doctor",)):
        result = whalefall(environment, *command)
        assert result.exit_code != 0
        assert "was it moved, or is it another server?" in result.output
        assert "whalefall instances accept a --moved" in result.output
    assert ("theirs",) not in query(store, MEASURED)
    assert "Pass exactly one of" in refused(environment, "instances", "accept", "a")
    result = whalefall(environment, "instances", "accept", "a", "--moved")
    assert (result.exit_code, "whalefall collect --instance a" in result.stderr) == (0, True)
    (tested,) = json.loads(succeed(environment, "instances", "test", "--json"))
    shown = document(environment, "instances", "show", "a")
    assert (tested["identity"], tested["started"]) == (shown["identity"], shown["started"])
    assert shown["identity"] is not None
    succeed(environment, "collect", "--instance", "a")
    assert ("theirs",) in query(store, MEASURED)


def test_two_unconfirmed_names_of_one_server_are_refused_by_test_and_collect(
    store: Database, environment: Environment, clusters: Clusters, tmp_path: Path
) -> None:
    first = clusters[0]
    assert import_(environment, tmp_path, entry("a", first.port), "--offline")[0] == 0
    assert import_(environment, tmp_path, entry("b", first.port, more=", replica: true"), "--offline")[0] == 0
    query(store, "update instances set is_replica = false returning 1")
    result = whalefall(environment, "instances", "test")
    assert result.exit_code == 1
    assert "duplicate_server" in result.stdout
    result = whalefall(environment, "collect", "--instance", "a", "--instance", "b")
    assert result.exit_code == 1
    assert "is the same server as" in result.output
    assert query(store, "select count(*) from instance_size_stats") == [(1,)]
    (second_name,) = {"a", "b"} - {
        str(name) for (name,) in query(store, "select name from instances join instance_size_stats using (instance_id)")
    }
    succeed(environment, "instances", "accept", second_name, "--replica")
    succeed(environment, "collect", "--instance", second_name)
    assert "the same server" in refused(environment, "instances", "accept", second_name, "--no-replica")


def test_a_server_that_cannot_be_reached_is_registered_and_said(environment: Environment, tmp_path: Path) -> None:
    code, text = import_(environment, tmp_path, entry("down", 9))
    assert (code, "The identity of down could not be checked" in text) == (0, True)
    assert "could not be checked" not in import_(environment, tmp_path, entry("off", 8), "--offline")[1]
