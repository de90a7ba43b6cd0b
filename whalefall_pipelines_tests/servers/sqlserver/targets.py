"""The SQL Server for tests as a target: probed through each ODBC driver of this machine, plain or over TLS."""

import os
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sqlserver.odbc import Driver, available_drivers
from whalefall_pipelines.fleet.sqlserver.sizes import SqlServerSizes, connect_through
from whalefall_pipelines_tests.servers.postgresql import make_certificates
from whalefall_pipelines_tests.servers.probes import PATIENT, QUICK
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer

DRIVERS = ("microsoft", "freetds")
BACKUPS = ("SELECT ON msdb.dbo.backupset", "SELECT ON msdb.dbo.backupfile")
MINIMAL = ("VIEW ANY DEFINITION",)
SEES_STATE = "VIEW SERVER STATE"
EVERYTHING = (*MINIMAL, "CONNECT ANY DATABASE", SEES_STATE, *BACKUPS)
LOGIN = Login("monitor", "päss'\\ \"w}o{r;d")


def driver_of(name: str) -> Driver:
    """The driver of this family; without it the test is skipped, and under CI it fails."""
    chosen = next((driver for driver in available_drivers() if driver.is_microsoft is (name == "microsoft")), None)
    if chosen is None:
        message = f"no ODBC driver of {name} here: install the extra `dev`, or tdsodbc"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return chosen


def new_server(*rights: str, **options: object) -> SqlServer:
    """A server with the login that probes use, not yet listening."""
    server = SqlServer(**options)  # type: ignore[arg-type]
    server.catalogue.add_login(LOGIN.username, str(LOGIN.password), *(rights or EVERYTHING))
    return server


def instance_at(host: str, port: int, **settings: str | None) -> Instance:
    """A registered instance at this address."""
    return Instance(1, "target", Engine.SQLSERVER, host, port, LOGIN.username, **settings)


@contextmanager
def probing(
    driver: Driver,
    server: SqlServer,
    login: Login = LOGIN,
    deadlines: Deadlines = PATIENT,
    watchdog: Watchdog | None = None,
    **settings: str | None,
) -> Generator[SqlServerSizes]:
    """An open probe."""
    instance = instance_at(server.host, server.port, **settings)
    with connect_through(driver, instance, login, deadlines, watchdog or Watchdog()) as probe:
        yield probe


def connect(driver: Driver, instance: Instance, login: Login = LOGIN, deadlines: Deadlines = QUICK) -> None:
    """A probe that must fail."""
    with connect_through(driver, instance, login, deadlines, Watchdog()):
        raise AssertionError("connected")


def tls_context(folder: Path) -> ssl.SSLContext:
    """TLS 1.2 at most, which is the limit of TDS 7.4, with a certificate that no system trusts; its authority is `authority.pem`."""
    made = make_certificates(folder, address="127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(made.server, made.server_key)
    return context


# Fixtures; a test module uses those that it needs by assigning them to its own names.


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Driver:
    """Each driver in turn."""
    return driver_of(request.param)


@pytest.fixture
def server() -> Generator[SqlServer]:
    """A server whose login has all the privileges that the documents require."""
    with new_server() as started:
        yield started
