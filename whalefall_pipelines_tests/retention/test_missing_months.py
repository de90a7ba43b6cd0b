"""A month that disappears between being ensured and being written, on real PostgreSQL 15 and 18."""

import threading
import time
from datetime import date, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from whalefall_pipelines.aggregation.aggregate import aggregate_sizes
from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.domain.months import Month
from whalefall_pipelines.domain.periods import PeriodType, period_of
from whalefall_pipelines.domain.sessions import SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.errors import MissingMonthError, StoreError
from whalefall_pipelines.retention.maintain_table_partitions import create_table_partitions, plan
from whalefall_pipelines.retention.maintenance import StepKind
from whalefall_pipelines.retention.store.table_partitions import needed_months
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_month, ensure_months, writing_months
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import DAY, NIGHT, FleetTest, query, register, server
from whalefall_pipelines_tests.servers.locks import somebody

SETTINGS = load_settings({"WHALEFALL_HOME": "/nonexistent"})
INSERT = (
    "insert into instance_size_stats (instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
    "values (1, '2026-09-30', %s, 1, 1, now(), 'measured')"
)


def drop(store: Database, *names: str) -> None:
    with store.session() as cursor:
        for name in names:
            cursor.execute(f"drop table {name}")


def test_a_row_without_a_month_says_which_table_which_day_and_what_to_do(maintenance_store: Database) -> None:
    with pytest.raises(MissingMonthError) as caught, maintenance_store.transaction() as cursor:
        cursor.execute(INSERT, (1,))
    assert "instance_size_stats" in str(caught.value)
    assert "no table partition for 2026-09-30" in str(caught.value)
    assert "whalefall partitions create --month 2026-09" in str(caught.value)
    assert (caught.value.code, caught.value.is_transient) == ("MISSING_MONTH", True)


def test_a_row_that_breaks_a_rule_of_its_table_is_another_error(maintenance_store: Database) -> None:
    ensure_months(maintenance_store, [date(2026, 9, 30)])
    with pytest.raises(StoreError, match="23514") as caught, maintenance_store.transaction() as cursor:
        cursor.execute(INSERT, (-1,))
    assert not isinstance(caught.value, MissingMonthError)


def test_an_instance_that_met_a_missing_month_is_recorded_as_that_and_maintenance_makes_it(
    maintenance_store: Database, tmp_path: Path
) -> None:
    fleet = FleetTest(maintenance_store, tmp_path, {"a": server(), "b": server()})
    ensure_months(maintenance_store, [DAY])
    create_table_partitions(maintenance_store, SETTINGS, DAY)
    drops = iter([True])

    def clock() -> datetime:
        """It is queried after the months were ensured, and before anything is written."""
        if next(drops, False):
            drop(maintenance_store, "database_size_stats_2026_11")
        return NIGHT

    session = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY)
    sessions.open_session(maintenance_store, session, [instance.instance_id for instance in fleet.instances])
    assert {type(outcome.error) for outcome in fleet.collector(clock).collect_day(fleet.instances, DAY, session.session_id)} == {
        MissingMonthError
    }
    assert sessions.close_session(maintenance_store, session.session_id) is SessionStatus.FAILED
    records = sessions.list_records(maintenance_store, session.session_id)
    assert [(record.error_code, "2026-11-22" in str(record.error_message)) for record in records] == [("MISSING_MONTH", True)] * 2
    steps = [step for step in plan(maintenance_store, SETTINGS, DAY) if step.kind is StepKind.CREATE]
    assert [step.name for step in steps] == ["database_size_stats_2026_11"]
    create_table_partitions(maintenance_store, SETTINGS, DAY)
    _, outcomes = fleet.collect()
    assert {outcome.error for outcome in outcomes.values()} == {None}
    assert len(fleet.sizes()) == 4


def test_only_what_met_a_missing_month_of_late_needs_one(maintenance_store: Database) -> None:
    (instance,) = register(maintenance_store, "a")
    for code, day, age in (
        ("MISSING_MONTH", "2026-08-31", "1 hour"),
        ("SYNC_DATA_ERROR", "2026-07-01", "1 hour"),
        ("MISSING_MONTH", "2026-06-01", "2 days"),
    ):
        session_id = uuid4()
        with maintenance_store.transaction() as cursor:
            cursor.execute(
                "insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day, started_at) "
                "values (%s, 'capacity', 'manual_task', %s, %s, now() - %s::interval)",
                (str(session_id), day, day, age),
            )
            cursor.execute(
                "insert into sync_instance_records (session_id, instance_id) values (%s, %s)", (str(session_id), instance.instance_id)
            )
        sessions.start_records(maintenance_store, session_id, [instance.instance_id])
        sessions.abandon_session(maintenance_store, session_id, SessionStatus.FAILED, error_code=code, error_message="x")
    assert needed_months(maintenance_store) == (Month(2026, 8),)


def test_what_is_written_at_once_for_the_fleet_makes_the_month_and_is_done_again(maintenance_store: Database) -> None:
    tries: list[int] = []

    def write() -> str:
        if not tries:
            drop(maintenance_store, "instance_size_stats_2026_09")
        tries.append(1)
        with maintenance_store.transaction() as cursor:
            cursor.execute(INSERT, (1,))
        return "written"

    assert writing_months(maintenance_store, [date(2026, 9, 30)], STATS_TABLES, write) == "written"
    assert len(tries) == 2
    assert query(maintenance_store, "select count(*) from instance_size_stats") == [(1,)]


def test_an_aggregation_whose_month_is_dropped_under_it_writes_its_period_all_the_same(maintenance_store: Database) -> None:
    (instance,) = register(maintenance_store, "a")
    write_days(maintenance_store, {((instance.instance_id, "app"), DAY): ModelDay(1000)})
    period = period_of(PeriodType.MONTHLY, DAY)
    session = SessionPlan(uuid4(), SyncCategory.AGGREGATION, SyncType.MANUAL_TASK, period.start, period.end)
    sessions.open_session(maintenance_store, session, [instance.instance_id])
    ensure_month(maintenance_store, "database_size_aggregations", Month(2026, 11))
    written: list[int] = []
    with somebody(maintenance_store, "select pg_advisory_xact_lock(740032, hashtext('monthly'))") as other:
        thread = threading.Thread(target=lambda: written.append(aggregate_sizes(maintenance_store, [period], DAY, session.session_id)))
        thread.start()
        deadline = time.monotonic() + 20
        while not query(maintenance_store, "select 1 from pg_locks where locktype = 'advisory' and not granted"):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        drop(maintenance_store, "database_size_aggregations_2026_11")
        other.rollback()
        thread.join(30)
    assert written == [2]
    assert query(maintenance_store, "select avg_bytes from database_size_aggregations") == [(1000,)]
