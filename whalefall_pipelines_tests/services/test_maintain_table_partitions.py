"""Upkeep on real PostgreSQL 15 and 18, with writers, readers and other programs in its way."""

import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from whalefall_pipelines import settings
from whalefall_pipelines.domain.table_partitions import PARTITIONED_TABLES, STATS_TABLES, Month, Place, StepKind, months_between
from whalefall_pipelines.errors import InputError, StoreBusyError, StoreError
from whalefall_pipelines.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.local_servers.postgresql_admin import administer
from whalefall_pipelines.services.archive_table_partitions import read_manifest
from whalefall_pipelines.services.maintain_table_partitions import (
    Outcome,
    create_table_partitions,
    expire_table_partitions,
    plan,
    plan_additions,
)
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.table_partitions import Patience, count_rows, ensure_month, ensure_months, only_upkeep, read_catalogue
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.servers.locks import interrupt_detach, somebody

TODAY = date(2026, 11, 22)
TABLE = "instance_size_stats"
HASTY = Patience(lock_timeout_seconds=0.3, attempts=2, pause_seconds=0.1)
SETTINGS = settings.load({"WHALEFALL_HOME": "/nonexistent"})


@pytest.fixture
def store(upkeep_store: Database) -> Database:
    return upkeep_store


def execute(store: Database, *statements: str) -> None:
    with store.session() as cursor:
        for statement in statements:
            cursor.execute(statement)


def insert(day: date, number: int = 1) -> str:
    return (
        f"insert into {TABLE} (instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
        f"values ({number}, '{day}', 1, 1, 1, now(), 'measured')"
    )


def months(store: Database, table_name: str = TABLE, place: Place = Place.ATTACHED) -> list[str]:
    return sorted(str(one.month) for one in read_catalogue(store, [table_name]) if one.place is place)


def every_month(first: Month, last: Month) -> list[str]:
    return [str(month) for month in months_between(first, last)]


def have(store: Database, first: Month, last: Month, *table_names: str) -> None:
    for table_name in table_names or PARTITIONED_TABLES:
        for month in months_between(first, last):
            ensure_month(store, table_name, month)


def create(store: Database, day: date = TODAY, given: Settings = SETTINGS) -> tuple[Outcome, ...]:
    return create_table_partitions(store, given, day, patience=HASTY)


def expire(store: Database, day: date = TODAY, given: Settings = SETTINGS, *, beyond_limit: bool = False) -> tuple[Outcome, ...]:
    return expire_table_partitions(store, given, day, beyond_limit=beyond_limit, patience=HASTY)


def errors(outcomes: tuple[Outcome, ...]) -> list[str]:
    return [str(outcome.error) for outcome in outcomes if outcome.error]


def test_a_fresh_store_gets_its_months_once(store: Database) -> None:
    assert len(create(store)) == 16
    assert create(store) == ()
    for table_name in PARTITIONED_TABLES:
        assert months(store, table_name) == ["2026-11", "2026-12", "2027-01", "2027-02"]
    assert {step.kind for step in plan(store, SETTINGS, TODAY)} == {StepKind.KEEP}


def test_a_store_whose_months_stop_last_month_goes_on(store: Database) -> None:
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


def test_a_stray_table_of_the_same_name_is_named_and_its_neighbours_are_made(store: Database) -> None:
    execute(store, f"create table {TABLE}_2026_12 (like {TABLE} including all)", f"insert into {TABLE}_2026_12 select * from {TABLE}")
    assert errors(create(store)) == []
    foreign = [step for step in plan(store, SETTINGS, TODAY) if step.kind is StepKind.FOREIGN]
    assert {step.name for step in foreign} == {f"{TABLE}_2026_12"}
    assert months(store) == ["2026-11", "2027-01", "2027-02"]
    assert months(store, "database_size_stats") == ["2026-11", "2026-12", "2027-01", "2027-02"]
    with pytest.raises(StoreError, match="42P07"):
        ensure_months(store, [date(2026, 12, 1)])  # a table that upkeep did not make is never taken over


def test_other_bounds_open_bounds_and_divided_parts_are_foreign_and_left_alone(store: Database) -> None:
    execute(
        store,
        f"create table wide partition of {TABLE} for values from ('2019-01-01') to ('2020-01-01')",
        f"create table oldest partition of {TABLE} for values from (minvalue) to ('2001-01-01')",
        f"create table far partition of {TABLE} for values from ('9999-12-01') to ('10000-01-01')",
        f"create table divided partition of {TABLE} for values from ('2018-01-01') to ('2018-02-01') partition by range (stat_date)",
    )
    create(store)
    assert expire(store) == ()
    foreign = {step.name for step in plan(store, SETTINGS, TODAY) if step.kind is StepKind.FOREIGN}
    assert foreign == {"wide", "oldest", "far", "divided"}


def test_a_default_partition_is_foreign_and_stops_nothing_but_what_it_must(store: Database) -> None:
    execute(store, f"create table leftovers partition of {TABLE} default", insert(date(2026, 12, 5)))
    assert [outcome.step.name for outcome in create(store) if outcome.error] == [f"{TABLE}_2026_12"]
    assert {step.name for step in plan(store, SETTINGS, TODAY) if step.kind is StepKind.FOREIGN} == {"leftovers"}


def test_one_table_that_fails_does_not_stop_the_other_three(store: Database) -> None:
    with somebody(store, f"lock table {TABLE} in access exclusive mode"):
        outcomes = create(store)
    assert len(outcomes) == 16
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


def test_100_years_of_months_are_planned_refused_and_dropped_when_confirmed(store: Database) -> None:
    have(store, Month(2016, 12), Month(2026, 11), TABLE)
    execute(  # the rest of a century at once: what is tested is upkeep and not the making of 1,200 tables
        store,
        "do $$ declare m date; begin for m in select generate_series('1926-12-01'::timestamp, '2016-11-01', '1 month')::date loop "
        f"execute format('create table {TABLE}_%s partition of {TABLE} for values from (%L) to (%L)', "
        "to_char(m, 'YYYY_MM'), m, (m + interval '1 month')::date); if extract(month from m) = 1 then commit; end if; end loop; end $$",
    )
    begun = time.monotonic()
    steps = plan_additions(store, SETTINGS, TODAY)
    assert time.monotonic() - begun < 2
    assert plan(store, SETTINGS, TODAY) == steps
    assert sum(step.kind is StepKind.EXPIRE for step in steps) == 1187
    with pytest.raises(InputError, match="1187 table partitions would be dropped at once"):
        expire(store)
    assert len(months(store)) == 1200
    create(store)
    assert months(store)[-3:] == ["2026-12", "2027-01", "2027-02"]
    late = replace(SETTINGS, retention_months=1190)
    assert len(expire(store, given=late)) == 9


def test_a_writer_in_the_way_makes_expiry_give_up_and_the_next_run_ends_it(store: Database) -> None:
    have(store, Month(2025, 9), Month(2026, 11), TABLE)
    execute(store, insert(TODAY))
    with somebody(store, insert(TODAY, 2)):
        begun = time.monotonic()
        outcomes = expire(store)
        assert time.monotonic() - begun < 5
        assert [type(outcome.error) for outcome in outcomes] == [StoreBusyError] * 2
        with somebody(store, "set lock_timeout = '200ms'", f"select * from {TABLE}", insert(TODAY, 3)):
            pass  # neither readers nor writers stand behind it
    pending = months(store, place=Place.DETACH_PENDING)
    assert pending
    assert {str(step.month) for step in plan(store, SETTINGS, TODAY) if step.kind is StepKind.FINALIZE} == set(pending)
    assert errors(expire(store)) == []
    assert months(store) == every_month(Month(2025, 11), Month(2026, 11))
    assert months(store, place=Place.DETACH_PENDING) == []


def test_a_reader_of_the_month_itself_makes_expiry_give_up_and_the_next_run_ends_it(store: Database) -> None:
    have(store, Month(2025, 10), Month(2026, 11), TABLE)
    execute(store, insert(date(2025, 10, 31)), insert(TODAY))
    with somebody(store, f"select * from {TABLE}_2025_10") as reader:
        begun = time.monotonic()
        assert [type(outcome.error) for outcome in expire(store)] == [StoreBusyError]
        assert time.monotonic() - begun < 5
        with reader.cursor() as cursor:
            cursor.execute(f"select count(*) from {TABLE}_2025_10")
            assert cursor.fetchone() == (1,)  # what it reads was not taken away under it
        with somebody(store, "set lock_timeout = '200ms'", f"select * from {TABLE}", insert(TODAY, 2)):
            pass
    assert errors(expire(store)) == []
    assert months(store) == every_month(Month(2025, 11), Month(2026, 11))


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


def test_an_upkeep_that_was_killed_before_the_drop_is_resumed_and_a_month_like_it_is_not_touched(store: Database) -> None:
    have(store, Month(2025, 8), Month(2026, 11), TABLE)
    execute(
        store,
        f"comment on table {TABLE}_2025_08 is 'whalefall detaches {TABLE} from 2025-08-01 to 2025-09-01'",
        f"alter table {TABLE} detach partition {TABLE}_2025_08 concurrently",
        f"alter table {TABLE} detach partition {TABLE}_2025_09 concurrently",  # by somebody who wants to keep it
    )
    assert errors(expire(store)) == []
    assert query(store, f"select to_regclass('{TABLE}_2025_08'), to_regclass('{TABLE}_2025_09')::text") == [(None, f"{TABLE}_2025_09")]
    assert months(store)[0] == "2025-11"


def test_an_upkeep_that_was_killed_while_it_archived_archives_before_it_drops(store: Database, tmp_path: Path) -> None:
    have(store, Month(2025, 10), Month(2026, 11), TABLE)
    execute(
        store,
        insert(date(2025, 10, 31)),
        f"comment on table {TABLE}_2025_10 is 'whalefall detaches {TABLE} from 2025-10-01 to 2025-11-01'",
        f"alter table {TABLE} detach partition {TABLE}_2025_10 concurrently",
    )
    (outcome,) = expire(store, given=replace(SETTINGS, archive_dir=tmp_path))
    assert outcome.archive
    assert read_manifest(outcome.archive).rows == 1
    assert query(store, f"select to_regclass('{TABLE}_2025_10')") == [(None,)]


def test_a_month_in_use_that_an_interruption_left_detached_is_attached_again(store: Database) -> None:
    create(store)
    execute(
        store,
        insert(TODAY),
        f"comment on table {TABLE}_2026_11 is 'whalefall detaches {TABLE} from 2026-11-01 to 2026-12-01'",
        f"alter table {TABLE} detach partition {TABLE}_2026_11 concurrently",
    )
    assert query(store, f"select count(*) from {TABLE}") == [(0,)]
    assert errors(create(store)) == []
    assert query(store, f"select count(*) from {TABLE}") == [(1,)]
    assert query(store, f"select obj_description('{TABLE}_2026_11'::regclass)") == [(None,)]


def test_of_two_upkeeps_at_once_the_second_says_so_and_leaves(store: Database) -> None:
    have(store, Month(2025, 9), Month(2026, 11), TABLE)
    with only_upkeep(store):
        for upkeep in (create, expire):
            with pytest.raises(StoreBusyError, match="Another upkeep of the table partitions is at work"):
                upkeep(store)
    assert months(store)[0] == "2025-09"
    assert errors(create(store)) == errors(expire(store)) == []


def test_two_upkeeps_from_two_places_make_each_month_once(store: Database) -> None:
    made: list[int] = []

    def upkeep() -> None:
        try:
            made.append(len([outcome for outcome in create(store) if not outcome.error]))
        except StoreBusyError:
            made.append(0)

    threads = [threading.Thread(target=upkeep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 4
    create(store)
    assert len(read_catalogue(store)) == 16


def test_two_expiries_from_two_places_drop_each_month_once(store: Database) -> None:
    have(store, Month(2025, 5), Month(2026, 11))
    done: list[str] = []
    told: list[str] = []

    def upkeep() -> None:
        with closing(Database(store.url, TIMEZONE)) as place:
            try:
                outcomes = expire(place, beyond_limit=True)
                done.extend(outcome.step.name for outcome in outcomes if not outcome.error)
                told.extend(errors(outcomes))
            except StoreBusyError as error:
                told.append(str(error))

    threads = [threading.Thread(target=upkeep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == sorted(Month(2025, month).table_partition(name) for name in STATS_TABLES for month in range(5, 11))
    assert all("Another upkeep of the table partitions is at work" in sentence for sentence in told)


def test_a_role_without_the_right_is_told_what_it_lacks(upkeep_server: PostgresCluster, store: Database) -> None:
    administer(upkeep_server, "drop role if exists guest", "create role guest login password 'guest'")
    execute(store, "grant select on all tables in schema public to guest")
    guest = Database(store.url.set(username="guest", password="guest"), TIMEZONE)
    with closing(guest):
        outcomes = create(guest)
    assert len(outcomes) == 16
    for sentence in errors(outcomes):
        assert "42501" in sentence
        assert "must own whalefall's tables and may create more in their schema" in sentence
    assert len(errors(outcomes)) == 16
    assert read_catalogue(store) == ()
    execute(store, "drop owned by guest")


def test_rows_are_estimated_until_they_are_counted(store: Database) -> None:
    have(store, Month(2026, 11), Month(2026, 11), TABLE)
    execute(store, insert(TODAY), insert(TODAY, 2))
    (one,) = read_catalogue(store, [TABLE])
    assert (one.rows, count_rows(store, one)) == (None, 2)
    execute(store, f"analyze {one.name}")
    (one,) = read_catalogue(store, [TABLE])
    assert one.rows == 2
    assert one.total_bytes > 0


def test_an_archive_folder_that_cannot_be_used_stops_before_anything_is_detached(store: Database, tmp_path: Path) -> None:
    have(store, Month(2025, 9), Month(2026, 11), TABLE)
    (tmp_path / "file").touch()
    with pytest.raises(Exception, match="Archives cannot be written to"):
        expire(store, given=replace(SETTINGS, archive_dir=tmp_path / "file" / "archive"))
    assert months(store)[0] == "2025-09"
