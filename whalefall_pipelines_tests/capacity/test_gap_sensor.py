"""The sensor that notices when gaps can be interpolated."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from whalefall_pipelines.capacity import sensors
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.definitions import defs
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import Key, ModelDay
from whalefall_pipelines_tests.dagster_base.bound import bound
from whalefall_pipelines_tests.days import write_days

NOW = today(datetime.now(UTC), ZONE)
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def interpolated(store: Database) -> list[dg.RunRequest]:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(
            instance=instance, resources={"whalefall": bound(store, settings=load_settings({}))}, definitions=defs
        )
        return list(sensors.interpolate_gaps.evaluate_tick(context).run_requests or [])


def test_exactly_the_days_that_can_be_interpolated_are_requested_once_a_day(store: Database, key: Key) -> None:
    days = {NOW - timedelta(days=age): ModelDay(1000 if age in {9, 6, 4, 0} else None) for age in range(10)}
    days |= {NOW - timedelta(days=12): ModelDay(None)}
    write_days(store, {(key, day): size for day, size in days.items()})
    requests = interpolated(store)
    expected = [(8, 7), (5, 5), (3, 1)]
    spans = [{RANGE[0]: str(NOW - timedelta(days=a)), RANGE[1]: str(NOW - timedelta(days=b))} for a, b in expected if a != b]
    spans.insert(1, {"dagster/partition": str(NOW - timedelta(days=5))})
    assert [{name: request.tags[name] for name in span} for request, span in zip(requests, spans, strict=True)] == spans
    assert [request.run_key for request in requests] == [request.run_key for request in interpolated(store)]


def test_without_a_gap_between_known_days_nothing_is_requested(store: Database, key: Key) -> None:
    write_days(store, {(key, NOW - timedelta(days=2)): ModelDay(None), (key, NOW - timedelta(days=1)): ModelDay(1000)})
    assert interpolated(store) == []
