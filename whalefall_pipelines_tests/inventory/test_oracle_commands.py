"""An Oracle as people register and test it: the driver, the least privileges, and which of them are missing."""

import json
import re
from collections.abc import Iterator

import pytest

from whalefall_pipelines_tests.cli.commands import everything, succeed, whalefall
from whalefall_pipelines_tests.servers.oracle import targets
from whalefall_pipelines_tests.servers.oracle.double import NEEDED, VIEWS
from whalefall_pipelines_tests.servers.oracle.server import OracleServer
from whalefall_pipelines_tests.servers.oracle.targets import LOGIN, new_server

pytestmark = targets.LEFTOVERS
leftovers = targets.leftovers


@pytest.fixture
def server() -> Iterator[OracleServer]:
    """A server whose login may list tablespaces and nothing more."""
    with new_server() as started:
        started.double.revoke(*VIEWS[1:])
        yield started


@pytest.fixture
def environment(store_environment: dict[str, str], server: OracleServer) -> dict[str, str]:
    environment = store_environment | {"MONITOR_ORA_PASSWORD": str(LOGIN.password)}
    arguments = ("--engine", "oracle", "--host", server.host, "--port", str(server.port), "--username", LOGIN.username)
    succeed(environment, "instances", "add", "ora", *arguments, "--database", "ORCLPDB1", "--secret", "env:MONITOR_ORA_PASSWORD")
    return environment


def test_missing_privileges_are_reported_with_their_grants_until_they_are_held(server: OracleServer, environment: dict[str, str]) -> None:
    result = whalefall(environment, "instances", "test")
    assert result.exit_code == 1, everything(result)
    output = " ".join(result.stdout.split())
    assert 'ora is missing the privilege to measure them: GRANT SELECT ON sys.dba_data_files TO "WHALEFALL";' in output
    assert "ora is missing the privilege to recover missed days from AWR, if licensed (optional): GRANT SELECT ON sys.dba_hist_" in output
    assert 'ora: USERS cannot be measured; run on that server: GRANT SELECT ON sys.dba_data_files TO "WHALEFALL";' in output
    assert str(LOGIN.password) not in everything(result)
    assert 'oracle, to list tablespaces: GRANT SELECT ON sys.dba_tablespaces TO "WHALEFALL"; Held on 1 of 1 server.' in output
    assert 'oracle, to measure temporary tablespaces: GRANT SELECT ON sys.dba_temp_files TO "WHALEFALL"; Held on 0 of 1 server.' in output
    server.double.grant(*NEEDED[1:])
    result = whalefall(environment, "instances", "test")
    assert result.exit_code == 0, everything(result)
    assert result.stdout.count("is missing the privilege") == 8
    of_accounts = re.findall(r"GRANT SELECT ON sys\.(\S+) TO", " ".join(result.stdout.split()))
    server.double.grant(*VIEWS[len(NEEDED) :], *of_accounts)
    assert "is missing the privilege" not in succeed(environment, "instances", "test")


def test_json_has_the_container_driver_and_privileges(server: OracleServer, environment: dict[str, str]) -> None:
    server.double.grant(*NEEDED[1:])
    (row,) = json.loads(succeed(environment, "instances", "test", "--json"))
    assert (row["version"], row["result"], row["visible"], row["hidden"]) == ("Oracle 19.0.0.0.0 (ORCLPDB1)", "fine", 3, 1)
    assert row["driver"].startswith("python-oracledb ")
    assert [(right["held"], right["optional"]) for right in row["rights"][:7]] == [*[(True, False)] * 3, *[(False, True)] * 4]


def test_a_wrong_password_is_reported_and_not_shown(server: OracleServer, environment: dict[str, str]) -> None:
    result = whalefall(environment | {"MONITOR_ORA_PASSWORD": "not the password"}, "instances", "test")
    assert (result.exit_code, "authentication_failed" in result.stdout) == (2, True)
    assert "not the password" not in everything(result)
    assert server.rejected_logins == 1
