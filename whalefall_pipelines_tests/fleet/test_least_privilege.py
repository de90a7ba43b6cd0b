"""The documented least-privilege scripts run as written, and the login that they create can measure and has every required privilege."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.sizes import DatabaseSize
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES, SizesProbe
from whalefall_pipelines.fleet.sqlserver.odbc import Driver
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers.mariadb import Target
from whalefall_pipelines_tests.servers.oracle import targets as oracle_targets
from whalefall_pipelines_tests.servers.oracle.double import VIEWS
from whalefall_pipelines_tests.servers.postgresql import create_database, instance_of, superuser
from whalefall_pipelines_tests.servers.sqlserver import targets
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.targets import probing

pytestmark = pytest.mark.process
driver = targets.driver
PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "grant-privileges.md").read_text(encoding="utf-8")
LOGIN = Login("whalefall", "secret")


def script(engine: str) -> list[str]:
    """The statements of one engine's script."""
    (text,) = re.findall(rf"^```sql\n-- {engine}.*?\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    lines = [line for line in text.splitlines() if not line.startswith("--")]
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]


def assert_enough(probe: SizesProbe, *names: str) -> None:
    assert all(isinstance(outcome, DatabaseSize) for outcome in probe.measure(names))
    assert all(right.is_held for right in probe.privileges())


@pytest.fixture
def prepared(server: PostgresCluster) -> Iterator[PostgresCluster]:
    with superuser(server) as cursor:
        for statement in script("PostgreSQL"):
            cursor.execute(statement)
        yield server
        cursor.execute("drop role whalefall")


def test_on_every_postgresql(prepared: PostgresCluster) -> None:
    forbidden = create_database(prepared)
    with superuser(prepared) as cursor:
        cursor.execute(f"revoke connect on database {forbidden} from public")
    with ServerFleet().connect(SIZES, instance_of(prepared), LOGIN) as probe:
        assert_enough(probe, forbidden, "postgres")
    with superuser(prepared) as cursor:
        cursor.execute("revoke pg_monitor from whalefall")
    with ServerFleet().connect(SIZES, instance_of(prepared), LOGIN) as probe:
        missing = [right.statement for right in probe.privileges() if not right.is_held]
        assert missing == ["GRANT pg_monitor TO whalefall;"] * 2


def test_on_mariadb(maria: Target) -> None:
    schema = maria.create_schema()
    maria.fill(schema, "entries", 10)
    maria.ask(*script("MySQL, MariaDB"))
    try:
        with ServerFleet().connect(SIZES, maria.instance(), LOGIN) as probe:
            assert_enough(probe, schema)
        for right in ("PROCESS", "SHOW VIEW"):
            maria.ask(f"REVOKE {right} ON *.* FROM whalefall")
            with ServerFleet().connect(SIZES, maria.instance(), LOGIN) as probe:
                assert [held.statement for held in probe.privileges() if not held.is_held] == [f"GRANT {right} ON *.* TO 'whalefall'@'%';"]
            maria.ask(f"GRANT {right} ON *.* TO whalefall")
    finally:
        maria.ask("drop user whalefall")


def test_on_the_sql_server_for_tests(driver: Driver) -> None:
    """It knows privileges by name and no GRANT: what the script grants is read from its text, which sqlglot parses as T-SQL."""
    statements = script("SQL Server")
    rights, database = [], "master"
    for statement in statements:
        assert sqlglot.parse_one(statement, read="tsql")
        if used := re.fullmatch(r"USE (\w+)", statement):
            database = used[1]
        elif granted := re.fullmatch(r"GRANT (.+?)(?: ON ([\w.]+))? TO whalefall", statement):
            rights.append(f"{granted[1]} ON {database}.{granted[2]}" if granted[2] else granted[1])
        else:
            assert statement.startswith("CREATE "), statement
    with SqlServer() as server:
        server.catalogue.add_login(LOGIN.username, str(LOGIN.password), *rights)
        server.catalogue.add_database("shop", container_pages=3)
        with probing(driver, server, LOGIN) as probe:
            assert_enough(probe, "shop")
            grants = [text for right in probe.privileges() for text in right.statement.replace("[whalefall]", "whalefall").split("; ")]
    assert [text.rstrip(";") for text in grants] == statements[1:]


def test_on_the_oracle_for_tests() -> None:
    """It knows the views that a login may read: what the script grants is read from its text, which sqlglot parses as Oracle's SQL."""
    statements = script("Oracle")
    views: list[str] = []
    for statement in statements:
        assert sqlglot.parse_one(statement, read="oracle")
        if granted := re.fullmatch(r"GRANT SELECT ON sys\.([\w$]+) TO whalefall", statement):
            views.append(granted[1])
        else:
            assert statement in {'CREATE USER whalefall IDENTIFIED BY "secret"', "GRANT CREATE SESSION TO whalefall"}
    with oracle_targets.new_server() as server:
        server.double.revoke(*VIEWS)
        server.double.grant(*views)
        server.double.run("update container set con_id = 1")
        with oracle_targets.probing(server.host, server.port) as probe:
            assert_enough(probe, "USERS", "TEMP")
            grants = [text for right in probe.privileges() for text in right.statement.replace('"WHALEFALL"', "whalefall").split("; ")]
    assert list(dict.fromkeys(text.rstrip(";") for text in grants)) == statements[2:]  # two privileges have a view in common
