"""The graph is pinned: exact keys, dependencies, groups, calendars, jobs, schedules and checks."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from whalefall_pipelines.definitions import defs
from whalefall_pipelines.defs.columns import documented_tables
from whalefall_pipelines.domain.capacity import today
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import query

ROOT = Path(__file__).parents[2]


def keys(*names: str) -> set[dg.AssetKey]:
    return {dg.AssetKey(name) for name in names}


def test_the_assets_their_groups_and_what_they_depend_on() -> None:
    graph = defs.resolve_asset_graph()
    found = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    assert {name: (node.group_name, {parent.to_user_string() for parent in node.parent_keys}) for name, node in found.items()} == {
        "instances": ("inventory", set()),
        "instance_databases": ("inventory", {"instances"}),
        "database_size_stats": ("capacity", {"instance_databases"}),
        "instance_size_stats": ("capacity", {"database_size_stats"}),
        "table_partitions": ("upkeep", set()),
    }


def test_every_asset_says_what_it_is_whose_and_of_what() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description
        assert not node.description.startswith(("#", "*", "|"))  # the catalogue page shows the first line as plain text
        assert node.owners == ["team:dba"]
        assert node.kinds == {"postgres", "python"}
        is_table = key != dg.AssetKey("table_partitions")
        assert ("dagster/column_schema" in node.metadata) == is_table


def test_the_days_include_the_running_one_in_the_configured_zone() -> None:
    partitions = defs.resolve_asset_graph().get(dg.AssetKey("database_size_stats")).partitions_def
    assert isinstance(partitions, dg.DailyPartitionsDefinition)
    assert partitions.timezone == "Asia/Shanghai"
    assert partitions.get_last_partition_key() == str(today(datetime.now(UTC), ZoneInfo("Asia/Shanghai")))


def test_the_job_the_schedule_and_the_check() -> None:
    repository = defs.get_repository_def()
    job = repository.get_job("collect_capacity")
    assert set(job.asset_layer.executable_asset_keys) == keys(
        "instances", "instance_databases", "database_size_stats", "instance_size_stats"
    )
    assert {key.to_user_string() for key in job.asset_layer.asset_graph.asset_check_keys} == {
        "database_size_stats:every_expected_database_has_a_size"
    }
    schedule = repository.get_schedule_def("collect_every_night")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("0 3 * * *", "Asia/Shanghai")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    tick = schedule.evaluate_tick(
        dg.build_schedule_context(scheduled_execution_time=datetime(2026, 11, 21, 19, 0, tzinfo=UTC), repository_def=repository)
    )
    (request,) = tick.run_requests or []
    assert (request.run_key, request.partition_key) == ("2026-11-22", "2026-11-22")


def test_upkeep_has_two_jobs_two_schedules_five_checks_and_a_sensor() -> None:
    repository = defs.get_repository_def()
    for name, expires in (("create_table_partitions", False), ("expire_table_partitions", True)):
        job = repository.get_job(name)
        assert set(job.asset_layer.executable_asset_keys) == keys("table_partitions")
        assert job.tags["whalefall/lane"] == "upkeep"
        assert job.run_config == {"ops": {"table_partitions": {"config": {"expire": expires}}}}
        assert {key.name for key in job.asset_layer.asset_graph.asset_check_keys} == {
            "every_month_in_use_exists",
            "enough_months_ahead",
            "nothing_is_overdue",
            "no_detach_is_pending",
            "nothing_is_foreign",
        }
    assert {(one.name, one.job_name, one.cron_schedule) for one in repository.schedule_defs} == {
        ("collect_every_night", "collect_capacity", "0 3 * * *"),
        ("create_table_partitions_every_night", "create_table_partitions", "30 0 * * *"),
        ("expire_table_partitions_every_month", "expire_table_partitions", "0 1 1 * *"),
    }
    assert {(one.execution_timezone, one.default_status) for one in repository.schedule_defs} == {
        ("Asia/Shanghai", dg.DefaultScheduleStatus.RUNNING)
    }
    (sensor,) = repository.sensor_defs
    assert (sensor.name, sensor.minimum_interval_seconds, sensor.default_status) == (
        "missing_table_partitions",
        120,
        dg.DefaultSensorStatus.RUNNING,
    )


def test_the_documented_columns_are_those_of_the_store(store: Database) -> None:
    for table, columns in documented_tables().items():
        stored = dict(
            query(
                store,
                "select attname, format_type(atttypid, null) from pg_attribute "
                "where attrelid = %s::regclass and attnum > 0 and not attisdropped",
                table,
            )
        )
        assert {name: kind for name, kind, _ in columns}.items() <= stored.items()


@pytest.mark.process
def test_the_code_location_loads_without_environment_and_opens_nothing(tmp_path: Path) -> None:
    watch = "import socket, sys; sys.addaudithook(lambda event, _: sys.exit(event) if event == 'socket.connect' else None)"
    program = f"{watch}; from whalefall_pipelines.definitions import defs; defs.get_repository_def(); print('loaded')"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DAGSTER_DISABLE_TELEMETRY": "1"}
    result = subprocess.run([sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "loaded", result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.process
def test_dagster_validates_the_definitions(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DAGSTER_HOME": str(tmp_path), "DAGSTER_DISABLE_TELEMETRY": "1"}
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-m", "whalefall_pipelines.definitions"]
    result = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
