"""The two self-check queries of the capacity-sync document run on the store as written there."""

import re
from pathlib import Path

import pytest

from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import DAY, FleetTest, query, server

INSTANCE_DAYS = """
select
  instance_id,
  stat_date,
  total_bytes,
  collected_at
from instance_size_stats
where instance_id = :instance_id
  and stat_date >= current_date - :days
order by stat_date desc
limit 200;
"""
LARGEST_DATABASES = """
select
  instance_id,
  database_name,
  stat_date,
  total_bytes
from database_size_stats
where instance_id = :instance_id
  and stat_date = :stat_date
order by total_bytes desc
limit 50;
"""


def bound(statement: str, **values: object) -> str:
    return re.sub(r":(\w+)", lambda match: str(values[match.group(1)]), statement)


@pytest.fixture
def fleet(store: Database, tmp_path: Path) -> FleetTest:
    made = FleetTest(store, tmp_path, {"a": server({"app": 1000, "shop": 2000}), "b": server({"crm": 5})})
    made.collect()
    return made


def test_the_last_days_of_an_instance(store: Database, fleet: FleetTest) -> None:
    rows = query(store, bound(INSTANCE_DAYS, instance_id=fleet.instances[0].instance_id, days=100_000))
    assert [row[:3] for row in rows] == [(fleet.instances[0].instance_id, DAY, 3000)]


def test_the_largest_databases_of_a_day(store: Database, fleet: FleetTest) -> None:
    rows = query(store, bound(LARGEST_DATABASES, instance_id=fleet.instances[0].instance_id, stat_date=f"'{DAY}'"))
    assert [(row[1], row[3]) for row in rows] == [("shop", 2000), ("app", 1000)]
