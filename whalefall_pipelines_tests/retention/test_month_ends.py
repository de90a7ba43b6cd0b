"""Months end at local midnight, on real PostgreSQL 15 and 18 with stores in these time zones, including daylight saving."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from whalefall_pipelines.capacity.tables import STATS_TABLES
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.months import Month, months_of
from whalefall_pipelines.retention.maintain_table_partitions import create_table_partitions, expire_table_partitions, plan
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store import migrations
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_month, read_catalogue
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.factories import FleetTest, query, server

# A zone, the first day of the month that begins at its local midnight, and the special feature of that night.
NIGHTS = [
    ("Asia/Shanghai", date(2026, 12, 1)),  # eight hours before the month in UTC
    ("America/New_York", date(2026, 11, 1)),  # clocks go back at 02:00 of the first day
    ("America/New_York", date(2026, 12, 1)),
    ("Australia/Lord_Howe", date(2026, 11, 1)),  # half an hour of daylight saving
    ("Africa/Cairo", date(2026, 11, 1)),  # clocks went back at midnight two days before
    ("Europe/Berlin", date(2024, 4, 1)),  # clocks went forward on the last day of the month
    ("Asia/Beirut", date(2024, 4, 1)),  # at midnight, so that the last day began at 01:00
    ("Pacific/Apia", date(2012, 1, 1)),  # two days after a skipped day
    ("America/Asuncion", date(2017, 10, 1)),  # midnight itself was skipped: the month began at 01:00
]


@pytest.fixture(params=NIGHTS, ids=lambda night: f"{night[0]}-{night[1]}")
def night(request: pytest.FixtureRequest) -> tuple[ZoneInfo, date]:
    zone, first = request.param
    return ZoneInfo(zone), first


@pytest.fixture
def zoned_store(maintenance_server: PostgresCluster, maintenance_store: Database, night: tuple[ZoneInfo, date]) -> Iterator[Database]:
    """A store whose sessions and database are in the zone, while its server is in another one."""
    zone, _ = night
    migrations.migrate(maintenance_store, zone.key)
    administer(maintenance_server, f"alter database {maintenance_store.url.database} set timezone to '{zone.key}'")
    with closing(Database(parse_url(maintenance_server.url(str(maintenance_store.url.database))), zone)) as store:
        yield store


def settings_in(zone: ZoneInfo) -> Settings:
    return load_settings({"WHALEFALL_HOME": "/nonexistent", "WHALEFALL_TIMEZONE": zone.key, "WHALEFALL_PARTITIONS_AHEAD": "1"})


def around(first: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """One minute before a month begins in the zone, and one minute after."""
    midnight = datetime(first.year, first.month, 1, tzinfo=zone).astimezone(UTC)
    return midnight - timedelta(minutes=1), midnight + timedelta(minutes=1)


def has(store: Database, table_name: str) -> list[Month | None]:
    return sorted((table_partition.month for table_partition in read_catalogue(store, [table_name])), key=str)


def test_maintenance_makes_and_expires_by_local_midnight(zoned_store: Database, night: tuple[ZoneInfo, date]) -> None:
    zone, first = night
    this_month = months_of([first])[0]
    before, after = (today(instant, zone) for instant in around(first, zone))
    assert (before, after) == (first - timedelta(days=1), first)
    create_table_partitions(zoned_store, settings_in(zone), before)
    for table_name in STATS_TABLES:
        assert has(zoned_store, table_name) == [this_month.plus(-1), this_month]
        ensure_month(zoned_store, table_name, this_month.plus(-13))
    assert expire_table_partitions(zoned_store, settings_in(zone), before).outcomes == ()  # a full year is kept until the last minute
    assert [str(step.month) for step in plan(zoned_store, settings_in(zone), after) if step.drops] == [str(this_month.plus(-13))] * 2
    create_table_partitions(zoned_store, settings_in(zone), after)
    assert len(expire_table_partitions(zoned_store, settings_in(zone), after).outcomes) == 2
    for table_name in STATS_TABLES:
        assert has(zoned_store, table_name)[-3:] == [this_month.plus(-1), this_month, this_month.plus(1)]
        assert this_month.plus(-13) not in has(zoned_store, table_name)


def test_days_written_on_both_sides_of_midnight_are_in_their_own_months(
    zoned_store: Database, night: tuple[ZoneInfo, date], tmp_path: Path
) -> None:
    zone, first = night
    fleet = FleetTest(zoned_store, tmp_path, {"a": server({"app": 1000})}, timezone=zone)
    before, after = around(first, zone)
    for instant, day in ((before, first - timedelta(days=1)), (after, first)):
        create_table_partitions(zoned_store, settings_in(zone), today(instant, zone))
        fleet.now = instant
        _, outcomes = fleet.collect(day)
        assert outcomes["a"].error is None
    last, this_month = months_of([first - timedelta(days=1), first])
    for table_name in STATS_TABLES:
        rows = query(zoned_store, f"select stat_date, tableoid::regclass::text, collected_at from {table_name} order by 1")
        assert rows == [
            (first - timedelta(days=1), last.table_partition(table_name), before),
            (first, this_month.table_partition(table_name), after),
        ]
        # The store's own clock assigns these instants to the same days.
        assert query(zoned_store, f"select count(*) from {table_name} where collected_at::date = stat_date") == [(2,)]


def test_yesterday_within_its_grace_is_written_into_the_month_that_is_over(
    zoned_store: Database, night: tuple[ZoneInfo, date], tmp_path: Path
) -> None:
    zone, first = night
    fleet = FleetTest(zoned_store, tmp_path, {"a": server({"app": 1000})}, timezone=zone, now=around(first, zone)[1])
    create_table_partitions(zoned_store, settings_in(zone), first)
    yesterday = first - timedelta(days=1)
    _, outcomes = fleet.collect(yesterday)  # the past month was never created here: writing creates it
    assert outcomes["a"].error is None
    name = months_of([yesterday])[0].table_partition("database_size_stats")
    assert query(zoned_store, "select stat_date, tableoid::regclass::text from database_size_stats") == [(yesterday, name)]
