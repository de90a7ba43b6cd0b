"""The Oracle adapter without an Oracle: real listeners that refuse, stay silent or are none, and its statements over DuckDB."""

import threading
import time

import pytest
import sqlglot
from sqlglot import exp

from whalefall_pipelines import queries
from whalefall_pipelines.domain.capacity import DatabaseSize, Method, MissingSize, Reason
from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError, UnreachableError
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.oracle import OracleProbe, connect
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines_tests.servers.dead_host import REFUSING, answering_host, dead_host, silent_host
from whalefall_pipelines_tests.servers.oracle import GIBIBYTE, OracleDouble, refusal
from whalefall_pipelines_tests.servers.postgresql import SECRET, failure

# python-oracledb leaves the socket of a connection that was reset to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
LOGIN = Login("monitor", SECRET)
QUICK = Deadlines(connect_seconds=1, statement_seconds=30, instance_seconds=1)
STATEMENTS = sorted(path.stem for path in (queries.SQL_ROOT / "probes" / "oracle").glob("*.sql"))


def instance_at(host: str, port: int, **settings: str | None) -> Instance:
    return Instance(1, "target", Engine.ORACLE, host, port, "monitor", **settings)


def visit(host: str, port: int, **settings: str | None) -> None:
    with connect(instance_at(host, port, **settings), LOGIN, QUICK, Watchdog()):
        raise AssertionError("connected")


def probe_of(double: OracleDouble) -> OracleProbe:
    return OracleProbe(double, instance_at("db", 1521), Watch())


def test_a_port_without_a_listener_is_refused() -> None:
    with failure(Reason.CONNECTION_REFUSED, UnreachableError):
        visit(REFUSING.host, REFUSING.port)


def test_a_dead_host_and_an_unknown_one_are_told_apart() -> None:
    with dead_host() as host, failure(Reason.TIMEOUT, UnreachableError, within=3):
        visit(host.host, host.port)
    with failure(Reason.HOST_UNKNOWN, UnreachableError, within=20):
        visit("no.such.host.invalid", 1521)


def test_a_listener_that_says_nothing_costs_the_deadline_and_blocks_nobody_else() -> None:
    """The driver itself would wait for ever, and hold every other connection of the process until then."""
    begun = time.monotonic()
    with silent_host() as silent, answering_host(refusal(12514), "127.0.0.2") as refusing:
        waiting = threading.Thread(target=lambda: _expect_timeout(silent.host, silent.port))
        waiting.start()
        time.sleep(0.2)
        with failure(Reason.UNAVAILABLE, UnreachableError, within=0.7):
            visit(refusing.host, refusing.port)
        waiting.join(10)
    assert 0.9 < time.monotonic() - begun < 3


def _expect_timeout(host: str, port: int) -> None:
    with failure(Reason.TIMEOUT, UnreachableError, within=3):
        visit(host, port)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(12514), "the listener has no such service"),
        (refusal(12505), "the listener has no such service"),
        (refusal(12516), "it will be tried again"),
        (refusal(12528), "it will be tried again"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "it hung up, or is no Oracle"),
        (b"", "it hung up, or is no Oracle"),
        (None, "it hung up"),
    ],
)
def test_what_a_listener_refuses_and_what_is_none_is_unavailable(answer: bytes | None, words: str) -> None:
    with answering_host(answer) as host, failure(Reason.UNAVAILABLE, UnreachableError) as said:
        visit(host.host, host.port)
    assert words in said[0]


def test_tls_is_refused_by_a_sentence_and_not_forgotten() -> None:
    with failure(Reason.TLS_FAILED, LoginRejectedError):
        visit(REFUSING.host, REFUSING.port, sslmode="require")



