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


@pytest.mark.parametrize("name", STATEMENTS)
def test_it_is_one_select_in_oracles_sql(name: str) -> None:
    (tree,) = sqlglot.parse(queries.load(f"probes/oracle/{name}"), read="oracle")
    assert isinstance(tree, exp.Select)


def test_sizes_are_the_files_of_each_tablespace_with_what_they_may_grow_to() -> None:
    double = OracleDouble()
    double.add_tablespace("USERS", (GIBIBYTE, 4 * GIBIBYTE), (GIBIBYTE, None))
    double.add_tablespace("TEMP", (2 * GIBIBYTE, GIBIBYTE), temporary=True)
    probe = probe_of(double)
    assert probe.server_version == "Oracle 19.0.0.0.0 (ORCLPDB1)"
    assert probe.list_databases() == ["USERS", "TEMP"]
    assert probe.measure(["USERS", "TEMP", "GONE"]) == [
        DatabaseSize("USERS", 2 * GIBIBYTE, Method.DBA_DATA_FILES, data_bytes=2 * GIBIBYTE, growth_limit_bytes=5 * GIBIBYTE),
        DatabaseSize("TEMP", 2 * GIBIBYTE, Method.DBA_DATA_FILES, data_bytes=2 * GIBIBYTE, growth_limit_bytes=2 * GIBIBYTE),
        MissingSize("GONE", Reason.VANISHED, "dropped between listing and measuring"),
    ]
    assert len(double.statements) == 4


def test_a_file_without_a_size_leaves_its_tablespace_without_one() -> None:
    double = OracleDouble()
    double.add_tablespace("OFFLINE", (GIBIBYTE, None), (None, None))
    double.add_tablespace("EMPTY")
    for missing in probe_of(double).measure(["OFFLINE", "EMPTY"]):
        assert isinstance(missing, MissingSize)
        assert missing.reason is Reason.INCOMPLETE


def test_a_view_that_may_not_be_read_comes_with_its_grant() -> None:
    double = OracleDouble()
    double.add_tablespace("USERS", (GIBIBYTE, None))
    double.hide("DBA_TEMP_FILES")
    probe = probe_of(double)
    assert [right.statement for right in probe.rights() if not right.is_held] == ['GRANT SELECT ON sys.DBA_TEMP_FILES TO "WHALEFALL";']
    assert probe.measure(["USERS"]) == [MissingSize("USERS", Reason.NO_PERMISSION, 'GRANT SELECT ON sys.DBA_TEMP_FILES TO "WHALEFALL";')]


@pytest.mark.parametrize(
    ("number", "reason", "kind"),
    [
        (942, Reason.NO_PERMISSION, SizesError),
        (1017, Reason.AUTHENTICATION_FAILED, LoginRejectedError),
        (28000, Reason.AUTHENTICATION_FAILED, LoginRejectedError),
        (1013, Reason.TIMEOUT, SizesError),
        (3113, Reason.UNAVAILABLE, SizesError),
        (1033, Reason.UNAVAILABLE, SizesError),
        (600, Reason.SERVER_ERROR, SizesError),
    ],
)
def test_errors_are_told_apart_by_number(number: int, reason: Reason, kind: type[TargetError]) -> None:
    double = OracleDouble()
    probe = probe_of(double)
    double.failure = number
    with failure(reason, kind):
        probe.list_databases()
