"""The MySQL adapter when the network fails: the right reason, a sentence without the password, within the deadline.

Servers that do not let us in are in `test_mysql_refusals.py`.
"""

import threading
import time
from contextlib import ExitStack

import psutil
import pytest

from whalefall_pipelines.domain.capacity import DatabaseSize, Reason
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.errors import LoginRejectedError, SizesError, UnreachableError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines, Probe
from whalefall_pipelines_tests.servers import mariadb as servers
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy
from whalefall_pipelines_tests.servers.dead_host import REFUSING, dead_host, silent_host
from whalefall_pipelines_tests.servers.mariadb import (
    Target,
    instance_at,
)
from whalefall_pipelines_tests.servers.postgresql import SECRET, failure

pytestmark = pytest.mark.process
mariadb, maria = servers.mariadb, servers.maria
LOGIN = Login("monitor", SECRET)
QUICK = Deadlines(connect_seconds=2, statement_seconds=30, instance_seconds=2)


def connect(instance: Instance, login: Login = LOGIN, deadlines: Deadlines = QUICK) -> None:
    with ServerFleet(deadlines).connect(instance, login):
        raise AssertionError("connected")


def test_a_port_without_a_server_is_refused() -> None:
    with failure(Reason.CONNECTION_REFUSED, UnreachableError) as said:
        connect(instance_at(REFUSING.host, REFUSING.port))
    assert said == ["MySQL at 127.0.0.1:1: Connection refused; is the server running, and is the port right?"]


def test_a_dead_host_costs_the_connect_deadline() -> None:
    with dead_host() as host, failure(Reason.TIMEOUT, UnreachableError, within=3) as said:
        connect(instance_at(host.host, host.port))
    assert said[0].endswith("did not answer within its deadline.")


def test_a_host_that_accepts_and_says_nothing_costs_the_connect_deadline() -> None:
    patient = Deadlines(connect_seconds=1, statement_seconds=300, instance_seconds=300)
    with silent_host() as host:
        for sslmode in ("prefer", "require", "disable"):
            begun = time.monotonic()
            with failure(Reason.TIMEOUT, UnreachableError, within=2):
                connect(instance_at(host.host, host.port, sslmode=sslmode), deadlines=patient)
            assert time.monotonic() - begun > 0.9


def test_a_name_without_an_address_is_an_unknown_host() -> None:
    for host in ("no.such.host.invalid", "two..dots"):
        with failure(Reason.HOST_UNKNOWN, UnreachableError, within=20):  # a name server may take its time
            connect(instance_at(host, 3306))


def test_a_statement_ends_at_its_own_deadline(maria: Target) -> None:
    login, schema = maria.create_login(), maria.create_schema()
    maria.ask(*[f"create table {schema}.t{number} (id int)" for number in range(200)])
    maria.ask("flush tables")
    with ServerFleet(Deadlines(statement_seconds=0.001)).connect(maria.instance(), login) as probe:
        with failure(Reason.TIMEOUT, SizesError, login.password) as said:
            probe.measure([schema])
        assert said[0].endswith("a statement took longer than its deadline.")
        assert schema in probe.list_databases()


def test_a_server_that_falls_silent_in_mid_query_ends_at_the_deadline_of_the_visit(maria: Target) -> None:
    login = maria.create_login()
    with ChaosProxy(maria.host, maria.port) as proxy:
        for after_bytes in (0, 40):
            proxy.heal()
            begun = time.monotonic()
            with ServerFleet(QUICK).connect(instance_at(proxy.host, proxy.port), login) as probe:
                proxy.stall(after_bytes=after_bytes)
                with failure(Reason.TIMEOUT, SizesError, login.password, within=3):
                    probe.measure(["mysql"])
                assert time.monotonic() - begun > 1.5
                with failure(Reason.TIMEOUT, SizesError, login.password):
                    probe.list_databases()


def test_a_server_that_falls_silent_in_its_greeting_costs_the_connect_deadline(maria: Target) -> None:
    login, patient = maria.create_login(), Deadlines(connect_seconds=1, statement_seconds=300, instance_seconds=300)
    with ChaosProxy(maria.host, maria.port) as proxy:
        for after_bytes in (0, 3, 30, 100):
            proxy.stall(after_bytes=after_bytes)
            with failure(Reason.TIMEOUT, UnreachableError, login.password, within=2):
                connect(instance_at(proxy.host, proxy.port), login, patient)


def test_a_connection_that_is_cut_is_unavailable(maria: Target) -> None:
    login = maria.create_login()
    with ChaosProxy(maria.host, maria.port) as proxy:
        for after_bytes in (0, 40):
            proxy.heal()
            with ServerFleet(QUICK).connect(instance_at(proxy.host, proxy.port), login) as probe:
                proxy.cut(after_bytes=after_bytes)
                with failure(Reason.UNAVAILABLE, SizesError, login.password):
                    probe.measure(["mysql"])
            proxy.cut(after_bytes=after_bytes)
            with failure(Reason.UNAVAILABLE, UnreachableError, login.password):
                connect(instance_at(proxy.host, proxy.port), login)


def test_a_session_that_the_server_ends_is_unavailable(maria: Target) -> None:
    login = maria.create_login()
    with ServerFleet(QUICK).connect(maria.instance(), login) as probe:
        maria.ask(f"kill user {maria.account(login)}")
        with failure(Reason.UNAVAILABLE, SizesError, login.password):
            probe.list_databases()


def test_a_slow_network_is_only_slow(maria: Target) -> None:
    login, schema = maria.create_login(), maria.create_schema()
    with ChaosProxy(maria.host, maria.port, latency_seconds=0.02) as proxy:
        begun = time.monotonic()
        with ServerFleet(QUICK).connect(instance_at(proxy.host, proxy.port), login) as probe:
            assert isinstance(probe.measure([schema])[0], DatabaseSize)
        assert time.monotonic() - begun > 0.2


def test_shut_all_breaks_every_waiting_statement_at_once(maria: Target) -> None:
    fleet, login, outcomes = ServerFleet(Deadlines()), maria.create_login(), list[Reason]()

    def wait_on(probe: Probe) -> None:
        try:
            probe.list_databases()
        except SizesError as error:
            outcomes.append(Reason(error.reason))

    with ChaosProxy(maria.host, maria.port) as proxy, ExitStack() as visits:
        probes = [visits.enter_context(fleet.connect(instance_at(proxy.host, proxy.port), login)) for _ in range(4)]
        proxy.stall()
        threads = [threading.Thread(target=wait_on, args=(probe,)) for probe in probes]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        assert outcomes == []
        begun = time.monotonic()
        fleet.shut_all()
        for thread in threads:
            thread.join(10)
        assert time.monotonic() - begun < 1
        assert outcomes == [Reason.CANCELLED] * 4
    with fleet.connect(maria.instance(), login) as probe:
        assert probe.list_databases()


def test_visits_leave_no_descriptor_and_no_thread(maria: Target) -> None:
    login, fleet = maria.create_login(), ServerFleet(QUICK)

    def visit_all() -> None:
        with fleet.connect(maria.instance(), login) as probe:
            probe.measure(probe.list_databases())
        with ChaosProxy(maria.host, maria.port) as proxy, fleet.connect(instance_at(proxy.host, proxy.port), login) as probe:
            proxy.cut()
            with failure(Reason.UNAVAILABLE, SizesError):
                probe.list_databases()
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError):
            connect(maria.instance(), Login(login.username, SECRET))
        with failure(Reason.CONNECTION_REFUSED, UnreachableError):
            connect(instance_at(REFUSING.host, REFUSING.port))

    def held() -> tuple[int, int]:
        return psutil.Process().num_fds(), threading.active_count()

    visit_all()
    time.sleep(0.5)  # the timers of the visits end a moment after them
    before = held()
    for _ in range(5):
        visit_all()
    deadline = time.monotonic() + 5
    while held() != before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert held() == before
