"""Maintenance as Dagster runs it: the asset, its checks, its session, and the sensor."""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import dagster as dg
import pytest

from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.definitions import defs
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.months import Month, months_between
from whalefall_pipelines.domain.sessions import Session, SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.errors import InputError, MissingMonthError, StoreBusyError
from whalefall_pipelines.retention.assets import ASSET, CHECKS, expire_table_partitions, missing_table_partitions, table_partitions
from whalefall_pipelines.retention.settings import RetentionSettings
from whalefall_pipelines.retention.store.table_partitions import only_maintenance
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_month, read_catalogue
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.dagster_base.bound import bound
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import FleetTest, changed, query, register, server
from whalefall_pipelines_tests.partitioned_tables import PARTITIONED_TABLES
from whalefall_pipelines_tests.servers.locks import interrupt_detach, somebody

TABLE = "instance_size_stats"


@pytest.fixture
def this_month() -> Month:
    day = today(datetime.now(UTC), TIMEZONE)
    return Month(day.year, day.month)


def resource(store: Database, **values: object) -> WhalefallResource:
    settings = load_settings({"WHALEFALL_HOME": "/nonexistent"})
    for group in (RetentionSettings, CollectingSettings):
        settings = changed(settings, group, **{name: value for name, value in values.items() if name in group.model_fields})
    return bound(store, settings=settings)


@contextmanager
def logged(server: PostgresCluster, store: Database) -> Generator[Callable[[], str]]:
    """The server's log of this store, with every statement, up to the moment of the call."""
    query(store, f"alter database {store.url.database} set log_statement to 'all'; select 1")
    store.close()  # takes effect with the next connection
    begun = server.log.stat().st_size
    yield partial(_from, server.log, begun)
    query(store, f"alter database {store.url.database} reset log_statement; select 1")
    store.close()


def _from(log: Path, begun: int) -> str:
    return log.read_bytes()[begun:].decode()


def create(
    store: Database, instance: dg.DagsterInstance, *, tags: dict[str, str] | None = None, **values: object
) -> dg.ExecuteInProcessResult:
    return dg.materialize([table_partitions], tags=tags, resources={"whalefall": resource(store, **values)}, instance=instance)


def expire(store: Database, instance: dg.DagsterInstance, *, raise_on_error: bool = True, **values: object) -> dg.ExecuteInProcessResult:
    resources = {"whalefall": resource(store, **values)}
    return expire_table_partitions.execute_in_process(resources=resources, instance=instance, raise_on_error=raise_on_error)


def failing(instance: dg.DagsterInstance) -> dict[str, str | None]:
    """The checks that fail, as the UI shows them."""
    keys = [dg.AssetCheckKey(ASSET, name) for name in CHECKS]
    newest = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    evaluations = [record.evaluation for record in newest.values() if record.evaluation]
    assert len(evaluations) == len(CHECKS)
    return {evaluation.check_name: evaluation.description for evaluation in evaluations if not evaluation.passed}


def metadata(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (shown,) = [
        *(event.step_materialization_data.materialization for event in result.get_asset_materialization_events()),
        *(event.asset_observation_data.asset_observation for event in result.get_asset_observation_events()),
    ]
    return {name: value.value for name, value in shown.metadata.items()}


def only_session(store: Database) -> Session:
    (session,) = sessions.list_sessions(store, most=5)
    return session


def requests(store: Database, instance: dg.DagsterInstance, **values: object) -> list[dg.RunRequest]:
    repository = defs.get_repository_def()
    context = dg.build_sensor_context(instance=instance, repository_def=repository, resources={"whalefall": resource(store, **values)})
    return list(missing_table_partitions.evaluate_tick(context).run_requests or [])


def test_a_run_creates_checks_and_shows_the_months_in_a_session(store: Database, dagster_instance: dg.DagsterInstance) -> None:
    result = create(store, dagster_instance, tags={"dagster/schedule_name": "create_table_partitions_every_night"})
    assert failing(dagster_instance) == {}
    shown = metadata(result)
    assert (shown["table_partitions"], shown["to_create"], shown["overdue"], shown["conflicts"]) == (4 * len(PARTITIONED_TABLES), 0, 0, 0)
    assert str(shown["next three months"]).count("exists") == 3 * len(PARTITIONED_TABLES)
    assert len(str(shown["table partitions"]).splitlines()) == 4 * len(PARTITIONED_TABLES) + 2
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
    create(store, dagster_instance)
    assert set(failing(dagster_instance)) == {"nothing_is_overdue"}
    assert len(read_catalogue(store, [TABLE])) == 18
    with store.transaction() as cursor:
        cursor.execute(f"drop table {this_month.plus(3).table_partition(TABLE)}")
    expire(store, dagster_instance, archive_dir=tmp_path)
    assert set(failing(dagster_instance)) == {"enough_months_ahead"}
    assert [str(table_partition.month) for table_partition in read_catalogue(store, [TABLE])] == [
        str(month) for month in months_between(this_month.plus(-12), this_month.plus(2))
    ]
    assert len(list(tmp_path.glob("*.parquet"))) == 2


@pytest.mark.parametrize("config", [{"expire": True}, {"beyond_limit": True}])
def test_nothing_in_a_run_config_makes_the_asset_drop_a_month(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month, config: dict[str, bool]
) -> None:
    ensure_month(store, TABLE, this_month.plus(-13))
    run_config = {"ops": {"table_partitions": {"config": config}}}
    dg.materialize([table_partitions], run_config=run_config, resources={"whalefall": resource(store)}, instance=dagster_instance)
    assert this_month.plus(-13) in {table_partition.month for table_partition in read_catalogue(store, [TABLE])}


def test_the_plan_is_made_once_a_run_and_the_catalogue_read_again_where_something_was_done(
    postgres_server: PostgresCluster, store: Database, dagster_instance: dg.DagsterInstance, this_month: Month
) -> None:
    """Counted in the server's log. Three types of period outlive their days: that of the only day is compared once for each."""
    (instance,) = register(store, "a")
    old = this_month.plus(-13)
    write_days(store, {((instance.instance_id, "app"), old.first_day): ModelDay(1000)})
    for run, catalogue, comparisons in ((create, 2, 0), (create, 1, 3), (expire, 2, 3)):
        with logged(postgres_server, store) as read:
            run(store, dagster_instance)
        statements = read()
        assert statements.count("as is_detach_pending") == catalogue
        assert statements.count("as is_stale") == comparisons


def test_a_month_held_for_its_periods_fails_its_check_and_the_session_and_stays(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month
) -> None:
    (instance,) = register(store, "a")
    old = this_month.plus(-13)
    write_days(store, {((instance.instance_id, "app"), old.first_day): ModelDay(1000)})
    create(store, dagster_instance)
    assert requests(store, dagster_instance) == []
    result = expire(store, dagster_instance)
    failures = failing(dagster_instance)
    assert set(failures) == {"nothing_is_held_back"}
    assert f"whalefall aggregate --period monthly --start {old.first_day}" in str(failures["nothing_is_held_back"])
    assert metadata(result)["held_back"] == 2
    session = sessions.list_sessions(store, most=1)[0]
    assert (session.status, session.error_code) == (SessionStatus.FAILED, "INVALID_REQUEST")
    assert requests(store, dagster_instance) == []  # a retry would fail in the same way
    assert query(store, "select count(*) from database_size_stats") == [(1,)]


def test_too_many_at_once_break_the_run_and_fail_its_session(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month
) -> None:
    for month in months_between(this_month.plus(-14), this_month):
        ensure_month(store, TABLE, month)
    with pytest.raises(InputError, match="2 table partitions would be dropped or pruned at once"):
        expire(store, dagster_instance, expire_at_most=1)
    assert only_session(store).status is SessionStatus.FAILED
    assert len(read_catalogue(store, [TABLE])) == 15


def test_an_expiry_during_another_maintenance_fails_with_a_code_and_is_retried_after_a_pause(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month
) -> None:
    old = this_month.plus(-13)
    ensure_month(store, TABLE, old)
    create(store, dagster_instance)
    with only_maintenance(store):
        assert not expire(store, dagster_instance, raise_on_error=False).success
    session = sessions.list_sessions(store, most=1)[0]
    assert (session.status, session.error_code) == (SessionStatus.FAILED, "STORE_BUSY")
    assert requests(store, dagster_instance) == []  # not before the first pause
    soon = {"retry_minutes": (0, 24 * 60)}
    (request,) = requests(store, dagster_instance, **soon)
    assert request.job_name == "expire_table_partitions"
    assert [request.run_key for request in requests(store, dagster_instance, **soon)] == [request.run_key]
    expire(store, dagster_instance)
    assert old not in {table_partition.month for table_partition in read_catalogue(store, [TABLE])}
    assert requests(store, dagster_instance, **soon) == []


def test_an_expiry_blocked_by_a_lock_fails_with_a_code_and_is_retried(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month
) -> None:
    old = this_month.plus(-13)
    ensure_month(store, TABLE, old)
    create(store, dagster_instance)
    with somebody(store, f"select * from {old.table_partition(TABLE)}"):
        assert expire(store, dagster_instance).success
    session = sessions.list_sessions(store, most=1)[0]
    assert (session.status, session.error_code) == (SessionStatus.FAILED, "STORE_BUSY")
    assert old.table_partition(TABLE) in str(session.error_message)
    retries = requests(store, dagster_instance, retry_minutes=(0,))
    assert {retry.job_name for retry in retries} == {"expire_table_partitions"}


def test_conflicts_fail_the_checks_by_name(store: Database, dagster_instance: dg.DagsterInstance, this_month: Month) -> None:
    name = this_month.table_partition(TABLE)
    with store.transaction() as cursor:
        cursor.execute(f"create table {name} (x integer)")
    create(store, dagster_instance)
    failures = failing(dagster_instance)
    assert set(failures) == {"every_month_in_use_exists", "nothing_conflicts"}
    assert name in str(failures["nothing_conflicts"])


def test_a_month_that_cannot_be_made_fails_the_session_and_its_check_and_not_the_other_tables(
    store: Database, dagster_instance: dg.DagsterInstance
) -> None:
    with store.session() as cursor:
        cursor.execute(f"create table leftovers partition of {TABLE} default")
        cursor.execute(
            f"insert into {TABLE} (instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
            "values (1, current_date, 1, 1, 1, now(), 'measured')"
        )
    create(store, dagster_instance)
    assert set(failing(dagster_instance)) == {"every_month_in_use_exists", "nothing_conflicts"}
    assert only_session(store).status is SessionStatus.FAILED
    assert len(read_catalogue(store)) == 4 * len(PARTITIONED_TABLES)


def test_creating_during_another_maintenance_fails_with_a_code(store: Database, dagster_instance: dg.DagsterInstance) -> None:
    with only_maintenance(store), pytest.raises(StoreBusyError):
        create(store, dagster_instance)
    assert read_catalogue(store) == ()
    assert (only_session(store).status, only_session(store).error_code) == (SessionStatus.FAILED, "STORE_BUSY")


def test_the_sensor_requests_a_repair_once_and_nothing_when_it_is_complete(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month
) -> None:
    (request,) = requests(store, dagster_instance)
    assert request.job_name == "create_table_partitions"
    assert [request.run_key for request in requests(store, dagster_instance)] == [request.run_key]
    create(store, dagster_instance)
    assert requests(store, dagster_instance) == []
    with store.transaction() as cursor:
        cursor.execute(f"drop table {this_month.plus(1).table_partition(TABLE)}")
    (again,) = requests(store, dagster_instance)
    assert again.run_key != request.run_key


@pytest.mark.parametrize("table_name", STATS_TABLES)
def test_the_sensor_notices_a_write_that_met_a_missing_month(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month, tmp_path: Path, table_name: str
) -> None:
    create(store, dagster_instance)
    last = this_month.plus(-1)
    yesterday = this_month.first_day - timedelta(days=1)
    fleet = FleetTest(store, tmp_path, {"a": server()}, now=datetime.combine(this_month.first_day, time(0, 30), TIMEZONE))
    fleet.collect(yesterday)
    assert requests(store, dagster_instance) == []

    def clock() -> datetime:
        """It is queried after the months were ensured, and before anything is written."""
        with store.session() as cursor:
            cursor.execute(f"drop table if exists {last.table_partition(table_name)}")
        return fleet.now

    session = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, yesterday, yesterday)
    with (
        suppress(MissingMonthError),
        sync_session(store, session, fleet.instances),
    ):  # without the table of totals not even a failure can be written
        list(fleet.collector(clock).collect_day(fleet.instances, yesterday, session.session_id))
    assert [record.error_code for record in sessions.list_records(store, session.session_id)] == ["MISSING_MONTH"]
    (request,) = requests(store, dagster_instance)
    assert request.job_name == "create_table_partitions"
    create(store, dagster_instance)
    assert last in {table_partition.month for table_partition in read_catalogue(store, [table_name])}
    assert requests(store, dagster_instance) == []
    _, outcomes = fleet.collect(yesterday)
    assert outcomes["a"].error is None


def test_the_sensor_requests_the_end_of_an_interrupted_detach(
    store: Database, dagster_instance: dg.DagsterInstance, this_month: Month
) -> None:
    create(store, dagster_instance)
    old = this_month.plus(-14)  # on the first days of a month the month before it is due, and not overdue
    ensure_month(store, TABLE, old)
    interrupt_detach(store, TABLE, old.table_partition(TABLE))
    (request,) = requests(store, dagster_instance)
    assert request.job_name == "expire_table_partitions"
    create(store, dagster_instance)
    assert set(failing(dagster_instance)) == {"no_detach_is_pending", "nothing_is_overdue"}
    expire(store, dagster_instance)
    assert failing(dagster_instance) == {}
    assert requests(store, dagster_instance) == []
