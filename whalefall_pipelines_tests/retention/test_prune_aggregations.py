"""Daily aggregations expire with their days, on real PostgreSQL 15 and 18; weeks, months and quarters stay identical."""

import json
from collections.abc import Mapping
from datetime import date

import pytest

from whalefall_pipelines import queries
from whalefall_pipelines.aggregation.aggregate import find_stale_periods, verify
from whalefall_pipelines.aggregation.known_days import find_known_days
from whalefall_pipelines.aggregation.model import AGGREGATION_TABLES, first_kept_daily
from whalefall_pipelines.aggregation.settings import KeptMonthsSettings
from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.domain.months import Month
from whalefall_pipelines.domain.periods import PeriodType, periods_between
from whalefall_pipelines.errors import StoreBusyError
from whalefall_pipelines.retention.maintain_table_partitions import plan, rules
from whalefall_pipelines.retention.maintenance import StepKind
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.aggregation_model import ModelDay, days_from
from whalefall_pipelines_tests.days import compute_periods, write_days
from whalefall_pipelines_tests.factories import query, register
from whalefall_pipelines_tests.retention.maintenance import SETTINGS, TODAY, errors, expire
from whalefall_pipelines_tests.servers.locks import somebody

FIRST, LAST = date(2025, 9, 1), date(2025, 12, 31)
# Of September and October 2025, which are past the retention of sizes on this day, the last days stay.
EXPIRED = [Month(2025, 9), Month(2025, 10)]
DAILY_FROM = first_kept_daily(SETTINGS.of(KeptMonthsSettings).retention_months, TODAY)


@pytest.fixture
def store(maintenance_store: Database) -> Database:
    """Four months of a database, with all their periods."""
    (instance,) = register(maintenance_store, "a")
    days = days_from(FIRST, (LAST - FIRST).days + 1)
    write_days(maintenance_store, {((instance.instance_id, "app"), day): ModelDay(1000 + number) for number, day in enumerate(days)})
    ensure_months(maintenance_store, [TODAY])
    for period_type in PeriodType:
        compute_periods(maintenance_store, periods_between(period_type, FIRST, LAST), TODAY)
    return maintenance_store


def rows(store: Database, table_name: str, where: str) -> list[tuple[object, ...]]:
    return query(store, f"select t::text from {table_name} as t where {where} order by 1")


def test_days_go_and_all_else_stays_and_nothing_is_missing_or_made_again(store: Database) -> None:
    stays = "period_type <> 'daily' or period_start >= '2025-11-01' or period_start in ('2025-09-30', '2025-10-31')"
    before = [rows(store, table_name, stays) for table_name in AGGREGATION_TABLES]
    assert errors(expire(store)) == []
    assert [rows(store, table_name, "true") for table_name in AGGREGATION_TABLES] == before
    for table_name in STATS_TABLES:
        assert query(store, f"select min(stat_date) from {table_name}") == [(date(2025, 11, 1),)]
    known = find_known_days(store)
    assert known
    assert list(verify(store, FIRST, LAST, TODAY, daily_from=DAILY_FROM)) == []
    for period_type in PeriodType:
        assert find_stale_periods(store, period_type, TODAY, daily_from=DAILY_FROM) == []
        assert compute(store, period_type) == before


def compute(store: Database, period_type: PeriodType) -> list[list[tuple[object, ...]]]:
    """Everything that is stored after somebody recomputed all periods of the type manually."""
    compute_periods(store, periods_between(period_type, FIRST, LAST), TODAY)
    return [rows(store, table_name, "true") for table_name in AGGREGATION_TABLES]


def test_it_is_planned_shown_and_done_once(store: Database) -> None:
    pruned = [step for step in plan(store, SETTINGS, TODAY) if step.kind is StepKind.PRUNE]
    assert [(step.table_name, step.month) for step in pruned] == [(name, month) for name in AGGREGATION_TABLES for month in EXPIRED]
    expire(store)
    assert [step for step in plan(store, SETTINGS, TODAY) if step.kind is StepKind.PRUNE] == []


def test_days_stay_as_long_as_their_month_of_sizes_is_held(store: Database) -> None:
    query(store, "delete from database_size_aggregations where period_type = 'monthly' and period_start = '2025-10-01' returning 1")
    pruned = {step.month for step in plan(store, SETTINGS, TODAY) if step.kind is StepKind.PRUNE}
    assert pruned == {Month(2025, 9)}


def test_a_reader_of_the_month_makes_it_give_up_and_nothing_is_lost(store: Database) -> None:
    name = EXPIRED[1].table_partition("database_size_aggregations")
    before = rows(store, name, "true")
    with somebody(store, f"select * from {name}"):
        outcomes = expire(store)
        assert {outcome.step.name for outcome in outcomes if isinstance(outcome.error, StoreBusyError)} == {name}
        assert rows(store, name, "true") == before
    assert errors(expire(store)) == []
    assert len(rows(store, name, "period_type = 'daily'")) == 1


def test_the_room_is_given_back_to_the_disk(store: Database) -> None:
    name = EXPIRED[1].table_partition("database_size_aggregations")
    with store.session() as cursor:
        cursor.execute(
            f"insert into {name} select 1, 'x' || n, 'daily', '2025-10-05', '2025-10-05', 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, true "
            "from generate_series(1, 20000) as n"
        )
    (size,) = query(store, f"select pg_total_relation_size('{name}')")[0]
    expire(store)
    (left,) = query(store, f"select pg_total_relation_size('{name}')")[0]
    assert int(str(left)) < int(str(size)) / 20


def test_asking_whether_there_are_days_looks_into_the_index_of_that_month_only(store: Database) -> None:
    text = queries.load("retention/list_months_with_days").replace("{table_name}", "database_size_aggregations")
    with store.transaction() as cursor:
        cursor.execute("set local enable_seqscan = off")  # a month in a test has one page
        cursor.execute("explain (analyze, format json) " + text, {"months": [EXPIRED[0].first_day]})
        ((explained,),) = cursor.fetchall()
    scans = [node for node in nodes(explained[0]["Plan"]) if "size_aggregations" in str(node.get("Relation Name"))]
    ran = [node for node in scans if node["Actual Loops"]]
    assert [node["Relation Name"] for node in ran] == ["database_size_aggregations_2025_09"], json.dumps(explained)
    assert "Index" in str(ran[0]["Node Type"])


def nodes(plan: Mapping[str, object]) -> list[Mapping[str, object]]:
    children: list[Mapping[str, object]] = plan.get("Plans", [])  # type: ignore[assignment]
    return [plan, *(node for child in children for node in nodes(child))]


def test_the_settings_of_a_new_installation_keep_days_as_long_as_sizes() -> None:
    configured = load_settings({"WHALEFALL_HOME": "/nonexistent", "WHALEFALL_RETENTION_MONTHS": "6"})
    assert rules(configured).oldest_daily(date(2026, 11, 22)) == Month(2026, 5)
