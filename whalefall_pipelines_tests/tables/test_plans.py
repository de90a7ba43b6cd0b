"""Statements stay fast for tables that the planner knows nothing about: it once compared every stored size with every changed one."""

import time
from dataclasses import replace
from datetime import UTC, date, datetime

from whalefall_pipelines.domain.tables import TableKind, TableMethod, TableSize, TableSizes, largest_tables
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines.tables.model import Reading
from whalefall_pipelines.tables.store import write_tables
from whalefall_pipelines_tests.factories import query

COUNT = 4000
DAY = date(2026, 11, 22)


def sizes(change: int) -> TableSizes:
    first = TableSize("public", "", TableKind.TABLE, 16384, TableMethod.PG_TABLE_SIZE)
    tables = [replace(first, table_name=f"t_{number}", total_bytes=8192 + change * (number % 2)) for number in range(COUNT)]
    outcome = largest_tables("shop", 2**40, tables, (), COUNT)
    assert outcome is not None
    return outcome


def test_half_of_many_tables_change_in_moments(store: Database) -> None:
    ensure_months(store, [DAY], ("table_size_observations", "table_size_stats"))
    for number in range(2):
        begun = time.monotonic()
        with store.transaction() as cursor:
            write_tables(cursor, 1, Reading(date(2026, 11, 22 + number), datetime.now(UTC), sizes(number)))
        seconds = time.monotonic() - begun
    assert query(store, "select count(*) from table_size_stats where until_date is not null") == [(COUNT // 2 + 1,)]
    assert seconds < 5  # 0.1 s on an idle machine; comparing all with all took 16 million comparisons, 10 s and more
