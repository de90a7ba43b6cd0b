"""The cost of a long backfill as its own Dagster run: 400 days of 10,000 databases, of which a tenth is missing."""

import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import psutil

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.runs import collection
from whalefall_pipelines.runtime.embedded import cluster
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.sessions.run_in_dagster import run_in_dagster
from whalefall_pipelines.settings import load_settings, machine_timezone
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.benchmarks.figures import Figure

INSTANCES, DATABASES, DAYS = 200, 50, 400
ROUNDS = 3


def fill(store: Database) -> int:
    """Every database measured on nine days of ten, scattered, but on the first and the last day; return how many gaps there are."""
    last_day = today(datetime.now(UTC), machine_timezone()) - timedelta(days=1)
    first_day = last_day - timedelta(days=DAYS - 1)
    ensure_months(store, [first_day + timedelta(days=number) for number in range(DAYS)])
    with store.transaction(statement_seconds=600) as cursor:
        cursor.execute("insert into credentials (name, username) values ('benchmark', 'monitor')")
        cursor.execute(
            "insert into instances (name, engine, host, port, credential_id) "
            "select 'target-' || i, 'postgresql', '127.0.0.1', 1, credential_id from credentials, generate_series(1, %s) as i",
            (INSTANCES,),
        )
        cursor.execute(
            "insert into instance_databases (instance_id, database_name, first_seen_date, last_seen_date) "
            "select instance_id, 'database_' || d, %s, %s from instances, generate_series(1, %s) as d",
            (first_day, last_day, DATABASES),
        )
        cursor.execute("update instance_activity set active_from = %s", (first_day,))
        cursor.execute(
            "insert into database_activity (instance_id, database_name, active_from, database_id, first_measured_date) "
            "select instance_id, 'database_' || d, %s, d, %s from instances, generate_series(1, %s) as d",
            (first_day, first_day, DATABASES),
        )
        cursor.execute(
            "create temporary table days on commit drop as select instance_id, database_name, c.day::date as day, "
            "c.day::date not in (%s, %s) and hashint8(instance_id * 7919 + ascii(right(database_name, 1)) * 31 + length(database_name) "
            "+ extract(epoch from c.day)::bigint) %% 10 = 0 as is_missing "
            "from instance_databases, generate_series(%s::timestamp, %s::timestamp, interval '1 day') as c (day)",
            (first_day, last_day, first_day, last_day),
        )
        cursor.execute(
            "insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method) "
            "select instance_id, database_name, day, 1000000 + instance_id, now(), 'measured', 'pg_database_size' from days "
            "where not is_missing"
        )
        cursor.execute(
            "insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, was_measurable) "
            "select instance_id, database_name, day, 'timeout', 'asleep', true from days where is_missing"
        )
        cursor.execute("select count(*) from capacity_gaps")
        (missing,) = cursor.fetchone() or (0,)
    with store.transaction() as cursor:
        cursor.execute("analyze")
    return missing


def rewrite(store: Database) -> float:
    """Write the rows of the backfill again by one bare statement without triggers, into the same indexes. Seconds."""
    with store.transaction(statement_seconds=600) as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.execute(_TAKE_AWAY)
    with store.session() as cursor:
        cursor.execute("vacuum (analyze) database_size_stats, instance_size_stats, capacity_gaps")
    with store.transaction(statement_seconds=600) as cursor:
        cursor.execute("set local session_replication_role = replica")
        cursor.send()
        begun = time.monotonic()
        cursor.execute(_REWRITE)
        cursor.send()
        seconds = time.monotonic() - begun
        cursor.execute("drop table written_sizes, written_totals")
    return seconds


_TAKE_AWAY = """
create table written_sizes as select * from database_size_stats where provenance = 'estimated';
create table written_totals as select * from instance_size_stats where provenance = 'estimated';
delete from database_size_stats where provenance = 'estimated';
update capacity_gaps set closed_by = null where closed_by = 'estimated';
update instance_size_stats set total_bytes = 0 where provenance = 'estimated'
"""
_REWRITE = """
with sizes as (insert into database_size_stats select * from written_sizes returning instance_id, database_name, stat_date),
gaps as (
    update capacity_gaps as g set closed_by = 'estimated' from sizes as s
    where (g.instance_id, g.database_name, g.stat_date) = (s.instance_id, s.database_name, s.stat_date)
)
update instance_size_stats as t
set total_bytes = w.total_bytes, database_count = w.database_count, expected_count = w.expected_count, session_id = w.session_id
from written_totals as w where (t.instance_id, t.stat_date) = (w.instance_id, w.stat_date)
"""


def measure(folder: Path) -> list[Figure]:
    """The run against the bare statement, and the peak memory of its process."""
    last_day = today(datetime.now(UTC), machine_timezone()) - timedelta(days=1)
    first_day = last_day - timedelta(days=DAYS - 1)
    configured = load_settings({"WHALEFALL_HOME": str(folder / "home"), "WHALEFALL_START_DATE": str(first_day)})
    peak = 0.0

    def look(_: object) -> None:
        nonlocal peak
        for child in psutil.Process().children():
            with suppress(psutil.Error, OSError):  # the run has just ended
                if child.exe() == str(Path(sys.executable).resolve()):
                    lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
                    peak = max(peak, next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0))

    try:
        with open_store(configured, may_make=True) as store:
            missing = fill(store)
            (folder / "home" / "settings.env").write_text(f"WHALEFALL_START_DATE={first_day}\n")
            begun = time.monotonic()
            run_in_dagster(configured, store, collection(first_day, last_day), on_progress=look)
            seconds = time.monotonic() - begun
            with store.transaction() as cursor:
                cursor.execute("select count(*) from database_size_stats where provenance = 'estimated'")
                (estimated,) = cursor.fetchone() or (0,)
            bare = median(rewrite(store) for _ in range(ROUNDS))
    finally:
        cluster(configured).stop()
    assert estimated > missing * 0.99, (estimated, missing)
    detail = f"{DAYS} days of {INSTANCES} x {DATABASES}, {missing} missing, {estimated} estimated: {seconds:.0f} s against {bare:.1f} s"
    return [
        Figure("backfill as a Dagster run / one bare statement", seconds / bare, 20, "x", detail),
        Figure("its peak memory", peak, 512, "MiB", ""),
    ]
