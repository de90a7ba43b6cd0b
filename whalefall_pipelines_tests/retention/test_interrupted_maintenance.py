"""Maintenance on real PostgreSQL 15 and 18 that was killed at any of its steps, and is completed by the next one."""

from datetime import date
from pathlib import Path

from whalefall_pipelines.domain.months import Month, Place
from whalefall_pipelines.retention.archive import read_manifest
from whalefall_pipelines.retention.settings import RetentionSettings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import changed, query
from whalefall_pipelines_tests.retention import maintenance
from whalefall_pipelines_tests.retention.maintenance import (
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
    leave_detached,
    months,
)
from whalefall_pipelines_tests.servers.locks import interrupt_detach

store = maintenance.store


def test_a_detach_that_was_killed_between_its_two_transactions_is_ended(store: Database) -> None:
    have(store, Month(2025, 9), Month(2026, 11), TABLE)
    execute(store, insert(TODAY))
    interrupt_detach(store, TABLE, f"{TABLE}_2025_09")
    assert months(store, place=Place.DETACH_PENDING) == ["2025-09"]
    assert errors(expire(store)) == []
    assert months(store) == every_month(Month(2025, 11), Month(2026, 11))


def test_an_interrupted_detach_of_a_month_in_use_is_put_back_by_creating(store: Database) -> None:
    have(store, Month(2026, 11), Month(2027, 2), TABLE)
    execute(store, insert(TODAY))
    interrupt_detach(store, TABLE, f"{TABLE}_2026_11")
    assert query(store, f"select count(*) from {TABLE}") == [(0,)]
    assert errors(create(store)) == []
    assert query(store, f"select count(*) from {TABLE}") == [(1,)]
    assert months(store)[0] == "2026-11"


def test_maintenance_killed_before_the_drop_is_resumed_and_a_similar_month_is_not_touched(store: Database) -> None:
    have(store, Month(2025, 8), Month(2026, 11), TABLE)
    leave_detached(store, Month(2025, 8))
    execute(store, f"alter table {TABLE} detach partition {TABLE}_2025_09 concurrently")  # detached by somebody who wants to keep it
    assert errors(expire(store)) == []
    assert query(store, f"select to_regclass('{TABLE}_2025_08'), to_regclass('{TABLE}_2025_09')::text") == [(None, f"{TABLE}_2025_09")]
    assert months(store)[0] == "2025-11"


def test_maintenance_killed_while_archiving_archives_before_it_drops(store: Database, tmp_path: Path) -> None:
    have(store, Month(2025, 10), Month(2026, 11), TABLE)
    execute(store, insert(date(2025, 10, 31)))
    name = leave_detached(store, Month(2025, 10))
    (outcome,) = expire(store, settings=changed(SETTINGS, RetentionSettings, archive_dir=tmp_path))
    assert outcome.archive
    assert read_manifest(outcome.archive).rows == 1
    assert query(store, f"select to_regclass('{name}')") == [(None,)]


def test_a_month_in_use_that_an_interruption_left_detached_is_attached_again(store: Database) -> None:
    create(store)
    execute(store, insert(TODAY))
    name = leave_detached(store, Month(2026, 11))
    assert query(store, f"select count(*) from {TABLE}") == [(0,)]
    assert errors(create(store)) == []
    assert query(store, f"select count(*) from {TABLE}") == [(1,)]
    assert query(store, f"select obj_description('{name}'::regclass)") == [(None,)]
