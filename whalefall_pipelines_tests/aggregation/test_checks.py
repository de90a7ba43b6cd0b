"""The check of final periods: it passes on complete or explained periods and fails on a missing day without a reason."""

from datetime import UTC, date, datetime, timedelta

from whalefall_pipelines.aggregation import checks
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.periods import PeriodType, period_of
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import Key, ModelDay, days_from
from whalefall_pipelines_tests.dagster_base.bound import evaluate
from whalefall_pipelines_tests.days import compute_periods, write_days

NOW = today(datetime.now(UTC), ZONE)


def aggregate(store: Database, period_type: PeriodType, day: date) -> dict[str, str]:
    period = period_of(period_type, day)
    compute_periods(store, [period], NOW)
    return {"dagster/partition": str(period.start)}


def test_a_final_period_with_missing_days_passes_only_when_each_has_a_reason(store: Database, key: Key) -> None:
    check = checks.every_final_period_is_complete_or_explained[1]
    monday = period_of(PeriodType.WEEKLY, NOW).previous.start
    week = days_from(monday, 7)
    write_days(store, {(key, day): ModelDay(1000) for day in (*week, NOW)} | {(key, week[2]): ModelDay(None)})
    result = evaluate(check, store, aggregate(store, PeriodType.WEEKLY, monday))
    assert result.passed
    assert result.description == "1 incomplete, but every missing day has a reason"
    with store.transaction() as cursor:
        cursor.execute("delete from capacity_gaps")
    result = evaluate(check, store, aggregate(store, PeriodType.WEEKLY, monday))
    assert not result.passed
    assert str(result.description).startswith(f"1 unexplained: orders in {monday} (1 day)")


def test_days_before_the_birth_of_an_instance_need_no_reason(store: Database, key: Key) -> None:
    check = checks.every_final_period_is_complete_or_explained[1]
    monday = period_of(PeriodType.WEEKLY, NOW).previous.start
    write_days(store, {(key, day): ModelDay(1000) for day in days_from(monday + timedelta(days=4), 3)})
    assert evaluate(check, store, aggregate(store, PeriodType.WEEKLY, monday)).passed
