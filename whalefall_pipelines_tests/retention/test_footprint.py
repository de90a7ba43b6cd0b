"""Retention as Dagster runs it, on its own Dagster instance with aged runs: the UI shows the same about assets afterwards."""

from datetime import UTC, datetime

import dagster as dg

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.months import Month
from whalefall_pipelines.retention.assets import ASSET, CHECKS, table_partitions
from whalefall_pipelines.retention.footprint import expire_rows, footprint
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.dagster_base.bound import bound
from whalefall_pipelines_tests.doctor import test_daemon as test_doctor
from whalefall_pipelines_tests.factories import query

dagsters = test_doctor.dagsters
SETTINGS = load_settings({"WHALEFALL_HOME": "/nonexistent"})
DAYS = dg.DailyPartitionsDefinition("2026-01-01")
EVENTS = "select count(*), count(asset_key) from event_logs where run_id = %s"


@dg.asset(partitions_def=DAYS)
def daily() -> dg.MaterializeResult[object]:
    return dg.MaterializeResult(metadata={"total_bytes": 5})


def shown(instance: dg.DagsterInstance) -> list[object]:
    """What the UI shows about assets: the partition bar, the plots, the checks, and how their runs ended."""
    keys = [dg.AssetCheckKey(ASSET, name) for name in CHECKS]
    latest = instance.get_latest_materialization_event(daily.key)
    assert latest
    assert latest.asset_materialization
    return [
        instance.get_materialized_partitions(daily.key),
        latest.asset_materialization.metadata,
        instance.get_status_by_partition(daily.key, ["2026-03-01", "2026-03-02"], DAYS),
        {key: record.status for key, record in instance.event_log_storage.get_latest_asset_check_execution_by_key(keys).items()},
        [(run.run_id, run.status) for run in instance.get_runs(dg.RunsFilter(tags={"kept": "yes"}))],
    ]


def test_events_of_old_runs_go_and_everything_that_is_shown_of_assets_stays(
    store: Database, dagsters: tuple[dg.DagsterInstance, Database]
) -> None:
    instance, dagster = dagsters
    resources = {"whalefall": bound(store, settings=SETTINGS, dagster=dagster)}
    kept = {"kept": "yes"}
    old = [
        dg.materialize([daily], partition_key="2026-03-01", instance=instance, tags=kept).run_id,
        dg.materialize([table_partitions], resources=resources, instance=instance, tags=kept).run_id,
    ]
    query(dagster, "update runs set create_timestamp = now() - interval '91 days' returning 1")
    young = dg.materialize([daily], partition_key="2026-03-02", instance=instance, tags=kept).run_id
    before = shown(instance)
    (plan,) = dg.materialize([footprint], resources=resources, instance=instance).get_asset_materialization_events()
    metadata = plan.step_materialization_data.materialization.metadata
    overdue = int(str(metadata["expired_dagster_events"].value))
    assert [query(dagster, EVENTS, run_id)[0][0] for run_id in old] > [0, 0]
    assert expire_rows.execute_in_process(resources=resources, instance=instance).success
    assert shown(instance) == before
    left = [query(dagster, EVENTS, run_id)[0] for run_id in (*old, young)]
    assert [assets for _, assets in left] == [2, 2, 2]
    assert left[0] == (2, 2)
    assert int(str(left[2][0])) > 5
    assert overdue > 10
    (after,) = dg.materialize([footprint], resources=resources, instance=instance).get_asset_materialization_events()
    metadata = after.step_materialization_data.materialization.metadata
    assert metadata["expired_dagster_events"].value == 0
    assert query(store, "select count(*) from footprints where measured_on = %s", today(datetime.now(UTC), TIMEZONE)) == [(7,)]


def test_measuring_deletes_nothing(store: Database, dagsters: tuple[dg.DagsterInstance, Database]) -> None:
    instance, dagster = dagsters
    day = today(datetime.now(UTC), TIMEZONE)
    query(
        store,
        "insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day, started_at) "
        "values (gen_random_uuid(), 'partition', 'scheduled_task', %(day)s, %(day)s, %(day)s) returning 1".replace("%(day)s", "%s"),
        *[Month(day.year, day.month).plus(-5).first_day] * 3,
    )
    query(store, "update sync_sessions set status = 'completed', completed_at = now() returning 1")
    resources = {"whalefall": bound(store, settings=SETTINGS, dagster=dagster)}
    dg.materialize([footprint], resources=resources, instance=instance, run_config={"ops": {"footprint": {"config": {"delete": True}}}})
    assert query(store, "select count(*) from sync_sessions") == [(1,)]
    assert expire_rows.execute_in_process(resources=resources, instance=instance).success
    assert query(store, "select count(*) from sync_sessions") == [(0,)]
