"""Lists of stored periods and their sums, for the API. `aggregate.py` computes periods."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from whalefall_pipelines.aggregation import store
from whalefall_pipelines.aggregation.model import Level
from whalefall_pipelines.capacity.explain import days_of_database
from whalefall_pipelines.domain.filters import Days, FleetFilter
from whalefall_pipelines.domain.periods import Period, PeriodType
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.errors import NotFoundError
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.streams import StreamForm, stream_rows


@dataclass(frozen=True, slots=True)
class DatabasePeriod:
    """One period of a database. Sizes are bytes, null if unknown. Of `expected_count` days, `data_count` have a size, some estimated."""

    instance_id: int
    instance_name: str
    engine: str
    database_name: str
    period_type: PeriodType
    period_start: date
    period_end: date
    avg_bytes: int | None
    max_bytes: int | None
    min_bytes: int | None
    opening_bytes: int | None
    closing_bytes: int | None
    data_count: int
    expected_count: int
    estimated_count: int
    change_bytes: int | None
    change_percent: Decimal | None
    is_final: bool
    calculated_at: datetime


@dataclass(frozen=True, slots=True)
class InstancePeriod:
    """One period of a server. Averages and changes are of complete days only, null where there is none."""

    instance_id: int
    instance_name: str
    engine: str
    period_type: PeriodType
    period_start: date
    period_end: date
    avg_bytes: int | None
    max_bytes: int | None
    min_bytes: int | None
    opening_bytes: int | None
    closing_bytes: int | None
    data_count: int
    expected_count: int
    estimated_count: int
    change_bytes: int | None
    change_percent: Decimal | None
    avg_database_count: Decimal | None
    max_database_count: int | None
    min_database_count: int | None
    trend_direction: str | None
    is_final: bool
    calculated_at: datetime


@dataclass(frozen=True, slots=True)
class SizeSummary:
    """The newest period of the days that were asked for, summed up. `without_size` of the counted have no size and are not in the sums.

    The days are summed over what is counted: of `expected_days`, `known_days` have a size, some of them estimated.
    """

    period_type: PeriodType
    period_start: date
    period_end: date
    total_databases: int | None
    total_instances: int
    total_bytes: int | None
    avg_bytes: int | None
    max_bytes: int | None
    change_bytes: int | None
    expected_days: int
    known_days: int
    estimated_days: int
    without_size: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class PeriodFilter:
    """Which periods are asked for. Instances have no `database_name`."""

    period_type: PeriodType
    fleet: FleetFilter = field(default_factory=FleetFilter)
    days: Days = field(default_factory=Days)
    database_name: str | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the statements."""
        own = {"period_type": self.period_type, "database_name": self.database_name}
        return {**own, **self.fleet.parameters, **self.days.parameters}


def list_database_periods(
    database: Database, wanted: PeriodFilter, after: Mapping[str, Any], limits: Mapping[str, int], today: date
) -> tuple[DatabasePeriod, ...]:
    """Periods of databases, newest first. `after` has after_start, after_id and after_name, `limits` skipped and most."""
    newest = min(today, wanted.days.last_day or today, date.fromisoformat(after["after_start"] or str(today)))
    rows: tuple[DatabasePeriod, ...] = ()
    for days in wanted.days.windows(newest):
        values = {**replace(wanted, days=days).parameters, **after, **limits}
        rows = store.list_periods(database, Level.DATABASE, DatabasePeriod, values)
        if len(rows) == limits["most"]:
            break
    return rows


def list_instance_periods(
    database: Database, wanted: PeriodFilter, after: Mapping[str, Any], limits: Mapping[str, int]
) -> tuple[InstancePeriod, ...]:
    """Periods of instances, newest first. `after` has after_start and after_id."""
    return store.list_periods(database, Level.INSTANCE, InstancePeriod, {**wanted.parameters, **after, **limits})


def count_periods(database: Database, level: Level, wanted: PeriodFilter) -> int:
    """How many periods the list has."""
    return store.count_periods(database, level, wanted.parameters)


def summarize_sizes(database: Database, level: Level, wanted: PeriodFilter) -> SizeSummary:
    """The newest period within the days, summed up.

    Raises:
        NotFoundError: there is no period of this type within them.
    """
    summaries = store.summarize_sizes(database, level, SizeSummary, wanted.parameters)
    if not summaries:
        days = wanted.days
        raise NotFoundError(f"There is no {wanted.period_type} period from {days.first_day} to {days.last_day} for these filters.")
    return summaries[0]


@dataclass(frozen=True, slots=True)
class ExplainedDay:
    """One day behind a period; without a size it is missing for these reasons."""

    stat_date: date
    state: str
    total_bytes: int | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PeriodExplanation:
    """Why the numbers of a period are what they are: the days behind it. Of `expected_days`, `known_days` have a size."""

    sentence: str
    instance_id: int
    instance_name: str
    database_name: str
    period_type: PeriodType
    period_start: date
    period_end: date
    avg_bytes: int | None
    change_bytes: int | None
    change_percent: Decimal | None
    is_final: bool
    calculated_at: datetime
    expected_days: int
    known_days: int
    estimated_days: int
    days: tuple[ExplainedDay, ...]


def explain_period(database: Database, instance_id: int, database_name: str, period: Period, today: date) -> PeriodExplanation:
    """Explain a period of a database by its days up to today.

    Raises:
        NotFoundError: it is not stored.
    """
    wanted = PeriodFilter(period.period_type, FleetFilter((instance_id,)), Days(period.start, period.end), database_name)
    none: dict[str, Any] = {"after_start": None, "after_id": None, "after_name": None}
    rows = list_database_periods(database, wanted, none, {"skipped": 0, "most": 1}, today)
    if not rows:
        raise NotFoundError(f"There is no {period.period_type} period of {database_name!r} that starts on {period.start}.")
    row = rows[0]
    days = tuple(
        ExplainedDay(day.stat_date, day.state, day.total_bytes, day.reasons)
        for day in days_of_database(database, instance_id, database_name, period.start, min(period.end, today))
    )
    expected = counted(row.expected_count, "day")
    known = "its days have expired" if not days else counted(row.data_count, f"of {expected} has a size", f"of {expected} have a size")
    sentence = f"The average of {row.instance_name}/{database_name} is the mean of its known days from {period.start} on: {known}."
    return PeriodExplanation(
        sentence,
        instance_id,
        row.instance_name,
        database_name,
        row.period_type,
        row.period_start,
        row.period_end,
        row.avg_bytes,
        row.change_bytes,
        row.change_percent,
        row.is_final,
        row.calculated_at,
        row.expected_count,
        row.data_count,
        row.estimated_count,
        days,
    )


def export_periods(database: Database, fleet: FleetFilter, days: Days, form: StreamForm) -> Iterator[bytes]:
    """All periods of databases that begin on these days, in pieces."""
    return stream_rows(database, "aggregation/export_aggregations", {**fleet.parameters, **days.parameters}, form)
