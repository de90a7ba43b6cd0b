"""Automatic retries of days, and sessions of dead runs, as Dagster's sensors handle them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from whalefall_pipelines.capacity import sensors
from whalefall_pipelines.dagster_base.calendar import DAYS
from whalefall_pipelines.definitions import defs
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.sessions import RecordStatus, SessionPlan, SessionStatus, SyncCategory, SyncType, session_tag
from whalefall_pipelines.errors import LoginRejectedError, UnreachableError
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.sessions import sensors as session_sensors
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.sessions.settings import CollectingSettings
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.dagster_base.bound import bound, bound_servers
from whalefall_pipelines_tests.factories import FleetTest, changed, query, server

NOW = datetime.now(UTC)
DAY = today(NOW, TIMEZONE)
COLLECT = defs.get_repository_def().get_job("collect_capacity")
REFUSED = UnreachableError("refused", reason="connection_refused")
REJECTED = LoginRejectedError("rejected", reason="authentication_failed")


class Days:
    """A fleet whose day is collected and retried as Dagster does."""

    def __init__(self, store: Database, home: Path, instance: dg.DagsterInstance, servers: dict[str, FakeServer]) -> None:
        self.store = store
        self.fleet = FleetTest(store, home, servers, now=NOW)
        self.instance = instance
        self.grace_hours = 2

    def resources(self) -> dict[str, object]:
        configured = changed(load_settings({"WHALEFALL_HOME": str(self.fleet.home)}), CollectingSettings, grace_hours=self.grace_hours)
        return {"whalefall": bound(self.store, settings=configured), "servers": bound_servers(self.store, self.fleet.collection)}

    def sensor_context(self) -> dg.SensorEvaluationContext:
        return dg.build_sensor_context(instance=self.instance, resources={"whalefall": self.resources()["whalefall"]}, definitions=defs)

    def requests(self) -> list[dg.RunRequest]:
        return list(sensors.retry_failed_instances.evaluate_tick(self.sensor_context()).run_requests or [])

    def sweep(self) -> None:
        session_sensors.end_dead_runs.evaluate_tick(self.sensor_context())

    def let_pass(self, minutes: float) -> None:
        """Move everything that has ended so far this long into the past."""
        with self.store.transaction() as cursor:
            cursor.execute("alter table sync_sessions disable trigger user")
            cursor.execute(
                "update sync_sessions set completed_at = completed_at - make_interval(secs => %(s)s), "
                "started_at = started_at - make_interval(secs => %(s)s)",
                {"s": minutes * 60},
            )
            cursor.execute("alter table sync_sessions enable trigger user")
            for table in ("instances", "credentials"):
                cursor.execute(f"update {table} set updated_at = updated_at - make_interval(secs => %s)", (minutes * 60,))

    def launch(self, request: dg.RunRequest) -> UUID:
        """Run what a sensor requested in this process, and return the session."""
        run = self.run(run_config=request.run_config, tags=dict(request.tags), partition_key=request.tags["dagster/partition"])
        assert run.is_finished  # not always in success: a day below the required coverage is red, and its retries go on
        (row,) = query(self.store, "select session_id from sync_sessions order by started_at desc limit 1")
        return UUID(str(row[0]))

    def run(self, partition_key: str = str(DAY), **options: object) -> dg.DagsterRun:
        """Collect a day in this process; return how the run ended."""
        result = COLLECT.execute_in_process(
            partition_key=partition_key, resources=self.resources(), instance=self.instance, raise_on_error=False, **options
        )
        run = self.instance.get_run_by_id(result.run_id)
        assert run
        return run

    def context_of(self, sensor_name: str, run: dg.DagsterRun, event: dg.DagsterEvent) -> dg.RunStatusSensorContext:
        """The context of a run status sensor."""
        return dg.build_run_status_sensor_context(
            sensor_name=sensor_name,
            dagster_event=event,
            dagster_instance=self.instance,
            dagster_run=run,
            resources=self.resources(),
        )

    def fail(self, run: dg.DagsterRun, why: str) -> None:
        """Let Dagster declare a run dead and notify its sensor."""
        event = self.instance.report_run_failed(run, why)
        session_sensors.end_failed_runs(self.context_of("end_failed_runs", run, event).for_run_failure())

    def names(self, request: dg.RunRequest) -> list[str]:
        config: Mapping[str, dict[str, dict[str, dict[str, list[str]]]]] = request.run_config
        return config["ops"]["fleet_day"]["config"]["instances"]


DaysOf = Callable[[dict[str, FakeServer]], Days]


@pytest.fixture
def days_of(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> DaysOf:
    """Makes days of a fleet of these servers."""
    return lambda servers: Days(store, tmp_path, dagster_instance, servers)


def test_a_red_day_turns_green_soon_after_its_missing_sizes_were_measured_by_hand(store: Database, days_of: DaysOf) -> None:
    servers = {"a": server(refusal=REFUSED), "b": server(refusal=REFUSED), "c": server({"crm": 5})}
    days = days_of(servers)
    red = days.run()
    assert red.status is dg.DagsterRunStatus.FAILURE
    (first,) = sessions.list_sessions(store, most=1)
    by_hand = [instance for instance in days.fleet.instances if instance.name == "a"]
    list(days.fleet.collector().collect_day(by_hand, DAY, None))
    assert days.requests() == []  # it is still away
    servers["a"].refusal = None
    list(days.fleet.collector().collect_day(by_hand, DAY, None))
    (request,) = days.requests()
    assert days.names(request) == ["a"]
    days.fleet.now += timedelta(seconds=1)
    retry = sessions.get_session(store, days.launch(request))
    assert (retry.sync_type, retry.retry_of, retry.status) == (SyncType.RETRY, first.session_id, SessionStatus.COMPLETED)
    assert days.requests() == []
    partitions = days.instance.get_status_by_partition(dg.AssetKey("database_size_stats"), [str(DAY)], DAYS)
    assert partitions == {str(DAY): AssetPartitionStatus.MATERIALIZED}
    days.let_pass(16)
    (request,) = days.requests()
    assert days.names(request) == ["b"]


def test_a_tick_without_a_retry_says_how_many_instances_wait_for_one(days_of: DaysOf) -> None:
    days = days_of({"up": server(), "down": server(refusal=REFUSED)})
    days.fleet.collect(DAY)
    skipped = sensors.retry_failed_instances.evaluate_tick(days.sensor_context())
    assert skipped.skip_message == "1 instance is waiting for its next retry, 0 had their last retry today"


def test_failed_instances_are_retried_the_same_day_until_the_day_is_complete(store: Database, days_of: DaysOf) -> None:
    servers = {
        "up": server(),
        "down": server(refusal=REFUSED),
        "locked out": server(refusal=REJECTED),
        "half": server({"app": 1, "no": None}),
    }
    days = days_of(servers)
    first, _ = days.fleet.collect(DAY)
    assert days.requests() == []
    days.let_pass(16)
    (request,) = days.requests()
    assert days.names(request) == ["down"]
    assert (request.run_key, request.tags["dagster/partition"]) == (str(first), str(DAY))
    assert [request.run_key for request in days.requests()] == [request.run_key]  # Dagster launches a key once
    servers["down"].refusal = None
    retry = sessions.get_session(store, days.launch(request))
    assert (retry.sync_type, retry.retry_of, retry.status) == (SyncType.RETRY, first, SessionStatus.COMPLETED)
    assert {record.instance_name for record in sessions.list_records(store, retry.session_id)} == {"down"}
    assert days.fleet.coverage(DAY)["down"] == (2, 2, 0, [])
    assert servers["up"].probes == 1
    days.let_pass(24 * 60)
    assert days.requests() == []


def test_retries_back_off_and_go_on_until_the_day_cannot_be_measured(store: Database, days_of: DaysOf) -> None:
    days = days_of({"down": server(refusal=REFUSED)})
    days.grace_hours = 23  # so that the end is far away at any time of day
    session_id, _ = days.fleet.collect(DAY)
    for minutes in (15, 60, 180, 180):
        days.let_pass(minutes - 1)
        assert days.requests() == []
        days.let_pass(1.1)
        (request,) = days.requests()
        assert request.run_key == str(session_id)
        session_id = days.launch(request)
    days.let_pass(-48 * 60)  # as if it had ended after the time of the last retry
    assert days.requests() == []


def test_a_rejected_login_is_retried_only_after_a_person_changed_it(store: Database, days_of: DaysOf) -> None:
    days = days_of({"locked out": server(refusal=REJECTED)})
    session_id, outcomes = days.fleet.collect(DAY)
    assert outcomes["locked out"].error is REJECTED
    (record,) = sessions.list_records(store, session_id)
    assert str(record.error_message).endswith("It is retried tomorrow, or as soon as its credential is changed.")
    days.let_pass(24 * 60)
    assert days.requests() == []
    query(store, "update credentials set updated_at = now() returning 1")
    (request,) = days.requests()
    assert days.names(request) == ["locked out"]


def test_instances_that_a_dead_run_did_not_reach_are_retried_and_cancelled_ones_are_not(store: Database, days_of: DaysOf) -> None:
    days = days_of({"a": server(), "b": server()})
    ids = [instance.instance_id for instance in days.fleet.instances]
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY)
    sessions.open_session(store, plan, ids)
    sessions.start_records(store, plan.session_id, ids[:1])
    sessions.abandon_session(store, plan.session_id, SessionStatus.FAILED, error_code="RUN_DIED", error_message="killed")
    days.let_pass(16)
    (request,) = days.requests()
    assert days.names(request) == ["a", "b"]
    other = replace(plan, session_id=uuid4())
    with pytest.raises(KeyboardInterrupt), sync_session(store, other, days.fleet.instances):
        raise KeyboardInterrupt
    days.let_pass(16)
    assert days.requests() == []


def test_nothing_is_retried_while_the_day_is_being_collected(store: Database, days_of: DaysOf) -> None:
    days = days_of({"down": server(refusal=REFUSED)})
    days.fleet.collect(DAY)
    days.let_pass(16)
    with sync_session(store, SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY), []):
        assert days.requests() == []
    assert len(days.requests()) == 1


def test_a_session_that_is_cancelled_cancels_its_run(store: Database, days_of: DaysOf) -> None:
    def cancel(_: FakeServer) -> None:
        (running,) = sessions.list_running(store)
        sessions.abandon_session(store, running.session_id, SessionStatus.CANCELLED, error_code="CANCELLED", error_message="by a person")

    days = days_of({"a": server(on_probe=cancel), "b": server()})
    days.fleet.parallel = 1
    assert days.run().status is dg.DagsterRunStatus.CANCELED
    (session,) = sessions.list_sessions(store, most=10)
    assert session.status is SessionStatus.CANCELLED
    assert {record.instance_name: record.status for record in sessions.list_records(store, session.session_id)} == {
        "a": RecordStatus.FAILED,
        "b": RecordStatus.PENDING,
    }


def test_a_run_that_resumes_after_it_was_declared_dead_stays_failed(store: Database, days_of: DaysOf) -> None:
    def give_up(_: FakeServer) -> None:
        (running,) = sessions.list_running(store)
        run = days.instance.get_run_by_id(str(running.run_id))
        assert run
        days.instance.report_run_failed(run, "it sent no heartbeat")
        sessions.abandon_session(store, running.session_id, SessionStatus.FAILED, error_code="RUN_DIED", error_message="silent")

    days = days_of({"a": server(on_probe=give_up), "b": server()})
    days.fleet.parallel = 1
    assert days.run().status is dg.DagsterRunStatus.FAILURE
    assert days.fleet.sizes(DAY) == {}


def run_of(days: Days, status: dg.DagsterRunStatus, tags: Mapping[str, str] | None = None) -> dg.DagsterRun:
    return days.instance.create_run_for_job(job_def=COLLECT, tags={"dagster/partition": str(DAY), **(tags or {})}, status=status)


def session_of(days: Days, run: dg.DagsterRun) -> UUID:
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.SCHEDULED_TASK, DAY, DAY, run_id=run.run_id)
    sessions.open_session(days.store, plan, [])
    return plan.session_id


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (dg.DagsterRunStatus.FAILURE, SessionStatus.FAILED),
        (dg.DagsterRunStatus.CANCELED, SessionStatus.CANCELLED),
        (dg.DagsterRunStatus.STARTED, SessionStatus.RUNNING),
        (dg.DagsterRunStatus.CANCELING, SessionStatus.CANCELLED),
    ],
)
def test_the_sweep_asks_dagster_about_every_running_session(
    store: Database, days_of: DaysOf, status: dg.DagsterRunStatus, expected: SessionStatus
) -> None:
    days = days_of({})
    session_id = session_of(days, run_of(days, status))
    days.sweep()
    assert sessions.get_session(store, session_id).status is expected


def test_the_session_of_a_failed_run_is_failed_with_the_reason_of_the_run(store: Database, days_of: DaysOf) -> None:
    days = days_of({})
    run = run_of(days, dg.DagsterRunStatus.STARTED, {"whalefall/session_id": str(uuid4())})
    session_id = session_of(days, run)
    days.fail(run, "the machine burnt")
    assert sessions.get_session(store, session_id).status is SessionStatus.FAILED
    assert len(sessions.list_sessions(store, most=10)) == 1


@pytest.mark.parametrize("tags", [{}, {"whalefall/session_id": str(uuid4())}], ids=["before it began", "before its session was open"])
def test_a_collection_that_failed_without_a_session_gets_a_failed_one_once_and_is_retried(
    store: Database, days_of: DaysOf, tags: Mapping[str, str]
) -> None:
    days = days_of({"a": server(), "b": server()})
    run = run_of(days, dg.DagsterRunStatus.STARTING, tags)
    days.requests()
    assert sessions.list_sessions(store, most=10) == ()
    days.instance.report_run_failed(run, "no process could be started")
    with sync_session(store, SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_BATCH, DAY, DAY), []):
        days.requests()
    days.requests()
    (session, _) = sessions.list_sessions(store, most=10)
    assert (session.run_id, session.status, session.total_instances) == (run.run_id, SessionStatus.FAILED, 2)
    assert session.error_code == "RUN_DIED"
    days.let_pass(16)
    (request,) = days.requests()
    days.launch(request)
    assert set(days.fleet.sizes(DAY)) == {(name, database) for name in ("a", "b") for database in ("app", "shop")}


def test_a_failed_collection_of_a_day_that_is_over_gets_no_session(store: Database, days_of: DaysOf) -> None:
    days = days_of({"a": server()})
    run = run_of(days, dg.DagsterRunStatus.STARTING, {"dagster/partition": str(DAY - timedelta(days=3))})
    days.instance.report_run_failed(run, "no process could be started")
    days.requests()
    assert sessions.list_sessions(store, most=10) == ()


def test_a_run_that_yielded_its_day_to_another_is_not_retried(store: Database, days_of: DaysOf) -> None:
    days = days_of({"a": server()})
    with sync_session(store, SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY), []):
        run = days.run()
        assert run.is_failure
        days.sweep()
    days.sweep()
    codes = {session.run_id: session.error_code for session in sessions.list_sessions(store, most=10)}
    assert codes == {None: None, run.run_id: "SESSION_RUNNING"}
    days.let_pass(24 * 60)
    assert days.requests() == []


def test_a_run_that_copies_the_tags_of_another_has_a_session_of_its_own(store: Database, days_of: DaysOf) -> None:
    days = days_of({"a": server()})
    run = days.run()
    copy = days.run(tags=dict(run.tags))
    session_ids = {session.run_id: str(session.session_id) for session in sessions.list_sessions(store, most=10)}
    assert session_ids == {launched.run_id: launched.tags["whalefall/session_id"] for launched in (run, copy)}


def test_the_session_of_a_cancelled_run_is_cancelled(store: Database, days_of: DaysOf) -> None:
    days = days_of({})
    run = run_of(days, dg.DagsterRunStatus.STARTED)
    session_id = session_of(days, run)
    event = days.instance.report_run_canceled(run, "by a click")
    session_sensors.end_cancelled_runs(days.context_of("end_cancelled_runs", run, event))
    assert sessions.get_session(store, session_id).status is SessionStatus.CANCELLED


@pytest.mark.parametrize(
    ("category", "age", "expected"),
    [
        (SyncCategory.AGGREGATION, 0, SessionStatus.FAILED),
        (SyncCategory.CAPACITY, 2, SessionStatus.FAILED),
        # its retry sensor records it with its instances
        (SyncCategory.CAPACITY, 0, None),
    ],
)
def test_a_run_that_fails_in_the_queue_keeps_the_session_it_was_launched_with(
    store: Database, days_of: DaysOf, category: SyncCategory, age: int, expected: SessionStatus | None
) -> None:
    days, session_id, day = days_of({}), uuid4(), DAY - timedelta(days=age)
    tags = {"dagster/partition": str(day), session_tag(category): str(session_id)}
    run = run_of(days, dg.DagsterRunStatus.STARTING, tags)
    days.fail(run, "no worker took it")
    stored = {(known.session_id, known.run_id, known.first_day, known.status) for known in sessions.list_sessions(store, most=10)}
    assert stored == ({(session_id, run.run_id, day, expected)} if expected else set())


def test_a_retry_is_of_yesterday_within_the_grace_period_only(store: Database, days_of: DaysOf) -> None:
    yesterday = DAY - timedelta(days=1)
    days = days_of({"down": server(refusal=REFUSED)})
    days.fleet.now = datetime(yesterday.year, yesterday.month, yesterday.day, 12, tzinfo=TIMEZONE)
    days.fleet.collect(yesterday)
    days.let_pass(600)
    days.grace_hours = 0
    assert days.requests() == []
    days.grace_hours = 24  # yesterday is within it at any time of day
    (request,) = days.requests()
    assert request.tags["dagster/partition"] == str(yesterday)
