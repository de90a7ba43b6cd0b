"""The asset checks: each passes on a good day and fails on the one problem that it looks for."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from whalefall_pipelines.capacity import checks
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import Key, ModelDay
from whalefall_pipelines_tests.dagster_base.bound import evaluate
from whalefall_pipelines_tests.days import write_days

NOW = today(datetime.now(UTC), ZONE)
GB = 10**9


def test_a_wrong_total_is_reported(store: Database, key: Key) -> None:
    write_days(store, {(key, NOW): ModelDay(1000)})
    assert evaluate(checks.every_total_is_the_sum_of_its_databases, store).passed
    with store.transaction() as cursor:
        cursor.execute("update instance_size_stats set total_bytes = 7")
    result = evaluate(checks.every_total_is_the_sum_of_its_databases, store)
    assert not result.passed
    assert f"1 wrong: orders on {NOW} (7 against 1000)" in str(result.description)


@pytest.mark.parametrize(("size", "why"), [(0, "a database of no byte at all"), (2**51, "more than a pebibyte")])
def test_an_absurd_size_is_reported(store: Database, key: Key, size: int, why: str) -> None:
    write_days(store, {(key, NOW): ModelDay(size)})
    result = evaluate(checks.every_size_is_plausible, store)
    assert not result.passed
    assert result.description == f"1 implausible: orders/shop ({why})"
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
    result = evaluate(checks.no_database_jumped, store)
    assert result.passed is not jumped
    if jumped:
        assert result.severity is dg.AssetCheckSeverity.WARN
        assert result.description == f"1 jumped: orders/shop ({after - before:+,} bytes)"
