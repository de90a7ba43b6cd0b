"""The sensors that notice when periods are out of date, whoever wrote the days."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

import dagster as dg

from whalefall_pipelines.aggregation import sensors
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.months import Month
from whalefall_pipelines.domain.periods import PeriodType, period_of, periods_between
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import Key, ModelDay, days_from
from whalefall_pipelines_tests.dagster_base.bound import bound
from whalefall_pipelines_tests.days import compute_periods, write_days

NOW = today(datetime.now(UTC), ZONE)
NOTHING: Mapping[str, str] = {}
RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def reconciled(store: Database, period_type: PeriodType, environment: Mapping[str, str] = NOTHING) -> list[dg.RunRequest]:
    configured = load_settings(environment)
    (schedule,) = [definition for definition in sensors.reconcile_aggregations if definition.name == f"reconcile_{period_type}_periods"]
    night = datetime.combine(NOW, time(0, 20), ZONE)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance, scheduled_execution_time=night, resources={"whalefall": bound(store, settings=configured)}
        )
        return list(schedule.evaluate_tick(context).run_requests or [])


def test_a_day_written_outside_dagster_updates_its_periods_and_the_change_of_the_next(store: Database, key: Key) -> None:
    days = days_from(NOW - timedelta(days=60), 61)
    write_days(store, {(key, day): ModelDay(1000) for day in days})
    for period_type in PeriodType:
        compute_periods(store, periods_between(period_type, days[0], days[-1]), NOW)
    assert [reconciled(store, period_type) for period_type in PeriodType] == [[], [], [], []]
    behind = NOW - timedelta(days=40)
    write_days(store, {(key, behind): ModelDay(5000)})
    for period_type in PeriodType:
        (request,) = reconciled(store, period_type)
        period = period_of(period_type, behind)
        first = request.tags.get("dagster/partition") or request.tags[RANGE[0]]
        last = request.tags.get("dagster/partition") or request.tags[RANGE[1]]
        assert first == str(period.start)
        assert last in {str(period.start), str(period.following.start)}  # its change is different, too


def test_a_window_that_closed_is_requested(store: Database, key: Key) -> None:
    yesterday = NOW - timedelta(days=1)
    write_days(store, {(key, yesterday): ModelDay(1000)})
    compute_periods(store, [period_of(PeriodType.DAILY, yesterday)], yesterday)
    (request,) = reconciled(store, PeriodType.DAILY)
    assert request.tags["dagster/partition"] == str(yesterday)


def test_a_changed_day_whose_daily_periods_have_expired_requests_only_the_longer_ones(store: Database, key: Key) -> None:
    """The day before the oldest month is kept, because the month's first day is compared with it."""
    months = {"WHALEFALL_RETENTION_MONTHS": "3"}
    oldest = Month(NOW.year, NOW.month).plus(-3).first_day
    last, expired = oldest - timedelta(days=1), oldest - timedelta(days=2)
    write_days(store, {(key, last): ModelDay(1000), (key, expired): ModelDay(1000)})
    (request,) = reconciled(store, PeriodType.DAILY, months)
    assert request.tags["dagster/partition"] == str(last)
    for period_type in (PeriodType.WEEKLY, PeriodType.MONTHLY, PeriodType.QUARTERLY):
        assert reconciled(store, period_type, months)
