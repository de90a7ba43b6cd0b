"""A fleet in zones, as Dagster runs it: one run, session and concurrency group for each zone, and none visits the servers of another."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4 as uuid

import dagster as dg
import pytest

from whalefall_pipelines.accounts import sensors as account_sensors
from whalefall_pipelines.accounts.jobs import sync_accounts_every_night
from whalefall_pipelines.capacity import sensors
from whalefall_pipelines.capacity.collect_now import collect_now
from whalefall_pipelines.capacity.jobs import collect_every_night
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.definitions import defs
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.domain.sessions import SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.domain.sizes import Method, RecoveredSize
from whalefall_pipelines.errors import OtherZoneError, SessionRunningError, StoreUnreachableError, UnreachableError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.tables.jobs import collect_tables_every_week
from whalefall_pipelines_tests.aggregation_model import ModelDay
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.dagster_base.bound import bound, bound_servers
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import FleetTest, query, server

NOW = datetime.now(UTC)
DAY = today(NOW, TIMEZONE)
REFUSED = UnreachableError("refused", reason="connection_refused")
SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE


@dataclass
class Zones:
    """Two servers in the centre, one in each of two zones, and one Dagster instance for the processes of all of them."""

    fleet: FleetTest
    dagster: dg.DagsterInstance
    now: datetime = NOW

    def settings(self, zones: str = "centre") -> Any:
        return load_settings({"WHALEFALL_HOME": str(self.fleet.home), "WHALEFALL_ZONES": zones})

    def run(
        self, zones: str, tags: Mapping[str, str] | None = None, job: str = "collect_capacity", day: date = DAY, **options: Any
    ) -> dg.DagsterRun:
        """Execute a run in a process that reaches these zones."""
        settings, store = self.settings(zones), self.fleet.store
        reached = frozenset(None if name == "centre" else name for name in zones.split(","))
        result = (
            defs.get_repository_def()
            .get_job(job)
            .execute_in_process(
                partition_key=str(day),
                tags=dict(tags or {}),
                resources={
                    "whalefall": bound(store, settings=settings),
                    "servers": bound_servers(store, lambda: replace(self.fleet.collection(), reached=reached)),
                },
                instance=self.dagster,
                raise_on_error=False,
                **options,
            )
        )
        run = self.dagster.get_run_by_id(result.run_id)
        assert run
        return run

    def resource(self) -> WhalefallResource:
        now, of_installation = self.now, self.settings()

        class Later(type(bound(self.fleet.store, settings=of_installation))):  # type: ignore[misc]
            def now(self) -> datetime:
                return now

        return Later()

    def ticked(self, schedule: dg.ScheduleDefinition, resource: WhalefallResource | None = None) -> dict[str | None, dg.RunRequest]:
        """The requests of a tick of a schedule, by their zone."""
        context = dg.build_schedule_context(
            scheduled_execution_time=NOW,
            resources={"whalefall": resource or self.resource()},
            instance=self.dagster,
            repository_def=defs.get_repository_def(),
        )
        requests = schedule.evaluate_tick(context).run_requests or []
        return {request.tags.get("whalefall/zone"): request for request in requests}

    def sensed(self, sensor: dg.SensorDefinition = sensors.retry_failed_instances) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(instance=self.dagster, resources={"whalefall": self.resource()}, definitions=defs)
        return list(sensor.evaluate_tick(context).run_requests or [])

    def probes(self) -> dict[str, int]:
        """How often each server was probed."""
        return {name: fake.probes for name, fake in self.fleet.servers.items()}

    def sessions(self) -> dict[str | None, tuple[str, int]]:
        """Status and number of instances of the sessions, by their zone."""
        rows = query(self.fleet.store, "select zone, status, total_instances from sync_sessions")
        assert len({row[0] for row in rows}) == len(rows)
        return {row[0]: (str(row[1]), int(str(row[2]))) for row in rows}  # type: ignore[misc]


@pytest.fixture
def zones(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> Zones:
    fleet = FleetTest(store, tmp_path, {"a": server(), "b": server(), "shanghai": server(), "berlin": server()}, now=NOW)
    with store.transaction() as cursor:
        cursor.execute("insert into zones (name) values ('dmz-shanghai'), ('dmz-berlin')")
        cursor.execute("update instances set zone = 'dmz-' || name where name in ('shanghai', 'berlin')")
    return Zones(fleet, dagster_instance)


@pytest.mark.parametrize(
    ("schedule", "group"),
    [(collect_every_night, "collect"), (sync_accounts_every_night, "accounts"), (collect_tables_every_week, "collect_tables")],
)
def test_a_schedule_requests_one_run_and_concurrency_group_for_each_zone(zones: Zones, schedule: dg.ScheduleDefinition, group: str) -> None:
    requests = zones.ticked(schedule)
    assert {zone: request.run_key for zone, request in requests.items()} == {
        zone: f"{DAY}:{zone}" for zone in ("centre", "dmz-berlin", "dmz-shanghai")
    }
    assert requests["dmz-berlin"].tags["whalefall/concurrency_group"] == f"{group} dmz-berlin"
    assert "whalefall/concurrency_group" not in requests["centre"].tags  # that of the job
    query(zones.fleet.store, "update instances set is_active = false, deactivated_at = now() where zone = 'dmz-berlin' returning 1")
    assert zones.ticked(schedule).keys() == {"centre", "dmz-shanghai"}
    query(zones.fleet.store, "update instances set zone = null returning 1")
    (only,) = zones.ticked(schedule).values()
    assert (only.run_key, only.tags.get("whalefall/zone")) == (str(DAY), None)


def test_without_its_store_a_schedule_requests_a_run_without_a_zone(zones: Zones) -> None:
    class Away(WhalefallResource):
        def store(self) -> Any:
            raise StoreUnreachableError("away")

    (only,) = zones.ticked(collect_every_night, Away()).values()
    assert only.run_key == str(DAY)


def test_each_zone_is_collected_by_its_own_run_and_the_day_is_complete_with_the_last(zones: Zones) -> None:
    requests = zones.ticked(collect_every_night)
    passed: list[bool] = []
    for name, request in requests.items():
        run = zones.run(str(name), request.tags)
        assert run.status is SUCCESS
        events = zones.dagster.all_logs(run.run_id, dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        evaluations = [event.get_dagster_event().asset_check_evaluation_data for event in events]
        passed += [each.passed for each in evaluations if each.asset_check_key.name == "every_expected_database_has_a_size"]
    assert passed == [False, False, True]
    assert zones.sessions() == {None: ("completed", 2), "dmz-berlin": ("completed", 1), "dmz-shanghai": ("completed", 1)}
    assert set(zones.probes().values()) == {1}
    assert zones.fleet.coverage(DAY).keys() == {"a", "b", "shanghai", "berlin"}
    assert zones.sensed() == []


@pytest.mark.parametrize("job", ["collect_capacity", "sync_accounts", "collect_tables"])
def test_a_worker_refuses_the_run_of_another_zone_before_it_connects_to_anything(zones: Zones, job: str) -> None:
    for reached, tag in (("centre", "dmz-berlin"), ("dmz-berlin", "centre"), ("dmz-berlin,centre", "dmz-shanghai")):
        run = zones.run(reached, {"whalefall/zone": tag}, job)
        assert run.status is FAILURE
        failures = json.dumps([str(event) for event in zones.dagster.all_logs(run.run_id, dg.DagsterEventType.STEP_FAILURE)])
        assert f"the work is for {tag}" in failures
    assert set(zones.probes().values()) == {0}
    assert zones.sessions() == {}


def test_a_refused_run_is_recorded_as_a_failed_session_of_its_zone_and_retried_there(zones: Zones) -> None:
    run = zones.run("centre", {"whalefall/zone": "dmz-berlin"})
    assert run.status is FAILURE
    assert zones.sensed() == []
    assert zones.sessions() == {"dmz-berlin": ("failed", 1)}
    zones.now = datetime.now(UTC) + timedelta(minutes=16)
    (retry,) = zones.sensed()
    assert retry.tags["whalefall/zone"] == "dmz-berlin"
    assert retry.tags["whalefall/concurrency_group"] == "collect dmz-berlin"
    assert retry.run_config == {"ops": {"fleet_day": {"config": {"instances": ["berlin"]}}}}
    assert zones.run("dmz-berlin", retry.tags, run_config=retry.run_config).status is SUCCESS
    assert zones.probes() == {"a": 0, "b": 0, "shanghai": 0, "berlin": 1}


@pytest.mark.parametrize("job", ["collect_capacity", "sync_accounts"])
def test_a_run_without_a_zone_collects_what_its_worker_reaches_and_a_sensor_requests_the_rest_once(zones: Zones, job: str) -> None:
    sensor = sensors.retry_failed_instances if job == "collect_capacity" else account_sensors.retry_unread_accounts
    assert zones.sensed(sensor) == []  # nobody asked for the day yet
    assert zones.run("centre,dmz-berlin", job=job).status is SUCCESS
    assert zones.probes() == {"a": 1, "b": 1, "shanghai": 0, "berlin": 1}
    (request,) = zones.sensed(sensor)
    assert (request.tags["whalefall/zone"], request.run_key) == ("dmz-shanghai", f"{DAY}:dmz-shanghai")
    waiting = zones.dagster.create_run_for_job(
        defs.get_repository_def().get_job(job), tags={**request.tags}, status=dg.DagsterRunStatus.STARTING
    )
    assert zones.sensed(sensor) == []
    zones.dagster.delete_run(waiting.run_id)
    assert zones.run("dmz-shanghai", request.tags, job).status is SUCCESS
    assert zones.sensed(sensor) == []
    assert set(zones.probes().values()) == {1}


def test_failures_are_retried_in_their_zones_while_another_zone_is_collected(zones: Zones) -> None:
    zones.fleet.servers["berlin"].refusal = zones.fleet.servers["a"].refusal = REFUSED
    zones.run("centre,dmz-berlin,dmz-shanghai")
    zones.now = datetime.now(UTC) + timedelta(minutes=16)
    plan = SessionPlan(uuid(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY, zone="dmz-shanghai")
    with sync_session(zones.fleet.store, plan, []):
        retries = {request.tags.get("whalefall/zone"): request for request in zones.sensed()}
    assert retries.keys() == {None, "dmz-berlin"}
    assert len({request.run_key for request in retries.values()}) == 2
    assert retries[None].run_config == {"ops": {"fleet_day": {"config": {"instances": ["a"]}}}}


def test_a_dead_zone_does_not_make_the_run_of_another_red(zones: Zones) -> None:
    zones.fleet.servers["shanghai"].refusal = zones.fleet.servers["berlin"].refusal = REFUSED
    zones.fleet.servers["b"].databases = {"app": 1}
    zones.run("dmz-shanghai", {"whalefall/zone": "dmz-shanghai"})
    zones.run("dmz-berlin", {"whalefall/zone": "dmz-berlin"})
    query(zones.fleet.store, "update instances set is_active = false, deactivated_at = now() where name = 'a' returning 1")
    assert zones.run("centre", {"whalefall/zone": "centre"}).status is SUCCESS


def test_sessions_of_two_zones_run_at_once_and_two_of_one_zone_do_not(zones: Zones) -> None:
    store, by_name = zones.fleet.store, {instance.name: instance for instance in zones.fleet.instances}

    def plan(zone: str | None) -> SessionPlan:
        return SessionPlan(uuid(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY, zone=zone)

    with sync_session(store, plan("dmz-berlin"), [by_name["berlin"]]), sync_session(store, plan(None), [by_name["a"]]):
        with pytest.raises(SessionRunningError), sync_session(store, plan("dmz-berlin"), []):
            pass
        # A run without a zone collected in it as well.
        with pytest.raises(SessionRunningError), sync_session(store, plan("dmz-shanghai"), [by_name["shanghai"], by_name["a"]]):
            pass


def test_a_cancelled_zone_leaves_the_others_alone(zones: Zones) -> None:
    zones.run("dmz-berlin", {"whalefall/zone": "dmz-berlin"})
    store = zones.fleet.store
    plan = SessionPlan(uuid(), SyncCategory.CAPACITY, SyncType.SCHEDULED_TASK, DAY, DAY, zone="dmz-shanghai")
    sessions.open_session(store, plan, [zones.fleet.instances[2].instance_id])
    sessions.abandon_session(store, plan.session_id, SessionStatus.CANCELLED, error_code="CANCELLED", error_message="by hand")
    assert zones.run("centre", {"whalefall/zone": "centre"}).status is SUCCESS
    assert zones.sessions() == {None: ("completed", 2), "dmz-berlin": ("completed", 1), "dmz-shanghai": ("cancelled", 1)}
    assert zones.sensed() == []  # what a person stopped is not started again


def test_a_backfill_fills_every_zone_and_a_sensor_requests_the_histories_that_it_did_not_reach(zones: Zones) -> None:
    fleet, past = zones.fleet, DAY - timedelta(days=1)
    query(fleet.store, "update instances set engine = 'sqlserver' where name <> 'shanghai' returning 1")
    fleet.instances = tuple(active_instances(fleet.store))
    keys = {name: (instance.instance_id, "app") for name, instance in zip(fleet.servers, fleet.instances, strict=True)}
    days = {(key, DAY - timedelta(days=back)): ModelDay(size) for key in keys.values() for back, size in ((2, 100), (1, None), (0, 300))}
    write_days(fleet.store, days)
    for fake in fleet.servers.values():
        fake.history = [RecoveredSize("app", past, 150, None, None, Method.BACKUP_FILE_SIZE, NOW - timedelta(days=1))]
    fleet.now = NOW + timedelta(hours=3)  # out of the grace period

    def fill(reached: str, tags: Mapping[str, str] | None = None) -> None:
        assert zones.run(reached, tags, "fill_past_days", day=past).status is SUCCESS

    fill("centre")
    assert fleet.sizes(past) == {(name, "app"): 150 if name in {"a", "b"} else 200 for name in keys}
    (request,) = zones.sensed(sensors.interpolate_gaps)  # the server in shanghai keeps no history
    wanted = {"whalefall/zone": "dmz-berlin", "dagster/partition": str(past), "whalefall/concurrency_group": "collect dmz-berlin"}
    assert {name: request.tags[name] for name in wanted} == wanted
    assert zones.sensed(sensors.interpolate_gaps)[0].run_key == request.run_key  # which Dagster launches once
    fill("dmz-berlin", request.tags)
    assert fleet.sizes(past) == {(name, "app"): 200 if name == "shanghai" else 150 for name in keys}
    assert zones.probes() == {"a": 1, "b": 1, "shanghai": 0, "berlin": 1}
    assert zones.sensed(sensors.interpolate_gaps)[0].run_key == request.run_key


def test_a_backfill_that_reaches_every_zone_requests_nothing(zones: Zones) -> None:
    fleet, past = zones.fleet, DAY - timedelta(days=1)
    query(fleet.store, "update instances set engine = 'sqlserver' returning 1")
    write_days(fleet.store, {((fleet.instances[3].instance_id, "app"), DAY - timedelta(days=back)): ModelDay(None) for back in (1, 2)})
    fleet.now = NOW + timedelta(hours=3)
    assert zones.run("centre,dmz-berlin,dmz-shanghai", job="fill_past_days", day=past).status is SUCCESS
    assert zones.sensed(sensors.interpolate_gaps) == []


def test_nobody_connects_to_a_server_of_another_zone(zones: Zones) -> None:
    berlin = zones.fleet.instances[3]
    with pytest.raises(OtherZoneError, match="work is for dmz-berlin"):
        collect_now(zones.settings(), zones.fleet.store, berlin.instance_id)
    assert query(zones.fleet.store, "select count(*) from capacity_gaps") == [(0,)]
    elsewhere = Instance(1, "x", berlin.engine, "127.0.0.1", 1, "monitor", zone="dmz-berlin")
    with pytest.raises(UnreachableError, match="is in zone dmz-berlin"), ServerFleet().connect(SIZES, elsewhere, Login("monitor", None)):
        pass


def test_named_instances_of_another_zone_are_refused_by_name_of_the_zone(zones: Zones) -> None:
    run = zones.run("centre", run_config={"ops": {"fleet_day": {"config": {"instances": ["a", "berlin"]}}}})
    assert run.status is FAILURE
    assert set(zones.probes().values()) == {0}
