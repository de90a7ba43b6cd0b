"""The graph is pinned: exact keys, dependencies, groups, calendars, jobs, schedules and checks."""

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from whalefall_pipelines.areas import areas
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.definitions import defs
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.periods import PeriodType, floor
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import query

ROOT = Path(__file__).parents[2]


def keys(*names: str) -> set[dg.AssetKey]:
    return {dg.AssetKey(name) for name in names}


def test_the_assets_their_groups_and_what_they_depend_on() -> None:
    graph = defs.resolve_asset_graph()
    assets = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    assert {name: (node.group_name, {parent.to_user_string() for parent in node.parent_keys}) for name, node in assets.items()} == {
        "instances": ("inventory", set()),
        "instance_databases": ("inventory", {"instances"}),
        "database_size_stats": ("capacity", {"instance_databases"}),
        "instance_size_stats": ("capacity", {"database_size_stats"}),
        "instance_accounts": ("accounts", {"instances"}),
        "account_privileges": ("accounts", {"instance_accounts"}),
        "account_classifications": ("accounts", {"instance_accounts", "account_privileges"}),
        "table_size_stats": ("tables", {"database_size_stats"}),
        "capacity_changes": ("forecasts", {"database_size_stats", "instance_size_stats"}),
        "capacity_forecast_scores": ("forecasts", {"database_size_stats", "instance_size_stats"}),
        "capacity_forecasts": ("forecasts", {"capacity_changes", "capacity_forecast_scores"}),
        "capacity_attribution": ("growth", {"database_size_stats", "table_size_stats"}),
        "table_partitions": ("maintenance", set()),
        "footprint": ("maintenance", set()),
        **{
            f"{level}_size_aggregations/{period_type}": (f"{level}_aggregations", {f"{level}_size_stats"})
            for level in ("database", "instance")
            for period_type in ("daily", "weekly", "monthly", "quarterly")
        },
    }


def test_every_asset_has_a_description_an_owner_and_a_kind() -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description
        assert not node.description.startswith(("#", "*", "|"))  # the catalogue page shows the first line as plain text
        assert node.owners == ["team:dba"]
        assert node.kinds in ({"postgres", "python"}, {"postgres", "sql"})
        assert ("dagster/column_schema" in node.metadata) == (node.group_name != "maintenance")


def test_the_days_include_the_running_one_in_the_configured_zone() -> None:
    partitions = defs.resolve_asset_graph().get(dg.AssetKey("database_size_stats")).partitions_def
    assert isinstance(partitions, dg.DailyPartitionsDefinition)
    assert partitions.timezone == "Asia/Shanghai"
    assert partitions.get_last_partition_key() == str(today(datetime.now(UTC), ZoneInfo("Asia/Shanghai")))


def test_periods_have_calendars_of_their_own_that_include_the_running_one() -> None:
    graph = defs.resolve_asset_graph()
    day = today(datetime.now(UTC), ZoneInfo("Asia/Shanghai"))
    for level in ("database", "instance"):
        for period_type in PeriodType:
            node = graph.get(dg.AssetKey([f"{level}_size_aggregations", str(period_type)]))
            calendar = node.partitions_def
            assert isinstance(calendar, dg.TimeWindowPartitionsDefinition)
            assert calendar.get_last_partition_key() == str(floor(period_type, day))
            assert calendar.get_first_partition_key() == str(floor(period_type, date(2026, 1, 1)))
            (days,) = node.parent_keys
            mapping = node.partition_mappings[days]
            assert isinstance(mapping, dg.TimeWindowPartitionMapping)
            assert mapping.allow_nonexistent_upstream_partitions


def test_the_jobs_and_the_checks() -> None:
    repository = defs.get_repository_def()
    maintenance = {"create_table_partitions", "expire_table_partitions", "measure_footprint", "expire_rows"}
    collections = {"collect_capacity", "fill_past_days", "collect_tables", "sync_accounts", "classify_accounts"}
    collections |= {"make_forecasts", "explain_growth"}
    assert set(repository.job_names) == maintenance | collections | {"__ASSET_JOB"} | {
        f"aggregate_{period_type}_periods" for period_type in PeriodType
    }
    job = repository.get_job("collect_capacity")
    assert set(job.asset_layer.executable_asset_keys) == keys(
        "instances", "instance_databases", "database_size_stats", "instance_size_stats"
    )
    assert {key.to_user_string() for key in defs.resolve_asset_graph().asset_check_keys} == {
        "database_size_stats:every_expected_database_has_a_size",
        "database_size_stats:every_size_is_plausible",
        "database_size_stats:no_database_jumped",
        "instance_size_stats:every_total_is_the_sum_of_its_databases",
        "table_size_stats:every_table_has_a_size",
        "capacity_attribution:bars_add_up",
        *(f"instance_size_aggregations/{period_type}:every_final_period_is_complete_or_explained" for period_type in PeriodType),
        "instance_accounts:every_active_instance_was_observed",
        "instance_accounts:no_account_gained_superuser",
        "account_privileges:nothing_is_unreadable_without_a_cure",
        "account_classifications:every_rule_was_evaluated",
        "account_classifications:no_unannounced_privileged_account",
        "capacity_forecasts:no_limit_is_near",
        "capacity_changes:headroom_exceeds_the_largest_jump",
        "capacity_forecast_scores:intervals_hold_as_promised",
        "database_size_stats:no_limit_is_nearly_used",
        "database_size_stats:no_database_shrank",
        "instance_databases:no_database_vanished",
        "instance_size_stats:enough_databases_have_a_size",
        "instance_size_stats:no_server_is_silent_for_days",
        "instance_size_stats:no_login_is_rejected",
        "instance_size_stats:nights_end_and_sessions_finish",
        "footprint:whalefall_is_within_its_budget",
        "account_classifications:no_class_changed",
        "table_partitions:every_month_in_use_exists",
        "table_partitions:enough_months_ahead",
        "table_partitions:nothing_is_overdue",
        "table_partitions:nothing_is_held_back",
        "table_partitions:no_detach_is_pending",
        "table_partitions:nothing_conflicts",
    }


def test_schedules_and_sensors() -> None:
    repository = defs.get_repository_def()
    schedules = {
        schedule.name: (schedule.cron_schedule, schedule.execution_timezone, schedule.default_status)
        for schedule in repository.schedule_defs
    }
    assert schedules == {
        "collect_every_night": ("0 3 * * *", "Asia/Shanghai", dg.DefaultScheduleStatus.RUNNING),
        "sync_accounts_every_night": ("0 1 * * *", "Asia/Shanghai", dg.DefaultScheduleStatus.RUNNING),
        "forecast_every_day": ("0 6 * * *", "Asia/Shanghai", dg.DefaultScheduleStatus.RUNNING),
        "explain_growth_every_day": ("30 6 * * *", "Asia/Shanghai", dg.DefaultScheduleStatus.RUNNING),
        "collect_tables_every_week": ("0 4 * * 1", "Asia/Shanghai", dg.DefaultScheduleStatus.RUNNING),
        **{
            f"reconcile_{period_type}_periods": ("20 0 * * *", "Asia/Shanghai", dg.DefaultScheduleStatus.RUNNING)
            for period_type in PeriodType
        },
        "create_table_partitions_every_night": ("30 0 * * *", "Asia/Shanghai", dg.DefaultScheduleStatus.RUNNING),
        "expire_table_partitions_every_night": ("0 1 * * *", "Asia/Shanghai", dg.DefaultScheduleStatus.RUNNING),
        "measure_footprint_every_night": ("15 1 * * *", "Asia/Shanghai", dg.DefaultScheduleStatus.RUNNING),
        "expire_rows_every_night": ("30 1 * * *", "Asia/Shanghai", dg.DefaultScheduleStatus.RUNNING),
    }
    assert {sensor.name: sensor.default_status for sensor in repository.sensor_defs} == {
        "refresh_aggregations": dg.DefaultSensorStatus.RUNNING,
        "interpolate_gaps": dg.DefaultSensorStatus.RUNNING,
        "retry_failed_instances": dg.DefaultSensorStatus.RUNNING,
        "retry_failed_tables": dg.DefaultSensorStatus.RUNNING,
        "end_dead_runs": dg.DefaultSensorStatus.RUNNING,
        "end_failed_runs": dg.DefaultSensorStatus.RUNNING,
        "end_cancelled_runs": dg.DefaultSensorStatus.RUNNING,
        "missing_table_partitions": dg.DefaultSensorStatus.RUNNING,
        "retry_unread_accounts": dg.DefaultSensorStatus.RUNNING,
        "refresh_classifications": dg.DefaultSensorStatus.RUNNING,
        "send_due_alerts": dg.DefaultSensorStatus.RUNNING,
    }
    tick = repository.get_schedule_def("collect_every_night").evaluate_tick(
        dg.build_schedule_context(
            scheduled_execution_time=datetime(2026, 11, 21, 19, 0, tzinfo=UTC),
            repository_def=repository,
            resources={"whalefall": WhalefallResource()},  # without a store it requests a run without a zone
        )
    )
    (request,) = tick.run_requests or []
    assert (request.run_key, request.partition_key) == ("2026-11-22", "2026-11-22")


def test_maintenance_creates_and_measures_by_assets_and_deletes_by_jobs_that_materialize_nothing() -> None:
    repository = defs.get_repository_def()
    jobs = {
        "create_table_partitions": keys("table_partitions"),
        "measure_footprint": keys("footprint"),
        "expire_table_partitions": set[dg.AssetKey](),
        "expire_rows": set[dg.AssetKey](),
    }
    for name, assets in jobs.items():
        job = repository.get_job(name)
        assert set(job.asset_layer.executable_asset_keys) == assets
        assert job.tags["whalefall/concurrency_group"] == "maintenance"
        assert not job.run_config
        assert repository.get_schedule_def(f"{name}_every_night").job_name == name
    assert repository.get_sensor_def("missing_table_partitions").minimum_interval_seconds == 120


def test_the_documented_columns_are_those_of_the_store(store: Database) -> None:
    for table, columns in [documented for area in areas() for documented in area.columns.items()]:
        rows = query(
            store,
            "select attname, format_type(atttypid, null) from pg_attribute "
            "where attrelid = %s::regclass and attnum > 0 and not attisdropped",
            table,
        )
        stored = {str(name): str(kind) for name, kind in rows}
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
