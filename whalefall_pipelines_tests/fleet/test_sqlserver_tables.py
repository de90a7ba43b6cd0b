"""Tables of a SQL Server by their allocation, through both drivers, from the server for tests and its documented catalogue."""

from collections.abc import Generator
from contextlib import contextmanager

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import TableKind, TableSizes
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.sqlserver.odbc import Driver
from whalefall_pipelines.fleet.sqlserver.tables import SqlServerTables, connect_through
from whalefall_pipelines_tests.servers.probes import PATIENT
from whalefall_pipelines_tests.servers.sqlserver import targets
from whalefall_pipelines_tests.servers.sqlserver.server import SqlServer
from whalefall_pipelines_tests.servers.sqlserver.tables import Index, TablesOf
from whalefall_pipelines_tests.servers.sqlserver.targets import LOGIN, instance_at

driver, server = targets.driver, targets.server
PAGE = 8192
MANY = 20_000


@contextmanager
def probing(driver: Driver, server: SqlServer) -> Generator[SqlServerTables]:
    with connect_through(driver, instance_at(server.host, server.port), LOGIN, PATIENT, Watchdog()) as probe:
        yield probe


def test_tables_are_what_is_allocated_for_them(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop", data_pages=1000, log_pages=100)
    shop = TablesOf(server.catalogue, "shop")
    shop.add("dbo", "orders", Index(pages=100, lob_pages=50, rows=7000), Index(index_id=2, pages=30), Index(256000, 9, is_internal=True))
    shop.add("dbo", "we]ird 'name' 🐋", Index(index_id=0, pages=8, rows=3))
    parts = [Index(index_id, pages, rows=10, partition_number=part) for index_id, pages in ((1, 20), (3, 5)) for part in (1, 2)]
    shop.add("audit", "events", *parts, Index(index_id=4, pages=40, rows=20))
    shop.add("dbo", "by_day", Index(pages=6, rows=5), kind="V")
    shop.add("dbo", "fast", Index(index_id=0, pages=0), is_in_memory=True)
    shop.add("dbo", "queue", Index(pages=77), is_shipped=True)
    with probing(driver, server) as probe:
        sizes = probe.measure_tables("shop", MANY)
    assert isinstance(sizes, TableSizes)
    assert sizes.total_bytes == 1100 * PAGE
    rows = {
        (size.schema_name, size.table_name, size.partition_name): (
            size.kind,
            *(None if part is None else part // PAGE for part in (size.total_bytes, size.data_bytes, size.index_bytes, size.lob_bytes)),
            size.row_estimate,
        )
        for size in sizes.tables
    }
    assert rows == {
        ("dbo", "orders", ""): (TableKind.TABLE, 189, 100, 39, 50, 7000),
        ("dbo", "we]ird 'name' 🐋", ""): (TableKind.TABLE, 8, 8, 0, 0, 3),
        ("audit", "events", ""): (TableKind.PARTITIONED, 90, 40, 50, 0, 20),
        ("audit", "events", "1"): (TableKind.TABLE, 25, 20, 5, 0, 10),
        ("audit", "events", "2"): (TableKind.TABLE, 25, 20, 5, 0, 10),
        ("dbo", "by_day", ""): (TableKind.MATERIALIZED_VIEW, 6, 6, 0, 0, 5),
        ("", "", ""): (TableKind.NO_TABLE, 1100 - 189 - 8 - 90 - 6, None, None, None, None),
    }
    assert [(table.table_name, table.reason) for table in sizes.missing] == [("fast", Reason.INCOMPLETE)]


def test_a_database_that_cannot_be_asked_is_missing_with_its_reason(driver: Driver, server: SqlServer) -> None:
    server.catalogue.add_database("shop")
    server.catalogue.add_database("shut", state="OFFLINE")
    with probing(driver, server) as probe:
        shut, absent = probe.measure_tables("shut", MANY), probe.measure_tables("absent", MANY)
        server.catalogue.revoke(LOGIN.username, "CONNECT ANY DATABASE")
        forbidden = probe.measure_tables("shop", MANY)
    assert isinstance(shut, MissingSize)
    assert isinstance(absent, MissingSize)
    assert isinstance(forbidden, MissingSize)
    assert (shut.reason, absent.reason, forbidden.reason) == (Reason.UNAVAILABLE, Reason.VANISHED, Reason.NO_PERMISSION)
    assert "GRANT CONNECT ANY DATABASE TO" in forbidden.detail
