"""Periods computed by SQL match the model for any calendar, gaps and order; and recomputing leaves everything else alone."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from whalefall_pipelines.aggregation import store as aggregation
from whalefall_pipelines.aggregation.aggregate import aggregate_sizes, find_stale_periods, verify
from whalefall_pipelines.aggregation.model import Level
from whalefall_pipelines.domain.periods import Period, PeriodType, period_of, periods_between
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.aggregation_model import Key, ModelDay, ModelFleet, database_rows, days_from, instance_rows
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import DAY, query, register
from whalefall_pipelines_tests.plans import tables_read

TABLES = (
    "instances, credentials, instance_databases, database_size_stats, instance_size_stats, database_size_aggregations, "
    "instance_size_aggregations, instance_activity, database_activity, capacity_gaps, stale_periods, sync_sessions, sync_instance_records"
)


def aggregate(store: Database, periods: Sequence[Period], today: date) -> tuple[UUID, int]:
    """Compute periods in their own session; return its id and the rows written."""
    plan = SessionPlan(uuid4(), SyncCategory.AGGREGATION, SyncType.MANUAL_TASK, periods[0].start, periods[-1].end)
    sessions.open_session(store, plan, [])
    written = aggregate_sizes(store, periods, today, plan.session_id)
    sessions.close_session(store, plan.session_id)
    return plan.session_id, written


def aggregate_all(store: Database, first_day: date, last_day: date, today: date) -> int:
    return sum(aggregate(store, periods_between(period_type, first_day, last_day), today)[1] for period_type in PeriodType)


def stored_rows(store: Database, level: Level, period_type: PeriodType) -> dict[tuple[object, ...], dict[str, object]]:
    keys = ["instance_id", "database_name", "period_start"] if level is Level.DATABASE else ["instance_id", "period_start"]
    names = [
        str(row[0])
        for row in query(store, f"select attname from pg_attribute where attrelid = '{level}_size_aggregations'::regclass and attnum > 0")
    ]
    values = [name for name in names if name not in {*keys, "period_type", "calculated_at"}]
    rows = query(store, f"select {', '.join(keys + values)} from {level}_size_aggregations where period_type = %s", period_type)
    return {row[: len(keys)]: dict(zip(values, row[len(keys) :], strict=True)) for row in rows}


def assert_as_the_model(store: Database, fleet: ModelFleet, today: date) -> None:
    for period_type in PeriodType:
        assert stored_rows(store, Level.DATABASE, period_type) == database_rows(fleet, period_type, today)
        assert stored_rows(store, Level.INSTANCE, period_type) == instance_rows(fleet, period_type, today)


def random_day(chance: random.Random) -> ModelDay:
    draw = chance.random()
    if draw < 0.15:
        return ModelDay(None)
    return ModelDay(chance.choice([0, 1, chance.randrange(10**6), chance.randrange(10**13)]), is_estimated=draw < 0.3)


def random_fleet(chance: random.Random, instance_ids: Sequence[int], days: Sequence[date]) -> dict[tuple[Key, date], ModelDay]:
    fleet: dict[tuple[Key, date], ModelDay] = {}
    for instance_id in instance_ids:
        for name in ("app", "Mixed; 日本")[: chance.randint(1, 2)]:
            born, gone = sorted((chance.randrange(len(days)), chance.randrange(len(days))))
            silent = chance.random() * 0.4
            for day in days[born : gone + 1]:
                if chance.random() >= silent:
                    fleet[(instance_id, name), day] = random_day(chance)
    return fleet


@settings(max_examples=12, deadline=None, phases=(Phase.reuse, Phase.generate), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chance=st.randoms(use_true_random=False),
    first_day=st.dates(date(2023, 9, 1), date(2028, 12, 31)) | st.sampled_from([date(2024, 2, 25), date(2026, 12, 20), date(2027, 3, 30)]),
    count=st.integers(1, 110),
    after=st.integers(0, 40),
)
def test_periods_match_the_model_in_any_order_of_computation(
    store: Database, chance: random.Random, first_day: date, count: int, after: int
) -> None:
    with store.transaction() as cursor:
        cursor.execute(f"truncate {TABLES} cascade")
    instances = register(store, "a", "b")
    days = days_from(first_day, count)
    today = days[-1] + timedelta(days=after)
    fleet = random_fleet(chance, [instance.instance_id for instance in instances], days)
    if not fleet:
        return
    write_days(store, fleet)
    for period_type in chance.sample(list(PeriodType), 4):
        periods = periods_between(period_type, days[0], days[-1])
        cut = chance.randint(0, len(periods))
        for part in chance.sample([periods[:cut], periods[cut:]], 2):
            if part:
                aggregate(store, part, today)
    measured_from: dict[Key, date] = {}
    for (key, day), size in fleet.items():
        if size.total_bytes is not None:
            measured_from[key] = min(day, measured_from.get(key, day))
    assert_as_the_model(store, ModelFleet(fleet, measured_from), today)

    known = sorted(place for place in fleet if place[0] in measured_from)
    changed = {place: random_day(chance) for place in chance.sample(known, min(3, len(known)))}
    if changed:
        write_days(store, changed)
    for _, day in changed:
        for period_type in PeriodType:
            aggregate(store, [period_of(period_type, day)], today)
    assert_as_the_model(store, ModelFleet(fleet | changed, measured_from), today)
    assert list(verify(store, days[0], days[-1], today)) == []
    assert [aggregation.list_due_periods(store, period_type, today) for period_type in PeriodType] == [[], [], [], []]
    assert aggregate_all(store, days[0], days[-1], today) == 0


def fleet_of(store: Database, sizes: dict[date, int | None], *, name: str = "a", database: str = "app") -> dict[tuple[Key, date], ModelDay]:
    """Write the days of one database of one instance."""
    (instance,) = register(store, name)
    days = {((instance.instance_id, database), day): ModelDay(size) for day, size in sizes.items()}
    write_days(store, days)
    return days


def totals(store: Database, period_type: PeriodType, start: date) -> tuple[object, ...]:
    (row,) = query(
        store,
        "select avg_bytes, data_count, expected_count, change_bytes, change_percent, trend_direction, is_final "
        "from instance_size_aggregations where period_type = %s and period_start = %s",
        period_type,
        start,
    )
    return row


def test_recomputing_unchanged_days_writes_nothing(store: Database) -> None:
    fleet_of(store, dict.fromkeys(days_from(date(2026, 9, 20), 40), 1000))
    assert aggregate_all(store, date(2026, 9, 20), date(2026, 10, 29), DAY) > 0
    before = query(store, "select xmin, * from database_size_aggregations"), query(store, "select xmin, * from instance_size_aggregations")
    assert aggregate_all(store, date(2026, 9, 20), date(2026, 10, 29), DAY) == 0
    after = query(store, "select xmin, * from database_size_aggregations"), query(store, "select xmin, * from instance_size_aggregations")
    assert after == before


def test_the_daily_period_of_an_unfinished_today_is_not_final_and_becomes_final_when_it_is_over(store: Database) -> None:
    """The first of the three aggregation defects: a daily period of the unfinished day."""
    fleet_of(store, {DAY: 1000})
    today_only = [Period(PeriodType.DAILY, DAY)]
    aggregate(store, today_only, DAY)
    assert totals(store, PeriodType.DAILY, DAY) == (1000, 1, 1, None, None, None, False)
    tomorrow = DAY + timedelta(days=1)
    assert find_stale_periods(store, PeriodType.DAILY, tomorrow) == today_only
    aggregate(store, today_only, tomorrow)
    assert totals(store, PeriodType.DAILY, DAY) == (1000, 1, 1, None, None, None, True)


def test_a_period_is_named_by_its_caller_whatever_today_is(store: Database) -> None:
    """The second defect: an entry point that confuses the current period with the last complete one."""
    fleet_of(store, {date(2026, 8, 1): 1000, date(2026, 11, 1): 5000})
    for start in (date(2026, 7, 1), date(2026, 10, 1)):
        aggregate(store, [Period(PeriodType.QUARTERLY, start)], DAY)
    assert totals(store, PeriodType.QUARTERLY, date(2026, 7, 1)) == (1000, 1, 92, None, None, None, True)
    assert totals(store, PeriodType.QUARTERLY, date(2026, 10, 1)) == (5000, 1, 53, 4000, Decimal("400.00"), "growing", False)
    with pytest.raises(InputError, match="has not begun"):
        aggregate(store, [Period(PeriodType.QUARTERLY, date(2027, 1, 1))], DAY)


def test_a_failed_instance_is_visible_in_every_period_and_delays_no_other(store: Database) -> None:
    """The third defect: the database level ignores failed instances."""
    (good, bad) = register(store, "good", "bad")
    days = days_from(date(2026, 11, 16), 7)
    write_days(
        store,
        {((good.instance_id, "app"), day): ModelDay(1000) for day in days}
        | {((bad.instance_id, "crm"), day): ModelDay(None if day == DAY else 500) for day in days},
    )
    session_id, _ = aggregate(store, [Period(PeriodType.DAILY, DAY)], DAY)
    rows = query(store, "select instance_id, avg_bytes, data_count, expected_count from database_size_aggregations order by 1")
    assert rows == [(good.instance_id, 1000, 1, 1), (bad.instance_id, None, 0, 1)]
    records = {record.instance_name: record for record in sessions.list_records(store, session_id)}
    assert (records["good"].is_skipped, records["bad"].is_skipped) == (False, True)
    assert records["bad"].sync_details["days_missing"] == 1
    aggregate(store, [Period(PeriodType.WEEKLY, date(2026, 11, 16))], DAY)
    assert query(
        store,
        "select avg_bytes, data_count, expected_count from instance_size_aggregations where period_type = 'weekly' order by instance_id",
    ) == [
        (1000, 7, 7),
        (500, 6, 7),
    ]


def test_the_statistics_of_a_session_count_only_what_was_written(store: Database) -> None:
    """An instance without data has no record, and neither has an unchanged one."""
    fleet_of(store, {DAY: 1000}, name="full")
    register(store, "empty")
    session_id, written = aggregate(store, [Period(PeriodType.DAILY, DAY)], DAY)
    session = sessions.get_session(store, session_id)
    assert (session.total_instances, session.successful_instances, session.skipped_instances, session.failed_instances) == (1, 1, 0, 0)
    records = {record.instance_name: record.items_synced for record in sessions.list_records(store, session_id)}
    assert records == {"full": written}
    assert written == 2
    again, written = aggregate(store, [Period(PeriodType.DAILY, DAY)], DAY)
    assert (written, sessions.list_records(store, again)) == (0, ())


def test_a_day_with_a_missing_database_never_looks_like_a_shrink(store: Database) -> None:
    (instance,) = register(store, "a")
    big, small = (instance.instance_id, "big"), (instance.instance_id, "small")
    write_days(
        store,
        {(key, day): ModelDay(10**9 if key == big else 10) for key in (big, small) for day in days_from(date(2026, 11, 2), 14)}
        | {(big, day): ModelDay(None) for day in days_from(date(2026, 11, 9), 7)},
    )
    aggregate(store, periods_between(PeriodType.WEEKLY, date(2026, 11, 2), date(2026, 11, 9)), DAY)
    assert totals(store, PeriodType.WEEKLY, date(2026, 11, 9)) == (None, 0, 7, None, None, None, True)


def test_after_a_changed_period_only_the_change_of_the_next_one_is_updated(store: Database) -> None:
    days = fleet_of(store, {date(2026, 9, 1): 1000, date(2026, 10, 1): 3000, date(2026, 11, 1): 4000})
    aggregate(store, periods_between(PeriodType.MONTHLY, date(2026, 9, 1), date(2026, 11, 1)), DAY)
    (key, _), *_ = days
    write_days(store, {(key, date(2026, 9, 1)): ModelDay(2000)})
    aggregate(store, [Period(PeriodType.MONTHLY, date(2026, 9, 1))], DAY)
    assert totals(store, PeriodType.MONTHLY, date(2026, 10, 1))[3:6] == (1000, Decimal("50.00"), "growing")
    assert totals(store, PeriodType.MONTHLY, date(2026, 11, 1))[3:6] == (1000, Decimal("33.33"), "growing")


def expire(store: Database, month: str) -> None:
    """Delete days past their retention, as partition maintenance does."""
    with store.transaction() as cursor:
        cursor.execute(f"drop table database_size_stats_{month}, instance_size_stats_{month}")


def test_aggregates_outlive_their_days(store: Database) -> None:
    days = days_from(date(2026, 1, 1), 120)
    fleet_of(store, {day: 1000 + number for number, day in enumerate(days)})
    aggregate_all(store, days[0], days[-1], DAY)
    kept = {level: {period_type: stored_rows(store, level, period_type) for period_type in PeriodType} for level in Level}
    for month in ("2026_01", "2026_02"):
        expire(store, month)
    assert aggregate_all(store, days[0], days[-1], DAY) == 0
    assert {level: {period_type: stored_rows(store, level, period_type) for period_type in PeriodType} for level in Level} == kept
    assert list(verify(store, days[0], days[-1], DAY)) == []
    assert find_stale_periods(store, PeriodType.QUARTERLY, DAY) == []


def test_a_deleted_day_no_longer_counts_in_its_periods(store: Database) -> None:
    fleet_of(store, {date(2026, 10, 5): 1000, date(2026, 10, 6): 3000})
    aggregate_all(store, date(2026, 10, 5), date(2026, 10, 6), DAY)
    with store.transaction() as cursor:
        cursor.execute("delete from database_size_stats where stat_date = '2026-10-06'")
        cursor.execute("delete from instance_size_stats where stat_date = '2026-10-06'")
    stale = {period_type: find_stale_periods(store, period_type, DAY) for period_type in PeriodType}
    assert stale == {period_type: [period_of(period_type, date(2026, 10, 6))] for period_type in PeriodType}
    aggregate_all(store, date(2026, 10, 6), date(2026, 10, 6), DAY)
    assert totals(store, PeriodType.DAILY, date(2026, 10, 6))[:3] == (None, 0, 1)
    assert totals(store, PeriodType.MONTHLY, date(2026, 10, 1))[:3] == (1000, 1, 31)
    assert list(verify(store, date(2026, 10, 5), date(2026, 10, 6), DAY)) == []


def test_a_tampered_aggregate_is_found_and_corrected(store: Database) -> None:
    fleet_of(store, {date(2026, 10, 5): 1000})
    aggregate_all(store, date(2026, 10, 5), date(2026, 10, 5), DAY)
    with store.transaction() as cursor:
        cursor.execute("update database_size_aggregations set max_bytes = 7 where period_type = 'weekly'")
        cursor.execute("delete from instance_size_aggregations where period_type = 'monthly'")
    differences = list(verify(store, date(2026, 10, 5), date(2026, 10, 5), DAY))
    assert [
        (difference.level, difference.period.period_type, difference.stored and dict(difference.stored)) for difference in differences
    ] == [
        (Level.DATABASE, PeriodType.WEEKLY, {"max_bytes": 7}),
        (Level.INSTANCE, PeriodType.MONTHLY, None),
    ]
    aggregate_all(store, date(2026, 10, 5), date(2026, 10, 5), DAY)
    assert list(verify(store, date(2026, 10, 5), date(2026, 10, 5), DAY)) == []


def test_only_the_required_months_are_read(store: Database) -> None:
    ensure_months(store, [date(2025, month, 1) for month in range(1, 13)])
    fleet_of(store, {date(2025, month, 3): month for month in range(1, 13)})
    aggregate_all(store, date(2025, 1, 1), date(2025, 12, 31), DAY)
    for period, months in (
        (Period(PeriodType.DAILY, date(2025, 8, 3)), {"2025_08"}),
        (Period(PeriodType.WEEKLY, date(2025, 7, 28)), {"2025_07", "2025_08"}),
        (Period(PeriodType.MONTHLY, date(2025, 8, 1)), {"2025_08"}),
        (Period(PeriodType.QUARTERLY, date(2025, 7, 1)), {"2025_07", "2025_08", "2025_09"}),
    ):
        for level in Level:
            assert months_read(store, level, period) == months


def months_read(store: Database, level: Level, period: Period) -> set[str]:
    """The months of the days that a computation reads."""
    with store.transaction() as cursor:
        values = aggregation.parameters(cursor, period, DAY)
    read = tables_read(store, aggregation.changed(level), values)
    return {table[-7:] for table in read if table.startswith(f"{level}_size_stats_")}


def test_concurrent_computations_end_with_values_that_match_the_days(store: Database) -> None:
    fleet_of(store, dict.fromkeys(days_from(date(2026, 9, 1), 60), 1000))
    months = periods_between(PeriodType.MONTHLY, date(2026, 9, 1), date(2026, 10, 30))
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(aggregate, store, months, DAY) for _ in range(8)]:
            future.result(30)
    assert [
        difference
        for difference in verify(store, date(2026, 9, 1), date(2026, 10, 30), DAY)
        if difference.period.period_type is PeriodType.MONTHLY
    ] == []
