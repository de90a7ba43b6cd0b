"""The checks beside the assets: each passes on a good day and fails on the one thing that it is about."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest

from whalefall_pipelines import settings
from whalefall_pipelines.capacity import checks
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.periods import PeriodType, period_of
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import Key, ModelDay, days_from
from whalefall_pipelines_tests.dagster_base.bound import bound
from whalefall_pipelines_tests.days import compute_periods, write_days

NOW = today(datetime.now(UTC), ZONE)
GB = 10**9


def evaluate(check: dg.AssetChecksDefinition, store: Database, tags: dict[str, str] | None = None) -> dg.AssetCheckResult:
    """Run one check alone, as a person does, or with the tags of a run."""
    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions(
            asset_checks=[check], resources={"whalefall": bound(store, settings=settings.load({}))}
        ).resolve_implicit_global_asset_job_def()
        outcome = job.execute_in_process(instance=instance, tags=tags or {})
    (evaluation,) = outcome.get_asset_check_evaluations()
    return dg.AssetCheckResult(
        passed=evaluation.passed, severity=evaluation.severity, description=evaluation.description, metadata=evaluation.metadata
    )


def test_a_wrong_total_is_named(store: Database, key: Key) -> None:
    write_days(store, {(key, NOW): ModelDay(1000)})
    assert evaluate(checks.every_total_is_the_sum_of_its_databases, store).passed
    with store.transaction() as cursor:
        cursor.execute("update instance_size_stats set total_bytes = 7")
    found = evaluate(checks.every_total_is_the_sum_of_its_databases, store)
    assert not found.passed
    assert f"1 wrong: orders on {NOW} (7 against 1000)" in str(found.description)


@pytest.mark.parametrize(("size", "why"), [(0, "a database of no byte at all"), (2**51, "more than a pebibyte")])
def test_an_absurd_size_is_named(store: Database, key: Key, size: int, why: str) -> None:
    write_days(store, {(key, NOW): ModelDay(size)})
    found = evaluate(checks.every_size_is_plausible, store)
    assert not found.passed
    assert found.description == f"1 absurd: orders/shop ({why})"
    write_days(store, {(key, NOW): ModelDay(1000)})
    assert evaluate(checks.every_size_is_plausible, store).passed


@pytest.mark.parametrize(
    ("before", "after", "jumped"),
    [
        (100 * GB, 140 * GB, True),
        (140 * GB, 90 * GB, True),
        (100 * GB, 125 * GB, False),  # 25 %
        (10 * GB, 25 * GB, False),  # 15 GB
    ],
)
def test_a_database_that_jumped_is_a_warning(store: Database, key: Key, before: int, after: int, jumped: bool) -> None:
    write_days(store, {(key, NOW - timedelta(days=1)): ModelDay(before), (key, NOW): ModelDay(after)})
    found = evaluate(checks.no_database_jumped, store)
    assert found.passed is not jumped
    if jumped:
        assert found.severity is dg.AssetCheckSeverity.WARN
        assert found.description == f"1 jumped: orders/shop ({after - before:+,} bytes)"


def aggregate(store: Database, period_type: PeriodType, day: date) -> dict[str, str]:
    period = period_of(period_type, day)
    compute_periods(store, [period], NOW)
    return {"dagster/partition": str(period.start)}


def test_a_final_period_that_lacks_days_passes_only_when_each_has_its_reason(store: Database, key: Key) -> None:
    check = checks.every_final_period_is_complete_or_explained[1]
    monday = period_of(PeriodType.WEEKLY, NOW).previous.start
    week = days_from(monday, 7)
    write_days(store, {(key, day): ModelDay(1000) for day in (*week, NOW)} | {(key, week[2]): ModelDay(None)})
    found = evaluate(check, store, aggregate(store, PeriodType.WEEKLY, monday))
    assert found.passed
    assert found.description == "1 incomplete, every missing day has its reason"
    with store.transaction() as cursor:
        cursor.execute("delete from capacity_gaps")
    found = evaluate(check, store, aggregate(store, PeriodType.WEEKLY, monday))
    assert not found.passed
    assert str(found.description).startswith(f"1 unexplained: orders in {monday} (1 days)")


def test_days_before_the_birth_of_an_instance_need_no_reason(store: Database, key: Key) -> None:
    check = checks.every_final_period_is_complete_or_explained[1]
    monday = period_of(PeriodType.WEEKLY, NOW).previous.start
    write_days(store, {(key, day): ModelDay(1000) for day in days_from(monday + timedelta(days=4), 3)})
    assert evaluate(check, store, aggregate(store, PeriodType.WEEKLY, monday)).passed
