"""TLS to a PostgreSQL server: used when offered, verified when required, refused by a sentence when it does not match."""

from collections.abc import Iterator

import pytest

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize
from whalefall_pipelines.errors import LoginRejectedError, TargetError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers.postgresql import create_login, instance_of, make_certificates, new_cluster, superuser
from whalefall_pipelines_tests.servers.running import running

pytestmark = pytest.mark.process


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresCluster]:
    """PostgreSQL 17, the build with TLS, with certificates in its folder."""
    folder = tmp_path_factory.mktemp("tls")
    made = make_certificates(folder, address="127.0.0.1")
    options = ("listen_addresses=127.0.0.1,127.0.0.2", "ssl=on", f"ssl_cert_file={made.server}", f"ssl_key_file={made.server_key}")
    with running(new_cluster(17, folder, *options)) as cluster:
        yield cluster


@pytest.mark.parametrize("sslmode", [None, "require", "verify-ca", "verify-full"])
def test_tls_is_used_and_the_certificate_is_verified(tls: PostgresCluster, sslmode: str | None) -> None:
    login = create_login(tls)
    instance = instance_of(tls, sslmode=sslmode, sslrootcert=str(tls.folder / "authority.pem"))
    with ServerFleet().connect(SIZES, instance, login) as probe:
        assert isinstance(probe.measure(["postgres"])[0], DatabaseSize)
        with superuser(tls) as cursor:
            cursor.execute("select ssl from pg_stat_ssl inner join pg_stat_activity using (pid) where usename = %s", (login.username,))
            assert cursor.fetchall() == [(True,)]


def refused(server: PostgresCluster, login: Login, **settings: str | None) -> TargetError:
    with pytest.raises(LoginRejectedError) as caught, ServerFleet().connect(SIZES, instance_of(server, **settings), login):
        raise AssertionError("connected")
    return caught.value


def test_a_certificate_that_does_not_fit_is_refused_by_a_sentence(tls: PostgresCluster, newest: PostgresCluster) -> None:
    login = create_login(tls)
    stranger, missing = str(tls.folder / "stranger.pem"), str(tls.folder / "missing.pem")
    for settings in ({"sslmode": "verify-full", "sslrootcert": stranger}, {"sslmode": "verify-ca", "sslrootcert": missing}):
        error = refused(tls, login, **settings)
        assert error.reason is Reason.TLS_FAILED
        assert str(error).endswith("check sslmode and sslrootcert of the instance.")
    error = refused(newest, login, sslmode="require")
    assert error.reason is Reason.TLS_FAILED
    assert "server does not support SSL" in str(error)


def test_a_certificate_for_another_host_is_refused(tls: PostgresCluster) -> None:
    login = create_login(tls)
    settings = {"sslmode": "verify-full", "sslrootcert": str(tls.folder / "authority.pem")}
    instance = instance_of(PostgresCluster(tls.bin_dir, tls.folder, host="127.0.0.2"), **settings)
    with pytest.raises(LoginRejectedError, match="does not match host name") as caught, ServerFleet().connect(SIZES, instance, login):
        raise AssertionError("connected")
    assert caught.value.reason is Reason.TLS_FAILED
