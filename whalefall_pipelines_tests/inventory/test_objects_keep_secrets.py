"""During a probe the repr of every object of ours is checked: no log, assertion or debugger can show a password.

Objects are found in memory, so new classes are checked without a change of this test.
"""

import gc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.doctor.examined import Installation
from whalefall_pipelines.domain.instances import Engine, Login
from whalefall_pipelines.errors import WhalefallError
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.inventory.connection_test import ConnectionTester
from whalefall_pipelines.inventory.fleet import active_instances, registered_instances
from whalefall_pipelines.inventory.read_filters import read_filters
from whalefall_pipelines.runtime import embedded
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.sessions.collection import server_collection
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.canaries import traces
from whalefall_pipelines_tests.factories import register
from whalefall_pipelines_tests.servers import mariadb as mariadb_servers
from whalefall_pipelines_tests.servers.mariadb import Target
from whalefall_pipelines_tests.servers.postgresql import superuser

mariadb, maria = mariadb_servers.mariadb, mariadb_servers.maria
STORE, KEY, LOGIN = "canary-of-the-store-4c1d", "canary-of-the-key-9b2e", "canary-of-the-login-77aa"
SECRETS = (STORE, KEY, LOGIN)
# Ours, and the libraries through which our passwords pass.
PACKAGES = ("whalefall_pipelines.", "sqlalchemy.engine", "sqlalchemy.pool", "psycopg2", "pymysql")


def leaking_objects() -> tuple[set[str], dict[str, list[str]]]:
    """The names of the classes that have objects in memory, and the secrets that their objects reveal in a repr or as text."""
    seen: set[str] = set()
    leaks: dict[str, list[str]] = {}
    for candidate in gc.get_objects():
        kind = type(candidate)
        if not str(kind.__module__).startswith(PACKAGES) or isinstance(candidate, type):
            continue
        seen.add(kind.__name__)
        text = f"{candidate!r} {candidate}"
        if leaked := traces(text, SECRETS):
            leaks.setdefault(f"{kind.__module__}.{kind.__name__}", []).extend(leaked)
    return seen, leaks


@contextmanager
def installation(store: Database, environment: dict[str, str]) -> Iterator[tuple[Settings, Database]]:
    """The settings and the store of an installation whose store has a password."""
    url = parse_url(environment["WHALEFALL_DATABASE_URL"]).set(username="store_canary", password=STORE)
    with_password = url.difference_update_query(["passfile"]).render_as_string(hide_password=False)
    configured = load_settings(environment | {"WHALEFALL_DATABASE_URL": with_password, "WHALEFALL_SECRET_KEY": KEY})
    with closing(embedded.open_database(configured)) as database:
        yield configured, database


@pytest.fixture
def store_login(postgres_server: PostgresCluster) -> Iterator[None]:
    with superuser(postgres_server) as cursor:
        cursor.execute(f"create role store_canary login superuser password '{STORE}'")
        yield
        cursor.execute("drop role store_canary")


def query_during_probe(store: Database, environment: dict[str, str], engine: Engine, port: int, username: str) -> set[str]:
    register(store, "target", engine=engine, port=port)
    with installation(store, environment) as (configured, database):
        secrets = SecretBox(configured, {"MONITOR_LOGIN": LOGIN})
        sealed = secrets.seal(LOGIN)
        with store.transaction() as cursor:
            cursor.execute("update credentials set username = %s, secret = %s", (username, sealed))
        (instance,) = active_instances(database)
        collection = server_collection(configured, database)
        alive: list[object] = [registered_instances(database), Installation(configured), WhalefallResource(), embedded.address(configured)]
        alive.append(ConnectionTester(database, collection.fleet, secrets, read_filters(configured), 2))
        login = secrets.reveal(sealed, username, "target")
        assert login.password == LOGIN, "there is nothing to give away"
        with collection.fleet.connect(SIZES, instance, login) as probe:
            assert probe.list_databases()
            seen, leaks = leaking_objects()
        assert leaks == {}
        assert alive
    return seen


def test_no_object_reveals_a_password_during_a_probe_of_postgresql(
    store: Database, store_environment: dict[str, str], postgres_server: PostgresCluster, store_login: None
) -> None:
    with superuser(postgres_server) as cursor:
        cursor.execute(f"create role login_canary login password '{LOGIN}'")
    try:
        seen = query_during_probe(store, store_environment, Engine.POSTGRESQL, postgres_server.port, "login_canary")
    finally:
        with superuser(postgres_server) as cursor:
            cursor.execute("drop role login_canary")
    ours = {
        "Settings",
        "Login",
        "Instance",
        "SecretBox",
        "Database",
        "Collection",
        "ConnectionTester",
        "Installation",
        "StoreAddress",
        "ServerFleet",
    }
    assert ours | {"RegisteredInstance", "CredentialEntry", "WhalefallResource", "PostgresSizes"} <= seen
    assert {"URL", "Engine", "connection"} <= seen


@pytest.mark.process
def test_no_object_reveals_a_password_during_a_probe_of_mariadb(
    store: Database, store_environment: dict[str, str], maria: Target, store_login: None
) -> None:
    account = "login_canary@'127.0.0.1'"
    maria.ask(f"create user {account} identified by '{LOGIN}'", f"grant process, show view on *.* to {account}")
    try:
        seen = query_during_probe(store, store_environment, Engine.MYSQL, maria.port, "login_canary")
    finally:
        maria.ask(f"drop user {account}")
    assert {"MySQLSizes", "Connection", "Login"} <= seen


def test_an_object_that_reveals_a_password_is_found() -> None:
    class CarelessError(WhalefallError):
        """An error with a password in its sentence."""

    CarelessError.__module__ = "whalefall_pipelines.careless"
    alive = CarelessError(f"cannot log in with {LOGIN}")
    assert leaking_objects()[1] == {"whalefall_pipelines.careless.CarelessError": [LOGIN]}
    assert alive


@pytest.mark.parametrize("show", [repr, str, lambda item: f"{item}", lambda item: f"{item!r:>80}", lambda item: "%s %r" % (item, item)])  # noqa: UP031
def test_a_login_is_shown_without_its_password_however_it_is_shown(show: Callable[[object], str]) -> None:
    assert traces(show(Login("user", LOGIN)), SECRETS) == []
