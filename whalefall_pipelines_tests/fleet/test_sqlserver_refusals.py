"""A SQL Server, or what stands in its place, that refuses the login: the right reason through both drivers, and no password.

Network failures are in `test_faults.py`, TLS in `test_sqlserver_tls.py`.
"""

import socket
import time
from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch
from whalefall_pipelines.fleet.sqlserver.connection import translating
from whalefall_pipelines.fleet.sqlserver.odbc import Driver
from whalefall_pipelines_tests.servers.dead_host import answering_host
from whalefall_pipelines_tests.servers.own_names import with_names
from whalefall_pipelines_tests.servers.probes import SECRET, failure
from whalefall_pipelines_tests.servers.sqlserver import targets
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.targets import LOGIN, connect, instance_at, probing

driver, server = targets.driver, targets.server
HOSTILE = ["plain", "a;b", "a}b", "a}}", "{a", "{a}", "a=b;SERVER=x", "'\"\\", " a ", "päß", "🐋", "?", "%(x)s", "]", "x" * 128]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_passwords_and_login_names_connect(driver: Driver, server: SqlServer, text: str) -> None:
    username = text.replace("\\", "/")  # a backslash makes it a Windows login, never one of SQL Server's own
    server.catalogue.add_login(username, text, "VIEW ANY DEFINITION")
    with probing(driver, server, Login(username, text)) as probe:
        (grant, *_) = (right.statement for right in probe.privileges())
    assert grant == f"GRANT VIEW ANY DATABASE TO [{username.replace(']', ']]')}];"


def test_what_a_driver_cannot_pass_on_is_never_sent(server: SqlServer) -> None:
    login = Login("monitor", "a};SERVER=elsewhere")
    with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError, login.password) as messages:
        connect(targets.driver_of("freetds"), instance_at(server.host, server.port), login)
    assert "cannot pass on a user name or password" in messages[0]
    server.catalogue.add_login("other", str(login.password))
    with probing(targets.driver_of("microsoft"), server, Login("other", login.password)) as probe:
        assert probe.list_databases()


def test_a_wrong_password_and_an_unknown_login_are_rejected(driver: Driver, server: SqlServer) -> None:
    for username in (LOGIN.username, "nobody", "a (4060) (SQLDriverConnect)", "x. (4060); [HY000] [y] z"):
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError) as messages:
            connect(driver, instance_at(server.host, server.port), Login(username, SECRET))
        assert messages[0].endswith("check the credential of the instance.")
        assert "Login failed for user" in messages[0]


@pytest.mark.parametrize("number", [18470, 18486, 18487, 18488])
def test_a_login_that_is_locked_or_expired_is_rejected(driver: Driver, server: SqlServer, number: int) -> None:
    server.catalogue.add_login("old", SECRET, refusal=number)
    with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError) as messages:
        connect(driver, instance_at(server.host, server.port), Login("old", SECRET))
    assert messages[0].endswith("the login is disabled or locked, or its password has expired.")


@pytest.mark.parametrize("number", [17809, 18458, 18459])
def test_a_full_server_is_retried(driver: Driver, server: SqlServer, number: int) -> None:
    server.catalogue.add_login("late", SECRET, refusal=number)
    with failure(Reason.UNAVAILABLE, UnreachableError):
        connect(driver, instance_at(server.host, server.port), Login("late", SECRET))


@pytest.mark.parametrize("database", ["no such", "closed"])
def test_a_default_database_that_cannot_be_opened_is_named(driver: Driver, server: SqlServer, database: str) -> None:
    server.catalogue.add_database("closed", state="OFFLINE")
    with failure(Reason.UNAVAILABLE, LoginRejectedError, LOGIN.password) as messages:
        connect(driver, instance_at(server.host, server.port, default_database=database))
    assert f'"{database}"' in messages[0]
    assert messages[0].endswith("correct the default database of the instance.")
    with probing(driver, server, default_database="msdb") as probe:
        assert probe.list_databases()


@pytest.mark.parametrize(
    ("answer", "reason", "kind"),
    [
        (None, Reason.UNAVAILABLE, UnreachableError),
        (b"", Reason.UNAVAILABLE, UnreachableError),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Reason.SERVER_ERROR, UnreachableError),
        (b"\x00\xff" * 100, Reason.SERVER_ERROR, UnreachableError),
    ],
)
def test_a_closed_connection_is_unavailable_and_another_protocol_is_not_sql_server(
    driver: Driver, answer: bytes | None, reason: Reason, kind: type[TargetError]
) -> None:
    with answering_host(answer) as host, failure(reason, kind, LOGIN.password) as messages:
        connect(driver, instance_at(host.host, host.port))
    assert messages[0].endswith("it will be retried." if reason is Reason.UNAVAILABLE else "this is not SQL Server; check the port.")


def test_a_host_with_two_addresses_is_watched_whichever_the_driver_takes(server: SqlServer, tmp_path: Path) -> None:
    """Microsoft's driver tries IPv4 first, while everything else tries IPv6, where the trial connection goes."""
    server.held.set()

    def wait() -> None:
        begun = time.monotonic()
        with failure(Reason.TIMEOUT, SizesError, LOGIN.password, within=4):
            connect(targets.driver_of("microsoft"), instance_at("both", server.port))
        assert time.monotonic() - begun > 1.5

    with socket.create_server(("::1", server.port), family=socket.AF_INET6):
        with_names(tmp_path, "::1 both\n127.0.0.1 both\n", wait)


def test_a_name_cut_off_in_mid_character_is_not_an_unknown_host() -> None:
    """SQL Server cuts a name after 128 UTF-16 units; for half a character both drivers raise Python's decoding error."""
    with failure(Reason.SERVER_ERROR, SizesError, LOGIN.password) as messages, translating(instance_at("db", 1433), Watch()):
        "🐋".encode("utf-16-le")[:2].decode("utf-16-le")
    assert messages[0].endswith("rename that object.")
