"""The queries of the Oracle adapter and how it reads the answers: its statements run over a dictionary as Oracle documents it.

Connecting is in `test_oracle_refusals.py`, recovery from AWR in `test_oracle_history.py`.
"""

import re
from collections.abc import Iterator

import pytest
import sqlglot
from sqlglot import exp

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Engine, Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, Method, MissingSize
from whalefall_pipelines.errors import LoginRejectedError, SizesError, TargetError
from whalefall_pipelines.fleet.deadlines import Watch
from whalefall_pipelines.fleet.oracle.sizes import OracleSizes
from whalefall_pipelines_tests.servers.oracle.double import (
    BLOCK,
    GIBIBYTE,
    HISTORY,
    IDENTIFIERS,
    IDENTITY,
    NEEDED,
    USED,
    VIEWS,
    VOLUMES,
    OracleDouble,
)
from whalefall_pipelines_tests.servers.probes import failure

STATEMENTS = sorted(path.stem for path in (queries.SQL_ROOT / "probes" / "oracle").glob("*.sql"))
VANISHED = (Reason.VANISHED, "dropped between listing and measuring")


def probe_of(double: OracleDouble) -> OracleSizes:
    return OracleSizes(double, Instance(1, "target", Engine.ORACLE, "db", 1521, "monitor"), Watch())


def grants(*views: str) -> str:
    return " ".join(f'GRANT SELECT ON sys.{view} TO "WHALEFALL";' for view in views)


def size(name: str, file_bytes: int, limit_bytes: int, used_bytes: int | None = None) -> DatabaseSize:
    return DatabaseSize(
        name, file_bytes, Method.DBA_DATA_FILES, data_bytes=file_bytes, growth_limit_bytes=limit_bytes, used_bytes=used_bytes
    )


@pytest.fixture
def double() -> Iterator[OracleDouble]:
    """Three tablespaces, of which one is temporary."""
    made = OracleDouble()
    made.add_tablespace("USERS", (GIBIBYTE, 4 * GIBIBYTE), (GIBIBYTE, None), used_blocks=5)
    made.add_tablespace("UNDO", (GIBIBYTE, None), contents="UNDO")
    made.add_tablespace("TEMP", (2 * GIBIBYTE, GIBIBYTE), contents="TEMPORARY", used_blocks=7)
    yield made
    made.database.close()


@pytest.mark.parametrize("name", STATEMENTS)
def test_it_is_one_query_in_oracles_sql(name: str) -> None:
    text = re.sub(r"%\((\w+)\)s", r":\1", queries.load(f"probes/oracle/{name}")).replace("%%", "%")
    (tree,) = sqlglot.parse(text, read="oracle")
    assert isinstance(tree, exp.Query)
    assert not list(tree.find_all(exp.Insert, exp.Update, exp.Delete, exp.Command, exp.Into, exp.Star))
    assert all(column.alias_or_name for column in tree.selects)


def test_sizes_are_the_files_of_each_tablespace_with_what_they_may_grow_to_and_what_is_in_use(double: OracleDouble) -> None:
    probe = probe_of(double)
    assert probe.server_version == "Oracle 19.0.0.0.0 (ORCLPDB1)"
    assert list(probe.list_databases()) == ["USERS", "UNDO", "TEMP"]
    assert probe.measure(["USERS", "UNDO", "TEMP", "GONE"]) == [
        size("USERS", 2 * GIBIBYTE, 5 * GIBIBYTE, 5 * BLOCK),
        size("UNDO", GIBIBYTE, GIBIBYTE),
        size("TEMP", 2 * GIBIBYTE, 2 * GIBIBYTE, 7 * BLOCK),
        MissingSize("GONE", *VANISHED),
    ]
    assert len(double.statements) == 7


def test_a_tablespace_dropped_between_listing_and_measuring_has_vanished(double: OracleDouble) -> None:
    probe = probe_of(double)
    assert "USERS" in probe.list_databases()
    double.drop_tablespaces(["USERS"])
    assert probe.measure(["USERS"]) == [MissingSize("USERS", *VANISHED)]


def test_a_file_without_a_size_leaves_its_tablespace_without_one(double: OracleDouble) -> None:
    double.add_tablespace("OFFLINE", (GIBIBYTE, None), (None, None))
    double.add_tablespace("GONE", (None, None))
    double.add_tablespace("EMPTY")
    for missing in probe_of(double).measure(["OFFLINE", "GONE", "EMPTY"]):
        assert isinstance(missing, MissingSize)
        assert missing.reason is Reason.INCOMPLETE


def test_every_privilege_has_its_grant(double: OracleDouble) -> None:
    assert all(right.is_held for right in probe_of(double).privileges())
    double.revoke(*VIEWS)
    rights = probe_of(double).privileges()
    assert [(right.statement, right.is_held, right.is_optional) for right in rights] == [
        *((grants(view), False, False) for view in NEEDED),
        (grants(USED), False, True),
        (grants(*IDENTITY), False, True),
        (grants(*IDENTIFIERS), False, True),
        (grants(*VOLUMES), False, True),
        (grants(*HISTORY), False, True),
    ]


def test_without_the_list_of_tablespaces_the_listing_is_refused(double: OracleDouble) -> None:
    """The contents of user_tablespaces would look as if all others had been dropped."""
    double.revoke("dba_tablespaces")
    probe = probe_of(double)
    for ask in (probe.list_databases, lambda: probe.measure(["USERS"])):
        with failure(Reason.NO_PERMISSION, SizesError) as messages:
            ask()
        assert messages[0].endswith(f"run on that server: {grants('dba_tablespaces')}")


@pytest.mark.parametrize(
    ("view", "measured", "missing"), [("dba_temp_files", ["USERS", "UNDO"], ["TEMP"]), ("dba_data_files", ["TEMP"], ["USERS", "UNDO"])]
)
def test_an_unreadable_list_of_files_affects_only_its_tablespaces(
    double: OracleDouble, view: str, measured: list[str], missing: list[str]
) -> None:
    double.revoke(view)
    outcomes = probe_of(double).measure(["USERS", "UNDO", "TEMP"])
    assert [outcome.database_name for outcome in outcomes if isinstance(outcome, DatabaseSize)] == measured
    assert [outcome for outcome in outcomes if isinstance(outcome, MissingSize)] == [
        MissingSize(name, Reason.NO_PERMISSION, grants(view)) for name in missing
    ]


def test_used_space_is_unknown_where_the_query_is_not_allowed_or_fails(double: OracleDouble) -> None:
    double.failure, double.failure_on = 1013, USED
    assert probe_of(double).measure(["USERS"]) == [size("USERS", 2 * GIBIBYTE, 5 * GIBIBYTE)]
    double.failure = None
    double.revoke(USED)
    assert probe_of(double).measure(["USERS"]) == [size("USERS", 2 * GIBIBYTE, 5 * GIBIBYTE)]


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
        (604, Reason.SERVER_ERROR, SizesError),  # "at recursive SQL level": memory, disk, anything; the cause is on the next line
    ],
)
def test_errors_are_distinguished_by_number(double: OracleDouble, number: int, reason: Reason, kind: type[TargetError]) -> None:
    probe = probe_of(double)
    double.failure = number
    with failure(reason, kind):
        probe.list_databases()
