"""A day stays as it was when it ended, whatever happens later: grants, drops, renames, filters, pauses, removals, days without a run."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from whalefall_pipelines.capacity.fill_gaps import record_uncollected_days
from whalefall_pipelines.capacity.store import sizes as capacity
from whalefall_pipelines.capacity.store.reports import rank_databases, summarize_days, summarize_inventory
from whalefall_pipelines.domain.instances import DatabaseFilter
from whalefall_pipelines.domain.periods import Period, PeriodType
from whalefall_pipelines.domain.sizes import SharedPart
from whalefall_pipelines.errors import UnreachableError
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.capacity.test_fill_gaps import collect, day, fill
from whalefall_pipelines_tests.days import compute_periods
from whalefall_pipelines_tests.factories import NIGHT, FleetTest, query, server

TABLES = "instances, credentials, instance_databases, database_size_stats, instance_size_stats, capacity_gaps"


@pytest.fixture
def fleet(store: Database, tmp_path: Path) -> FleetTest:
    return FleetTest(store, tmp_path, {"a": server()})


def recompute(fleet: FleetTest) -> None:
    with fleet.store.transaction() as cursor:
        ids = [instance.instance_id for instance in fleet.instances]
        capacity.write_totals(cursor, ids, day(-40), day(1), None)


def total(fleet: FleetTest, number: int) -> tuple[object, ...]:
    statement = "select total_bytes, database_count, expected_count from instance_size_stats where stat_date = %s"
    return query(fleet.store, statement, day(number))[0]


def coverage(fleet: FleetTest) -> list[tuple[object, ...]]:
    return query(fleet.store, "select stat_date, expected, measured, missing from capacity_coverage order by stat_date")


def collect_as(fleet: FleetTest, number: int, sizes: Mapping[str, int | None], native_ids: Mapping[str, str]) -> None:
    fleet.servers["a"].native_ids = native_ids
    fleet.now = NIGHT + timedelta(days=number)
    fleet.servers["a"].databases = sizes
    fleet.collect(day(number))


def switch(fleet: FleetTest, number: int, *, is_active: bool) -> None:
    """What `instances enable` and `disable` write, at noon of a day."""
    noon = NIGHT + timedelta(days=number, hours=9)
    with fleet.store.transaction() as cursor:
        cursor.execute(
            "update instances set is_active = %s, deactivated_at = %s, updated_at = %s",
            (is_active, None if is_active else noon, noon),
        )


def test_a_privilege_granted_later_does_not_change_the_expected_count_of_an_earlier_day(fleet: FleetTest) -> None:
    collect_as(fleet, -2, {"app": 1000, "shop": None}, {})
    collect_as(fleet, -1, {"app": 1000, "shop": 500}, {})
    recompute(fleet)
    assert total(fleet, -2) == (1000, 1, 1)
    collect_as(fleet, 0, {"app": 1000, "shop": None}, {})
    assert total(fleet, 0) == (1000, 1, 2)


def test_days_on_which_an_instance_was_disabled_are_not_expected(fleet: FleetTest) -> None:
    collect(fleet, -9, {"app": 1000})
    switch(fleet, -8, is_active=False)
    switch(fleet, -4, is_active=True)
    collect(fleet, -2, {"app": 2000})
    days_before = [(day(-9), 1, 1, 0), (day(-4), 1, 0, 1), (day(-3), 1, 0, 1), (day(-2), 1, 1, 0)]
    assert [row for row in coverage(fleet) if row[0] <= day(-2)] == days_before  # type: ignore[operator]
    fill(fleet, [day(number) for number in range(-9, -1)])
    assert {row[0] for row in query(fleet.store, "select stat_date from database_size_stats where provenance = 'estimated'")} == {
        day(-4),
        day(-3),
    }


def test_an_instance_removed_and_added_again_was_not_active_in_between(fleet: FleetTest) -> None:
    collect(fleet, -9, {"app": 1000})
    with fleet.store.transaction() as cursor:
        cursor.execute("update instances set is_active = false, deactivated_at = %s, deleted_at = %s", (NIGHT - timedelta(days=8),) * 2)
        cursor.execute(
            "update instances set is_active = true, deactivated_at = null, deleted_at = null, updated_at = %s", (NIGHT - timedelta(days=3),)
        )
    assert [row[0] for row in coverage(fleet) if row[0] < day(-3)] == [day(-9)]  # type: ignore[operator]


def test_a_filter_switched_on_and_off_again_invents_no_days(fleet: FleetTest) -> None:
    def collect_with(number: int, hidden: frozenset[str]) -> None:
        fleet.filters = {engine: DatabaseFilter(names=hidden) for engine in fleet.filters}
        collect(fleet, number, {"app": 1000})

    collect_with(-9, frozenset())
    collect_with(-8, frozenset({"app"}))
    collect_with(-4, frozenset())
    assert [row for row in coverage(fleet) if row[0] <= day(-4)] == [(day(-9), 1, 1, 0), (day(-4), 1, 1, 0)]  # type: ignore[operator]
    assert fill(fleet, [day(-6)])[0].estimated == 0


def test_a_renamed_database_keeps_its_history_and_is_neither_a_death_nor_a_birth(fleet: FleetTest) -> None:
    collect_as(fleet, -4, {"shop": 1000, "app": 5}, {"shop": "16384", "app": "16385"})
    collect_as(fleet, -2, {"store": 3000, "app": 5}, {"store": "16384", "app": "16385"})
    collect_as(fleet, -1, {"store": 3100, "app": 5}, {"store": "16384", "app": "16385"})
    assert query(
        fleet.store,
        "select database_name, is_active, first_seen_date, renamed_from from instance_databases where native_id = '16384' order by 1",
    ) == [("shop", False, day(-4), None), ("store", True, day(-4), "shop")]
    fill(fleet, [day(-3)])
    assert fleet.sizes(day(-3)) == {("a", "shop"): 2000, ("a", "app"): 5}
    growth = {row.database_name: row.change_bytes for row in rank_databases(fleet.store, [day(-2)])}
    assert growth == {"store": 1000, "app": 0}
    assert [(summary.created, summary.deactivated) for summary in summarize_inventory(fleet.store, [day(-2), day(-1)]).values()] == [
        (0, 0),
        (0, 0),
    ]
    ((renamed,),) = query(fleet.store, "select sync_details->'renamed' from sync_instance_records where sync_details->'renamed' <> '{}'")
    assert renamed == {"store": "shop"}


def test_a_database_renamed_between_two_probes_counts_once_for_the_day(fleet: FleetTest) -> None:
    collect_as(fleet, -1, {"shop": 1000, "app": None}, {"shop": "1", "app": "2"})
    collect_as(fleet, 0, {"shop": 1000, "app": None}, {"shop": "1", "app": "2"})
    collect_as(fleet, 0, {"store": 1100, "tool": 7}, {"store": "1", "tool": "2"})
    assert fleet.sizes() == {("a", "store"): 1100, ("a", "tool"): 7}
    assert fleet.gaps() == {}
    assert total(fleet, 0) == (1107, 2, 2)


def test_a_database_that_was_dropped_and_created_again_is_a_new_one_and_no_shrink(fleet: FleetTest) -> None:
    collect_as(fleet, -5, {"shop": 9000}, {"shop": "1"})
    collect_as(fleet, -3, {"shop": 10}, {"shop": "2"})
    assert [row.change_bytes for row in rank_databases(fleet.store, [day(-3)])] == [None]
    assert fill(fleet, [day(-4)])[0].estimated == 0
    assert fleet.gaps(day(-4)) == {("a", "shop"): "not_collected"}
    assert summarize_inventory(fleet.store, [day(-3)])[day(-3)].created == 1
    collect_as(fleet, -2, {"shop": 20}, {"shop": "2"})
    assert [row.change_bytes for row in rank_databases(fleet.store, [day(-2)])] == [10]


def test_the_sum_of_the_fleet_does_not_fall_when_a_server_is_silent(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000, "old": 50}), "b": server({"shop": 500})})
    for number in (-3, -2, -1):
        fleet.now = NIGHT + timedelta(days=number)
        fleet.servers["a"].databases = {"app": 1000 + number, "old": 50} if number == -3 else {"app": 1000 + number}
        fleet.servers["b"].refusal = UnreachableError("asleep", reason="timeout") if number == -2 else None
        fleet.collect(day(number))
    summaries = summarize_days(store, [day(number) for number in (-3, -2, -1, 0)])
    figures = [(summary.total_bytes, summary.held_total_bytes, summary.is_complete) for summary in summaries.values()]
    # the dropped database is gone for good, the silent server is not; nothing was collected on the last day
    assert figures == [(1547, 1547, True), (998, 1498, False), (1499, 1499, True), (None, 1499, False)]


def test_a_total_keeps_what_belongs_to_no_database_when_it_is_recomputed(fleet: FleetTest) -> None:
    fleet.servers["a"].shared = (SharedPart("wal", 4000), SharedPart("redo", 96))
    collect(fleet, 0, {"app": 1000})
    recompute(fleet)
    assert query(fleet.store, "select total_bytes, shared_bytes from instance_size_stats") == [(1000, 4096)]


@dataclass
class World:
    """The model of a server and its past: what exists, what may be measured, and what was ever measured."""

    chance: random.Random
    databases: dict[str, int | None] = field(default_factory=dict[str, int | None])
    native_ids: dict[str, str] = field(default_factory=dict[str, str])
    hidden: frozenset[str] = frozenset()
    born: int = 0

    def create(self) -> None:
        name = self.chance.choice("abcdefgh")
        if name not in self.databases:
            self.born += 1
            self.databases[name], self.native_ids[name] = self.chance.choice([None, 1000, 2000]), str(self.born)

    def drop(self) -> None:
        if self.databases:
            name = self.chance.choice(sorted(self.databases))
            del self.databases[name], self.native_ids[name]

    def rename(self) -> None:
        new = self.chance.choice("abcdefgh")
        if self.databases and new not in self.databases:
            old = self.chance.choice(sorted(self.databases))
            self.databases[new], self.native_ids[new] = self.databases.pop(old), self.native_ids.pop(old)

    def grant_or_revoke(self) -> None:
        for name in self.databases:
            self.databases[name] = self.chance.choice([None, 1000, 2000, 3000])

    def hide(self) -> None:
        self.hidden = frozenset(self.chance.sample("abcdefgh", self.chance.randrange(3)))


STORED = (
    "select 'size', d::text, stat_date from database_size_stats as d union all "
    "select 'total', (to_jsonb(t) - 'session_id')::text, stat_date from instance_size_stats as t union all "
    "select 'coverage', (to_jsonb(c) - 'reasons')::text, stat_date from capacity_coverage as c"
)


@settings(max_examples=25, deadline=None, phases=(Phase.reuse, Phase.generate), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False), has_identifiers=st.booleans())
def test_recomputing_any_stored_day_after_any_later_events_changes_no_byte(
    store: Database, tmp_path: Path, chance: random.Random, has_identifiers: bool
) -> None:
    with store.transaction() as cursor:
        cursor.execute(f"truncate {TABLES} cascade")
    fleet = FleetTest(store, tmp_path, {"a": FakeServer()})
    world = World(chance)
    frozen: dict[date, set[tuple[object, ...]]] = {}
    is_active = True
    for number in range(-8, 1):
        for _ in range(chance.randrange(4)):
            chance.choice([world.create, world.create, world.drop, world.rename, world.grant_or_revoke, world.hide])()
        if chance.random() < 0.2:
            is_active = not is_active
            switch(fleet, number, is_active=is_active)
        fleet.now = NIGHT + timedelta(days=number)
        fleet.filters = {engine: DatabaseFilter(names=world.hidden) for engine in fleet.filters}
        for _ in range(chance.choice([0, 1, 1, 2]) if is_active else 0):
            is_away = chance.random() < 0.2
            refusal = UnreachableError("asleep", reason="timeout") if is_away else None
            ids = world.native_ids if has_identifiers else {}
            grant = "GRANT the rest;" if chance.random() < 0.2 else None
            seen = {name: size for name, size in world.databases.items() if grant is None or chance.random() < 0.5}
            fleet.servers["a"] = FakeServer(seen, refusal=refusal, native_ids=dict(ids), grant_to_list=grant)
            session_id, _ = fleet.collect(day(number))
            record_uncollected_days(fleet.collector(), day(number), session_id)
        frozen[day(number)] = {row for row in query(store, STORED) if row[2] == day(number)}
        recompute(fleet)
        for past, rows in frozen.items():
            assert {row for row in query(store, STORED) if row[2] == past} == rows


@settings(max_examples=25, deadline=None, phases=(Phase.reuse, Phase.generate), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.tuples(st.integers(0, 10**15), st.integers(0, 10**15)),
    after=st.tuples(st.integers(0, 10**15), st.integers(0, 10**15)),
    length=st.integers(2, 20),
)
def test_the_parts_of_an_estimate_are_its_whole(
    store: Database, tmp_path: Path, before: tuple[int, int], after: tuple[int, int], length: int
) -> None:
    with store.transaction() as cursor:
        cursor.execute(f"truncate {TABLES} cascade")
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1})})
    collect(fleet, -length, {"app": 1})
    collect(fleet, 0, {"app": 1})
    with store.transaction() as cursor:
        for number, (data, log) in ((-length, before), (0, after)):
            cursor.execute(
                "update database_size_stats set total_bytes = %s, data_bytes = %s, log_bytes = %s where stat_date = %s",
                (data + log, data, log, day(number)),
            )
    filled, _ = fill(fleet, [day(number) for number in range(-length + 1, 0)], max_gap_days=20)
    assert filled.estimated == length - 1
    estimates = query(store, "select total_bytes, data_bytes, log_bytes from database_size_stats where provenance = 'estimated'")
    assert all(total == data + log for total, data, log in estimates)  # type: ignore[operator]


def test_the_change_of_a_period_follows_a_rename_and_is_unknown_for_a_new_database(fleet: FleetTest) -> None:
    collect_as(fleet, -2, {"shop": 1000, "app": 9000}, {"shop": "1", "app": "2"})
    collect_as(fleet, -1, {"store": 1100, "app": 10}, {"store": "1", "app": "3"})
    collect_as(fleet, 0, {"store": 1300, "app": 15}, {"store": "1", "app": "3"})
    compute_periods(fleet.store, [Period(PeriodType.DAILY, day(number)) for number in (-2, -1, 0)], day(0))
    rows = query(fleet.store, "select database_name, period_start, change_bytes from database_size_aggregations order by 1, 2")
    assert rows == [
        ("app", day(-2), None),
        ("app", day(-1), None),
        ("app", day(0), 5),
        ("shop", day(-2), None),
        ("store", day(-1), 100),
        ("store", day(0), 200),
    ]
