"""The cost of maintenance: creating and expiring a month against deleting the same rows; and planning over many months."""

import os
import time
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median

from whalefall_pipelines.aggregation.settings import KeptMonthsSettings
from whalefall_pipelines.domain.months import Month, months_between
from whalefall_pipelines.domain.periods import PeriodType, periods_between
from whalefall_pipelines.retention.hold_months import find_held_months
from whalefall_pipelines.retention.maintain_table_partitions import expire_table_partitions
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_month
from whalefall_pipelines_tests.benchmarks.aggregation import timed
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.benchmarks.fill import fill
from whalefall_pipelines_tests.benchmarks.servers import embedded_store
from whalefall_pipelines_tests.days import compute_periods
from whalefall_pipelines_tests.factories import changed

INSTANCES, DATABASES = 1000, 27
TABLE, TODAY = "database_size_stats", date(2026, 11, 22)
# A month of a large fleet: 31 days of 27,000 databases, 837,000 rows.
MONTH = Month(2025, 10)
ROUNDS, PLANS = 7, 300
FEW, MANY = 12, 240


def _fill(store: Database, data: Path, *, is_cached: bool) -> None:
    """A full new month beside one that stays: in the page cache, or only on disk, like a month written a year ago."""
    name = MONTH.table_partition(TABLE)
    with store.session() as cursor:
        cursor.execute(f"drop table if exists {name}")  # deleted rows leave larger indexes than those of a new month
    ensure_month(store, TABLE, MONTH)
    ensure_month(store, TABLE, Month(2026, 11))
    with store.transaction() as cursor:
        cursor.execute(f"insert into {TABLE} select * from source")
    with store.session() as cursor:
        cursor.execute(f"vacuum (analyze) {name}")
        cursor.execute("checkpoint")
        cursor.execute(
            "select pg_relation_filepath(%s::regclass) union all "
            "select pg_relation_filepath(indexrelid) from pg_index where indrelid = %s::regclass",
            (name, name),
        )
        for (path,) in cursor.fetchall() if not is_cached else ():
            with (data / path).open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _expire(store: Database, data: Path, *, is_cached: bool) -> float:
    """The whole service, for a month whose periods have expired: checking them is a separate figure."""
    _fill(store, data, is_cached=is_cached)
    configured = changed(load_settings({"WHALEFALL_HOME": "/nonexistent"}), KeptMonthsSettings, aggregation_retention_months=12)
    begun = time.monotonic()
    (outcome,) = expire_table_partitions(store, configured, TODAY).outcomes
    seconds = time.monotonic() - begun
    assert outcome.error is None
    return seconds


def _create(store: Database) -> float:
    with store.session() as cursor:
        cursor.execute(f"drop table if exists {MONTH.table_partition(TABLE)}")
    begun = time.monotonic()
    assert ensure_month(store, TABLE, MONTH)
    return time.monotonic() - begun


def _delete(store: Database, data: Path, *, is_cached: bool) -> float:
    """DELETE and VACUUM, which frees the space for the next rows; the month itself stays, empty."""
    _fill(store, data, is_cached=is_cached)
    begun = time.monotonic()
    with store.transaction() as cursor:
        cursor.execute(f"delete from {TABLE} where stat_date >= %s and stat_date < %s", (MONTH.first_day, MONTH.end_day))
    with store.session() as cursor:
        cursor.execute(f"vacuum {MONTH.table_partition(TABLE)}")
    return time.monotonic() - begun


def _copy_of_the_table(store: Database, name: str, months: int) -> None:
    """The same table with this many months."""
    with store.session() as cursor:
        cursor.execute(f"create table {name} (like {TABLE} including all) partition by range (stat_date)")
        for month in months_between(Month(2026, 11).plus(1 - months), Month(2026, 11)):
            part = month.table_partition(name)
            cursor.execute(f"create table {part} partition of {name} for values from ('{month.first_day}') to ('{month.end_day}')")


def _planning(store: Database) -> Figure:
    """In one session, after its first plan: what people and dashboards wait for repeatedly."""
    _copy_of_the_table(store, "few", FEW)
    _copy_of_the_table(store, "many", MANY)
    with store.session() as cursor:

        def plan(name: str) -> float:
            cursor.execute(f"explain (summary, format json) select total_bytes from {name} where stat_date = '{TODAY}' and instance_id = 1")
            (document,) = cursor.fetchone() or ([{}],)
            return float(document[0]["Planning Time"]) / 1000

        compared = alternate(lambda: plan("many"), lambda: plan("few"), PLANS)
    detail = f"{sum(compared.ours) / PLANS * 1000:.3f} ms against {sum(compared.floor) / PLANS * 1000:.3f} ms, {PLANS} rounds"
    return Figure(f"plan a one-day query: {MANY} / {FEW} months", compared.ratio, 1.2, "x", detail)


def _asking(store: Database) -> Figure:
    """Whether all aggregations of the month match their daily data: checked only for a month that is about to be dropped."""
    fill(store, INSTANCES, MONTH.first_day, MONTH.last_day)
    with store.transaction() as cursor:
        cursor.execute("insert into credentials (name, username) values ('monitor', 'monitor') returning credential_id")
        cursor.execute(
            "insert into instances (name, engine, host, port, credential_id) "
            "select 'instance ' || i, 'postgresql', '127.0.0.1', 1, credential_id from credentials, generate_series(1, %s) as i",
            (INSTANCES,),
        )

    def compute() -> None:
        for period_type in PeriodType:
            compute_periods(store, periods_between(period_type, MONTH.first_day, MONTH.last_day), TODAY)

    def ask() -> None:
        assert find_held_months(store, [MONTH], 60, TODAY) == {}

    computed = timed(compute)
    asked = median(timed(ask) for _ in range(3))
    return Figure(
        "ask whether a month has its periods / compute them", asked / computed, 1.5, "x", f"{asked:.1f} s against {computed:.1f} s"
    )


def measure(folder: Path) -> list[Figure]:
    """The ratios."""
    with embedded_store(folder / "home") as store:
        with store.transaction() as cursor:
            cursor.execute("select current_setting('data_directory')")
            data = Path(str((cursor.fetchone() or ("",))[0]))
        with store.transaction() as cursor:
            cursor.execute(f"create table source (like {TABLE})")
            cursor.execute(
                "insert into source select i, 'application_' || d, day::date, 8000000 + i, 8000000 + i, null, now(), 'measured', "
                "'pg_database_size', null from generate_series(%s::timestamp, %s::timestamp, '1 day') as day, "
                "generate_series(1, %s) as i, generate_series(1, %s) as d",
                (MONTH.first_day, date(2025, 10, 31), INSTANCES, DATABASES),
            )
        figures: list[Figure] = []
        for where, is_cached in (("on disk", False), ("in the page cache", True)):
            expired = alternate(
                partial(_expire, store, data, is_cached=is_cached), partial(_delete, store, data, is_cached=is_cached), ROUNDS
            )
            figures.append(Figure(f"expire a month {where} / DELETE + VACUUM", expired.ratio, 0.1, "x", str(expired)))
        created = alternate(partial(_create, store), partial(_delete, store, data, is_cached=False), 1)
        figures.append(Figure("create a month / DELETE + VACUUM of 837,000 rows", created.ratio, 0.1, "x", str(created)))
        return [*figures, _planning(store), _asking(store)]
