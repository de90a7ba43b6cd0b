"""The cost of periods: the monthly statement against the bare SELECT and against an ORM loop, and the influence of history."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import BigInteger, Date, Integer, String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from whalefall_pipelines.aggregation import store as aggregation
from whalefall_pipelines.aggregation.model import Level
from whalefall_pipelines.domain.periods import Period, PeriodType, period_of
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.benchmarks.fill import DATABASES, fill, load_fast
from whalefall_pipelines_tests.benchmarks.history import History, measure_history, measure_tick, settle
from whalefall_pipelines_tests.benchmarks.servers import embedded_store
from whalefall_pipelines_tests.days import compute_periods

INSTANCES = 1000
LOOPED_INSTANCES = 25  # for the loop; the rest would take minutes and show nothing new
HISTORY_INSTANCES = 100
MONTH = Period(PeriodType.MONTHLY, date(2026, 10, 1))
TODAY = date(2026, 11, 22)


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def recompute(store: Database, *months: Period) -> None:
    """The monthly statement at database level, for the whole fleet."""
    with store.transaction() as cursor:
        aggregation.lock_period_type(cursor, PeriodType.MONTHLY)
        for month in months or [MONTH]:
            aggregation.write_period(cursor, Level.DATABASE, month, TODAY)


def plain_select(store: Database) -> None:
    """The aggregates of the same month, computed and discarded, without parallel workers, which PostgreSQL never gives to an INSERT."""
    with store.transaction() as cursor:
        cursor.execute("set local max_parallel_workers_per_gather = 0")
        cursor.execute("set local work_mem = '64MB'")
        cursor.execute(
            "select count(t) from (select instance_id, database_name, avg(total_bytes), max(total_bytes), min(total_bytes), "
            "min(array[stat_date - date '2000-01-01', total_bytes]), max(array[stat_date - date '2000-01-01', total_bytes]), "
            "count(*), count(*) filter (where provenance = 'estimated') from database_size_stats where stat_date between %s and %s "
            "group by instance_id, database_name) as t",
            (MONTH.start, MONTH.end),
        )
        cursor.fetchall()


class Base(DeclarativeBase):
    """Mapped tables."""


class Day(Base):
    """`database_size_stats`."""

    __tablename__ = "database_size_stats"
    instance_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    database_name: Mapped[str] = mapped_column(String, primary_key=True)
    stat_date: Mapped[date] = mapped_column(Date, primary_key=True)
    total_bytes: Mapped[int] = mapped_column(BigInteger)


class Looped(Base):
    """`database_size_aggregations`, in part."""

    __tablename__ = "looped_aggregations"
    instance_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    database_name: Mapped[str] = mapped_column(String, primary_key=True)
    period_start: Mapped[date] = mapped_column(Date, primary_key=True)
    avg_bytes: Mapped[int] = mapped_column(BigInteger)
    max_bytes: Mapped[int] = mapped_column(BigInteger)
    min_bytes: Mapped[int] = mapped_column(BigInteger)
    data_count: Mapped[int] = mapped_column(Integer)


def loop(store: Database) -> None:
    """Instance by instance and database by database through the ORM, as one would write it without set-based SQL."""
    engine = create_engine(store.url)
    for instance_id in range(1, LOOPED_INSTANCES + 1):
        with Session(engine) as session:
            for number in range(1, DATABASES + 1):
                name = f"database_{number}"
                wanted = select(Day).where(
                    Day.instance_id == instance_id, Day.database_name == name, Day.stat_date.between(MONTH.start, MONTH.end)
                )
                sizes = [day.total_bytes for day in session.scalars(wanted)]
                session.merge(
                    Looped(
                        instance_id=instance_id,
                        database_name=name,
                        period_start=MONTH.start,
                        avg_bytes=sum(sizes) // len(sizes),
                        max_bytes=max(sizes),
                        min_bytes=min(sizes),
                        data_count=len(sizes),
                    )
                )
            session.commit()
    engine.dispose()


def refresh(store: Database, day: date) -> float:
    """Everything that follows one collected day: four periods at two levels, each in a session. Seconds."""
    with store.transaction() as cursor:
        cursor.execute("update database_size_stats set total_bytes = total_bytes + 4096 where stat_date = %s", (day,))
        cursor.execute("update instance_size_stats set total_bytes = total_bytes + 27 * 4096 where stat_date = %s", (day,))
    begun = time.monotonic()
    for period_type in PeriodType:
        compute_periods(store, [period_of(period_type, day)], TODAY)
    return time.monotonic() - begun


def _history(store: Database, years: int, instances: int = HISTORY_INSTANCES) -> History:
    first_day = TODAY - timedelta(days=years * 365)
    fill(store, instances, first_day, TODAY)
    return History(store, instances, DATABASES, first_day, TODAY)


def measure(folder: Path) -> list[Figure]:
    """The monthly statement, the loop, and the weight of history."""
    with ExitStack() as stack:
        store = stack.enter_context(embedded_store(folder / "month"))
        fill(store, INSTANCES, MONTH.previous.start, MONTH.end)
        recompute(store, MONTH.previous, MONTH)
        again = alternate(lambda: timed(lambda: recompute(store)), lambda: timed(lambda: plain_select(store)), 9)
        with store.transaction() as cursor:
            cursor.execute(
                "create table looped_aggregations as select instance_id, database_name, period_start, avg_bytes, max_bytes, min_bytes, "
                "data_count from database_size_aggregations with no data"
            )
            cursor.execute("alter table looped_aggregations add primary key (instance_id, database_name, period_start)")
        looped = timed(lambda: loop(store)) * INSTANCES / LOOPED_INSTANCES
        whole = timed(lambda: recompute(store))
    with ExitStack() as stack:
        years = {"long": 5, "short": 1}
        long, short = (_history(stack.enter_context(embedded_store(folder / name)), number) for name, number in years.items())
        history = alternate(lambda: refresh(long.store, TODAY), lambda: refresh(short.store, TODAY), 21)
        asked = measure_history(long, short, TODAY)
    return [
        Figure(f"month of {INSTANCES} x {DATABASES}: statement / plain SELECT", again.ratio, 1.5, "x", str(again)),
        Figure("the same: statement / loop over the ORM", whole / looped, 1 / 25, "x", f"{whole:.2f} s against {looped:.0f} s"),
        Figure("one day's refresh: five years / one year of history", history.ratio, 1.05, "x", str(history)),
        *asked,
    ]


def measure_full_tick(folder: Path) -> list[Figure]:
    """The nightly tick of a large fleet: five years of 27,000 databases. Loading its 49 million rows takes minutes and 12 GB."""
    with embedded_store(folder / "full") as store:
        load_fast(store)
        history = _history(store, 5, INSTANCES)
        settle(history)
        return [measure_tick(history, TODAY)]
