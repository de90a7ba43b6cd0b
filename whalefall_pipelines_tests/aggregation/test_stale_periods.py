"""The ledger of stale periods: it records every change of a day, whoever makes it and whenever, and costs nothing if nothing changed."""

from contextlib import closing
from datetime import date, timedelta

import psycopg2
import pytest
from psycopg2 import extensions

from whalefall_pipelines import queries
from whalefall_pipelines.aggregation.aggregate import find_stale_periods
from whalefall_pipelines.aggregation.model import Level
from whalefall_pipelines.aggregation.store import list_due_periods
from whalefall_pipelines.domain.periods import Period, PeriodType, period_of, periods_between
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import ModelDay, days_from
from whalefall_pipelines_tests.conftest import libpq_url
from whalefall_pipelines_tests.days import compute_periods, write_days
from whalefall_pipelines_tests.factories import DAY, query, register
from whalefall_pipelines_tests.plans import tables_read

FIRST = DAY - timedelta(days=80)
SIZE = (
    "insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method) "
    "values ({}, 'app', '{}', 1000, now(), 'measured', 'pg_database_size')"
)
LOST = date(2026, 10, 14)
CHANGES = {
    "a size is written": SIZE.format(7, LOST),
    "a size is changed": f"update database_size_stats set total_bytes = 7 where stat_date = '{LOST}'",
    "a size is deleted": f"delete from database_size_stats where stat_date = '{LOST}'",
    "a total is changed": f"update instance_size_stats set expected_count = 2 where stat_date = '{LOST}'",
    "a total is deleted": f"delete from instance_size_stats where stat_date = '{LOST}'",
    "a gap is written": f"insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail) "
    f"select instance_id, 'other', '{LOST}', 'timeout', 'asleep' from instances",
}


def due(store: Database, today: date = DAY) -> dict[PeriodType, list[Period]]:
    return {period_type: list_due_periods(store, period_type, today) for period_type in PeriodType}


def compute_everything(store: Database, today: date = DAY) -> None:
    for period_type in PeriodType:
        compute_periods(store, periods_between(period_type, FIRST, today), today)


@pytest.fixture
def computed(store: Database) -> Database:
    """Eighty days of one database, and all their periods."""
    (instance,) = register(store, "orders")
    write_days(store, {((instance.instance_id, "app"), day): ModelDay(1000) for day in days_from(FIRST, 81)})
    compute_everything(store)
    return store


def test_computed_periods_are_not_due_and_only_the_ledger_is_read_to_tell(computed: Database) -> None:
    assert due(computed) == {period_type: [] for period_type in PeriodType}
    values = {"period_type": "daily", "today": DAY, "daily_from": date.min}
    assert tables_read(computed, queries.load("aggregation/list_due_periods"), values) == {"stale_periods"}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_of_a_day_makes_exactly_its_four_periods_due(computed: Database, change: str) -> None:
    with closing(psycopg2.connect(libpq_url(computed.url))) as somebody, somebody, somebody.cursor() as cursor:
        cursor.execute(change)
    assert due(computed) == {period_type: [period_of(period_type, LOST)] for period_type in PeriodType}
    compute_everything(computed)
    assert due(computed) == {period_type: [] for period_type in PeriodType}
    assert [find_stale_periods(computed, period_type, DAY) for period_type in PeriodType] == [[], [], [], []]


def test_a_moved_day_leaves_its_old_periods_and_joins_the_new_ones(computed: Database) -> None:
    query(computed, f"update database_size_stats set stat_date = '2026-09-01' where stat_date = '{LOST}' returning 1")
    assert due(computed) == {
        period_type: [period_of(period_type, date(2026, 9, 1)), period_of(period_type, LOST)] for period_type in PeriodType
    }


def test_running_periods_are_due_again_on_each_of_their_days_and_once_when_they_are_over(computed: Database) -> None:
    tomorrow = DAY + timedelta(days=1)  # a Monday
    running = [PeriodType.MONTHLY, PeriodType.QUARTERLY]
    assert due(computed, tomorrow) == {period_type: [period_of(period_type, DAY)] for period_type in PeriodType}
    compute_everything(computed, tomorrow)
    assert due(computed, tomorrow) == {period_type: [] for period_type in PeriodType}
    after = due(computed, tomorrow + timedelta(days=1))
    assert {period_type: [period_of(period_type, DAY)] for period_type in running}.items() <= after.items()
    assert period_of(PeriodType.DAILY, DAY) not in after[PeriodType.DAILY]


def open_transaction(store: Database) -> extensions.connection:
    connection = psycopg2.connect(libpq_url(store.url))
    with connection.cursor() as cursor:
        cursor.execute("set lock_timeout to '2s'")
    return connection


def test_writers_of_the_same_day_do_not_block_each_other(computed: Database) -> None:
    with closing(open_transaction(computed)) as first, closing(open_transaction(computed)) as second:
        for number, connection in enumerate((first, second)):
            with connection.cursor() as cursor:
                cursor.execute(SIZE.format(100 + number, LOST))
        second.commit()
        first.commit()
    assert due(computed)[PeriodType.DAILY] == [period_of(PeriodType.DAILY, LOST)]


def test_a_change_that_lands_while_its_period_is_computed_stays_due(computed: Database) -> None:
    with closing(open_transaction(computed)) as connection, connection.cursor() as cursor:
        cursor.execute(SIZE.format(100, LOST))
        compute_everything(computed)
        connection.commit()
    assert due(computed) == {period_type: [period_of(period_type, LOST)] for period_type in PeriodType}


def test_a_period_of_which_only_one_level_was_computed_stays_due(computed: Database) -> None:
    query(computed, CHANGES["a size is changed"] + " returning 1")
    compute_periods(computed, [period_of(PeriodType.DAILY, LOST)], DAY, [Level.DATABASE])
    assert due(computed)[PeriodType.DAILY] == [period_of(PeriodType.DAILY, LOST)]


def test_a_failed_computation_leaves_its_periods_due(computed: Database) -> None:
    query(computed, CHANGES["a size is changed"] + " returning 1")
    query(computed, "alter table instance_size_aggregations rename to away; select 1")
    with pytest.raises(Exception, match="instance_size_aggregations"):
        compute_periods(computed, [period_of(PeriodType.DAILY, LOST)], DAY)
    assert due(computed)[PeriodType.DAILY] == [period_of(PeriodType.DAILY, LOST)]


def test_a_store_of_the_previous_version_gets_a_ledger_of_periods_never_compared(computed: Database) -> None:
    with computed.transaction() as cursor:
        cursor.execute("drop table stale_periods; drop function mark_stale_periods cascade")
        cursor.execute(SIZE.format(7, LOST))
        cursor.execute(
            "insert into instance_size_stats "
            "(instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
            "values (7, '2026-09-01', 1000, 1, 1, now(), 'measured')"
        )
        cursor.execute(queries.load("schema/0011_stale_periods"))
    never = date(2026, 9, 1)
    assert due(computed) == {
        period_type: sorted({period_of(period_type, never), period_of(period_type, DAY)}) for period_type in PeriodType
    }


@pytest.mark.parametrize(
    ("name_after", "id_after"), [("renamed", 1), ("app", 2)], ids=["a database was renamed", "its name was taken by a new database"]
)
def test_the_period_after_a_changed_one_follows_the_database_and_not_its_name(store: Database, name_after: str, id_after: int) -> None:
    (instance,) = register(store, "orders")
    first, second = periods_between(PeriodType.WEEKLY, DAY - timedelta(days=13), DAY)
    write_days(store, {((instance.instance_id, "app"), day): ModelDay(1000) for day in first.days_until(DAY)})
    query(store, "update database_activity set database_id = 1, active_until = %s returning 1", second.start)
    query(
        store,
        "insert into database_activity (instance_id, database_name, active_from, database_id) values (%s, %s, %s, %s) returning 1",
        instance.instance_id,
        name_after,
        second.start,
        id_after,
    )
    write_days(store, {((instance.instance_id, name_after), day): ModelDay(1500) for day in second.days_until(DAY)})
    compute_periods(store, [first, second], DAY)
    query(store, "update database_size_stats set total_bytes = 1200 where stat_date <= %s returning 1", first.end)
    compute_periods(store, [first], DAY)
    changes = query(store, "select database_name, change_bytes from database_size_aggregations where period_start = %s", second.start)
    assert changes == [(name_after, 300 if name_after == "renamed" else None)]
    assert list(find_stale_periods(store, PeriodType.WEEKLY, DAY)) == []
