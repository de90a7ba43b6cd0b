"""The cost of ticks, polls and the report of a day with five years of history against one year: history must not matter."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from statistics import median

from whalefall_pipelines.aggregation.known_days import find_known_days
from whalefall_pipelines.aggregation.store import list_due_periods, mark_running_periods
from whalefall_pipelines.capacity.fill_gaps import find_interpolable_days
from whalefall_pipelines.capacity.store import gaps, plausibility, reports
from whalefall_pipelines.capacity.store.retries import list_unrepaired
from whalefall_pipelines.domain.periods import PeriodType, period_of
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate

ROUNDS = 15
# Some answers take half a millisecond, and a machine with other work adds several. What it adds is never negative, so the fastest counts.
ASKED_TIMES = 10
MAX_GAP_DAYS = 14


@dataclass(frozen=True, slots=True)
class History:
    """A store in which every database of every instance was measured on every day."""

    store: Database
    instances: int
    databases: int
    first_day: date
    last_day: date


# What a schedule, a sensor, the report of a run and a waiting command query about one day.
QUESTIONS: dict[str, Callable[[Database, date], object]] = {
    "rank_databases": lambda store, day: reports.rank_databases(store, [day]),
    "rank_instances": lambda store, day: reports.rank_instances(store, [day]),
    "list_jumps": lambda store, day: plausibility.list_jumps(store, [day], percent=30, gigabytes=20),
    "list_gaps": lambda store, day: reports.list_gaps(store, [day]),
    "summarize_days": lambda store, day: reports.summarize_days(store, [day]),
    "summarize_inventory": lambda store, day: reports.summarize_inventory(store, [day]),
    "list_coverage, 30 days": lambda store, day: gaps.list_coverage(store, day - timedelta(days=29), day),
    "find_interpolable_days": lambda store, day: find_interpolable_days(store, day, MAX_GAP_DAYS),
    "list_sessions": lambda store, _: sessions.list_sessions(store, most=20),
    "list_unrepaired": list_unrepaired,
}


def _seconds(ask: Callable[[Database, date], object], store: Database, day: date) -> float:
    """The fastest of several answers."""

    def timed() -> float:
        begun = time.monotonic()
        ask(store, day)
        return time.monotonic() - begun

    return min(timed() for _ in range(ASKED_TIMES))


def settle(history: History) -> None:
    """Leave the ledger as it is once every period is computed: the running ones are due again tomorrow."""
    with history.store.transaction() as cursor:
        cursor.execute("truncate stale_periods")
        for period_type in PeriodType:
            mark_running_periods(cursor, [period_of(period_type, history.last_day)], history.last_day)


def tick(store: Database, day: date) -> None:
    """What the four nightly schedules query."""
    for period_type in PeriodType:
        list_due_periods(store, period_type, day)


def register(history: History, *, with_sessions: bool = True) -> None:
    """The inventory behind the days, and what a history leaves: short-lived databases, sessions, and gaps, open in the last days."""
    values = {
        "instances": history.instances,
        "databases": history.databases,
        "first": history.first_day,
        "last": history.last_day,
        "open_from": history.last_day - timedelta(days=MAX_GAP_DAYS),
    }
    with history.store.transaction(statement_seconds=600) as cursor:
        cursor.execute(_REGISTER, values)
        if with_sessions:
            cursor.execute(_SESSIONS, values)
    with history.store.session() as cursor:
        cursor.execute("vacuum (analyze)")


# Every hundredth database of a day is missing.
_REGISTER = """
create temporary table days on commit drop as
select day::date as day from generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 day') as day;

insert into credentials (name, username) values ('benchmark', 'monitor');
insert into instances (name, engine, host, port, credential_id, created_at)
select 'target-' || i, 'postgresql', '127.0.0.1', 1, credential_id, %(first)s from credentials, generate_series(1, %(instances)s) as i;
insert into instance_databases (instance_id, database_name, first_seen_date, last_seen_date)
select instance_id, 'database_' || d, %(first)s, %(last)s from instances, generate_series(1, %(databases)s) as d;
insert into database_activity (instance_id, database_name, active_from, database_id, first_measured_date)
select instance_id, 'database_' || d, %(first)s, d, %(first)s from instances, generate_series(1, %(databases)s) as d;
insert into database_activity (instance_id, database_name, active_from, active_until, database_id)
select instance_id, 'copy_of_' || day, day, day + 1, 1000000 + (day - %(first)s::date) from instances, days where day < %(open_from)s;

insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail, closed_by, was_measurable)
select instance_id, database_name, day, 'timeout', 'asleep', case when day < %(open_from)s then 'estimated' end, true
from instance_databases, days
where
    day > %(first)s and day < %(last)s
    and (instance_id * 7919 + ascii(right(database_name, 1)) * 31 + length(database_name) + (day - date '2000-01-01')) %% 100 = 0;
delete from database_size_stats as s using capacity_gaps as g
where
    g.closed_by is null and s.stat_date >= %(open_from)s
    and (g.instance_id, g.database_name, g.stat_date) = (s.instance_id, s.database_name, s.stat_date);
"""
_SESSIONS = """
set local session_replication_role = replica;  -- nothing has to be moved from state to state
insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day, started_at, completed_at, status, total_instances,
    successful_instances)
select gen_random_uuid(), 'capacity', 'scheduled_task', day, day, day, day, 'completed', %(instances)s, %(instances)s from days;
-- Those of a session stand together, as they do when sessions are opened one after the other.
insert into sync_instance_records (session_id, instance_id, status, started_at, completed_at, items_synced)
select session_id, instance_id, 'completed', started_at, started_at, %(databases)s from sync_sessions, instances
order by started_at, instance_id;
"""


def measure_tick(history: History, day: date) -> Figure:
    """The tick in seconds."""
    seconds = median(_seconds(tick, history.store, day) for _ in range(ROUNDS))
    assert not any(list_due_periods(history.store, period_type, day) for period_type in PeriodType)
    years = (history.last_day - history.first_day).days // 365
    detail = f"{history.instances * history.databases} databases x {years} years"
    return Figure("nightly reconcile, nothing changed", seconds, 1, "s", detail)


def measure_history(long: History, short: History, day: date) -> Sequence[Figure]:
    """The tick in seconds, with every period computed and nothing changed, and each question as a ratio."""
    for history in (long, short):
        register(history)
        settle(history)
    # It reads the ends of the index of every month, so it is not a ratio; commands use it, nothing polls it.
    edges = median(_seconds(lambda store, _: find_known_days(store), long.store, day) for _ in range(ROUNDS))
    figures = [measure_tick(long, day), Figure("find_known_days: five years", edges, 0.25, "s", "")]
    for name, ask in QUESTIONS.items():
        compared = alternate(partial(_seconds, ask, long.store, day), partial(_seconds, ask, short.store, day), ROUNDS)
        figures.append(Figure(f"{name}: five years / one year of history", compared.ratio, 1.25, "x", str(compared)))
    return figures
