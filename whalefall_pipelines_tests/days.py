"""Writes days into a store as collection does: sizes, gaps, inventory and totals; and computes their periods."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import uuid4

from whalefall_pipelines.aggregation.aggregate import aggregate_sizes
from whalefall_pipelines.aggregation.model import Level
from whalefall_pipelines.capacity.store import sizes as capacity
from whalefall_pipelines.domain.periods import Period
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.aggregation_model import Key, ModelDay


def write_days(store: Database, days: Mapping[tuple[Key, date], ModelDay]) -> None:
    """Write these days; an existing day is replaced."""
    ensure_months(store, [day for _, day in days], ["database_size_stats", "instance_size_stats"])
    rows = [
        {"i": key[0], "d": key[1], "day": str(day), "b": size.total_bytes, "p": "estimated" if size.is_estimated else "measured"}
        for (key, day), size in days.items()
    ]
    with store.transaction() as cursor:
        document = json.dumps(rows)
        source = "json_to_recordset(%s) as r (i integer, d text, day date, b bigint, p text)"
        cursor.execute(
            "insert into instance_databases (instance_id, database_name, first_seen_date, last_seen_date) "
            f"select i, d, min(day), max(day) from {source} group by i, d on conflict (instance_id, database_name) do nothing",
            (document,),
        )
        cursor.execute(
            "insert into database_activity (instance_id, database_name, active_from, database_id, first_measured_date) "
            f"select i, d, min(day), abs(hashtext(d)), min(day) filter (where b is not null) from {source} group by i, d "
            "on conflict (instance_id, database_name) where active_until is null do nothing",
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
            "insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, was_measurable) "
            "select i, d, day, 'timeout', 'asleep', coalesce(first_measured_date <= day, false) "
            f"from {source} inner join database_activity on (i, d) = (instance_id, database_name) where b is null",
            (document,),
        )
        ids = sorted({key[0] for key, _ in days})
        capacity.write_totals(cursor, ids, min(day for _, day in days), max(day for _, day in days), None)


def compute_periods(store: Database, periods: Sequence[Period], today: date, levels: Sequence[Level] = tuple(Level)) -> None:
    """Compute these periods in their own session."""
    plan = SessionPlan(uuid4(), SyncCategory.AGGREGATION, SyncType.MANUAL_TASK, periods[0].start, periods[-1].end)
    with sync_session(store, plan, []):
        aggregate_sizes(store, periods, today, plan.session_id, levels)
