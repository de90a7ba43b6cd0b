"""The PostgreSQL adapter when a server or the network fails: the right reason, a sentence without the password, within the deadline.

What it does with a healthy server is in `test_postgresql.py`.
"""

import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

import psutil
import psycopg2
import pytest

from whalefall_pipelines.domain.capacity import DatabaseSize, Reason
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.errors import LoginRejectedError, SizesError, UnreachableError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines, Probe
from whalefall_pipelines.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy
from whalefall_pipelines_tests.servers.dead_host import REFUSING, dead_host, silent_host
from whalefall_pipelines_tests.servers.postgresql import (
    SECRET,
    create_login,
    failure,
    instance_at,
    instance_of,
    new_name,
    superuser,
)

pytestmark = pytest.mark.process
LOGIN = Login("monitor", SECRET)
QUICK = Deadlines(connect_seconds=2, statement_seconds=30, instance_seconds=2)


def connect(instance: Instance, login: Login = LOGIN, deadlines: Deadlines = QUICK) -> None:
    with ServerFleet(deadlines).connect(instance, login):
        raise AssertionError("connected")


def test_a_port_without_a_server_is_refused() -> None:
    with failure(Reason.CONNECTION_REFUSED, UnreachableError) as said:
        connect(instance_at(REFUSING.host, REFUSING.port))
    assert said == ["PostgreSQL at 127.0.0.1:1: Connection refused; is the server running, and is the port right?"]


def test_a_dead_host_costs_the_connect_deadline() -> None:
    with dead_host() as host, failure(Reason.TIMEOUT, UnreachableError, within=7):
        connect(instance_at(host.host, host.port))


def test_a_host_that_accepts_and_says_nothing_costs_the_connect_deadline() -> None:
    with silent_host() as host, failure(Reason.TIMEOUT, UnreachableError, within=7):
        connect(instance_at(host.host, host.port))


def test_a_name_without_an_address_is_an_unknown_host() -> None:
    with failure(Reason.HOST_UNKNOWN, UnreachableError, within=20):  # a name server may take its time
        connect(instance_at("no.such.host.invalid", 5432))


@contextmanager
def locked_catalogue(newest: PostgresCluster) -> Generator[None]:
    """While the block lasts, whoever looks at pg_database waits."""
    connection = psycopg2.connect(newest.url())
    try:
        with connection.cursor() as cursor:
            cursor.execute("lock table pg_catalog.pg_database in access exclusive mode")
            yield
    finally:
        connection.close()


def test_a_statement_ends_at_its_own_deadline(newest: PostgresCluster) -> None:
    login = create_login(newest)
    with ServerFleet(Deadlines(statement_seconds=0.3)).connect(instance_of(newest), login) as probe, locked_catalogue(newest):
        begun = time.monotonic()
        with failure(Reason.TIMEOUT, SizesError, login.password, within=7) as said:
            probe.list_databases()
        assert time.monotonic() - begun >= 0.3
    assert said[0].endswith("did not answer within its deadline.")


def test_a_server_that_falls_silent_in_mid_query_ends_at_the_deadline_of_the_visit(newest: PostgresCluster) -> None:
    login = create_login(newest)
    with ChaosProxy(newest.host, newest.port) as proxy:
        for after_bytes in (0, 40):
            proxy.heal()
            begun = time.monotonic()
            with ServerFleet(QUICK).connect(instance_at(proxy.host, proxy.port), login) as probe:
                proxy.stall(after_bytes=after_bytes)
                with failure(Reason.TIMEOUT, SizesError, login.password, within=7):
                    probe.list_databases()
                assert time.monotonic() - begun > 1.5
                with failure(Reason.TIMEOUT, SizesError, login.password):
                    probe.list_databases()


def test_a_connection_that_is_cut_in_mid_result_is_unavailable(newest: PostgresCluster) -> None:
    login = create_login(newest)
    with ChaosProxy(newest.host, newest.port) as proxy:
        for after_bytes in (0, 40):
            proxy.heal()
            with ServerFleet(QUICK).connect(instance_at(proxy.host, proxy.port), login) as probe:
                proxy.cut(after_bytes=after_bytes)
                with failure(Reason.UNAVAILABLE, SizesError, login.password):
                    probe.list_databases()


def test_a_session_that_the_server_ends_is_unavailable(newest: PostgresCluster) -> None:
    login = create_login(newest)
    with superuser(newest) as cursor, ServerFleet(QUICK).connect(instance_of(newest), login) as probe:
        cursor.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = %s", (login.username,))
        with failure(Reason.UNAVAILABLE, SizesError, login.password):
            probe.list_databases()


def test_a_slow_network_is_only_slow(newest: PostgresCluster) -> None:
    login = create_login(newest)
    with ChaosProxy(newest.host, newest.port, latency_seconds=0.02) as proxy:
        begun = time.monotonic()
        with ServerFleet(QUICK).connect(instance_at(proxy.host, proxy.port), login) as probe:
            assert isinstance(probe.measure(["postgres"])[0], DatabaseSize)
        assert time.monotonic() - begun > 0.2


def test_shut_all_breaks_every_waiting_statement_at_once(newest: PostgresCluster) -> None:
    fleet, logins = ServerFleet(Deadlines()), [create_login(newest) for _ in range(4)]
    outcomes: list[Reason] = []

    def wait_on(probe: Probe) -> None:
        try:
            probe.list_databases()
        except SizesError as error:
            outcomes.append(Reason(error.reason))

    with ExitStack() as visits:
        probes = [visits.enter_context(fleet.connect(instance_of(newest), login)) for login in logins]
        visits.enter_context(locked_catalogue(newest))
        threads = [threading.Thread(target=wait_on, args=(probe,)) for probe in probes]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        assert outcomes == []
        begun = time.monotonic()
        fleet.shut_all()
        for thread in threads:
            thread.join(10)
        assert time.monotonic() - begun < 5
        assert outcomes == [Reason.CANCELLED] * 4
    with fleet.connect(instance_of(newest), logins[0]) as probe:
        assert probe.list_databases()


def test_visits_leave_no_descriptor_and_no_thread(newest: PostgresCluster) -> None:
    login, fleet = create_login(newest, new_name("tidy")), ServerFleet(QUICK)

    def visit_all() -> None:
        with fleet.connect(instance_of(newest), login) as probe:
            probe.measure(probe.list_databases())
        with ChaosProxy(newest.host, newest.port) as proxy, fleet.connect(instance_at(proxy.host, proxy.port), login) as probe:
            proxy.cut()
            with failure(Reason.UNAVAILABLE, SizesError):
                probe.list_databases()
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError):
            connect(instance_of(newest), Login(login.username, SECRET))
        with failure(Reason.CONNECTION_REFUSED, UnreachableError):
            connect(instance_at(REFUSING.host, REFUSING.port))

    visit_all()
    time.sleep(0.5)  # the timers of the visits end a moment after them
    descriptors, threads = psutil.Process().num_fds(), threading.active_count()
    for _ in range(5):
        visit_all()
    deadline = time.monotonic() + 5
    while threading.active_count() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threading.active_count() <= threads
    assert psutil.Process().num_fds() <= descriptors
