"""The tutorial `a-day-comes-back` with the real daemon: a day is deleted, a backfill brings it back, exactly its periods follow."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.periods import PeriodType, floor
from whalefall_pipelines.runtime.embedded import open_database
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings, machine_timezone
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import ModelDay, days_from
from whalefall_pipelines_tests.cli.trees import Home, Up, eventually, running
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import query, register

pytestmark = pytest.mark.process

BACKFILL = """mutation($parameters: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $parameters) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
TICKS = """{ sensorOrError(sensorSelector: {repositoryLocationName: "whalefall_pipelines", repositoryName: "__repository__",
  sensorName: "refresh_aggregations"}) { ... on Sensor { sensorState { ticks(limit: 1) { status } } } } }"""


DRY_RUN = """mutation($selector: ScheduleSelector!, $timestamp: Float) {
  scheduleDryRun(selectorData: $selector, timestamp: $timestamp) {
    __typename
    ... on DryRunInstigationTick { evaluationResult { runRequests { runKey tags { key value } } } }
    ... on PythonError { message }
  }
}"""
LAUNCH = """mutation($parameters: ExecutionParams!) {
  launchPipelineExecution(executionParams: $parameters) {
    __typename
    ... on PythonError { message }
  }
}"""
LOCATION = {"repositoryLocationName": "whalefall_pipelines", "repositoryName": "__repository__"}


def reconcile(up: Up, period_type: PeriodType) -> None:
    """Evaluate the schedule now, as it runs every night, and launch what it requests."""
    selector = LOCATION | {"scheduleName": f"reconcile_{period_type}_periods"}
    tick = up.ask(DRY_RUN, {"selector": selector, "timestamp": datetime.now(UTC).timestamp()})["scheduleDryRun"]
    for request in tick["evaluationResult"]["runRequests"] or []:
        job = LOCATION | {"pipelineName": f"aggregate_{period_type}_periods"}
        parameters = {"selector": job, "mode": "default", "executionMetadata": {"tags": request["tags"]}}
        answer = up.ask(LAUNCH, {"parameters": parameters})["launchPipelineExecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer


def has_ticked(up: Up) -> bool:
    ticks = up.ask(TICKS)["sensorOrError"]["sensorState"]["ticks"]
    return bool(ticks) and ticks[0]["status"] in {"SKIPPED", "SUCCESS"}


def periods(database: Database) -> dict[tuple[object, ...], tuple[object, ...]]:
    """Every period of both levels with what it was computed from."""
    rows = query(
        database,
        "select 'database', period_type, period_start, estimated_count, calculated_at from database_size_aggregations union all "
        "select 'instance', period_type, period_start, estimated_count, calculated_at from instance_size_aggregations",
    )
    return {row[:3]: row[3:] for row in rows}


def changed(
    before: dict[tuple[object, ...], tuple[object, ...]], after: dict[tuple[object, ...], tuple[object, ...]]
) -> set[tuple[object, ...]]:
    return {key for key, value in after.items() if before.get(key) != value}


def test_a_deleted_day_comes_back_as_estimated_with_its_periods_and_no_others(prepared_home: Callable[..., Home]) -> None:
    now = today(datetime.now(UTC), machine_timezone())
    first_day, lost = now - timedelta(days=40), now - timedelta(days=20)
    home = prepared_home({"WHALEFALL_START_DATE": str(first_day)})
    home.succeed("store", "start")
    database = open_database(load_settings(home.environment))
    (instance,) = register(database, "orders")
    write_days(database, {((instance.instance_id, "shop"), day): ModelDay(1000) for day in days_from(first_day, 41)})
    for period_type in PeriodType:
        start, through = floor(period_type, first_day), floor(period_type, now)
        home.succeed("aggregate", "--period", period_type, "--start", str(start), "--end", str(through))
    home.succeed("verify")
    before = periods(database)

    with running(home, free_port()) as up:
        assert eventually(lambda: has_ticked(up), seconds=60), up.output()
        with database.transaction() as cursor:
            cursor.execute("delete from database_size_stats where stat_date = %s", (lost,))
        selection = [{"path": ["database_size_stats"]}, {"path": ["instance_size_stats"]}]
        answer = up.ask(BACKFILL, {"parameters": {"assetSelection": selection, "partitionNames": [str(lost)]}})
        assert answer["launchPartitionBackfill"]["__typename"] == "LaunchBackfillSuccess", answer
        expected = {(level, str(period_type), floor(period_type, lost)) for level in ("database", "instance") for period_type in PeriodType}
        assert eventually(lambda: changed(before, periods(database)) >= expected, seconds=300), up.output()
        assert changed(before, periods(database)) == expected
        assert {periods(database)[key][0] for key in expected} == {1}
        assert query(database, "select total_bytes, provenance from database_size_stats where stat_date = %s", lost) == [
            (1000, "estimated")
        ]
        sessions = query(database, "select sync_category, sync_type from sync_sessions where run_id is not null")
        assert ("capacity", "backfill") in sessions
        assert ("aggregation", "scheduled_task") in sessions
        home.succeed("verify")

        with database.transaction() as cursor:  # outside Dagster
            cursor.execute("update database_size_stats set total_bytes = 1700 where stat_date = %s", (lost,))
            cursor.execute("update instance_size_stats set total_bytes = 1700 where stat_date = %s", (lost,))
        assert home.run("verify").returncode == 1
        before = periods(database)
        for period_type in PeriodType:
            reconcile(up, period_type)
        assert eventually(lambda: changed(before, periods(database)) >= expected, seconds=300), up.output()
        home.succeed("verify")
    database.close()
