"""Databases in availability groups: each replica is measured on its own server, and its method says that it is a replica."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from whalefall_pipelines.domain.sizes import DatabaseSize, Method
from whalefall_pipelines.fleet.sqlserver.odbc import Driver
from whalefall_pipelines.fleet.sqlserver.sizes import SqlServerSizes
from whalefall_pipelines_tests.servers.sqlserver import targets
from whalefall_pipelines_tests.servers.sqlserver.catalogue import File
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.targets import LOGIN, SEES_STATE, probing

driver, server = targets.driver, targets.server
PAGE = 8192


def measured(probe: SqlServerSizes, name: str) -> DatabaseSize:
    (outcome,) = probe.measure([name])
    assert isinstance(outcome, DatabaseSize)
    return outcome


@pytest.mark.parametrize("is_readable", [True, False])
def test_a_secondary_is_measured_whether_or_not_it_can_be_read(driver: Driver, server: SqlServer, is_readable: bool) -> None:
    server.catalogue.add_database("shop", role=2, is_readable=is_readable, used_pages=5)
    with probing(driver, server) as probe:
        size = measured(probe, "shop")
    assert (size.total_bytes, size.method, size.used_bytes) == (1152 * PAGE, Method.MASTER_FILES_OF_SECONDARY, None)
    assert not any("allocation_units" in text for text in server.statements)  # only master is queried about a secondary


@pytest.mark.parametrize("role", [None, 0, 1])
def test_a_primary_and_a_database_outside_any_group_are_measured_normally(driver: Driver, server: SqlServer, role: int | None) -> None:
    server.catalogue.add_database("other", role=2)
    server.catalogue.add_database("shop", role=role, used_pages=5)
    with probing(driver, server) as probe:
        size = measured(probe, "shop")
    assert (size.method, size.used_bytes) == (Method.MASTER_FILES, 5 * PAGE)


def test_without_the_privilege_replicas_are_measured_but_not_distinguished(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop", role=2, is_readable=False)
    server.catalogue.revoke(LOGIN.username, SEES_STATE)
    with probing(driver, server) as probe:
        assert measured(probe, "shop").method is Method.MASTER_FILES
        (right,) = (right for right in probe.privileges() if not right.is_held)
    assert (right.statement, right.is_optional) == ("GRANT VIEW SERVER STATE TO [monitor];", True)
    server.catalogue.grant(LOGIN.username, SEES_STATE)
    with probing(driver, server) as probe:
        assert all(right.is_held for right in probe.privileges())


def test_sizes_from_backups_of_a_replica_have_their_own_method(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop", role=2)
    server.catalogue.add_database("crm")
    for name in ("shop", "crm", "dropped since"):
        server.catalogue.add_backup(name, datetime(2026, 11, 17, 1), File("D", 10), File("L", 1))  # noqa: DTZ001 - the server's local time
    with probing(driver, server) as probe:
        day = date(2026, 11, 17)
        sizes = probe.recover_sizes(["shop", "crm", "dropped since"], day, day, ZoneInfo("Asia/Shanghai"))
    assert {size.database_name: size.method for size in sizes} == {
        "shop": Method.BACKUP_FILE_SIZE_OF_REPLICA,
        "crm": Method.BACKUP_FILE_SIZE,
        "dropped since": Method.BACKUP_FILE_SIZE,
    }
