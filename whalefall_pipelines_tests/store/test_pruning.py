"""What is asked of some days reads the months of those days and no others, however long the history is; PostgreSQL's own plans say so."""

from datetime import date, timedelta
from typing import Any

import pytest
from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.aggregation_model import ModelDay, days_from
from whalefall_pipelines_tests.days import write_days
from whalefall_pipelines_tests.factories import register
from whalefall_pipelines_tests.plans import tables_read

# The middle of a month of a store that has fourteen.
ASKED = date(2026, 8, 20)
DAYS = {"days": [ASKED], "days_before": [ASKED - timedelta(days=1)], "first_day": ASKED, "last_day": ASKED, "day": ASKED, "most": 10}
STATEMENTS = {
    "capacity/rank_databases": {},
    "capacity/rank_instances": {},
    "capacity/list_jumps": {"percent": 30, "bytes": 1},
    "capacity/summarize_days": {},
    "capacity/list_coverage": {"first_day": ASKED - timedelta(days=5)},
    "capacity/list_gaps": {},
    "capacity/list_wrong_totals": {},
    "capacity/list_implausible_sizes": {},
    "capacity/freeze_uncollected_days": {"first_day": ASKED - timedelta(days=5), "session_id": None},
    "capacity/record_unreached_instance": {"instance_id": 1, "reason": "timeout", "detail": "asleep", "session_id": None},
    "capacity/upsert_instance_sizes": {"instance_ids": [1, 2], "session_id": None, "shared_bytes": None},
    "capacity/list_recoverable_sizes": {"instance_id": 1},
    "sessions/list_unrepaired": {"needs_a_person": [], "cured_by_a_change": []},
}
BRIDGES = {"first_day": ASKED - timedelta(days=7), "last_day": ASKED, "max_gap_days": 7, "session_id": None}
# What tells the first day that is stored looks at the edge of every index, and at no row but that one.
EDGES = {"capacity/list_coverage", "capacity/freeze_uncollected_days"}


@pytest.fixture
def long_history(store: Database) -> Database:
    """Two databases over more than a year, with gaps, and statistics as autovacuum keeps them."""
    one, other = register(store, "orders", "shop")
    days = days_from(date(2025, 10, 1), 400)
    keys = [(one.instance_id, "app"), (other.instance_id, "app")]
    write_days(store, {(key, day): ModelDay(None if day.day % 7 == 3 else 1000 + day.day) for key in keys for day in days})
    ensure_months(store, days)
    with store.transaction() as cursor:
        cursor.execute("analyze")
    return store


def months(tables: set[str]) -> set[str]:
    return {table for table in tables if "_stats_20" in table}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_question_about_days_reads_their_months(long_history: Database, name: str) -> None:
    read = months(tables_read(long_history, queries.load(name), DAYS | STATEMENTS[name]))
    edges = {table for table in read if name in EDGES and table.startswith("instance_size_stats")}
    assert read - edges <= {"database_size_stats_2026_08", "instance_size_stats_2026_08"}


@pytest.mark.parametrize("name", ["capacity/list_bridgeable_days", "capacity/estimate_gaps"])
def test_a_gap_is_bridged_from_the_months_around_it(long_history: Database, name: str) -> None:
    values: dict[str, Any] = BRIDGES | {"instance_ids": [1, 2]}
    statement = sql.SQL(queries.load(name)).format(bridges=sql.SQL(queries.load("capacity/bridge_gaps")))
    assert months(tables_read(long_history, statement, values)) == {"database_size_stats_2026_08"}
