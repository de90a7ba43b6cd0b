"""Forecasts of a fleet in the store, end to end: the replay of the first day, and the new forecasts of the day after it."""

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from whalefall_pipelines.forecasts.forecast import forecast_day
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.benchmarks.figures import Figure
from whalefall_pipelines_tests.benchmarks.servers import embedded_store

SERVERS, DATABASES, DAYS = 1000, 19, 365  # 20,000 series with the servers themselves
REPLAY_SECONDS, SECONDS, MEGABYTES = 90, 15, 400
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
    """The figures of a fleet of 20,000 series. Memory is that of this process's whole life."""
    with embedded_store(folder) as store:
        fill(store)
        replayed = _forecast(store, LAST - timedelta(days=1))
        yield Figure("replaying a year in the store, CPU time", replayed.cpu_seconds, REPLAY_SECONDS, "s", replayed.detail)
        made = _forecast(store, LAST)
        yield Figure("a day's new forecasts in the store", made.seconds, SECONDS, "s", made.detail)
        yield Figure(
            "their memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, MEGABYTES, "MB", "the largest of this process"
        )


@dataclass(frozen=True, slots=True)
class _Price:
    seconds: float
    cpu_seconds: float
    detail: str


def _forecast(store: Database, day: date) -> _Price:
    """Make the forecasts of a day from the store and back."""
    begun, begun_cpu = time.monotonic(), time.process_time()
    made = forecast_day(store, day, day)
    seconds, cpu_seconds = time.monotonic() - begun, time.process_time() - begun_cpu
    assert made.forecasts >= SERVERS * (DATABASES + 1)
    return _Price(
        seconds, cpu_seconds, f"{made.forecasts} forecasts, {made.scores} scores; {seconds:.1f} s, of which {cpu_seconds:.1f} s CPU"
    )


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
