"""The SQL Server adapter through both ODBC drivers: sizes, states, privileges, names, and its behaviour on the server.

The server is ours (`servers/sqlserver/`): it executes the statements over a catalogue as Microsoft documents it.
"""

import time

import pytest

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, Method, MissingSize
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sqlserver.odbc import Driver
from whalefall_pipelines_tests.servers.probes import failure
from whalefall_pipelines_tests.servers.sqlserver import targets
from whalefall_pipelines_tests.servers.sqlserver.messages import ServerError
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.targets import BACKUPS, LOGIN, MINIMAL, SEES_STATE, new_server, probing

driver, server = targets.driver, targets.server
PAGE = 8192
HOSTILE = [
    "'; drop table x; --",
    "[br]ackets]",
    '"quoted"',
    "100% %(x)s",
    "new\nline",
    "🐋",
    "x" * 128,
    "UPPER",
    "  lead",
    "{database_name}",
    "wh?t",
]


def size(
    name: str, data_pages: int, log_pages: int, *, used_pages: int | None = None, method: Method = Method.MASTER_FILES
) -> DatabaseSize:
    data_bytes, log_bytes, used_bytes = data_pages * PAGE, log_pages * PAGE, None if used_pages is None else used_pages * PAGE
    return DatabaseSize(name, data_bytes + log_bytes, method, data_bytes=data_bytes, log_bytes=log_bytes, used_bytes=used_bytes)


def test_data_and_log_are_the_allocated_files_of_each_database(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop", data_pages=(1000, 24), log_pages=128)
    server.catalogue.add_database("crm", data_pages=1, log_pages=2, defunct_pages=5000)
    with probing(driver, server) as probe:
        assert set(probe.list_databases()) == {"master", "model", "msdb", "tempdb", "shop", "crm"}
        assert probe.measure(["crm", "shop"]) == [size("crm", 1, 2), size("shop", 1024, 128)]
        assert probe.server_version == "SQL Server 16.0.4135.4"
        assert ("msodbcsql" if driver.is_microsoft else "tdsodbc") in probe.driver


def test_sixteen_terabytes_do_not_overflow(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("huge", data_pages=(2**31 - 1, 2**31 - 1))
    with probing(driver, server) as probe:
        assert probe.measure(["huge"]) == [size("huge", 2 * (2**31 - 1), 128)]


@pytest.mark.parametrize(
    ("most_pages", "growth", "limit_pages"),
    [(-1, 8192, None), (5000, 8192, 2 * 5000 + 2**28), (0, 8192, 2 * 100 + 2**28), (-1, 0, 2 * 100 + 128), (5000, 0, 2 * 100 + 128)],
)
def test_the_growth_limit_is_that_of_all_files_together(
    driver: Driver, server: SqlServer, most_pages: int, growth: int, limit_pages: int | None
) -> None:
    server.catalogue.add_database("shop", data_pages=(100, 100), most_pages=most_pages, growth=growth)
    server.catalogue.add_database("docs", container_pages=1, most_pages=5000)
    with probing(driver, server) as probe:
        limits = [outcome.growth_limit_bytes for outcome in probe.measure(["shop", "docs"]) if isinstance(outcome, DatabaseSize)]
    assert limits == [None if limit_pages is None else limit_pages * PAGE, None]


def test_a_snapshot_is_not_a_database(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop")
    server.catalogue.add_database("shop_at_noon", snapshot_of="shop")
    with probing(driver, server) as probe:
        assert "shop_at_noon" not in probe.list_databases()
        assert probe.measure(["shop_at_noon"]) == [MissingSize("shop_at_noon", Reason.VANISHED, "dropped between listing and measuring")]


@pytest.mark.parametrize("state", ["OFFLINE", "EMERGENCY"])
def test_closed_files_stand_still_and_are_measured(driver: Driver, server: SqlServer, state: str) -> None:
    server.catalogue.add_database("archive", state=state)
    with probing(driver, server) as probe:
        assert probe.measure(["archive"]) == [size("archive", 1024, 128)]


@pytest.mark.parametrize("state", ["RESTORING", "RECOVERING", "RECOVERY_PENDING", "SUSPECT", "COPYING"])
def test_files_that_may_be_incomplete_are_missing_and_neighbours_are_measured(driver: Driver, server: SqlServer, state: str) -> None:
    server.catalogue.add_database("broken", state=state)
    server.catalogue.add_database("fine")
    with probing(driver, server) as probe:
        missing, measured = probe.measure(["broken", "fine"])
    assert isinstance(missing, MissingSize)
    assert (missing.reason, state in missing.detail) == (Reason.UNAVAILABLE, True)
    assert measured == size("fine", 1024, 128)


def test_a_database_dropped_between_listing_and_measuring_has_vanished(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("gone")
    with probing(driver, server) as probe:
        assert "gone" in probe.list_databases()
        server.catalogue.drop_database("gone")
        assert probe.measure(["gone"]) == [MissingSize("gone", Reason.VANISHED, "dropped between listing and measuring")]


def test_containers_are_counted_where_the_login_can_connect_to_the_database(driver: Driver) -> None:
    with new_server(*MINIMAL) as server:
        server.catalogue.add_database("shop", container_pages=77)
        server.catalogue.add_database("fine")
        with probing(driver, server) as probe:
            missing, measured = probe.measure(["shop", "fine"])
            assert missing == MissingSize("shop", Reason.NO_PERMISSION, "GRANT CONNECT ANY DATABASE TO [monitor];")
            assert measured == size("fine", 1024, 128)
            server.catalogue.grant(LOGIN.username, "CONNECT ANY DATABASE")
            assert probe.measure(["shop"]) == [size("shop", 1024 + 77, 128)]


def test_containers_of_a_closed_database_are_unknown(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop", container_pages=77, state="OFFLINE")
    with probing(driver, server) as probe:
        (missing,) = probe.measure(["shop"])
    assert isinstance(missing, MissingSize)
    assert (missing.reason, "offline" in missing.detail) == (Reason.UNAVAILABLE, True)


def test_without_the_privilege_to_see_files_every_database_is_missing_with_the_grant(driver: Driver) -> None:
    with new_server("CONNECT SQL") as server:
        server.catalogue.add_database("shop")
        with probing(driver, server) as probe:
            grant = "GRANT VIEW ANY DEFINITION TO [monitor];"
            assert probe.measure(["shop"]) == [MissingSize("shop", Reason.NO_PERMISSION, grant)]
        server.catalogue.grant(LOGIN.username, "VIEW ANY DEFINITION")
        with probing(driver, server) as probe:
            assert probe.measure(["shop"]) == [size("shop", 1024, 128)]


def test_a_listing_that_hides_databases_is_refused_instead_of_believed(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop")
    server.catalogue.revoke(LOGIN.username, "VIEW ANY DATABASE")
    with probing(driver, server) as probe, failure(Reason.NO_PERMISSION, SizesError, LOGIN.password) as messages:
        probe.list_databases()
    assert messages[0].endswith("run on that server: GRANT VIEW ANY DATABASE TO [monitor];")


def test_missing_privileges_are_reported_with_their_grants(driver: Driver) -> None:
    with new_server(*MINIMAL) as server:
        with probing(driver, server) as probe:
            assert {right.statement: right.is_held for right in probe.privileges() if not right.is_optional} == {
                "GRANT VIEW ANY DATABASE TO [monitor];": True,
                "GRANT VIEW ANY DEFINITION TO [monitor];": True,
            }
            assert [right.is_held for right in probe.privileges() if right.is_optional] == [False, False, False]
        for right in ("CONNECT ANY DATABASE", SEES_STATE, *BACKUPS):
            server.catalogue.grant(LOGIN.username, right)
        with probing(driver, server) as probe:
            assert all(right.is_held for right in probe.privileges())


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_database_names_are_measured_with_their_containers(driver: Driver, server: SqlServer, name: str) -> None:
    server.catalogue.add_database(name, container_pages=7, used_pages=5)
    with probing(driver, server) as probe:
        assert name in probe.list_databases()
        assert probe.measure([name]) == [size(name, 1024 + 7, 128, used_pages=5 + 7)]


def test_a_probe_sends_four_statements_and_names_itself(driver: Driver, server: SqlServer) -> None:
    with probing(driver, server) as probe:
        probe.measure(list(probe.list_databases()))
    (session,) = server.sessions
    assert [text for text in session.statements if text.startswith("-- ")] == session.statements[-4:]
    assert session.application == "whalefall"


@pytest.mark.parametrize(
    ("number", "severity", "reason"),
    [
        (229, 14, Reason.NO_PERMISSION),
        (8134, 16, Reason.SERVER_ERROR),
        (8115, 16, Reason.SERVER_ERROR),
        (208, 16, Reason.SERVER_ERROR),
        (1222, 16, Reason.TIMEOUT),
        (1205, 13, Reason.UNAVAILABLE),
        (596, 21, Reason.UNAVAILABLE),
        (49999, 16, Reason.SERVER_ERROR),
    ],
)
def test_errors_mean_the_same_through_either_driver(driver: Driver, server: SqlServer, number: int, severity: int, reason: Reason) -> None:
    with probing(driver, server) as probe:
        server.next_error = ServerError(number, "A message; [with] (4060) of its own.", severity=severity)
        with failure(reason, SizesError, LOGIN.password) as messages:
            probe.list_databases()
    assert reason is Reason.TIMEOUT or "A message; [with] (4060) of its own" in messages[0]


def test_a_statement_ends_at_its_own_deadline_and_the_server_is_told(driver: Driver, server: SqlServer) -> None:
    with probing(driver, server, deadlines=Deadlines(2, 1, 30)) as probe:
        server.held.set()
        begun = time.monotonic()
        with failure(Reason.TIMEOUT, SizesError, LOGIN.password, within=4) as messages:
            probe.list_databases()
        assert time.monotonic() - begun >= 0.9
        server.held.clear()
        assert "master" in probe.list_databases()  # an attention stops the statement, not the session
    assert messages[0].endswith("did not answer within its deadline.")
    assert [session.attentions for session in server.sessions] == [1]
