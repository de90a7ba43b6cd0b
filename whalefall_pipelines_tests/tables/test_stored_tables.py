"""Stored table sizes against a model that keeps every day as it was read."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import MissingTable, TableKind, TableMethod, TableSize, largest_tables
from whalefall_pipelines.errors import StoreError
from whalefall_pipelines.fleet.fake import FakeFleet, FakeServer
from whalefall_pipelines.sessions.collection import Collection
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.tables.ask import history_of, tables_of
from whalefall_pipelines.tables.collect import TablesCollector
from whalefall_pipelines.tables.model import Wanted
from whalefall_pipelines_tests.factories import query, register

MONDAY = datetime(2026, 11, 23, 4, tzinfo=UTC)
FREE = 1000
ALL = Wanted(most=1000, with_partitions=True)


class Shop:
    """One server with one database, whose tables are read on days that a test chooses."""

    def __init__(self, store: Database, home: Path, at_most: int = 20_000) -> None:
        (self.instance,) = register(store, f"db{len(query(store, 'select 1 from instances'))}")
        self.store, self.at_most = store, at_most
        self.server = FakeServer()
        self.now = MONDAY
        secrets = SecretBox(load_settings({"WHALEFALL_HOME": str(home)}))
        fleet = FakeFleet({self.instance.name: self.server})
        self.collector = TablesCollector(Collection(store, fleet, secrets, 1, timedelta(), clock=lambda: self.now), at_most)

    def read(self, sizes: Mapping[str, int] | MissingSize, *missing: MissingTable) -> Instance:
        outcome: object = sizes
        if not isinstance(sizes, MissingSize):
            tables = [TableSize("public", name, TableKind.TABLE, size, TableMethod.PG_TABLE_SIZE, size) for name, size in sizes.items()]
            outcome = largest_tables("shop", sum(sizes.values()) + FREE, tables, missing, self.at_most)
        self.server.tables = {"shop": outcome}  # type: ignore[dict-item]
        self.collector.collect_instance(self.instance, ["shop"])
        return self.instance

    def pass_days(self, count: int) -> None:
        self.now += timedelta(days=count)

    def by_day(self) -> dict[date, dict[str, int]]:
        """What the view says of each day."""
        statement = "select stat_date, table_name, total_bytes from table_sizes where instance_id = %s and kind = 'table'"
        days: dict[date, dict[str, int]] = {}
        for day, name, size in query(self.store, statement, self.instance.instance_id):
            days.setdefault(day, {})[str(name)] = int(str(size))  # type: ignore[arg-type]
        return days

    def rows(self) -> int:
        ((count,),) = query(self.store, "select count(*) from table_size_stats where instance_id = %s", self.instance.instance_id)
        return int(str(count))


@pytest.fixture
def shop(store: Database, tmp_path: Path) -> Shop:
    return Shop(store, tmp_path)


DAYS = st.lists(
    st.tuples(st.integers(0, 20), st.dictionaries(st.sampled_from("abcd"), st.integers(1, 3), min_size=1)), min_size=1, max_size=12
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=DAYS)
def test_every_day_is_as_it_was_read_last(store: Database, tmp_path: Path, days: list[tuple[int, dict[str, int]]]) -> None:
    """Several readings of a day, tables that come, go and come again, and the ends of months and years."""
    shop, expected = Shop(store, tmp_path), {}
    for pause, sizes in days:
        shop.pass_days(pause)
        shop.read(sizes)
        expected[shop.now.astimezone(store.timezone).date()] = sizes
    assert shop.by_day() == expected
    sums = "select count(*) from table_size_observations as o where total_bytes <> (select sum(s.total_bytes) from table_sizes as s "
    sums += "where s.instance_id = o.instance_id and s.stat_date = o.stat_date)"
    assert query(store, sums) == [(0,)]


def test_what_does_not_change_takes_no_row_until_the_next_month(shop: Shop) -> None:
    shop.read({"a": 5, "b": 6})
    assert shop.rows() == 3
    shop.pass_days(1)
    shop.read({"a": 5, "b": 6})
    assert shop.rows() == 3
    shop.pass_days(1)
    shop.read({"a": 5, "b": 7})
    assert shop.rows() == 4
    shop.pass_days(7)  # 2 December
    shop.read({"a": 5, "b": 7})
    assert shop.rows() == 7
    assert len(shop.by_day()) == 4


def test_growth_is_against_the_day_before_and_a_new_table_is_new(shop: Shop) -> None:
    locked = MissingTable("public", "locked", Reason.UNAVAILABLE, "locked")
    shop.read({"a": 50, "gone": 10, "shrunk": 9}, locked)
    shop.pass_days(7)
    instance = shop.read({"a": 70, "new": 40, "shrunk": 4, "locked": 3})
    answer = tables_of(shop.store, instance, "shop", ALL)
    changes = {table.table_name: (answer.change_bytes(table), answer.is_new(table)) for table in answer.tables}
    assert changes == {"": (None, False), "a": (20, False), "new": (40, True), "shrunk": (-5, False), "locked": (None, False)}
    assert answer.before is not None
    assert (answer.before.stat_date, answer.observation.total_bytes) == (date(2026, 11, 23), 117 + FREE)


def test_a_failure_is_a_day_with_its_reason_and_takes_no_size_away(shop: Shop) -> None:
    shop.read({"a": 50})
    shop.read(MissingSize("shop", Reason.TIMEOUT, "it did not answer"))
    assert shop.by_day() == {date(2026, 11, 23): {"a": 50}}
    shop.pass_days(1)
    shop.read(MissingSize("shop", Reason.TIMEOUT, "it did not answer"))
    shop.pass_days(1)
    shop.read({"b": 1}, MissingTable("public", "a", Reason.UNAVAILABLE, "locked"))
    shop.pass_days(1)
    instance = shop.read({"b": 1})
    _, days = history_of(shop.store, instance, "shop.public.a")
    assert [(day.stat_date.day, day.total_bytes, day.reason) for day in days] == [
        *((23, 50, None), (24, None, "timeout"), (25, None, "unavailable"), (26, None, None)),
    ]


def test_beyond_the_limit_the_rest_is_one_row_and_nothing_is_new(store: Database, tmp_path: Path) -> None:
    shop = Shop(store, tmp_path, at_most=2)
    shop.read({"a": 50, "b": 40, "c": 30, "d": 20})
    shop.pass_days(1)
    instance = shop.read({"a": 50, "b": 10, "c": 30, "d": 20})
    answer = tables_of(store, instance, "shop", ALL)
    rows = [(table.kind, table.table_name, table.total_bytes, answer.change_bytes(table)) for table in answer.tables]
    assert rows == [
        (TableKind.NO_TABLE, "", FREE, 0),
        (TableKind.TABLE, "a", 50, 0),
        (TableKind.SMALLER_TABLES, "", 30, -20),
        (TableKind.TABLE, "c", 30, None),
    ]


def test_a_day_before_the_newest_is_refused(shop: Shop) -> None:
    shop.read({"a": 5})
    shop.pass_days(-1)
    with pytest.raises(StoreError, match="check the clock"):
        shop.read({"a": 5})


def test_an_unreachable_server_is_a_missing_database(shop: Shop) -> None:
    shop.collector = replace(shop.collector, collection=replace(shop.collector.collection, fleet=FakeFleet({})))
    outcome = shop.collector.collect_instance(shop.instance, ["shop"])
    assert outcome.error is not None
    assert query(shop.store, "select reason, total_bytes from table_size_observations") == [("connection_refused", None)]
