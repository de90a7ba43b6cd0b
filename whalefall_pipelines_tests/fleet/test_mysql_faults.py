"""The MySQL adapter when a server or the network fails: the right reason, a sentence without the password, within the deadline.

What it does with a healthy server is in `test_mysql.py`.
"""

import os
import threading
import time
import traceback
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psutil
import pymysql
import pytest

from whalefall_pipelines.domain.capacity import DatabaseSize, Reason
from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines, Probe
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy
from whalefall_pipelines_tests.servers.dead_host import REFUSING, answering_host, dead_host, silent_host
from whalefall_pipelines_tests.servers.mariadb import Target, running, tidy

pytestmark = pytest.mark.process
SECRET = "not to be seen anywhere"
LOGIN = Login("monitor", SECRET)
QUICK = Deadlines(connect_seconds=2, statement_seconds=30, instance_seconds=2)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with running(tmp_path_factory.mktemp("mariadb")) as target:
        yield target


@pytest.fixture
def target(server: Target) -> Iterator[Target]:
    yield from tidy(server)


@contextmanager
def failure(reason: Reason, kind: type[TargetError], secret: str | None = SECRET, *, within: float = 1) -> Generator[list[str]]:
    """The block fails with this error, in time, and says nothing of the password; its sentence is the first of the list."""
    sentences: list[str] = []
    begun = time.monotonic()
    with pytest.raises(kind) as caught:
        yield sentences
    assert time.monotonic() - begun < within
    assert type(caught.value) is kind
    assert caught.value.reason is reason, caught.value
    assert secret is None or secret not in "".join(traceback.format_exception(caught.value))
    sentences.append(str(caught.value))


def at(host: str, port: int, **settings: str | None) -> Instance:
    return Instance(1, "target", Engine.MYSQL, host, port, "monitor", **settings)


def connect(instance: Instance, login: Login = LOGIN, deadlines: Deadlines = QUICK) -> None:
    with ServerFleet(deadlines).connect(instance, login):
        raise AssertionError("connected")


def packet(number: int, body: bytes) -> bytes:
    """A packet as it stands on the wire."""
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def refusal(number: int, message: str) -> bytes:
    """The packet with which a server refuses before it greets."""
    return packet(0, b"\xff" + number.to_bytes(2, "little") + message.encode())


def test_a_port_without_a_server_is_refused() -> None:
    with failure(Reason.CONNECTION_REFUSED, UnreachableError) as said:
        connect(at(REFUSING.host, REFUSING.port))
    assert said == ["MySQL at 127.0.0.1:1: Connection refused; is the server running, and is the port right?"]


def test_a_dead_host_costs_the_connect_deadline() -> None:
    with dead_host() as host, failure(Reason.TIMEOUT, UnreachableError, within=3) as said:
        connect(at(host.host, host.port))
    assert said[0].endswith("did not answer within its deadline.")


def test_a_host_that_accepts_and_says_nothing_costs_the_connect_deadline() -> None:
    patient = Deadlines(connect_seconds=1, statement_seconds=300, instance_seconds=300)
    with silent_host() as host:
        for sslmode in ("prefer", "require", "disable"):
            begun = time.monotonic()
            with failure(Reason.TIMEOUT, UnreachableError, within=2):
                connect(at(host.host, host.port, sslmode=sslmode), deadlines=patient)
            assert time.monotonic() - begun > 0.9


def test_a_name_without_an_address_is_an_unknown_host() -> None:
    for host in ("no.such.host.invalid", "two..dots"):
        with failure(Reason.HOST_UNKNOWN, UnreachableError, within=20):  # a name server may take its time
            connect(at(host, 3306))


def test_what_hangs_up_is_unavailable_and_what_speaks_otherwise_is_no_mysql() -> None:
    answers = (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00\xff" * 100, packet(0, b"\x0a8.0\0"), packet(0, b"\x0a\xff\0" * 30))
    for answer in (None, b"", *answers):
        reason = Reason.SERVER_ERROR if answer else Reason.UNAVAILABLE
        with GreetingHost(answer) as host, failure(reason, UnreachableError) as said:
            connect(at(host.host, host.port))
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
    with GreetingHost(refusal(number, "Zugriff verweigert")) as host, failure(reason, kind) as said:
        connect(at(host.host, host.port))
    assert "Zugriff verweigert; " in said[0]
    with GreetingHost(refusal(number, "\x00").replace(b"\x00", b"\xff")) as host, pytest.raises(TargetError):
        connect(at(host.host, host.port))
