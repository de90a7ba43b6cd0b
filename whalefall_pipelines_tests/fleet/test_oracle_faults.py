"""The way into an Oracle, and what becomes of a visit when server or network fail: PostgreSQL's reasons, no password, in time.

The driver is the real one, the server our own (`servers/oracle/`). TLS is `test_oracle_tls.py`, what is asked `test_oracle.py`.
"""

import threading
import time
from contextlib import ExitStack

import psutil
import pytest

from whalefall_pipelines.domain.capacity import DatabaseSize, Reason
from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.errors import LoginRejectedError, SizesError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.probe import Deadlines, Probe
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy
from whalefall_pipelines_tests.servers.dead_host import REFUSING, answering_host, dead_host, silent_host
from whalefall_pipelines_tests.servers.oracle import targets
from whalefall_pipelines_tests.servers.oracle.server import OracleServer
from whalefall_pipelines_tests.servers.oracle.targets import LOGIN, PATIENT, QUICK, refused, visit
from whalefall_pipelines_tests.servers.oracle.wire import redirection, refusal
from whalefall_pipelines_tests.servers.postgresql import SECRET, failure

pytestmark = [pytest.mark.process, targets.LEFTOVERS]
server, leftovers = targets.server, targets.leftovers
PASSWORD = LOGIN.password


def test_a_visit_goes_through_the_real_driver(server: OracleServer) -> None:
    with visit(server.host, server.port) as probe:
        assert probe.server_version == "Oracle 19.0.0.0.0 (ORCLPDB1)"
        assert probe.driver.startswith("python-oracledb ")
        assert probe.list_databases() == ["SYSTEM", "USERS", "TEMP"]
        assert [isinstance(one, DatabaseSize) for one in probe.measure(["USERS", "TEMP"])] == [True, True]
        assert all(right.is_held for right in probe.rights())


def test_hundreds_of_tablespaces_arrive_whole(server: OracleServer) -> None:
    names = [f"TENANT_{number:03}_🐋" for number in range(350)]
    for number, name in enumerate(names):
        server.double.add_tablespace(name, (number, None))
    with visit(server.host, server.port) as probe:
        assert [one.total_bytes for one in probe.measure(names) if isinstance(one, DatabaseSize)] == list(range(350))


def test_a_wrong_password_and_an_unknown_login_are_rejected(server: OracleServer) -> None:
    for username in (LOGIN.username, "nobody"):
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError) as said:
            refused(server.host, server.port, Login(username, SECRET))
        assert "ORA-01017" in said[0]
        assert said[0].endswith("check the credential of the instance.")
    assert server.rejected_logins == 2


@pytest.mark.parametrize("number", [28000, 28001])
def test_a_login_that_is_locked_or_expired_is_rejected(server: OracleServer, number: int) -> None:
    server.refusals[LOGIN.username] = number
    with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError, PASSWORD) as said:
        refused(server.host, server.port)
    assert said[0].endswith("the account is locked, or its password has expired.")


def test_a_port_without_a_listener_is_refused() -> None:
    with failure(Reason.CONNECTION_REFUSED, UnreachableError, PASSWORD):
        refused(REFUSING.host, REFUSING.port)


def test_a_dead_host_and_an_unknown_one_are_told_apart() -> None:
    with dead_host() as host, failure(Reason.TIMEOUT, UnreachableError, PASSWORD, within=3):
        refused(host.host, host.port)
    with failure(Reason.HOST_UNKNOWN, UnreachableError, PASSWORD, within=20):
        refused("no.such.host.invalid", 1521)


def test_a_listener_that_says_nothing_costs_the_deadline_and_blocks_nobody_else() -> None:
    """The driver itself would wait for ever, and hold every other connection of the process until then."""
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


@pytest.mark.parametrize("after_bytes", [0, 20, 60, 300])
def test_a_login_that_stalls_costs_the_connect_deadline(server: OracleServer, after_bytes: int) -> None:
    with ChaosProxy(server.host, server.port) as proxy:
        proxy.stall(after_bytes=after_bytes)
        _expect_timeout(proxy.host, proxy.port)


def test_a_node_that_a_listener_sends_us_on_to_is_watched_from_its_first_moment() -> None:
    with silent_host("127.0.0.3") as node, answering_host(redirection(node.host, node.port), "127.0.0.2") as listener:
        _expect_timeout(listener.host, listener.port)


def test_a_visit_that_a_listener_sent_on_keeps_its_deadline(server: OracleServer) -> None:
    with (
        answering_host(redirection(server.host, server.port), "127.0.0.2") as listener,
        visit(listener.host, listener.port, deadlines=QUICK) as probe,
    ):
        server.held.set()
        with failure(Reason.TIMEOUT, SizesError, PASSWORD, within=4):
            probe.list_databases()
    server.held.clear()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(12514), "the listener has no such service"),
        (refusal(12505), "the listener has no such service"),
        (refusal(12516), "it will be tried again"),
        (refusal(12528), "it will be tried again"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it hung up, or is no Oracle"),
        (b"\x00\xff" * 100, "it hung up, or is no Oracle"),
        (b"", "it hung up, or is no Oracle"),
        (None, "it hung up"),
    ],
)
def test_what_a_listener_refuses_and_what_is_none_is_unavailable(answer: bytes | None, words: str) -> None:
    with answering_host(answer) as host, failure(Reason.UNAVAILABLE, UnreachableError, PASSWORD) as said:
        refused(host.host, host.port)
    assert words in said[0]


def test_a_statement_ends_at_its_own_deadline_and_the_server_is_told(server: OracleServer) -> None:
    with visit(server.host, server.port, deadlines=Deadlines(10, 1, 30)) as probe:
        server.held.set()
        begun = time.monotonic()
        with failure(Reason.TIMEOUT, SizesError, PASSWORD) as said:
            probe.list_databases()
        assert time.monotonic() - begun >= 0.9
        server.held.clear()
        assert "USERS" in probe.list_databases()  # a break stops the statement, not the session
    assert said[0].endswith("did not answer within its deadline.")


@pytest.mark.parametrize("deadlines", [QUICK, Deadlines(10, 1, 30)])
def test_a_server_that_falls_silent_in_mid_query_ends_at_the_first_deadline(server: OracleServer, deadlines: Deadlines) -> None:
    with ChaosProxy(server.host, server.port) as proxy, visit(proxy.host, proxy.port, deadlines=deadlines) as probe:
        proxy.stall(after_bytes=0)
        with failure(Reason.TIMEOUT, SizesError, PASSWORD):
            probe.list_databases()


@pytest.mark.parametrize("after_bytes", [0, 40])
def test_a_connection_that_is_cut_in_mid_result_is_unavailable(server: OracleServer, after_bytes: int) -> None:
    with ChaosProxy(server.host, server.port) as proxy, visit(proxy.host, proxy.port) as probe:
        proxy.cut(after_bytes=after_bytes)
        with failure(Reason.UNAVAILABLE, SizesError, PASSWORD):
            probe.list_databases()


def test_a_session_that_the_server_ends_is_unavailable(server: OracleServer) -> None:
    with visit(server.host, server.port) as probe:
        server.end_sessions()
        with failure(Reason.UNAVAILABLE, SizesError, PASSWORD):
            probe.list_databases()


def test_shut_all_breaks_every_waiting_statement_at_once(server: OracleServer) -> None:
    watchdog, outcomes = Watchdog(), list[Reason]()

    def wait_on(probe: Probe) -> None:
        try:
            probe.list_databases()
        except SizesError as error:
            outcomes.append(Reason(error.reason))

    with ExitStack() as visits:
        probes = [visits.enter_context(visit(server.host, server.port, watchdog=watchdog)) for _ in range(4)]
        server.held.set()
        threads = [threading.Thread(target=wait_on, args=(probe,)) for probe in probes]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        assert outcomes == []
        begun = time.monotonic()
        watchdog.shut_all()
        for thread in threads:
            thread.join(10)
        assert time.monotonic() - begun < 5
        assert outcomes == [Reason.CANCELLED] * 4
    server.held.clear()


def test_visits_leave_no_descriptor_and_no_thread(server: OracleServer) -> None:
    def visit_all() -> None:
        with visit(server.host, server.port) as probe:
            probe.measure(probe.list_databases())
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError):
            refused(server.host, server.port, Login(LOGIN.username, SECRET), PATIENT)
        with failure(Reason.CONNECTION_REFUSED, UnreachableError):
            refused(REFUSING.host, REFUSING.port)

    visit_all()
    time.sleep(0.5)  # timers and the server's sessions end a moment after the visits
    descriptors, threads = psutil.Process().num_fds(), threading.active_count()
    for _ in range(5):
        visit_all()
    deadline = time.monotonic() + 10
    while (psutil.Process().num_fds() > descriptors or threading.active_count() > threads) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= threads
    assert psutil.Process().num_fds() <= descriptors
