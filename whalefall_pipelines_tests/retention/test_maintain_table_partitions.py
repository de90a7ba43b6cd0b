"""Maintenance on real PostgreSQL 15 and 18: which months are created, which expire, and what conflicts.

Blocking sessions are in `test_maintenance_among_others.py`, interruptions in `test_interrupted_maintenance.py`.
"""

import time
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from whalefall_pipelines.aggregation.settings import KeptMonthsSettings
from whalefall_pipelines.domain.months import Month
from whalefall_pipelines.errors import ArchiveError, InputError, StoreError
from whalefall_pipelines.retention.maintain_table_partitions import plan, plan_additions
from whalefall_pipelines.retention.maintenance import StepKind
from whalefall_pipelines.retention.settings import RetentionSettings
from whalefall_pipelines.retention.store.table_partitions import count_rows
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months, read_catalogue
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import changed, query
from whalefall_pipelines_tests.partitioned_tables import PARTITIONED_TABLES
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
    months,
)

store = maintenance.store


def test_a_fresh_store_gets_its_months_once(store: Database) -> None:
    assert len(create(store)) == 4 * len(PARTITIONED_TABLES)
    assert create(store) == ()
    for table_name in PARTITIONED_TABLES:
        assert months(store, table_name) == ["2026-11", "2026-12", "2027-01", "2027-02"]
    assert {step.kind for step in plan(store, SETTINGS, TODAY)} == {StepKind.KEEP}


def test_a_store_whose_months_end_last_month_continues(store: Database) -> None:
    have(store, Month(2026, 8), Month(2026, 10))
    create(store)
    for table_name in PARTITIONED_TABLES:
        assert months(store, table_name) == every_month(Month(2026, 8), Month(2027, 2))


def test_a_hole_in_the_middle_is_filled(store: Database) -> None:
    have(store, Month(2026, 3), Month(2026, 4), TABLE)
    have(store, Month(2026, 7), Month(2026, 11), TABLE)
    create(store)
    assert months(store) == every_month(Month(2026, 3), Month(2027, 2))


def test_parts_are_known_by_their_bounds_in_any_schema_and_under_any_name(store: Database) -> None:
    execute(
        store,
        "create schema elsewhere",
        f"create table elsewhere.\"odd name\" partition of {TABLE} for values from ('2026-11-01') to ('2026-12-01')",
        f"create table {TABLE}_old partition of {TABLE} for values from ('2020-01-01') to ('2020-02-01')",
        f"create table {TABLE}_2020_02 partition of {TABLE} for values from ('2019-12-01') to ('2020-01-01')",
    )
    create(store)
    assert {str(outcome.step.name) for outcome in expire(store)} == {f"{TABLE}_old", f"{TABLE}_2020_02"}
    assert months(store) == ["2026-11", "2026-12", "2027-01", "2027-02"]


def test_an_unattached_table_of_the_same_name_is_a_conflict_and_the_other_months_are_created(store: Database) -> None:
    execute(store, f"create table {TABLE}_2026_12 (like {TABLE} including all)", f"insert into {TABLE}_2026_12 select * from {TABLE}")
    assert errors(create(store)) == []
    conflicts = [step for step in plan(store, SETTINGS, TODAY) if step.kind is StepKind.CONFLICT]
    assert {step.name for step in conflicts} == {f"{TABLE}_2026_12"}
    assert months(store) == ["2026-11", "2027-01", "2027-02"]
    assert months(store, "database_size_stats") == ["2026-11", "2026-12", "2027-01", "2027-02"]
    with pytest.raises(StoreError, match="42P07"):
        ensure_months(store, [date(2026, 12, 1)])  # a table that maintenance did not make is never taken over


def test_other_bounds_open_bounds_and_subpartitioned_parts_conflict_and_are_left_alone(store: Database) -> None:
    execute(
        store,
        f"create table wide partition of {TABLE} for values from ('2019-01-01') to ('2020-01-01')",
        f"create table oldest partition of {TABLE} for values from (minvalue) to ('2001-01-01')",
        f"create table far partition of {TABLE} for values from ('9999-12-01') to ('10000-01-01')",
        f"create table divided partition of {TABLE} for values from ('2018-01-01') to ('2018-02-01') partition by range (stat_date)",
    )
    create(store)
    assert expire(store) == ()
    conflicts = {step.name for step in plan(store, SETTINGS, TODAY) if step.kind is StepKind.CONFLICT}
    assert conflicts == {"wide", "oldest", "far", "divided"}


def test_a_default_partition_conflicts_and_stops_nothing_but_what_it_must(store: Database) -> None:
    execute(store, f"create table leftovers partition of {TABLE} default", insert(date(2026, 12, 5)))
    assert [outcome.step.name for outcome in create(store) if outcome.error] == [f"{TABLE}_2026_12"]
    assert {step.name for step in plan(store, SETTINGS, TODAY) if step.kind is StepKind.CONFLICT} == {"leftovers"}


def test_overdue_months_go_and_nothing_else_does(store: Database) -> None:
    have(store, Month(2025, 9), Month(2026, 11))
    execute(store, insert(date(2025, 9, 30)), insert(date(2025, 11, 1)))
    assert errors(expire(store)) == []
    assert months(store) == every_month(Month(2025, 11), Month(2026, 11))
    assert months(store, "database_size_aggregations") == every_month(Month(2025, 9), Month(2026, 11))
    assert query(store, f"select stat_date from {TABLE}") == [(date(2025, 11, 1),)]
    assert query(store, "select to_regclass('instance_size_stats_2025_09')") == [(None,)]


def test_the_last_part_of_a_table_stays(store: Database) -> None:
    have(store, Month(2020, 1), Month(2020, 2), TABLE)
    expire(store)
    assert months(store) == ["2020-02"]


@pytest.mark.parametrize("maintenance_server", [15], indirect=True)  # a plan is the same on every version, and 1,200 tables take a while
def test_100_years_of_months_are_planned_refused_and_dropped_when_confirmed(store: Database) -> None:
    have(store, Month(2016, 12), Month(2026, 11), TABLE)
    execute(  # the rest of a century at once: the test is about maintenance, not about creating 1,200 tables
        store,
        "do $$ declare m date; begin for m in select generate_series('1926-12-01'::timestamp, '2016-11-01', '1 month')::date loop "
        f"execute format('create table {TABLE}_%s partition of {TABLE} for values from (%L) to (%L)', "
        "to_char(m, 'YYYY_MM'), m, (m + interval '1 month')::date); if extract(month from m) = 1 then commit; end if; end loop; end $$",
    )
    begun = time.monotonic()
    steps = plan_additions(store, SETTINGS, TODAY)
    assert time.monotonic() - begun < 20  # 0.2 s alone; 1.2 million comparisons of months take longer
    assert plan(store, SETTINGS, TODAY) == steps
    assert sum(step.kind is StepKind.EXPIRE for step in steps) == 1187
    with pytest.raises(InputError, match="1187 table partitions would be dropped or pruned at once"):
        expire(store)
    assert len(months(store)) == 1200
    create(store)
    assert months(store)[-3:] == ["2026-12", "2027-01", "2027-02"]
    late = changed(SETTINGS, KeptMonthsSettings, retention_months=1190)
    assert len(expire(store, settings=late)) == 9


def test_a_role_without_the_privilege_learns_which_one_is_missing(maintenance_server: PostgresCluster, store: Database) -> None:
    administer(maintenance_server, "drop role if exists guest", "create role guest login password 'guest'")
    execute(store, "grant select on all tables in schema public to guest")
    guest = Database(store.url.set(username="guest", password="guest"), TIMEZONE)
    with closing(guest):
        outcomes = create(guest)
    assert len(outcomes) == 4 * len(PARTITIONED_TABLES)
    for sentence in errors(outcomes):
        assert "42501" in sentence
        assert "must own whalefall's tables and have CREATE on their schema" in sentence
    assert len(errors(outcomes)) == 4 * len(PARTITIONED_TABLES)
    assert read_catalogue(store) == ()
    execute(store, "drop owned by guest")


def test_rows_are_estimated_until_they_are_counted(store: Database) -> None:
    have(store, Month(2026, 11), Month(2026, 11), TABLE)
    execute(store, insert(TODAY), insert(TODAY, 2))
    (table_partition,) = read_catalogue(store, [TABLE])
    assert (table_partition.rows, count_rows(store, table_partition)) == (None, 2)
    execute(store, f"analyze {table_partition.name}")
    (table_partition,) = read_catalogue(store, [TABLE])
    assert table_partition.rows == 2
    assert table_partition.total_bytes > 0


def test_an_archive_folder_that_cannot_be_used_stops_before_anything_is_detached(store: Database, tmp_path: Path) -> None:
    have(store, Month(2025, 9), Month(2026, 11), TABLE)
    (tmp_path / "file").touch()
    with pytest.raises(ArchiveError, match="Archives cannot be written to"):
        expire(store, settings=changed(SETTINGS, RetentionSettings, archive_dir=tmp_path / "file" / "archive"))
    assert months(store)[0] == "2025-09"
