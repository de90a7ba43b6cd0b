"""Tables of an Oracle by their segments, from a dictionary as Oracle documents it."""

from collections.abc import Iterator

import pytest

from whalefall_pipelines.domain.instances import Engine, Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import TableKind, TableSizes
from whalefall_pipelines.fleet.deadlines import Watch, Watchdog
from whalefall_pipelines.fleet.oracle.tables import OracleTables, connect
from whalefall_pipelines_tests.servers.oracle import targets
from whalefall_pipelines_tests.servers.oracle.double import GIBIBYTE, OracleDouble
from whalefall_pipelines_tests.servers.probes import PATIENT

MANY = 20_000
SEGMENTS = [
    ("SHOP", "ORDERS", None, "TABLE", "USERS", 1000),
    ("SHOP", "ORDERS_PK", None, "INDEX", "USERS", 200),
    ("DBA", "ORDERS_BY_DAY", None, "INDEX", "INDEXES", 300),
    ("SHOP", "SYS_LOB0001", None, "LOBSEGMENT", "USERS", 5000),
    ("SHOP", "SYS_IL0001", None, "LOBINDEX", "USERS", 60),
    ("SHOP", "EVENTS", "P1", "TABLE PARTITION", "USERS", 700),
    ("SHOP", "EVENTS", "P2", "TABLE PARTITION", "USERS", 800),
    ("SHOP", "EVENTS_PK", "P1", "INDEX PARTITION", "USERS", 40),
    ("SHOP", "CODES_PK", None, "INDEX", "USERS", 90),
    ("SHOP", "BIN$abc==$0", None, "TABLE", "USERS", 12345),
    ("SYS", "_SYSSMU1$", None, "TYPE2 UNDO", "USERS", 11),
]
INDEXES = [
    ("SHOP", "ORDERS_PK", "NORMAL", "SHOP", "ORDERS"),
    ("DBA", "ORDERS_BY_DAY", "NORMAL", "SHOP", "ORDERS"),
    ("SHOP", "EVENTS_PK", "NORMAL", "SHOP", "EVENTS"),
    ("SHOP", "CODES_PK", "IOT - TOP", "SHOP", "CODES"),
]


@pytest.fixture
def double() -> Iterator[OracleDouble]:
    made = OracleDouble()
    made.add_tablespace("USERS", (GIBIBYTE, None))
    made.add_tablespace("INDEXES", (GIBIBYTE, None))
    for row in SEGMENTS:
        made.run("insert into sys.dba_segments values (?, ?, ?, ?, ?, ?)", *row)
    for row in INDEXES:
        made.run("insert into sys.dba_indexes values (?, ?, ?, ?, ?)", *row)
    made.run("insert into sys.dba_lobs values ('SHOP', 'ORDERS', 'SYS_LOB0001', 'SYS_IL0001')")
    made.run("insert into sys.dba_tables values ('SHOP', 'ORDERS', 77), ('SHOP', 'EVENTS', null)")
    yield made
    made.database.close()


def probe_of(double: OracleDouble) -> OracleTables:
    return OracleTables(double, Instance(1, "target", Engine.ORACLE, "db", 1521, "monitor"), Watch())


def rows_of(sizes: object) -> dict[tuple[str, str], tuple[object, ...]]:
    assert isinstance(sizes, TableSizes)
    assert sizes.total_bytes == GIBIBYTE
    return {
        (size.table_name, size.partition_name): (
            *(size.kind, size.total_bytes, size.data_bytes, size.index_bytes, size.lob_bytes, size.row_estimate),
        )
        for size in sizes.tables
    }


def test_tables_are_their_segments_in_the_tablespace(double: OracleDouble) -> None:
    assert rows_of(probe_of(double).measure_tables("USERS", MANY)) == {
        ("ORDERS", ""): (TableKind.TABLE, 6260, 1000, 200, 5060, 77),
        ("EVENTS", ""): (TableKind.PARTITIONED, 1540, 1500, 40, 0, None),
        ("EVENTS", "P1"): (TableKind.TABLE, 700, 700, 0, 0, None),
        ("EVENTS", "P2"): (TableKind.TABLE, 800, 800, 0, 0, None),
        ("CODES", ""): (TableKind.TABLE, 90, 90, 0, 0, None),
        ("", ""): (TableKind.NO_TABLE, GIBIBYTE - 6260 - 1540 - 90, None, None, None, None),
    }
    assert rows_of(probe_of(double).measure_tables("INDEXES", MANY)) == {
        ("ORDERS", ""): (TableKind.TABLE, 300, 0, 300, 0, 77),
        ("", ""): (TableKind.NO_TABLE, GIBIBYTE - 300, None, None, None, None),
    }


def test_without_a_view_the_tables_are_missing_with_its_grant(double: OracleDouble) -> None:
    double.revoke("dba_lobs")
    grant = 'GRANT SELECT ON sys.dba_lobs TO "WHALEFALL";'
    assert probe_of(double).measure_tables("USERS", MANY) == MissingSize("USERS", Reason.NO_PERMISSION, grant)


def test_they_are_read_through_the_driver(double: OracleDouble) -> None:
    with (
        targets.new_server(double) as server,
        connect(targets.instance_at(server.host, server.port), targets.LOGIN, PATIENT, Watchdog()) as probe,
    ):
        assert len(rows_of(probe.measure_tables("USERS", MANY))) == 6
