"""The MySQL adapter when a server or the network fails: the right reason, a sentence without the password, within the deadline.

What it does with a healthy server is in `test_mysql.py`.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from whalefall_pipelines.domain.capacity import DatabaseSize, Reason
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.mysql import MySQLProbe
from whalefall_pipelines.fleet.probe import Deadlines, Probe
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy
from whalefall_pipelines_tests.servers.dead_host import REFUSING, dead_host, silent_host
from whalefall_pipelines_tests.servers.mariadb import Target, greeting_host, instance_at, running, tidy
from whalefall_pipelines_tests.servers.postgresql import SECRET, failure

pytestmark = pytest.mark.process
LOGIN = Login("monitor", SECRET)
QUICK = Deadlines(connect_seconds=2, statement_seconds=30, instance_seconds=2)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with running(tmp_path_factory.mktemp("mariadb")) as target:
        yield target


@pytest.fixture
def target(server: Target) -> Iterator[Target]:
    yield from tidy(server)


def connect(instance: Instance, login: Login = LOGIN, deadlines: Deadlines = QUICK) -> None:
    with ServerFleet(deadlines).connect(instance, login):
        raise AssertionError("connected")


def packet(number: int, body: bytes) -> bytes:
    """A packet as it stands on the wire."""
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def refusal(number: int, message: str) -> bytes:
    """The packet with which a server refuses before it greets."""
    return packet(0, b"\xff" + number.to_bytes(2, "little") + message.encode())


def limit_statements(probe: MySQLProbe, seconds: float) -> None:
    """Another statement time-out for a visit that is under way."""
    with probe._connection.cursor() as cursor:
        cursor.execute(f"set session max_statement_time = {seconds}")


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


def test_what_hangs_up_is_unavailable_and_what_speaks_otherwise_is_no_mysql() -> None:
    garbled = (b"\x00\xff" * 100, packet(0, b"\x0a8.0\0"), packet(0, b"\x0a\xff\0" * 30))
    answers = (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", *garbled)
    for answer in (None, b"", *answers):
        reason = Reason.SERVER_ERROR if answer else Reason.UNAVAILABLE
        with greeting_host(answer) as instance, failure(reason, UnreachableError) as said:
            connect(instance)
        assert not answer or said[0].endswith("that is no MySQL: check the port."), answer


@pytest.mark.parametrize(
    ("number", "reason", "kind"),
    [
        (1040, Reason.UNAVAILABLE, UnreachableError),
        (1053, Reason.UNAVAILABLE, UnreachableError),
        (1129, Reason.AUTHENTICATION_FAILED, LoginRejectedError),
        (1130, Reason.AUTHENTICATION_FAILED, LoginRejectedError),
        (1203, Reason.UNAVAILABLE, UnreachableError),
        (3032, Reason.UNAVAILABLE, UnreachableError),
        (3118, Reason.AUTHENTICATION_FAILED, LoginRejectedError),
        (3159, Reason.TLS_FAILED, LoginRejectedError),
        (4242, Reason.SERVER_ERROR, SizesError),
    ],
)
def test_the_native_number_of_a_refusal_decides(number: int, reason: Reason, kind: type[TargetError]) -> None:
    with greeting_host(refusal(number, "Zugriff verweigert")) as instance, failure(reason, kind) as said:
        connect(instance)
    assert "Zugriff verweigert; " in said[0]


def test_a_wrong_password_and_an_unknown_login_are_rejected(target: Target) -> None:
    known = target.create_login()
    for username in (known.username, "nobody' or 1", "数据"):
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError) as said:
            connect(target.instance(), Login(username, SECRET))
        assert said[0].endswith("check the credential of the instance.")
    with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError, known.password):
        connect(target.instance(), Login(known.username, None))


def test_a_locked_account_and_an_expired_password_are_rejected(target: Target) -> None:
    for change in ("account lock", "password expire"):
        login = target.create_login()
        target.ask(f"alter user {target.account(login)} {change}")
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError, login.password) as said:
            connect(target.instance(), login)
        assert said[0].endswith("the account is locked or its password has expired.")


def test_a_server_that_does_not_know_this_machine_rejects_the_login(tmp_path: Path) -> None:
    with running(tmp_path) as target, failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError) as said:
        connect(target.instance())
    assert said[0].endswith("the server does not let this machine in; check the host of the account.")


def test_no_free_connection_is_worth_another_try(target: Target) -> None:
    login = target.create_login(requirement="with max_user_connections 1")
    with ServerFleet(QUICK).connect(target.instance(), login), failure(Reason.UNAVAILABLE, UnreachableError, login.password):
        connect(target.instance(), login)


def test_a_full_server_is_worth_another_try(tmp_path: Path) -> None:
    with running(tmp_path, "--max-connections=10") as target, ExitStack() as sessions:
        login = target.create_login("PROCESS, SHOW VIEW")
        for _ in range(10):
            sessions.enter_context(ServerFleet().connect(target.instance(), login))
        with failure(Reason.UNAVAILABLE, UnreachableError, login.password) as said:
            connect(target.instance(), login)
        assert "Too many connections" in said[0]


def test_a_statement_ends_at_its_own_deadline(target: Target) -> None:
    login, schema = target.create_login(), target.create_schema()
    target.ask(*[f"create table {schema}.t{number} (id int)" for number in range(200)])
    target.ask("flush tables")
    with ServerFleet(Deadlines(statement_seconds=0.001)).connect(target.instance(), login) as probe:
        with failure(Reason.TIMEOUT, SizesError, login.password) as said:
            probe.measure([schema])
        assert said[0].endswith("a statement took longer than its deadline.")
        assert schema in probe.list_databases()


def test_opening_the_tables_may_be_cut_off_and_goes_on_at_the_next_visit(tmp_path: Path) -> None:
    with running(tmp_path) as target:
        login, schema = target.create_login(), target.create_schema()
        target.ask(*[f"create table {schema}.t{number} (id int) engine=InnoDB" for number in range(300)])
        target.restart()
        with ServerFleet().connect(target.instance(), login) as probe:
            assert isinstance(probe, MySQLProbe)
            limit_statements(probe, 0.001)
            probe._open_tables()
            limit_statements(probe, 60)
            listed = target.ask(f"select count(*) < 300 from information_schema.innodb_sys_tablespaces where name like '{schema}/%'")
            assert listed == [(1,)]
            (outcome,) = probe.measure([schema])
            assert isinstance(outcome, DatabaseSize)
            assert outcome.total_bytes == 300 * 65_536


def test_a_server_that_falls_silent_in_mid_query_ends_at_the_deadline_of_the_visit(target: Target) -> None:
    login = target.create_login()
    with ChaosProxy(target.host, target.port) as proxy:
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


def test_a_server_that_falls_silent_in_its_greeting_costs_the_connect_deadline(target: Target) -> None:
    login, patient = target.create_login(), Deadlines(connect_seconds=1, statement_seconds=300, instance_seconds=300)
    with ChaosProxy(target.host, target.port) as proxy:
        for after_bytes in (0, 3, 30, 100):
            proxy.stall(after_bytes=after_bytes)
            with failure(Reason.TIMEOUT, UnreachableError, login.password, within=2):
                connect(instance_at(proxy.host, proxy.port), login, patient)


def test_a_connection_that_is_cut_is_unavailable(target: Target) -> None:
    login = target.create_login()
    with ChaosProxy(target.host, target.port) as proxy:
        for after_bytes in (0, 40):
            proxy.heal()
            with ServerFleet(QUICK).connect(instance_at(proxy.host, proxy.port), login) as probe:
                proxy.cut(after_bytes=after_bytes)
                with failure(Reason.UNAVAILABLE, SizesError, login.password):
                    probe.measure(["mysql"])
            proxy.cut(after_bytes=after_bytes)
            with failure(Reason.UNAVAILABLE, UnreachableError, login.password):
                connect(instance_at(proxy.host, proxy.port), login)


def test_a_session_that_the_server_ends_is_unavailable(target: Target) -> None:
    login = target.create_login()
    with ServerFleet(QUICK).connect(target.instance(), login) as probe:
        target.ask(f"kill user {target.account(login)}")
        with failure(Reason.UNAVAILABLE, SizesError, login.password):
            probe.list_databases()


def test_a_slow_network_is_only_slow(target: Target) -> None:
    login, schema = target.create_login(), target.create_schema()
    with ChaosProxy(target.host, target.port, latency_seconds=0.02) as proxy:
        begun = time.monotonic()
        with ServerFleet(QUICK).connect(instance_at(proxy.host, proxy.port), login) as probe:
            assert isinstance(probe.measure([schema])[0], DatabaseSize)
        assert time.monotonic() - begun > 0.2


def test_shut_all_breaks_every_waiting_statement_at_once(target: Target) -> None:
    fleet, login, outcomes = ServerFleet(Deadlines()), target.create_login(), list[Reason]()

    def wait_on(probe: Probe) -> None:
        try:
            probe.list_databases()
        except SizesError as error:
            outcomes.append(Reason(error.reason))

    with ChaosProxy(target.host, target.port) as proxy, ExitStack() as visits:
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
    with fleet.connect(target.instance(), login) as probe:
        assert probe.list_databases()


def test_visits_leave_no_descriptor_and_no_thread(target: Target) -> None:
    login, fleet = target.create_login(), ServerFleet(QUICK)

    def visit_all() -> None:
        with fleet.connect(target.instance(), login) as probe:
            probe.measure(probe.list_databases())
        with ChaosProxy(target.host, target.port) as proxy, fleet.connect(instance_at(proxy.host, proxy.port), login) as probe:
            proxy.cut()
            with failure(Reason.UNAVAILABLE, SizesError):
                probe.list_databases()
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError):
            connect(target.instance(), Login(login.username, SECRET))
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
