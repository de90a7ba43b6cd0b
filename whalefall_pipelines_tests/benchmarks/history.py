"""What the nightly tick and the report of a day cost with five years of history, against one year: history must not matter."""

import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from statistics import median

from whalefall_pipelines.aggregation.store import list_due_periods
from whalefall_pipelines.capacity.fill_gaps import find_bridgeable_days
from whalefall_pipelines.capacity.store import plausibility
from whalefall_pipelines.capacity.store import sizes as capacity
from whalefall_pipelines.capacity.store.gaps import list_coverage
from whalefall_pipelines.capacity.store.retries import list_unrepaired
from whalefall_pipelines.domain.periods import PeriodType, periods_between
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.days import compute_periods

ROUNDS = 9
# What a schedule or sensor, and the report of a run, ask of one day.
QUESTIONS: dict[str, Callable[[Database, date], object]] = {
    "rank_databases": lambda store, day: capacity.rank_databases(store, [day]),
    "rank_instances": lambda store, day: capacity.rank_instances(store, [day]),
    "list_jumps": lambda store, day: plausibility.list_jumps(store, [day], percent=30, gigabytes=20),
    "summarize_days": lambda store, day: capacity.summarize_days(store, [day]),
    "list_coverage, 30 days": lambda store, day: list_coverage(store, day - timedelta(days=29), day),
    "find_bridgeable_days": lambda store, day: find_bridgeable_days(store, day, 14),
    "list_unrepaired": list_unrepaired,
}


def _seconds(ask: Callable[[Database, date], object], store: Database, day: date) -> float:
    begun = time.monotonic()
    ask(store, day)
    return time.monotonic() - begun


def _tick(store: Database, day: date) -> None:
    for period_type in PeriodType:
        list_due_periods(store, period_type, day)


def _register(store: Database, instances: int, databases: int, first_day: date, last_day: date) -> None:
    with store.transaction() as cursor:
        cursor.execute("insert into credentials (name, username) values ('benchmark', 'monitor')")
        cursor.execute(
            "insert into instances (name, engine, host, port, credential_id) select 'target-' || i, 'postgresql', '127.0.0.1', 1, "
            "credential_id from credentials, generate_series(1, %s) as i",
            (instances,),
        )
        cursor.execute(
            "insert into instance_databases (instance_id, database_name, first_seen_date, last_seen_date, first_measured_date) "
            "select instance_id, 'database_' || d, %s, %s, %s from instances, generate_series(1, %s) as d",
            (first_day, last_day, first_day, databases),
        )


def measure_history(
    long: Database, short: Database, *, instances: int, databases: int, spans: dict[str, tuple[date, date]], day: date
) -> list[Figure]:
    """The tick in seconds, with every period computed and nothing changed, and each question as a ratio."""
    for store, (first_day, last_day) in zip((long, short), spans.values(), strict=True):
        _register(store, instances, databases, first_day, last_day)
        for period_type in PeriodType:
            compute_periods(store, periods_between(period_type, first_day, last_day), day)
        with store.transaction() as cursor:
            cursor.execute("analyze")
    fleet = f"{instances * databases} databases"
    tick = median(_seconds(_tick, long, day) for _ in range(ROUNDS))
    assert not any(list_due_periods(long, period_type, day) for period_type in PeriodType)
    figures = [Figure("nightly reconcile, nothing changed: five years", tick, 1, "s", fleet)]
    for name, ask in QUESTIONS.items():
        compared = alternate(partial(_seconds, ask, long, day), partial(_seconds, ask, short, day), ROUNDS)
        figures.append(Figure(f"{name}: five years / one year of history", compared.ratio, 1.25, "x", str(compared)))
    return figures
