"""Periods computed by SQL against the model, whatever the calendar, the gaps and the order; and what recomputing does not touch."""

import json
import random
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from whalefall_pipelines.domain.periods import Period, PeriodType, period_of, periods_between
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.services.aggregate_sizes import aggregate_sizes, verify
from whalefall_pipelines.store import capacity, sessions
from whalefall_pipelines.store.aggregation import Level
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.table_partitions import ensure_months
from whalefall_pipelines_tests.aggregation_model import Key, ModelDay, ModelFleet, database_rows, days_from, instance_rows
from whalefall_pipelines_tests.factories import query, register

TABLES = (
    "instances, credentials, instance_databases, database_size_stats, instance_size_stats, database_size_aggregations, "
    "instance_size_aggregations, capacity_gaps, sync_sessions, sync_instance_records"
)


def write_days(store: Database, days: dict[tuple[Key, date], ModelDay]) -> None:
    """Write these days as collection would have: sizes, gaps, inventory and totals."""
    ensure_months(store, [day for _, day in days], ["database_size_stats", "instance_size_stats"])
    rows = [
        {"i": key[0], "d": key[1], "day": str(day), "b": one.total_bytes, "p": "estimated" if one.is_estimated else "measured"}
        for (key, day), one in days.items()
    ]
    with store.transaction() as cursor:
        document = json.dumps(rows)
        source = "json_to_recordset(%s) as r (i integer, d text, day date, b bigint, p text)"
        cursor.execute(
            "insert into instance_databases (instance_id, database_name, first_seen_date, last_seen_date, first_measured_date) "
            f"select i, d, min(day), max(day), min(day) filter (where b is not null) from {source} group by i, d "
            "on conflict (instance_id, database_name) do nothing",
            (document,),
        )
        cursor.execute(
            f"delete from database_size_stats as s using {source} where (i, d, day) = (instance_id, database_name, stat_date)", (document,)
        )
        cursor.execute(
            f"delete from capacity_gaps as g using {source} where (i, d, day) = (instance_id, database_name, stat_date)", (document,)
        )
        cursor.execute(
            "insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method) "
            f"select i, d, day, b, now(), p, 'pg_database_size' from {source} where b is not null",
            (document,),
        )
        cursor.execute(
            "insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail) "
            f"select i, d, day, 'timeout', 'asleep' from {source} where b is null",
            (document,),
        )
        ids = sorted({key[0] for key, _ in days})
        capacity.write_totals(cursor, ids, min(day for _, day in days), max(day for _, day in days), None)


def aggregate(store: Database, periods: Sequence[Period], today: date) -> tuple[UUID, int]:
    """Compute periods in a session of their own; return its id and the rows written."""
    plan = SessionPlan(uuid4(), SyncCategory.AGGREGATION, SyncType.MANUAL_TASK, periods[0].start, periods[-1].end)
    instances = query(store, "select instance_id from instances order by instance_id")
    sessions.open_session(store, plan, [int(str(row[0])) for row in instances])
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
    found: dict[tuple[Key, date], ModelDay] = {}
    for instance_id in instance_ids:
        for name in ("app", "Mixed; 日本")[: chance.randint(1, 2)]:
            born, gone = sorted((chance.randrange(len(days)), chance.randrange(len(days))))
            silent = chance.random() * 0.4
            for day in days[born : gone + 1]:
                if chance.random() >= silent:
                    found[(instance_id, name), day] = random_day(chance)
    return found


@settings(max_examples=25, deadline=None, phases=(Phase.reuse, Phase.generate), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    chance=st.randoms(use_true_random=False),
    first_day=st.dates(date(2023, 9, 1), date(2028, 12, 31)) | st.sampled_from([date(2024, 2, 25), date(2026, 12, 20), date(2027, 3, 30)]),
    count=st.integers(1, 110),
    after=st.integers(0, 40),
)
def test_the_periods_are_those_of_the_model_in_whatever_order(
    store: Database, chance: random.Random, first_day: date, count: int, after: int
) -> None:
    with store.transaction() as cursor:
        cursor.execute(f"truncate {TABLES}")
    instances = register(store, "a", "b")
    days = days_from(first_day, count)
    today = days[-1] + timedelta(days=after)
    fleet = random_fleet(chance, [one.instance_id for one in instances], days)
    if not fleet:
        return
    write_days(store, fleet)
    for period_type in chance.sample(list(PeriodType), 4):
        periods = periods_between(period_type, days[0], days[-1])
        cut = chance.randint(0, len(periods))
        for part in chance.sample([periods[:cut], periods[cut:]], 2):
            if part:
                aggregate(store, part, today)
    measurable = {key for (key, _), one in fleet.items() if one.total_bytes is not None}
    assert_as_the_model(store, ModelFleet(fleet, measurable), today)

    known = sorted(place for place in fleet if place[0] in measurable)
    changed = {place: random_day(chance) for place in chance.sample(known, min(3, len(known)))}
    if changed:
        write_days(store, changed)
    for _, day in changed:
        for period_type in PeriodType:
            aggregate(store, [period_of(period_type, day)], today)
    assert_as_the_model(store, ModelFleet(fleet | changed, measurable), today)
    assert list(verify(store, days[0], days[-1], today)) == []
    assert aggregate_all(store, days[0], days[-1], today) == 0
