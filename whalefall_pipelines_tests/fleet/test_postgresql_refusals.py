"""A PostgreSQL server, or what stands in its place, that refuses the login: the right reason, and a sentence without the password.

Network failures are in `test_faults.py`.
"""

import os
import signal
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers.dead_host import answering_host
from whalefall_pipelines_tests.servers.postgresql import (
    MAJORS,
    create_database,
    create_login,
    instance_at,
    instance_of,
    new_cluster,
    superuser,
)
from whalefall_pipelines_tests.servers.probes import SECRET, failure, refused
from whalefall_pipelines_tests.servers.running import running

pytestmark = pytest.mark.process


def test_a_closed_connection_is_unavailable_and_another_protocol_is_not_postgresql() -> None:
    for sslmode in ("prefer", "disable"):
        for answer in (None, b""):
            with answering_host(answer) as host, failure(Reason.UNAVAILABLE, UnreachableError):
                refused(instance_at(host.host, host.port, sslmode=sslmode))
        for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\xff" * 100):
            with answering_host(answer) as host, failure(Reason.SERVER_ERROR, UnreachableError) as messages:
                refused(instance_at(host.host, host.port, sslmode=sslmode))
            assert messages[0].endswith("this is not PostgreSQL; check the port.")


def fatal(sqlstate: str, message: str, encoding: str = "utf-8") -> bytes:
    """The server's refusal as it is on the wire; the severity is in the server's language, too."""
    body = b"S\xd6\xc2\xc3\xfc\xb4\xed\xce\xf3\0VFATAL\0C" + sqlstate.encode() + b"\0M" + message.encode(encoding) + b"\0\0"
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


@pytest.mark.parametrize(
    ("sqlstate", "message", "reason", "kind"),
    [
        ("57P03", "the database system is starting up", Reason.UNAVAILABLE, UnreachableError),
        ("57P03", "数据库系统启动中", Reason.UNAVAILABLE, UnreachableError),
        ("57P03", "the database system is in recovery mode", Reason.UNAVAILABLE, UnreachableError),
        ("53300", "sorry, too many clients already", Reason.UNAVAILABLE, UnreachableError),
        (
            "28000",
            'no pg_hba.conf entry for user "starting up", no encryption',
            Reason.AUTHENTICATION_FAILED,
            LoginRejectedError,
        ),
        ("28P01", 'password authentication failed for user "starting up"', Reason.AUTHENTICATION_FAILED, LoginRejectedError),
        ("28P01", 'Benutzer "starting up" kommt hier nicht herein', Reason.AUTHENTICATION_FAILED, LoginRejectedError),
        ("28000", 'role "starting up" is not permitted to log in', Reason.AUTHENTICATION_FAILED, LoginRejectedError),
        ("55000", 'database "postgres" is not currently accepting connections', Reason.UNAVAILABLE, LoginRejectedError),
        ("42501", "permission denied for table logins", Reason.SERVER_ERROR, UnreachableError),
        ("P0001", "the password of the audit has expired", Reason.SERVER_ERROR, UnreachableError),
        ("08P01", "unsupported startup parameter: application_name", Reason.SERVER_ERROR, UnreachableError),
        ("00000", "nothing", Reason.SERVER_ERROR, UnreachableError),
    ],
)
def test_the_code_of_a_refusal_decides_and_neither_its_words_nor_a_name_in_them(
    sqlstate: str, message: str, reason: Reason, kind: type[TargetError]
) -> None:
    with answering_host(fatal(sqlstate, message)) as host, failure(reason, kind) as messages:
        refused(instance_at(host.host, host.port, sslmode="disable"), Login("starting up", SECRET))
    assert message in messages[0]


def test_a_refusal_in_another_encoding_is_what_its_code_says() -> None:
    with answering_host(fatal("57P03", "数据库系统启动中", "gbk")) as host, failure(Reason.UNAVAILABLE, UnreachableError):
        refused(instance_at(host.host, host.port, sslmode="disable"))
    with answering_host(fatal("28P01", "用户认证失败", "gbk")) as host, failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError):
        refused(instance_at(host.host, host.port, sslmode="disable"))


def test_a_wrong_password_and_an_unknown_login_are_rejected(newest: PostgresCluster) -> None:
    known = create_login(newest)
    for username in (known.username, 'a" starting up', 'connection to server at "x", port 1 failed: timeout expired'):
        with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError) as messages:
            refused(instance_of(newest), Login(username, SECRET))
        assert messages[0].endswith("check the credential of 'target'.")


def test_a_login_without_a_password_does_not_borrow_the_collectors(newest: PostgresCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    known = create_login(newest)
    monkeypatch.setenv("PGPASSWORD", str(known.password))
    with failure(Reason.AUTHENTICATION_FAILED, LoginRejectedError, known.password) as messages:
        refused(instance_of(newest), Login(known.username, None))
    assert "no password supplied" in messages[0]


def test_a_local_error_is_not_a_rejected_login(tmp_path: Path) -> None:
    with failure(Reason.CONNECTION_REFUSED, UnreachableError):
        refused(instance_at(str(tmp_path), 5432))  # where a server that is down would have its Unix socket
    with failure(Reason.TIMEOUT, UnreachableError) as messages:
        refused(instance_at("fe80::1", 5432))
    assert messages[0].endswith("Invalid argument; check the address, route and firewall.")


def test_a_default_database_that_does_not_exist_is_named(newest: PostgresCluster) -> None:
    login = create_login(newest)
    with failure(Reason.UNAVAILABLE, LoginRejectedError, login.password) as messages:
        refused(instance_of(newest, default_database="no such"), login)
    assert messages[0].endswith('database "no such" does not exist; correct the default database of the instance.')


def test_a_default_database_without_connect_is_reported_with_its_grant(newest: PostgresCluster) -> None:
    login, forbidden = create_login(newest, 'we"ird'), create_database(newest)
    with superuser(newest) as cursor:
        cursor.execute(f"revoke connect on database {forbidden} from public")
        with failure(Reason.NO_PERMISSION, LoginRejectedError, login.password) as messages:
            refused(instance_of(newest, default_database=forbidden), login)
        cursor.execute(messages[0].partition("; ")[2])
    with ServerFleet().connect(SIZES, instance_of(newest, default_database=forbidden), login) as probe:
        assert probe.measure([forbidden])


def test_no_free_connection_is_retried(newest: PostgresCluster) -> None:
    login = create_login(newest, None, "connection limit 0")
    with failure(Reason.UNAVAILABLE, UnreachableError, login.password):
        refused(instance_of(newest), login)


def test_a_full_server_and_one_that_is_stopping_are_retried(tmp_path: Path) -> None:
    with running(new_cluster(MAJORS[-1], tmp_path, "max_connections=4", "superuser_reserved_connections=1")) as cluster:
        login = create_login(cluster)
        with ExitStack() as sessions:
            for _ in range(3):
                sessions.enter_context(ServerFleet().connect(SIZES, instance_of(cluster), login))
            with failure(Reason.UNAVAILABLE, UnreachableError, login.password) as messages:
                refused(instance_of(cluster), login)
            assert "connection slots are reserved" in messages[0]
            process = cluster.process_id()
            assert process
            os.kill(process, signal.SIGTERM)  # waits for the sessions to end, and accepts no new ones
            deadline = time.monotonic() + 10
            while "shutting down" not in messages[0] and time.monotonic() < deadline:
                with failure(Reason.UNAVAILABLE, UnreachableError, login.password) as messages:
                    refused(instance_of(cluster), login)
            assert "the database system is shutting down" in messages[0]


@pytest.mark.parametrize(("kind", "revoked"), [("select on", "pg_database"), ("execute on function", "pg_database_size(oid)")])
def test_privileges_revoked_from_public_are_reported_with_their_grant(newest: PostgresCluster, kind: str, revoked: str) -> None:
    login = create_login(newest, f'hard"ened {revoked}')
    instance = replace(instance_of(newest), username=login.username)

    def sizes() -> list[DatabaseSize]:
        with ServerFleet().connect(SIZES, instance, login) as probe:
            return [size for size in probe.measure(list(probe.list_databases())) if isinstance(size, DatabaseSize)]

    with superuser(newest) as cursor:
        cursor.execute(f"revoke {kind} pg_catalog.{revoked} from public")
        try:
            with failure(Reason.NO_PERMISSION, SizesError, login.password) as messages:
                sizes()
            cursor.execute(messages[0].partition('database "postgres": ')[2])
            assert sizes()
        finally:
            cursor.execute(f"grant {kind} pg_catalog.{revoked} to public")
