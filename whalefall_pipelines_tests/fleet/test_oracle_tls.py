"""TLS to an Oracle (TCPS): for everything or not at all, verified for the instance's host by the authorities that it names."""

import ssl
from pathlib import Path

import pytest

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError, UnreachableError
from whalefall_pipelines_tests.servers.dead_host import silent_host
from whalefall_pipelines_tests.servers.oracle import targets
from whalefall_pipelines_tests.servers.oracle.server import OracleServer
from whalefall_pipelines_tests.servers.oracle.targets import LOGIN, new_server, probing, refused
from whalefall_pipelines_tests.servers.postgresql import Certificates, make_certificates
from whalefall_pipelines_tests.servers.probes import failure

pytestmark = targets.LEFTOVERS
leftovers = targets.leftovers


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"), address="127.0.0.1")


@pytest.fixture
def secured(made: Certificates) -> OracleServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.server, made.server_key)
    return new_server(tls=context)


@pytest.mark.parametrize(("sslmode", "host"), [("require", "127.0.0.1"), ("verify-ca", "127.0.0.1"), ("verify-full", "localhost")])
def test_everything_is_encrypted_and_verified_as_far_as_required(
    secured: OracleServer, made: Certificates, sslmode: str, host: str
) -> None:
    with secured, probing(host, secured.port, sslmode=sslmode, sslrootcert=str(made.authority)) as probe:
        assert "USERS" in probe.list_databases()


def tls_failure(server: OracleServer, host: str, **settings: str) -> str:
    with server, failure(Reason.TLS_FAILED, LoginRejectedError, LOGIN.password) as messages:
        refused(host, server.port, **settings)
    assert server.double.statements == []
    return messages[0]


@pytest.mark.parametrize("sslmode", ["verify-ca", "verify-full"])
def test_a_certificate_of_another_authority_is_refused(secured: OracleServer, made: Certificates, sslmode: str) -> None:
    message = tls_failure(secured, "localhost", sslmode=sslmode, sslrootcert=str(made.stranger))
    assert "certificate verify failed" in message


def test_without_sslrootcert_the_systems_authorities_decide(secured: OracleServer) -> None:
    assert "certificate verify failed" in tls_failure(secured, "localhost", sslmode="verify-ca")


def test_a_certificate_for_another_host_is_refused_where_that_is_required(secured: OracleServer, made: Certificates) -> None:
    tls_failure(secured, "127.0.0.1", sslmode="verify-full", sslrootcert=str(made.authority))


def test_authorities_that_cannot_be_read_are_named(secured: OracleServer, tmp_path: Path) -> None:
    assert "none.pem" in tls_failure(secured, "localhost", sslmode="verify-ca", sslrootcert=str(tmp_path / "none.pem"))


def test_a_port_without_tls_is_refused_where_tls_is_required() -> None:
    with new_server() as server, failure(Reason.UNAVAILABLE, UnreachableError, LOGIN.password):
        refused(server.host, server.port, sslmode="require")
    assert server.double.statements == []


def test_a_tls_port_is_not_a_listener_for_a_client_without_tls(secured: OracleServer) -> None:
    with secured, failure(Reason.UNAVAILABLE, UnreachableError, LOGIN.password):
        refused("127.0.0.1", secured.port, sslmode="disable")


def test_an_unanswered_handshake_takes_the_connect_deadline() -> None:
    with silent_host() as host, failure(Reason.TIMEOUT, UnreachableError, LOGIN.password, within=4):
        refused(host.host, host.port, sslmode="require")
