"""`whalefall aggregate`, `verify` and `coverage`, and the refusal to measure a day that is over."""

import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.aggregation_model import ModelDay, days_from
from whalefall_pipelines_tests.cli.commands import refused, succeed, whalefall
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import query, register

FIRST = date(2026, 9, 28)


@pytest.fixture
def environment(store: Database, store_environment: dict[str, str]) -> dict[str, str]:
    """A store with forty days of one instance."""
    (instance,) = register(store, "orders")
    write_days(store, {((instance.instance_id, "shop"), day): ModelDay(1000) for day in days_from(FIRST, 40)})
    return store_environment


def test_periods_are_computed_and_verified(environment: dict[str, str], store: Database) -> None:
    output = succeed(environment, "aggregate", "--period", "monthly", "--start", "2026-09-01", "--end", "2026-11-01")
    assert "monthly periods: 3, rows written: 6" in output
    assert query(store, "select period_start, data_count from instance_size_aggregations order by 1") == [
        (date(2026, 9, 1), 3),
        (date(2026, 10, 1), 31),
        (date(2026, 11, 1), 6),
    ]
    shown = json.loads(succeed(environment, "aggregate", "--json", "--period", "monthly", "--start", "2026-10-01"))
    assert (shown["periods"], shown["rows_written"]) == (["2026-10-01"], 0)


def test_verify_reports_differences_and_exits_with_1(environment: dict[str, str], store: Database) -> None:
    for period, start in (("daily", "2026-10-01"), ("weekly", "2026-09-28"), ("monthly", "2026-10-01"), ("quarterly", "2026-10-01")):
        succeed(environment, "aggregate", "--period", period, "--start", start)
    with store.transaction() as cursor:
        cursor.execute("update instance_size_aggregations set max_bytes = 7 where period_type = 'monthly'")
    result = whalefall(environment, "verify", "--from", "2026-10-01", "--to", "2026-10-01")
    assert result.exit_code == 1
    assert re.search(r"monthly +orders +2026-10-01 +2026-10-01 +0 +1 +max_bytes", result.stdout)
    assert "1 difference" in result.stderr
    (command,) = re.findall(r"^  whalefall (aggregate .*)$", result.stderr, re.MULTILINE)
    succeed(environment, *command.split())
    assert "all aggregations match their daily data" in succeed(environment, "verify", "--from", "2026-10-01", "--to", "2026-10-01")
    everything = json.loads(whalefall(environment, "verify", "--json").stdout)
    assert everything["first_day"] == str(FIRST)
    assert {row["stored"] for row in everything["differences"]} == {None}  # what was never computed
    monthly = next(row for row in everything["differences"] if row["database"] and row["period"] == "monthly")
    assert (monthly["instance"], monthly["computed"]["data_count"]) == ("orders", 3)


def test_verify_sums_up_by_period_and_instance_in_short_lines(environment: dict[str, str], store: Database) -> None:
    (other,) = register(store, "a-server-with-quite-a-long-name.example.net")
    write_days(store, {((other.instance_id, "crm"), day): ModelDay(5) for day in days_from(FIRST, 20)})
    result = whalefall(environment, "verify")
    assert result.exit_code == 1
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["period", "instance", "first", "last", "not", "computed", "wrong", "columns"]
    assert ["daily", "orders", "2026-09-28", "2026-11-06", "80", "0", "–"] in lines  # forty days of one database and of its instance
    assert ["weekly", "a-server-with-quite-a-long-name.example.net", "2026-09-28", "2026-10-12", "6", "0", "–"] in lines
    assert len(lines) == 1 + 2 * 4
    assert len(result.stderr.splitlines()) == 2 + 4
    assert max(map(len, result.stderr.splitlines())) <= 80


def test_verify_of_days_in_the_wrong_order_is_refused(environment: dict[str, str]) -> None:
    sentence = refused(environment, "verify", "--from", "2026-10-02", "--to", "2026-10-01")
    assert "--to 2026-10-01 is before --from 2026-10-02" in sentence


def test_verify_of_an_empty_store_reports_nothing(store_environment: dict[str, str]) -> None:
    assert "whalefall collect" in whalefall(store_environment, "verify").stderr
    assert json.loads(succeed(store_environment, "verify", "--json"))["differences"] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("--period", "monthly", "--start", "2026-10-02"),
            "No monthly period starts on 2026-10-02; the period that contains it starts on 2026-10-01.",
        ),
        (("--period", "weekly", "--start", "2026-10-05", "--end", "2026-09-28"), "--end 2026-09-28 is before --start 2026-10-05."),
        (("--period", "daily", "--start", "2126-10-05"), "has not begun"),
    ],
)
def test_an_invalid_period_is_refused(environment: dict[str, str], store: Database, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(environment, "aggregate", *arguments)
    assert query(store, "select count(*) from instance_size_aggregations") == [(0,)]


def test_coverage_is_a_calendar_with_one_character_per_day(store: Database, store_environment: dict[str, str]) -> None:
    now = today(datetime.now(UTC), TIMEZONE)
    (instance,) = register(store, "orders")
    key = (instance.instance_id, "shop")
    states = {4: ModelDay(1), 3: ModelDay(2, is_estimated=True), 2: ModelDay(None), 0: ModelDay(3)}
    write_days(store, {(key, now - timedelta(days=age)): size for age, size in states.items()})
    assert succeed(store_environment, "coverage", "--days", "6").splitlines()[1] == "orders  .#e!!#"
    shown = json.loads(succeed(store_environment, "coverage", "--days", "6", "--json"))
    assert [(row["state"], row["reasons"]) for row in shown] == [
        ("measured", []),
        ("estimated", []),
        ("missing", ["timeout"]),
        ("missing", ["not_collected"]),
        ("measured", []),
    ]


def test_measuring_a_day_that_is_over_is_refused_with_the_reason(environment: dict[str, str]) -> None:
    assert "2026-10-01 is over: a size can only be measured on its day" in refused(environment, "collect", "--day", "2026-10-01")
    assert "has not begun" in refused(environment, "collect", "--instance", "orders", "--day", "2126-10-01")
