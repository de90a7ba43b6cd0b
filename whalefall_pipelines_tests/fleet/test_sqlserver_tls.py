"""TLS inside TDS: for the login only or for everything, verified where the driver can, refused by a sentence when it does not match."""

import os
import ssl
import subprocess
import sys
from pathlib import Path

import pyodbc
import pytest

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError
from whalefall_pipelines.fleet.sqlserver.odbc import Driver, connection_string
from whalefall_pipelines_tests.servers.probes import failure
from whalefall_pipelines_tests.servers.sqlserver import targets
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.targets import LOGIN, connect, driver_of, instance_at, new_server, probing, tls_context

driver = targets.driver
# A probe in its own process, whose environment says which authorities the system trusts.
PROBE = """
import sys
from whalefall_pipelines_tests.servers.sqlserver.targets import LOGIN, driver_of, instance_at
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.sqlserver.sizes import connect_through
from whalefall_pipelines_tests.servers.probes import QUICK
instance = instance_at(sys.argv[1], int(sys.argv[2]), sslmode="verify-full")
with connect_through(driver_of("microsoft"), instance, LOGIN, QUICK, Watchdog()) as probe:
    print(len(probe.list_databases()))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def context(folder: Path) -> ssl.SSLContext:
    return tls_context(folder)


@pytest.mark.parametrize(
    ("sslmode", "forces", "login_only"),
    [(None, False, True), ("prefer", False, True), ("require", False, False), (None, True, False), ("require", True, False)],
)
def test_the_password_is_always_encrypted_and_everything_when_either_side_wants_it(
    driver: Driver, context: ssl.SSLContext, sslmode: str | None, forces: bool, login_only: bool
) -> None:
    with new_server(tls=context, forces_encryption=forces) as server:
        server.catalogue.add_database("shop", container_pages=7)
        with probing(driver, server, sslmode=sslmode) as probe:
            assert len(probe.measure(list(probe.list_databases()))) == 5
        (session,) = server.sessions
        assert (session.is_login_encrypted, session.is_encrypted) == (True, not login_only)


def test_disable_is_what_the_driver_has_for_it(driver: Driver, context: ssl.SSLContext) -> None:
    """FreeTDS sends everything in plain text; Microsoft's driver always encrypts at least the login."""
    with new_server(tls=context) as server, probing(driver, server, sslmode="disable"):
        (session,) = server.sessions
        assert (session.is_login_encrypted, session.is_encrypted) == (driver.is_microsoft, False)


def refused(driver: Driver, server: SqlServer, **settings: str | None) -> str:
    with failure(Reason.TLS_FAILED, LoginRejectedError, LOGIN.password) as messages:
        connect(driver, instance_at(server.host, server.port, **settings))
    assert server.statements == []
    return messages[0]


def test_a_server_without_tls_is_refused_where_it_is_required(driver: Driver) -> None:
    with new_server() as server:
        assert refused(driver, server, sslmode="require").endswith("check sslmode of the instance, and the server's certificate.")


def test_a_certificate_that_nobody_trusts_is_refused(context: ssl.SSLContext) -> None:
    with new_server(tls=context) as server:
        for sslmode in ("verify-ca", "verify-full"):
            assert "certificate verify failed" in refused(driver_of("microsoft"), server, sslmode=sslmode)


def test_what_a_driver_cannot_verify_is_refused_by_a_sentence(driver: Driver, context: ssl.SSLContext, folder: Path) -> None:
    with new_server(tls=context) as server:
        message = refused(driver, server, sslmode="verify-full", sslrootcert=str(folder / "authority.pem"))
        assert "Add yours there (update-ca-certificates)" in message
        if not driver.is_microsoft:
            assert "FreeTDS cannot verify a certificate" in refused(driver, server, sslmode="verify-full")


def test_the_drivers_own_way_to_name_a_certificate_verifies_nothing_in_tds_7(context: ssl.SSLContext, folder: Path) -> None:
    """Why sslrootcert is refused: ServerCertificate works only with Encrypt=strict (TDS 8), and is otherwise silently ignored."""
    driver = driver_of("microsoft")
    with new_server(tls=context) as server:
        text = connection_string(driver, instance_at("localhost", server.port, sslmode="require"), LOGIN)
        pyodbc.connect(f"{text}ServerCertificate={folder / 'stranger.pem'};", timeout=5).close()
        verified = connection_string(driver, instance_at("localhost", server.port, sslmode="verify-full"), LOGIN)
        with pytest.raises(pyodbc.Error, match="certificate verify failed"):
            pyodbc.connect(f"{verified}ServerCertificate={folder / 'server.pem'};", timeout=5)


@pytest.mark.process
def test_a_certificate_of_a_trusted_authority_is_accepted_for_its_own_host_only(context: ssl.SSLContext, folder: Path) -> None:
    driver_of("microsoft")
    environment = os.environ | {"SSL_CERT_FILE": str(folder / "authority.pem")}
    with new_server(tls=context) as server:
        for host, is_accepted in (("localhost", True), ("127.0.0.1", False)):  # the driver does not read addresses in certificates
            command = [sys.executable, "-c", PROBE, host, str(server.port)]
            result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
            assert (result.stdout == "4\n") is is_accepted, result.stderr
            assert is_accepted or "does not match host name" in result.stderr
