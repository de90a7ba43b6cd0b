"""Maintenance on real PostgreSQL 15 and 18 during other work: it blocks nobody, and gives up when it is blocked."""

import threading
import time
from contextlib import closing
from datetime import date

import pytest

from whalefall_pipelines.domain.months import Month, Place
from whalefall_pipelines.errors import StoreBusyError
from whalefall_pipelines.retention.maintain_table_partitions import plan
from whalefall_pipelines.retention.maintenance import StepKind
from whalefall_pipelines.retention.store.table_partitions import only_maintenance
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_month, read_catalogue
from whalefall_pipelines_tests.at_once import at_once
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.partitioned_tables import OTHER_DAY_TABLES, PARTITIONED_TABLES, SIZE_TABLES
from whalefall_pipelines_tests.retention import maintenance
from whalefall_pipelines_tests.retention.maintenance import (
    HASTY,
    SETTINGS,
    TABLE,
    TODAY,
    create,
    errors,
    every_month,
    execute,
    expire,
    have,
    insert,
    months,
)
from whalefall_pipelines_tests.servers.locks import somebody

store = maintenance.store


def test_one_table_that_fails_does_not_stop_the_others(store: Database) -> None:
    with somebody(store, f"lock table {TABLE} in access exclusive mode"):
        outcomes = create(store)
    assert len(outcomes) == 4 * len(PARTITIONED_TABLES)
    assert {outcome.step.table_name for outcome in outcomes if outcome.error} == {TABLE}
    assert all(isinstance(outcome.error, StoreBusyError) for outcome in outcomes if outcome.error)
    assert months(store, "database_size_aggregations") == ["2026-11", "2026-12", "2027-01", "2027-02"]
    assert errors(create(store)) == []


def test_creating_tries_again_when_a_lock_is_let_go(store: Database) -> None:
    with somebody(store, f"lock table {TABLE} in access exclusive mode") as other:
        timer = threading.Timer(0.4, other.rollback)
        timer.start()
        assert ensure_month(store, TABLE, Month(2026, 11), HASTY)
        timer.join()


def test_creating_waits_for_no_writer_and_no_reader_and_makes_none_wait(store: Database) -> None:
    have(store, Month(2026, 11), Month(2026, 11))
    begun = time.monotonic()
    with somebody(store, insert(TODAY)), somebody(store, f"select count(*) from {TABLE}"):
        assert errors(create(store)) == []
        with somebody(store, "set lock_timeout = '200ms'", f"select * from {TABLE}", insert(TODAY, 2)):
            pass
    assert time.monotonic() - begun < 5
    assert len(months(store)) == 4


def test_a_blocking_writer_makes_expiry_give_up_and_the_next_run_completes_it(store: Database) -> None:
    have(store, Month(2025, 9), Month(2026, 11), TABLE)
    execute(store, insert(TODAY))
    with somebody(store, insert(TODAY, 2)):
        begun = time.monotonic()
        outcomes = expire(store)
        assert time.monotonic() - begun < 5
        assert [type(outcome.error) for outcome in outcomes] == [StoreBusyError] * 2
        with somebody(store, "set lock_timeout = '200ms'", f"select * from {TABLE}", insert(TODAY, 3)):
            pass  # neither readers nor writers queue behind it
    pending = months(store, place=Place.DETACH_PENDING)
    assert pending
    assert {str(step.month) for step in plan(store, SETTINGS, TODAY) if step.kind is StepKind.FINALIZE} == set(pending)
    assert errors(expire(store)) == []
    assert months(store) == every_month(Month(2025, 11), Month(2026, 11))
    assert months(store, place=Place.DETACH_PENDING) == []


def test_a_reader_of_the_month_makes_expiry_give_up_and_the_next_run_completes_it(store: Database) -> None:
    have(store, Month(2025, 10), Month(2026, 11), TABLE)
    execute(store, insert(date(2025, 10, 31)), insert(TODAY))
    with somebody(store, f"select * from {TABLE}_2025_10") as reader:
        begun = time.monotonic()
        assert [type(outcome.error) for outcome in expire(store)] == [StoreBusyError]
        assert time.monotonic() - begun < 5
        with reader.cursor() as cursor:
            cursor.execute(f"select count(*) from {TABLE}_2025_10")
            assert cursor.fetchone() == (1,)  # the table it reads was not dropped meanwhile
        with somebody(store, "set lock_timeout = '200ms'", f"select * from {TABLE}", insert(TODAY, 2)):
            pass
    assert errors(expire(store)) == []
    assert months(store) == every_month(Month(2025, 11), Month(2026, 11))


def test_the_second_of_two_concurrent_maintenances_reports_it_and_exits(store: Database) -> None:
    have(store, Month(2025, 9), Month(2026, 11), TABLE)
    with only_maintenance(store):
        for maintenance in (create, expire):
            with pytest.raises(StoreBusyError, match="Another maintenance of the table partitions is running"):
                maintenance(store)
    assert months(store)[0] == "2025-09"
    assert errors(create(store)) == errors(expire(store)) == []


def test_two_maintenances_from_two_places_make_each_month_once(store: Database) -> None:
    def maintenance() -> int:
        try:
            return sum(not outcome.error for outcome in create(store))
        except StoreBusyError:
            return 0

    assert sum(at_once(*[maintenance] * 4)) == 4 * len(PARTITIONED_TABLES)
    assert len(read_catalogue(store)) == 4 * len(PARTITIONED_TABLES)


def test_two_expiries_from_two_places_drop_each_month_once(store: Database) -> None:
    have(store, Month(2025, 5), Month(2026, 11))
    done: list[str] = []
    told: list[str] = []

    def maintenance() -> None:
        with closing(Database(store.url, TIMEZONE)) as place:
            try:
                outcomes = expire(place, beyond_limit=True)
                done.extend(outcome.step.name for outcome in outcomes if not outcome.error)
                told.extend(errors(outcomes))
            except StoreBusyError as error:
                told.append(str(error))

    at_once(*[maintenance] * 3)
    assert sorted(done) == sorted(
        Month(2025, month).table_partition(name) for name in (*SIZE_TABLES, *OTHER_DAY_TABLES) for month in range(5, 11)
    )
    assert all("Another maintenance of the table partitions is running" in sentence for sentence in told)
