"""Connecting to an Oracle, refused logins, and ended statements: the right reason, and a sentence without the password.

The driver is real, the server is ours (`servers/oracle/`). Network failures are in `test_faults.py`, TLS in
`test_oracle_tls.py`, the queries in `test_oracle.py`.
"""

import threading
import time

import pytest

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize
from whalefall_pipelines.errors import LoginRejectedError, SizesError, UnreachableError
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy
from whalefall_pipelines_tests.servers.dead_host import answering_host, silent_host
from whalefall_pipelines_tests.servers.oracle import targets
from whalefall_pipelines_tests.servers.oracle.server import OracleServer
from whalefall_pipelines_tests.servers.oracle.targets import LOGIN, probing, refused
from whalefall_pipelines_tests.servers.oracle.wire import redirection, refusal
from whalefall_pipelines_tests.servers.probes import QUICK, SECRET, failure

pytestmark = [pytest.mark.process, targets.LEFTOVERS]
server, leftovers = targets.server, targets.leftovers
PASSWORD = LOGIN.password


def test_a_probe_uses_the_real_driver(server: OracleServer) -> None:
    with probing(server.host, server.port) as probe:
        assert probe.server_version == "Oracle 19.0.0.0.0 (ORCLPDB1)"
        assert probe.driver.startswith("python-oracledb ")
        assert list(probe.list_databases()) == ["SYSTEM", "USERS", "TEMP"]
        assert [isinstance(size, DatabaseSize) for size in probe.measure(["USERS", "TEMP"])] == [True, True]
        assert all(right.is_held for right in probe.privileges())


def test_hundreds_of_tablespaces_arrive_whole(server: OracleServer) -> None:
    names = [f"TENANT_{number:03}_🐋" for number in range(350)]
    for number, name in enumerate(names):
        server.double.add_tablespace(name, (number, None))
    with probing(server.host, server.port) as probe:
        assert [size.total_bytes for size in probe.measure(names) if isinstance(size, DatabaseSize)] == list(range(350))


def test_a_wrong_password_and_an_unknown_login_are_rejected(server: OracleServer) -> None:
    for username in (LOGIN.username, "nobody"):
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError) as messages:
            refused(server.host, server.port, Login(username, SECRET))
        assert "ORA-01017" in messages[0]
        assert messages[0].endswith("check the credential of the instance.")
    assert server.rejected_logins == 2


@pytest.mark.parametrize("number", [28000, 28001])
def test_a_login_that_is_locked_or_expired_is_rejected(server: OracleServer, number: int) -> None:
    server.refusals[LOGIN.username] = number
    with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError, PASSWORD) as messages:
        refused(server.host, server.port)
    assert messages[0].endswith("the account is locked, or its password has expired.")


def test_a_listener_that_says_nothing_costs_the_deadline_and_blocks_nobody_else() -> None:
    """The driver itself would wait forever, and block every other connection of the process meanwhile."""
    begun = time.monotonic()
    with silent_host() as silent, answering_host(refusal(12514), "127.0.0.2") as refusing:
        waiting = threading.Thread(target=lambda: _expect_timeout(silent.host, silent.port))
        waiting.start()
        time.sleep(0.2)
        with failure(Reason.UNAVAILABLE, UnreachableError, PASSWORD, within=1.5):
            refused(refusing.host, refusing.port)
        waiting.join(10)
    assert 1.9 < time.monotonic() - begun < 4


def _expect_timeout(host: str, port: int) -> None:
    with failure(Reason.TIMEOUT, UnreachableError, PASSWORD, within=4):
        refused(host, port)


def test_a_redirect_to_a_node_is_watched_from_its_start() -> None:
    with silent_host("127.0.0.3") as node, answering_host(redirection(node.host, node.port), "127.0.0.2") as listener:
        _expect_timeout(listener.host, listener.port)


def test_a_redirected_probe_keeps_its_deadline(server: OracleServer) -> None:
    with (
        answering_host(redirection(server.host, server.port), "127.0.0.2") as listener,
        probing(listener.host, listener.port, deadlines=QUICK) as probe,
    ):
        server.held.set()
        with failure(Reason.TIMEOUT, SizesError, PASSWORD, within=4):
            probe.list_databases()
    server.held.clear()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(12514), "the listener does not have this service"),
        (refusal(12505), "the listener does not have this service"),
        (refusal(12516), "it will be retried"),
        (refusal(12528), "it will be retried"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the server closed the connection, or is not Oracle"),
        (b"\x00\xff" * 100, "the server closed the connection, or is not Oracle"),
        (b"", "the server closed the connection, or is not Oracle"),
        (None, "the server closed the connection"),
    ],
)
def test_a_refusing_listener_and_another_protocol_are_unavailable(answer: bytes | None, words: str) -> None:
    with answering_host(answer) as host, failure(Reason.UNAVAILABLE, UnreachableError, PASSWORD) as messages:
        refused(host.host, host.port)
    assert words in messages[0]


def test_a_statement_ends_at_its_own_deadline_and_the_server_is_told(server: OracleServer) -> None:
    with probing(server.host, server.port, deadlines=Deadlines(10, 1, 30)) as probe:
        server.held.set()
        begun = time.monotonic()
        with failure(Reason.TIMEOUT, SizesError, PASSWORD) as messages:
            probe.list_databases()
        assert time.monotonic() - begun >= 0.9
        server.held.clear()
        assert "USERS" in probe.list_databases()  # a break stops the statement, not the session
    assert messages[0].endswith("did not answer within its deadline.")


def test_a_server_that_falls_silent_in_mid_query_ends_at_the_deadline_of_the_statement(server: OracleServer) -> None:
    with ChaosProxy(server.host, server.port) as proxy, probing(proxy.host, proxy.port, deadlines=Deadlines(10, 1, 30)) as probe:
        proxy.stall()
        with failure(Reason.TIMEOUT, SizesError, PASSWORD):
            probe.list_databases()
