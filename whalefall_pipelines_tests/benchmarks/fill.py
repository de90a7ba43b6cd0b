"""Loads years of sizes in minutes: months are filled without indexes, two at once, and attached with them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from whalefall_pipelines.domain.months import Month, months_of
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.months import ensure_months

DATABASES = 27
_WORKERS = 2
# Nothing is written ahead: a benchmark that crashes begins again.
_DETACH = """
alter table {table} detach partition {table}_{month:%Y_%m};
alter table {table}_{month:%Y_%m} drop constraint {table}_{month:%Y_%m}_pkey;
alter table {table}_{month:%Y_%m} set unlogged
"""
_FILL = """
insert into database_size_stats_{month:%Y_%m}
(instance_id, database_name, stat_date, total_bytes, collected_at, provenance, method)
select
    i, 'database_' || d, c.day::date, 1000000000 + i * 1000 + d + extract(epoch from c.day)::bigint / 1000, now(), 'measured',
    'pg_database_size'
from generate_series(1, %(instances)s) as i, generate_series(1, %(databases)s) as d,
    generate_series(%(first)s::timestamp, %(last)s::timestamp, interval '1 day') as c (day)
order by {order};
insert into instance_size_stats_{month:%Y_%m}
(instance_id, stat_date, total_bytes, database_count, expected_count, collected_at, provenance)
select instance_id, stat_date, sum(total_bytes), count(*), count(*), now(), 'measured'
from database_size_stats_{month:%Y_%m} group by 1, 2;
alter table database_size_stats_{month:%Y_%m} add primary key (instance_id, database_name, stat_date);
alter table instance_size_stats_{month:%Y_%m} add primary key (instance_id, stat_date)
"""
# In the order of the days, in which they are computed.
_FILL_PERIODS = """
drop index database_size_aggregations_{month:%Y_%m}_period_type_period_start_idx;
insert into database_size_aggregations_{month:%Y_%m} (instance_id, database_name, period_type, period_start, period_end, avg_bytes,
    max_bytes, min_bytes, opening_bytes, closing_bytes, data_count, expected_count, estimated_count, is_final)
select instance_id, database_name, 'daily', stat_date, stat_date, total_bytes, total_bytes, total_bytes, total_bytes, total_bytes, 1, 1, 0,
    true
from database_size_stats_{month:%Y_%m} order by stat_date, instance_id, database_name;
alter table database_size_aggregations_{month:%Y_%m} add primary key (instance_id, database_name, period_type, period_start);
create index on database_size_aggregations_{month:%Y_%m} (period_type, period_start)
"""
_ATTACH = "alter table {table} attach partition {table}_{month:%Y_%m} for values from (%(first)s) to (%(end)s)"
_SIZES = ("database_size_stats", "instance_size_stats")
_PERIODS = ("database_size_aggregations",)


def fill(store: Database, instances: int, first_day: date, last_day: date, databases: int = DATABASES, *, by_day: bool = False) -> None:
    """Every database of every instance measured on every day; nothing is stale.

    The rows of a month are in primary key order, or `by_day`, as collections write them.
    """
    days = [first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1)]

    def fill_month(month: Month) -> None:
        span = {"first": max(first_day, month.first_day), "last": min(last_day, month.last_day)}
        statements = _FILL.format(month=month.first_day, order="c.day, i, d" if by_day else "i, d, c.day")
        _execute(store, statements, {"instances": instances, "databases": databases, **span})

    ensure_months(store, days)
    _load(store, _SIZES, months_of(days), fill_month)


def fill_daily_periods(store: Database, first_day: date, last_day: date) -> None:
    """The daily periods of all databases, from the first to the last day of `fill`."""
    days = [first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1)]
    _load(store, _PERIODS, months_of(days), lambda month: _execute(store, _FILL_PERIODS.format(month=month.first_day)))


def _load(store: Database, tables: Sequence[str], months: Sequence[Month], fill_month: Callable[[Month], None]) -> None:
    """Fill these months beside their tables."""
    for month in months:
        for table in tables:
            _execute(store, _DETACH.format(table=table, month=month.first_day))
    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(fill_month, months))
    for month in months:
        for table in tables:
            bounds = {"first": month.first_day, "end": month.end_day}
            _execute(store, _ATTACH.format(table=table, month=month.first_day), bounds)
    with store.session() as cursor:
        cursor.execute(f"vacuum (analyze) {', '.join(tables)}")


def load_fast(store: Database) -> None:
    """Let the store be loaded without waiting for the disk."""
    with store.session() as cursor:
        for setting in ("fsync = off", "full_page_writes = off", "max_wal_size = '8GB'", "maintenance_work_mem = '256MB'"):
            cursor.execute(f"alter system set {setting}")
        cursor.execute("select pg_reload_conf()")


def _execute(store: Database, statements: str, parameters: dict[str, object] | None = None) -> None:
    with store.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(statements, parameters)
