"""A MySQL server, or what stands in its place, that refuses the login: the right reason, and a sentence without the password.

Network failures are in `test_faults.py`.
"""

from contextlib import ExitStack
from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines_tests.servers.dead_host import answering_host
from whalefall_pipelines_tests.servers.mariadb import (
    Target,
    instance_at,
    running,
)
from whalefall_pipelines_tests.servers.probes import QUICK, SECRET, failure, refused

pytestmark = pytest.mark.process


def packet(number: int, body: bytes) -> bytes:
    """A packet as it is on the wire."""
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def refusal(number: int, message: str) -> bytes:
    """The packet with which a server refuses a client before the greeting."""
    return packet(0, b"\xff" + number.to_bytes(2, "little") + message.encode())


def test_a_closed_connection_is_unavailable_and_another_protocol_is_not_mysql() -> None:
    garbled = (b"\x00\xff" * 100, packet(0, b"\x0a8.0\0"), packet(0, b"\x0a\xff\0" * 30))
    answers = (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", *garbled)
    for answer in (None, b"", *answers):
        reason = Reason.SERVER_ERROR if answer else Reason.UNAVAILABLE
        with answering_host(answer, speaks_first=True) as host, failure(reason, UnreachableError) as messages:
            refused(instance_at(host.host, host.port))
        assert not answer or messages[0].endswith("this is not MySQL; check the port."), answer


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
        (3955, Reason.AUTHENTICATION_FAILED, LoginRejectedError),
        (3159, Reason.TLS_FAILED, LoginRejectedError),
        (4242, Reason.SERVER_ERROR, SizesError),
    ],
)
def test_the_native_number_of_a_refusal_decides(number: int, reason: Reason, kind: type[TargetError]) -> None:
    with answering_host(refusal(number, "Zugriff verweigert"), speaks_first=True) as host, failure(reason, kind) as messages:
        refused(instance_at(host.host, host.port))
    assert "Zugriff verweigert; " in messages[0]


def test_a_wrong_password_and_an_unknown_login_are_rejected(maria: Target) -> None:
    known = maria.create_login()
    for username in (known.username, "nobody' or 1", "数据"):
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError) as messages:
            refused(maria.instance(), Login(username, SECRET))
        assert messages[0].endswith("check the credential of the instance.")
    with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError, known.password):
        refused(maria.instance(), Login(known.username, None))


def test_a_locked_account_and_an_expired_password_are_rejected(maria: Target) -> None:
    for change in ("account lock", "password expire"):
        login = maria.create_login()
        maria.ask(f"alter user {maria.account(login)} {change}")
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError, login.password) as messages:
            refused(maria.instance(), login)
        assert messages[0].endswith("the account is locked or its password has expired.")


def test_a_login_that_failed_too_often_is_rejected(tmp_path: Path) -> None:
    with running(tmp_path, "--max-password-errors=1") as target:
        login = target.create_login()
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError):
            refused(target.instance(), Login(login.username, SECRET))
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError, login.password) as messages:
            refused(target.instance(), login)
    assert messages[0].endswith("the account is locked or its password has expired.")


def test_a_server_that_does_not_know_this_machine_rejects_the_login(tmp_path: Path) -> None:
    with running(tmp_path) as target, failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError) as messages:
        refused(target.instance())
    assert messages[0].endswith("the server does not accept connections from this machine; check the host of the account.")


def test_no_free_connection_is_retried(maria: Target) -> None:
    login = maria.create_login(requirement="with max_user_connections 1")
    with ServerFleet(QUICK).connect(SIZES, maria.instance(), login), failure(Reason.UNAVAILABLE, UnreachableError, login.password):
        refused(maria.instance(), login)


def test_a_full_server_is_retried(tmp_path: Path) -> None:
    with running(tmp_path, "--max-connections=10") as target, ExitStack() as sessions:
        login = target.create_login("PROCESS, SHOW VIEW")
        for _ in range(10):
            sessions.enter_context(ServerFleet().connect(SIZES, target.instance(), login))
        with failure(Reason.UNAVAILABLE, UnreachableError, login.password) as messages:
            refused(target.instance(), login)
        assert "Too many connections" in messages[0]
