"""The Oracle for tests as a target: a server with the login that probes use, and a probe of it."""

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.oracle.sizes import connect
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sizes import SizesProbe
from whalefall_pipelines_tests.servers.oracle.double import GIBIBYTE, OracleDouble
from whalefall_pipelines_tests.servers.oracle.server import OracleServer
from whalefall_pipelines_tests.servers.probes import PATIENT, QUICK

LOGIN = Login("monitor", "päss'\\ \"w}o{r;d")
# For tests in which connections break.
LEFTOVERS = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def small_double() -> OracleDouble:
    """Two tablespaces besides the system's."""
    double = OracleDouble()
    double.add_tablespace("SYSTEM", (GIBIBYTE, None))
    double.add_tablespace("USERS", (GIBIBYTE, 4 * GIBIBYTE), used_blocks=5)
    double.add_tablespace("TEMP", (2 * GIBIBYTE, None), contents="TEMPORARY")
    return double


def new_server(double: OracleDouble | None = None, **options: object) -> OracleServer:
    """A server with the login that probes use, not yet listening."""
    server = OracleServer(double or small_double(), **options)  # type: ignore[arg-type]
    server.passwords[LOGIN.username] = str(LOGIN.password)
    return server


def instance_at(host: str, port: int, **settings: str | None) -> Instance:
    """A registered instance at this address."""
    return Instance(1, "target", Engine.ORACLE, host, port, LOGIN.username, **settings)


@contextmanager
def probing(
    host: str, port: int, login: Login = LOGIN, deadlines: Deadlines = PATIENT, watchdog: Watchdog | None = None, **settings: str | None
) -> Generator[SizesProbe]:
    """An open probe."""
    with connect(instance_at(host, port, **settings), login, deadlines, watchdog or Watchdog()) as probe:
        yield probe


def refused(host: str, port: int, login: Login = LOGIN, deadlines: Deadlines = QUICK, **settings: str | None) -> None:
    """A probe that must fail."""
    with probing(host, port, login, deadlines, **settings):
        raise AssertionError("connected")


@pytest.fixture(autouse=True)
def leftovers() -> Generator[None]:
    """Python-oracledb leaves the socket of a broken connection to the garbage collector: collect it here, not in a later test."""
    yield
    gc.collect()


@pytest.fixture
def server() -> Generator[OracleServer]:
    """A server whose login has all the privileges that the documents require."""
    with new_server() as started:
        yield started


def unload_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process one in which python-oracledb is not installed."""
    for module in ("sizes", "probe", "connection"):
        monkeypatch.delitem(sys.modules, f"whalefall_pipelines.fleet.oracle.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "oracledb", None)
