"""Helpers for tests of partition maintenance: a day, a table, and shortcuts to create, expire and list months."""

from datetime import date

import pytest

from whalefall_pipelines.domain.months import Month, Place, months_between
from whalefall_pipelines.retention.maintain_table_partitions import Outcome, create_table_partitions, expire_table_partitions
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import LockPolicy, ensure_month, read_catalogue
from whalefall_pipelines_tests.partitioned_tables import PARTITIONED_TABLES

TODAY = date(2026, 11, 22)
TABLE = "instance_size_stats"
HASTY = LockPolicy(lock_timeout_seconds=0.3, attempts=2, pause_seconds=0.1)
SETTINGS = load_settings({"WHALEFALL_HOME": "/nonexistent"})


@pytest.fixture
def store(maintenance_store: Database) -> Database:
    return maintenance_store


def execute(store: Database, *statements: str) -> None:
    with store.session() as cursor:
        for statement in statements:
            cursor.execute(statement)


def insert(day: date, number: int = 1) -> str:
    return (
        f"insert into {TABLE} (instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance) "
        f"values ({number}, '{day}', 1, 1, 1, now(), 'measured')"
    )


def months(store: Database, table_name: str = TABLE, place: Place = Place.ATTACHED) -> list[str]:
    return sorted(str(table_partition.month) for table_partition in read_catalogue(store, [table_name]) if table_partition.place is place)


def every_month(first: Month, last: Month) -> list[str]:
    return [str(month) for month in months_between(first, last)]


def have(store: Database, first: Month, last: Month, *table_names: str) -> None:
    for table_name in table_names or PARTITIONED_TABLES:
        for month in months_between(first, last):
            ensure_month(store, table_name, month)


def create(store: Database, day: date = TODAY, settings: Settings = SETTINGS) -> tuple[Outcome, ...]:
    return create_table_partitions(store, settings, day, lock_policy=HASTY).outcomes


def expire(store: Database, day: date = TODAY, settings: Settings = SETTINGS, *, beyond_limit: bool = False) -> tuple[Outcome, ...]:
    return expire_table_partitions(store, settings, day, beyond_limit=beyond_limit, lock_policy=HASTY).outcomes


def errors(outcomes: tuple[Outcome, ...]) -> list[str]:
    return [str(outcome.error) for outcome in outcomes if outcome.error]


def leave_detached(store: Database, month: Month) -> str:
    """Leave a month detached, as interrupted maintenance does; return its name."""
    name = month.table_partition(TABLE)
    execute(
        store,
        f"comment on table {name} is 'whalefall detaches {TABLE} from {month.first_day} to {month.plus(1).first_day}'",
        f"alter table {TABLE} detach partition {name} concurrently",
    )
    return name
