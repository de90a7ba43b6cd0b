"""Computes periods from their days for the whole fleet, and compares stored periods with their days.

Nothing here determines the current period: the caller passes the periods and the current day.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from itertools import chain
from uuid import UUID

from whalefall_pipelines.aggregation import store as aggregation
from whalefall_pipelines.aggregation.known_days import find_known_days
from whalefall_pipelines.aggregation.model import Difference, Level
from whalefall_pipelines.domain.periods import Period, PeriodType, periods_between
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines.store.months import analyze_months, writing_months
from whalefall_pipelines.store.outage import retry_while_unavailable


def aggregate_sizes(
    database: Database,
    periods: Sequence[Period],
    today: date,
    session_id: UUID,
    levels: Collection[Level] = tuple(Level),
    *,
    check: Callable[[], None] = lambda: None,
) -> int:
    """Compute consecutive periods of one type in one transaction, close the session's records, and return the number of rows written.

    `check` is called between statements and stops the work by raising.

    Raises:
        InputError: a period has not begun.
    """
    _refuse_future(periods, today)

    def write() -> int:
        written: dict[int, int] = {}
        with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
            aggregation.lock_period_type(cursor, periods[0].period_type)
            if set(levels) == set(Level):  # else the other level stays stale
                aggregation.forget_stale_periods(cursor, periods)
                aggregation.mark_running_periods(cursor, periods, today)
            for period in periods:
                for level in levels:
                    check()
                    for instance_id, rows in aggregation.write_period(cursor, level, period, today).items():
                        written[instance_id] = written.get(instance_id, 0) + rows
            aggregation.close_records(cursor, session_id, periods, written)
        return sum(written.values())

    starts = [period.start for period in periods]
    tables = [f"{level}_size_aggregations" for level in levels]
    written = retry_while_unavailable(lambda: writing_months(database, starts, tables, write))
    if len(periods) > 1:
        retry_while_unavailable(lambda: analyze_months(database, starts, tables))
    return written


def verify(database: Database, first_day: date, last_day: date, today: date, *, daily_from: date = date.min) -> Iterator[Difference]:
    """Compute every period that overlaps these days, and yield the differences from the stored ones. Nothing is written.

    Daily periods before `daily_from` are not kept, even if their days are, so they do not count as missing.
    """
    for period_type in PeriodType:
        for period in _kept(period_type, first_day, min(last_day, today), daily_from):
            with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
                differences = [aggregation.compare_period(cursor, level, period, today) for level in Level]
            yield from chain.from_iterable(differences)


def find_stale_periods(
    database: Database, period_type: PeriodType, today: date, days: tuple[date, date] | None = None, *, daily_from: date = date.min
) -> list[Period]:
    """The periods of a type that recomputing would change. They are recomputed to find out, unlike in `list_due_periods`.

    All periods from the first to the last of these days are compared, or all known ones if no days are given. Daily periods before
    `daily_from` are not kept.
    """
    days = days or find_known_days(database)
    stale: list[Period] = []
    for period in _kept(period_type, days[0], min(days[1], today), daily_from) if days else ():
        with database.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
            if any(aggregation.is_stale(cursor, level, period, today) for level in Level):
                stale.append(period)
    return stale


def _kept(period_type: PeriodType, first_day: date, last_day: date, daily_from: date) -> Sequence[Period]:
    first_day = max(first_day, daily_from) if period_type is PeriodType.DAILY else first_day
    return periods_between(period_type, first_day, last_day) if first_day <= last_day else ()


def _refuse_future(periods: Sequence[Period], today: date) -> None:
    if periods[-1].start > today:
        raise InputError(f"The {periods[-1].period_type} period of {periods[-1].start} has not begun: today is {today}.")
