"""The asset of the tables as Dagster runs it: which databases a rule names, sessions, missing databases, and what people see of it."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest

from whalefall_pipelines.capacity.coverage import CoverageState
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import TableKind, TableMethod, TableSize, TableSizes, largest_tables
from whalefall_pipelines.errors import UnreachableError
from whalefall_pipelines.fleet.fake import FakeFleet, FakeServer
from whalefall_pipelines.sessions.collection import Collection
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.sessions.retries import RetryRule
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines.tables.assets import tables_day
from whalefall_pipelines.tables.checks import every_table_has_a_size
from whalefall_pipelines.tables.collect import TablesCollector
from whalefall_pipelines.tables.collect_day import choose, read_coverage, rules_of
from whalefall_pipelines.tables.sensors import retry_failed_tables
from whalefall_pipelines_tests.cli.commands import succeed
from whalefall_pipelines_tests.conftest import libpq_url
from whalefall_pipelines_tests.dagster_base.bound import bound, bound_servers
from whalefall_pipelines_tests.factories import FleetTest, query, server

GIBIBYTE = 2**30


def sizes(database_name: str, **tables: int) -> TableSizes:
    rows = [TableSize("public", name, TableKind.TABLE, size, TableMethod.PG_TABLE_SIZE) for name, size in tables.items()]
    outcome = largest_tables(database_name, sum(tables.values()) + 7, rows, (), 100)
    assert outcome is not None
    return outcome


class Scene:
    """A fleet whose databases were measured yesterday and a week before, and whose tables are read today."""

    def __init__(self, store: Database, home: Path, dagster_instance: dg.DagsterInstance) -> None:
        self.store, self.home, self.dagster_instance = store, home, dagster_instance
        self.day = today(datetime.now(UTC), ZONE)
        self.servers: dict[str, FakeServer] = {
            "tagged": server({"small": 5}),
            "large": server({"huge": 200 * GIBIBYTE, "tiny": 4}),
            "grown": server({"growing": 20 * GIBIBYTE, "still": 20 * GIBIBYTE}),
        }
        fleet = FleetTest(store, home, self.servers, now=datetime.now(UTC))
        fleet.collect(self.day)
        query(store, "update instances set tags = '{\"tables\": \"yes\"}' where name = 'tagged' returning 1")
        week_before = self.day - timedelta(days=7)
        ensure_months(store, [week_before])
        earlier = (
            "insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method) "
            f"select instance_id, database_name, '{week_before}', case database_name when 'growing' then 1 else total_bytes end, "
            "collected_at, provenance, method from database_size_stats returning 1"
        )
        for statement in (
            earlier,
            f"update database_activity set active_from = '{week_before}' returning 1",
            f"update instance_activity set active_from = '{week_before}' returning 1",
        ):
            query(store, statement)

    def collection(self) -> Collection:
        secrets = SecretBox(load_settings({"WHALEFALL_HOME": str(self.home)}))
        return Collection(self.store, FakeFleet(self.servers), secrets, 8, timedelta(), RetryRule(pause_seconds=0))

    def whalefall(self, *arguments: str) -> str:
        environment = {"WHALEFALL_HOME": str(self.home), "WHALEFALL_DATABASE_URL": libpq_url(self.store.url)}
        return succeed(environment, *arguments)

    def run(
        self, day: date | None = None, *, tags: dict[str, str] | None = None, instances: list[str] | None = None
    ) -> dg.ExecuteInProcessResult:
        collection = self.collection()
        return dg.materialize(
            [tables_day, every_table_has_a_size],
            partition_key=str(day or self.day),
            resources={
                "whalefall": bound(self.store, settings=load_settings({})),
                "servers": bound_servers(self.store, lambda: collection),
            },
            instance=self.dagster_instance,
            raise_on_error=False,
            tags=tags or {},
            run_config={"ops": {"table_size_stats": {"config": {"instances": instances}}}} if instances else {},
        )


@pytest.fixture
def scene(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> Scene:
    return Scene(store, tmp_path, dagster_instance)


def test_the_databases_that_a_rule_names_are_read_and_shown(scene: Scene) -> None:
    scene.servers["tagged"].tables = {"small": sizes("small", a=1)}
    scene.servers["large"].tables = {"huge": sizes("huge", orders=900, gone=4), "tiny": sizes("tiny", never=1)}
    scene.servers["grown"].tables = {"growing": sizes("growing", log=50), "still": sizes("still", never=1)}
    result = scene.run()
    assert result.success
    assert query(scene.store, "select database_name from table_size_observations order by 1") == [("growing",), ("huge",), ("small",)]
    assert query(scene.store, "select sync_category, status, successful_instances from sync_sessions where sync_category = 'tables'") == [
        ("tables", "completed", 3)
    ]
    for table in ("table_size_stats", "table_size_observations"):
        ensure_months(scene.store, [scene.day - timedelta(days=1)])
        query(scene.store, f"update {table} set stat_date = stat_date - 1 returning 1")
    scene.servers["large"].tables = {"huge": sizes("huge", orders=950, fresh=30)}
    (event,) = scene.run().get_asset_materialization_events()
    shown = {name: str(value.value) for name, value in event.step_materialization_data.materialization.metadata.items()}
    assert "| large | huge | public | orders | 950\N{NO-BREAK SPACE}B | +50\N{NO-BREAK SPACE}B |" in shown["largest"]
    assert "| large | huge | public | orders | 950\N{NO-BREAK SPACE}B | +50\N{NO-BREAK SPACE}B |" in shown["fastest growing"]
    assert "fresh" in shown["new"]
    assert "gone" in shown["gone"]
    assert (shown["databases"], shown["missing"]) == ("3", "0")


def test_what_cannot_be_read_is_missing_and_fails_the_check(scene: Scene) -> None:
    scene.servers["tagged"].refusal = UnreachableError("no route", reason="timeout")
    scene.servers["large"].tables = {"huge": MissingSize("huge", Reason.NO_PERMISSION, "GRANT CONNECT;")}
    scene.servers["grown"].tables = {"growing": sizes("growing", log=50)}
    result = scene.run()
    (check,) = result.get_asset_check_evaluations()
    assert check.description == "2 missing: large/huge (no_permission), tagged/small (timeout)"
    assert query(
        scene.store, "select status, successful_instances, failed_instances from sync_sessions where sync_category = 'tables'"
    ) == [("failed", 1, 2)]
    assert query(scene.store, "select error_code from sync_instance_records where error_code is not null order by 1") == [
        *(("DATABASE_CONNECTION_ERROR",), ("SYNC_DATA_ERROR",)),
    ]
    (request,) = retries(scene, minutes=16)
    assert request.run_config == {"ops": {"table_size_stats": {"config": {"instances": ["tagged"]}}}}
    assert retries(scene, minutes=14) == []
    scene.servers["tagged"].refusal = None
    scene.servers["tagged"].tables = {"small": sizes("small", a=1)}
    assert scene.run(tags=dict(request.tags), instances=["tagged"]).success
    assert retries(scene, minutes=16) == []
    assert query(scene.store, "select reason from table_size_observations order by database_name") == [
        *((None,), ("no_permission",), (None,)),
    ]


def retries(scene: Scene, *, minutes: int) -> list[dg.RunRequest]:
    """What the sensor launches so long after the end of the newest session."""
    ((ended_at,),) = query(scene.store, "select coalesce(max(completed_at), now()) from sync_sessions where sync_category = 'tables'")

    class Later(type(bound(scene.store, settings=load_settings({})))):  # type: ignore[misc]
        def now(self) -> datetime:
            assert isinstance(ended_at, datetime)
            return ended_at + timedelta(minutes=minutes)

        def today(self) -> date:
            return scene.day

    outcome = retry_failed_tables(dg.build_sensor_context(instance=scene.dagster_instance, resources={"whalefall": Later()}))
    return [request for request in outcome if isinstance(request, dg.RunRequest)]  # type: ignore[union-attr]


def test_another_day_is_refused(scene: Scene) -> None:
    assert not scene.run(scene.day - timedelta(days=1)).success
    assert query(scene.store, "select count(*) from table_size_observations") == [(0,)]


def test_a_run_that_died_leaves_its_databases_missing_and_is_retried(scene: Scene) -> None:
    work = choose(scene.store, scene.day, rules_of(load_settings({})), [])
    plan = SessionPlan(uuid4(), SyncCategory.TABLES, SyncType.SCHEDULED_TASK, scene.day, scene.day, run_id="died")
    with pytest.raises(KeyboardInterrupt), sync_session(scene.store, plan, work.targets):
        TablesCollector(scene.collection(), 100).expect(work.names, plan.session_id)
        raise KeyboardInterrupt
    coverage = read_coverage(scene.store, scene.day, scene.day)
    assert [(day.instance_name, day.expected, day.measured, day.state) for day in coverage] == [
        (name, 1, 0, CoverageState.MISSING) for name in ("grown", "large", "tagged")
    ]
    assert {reason for day in coverage for reason in day.reasons} == {"not_collected"}
    scene.servers["tagged"].tables = {"small": sizes("small", a=1)}
    scene.run(instances=["tagged"])
    assert [day.state for day in read_coverage(scene.store, scene.day, scene.day)] == ["missing", "missing", "measured"]
    shown = scene.whalefall("tables", "coverage", "--days", "1")
    assert [line.split()[-1] for line in shown.splitlines()[1:]] == ["!", "!", "#"]


def test_a_second_run_of_the_day_leaves_with_the_name_of_the_first(scene: Scene) -> None:
    plan = SessionPlan(uuid4(), SyncCategory.TABLES, SyncType.SCHEDULED_TASK, scene.day, scene.day, run_id="first")
    with sync_session(scene.store, plan, ()):
        assert not scene.run().success
    codes = query(scene.store, "select status, error_code from sync_sessions where sync_category = 'tables' order by started_at")
    assert codes == [("completed", None), ("failed", "SESSION_RUNNING")]


def test_a_run_that_failed_before_its_session_gets_one_and_is_retried(scene: Scene) -> None:
    """As where the store was away when it began."""
    tags = {"dagster/partition": str(scene.day)}
    run = scene.dagster_instance.create_run_for_job(collect_nothing, tags=tags)
    scene.dagster_instance.report_run_failed(run)
    query(scene.store, "update instances set is_active = false, deactivated_at = now() where name = 'large' returning 1")
    assert retries(scene, minutes=14) == []
    recorded = "select s.status, s.run_id, count(r) from sync_sessions as s left join sync_instance_records as r using (session_id) "
    assert query(scene.store, f"{recorded} where sync_category = 'tables' group by 1, 2") == [("failed", run.run_id, 2)]
    (request,) = retries(scene, minutes=16)
    assert request.run_config == {"ops": {"table_size_stats": {"config": {"instances": ["grown", "tagged"]}}}}


@dg.op
def nothing() -> None:
    """Stand for the work of a run that never began."""


@dg.job(name="collect_tables")
def collect_nothing() -> None:
    nothing()
