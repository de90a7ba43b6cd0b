"""The runway and the reports as people see them, on the simulated past of the demo: what was forecast 40 days ago is what came."""

import json
from collections.abc import Mapping
from datetime import date, timedelta

import dagster as dg
import numpy as np
import pytest

from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.demo.history import PASTS, simulate
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.forecasts.ask import changes, runways, track_record
from whalefall_pipelines.forecasts.assets import forecast_fleet
from whalefall_pipelines.forecasts.checks import headroom_exceeds_the_largest_jump, intervals_hold_as_promised, no_limit_is_near
from whalefall_pipelines.forecasts.figures import Runway
from whalefall_pipelines.forecasts.forecast import forecast_day
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.cli.commands import succeed
from whalefall_pipelines_tests.dagster_base.bound import bound, evaluate
from whalefall_pipelines_tests.factories import query, register

_MEBIBYTE = 1 << 20
_DAY = today(system_clock(), ZONE)
_SIZES = {key: 40 * _MEBIBYTE + 3 * _MEBIBYTE * place for place, key in enumerate(PASTS)}
_AHEAD = 40


def past_of(store: Database, *, until: int) -> None:
    """Store the demo's past up to so many days ago."""
    ids = {instance.name: instance.instance_id for instance in register(store, *sorted({server for server, _ in PASTS}))}
    days = list(simulate(_DAY, ids, _SIZES))
    ensure_months(store, [row.stat_date for row in days])
    columns = [[row.instance_id for row in days], [row.database_name for row in days], [row.stat_date for row in days]]
    columns.append([row.total_bytes for row in days])
    with store.transaction() as cursor:
        cursor.execute(
            "insert into database_activity (instance_id, database_name, active_from, active_until, database_id, first_measured_date) "
            "select i, n, min(d), case when max(d) < %s then max(d) + 1 end, dense_rank() over (partition by i order by n), min(d) "
            "from unnest(%s::integer[], %s::text[], %s::date[]) as t (i, n, d) group by i, n",
            (_DAY - timedelta(days=1), *columns[:3]),
        )
        cursor.execute(
            "insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method) "
            "select i, n, d, b, now(), 'measured', 'simulated' "
            "from unnest(%s::integer[], %s::text[], %s::date[], %s::bigint[]) as t (i, n, d, b) where d <= %s",
            (*columns, _DAY - timedelta(days=until)),
        )
        cursor.execute(
            "insert into instance_size_stats "
            "(instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
            "select instance_id, stat_date, sum(total_bytes), count(*), count(*), now(), 'measured' from database_size_stats group by 1, 2"
        )


def limit_of(store: Database, server: str, size: int) -> None:
    query(store, "update instances set capacity_limit_bytes = %s where name = %s returning 1", size, server)


def add_volumes(store: Database, server: str, day: date, free: list[int]) -> None:
    query(
        store,
        "insert into instance_volume_stats (instance_id, stat_date, volume, total_bytes, free_bytes) "
        "select instance_id, %s, 'volume ' || n, 1 + f * 10, f from instances, unnest(%s::bigint[]) with ordinality as v (f, n) "
        "where name = %s returning 1",
        day,
        free,
        server,
    )


def simulated_total(server: str, age: int) -> int:
    sizes = (PASTS[key].bytes_at(age, now) for key, now in _SIZES.items() if key[0] == server)
    return sum(size for size in sizes if size is not None)


def by_name(rows: tuple[Runway, ...]) -> Mapping[tuple[str, str | None], Runway]:
    return {(row.instance_name, row.database_name): row for row in rows}


def assert_what_belongs_to_no_database_counts(store: Database, before: Runway) -> None:
    """WAL and the like fill the same disk."""
    set_shared = "update instance_size_stats set shared_bytes = %s where stat_date = %s returning 1"
    query(store, set_shared, 5 * _MEBIBYTE, before.made_on)
    row = by_name(runways(store, 50))["web", None]
    assert row.used_bytes == before.used_bytes + 5 * _MEBIBYTE
    assert row.p50_days is not None
    assert before.p50_days is not None
    assert row.p50_days < before.p50_days
    query(store, set_shared, None, before.made_on)


def test_the_runway_of_the_simulated_past_is_right(store: Database) -> None:
    past_of(store, until=_AHEAD)
    made_on = _DAY - timedelta(days=_AHEAD)
    limit = simulated_total("web", 10)  # reached ten days ago
    limit_of(store, "web", limit)
    forecast_day(store, made_on, made_on)
    row = by_name(runways(store, 50))["web", None]
    assert (row.state, row.made_on, row.limit_bytes) == ("ok", made_on, limit)
    assert row.p50_days is not None
    assert abs(row.p50_days - 30) <= 3, row
    assert row.p10_days is not None
    assert row.p10_days <= row.p50_days
    assert row.p90_days is None or row.p90_days >= row.p50_days
    for (server, database), name in (((s, d), (s, d)) for s, d in PASTS if d in {"shop", "events", "wordpress"}):
        forecast = by_name(runways(store, 50, with_all=True))[name]
        true = PASTS[server, database].bytes_at(_AHEAD - 30, _SIZES[server, database])
        assert true is not None
        assert abs(forecast.point_30_bytes - true) < 0.01 * true, (name, forecast.point_30_bytes, true)
    assert row.limit_kind == "capacity"
    assert_what_belongs_to_no_database_counts(store, row)
    add_volumes(store, "web", made_on - timedelta(days=1), [1])
    add_volumes(store, "web", made_on, [_MEBIBYTE, _MEBIBYTE])
    volumes = by_name(runways(store, 50))["web", None]
    assert (volumes.limit_kind, volumes.limit_bytes) == ("volumes", volumes.used_bytes + 2 * _MEBIBYTE)
    assert (volumes.used_bytes, volumes.state) == (row.used_bytes, "ok")
    assert volumes.p50_days is not None
    assert volumes.p50_days < row.p50_days
    limit_of(store, "web", row.used_bytes + _MEBIBYTE)
    assert by_name(runways(store, 50))["web", None].limit_kind == "capacity"


def test_what_people_and_dagster_are_told(store: Database, store_environment: dict[str, str]) -> None:
    past_of(store, until=1)
    total = simulated_total("web", 1)
    limit_of(store, "web", total + 64 * 8192)
    limit_of(store, "orders", simulated_total("orders", 1) + 9 * _MEBIBYTE)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [forecast_fleet], resources={"whalefall": bound(store)}, partition_key=str(_DAY - timedelta(days=1)), instance=instance
        )
    assert result.success
    assert query(store, "select status, sync_category from sync_sessions") == [("completed", "forecast")]
    near = evaluate(no_limit_is_near, store)
    assert not near.passed
    assert near.severity is dg.AssetCheckSeverity.ERROR
    assert str(near.description).startswith("1 reaches its limit within 30 days: web (") or "orders" in str(near.description)
    jump = evaluate(headroom_exceeds_the_largest_jump, store)
    assert not jump.passed  # billing had a step of a third of its size
    assert jump.description == "one more jump fills 1: orders"
    assert evaluate(intervals_hold_as_promised, store).severity is dg.AssetCheckSeverity.WARN
    steps = [(row.database_name, row.kind) for row in changes(store, _DAY - timedelta(days=120), _DAY, 100) if row.database_name]
    assert sorted(steps) == [("billing", "step"), ("staging", "step")]
    record = track_record(store, _DAY)
    assert {row.horizon_days for row in record.reliability} == {7, 30, 90}
    assert all(row.scored > 0 for row in record.reliability)
    rows = {row["instance_name"]: row for row in json.loads(succeed(store_environment, "runway", "--json"))}
    assert rows["web"]["p50_days"] <= 7
    for command in (["runway", "--all"], ["forecasts", "score"], ["forecasts", "changes", "--since", "120d"]):
        assert succeed(store_environment, *command).count("\n") > 2
    scored = json.loads(succeed(store_environment, "forecasts", "score", "--json"))
    assert {row["horizon_days"] for row in scored["outcomes"]} <= {30, 90}


@pytest.mark.parametrize(("held", "scored", "passes"), [(19, 19, True), (13, 20, False), (14, 20, True), (19, 20, True), (20, 20, False)])
def test_intervals_that_hold_too_seldom_or_too_often_are_warned_of(store: Database, held: int, scored: int, passes: bool) -> None:
    """From 70 to 95 % of at least 20, of those that had a width, in four weeks."""
    ensure_months(store, [_DAY - timedelta(days=age) for age in range(61)], ("capacity_forecast_scores",))
    statement = (
        "insert into capacity_forecast_scores select 1, n, %s - 30 - n % 28, 30, %s - n % 28, 'issued', 100, 100, 90, 110, 80, 120, "
        "case when n <= %s then 100 else 150 end, 0, 1, '{0}' from generate_series(1, %s) as n returning 1"
    ).replace(" % ", " %% ")
    query(store, statement, _DAY, _DAY, held, scored)
    flat = "insert into capacity_forecast_scores select 2, 1, %s, 30, %s, 'issued', 9, 9, 9, 9, 9, 9, 8, 0, 1, '{0}' returning 1"
    query(store, flat, _DAY - timedelta(days=30), _DAY)
    assert evaluate(intervals_hold_as_promised, store).passed is passes


def test_days_until_a_limit_are_those_of_the_straight_lines(store: Database) -> None:
    """The function of the view against a walk along the lines, day by day."""
    random = np.random.default_rng(3)
    cases = [[int(size) for size in random.integers(0, 2**50, 4)] for _ in range(300)]
    limits = [int(limit) for limit in random.integers(1, 2**50, 300)]
    statement = "select days_until_limit(l, a, b, c, d) from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])"
    answered = query(store, f"{statement} with ordinality as t (l, a, b, c, d, n) order by n", limits, *map(list, zip(*cases, strict=True)))
    walked = [walk(limit, case) for limit, case in zip(limits, cases, strict=True)]
    assert [days for (days,) in answered] == walked
    assert None in walked


def walk(limit: int, knots: list[int]) -> int | None:
    """The first day on which the lines are at or above the limit."""
    days = (0, 7, 30, 90)
    for day in range(211):
        place = max(number for number, knot in enumerate(days) if knot <= day)
        left = min(place, 2)
        slope = (knots[left + 1] - knots[left]) / (days[left + 1] - days[left])
        if knots[left] + slope * (day - days[left]) >= limit:
            return day
    return None
