"""A SQL Server as people register and test it: the driver, the least privileges, and which of them are missing."""

import json
from collections.abc import Iterator

import pytest

from whalefall_pipelines_tests.cli.commands import everything, succeed, whalefall
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.targets import BACKUPS, LOGIN, SEES_STATE, driver_of, new_server

OPTIONAL = ("CONNECT ANY DATABASE", SEES_STATE, *BACKUPS)


@pytest.fixture
def server() -> Iterator[SqlServer]:
    """A server whose login has only the privileges of public."""
    driver_of("microsoft")
    with new_server("CONNECT SQL") as started:
        started.catalogue.add_database("shop")
        yield started


@pytest.fixture
def environment(store_environment: dict[str, str], server: SqlServer) -> dict[str, str]:
    environment = store_environment | {"MONITOR_ERP_PASSWORD": str(LOGIN.password)}
    arguments = ("--engine", "sqlserver", "--host", server.host, "--port", str(server.port), "--username", LOGIN.username)
    succeed(environment, "instances", "add", "erp", *arguments, "--secret", "env:MONITOR_ERP_PASSWORD")
    return environment


def test_missing_privileges_are_reported_with_their_grants_until_they_are_held(server: SqlServer, environment: dict[str, str]) -> None:
    result = whalefall(environment, "instances", "test")
    assert result.exit_code == 1, everything(result)
    output = " ".join(result.stdout.split())
    assert "sqlserver, to list databases: GRANT VIEW ANY DATABASE TO [monitor]; Held on 1 of 1 server." in output
    assert "sqlserver, to measure them: GRANT VIEW ANY DEFINITION TO [monitor]; Held on 0 of 1 server." in output
    assert "erp is missing the privilege to measure them: GRANT VIEW ANY DEFINITION TO [monitor];" in output
    assert "erp is missing the privilege to recover missed days from the backup history (optional): USE msdb;" in output
    assert "erp: shop cannot be measured; run on that server: GRANT VIEW ANY DEFINITION TO [monitor];" in output
    assert str(LOGIN.password) not in everything(result)
    server.catalogue.grant(LOGIN.username, "VIEW ANY DEFINITION")
    result = whalefall(environment, "instances", "test")
    assert result.exit_code == 0, everything(result)
    assert result.stdout.count("is missing the privilege") == 4
    for right in OPTIONAL:
        server.catalogue.grant(LOGIN.username, right)
    assert "is missing the privilege" not in succeed(environment, "instances", "test")


def test_json_has_the_driver_and_privileges(server: SqlServer, environment: dict[str, str]) -> None:
    server.catalogue.grant(LOGIN.username, "VIEW ANY DEFINITION")
    (row,) = json.loads(succeed(environment, "instances", "test", "--json"))
    assert (row["version"], row["result"], row["visible"], row["hidden"]) == ("SQL Server 16.0.4135.4", "fine", 5, 4)
    assert "odbc" in row["driver"]
    assert [(right["held"], right["optional"]) for right in row["rights"][:5]] == [*[(True, False)] * 2, *[(False, True)] * 3]


def test_the_filter_file_hides_databases_of_sql_server(
    server: SqlServer, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    server.catalogue.grant(LOGIN.username, "VIEW ANY DEFINITION")
    server.catalogue.add_database("ReportServerTempDB")
    filters = tmp_path_factory.mktemp("filters") / "filters.yaml"
    filters.write_text("sqlserver: {patterns: ['ReportServer%']}", encoding="utf-8")
    (row,) = json.loads(succeed(environment | {"WHALEFALL_FILTERS_FILE": str(filters)}, "instances", "test", "--json"))
    assert (row["visible"], row["hidden"], row["measurable"]) == (6, 5, 1)
