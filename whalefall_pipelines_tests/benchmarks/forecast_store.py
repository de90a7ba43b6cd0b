"""Forecasts of a fleet in the store, end to end: the replay of the first day, and the new forecasts of the day after it."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from whalefall_pipelines.forecasts.forecast import forecast_day
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.benchmarks.figures import Figure
from whalefall_pipelines_tests.benchmarks.servers import embedded_store

SERVERS, DATABASES, DAYS = 1000, 19, 365  # 20,000 series with the servers themselves
SECONDS = 15
LAST = date(2026, 11, 22)
_FIRST = LAST - timedelta(days=DAYS - 1)
_FLEET = """
insert into credentials (name, username) values ('all', 'monitor');
insert into instances (name, engine, host, port, credential_id, created_at)
select 'i' || n, 'mysql', '127.0.0.1', 1 + n, c.credential_id, '2020-01-01'
from generate_series(1, %(servers)s) as n cross join credentials as c;
insert into database_activity (instance_id, database_name, active_from, database_id, first_measured_date)
select i.instance_id, 'd' || n, %(first)s, n, %(first)s from instances as i cross join generate_series(1, %(databases)s) as n
"""
# A line, a weekly wave, and a step in every tenth.
_DAY = """
insert into database_size_stats (instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method)
select instance_id, database_name, %(day)s, 1000000000 + 8192::bigint * (instance_id %% 40) * %(age)s
    + 8192 * (100 * (1 + sin(%(age)s * 0.9 + database_id)))::integer
    + case when database_id %% 10 = 0 and %(age)s > 200 then 200000000 else 0 end, now(), 'measured', 'x'
from database_activity;
insert into instance_size_stats (instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance)
select instance_id, stat_date, sum(total_bytes), count(*), count(*), now(), 'measured'
from database_size_stats where stat_date = %(day)s group by instance_id, stat_date
"""


def measure(folder: Path) -> Iterator[Figure]:
    """The figure of a fleet of 20,000 series."""
    with embedded_store(folder) as store:
        fill(store)
        begun = time.monotonic()
        forecast_day(store, LAST - timedelta(days=1), LAST - timedelta(days=1))
        replayed = time.monotonic() - begun
        begun = time.monotonic()
        made = forecast_day(store, LAST, LAST)
        seconds = time.monotonic() - begun
        assert made.forecasts == SERVERS * (DATABASES + 1)
        detail = f"{made.forecasts} series from the store and back; the replay of the first day took {replayed:.0f} s"
        yield Figure("a day's new forecasts in the store", seconds, SECONDS, "s", detail)


def fill(store: Database) -> None:
    """The servers and a year of sizes."""
    days = [_FIRST + timedelta(days=age) for age in range(DAYS)]
    ensure_months(store, days)
    with store.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(_FLEET, {"servers": SERVERS, "databases": DATABASES, "first": _FIRST})
    for age, day in enumerate(days):
        with store.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
            cursor.execute(_DAY, {"day": day, "age": age})
    with store.session() as cursor:
        cursor.execute("vacuum (analyze)")
