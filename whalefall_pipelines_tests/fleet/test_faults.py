"""Every adapter when the server or the network fails: the same reason, a sentence without the password, within the deadline.

Refused logins are in `test_<engine>_refusals.py`.
"""

import gc
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from functools import partial

import psutil
import pytest

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines_tests.at_once import at_once
from whalefall_pipelines_tests.fleet import subjects
from whalefall_pipelines_tests.fleet.subjects import Subject
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy
from whalefall_pipelines_tests.servers.dead_host import REFUSING, Address, dead_host, silent_host
from whalefall_pipelines_tests.servers.oracle import targets as oracle_targets
from whalefall_pipelines_tests.servers.probes import QUICK, SECRET, failure
from whalefall_pipelines_tests.servers.sqlserver.targets import DRIVERS

pytestmark = pytest.mark.process
ADAPTERS = ("postgresql", "mysql", *DRIVERS, pytest.param("oracle", marks=oracle_targets.LEFTOVERS))
# Only the connect deadline can be reached; libpq rounds it up to two seconds.
CONNECT = Deadlines(connect_seconds=1, statement_seconds=300, instance_seconds=300)
leftovers = oracle_targets.leftovers


@pytest.fixture(params=ADAPTERS)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """Each adapter in turn, that of SQL Server through each of its drivers."""
    if request.param == "postgresql":
        yield subjects.of_postgresql(request.getfixturevalue("newest"))
    elif request.param == "mysql":
        yield subjects.of_mysql(request.getfixturevalue("maria"))
    else:
        with subjects.of_oracle() if request.param == "oracle" else subjects.of_sqlserver(request.param) as made:
            yield made


def fails(subject: Subject, reason: Reason, kind: type[TargetError], *, within: float = 5) -> AbstractContextManager[list[str]]:
    return failure(reason, kind, subject.login.password, within=within)


def test_a_port_without_a_server_is_refused(subject: Subject) -> None:
    with fails(subject, Reason.CONNECTION_REFUSED, UnreachableError) as messages:
        subject.refused(REFUSING)
    advice = r"is the (server|listener) running, and is the port right\?"
    assert re.fullmatch(rf"{subject.product} at 127.0.0.1:1: Connection refused; {advice}", messages[0]), messages


@pytest.mark.parametrize("name", ["no.such.host.invalid", "two..dots"])
def test_a_name_without_an_address_is_an_unknown_host(subject: Subject, name: str) -> None:
    with fails(subject, Reason.HOST_UNKNOWN, UnreachableError, within=20):  # a name server may take its time
        subject.refused(Address(name, 1))


@pytest.mark.parametrize("unresponsive", [dead_host, silent_host])
def test_a_host_that_does_not_answer_takes_the_connect_deadline(
    subject: Subject, unresponsive: Callable[[], AbstractContextManager[Address]]
) -> None:
    begun = time.monotonic()
    with unresponsive() as host, fails(subject, Reason.TIMEOUT, UnreachableError, within=3) as messages:
        subject.refused(host, deadlines=CONNECT)
    assert time.monotonic() - begun > 0.9
    assert messages[0].endswith(("did not answer within its deadline.", "check the address, route and firewall.")), messages


@pytest.mark.parametrize("after_bytes", [0, 3, 30, 100])
def test_a_stalled_login_takes_the_connect_deadline(subject: Subject, after_bytes: int) -> None:
    with ChaosProxy(subject.host, subject.port) as proxy, fails(subject, Reason.TIMEOUT, UnreachableError, within=3):
        proxy.stall(after_bytes=after_bytes)
        subject.refused(proxy, deadlines=CONNECT)


def test_silent_hosts_are_waited_for_together(subject: Subject) -> None:
    """A driver may hold one lock for all its connections; then four would take four deadlines."""

    def wait_for(host: Address) -> None:
        with fails(subject, Reason.TIMEOUT, UnreachableError, within=10):
            subject.refused(host, deadlines=QUICK)

    with ExitStack() as hosts:
        silent = [hosts.enter_context(silent_host(f"127.0.0.{number}")) for number in range(2, 6)]
        begun = time.monotonic()
        at_once(*(partial(wait_for, host) for host in silent))
        assert time.monotonic() - begun < 4


@pytest.mark.parametrize("after_bytes", [0, 40])
def test_a_server_that_falls_silent_in_mid_query_ends_at_the_deadline_of_the_probe(subject: Subject, after_bytes: int) -> None:
    begun = time.monotonic()
    with ChaosProxy(subject.host, subject.port) as proxy, subject.probing(proxy, deadlines=QUICK) as probe:
        proxy.stall(after_bytes=after_bytes)
        with fails(subject, Reason.TIMEOUT, SizesError, within=4):
            probe.list_databases()
        assert time.monotonic() - begun > 1.5
        with fails(subject, Reason.TIMEOUT, SizesError):
            probe.list_databases()


@pytest.mark.parametrize("after_bytes", [0, 40])
def test_a_dropped_connection_is_unavailable(subject: Subject, after_bytes: int) -> None:
    with ChaosProxy(subject.host, subject.port) as proxy:
        with subject.probing(proxy) as probe:
            proxy.cut(after_bytes=after_bytes)
            with fails(subject, Reason.UNAVAILABLE, SizesError):
                probe.list_databases()
        proxy.cut(after_bytes=after_bytes)
        with fails(subject, Reason.UNAVAILABLE, UnreachableError):
            subject.refused(proxy)


def test_a_session_that_the_server_ends_is_unavailable(subject: Subject) -> None:
    with subject.probing() as probe:
        subject.end_sessions()
        with fails(subject, Reason.UNAVAILABLE, SizesError):
            probe.list_databases()


def test_a_slow_network_is_only_slow(subject: Subject) -> None:
    begun = time.monotonic()
    with ChaosProxy(subject.host, subject.port, latency_seconds=0.02) as proxy, subject.probing(proxy) as probe:
        assert isinstance(probe.measure([subject.database])[0], DatabaseSize)
    assert time.monotonic() - begun > 0.2


def test_shut_all_breaks_every_waiting_statement_at_once(subject: Subject) -> None:
    watchdog = Watchdog()
    with ChaosProxy(subject.host, subject.port) as proxy, ThreadPoolExecutor(4) as threads, ExitStack() as connections:
        probes = [connections.enter_context(subject.probing(proxy, watchdog=watchdog)) for _ in range(4)]
        proxy.stall()
        waiting = [threads.submit(probe.list_databases) for probe in probes]
        time.sleep(0.3)
        assert not any(future.done() for future in waiting)
        begun = time.monotonic()
        watchdog.shut_all()
        for future in waiting:
            with fails(subject, Reason.CANCELLED, SizesError):
                future.result(10)
        assert time.monotonic() - begun < 1
    with subject.probing(watchdog=watchdog) as probe:
        assert probe.list_databases()


def test_each_of_many_probes_of_one_server_has_its_own_watch(subject: Subject) -> None:
    """They have the same peer: the socket that is shut must belong to the probe whose deadline has passed."""
    with ChaosProxy(subject.host, subject.port) as proxy, ExitStack() as connections:
        before = [connections.enter_context(subject.probing(proxy)) for _ in range(3)]
        with subject.probing(proxy, deadlines=Deadlines(5, 30, 1)) as impatient:
            after = [connections.enter_context(subject.probing(proxy)) for _ in range(3)]
            proxy.stall()
            with fails(subject, Reason.TIMEOUT, SizesError):
                impatient.list_databases()
            proxy.heal()
        assert all(probe.list_databases() for probe in before + after)


def test_probes_leave_no_descriptor_and_no_thread(subject: Subject) -> None:
    def probe_all() -> None:
        with subject.probing() as probe:
            probe.measure(list(probe.list_databases()))
        with ChaosProxy(subject.host, subject.port) as proxy, subject.probing(proxy) as probe:
            proxy.cut()
            with fails(subject, Reason.UNAVAILABLE, SizesError):
                probe.list_databases()
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError):
            subject.refused(login=Login(subject.login.username, SECRET))
        with fails(subject, Reason.CONNECTION_REFUSED, UnreachableError):
            subject.refused(REFUSING)
        if subject.product == "Oracle":
            gc.collect()  # python-oracledb leaves the socket of a broken connection to the garbage collector

    def held() -> tuple[int, int]:
        return psutil.Process().num_fds(), threading.active_count()

    probe_all()
    time.sleep(0.5)  # timers, and the sessions of a server in this process, end a moment after the probes
    before = held()
    for _ in range(5):
        probe_all()
    deadline = time.monotonic() + 10
    while held() != before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert held() == before
