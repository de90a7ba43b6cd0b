"""The month of a day exists when the day is written."""

import threading
from datetime import date

import pytest

from whalefall_pipelines.domain.months import Month, months_of
from whalefall_pipelines.errors import StoreError
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.partitioned_tables import PARTITIONED_TABLES

CHILDREN = "select c.relname from pg_inherits as i join pg_class as c on c.oid = i.inhrelid where c.relkind = 'r' order by 1"


def names(*suffixes: str) -> list[tuple[object, ...]]:
    return [(f"{table}_{suffix}",) for table in sorted(PARTITIONED_TABLES) for suffix in suffixes]


def test_each_table_gets_the_months_of_the_days_once(store: Database) -> None:
    days = [date(2026, 12, 31), date(2027, 1, 1), date(2026, 12, 1)]
    assert ensure_months(store, days) == 2 * len(PARTITIONED_TABLES)
    assert ensure_months(store, days) == 0
    assert query(store, CHILDREN) == names("2026_12", "2027_01")


def test_two_programs_make_the_same_month_at_once(store: Database) -> None:
    made: list[int] = []
    threads = [threading.Thread(target=lambda: made.append(ensure_months(store, [date(2026, 2, 28)]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sum(made) == len(PARTITIONED_TABLES)
    assert query(store, CHILDREN) == names("2026_02")


def test_a_day_finds_its_month_and_none_has_a_default(store: Database) -> None:
    ensure_months(store, [date(2028, 2, 29)])
    with store.transaction() as cursor:
        cursor.execute(
            "insert into instance_size_stats "
            "(instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
            "values (1, '2028-02-29', 1, 1, 1, now(), 'measured')"
        )
    assert query(store, "select tableoid::regclass::text from instance_size_stats") == [("instance_size_stats_2028_02",)]
    assert query(store, "select count(*) from pg_partitioned_table where partdefid <> 0") == [(0,)]


def test_a_stray_table_in_the_way_is_an_error_and_not_taken_over(store: Database) -> None:
    with store.transaction() as cursor:
        cursor.execute("create table database_size_stats_2026_03 (x integer)")
    with pytest.raises(StoreError):
        ensure_months(store, [date(2026, 3, 1)])
    assert query(store, "select count(*) from pg_inherits where inhrelid = 'database_size_stats_2026_03'::regclass") == [(0,)]


def test_months_end_where_the_next_begins() -> None:
    assert Month(2026, 12).end_day == date(2027, 1, 1)
    assert Month(2028, 2).end_day == date(2028, 3, 1)
    assert months_of([date(2027, 1, 1), date(2026, 12, 31)]) == (Month(2026, 12), Month(2027, 1))
