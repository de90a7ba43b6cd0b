"""The SQL Server adapter when server or network fail, through both drivers: PostgreSQL's reasons, no password, within the deadline.

What it does with a healthy server is in `test_sqlserver.py`.
"""

import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from whalefall_pipelines.domain.capacity import DatabaseSize, Reason
from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.errors import LoginRejectedError, SizesError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.odbc import Driver
from whalefall_pipelines.fleet.probe import Deadlines, Probe
from whalefall_pipelines.fleet.sqlserver import connect_through
from whalefall_pipelines.fleet.sqlserver_connection import translating
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy
from whalefall_pipelines_tests.servers.dead_host import REFUSING, dead_host, silent_host
from whalefall_pipelines_tests.servers.own_names import with_names
from whalefall_pipelines_tests.servers.postgresql import failure
from whalefall_pipelines_tests.servers.sqlserver import targets
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.targets import LOGIN, PATIENT, QUICK, connect, instance_at, visit

pytestmark = pytest.mark.process
driver, server = targets.driver, targets.server
PASSWORD = LOGIN.password


def test_a_port_without_a_server_is_refused(driver: Driver) -> None:
    with failure(Reason.CONNECTION_REFUSED, UnreachableError, PASSWORD) as said:
        connect(driver, instance_at(REFUSING.host, REFUSING.port))
    assert said == ["SQL Server at 127.0.0.1:1: Connection refused; is the server running, and is the port right?"]


def test_a_dead_host_costs_the_connect_deadline(driver: Driver) -> None:
    with dead_host() as host, failure(Reason.TIMEOUT, UnreachableError, PASSWORD, within=3):
        connect(driver, instance_at(host.host, host.port))


def test_a_host_that_accepts_and_says_nothing_costs_the_connect_deadline(driver: Driver) -> None:
    with silent_host() as host, failure(Reason.TIMEOUT, UnreachableError, PASSWORD, within=3):
        connect(driver, instance_at(host.host, host.port))


def test_a_name_without_an_address_is_an_unknown_host(driver: Driver) -> None:
    with failure(Reason.HOST_UNKNOWN, UnreachableError, PASSWORD, within=20):  # a name server may take its time
        connect(driver, instance_at("no.such.host.invalid", 1433))


@pytest.mark.parametrize("after_bytes", [0, 20, 60, 200])
def test_a_login_that_stalls_costs_the_connect_deadline(driver: Driver, server: SqlServer, after_bytes: int) -> None:
    with ChaosProxy(server.host, server.port) as proxy:
        proxy.stall(after_bytes=after_bytes)
        with failure(Reason.TIMEOUT, UnreachableError, PASSWORD, within=4):
            connect(driver, instance_at(proxy.host, proxy.port))


def test_silent_hosts_are_waited_for_together(driver: Driver) -> None:
    """UnixODBC may hold one lock over all connections of a driver; then four would take four deadlines."""
    with ExitStack() as hosts:
        targets = [hosts.enter_context(silent_host(f"127.0.0.{number}")) for number in range(2, 6)]
        reasons: list[object] = []

        def wait(host: str, port: int) -> None:
            with failure(Reason.TIMEOUT, UnreachableError, PASSWORD, within=10):
                connect(driver, instance_at(host, port))
            reasons.append(host)

        threads = [threading.Thread(target=wait, args=(target.host, target.port)) for target in targets]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(reasons) == 4
        assert time.monotonic() - begun < 4


def test_a_statement_ends_at_its_own_deadline_and_the_server_is_told(driver: Driver, server: SqlServer) -> None:
    with visit(driver, server, deadlines=Deadlines(2, 1, 30)) as probe:
        server.held.set()
        begun = time.monotonic()
        with failure(Reason.TIMEOUT, SizesError, PASSWORD, within=4) as said:
            probe.list_databases()
        assert time.monotonic() - begun >= 0.9
        server.held.clear()
        assert "master" in probe.list_databases()  # an attention stops the statement, not the session
    assert said[0].endswith("did not answer within its deadline.")
    assert [session.attentions for session in server.sessions] == [1]


def test_a_server_that_falls_silent_in_mid_query_ends_at_the_deadline_of_the_visit(driver: Driver, server: SqlServer) -> None:
    with ChaosProxy(server.host, server.port) as proxy:
        for after_bytes in (0, 40):
            proxy.heal()
            begun = time.monotonic()
            with connect_through(driver, instance_at(proxy.host, proxy.port), LOGIN, QUICK, Watchdog()) as probe:
                proxy.stall(after_bytes=after_bytes)
                with failure(Reason.TIMEOUT, SizesError, PASSWORD, within=4):
                    probe.list_databases()
                assert time.monotonic() - begun > 1.5
                with failure(Reason.TIMEOUT, SizesError, PASSWORD):
                    probe.list_databases()


def test_a_host_with_two_addresses_is_watched_whichever_the_driver_takes(server: SqlServer, tmp_path: Path) -> None:
    """Microsoft's driver takes IPv4 first, while everything else takes IPv6, which is where the trial goes."""
    server.held.set()

    def wait() -> None:
        begun = time.monotonic()
        with failure(Reason.TIMEOUT, SizesError, PASSWORD, within=4):
            connect(targets.driver_of("microsoft"), instance_at("both", server.port))
        assert time.monotonic() - begun > 1.5

    with socket.create_server(("::1", server.port), family=socket.AF_INET6):
        with_names(tmp_path, "::1 both\n127.0.0.1 both\n", wait)


def test_a_name_that_is_cut_off_in_mid_character_is_no_unknown_host() -> None:
    """SQL Server takes 128 halves of characters for a name; both drivers raise what Python does on the half that is left."""
    with failure(Reason.SERVER_ERROR, SizesError, PASSWORD) as said, translating(instance_at("db", 1433), Watch()):
        "🐋".encode("utf-16-le")[:2].decode("utf-16-le")
    assert said[0].endswith("rename what has it.")


def test_a_connection_that_is_cut_in_mid_result_is_unavailable(driver: Driver, server: SqlServer) -> None:
    with ChaosProxy(server.host, server.port) as proxy:
        for after_bytes in (0, 40):
            proxy.heal()
            with connect_through(driver, instance_at(proxy.host, proxy.port), LOGIN, PATIENT, Watchdog()) as probe:
                proxy.cut(after_bytes=after_bytes)
                with failure(Reason.UNAVAILABLE, SizesError, PASSWORD):
                    probe.list_databases()


def test_a_session_that_the_server_ends_is_unavailable(driver: Driver, server: SqlServer) -> None:
    with visit(driver, server, deadlines=PATIENT) as probe:
        server.end_sessions()
        with failure(Reason.UNAVAILABLE, SizesError, PASSWORD):
            probe.list_databases()


def test_a_slow_network_is_only_slow(driver: Driver, server: SqlServer) -> None:
    with ChaosProxy(server.host, server.port, latency_seconds=0.02) as proxy:
        begun = time.monotonic()
        with connect_through(driver, instance_at(proxy.host, proxy.port), LOGIN, PATIENT, Watchdog()) as probe:
            assert isinstance(probe.measure(["msdb"])[0], DatabaseSize)
        assert time.monotonic() - begun > 0.2


def test_shut_all_breaks_every_waiting_statement_at_once(driver: Driver, server: SqlServer) -> None:
    watchdog, outcomes = Watchdog(), list[Reason]()

    def wait_on(probe: Probe) -> None:
        try:
            probe.list_databases()
        except SizesError as error:
            outcomes.append(Reason(error.reason))

    with ExitStack() as visits:
        probes = [visits.enter_context(visit(driver, server, deadlines=Deadlines(), watchdog=watchdog)) for _ in range(4)]
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
    with visit(driver, server) as probe:
        assert probe.list_databases()


def test_each_of_many_visits_to_one_server_is_watched_by_itself(driver: Driver, server: SqlServer) -> None:
    """They have the same peer: the socket that is shut must be the one of the visit that is over."""
    with ExitStack() as visits:
        before = [visits.enter_context(visit(driver, server, deadlines=PATIENT)) for _ in range(3)]
        with visit(driver, server, deadlines=Deadlines(5, 30, 1)) as impatient:
            after = [visits.enter_context(visit(driver, server, deadlines=PATIENT)) for _ in range(3)]
            server.held.set()
            with failure(Reason.TIMEOUT, SizesError, PASSWORD):
                impatient.list_databases()
            server.held.clear()
        assert all(probe.list_databases() for probe in before + after)


def test_visits_leave_no_descriptor_and_no_thread(driver: Driver, server: SqlServer) -> None:
    def visit_all() -> None:
        with visit(driver, server, deadlines=PATIENT) as probe:
            probe.measure(probe.list_databases())
        with (
            ChaosProxy(server.host, server.port) as proxy,
            connect_through(driver, instance_at(proxy.host, proxy.port), LOGIN, PATIENT, Watchdog()) as probe,
        ):
            proxy.cut()
            with failure(Reason.UNAVAILABLE, SizesError):
                probe.list_databases()
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError):
            connect(driver, instance_at(server.host, server.port), Login(LOGIN.username, "wrong"))
        with failure(Reason.CONNECTION_REFUSED, UnreachableError):
            connect(driver, instance_at(REFUSING.host, REFUSING.port))

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
