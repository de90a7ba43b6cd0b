"""Sizes are stored exactly, whatever their names and number."""

from datetime import UTC, datetime, timedelta

from whalefall_pipelines.capacity.store.sizes import SizeRow, write_sizes
from whalefall_pipelines.domain.sizes import Method, Provenance
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.factories import DAY, query, register
from whalefall_pipelines_tests.hostile import HOSTILE_NAMES

ROWS = 20_000  # more than a mebibyte of text
NOW = datetime(2026, 11, 21, 19, 0, 0, 123456, tzinfo=UTC)
NAMES = (*HOSTILE_NAMES, "NULL", "a,b", "{a}", '"', "\\", "\\x41", " ", "{}")


def test_every_name_and_every_number_arrives_as_it_was(store: Database) -> None:
    (instance,) = register(store, "orders")
    ensure_months(store, [DAY])
    rows = [
        SizeRow(
            instance.instance_id, name, DAY, (1 << 40) + number, number, None, NOW, Provenance.MEASURED, Method.MASTER_FILES, 1 << 41, None
        )
        for number, name in enumerate(NAMES)
    ]
    with store.transaction() as cursor:
        write_sizes(cursor, rows, None)
    columns = (
        "database_name, stat_date, total_bytes, data_bytes, log_bytes, collected_at, provenance, method, growth_limit_bytes, used_bytes"
    )
    expected = [
        (name, DAY, (1 << 40) + number, number, None, NOW, "measured", "master_files", 1 << 41, None) for number, name in enumerate(NAMES)
    ]
    assert query(store, f"select {columns} from database_size_stats order by total_bytes") == expected


def test_more_rows_than_are_read_at_once_all_arrive(store: Database) -> None:
    (instance,) = register(store, "orders")
    days = [DAY - timedelta(days=number) for number in range(2)]
    ensure_months(store, days)
    names = [f"database_{number}" for number in range(ROWS // 2 + 1)]
    rows = (
        SizeRow(instance.instance_id, name, day, 1, 1, None, NOW, Provenance.MEASURED, Method.PG_DATABASE_SIZE)
        for day in days
        for name in names
    )
    with store.transaction() as cursor:
        write_sizes(cursor, rows, None)
    assert query(store, "select count(*), count(distinct (database_name, stat_date)) from database_size_stats") == [(ROWS + 2,) * 2]
