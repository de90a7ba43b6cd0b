"""Past days are recovered, else estimated, else explained; measured sizes never change, whatever the state of the fleet."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from whalefall_pipelines.capacity.collect import Collector
from whalefall_pipelines.capacity.fill_gaps import Filled, fill_gaps, find_interpolable_days, record_uncollected_days
from whalefall_pipelines.capacity.store import gaps
from whalefall_pipelines.domain.instances import Engine, Instance
from whalefall_pipelines.domain.sessions import SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.domain.sizes import Method, RecoveredSize
from whalefall_pipelines.errors import SessionEndedError, UnreachableError
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import DAY, NIGHT, FleetTest, query, server


def day(number: int) -> date:
    """A day relative to DAY: day(-1) is the day before."""
    return DAY + timedelta(days=number)


def collect(fleet: FleetTest, number: int, sizes: dict[str, int]) -> None:
    """Measure one server with these sizes on a day."""
    fleet.now = NIGHT + timedelta(days=number)
    fleet.servers["a"].databases = sizes
    fleet.collect(day(number))


def fill(
    fleet: FleetTest, days: Sequence[date], *, instances: Sequence[Instance] | None = None, max_gap_days: int = 14
) -> tuple[Filled, UUID]:
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.BACKFILL, min(days), max(days))
    targets = instances or fleet.instances
    with sync_session(fleet.store, plan, targets):
        filled = fill_gaps(replace(fleet.collector(), max_gap_days=max_gap_days), targets, days, plan.session_id)
        gaps.close_backfill_records(fleet.store, plan.session_id, min(days), max(days))
    return filled, plan.session_id


@pytest.fixture
def fleet(store: Database, tmp_path: Path) -> FleetTest:
    return FleetTest(store, tmp_path, {"a": server()})


def test_a_day_between_measured_days_is_interpolated_linearly(fleet: FleetTest) -> None:
    collect(fleet, -10, {"app": 1000, "shop": 500})
    collect(fleet, -7, {"app": 1300, "shop": 500})
    filled, session_id = fill(fleet, [day(-9), day(-8)])
    assert filled == Filled(recovered=0, estimated=4)
    assert fleet.sizes(day(-9)) == {("a", "app"): 1100, ("a", "shop"): 500}
    assert fleet.sizes(day(-8)) == {("a", "app"): 1200, ("a", "shop"): 500}
    assert fleet.coverage(day(-9)) == {"a": (2, 0, 0, [])}
    assert query(fleet.store, "select distinct provenance, method from database_size_stats where stat_date = %s", day(-9)) == [
        ("estimated", "linear")
    ]
    assert query(fleet.store, "select total_bytes, provenance from instance_size_stats where stat_date = %s", day(-8)) == [
        (1700, "estimated")
    ]
    (record,) = sessions.list_records(fleet.store, session_id)
    assert (record.items_synced, record.sync_details["estimated"], record.sync_details["still_missing"]) == (4, 4, 0)


@pytest.mark.parametrize(("before", "after", "is_filled"), [(14, 14, True), (15, 1, False), (1, 15, False)])
def test_both_neighbours_must_lie_within_the_limit(fleet: FleetTest, before: int, after: int, is_filled: bool) -> None:
    collect(fleet, -20 - before, {"app": 1000})
    collect(fleet, -20 + after, {"app": 2000})
    filled, _ = fill(fleet, [day(-20)])
    assert (filled.estimated == 1) is is_filled
    if not is_filled:
        assert fleet.gaps(day(-20)) == {("a", "app"): "not_collected"}


def test_an_estimate_is_never_built_on_an_estimate(fleet: FleetTest) -> None:
    collect(fleet, -30, {"app": 1000})
    collect(fleet, -12, {"app": 2000})
    fill(fleet, [day(-20)])
    assert fill(fleet, [day(-28)])[0].estimated == 0


def test_a_database_is_not_expected_before_its_birth_and_after_its_end(fleet: FleetTest) -> None:
    collect(fleet, -10, {"app": 1000, "gone": 5})
    collect(fleet, -9, {"app": 1000})
    collect(fleet, -6, {"app": 1000, "young": 7})
    fill(fleet, [day(-8), day(-7)])
    assert fleet.sizes(day(-8)) == {("a", "app"): 1000}
    assert fleet.gaps(day(-8)) == {}


def test_a_failed_day_is_interpolated_only_once_a_later_day_is_measured(fleet: FleetTest) -> None:
    collect(fleet, -3, {"app": 1000})
    fleet.servers["a"] = server({"app": 1000}, refusal=UnreachableError("asleep", reason="timeout"))
    fleet.now = NIGHT - timedelta(days=2)
    fleet.collect(day(-2))
    assert find_interpolable_days(fleet.store, DAY, 14) == []
    fleet.servers["a"] = server()
    collect(fleet, -1, {"app": 3000})
    assert find_interpolable_days(fleet.store, DAY, 14) == [day(-2)]
    fill(fleet, [day(-2)])
    assert fleet.sizes(day(-2)) == {("a", "app"): 2000}
    assert find_interpolable_days(fleet.store, DAY, 14) == []
    assert query(fleet.store, "select reason, closed_by from capacity_gaps") == [("timeout", "estimated")]


def test_days_without_a_run_are_recorded_by_the_next_run(fleet: FleetTest) -> None:
    collect(fleet, -4, {"app": 1000})
    fleet.now = NIGHT
    with fleet.store.transaction() as cursor:
        cursor.execute("select 1")
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY)
    with sync_session(fleet.store, plan, fleet.instances):
        record_uncollected_days(fleet.collector(), DAY, plan.session_id)
    assert query(fleet.store, "select stat_date, reason from capacity_gaps order by stat_date") == [
        (day(number), "not_collected") for number in (-3, -2, -1)
    ]


def test_a_day_deleted_in_psql_comes_back_as_estimated(fleet: FleetTest) -> None:
    for number in (-3, -2, -1):
        collect(fleet, number, {"app": 1000 + number})
    with fleet.store.transaction() as cursor:
        cursor.execute("delete from database_size_stats where stat_date = %s", (day(-2),))
    fill(fleet, [day(-2)])
    assert fleet.sizes(day(-2)) == {("a", "app"): 998}
    assert query(fleet.store, "select total_bytes, provenance from instance_size_stats where stat_date = %s", day(-2)) == [
        (998, "estimated")
    ]


def test_a_total_without_any_database_row_is_deleted(fleet: FleetTest) -> None:
    collect(fleet, -3, {"app": 1000})
    with fleet.store.transaction() as cursor:
        cursor.execute("delete from database_size_stats")
    fill(fleet, [day(-3)])
    assert query(fleet.store, "select count(*) from instance_size_stats") == [(0,)]
    assert fleet.gaps(day(-3)) == {("a", "app"): "not_collected"}


def test_expired_days_are_not_missing(fleet: FleetTest) -> None:
    collect(fleet, -70, {"app": 1000})
    collect(fleet, -2, {"app": 1000})
    with fleet.store.transaction() as cursor:
        cursor.execute("drop table database_size_stats_2026_09, instance_size_stats_2026_09")
    fill(fleet, [day(-69), day(-1)])
    assert query(fleet.store, "select stat_date from capacity_gaps") == [(day(-1),)]
    assert query(fleet.store, "select min(stat_date) from capacity_coverage") == [(day(-2),)]


def recovered(number: int, size: int, name: str = "app") -> RecoveredSize:
    return RecoveredSize(name, day(number), size, size, None, Method.BACKUP_FILE_SIZE, datetime(2026, 11, 1, tzinfo=UTC))


def of_engine_with_history(fleet: FleetTest) -> list[Instance]:
    return [replace(instance, engine=Engine.SQLSERVER) for instance in fleet.instances]


def test_the_servers_own_history_is_preferred_to_an_estimate_and_replaces_one(fleet: FleetTest) -> None:
    collect(fleet, -6, {"app": 1000})
    collect(fleet, -1, {"app": 2000})
    fill(fleet, [day(-4)])
    fleet.servers["a"].history = [recovered(-6, 7), recovered(-4, 1111), recovered(-3, 1222), recovered(-3, 5, "unknown")]
    filled, session_id = fill(fleet, [day(-5), day(-4), day(-3)], instances=of_engine_with_history(fleet))
    assert filled == Filled(recovered=2, estimated=1)
    rows = query(fleet.store, "select stat_date, total_bytes, provenance, method from database_size_stats order by stat_date")
    assert rows == [
        (day(-6), 1000, "measured", "pg_database_size"),
        (day(-5), 1056, "estimated", "linear"),
        (day(-4), 1111, "recovered", "backup_file_size"),
        (day(-3), 1222, "recovered", "backup_file_size"),
        (day(-1), 2000, "measured", "pg_database_size"),
    ]
    (record,) = sessions.list_records(fleet.store, session_id)
    assert record.sync_details == {"recovered": 2, "estimated": 1, "still_missing": 0}


def test_a_server_whose_history_cannot_be_read_is_a_failed_record_and_still_estimated(fleet: FleetTest) -> None:
    collect(fleet, -3, {"app": 1000})
    collect(fleet, -1, {"app": 2000})
    fleet.servers["a"].refusal = UnreachableError("asleep", reason="timeout")
    filled, session_id = fill(fleet, [day(-2)], instances=of_engine_with_history(fleet))
    assert filled == Filled(recovered=0, estimated=1)
    assert sessions.get_session(fleet.store, session_id).status is SessionStatus.FAILED


class OddHistory(Sequence[RecoveredSize]):
    """A history with one impossible row."""

    def __getitem__(self, index: int) -> RecoveredSize:  # type: ignore[override]
        return RecoveredSize("app", day(-2), -1, None, None, Method.BACKUP_FILE_SIZE, NIGHT)

    def __len__(self) -> int:
        return 1


def test_an_invalid_row_in_the_history_of_one_server_does_not_affect_the_others(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000}), "b": server({"app": 1000})})
    fleet.servers["a"].history = OddHistory()
    fleet.servers["b"].history = [RecoveredSize("app", day(-2), 77, None, None, Method.BACKUP_FILE_SIZE, NIGHT)]
    for number in (-3, -1):
        fleet.now = NIGHT + timedelta(days=number)
        fleet.collect(day(number))
    filled, session_id = fill(fleet, [day(-2)], instances=of_engine_with_history(fleet))
    assert filled == Filled(recovered=1, estimated=1)
    assert fleet.sizes(day(-2)) == {("a", "app"): 1000, ("b", "app"): 77}
    records = {record.instance_name: record for record in sessions.list_records(store, session_id)}
    assert (records["a"].status, records["b"].status) == ("failed", "completed")
    assert "a size cannot be negative" in str(records["a"].error_message)


def test_a_backfill_interrupted_after_recovering_leaves_no_size_without_its_total(fleet: FleetTest) -> None:
    collect(fleet, -3, {"app": 1000})
    collect(fleet, -1, {"app": 1000})
    fleet.servers["a"].history = [RecoveredSize("app", day(-2), 77, None, None, Method.BACKUP_FILE_SIZE, NIGHT)]
    recovered = "select total_bytes from {} where stat_date = %s"

    def cut() -> None:
        if query(fleet.store, recovered.format("database_size_stats"), day(-2)):
            raise SessionEndedError("cut off")

    targets = of_engine_with_history(fleet)
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.BACKFILL, day(-2), day(-2))
    with pytest.raises(SessionEndedError), sync_session(fleet.store, plan, targets):
        fill_gaps(Collector(replace(fleet.collection(), check=cut)), targets, [day(-2)], plan.session_id)
    assert query(fleet.store, recovered.format("instance_size_stats"), day(-2)) == [(77,)]


def test_an_engine_without_a_history_is_never_probed(fleet: FleetTest) -> None:
    collect(fleet, -3, {"app": 1000})
    collect(fleet, -1, {"app": 2000})
    probes = fleet.servers["a"].probes
    fill(fleet, [day(-2)])
    assert fleet.servers["a"].probes == probes


@settings(max_examples=20, deadline=None, phases=(Phase.reuse, Phase.generate), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False), max_gap_days=st.integers(0, 20))
def test_filling_gaps_is_linear_and_reproducible_and_keeps_measured_sizes(
    store: Database, tmp_path: Path, chance: random.Random, max_gap_days: int
) -> None:
    with store.transaction() as cursor:
        cursor.execute(
            "truncate instances, credentials, instance_databases, database_size_stats, instance_size_stats, capacity_gaps cascade"
        )
    fleet = FleetTest(store, tmp_path, {"a": server()})
    known = {0: chance.randrange(10**15)} | {number: chance.randrange(10**15) for number in range(1, 40) if chance.random() < 0.3}
    for number, size in known.items():
        collect(fleet, number - 40, {"app": size})
    measured = query(store, "select * from database_size_stats order by stat_date")
    days = [day(number - 40) for number in range(40)]
    fill(fleet, days, max_gap_days=max_gap_days)
    expected: dict[int, int] = {}
    for number in range(40):
        before = max((measured for measured in known if measured < number), default=None)
        after = min((measured for measured in known if measured > number), default=None)
        if number in known or before is None or after is None or max(number - before, after - number) > max_gap_days:
            continue
        rise, past, length = known[after] - known[before], number - before, after - before
        exact = known[before] * length + rise * past
        expected[number] = (2 * exact + length) // (2 * length)  # half away from zero, as PostgreSQL rounds non-negative numbers
    rows = query(store, "select stat_date, total_bytes from database_size_stats where provenance = 'estimated'")
    assert {(stat_date - day(-40)).days: size for stat_date, size in rows if isinstance(stat_date, date)} == expected
    assert query(store, "select * from database_size_stats where provenance = 'measured' order by stat_date") == measured
    everything = query(store, "select * from database_size_stats order by stat_date")
    assert fill(fleet, days, max_gap_days=max_gap_days)[0] == Filled(0, 0)
    assert query(store, "select * from database_size_stats order by stat_date") == everything
