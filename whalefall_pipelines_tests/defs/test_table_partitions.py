"""Upkeep as Dagster runs it: the asset, its checks, its session, and the sensor."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import dagster as dg
import pytest

from whalefall_pipelines import settings
from whalefall_pipelines.definitions import defs
from whalefall_pipelines.defs.resources import WhalefallResource
from whalefall_pipelines.defs.table_partitions import missing_table_partitions, table_partitions, table_partitions_are_in_order
from whalefall_pipelines.domain.capacity import today
from whalefall_pipelines.domain.sessions import Session, SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.domain.table_partitions import STATS_TABLES, Month, months_between
from whalefall_pipelines.errors import InputError, MissingMonthError
from whalefall_pipelines.services.keep_session import sync_session
from whalefall_pipelines.store import sessions
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.table_partitions import ensure_month, only_upkeep, read_catalogue
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.defs.bound import bound
from whalefall_pipelines_tests.factories import FleetTest, query, register, server
from whalefall_pipelines_tests.servers.locks import interrupt_detach

TABLE = "instance_size_stats"
EXPIRE = {"expire": True}


@pytest.fixture
def this_month() -> Month:
    day = today(datetime.now(UTC), TIMEZONE)
    return Month(day.year, day.month)


def resource(store: Database, **changed: object) -> WhalefallResource:
    return bound(store, settings=replace(settings.load({"WHALEFALL_HOME": "/nonexistent"}), **changed))  # type: ignore[arg-type]


def run(
    store: Database,
    instance: dg.DagsterInstance,
    config: dict[str, object] | None = None,
    *,
    tags: dict[str, str] | None = None,
    raise_on_error: bool = True,
    **changed: object,
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [table_partitions, table_partitions_are_in_order],
        run_config={"ops": {"table_partitions": {"config": config or {}}}},
        tags=tags,
        resources={"whalefall": resource(store, **changed)},
        instance=instance,
        raise_on_error=raise_on_error,
    )


def failing(result: dg.ExecuteInProcessResult) -> dict[str, str | None]:
    return {check.check_name: check.description for check in result.get_asset_check_evaluations() if not check.passed}


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()}


def only_session(store: Database) -> Session:
    (session,) = sessions.list_sessions(store, most=5)
    return session


def requests(store: Database) -> list[dg.RunRequest]:
    context = dg.build_sensor_context(repository_def=defs.get_repository_def(), resources={"whalefall": resource(store)})
    return list(missing_table_partitions.evaluate_tick(context).run_requests or [])


def test_a_run_creates_checks_and_shows_the_months_in_a_session(store: Database, dagster_instance: dg.DagsterInstance) -> None:
    result = run(store, dagster_instance, tags={"dagster/schedule_name": "create_table_partitions_every_night"})
    assert failing(result) == {}
    assert len(result.get_asset_check_evaluations()) == 6
    shown = metadata(result)
    assert (shown["table_partitions"], shown["to_create"], shown["overdue"], shown["foreign"]) == (16, 0, 0, 0)
    assert str(shown["next three months"]).count("exists") == 12
    assert len(str(shown["table partitions"]).splitlines()) == 18
    session = only_session(store)
    assert (session.sync_category, session.sync_type, session.status, session.run_id, session.total_instances) == (
        SyncCategory.PARTITION,
        SyncType.SCHEDULED_TASK,
        SessionStatus.COMPLETED,
        result.run_id,
        0,
    )
    assert shown["session_id"] == str(session.session_id)
    stored = dagster_instance.get_run_by_id(result.run_id)
    assert stored
    assert UUID(stored.tags["whalefall/partition_session_id"]) == session.session_id


def test_creating_drops_nothing_and_expiring_creates_nothing(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month, tmp_path: Path
) -> None:
    for month in months_between(this_month.plus(-14), this_month.plus(-1)):
        ensure_month(store, TABLE, month)
    result = run(store, dagster_instance)
    assert set(failing(result)) == {"nothing_is_overdue"}
    assert len(read_catalogue(store, [TABLE])) == 18
    with store.transaction() as cursor:
        cursor.execute(f"drop table {this_month.plus(3).table_partition(TABLE)}")
    result = run(store, dagster_instance, EXPIRE, archive_dir=tmp_path)
    assert set(failing(result)) == {"enough_months_ahead"}
    assert [str(one.month) for one in read_catalogue(store, [TABLE])] == [
        str(month) for month in months_between(this_month.plus(-12), this_month.plus(2))
    ]
    assert len(list(tmp_path.glob("*.parquet"))) == 2


def test_a_month_that_is_held_for_its_periods_fails_its_check_and_the_session_and_stays(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month
) -> None:
    (instance,) = register(store, "a")
    old = this_month.plus(-13)
    write_days(store, {((instance.instance_id, "app"), old.first_day): ModelDay(1000)})
    run(store, dagster_instance)
    assert requests(store) == []
    result = run(store, dagster_instance, EXPIRE)
    found = failing(result)
    assert set(found) == {"nothing_is_held_back"}
    assert f"whalefall aggregate --period daily --start {old.first_day}" in str(found["nothing_is_held_back"])
    assert metadata(result)["held_back"] == 2
    assert sessions.list_sessions(store, most=1)[0].status is SessionStatus.FAILED
    assert query(store, "select count(*) from database_size_stats") == [(1,)]


def test_too_many_at_once_break_the_run_and_fail_its_session(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month
) -> None:
    for month in months_between(this_month.plus(-14), this_month):
        ensure_month(store, TABLE, month)
    with pytest.raises(InputError, match="2 table partitions would be dropped at once"):
        run(store, dagster_instance, EXPIRE, expire_at_most=1)
    assert only_session(store).status is SessionStatus.FAILED
    run(store, dagster_instance, EXPIRE | {"beyond_limit": True}, expire_at_most=1)
    assert len(read_catalogue(store, [TABLE])) == 13


def test_what_is_in_the_way_fails_checks_with_its_name(store: Database, dagster_instance: dg.DagsterInstance, this_month: Month) -> None:
    name = this_month.table_partition(TABLE)
    with store.transaction() as cursor:
        cursor.execute(f"create table {name} (x integer)")
    found = failing(run(store, dagster_instance))
    assert set(found) == {"every_month_in_use_exists", "nothing_is_foreign"}
    assert name in str(found["nothing_is_foreign"])


def test_a_month_that_cannot_be_made_fails_the_session_and_its_check_and_not_the_other_tables(
    store: Database, dagster_instance: dg.DagsterInstance
) -> None:
    with store.session() as cursor:
        cursor.execute(f"create table leftovers partition of {TABLE} default")
        cursor.execute(
            f"insert into {TABLE} (instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
            "values (1, current_date, 1, 1, 1, now(), 'measured')"
        )
    assert set(failing(run(store, dagster_instance))) == {"every_month_in_use_exists", "nothing_is_foreign"}
    assert only_session(store).status is SessionStatus.FAILED
    assert len(read_catalogue(store)) == 16


def test_a_run_beside_another_upkeep_leaves_and_is_no_failure(store: Database, dagster_instance: dg.DagsterInstance) -> None:
    with only_upkeep(store):
        run(store, dagster_instance)
    assert read_catalogue(store) == ()
    assert only_session(store).status is SessionStatus.COMPLETED


def test_the_sensor_asks_for_a_repair_once_and_is_silent_when_all_is_there(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month
) -> None:
    (request,) = requests(store)
    assert request.job_name == "create_table_partitions"
    assert [one.run_key for one in requests(store)] == [request.run_key]
    run(store, dagster_instance)
    assert requests(store) == []
    with store.transaction() as cursor:
        cursor.execute(f"drop table {this_month.plus(1).table_partition(TABLE)}")
    (again,) = requests(store)
    assert again.run_key != request.run_key


@pytest.mark.parametrize("table_name", STATS_TABLES)
def test_the_sensor_notices_a_write_that_met_a_missing_month(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month, tmp_path: Path, table_name: str
) -> None:
    run(store, dagster_instance)
    last = this_month.plus(-1)
    yesterday = this_month.first_day - timedelta(days=1)
    fleet = FleetTest(store, tmp_path, {"a": server()}, now=datetime.combine(this_month.first_day, time(0, 30), TIMEZONE))
    fleet.collect(yesterday)
    assert requests(store) == []

    def clock() -> datetime:
        """It is asked after the months were made sure of, and before anything is written."""
        with store.session() as cursor:
            cursor.execute(f"drop table if exists {last.table_partition(table_name)}")
        return fleet.now

    session = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, yesterday, yesterday)
    with suppress(MissingMonthError), sync_session(store, session, fleet.instances):  # without totals not even a failure can be written
        list(fleet.collector(clock).collect_day(fleet.instances, yesterday, session.session_id))
    assert [record.error_code for record in sessions.list_records(store, session.session_id)] == ["MISSING_MONTH"]
    (request,) = requests(store)
    assert request.job_name == "create_table_partitions"
    run(store, dagster_instance)
    assert last in {one.month for one in read_catalogue(store, [table_name])}
    assert requests(store) == []
    _, outcomes = fleet.collect(yesterday)
    assert outcomes["a"].error is None


def test_the_sensor_has_a_detach_that_was_cut_off_ended(store: Database, dagster_instance: dg.DagsterInstance, this_month: Month) -> None:
    run(store, dagster_instance)
    old = this_month.plus(-13)
    ensure_month(store, TABLE, old)
    interrupt_detach(store, TABLE, old.table_partition(TABLE))
    (request,) = requests(store)
    assert request.job_name == "expire_table_partitions"
    assert set(failing(run(store, dagster_instance))) == {"no_detach_is_pending", "nothing_is_overdue"}
    assert failing(run(store, dagster_instance, EXPIRE)) == {}
    assert requests(store) == []
