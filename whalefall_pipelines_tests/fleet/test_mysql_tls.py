"""The MySQL adapter and TLS: sslmode and sslrootcert of the instance, as libpq reads them."""

import time
from pathlib import Path

import pytest

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import LoginRejectedError, UnreachableError
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines_tests.servers.dead_host import silent_host
from whalefall_pipelines_tests.servers.mariadb import Target, instance_at, measure, probing, running
from whalefall_pipelines_tests.servers.postgresql import make_certificates
from whalefall_pipelines_tests.servers.probes import failure, refused

pytestmark = pytest.mark.process


def test_tls_is_used_as_the_instance_says(tmp_path: Path) -> None:
    made = make_certificates(tmp_path, address="127.0.0.1")
    with running(tmp_path / "server", f"--ssl-cert={made.server}", f"--ssl-key={made.server_key}", f"--ssl-ca={made.authority}") as target:
        encrypted, plain = target.create_login(requirement="require ssl"), target.create_login()
        trusted, distrusted = str(made.authority), str(made.stranger)
        for settings in (
            {"sslmode": None},
            {"sslmode": "prefer"},
            {"sslmode": "require"},
            {"sslmode": "require", "sslrootcert": trusted},
            {"sslmode": "verify-ca", "sslrootcert": trusted},
            {"sslmode": "verify-full", "sslrootcert": trusted},
        ):
            with probing(target, encrypted, **settings) as probe:
                assert probe.list_databases()
        with probing(target, plain, sslmode="disable") as probe:
            assert probe.list_databases()
        for login, settings, reason in (
            (encrypted, {"sslmode": "disable"}, Reason.AUTHENTICATION_FAILED),
            (plain, {"sslmode": "verify-full"}, Reason.TLS_FAILED),
            (plain, {"sslmode": "verify-ca", "sslrootcert": distrusted}, Reason.TLS_FAILED),
            (plain, {"sslmode": "require", "sslrootcert": distrusted}, Reason.TLS_FAILED),
            (plain, {"sslmode": "require", "sslrootcert": "/nowhere.pem"}, Reason.TLS_FAILED),
            (plain, {"sslmode": "sometimes"}, Reason.TLS_FAILED),
        ):
            with pytest.raises(LoginRejectedError) as caught, probing(target, login, **settings):
                pass
            assert caught.value.reason is reason, settings


def test_a_server_that_wants_tls_is_not_called_without(mysql: Target) -> None:
    login = mysql.create_login()
    mysql.ask("set global require_secure_transport = on")
    try:
        assert measure(mysql, "sys", login=login)
        with pytest.raises(LoginRejectedError, match="insecure transport") as caught, probing(mysql, login, sslmode="disable"):
            pass
        assert caught.value.reason is Reason.TLS_FAILED
    finally:
        mysql.ask("set global require_secure_transport = off")


def test_the_name_of_the_server_is_verified_only_by_verify_full(tmp_path: Path) -> None:
    made = make_certificates(tmp_path, address="127.0.0.2")
    with running(tmp_path / "server", f"--ssl-cert={made.server}", f"--ssl-key={made.server_key}") as target:
        with probing(target, sslmode="verify-ca", sslrootcert=str(made.authority)) as probe:
            assert probe.list_databases()
        with (
            pytest.raises(LoginRejectedError, match="IP address mismatch"),
            probing(target, sslmode="verify-full", sslrootcert=str(made.authority)),
        ):
            pass


def test_tls_that_the_server_does_not_offer_is_refused_by_us(tmp_path: Path) -> None:
    with running(tmp_path, "--skip-ssl") as target:
        with probing(target) as probe:
            assert probe.list_databases()
        with pytest.raises(LoginRejectedError, match="SSL is required") as caught, probing(target, sslmode="require"):
            pass
        assert caught.value.reason is Reason.TLS_FAILED


@pytest.mark.parametrize("sslmode", ["require", "disable"])
def test_a_host_that_says_nothing_costs_the_connect_deadline_with_tls_and_without(sslmode: str) -> None:
    begun = time.monotonic()
    with silent_host() as host, failure(Reason.TIMEOUT, UnreachableError, within=2):
        refused(instance_at(host.host, host.port, sslmode=sslmode), deadlines=Deadlines(1, 300, 300))
    assert time.monotonic() - begun > 0.9
