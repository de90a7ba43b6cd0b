"""What upkeep costs: a month made and a month expired, against deleting the same rows; and planning over many months against few."""

import os
import time
from datetime import date
from pathlib import Path

from whalefall_pipelines import settings
from whalefall_pipelines.domain.table_partitions import Month, months_between
from whalefall_pipelines.services.maintain_table_partitions import expire_table_partitions
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.table_partitions import ensure_month
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.benchmarks.servers import embedded_store

INSTANCES, DATABASES = 1000, 27
TABLE, TODAY = "database_size_stats", date(2026, 11, 22)
# A month of a large fleet: 31 days of 27,000 databases, 837,000 rows.
MONTH = Month(2025, 10)
ROUNDS, PLANS = 5, 300
FEW, MANY = 12, 240


def _fill(store: Database, data: Path) -> None:
    """A full month beside one that stays, on the disk and not in memory, like a month that was written a year ago."""
    ensure_month(store, TABLE, MONTH)
    ensure_month(store, TABLE, Month(2026, 11))
    name = MONTH.table_partition(TABLE)
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
        for (path,) in cursor.fetchall():
            with (data / path).open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _expire(store: Database, data: Path) -> float:
    _fill(store, data)
    given = settings.load({"WHALEFALL_HOME": "/nonexistent"})
    begun = time.monotonic()
    (outcome,) = expire_table_partitions(store, given, TODAY)
    seconds = time.monotonic() - begun
    assert outcome.error is None
    return seconds


def _create(store: Database) -> float:
    with store.session() as cursor:
        cursor.execute(f"drop table if exists {MONTH.table_partition(TABLE)}")
    begun = time.monotonic()
    assert ensure_month(store, TABLE, MONTH)
    return time.monotonic() - begun


def _delete(store: Database, data: Path) -> float:
    """DELETE and VACUUM, which is what gives the space back for the next rows; the month itself stays and is emptied."""
    _fill(store, data)
    begun = time.monotonic()
    with store.transaction() as cursor:
        cursor.execute(f"delete from {TABLE} where stat_date >= %s and stat_date < %s", (MONTH.first_day, MONTH.end_day))
    with store.session() as cursor:
        cursor.execute(f"vacuum {MONTH.table_partition(TABLE)}")
    return time.monotonic() - begun


def _copy_of_the_table(store: Database, name: str, months: int) -> None:
    """The same table with so many months."""
    with store.session() as cursor:
        cursor.execute(f"create table {name} (like {TABLE} including all) partition by range (stat_date)")
        for month in months_between(Month(2026, 11).plus(1 - months), Month(2026, 11)):
            part = month.table_partition(name)
            cursor.execute(f"create table {part} partition of {name} for values from ('{month.first_day}') to ('{month.end_day}')")


def _planning(store: Database) -> Figure:
    """In one session, after its first plan: what people and dashboards wait for again and again."""
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
        expired = alternate(lambda: _expire(store, data), lambda: _delete(store, data), ROUNDS)
        created = alternate(lambda: _create(store), lambda: _delete(store, data), 1)
        return [
            Figure("expire a month of 837,000 rows / DELETE + VACUUM", expired.ratio, 0.1, "x", str(expired)),
            Figure("create a month / DELETE + VACUUM of 837,000 rows", created.ratio, 0.1, "x", str(created)),
            _planning(store),
        ]
