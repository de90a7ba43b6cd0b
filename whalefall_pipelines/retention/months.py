"""What the API tells of table partitions: the months with their state, what is missing, their sums, and a plan with its digest."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from whalefall_pipelines.aggregation.settings import KeptMonthsSettings
from whalefall_pipelines.domain.months import Month, TablePartition
from whalefall_pipelines.domain.periods import Period, PeriodType, period_of
from whalefall_pipelines.errors import ConflictError, InputError
from whalefall_pipelines.retention.list_table_partitions import list_table_partitions
from whalefall_pipelines.retention.maintain_table_partitions import (
    Maintenance,
    create_table_partitions,
    expire_table_partitions,
    plan,
    plan_additions,
    refuse_too_many,
)
from whalefall_pipelines.retention.maintenance import Step, StepKind, added_by, expired_by
from whalefall_pipelines.retention.store.table_partitions import count_core_metrics
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class MonthView:
    """One table partition. `status` is current, past or future by its month; `rows` is PostgreSQL's estimate, null if unknown."""

    name: str
    table_name: str
    schema_name: str
    month: str | None
    place: str
    status: str
    first_day: date | None
    end_day: date | None
    total_bytes: int
    rows: int | None


@dataclass(frozen=True, slots=True)
class MissingMonth:
    """A table partition that should exist and does not."""

    table_name: str
    name: str
    month: str
    why: str


@dataclass(frozen=True, slots=True)
class MonthsSummary:
    """All table partitions: how many, how large, and whether any is missing. `status` is healthy or warning."""

    status: str
    total_partitions: int
    total_size_bytes: int
    total_records: int | None
    tables: tuple[str, ...]
    missing_partitions: tuple[MissingMonth, ...]
    partitions: tuple[MonthView, ...]


@dataclass(frozen=True, slots=True)
class CoreMetrics:
    """How many rows the tables got in a period: days are averaged, aggregations are counted."""

    period_start: date
    period_end: date
    instance_count: int
    database_count: int
    instance_aggregations: int
    database_aggregations: int


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One step of a plan, or of what was done: `error` is null unless it failed."""

    step: str
    table_name: str
    name: str
    month: str | None
    drops: bool
    total_bytes: int | None
    why: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Cleanup:
    """A plan with its digest, or with `is_done` what was done. Acting needs the digest of the plan that was read."""

    is_done: bool
    digest: str
    retention_months: int
    steps: tuple[PlannedStep, ...]


def summarize_months(database: Database, settings: Settings, day: date) -> MonthsSummary:
    """Every table partition, and what is missing."""
    partitions = list_months(database, day)
    missing = tuple(
        MissingMonth(step.table_name, step.name, str(step.month), step.why)
        for step in plan_additions(database, settings, day)
        if step.kind is StepKind.CREATE
    )
    rows = [partition.rows for partition in partitions]
    return MonthsSummary(
        "warning" if missing else "healthy",
        len(partitions),
        sum(partition.total_bytes for partition in partitions),
        None if None in rows else sum(count for count in rows if count is not None),
        tuple(sorted({partition.table_name for partition in partitions})),
        missing,
        partitions,
    )


def list_months(database: Database, day: date) -> tuple[MonthView, ...]:
    """Every table partition, by table and month."""
    return tuple(_view(partition, rows, day) for partition, rows in list_table_partitions(database, is_exact=False))


def read_core_metrics(database: Database, period_type: PeriodType, count: int, day: date) -> tuple[CoreMetrics, ...]:
    """The row counts of the last periods, the running one included."""
    periods: list[Period] = [period_of(period_type, day)]
    while len(periods) < count:
        periods.append(periods[-1].previous)
    return count_core_metrics(database, CoreMetrics, period_type, [(period.start, period.end) for period in reversed(periods)])


def create_month(database: Database, settings: Settings, day: date, wanted: date) -> Maintenance:
    """Create the month of a day in every table.

    Raises:
        InputError: the month is over.
    """
    month = Month(wanted.year, wanted.month)
    if month < Month(day.year, day.month):
        raise InputError(f"{month} is over. Only the current month and later months can be created.")
    return create_table_partitions(database, settings, day, [month])


def plan_cleanup(database: Database, settings: Settings, day: date, retention_months: int | None) -> Cleanup:
    """What a cleanup would drop today, with the digest that acting needs."""
    chosen = _with_retention(settings, retention_months)
    steps = expired_by(plan(database, chosen, day))
    return Cleanup(
        is_done=False, digest=digest_of(steps), retention_months=chosen.of(KeptMonthsSettings).retention_months, steps=_planned(steps)
    )


def clean_up(database: Database, settings: Settings, day: date, retention_months: int | None, digest: str) -> Cleanup:
    """Carry out the plan with this digest.

    Raises:
        ConflictError: the plan is another one by now; nothing was dropped.
        InputError: more would be dropped than is allowed at once.
    """
    chosen = _with_retention(settings, retention_months)
    planned = plan(database, chosen, day)
    steps = expired_by(planned)
    if digest_of(steps) != digest:
        raise ConflictError("The plan has changed since it was read, so nothing was dropped. Read it again.")
    refuse_too_many(steps, chosen, beyond_limit=False)
    outcomes = expire_table_partitions(database, chosen, day, confirmed=planned).outcomes
    errors = {outcome.step.name: str(outcome.error) for outcome in outcomes if outcome.error}
    done = tuple(replace(step, error=errors.get(step.name)) for step in _planned(outcome.step for outcome in outcomes))
    return Cleanup(is_done=True, digest=digest, retention_months=chosen.of(KeptMonthsSettings).retention_months, steps=done)


def created_by(maintenance: Maintenance) -> tuple[PlannedStep, ...]:
    """What a creation did."""
    errors = {outcome.step.name: str(outcome.error) for outcome in maintenance.outcomes if outcome.error}
    made = added_by(outcome.step for outcome in maintenance.outcomes)
    return tuple(replace(step, error=errors.get(step.name)) for step in _planned(made))


def digest_of(steps: Sequence[Step]) -> str:
    """A text that is equal for plans that do the same to the same tables."""
    return hashlib.sha256(repr(sorted(repr(step.target) for step in steps)).encode()).hexdigest()


def _with_retention(settings: Settings, months: int | None) -> Settings:
    """The settings with another retention of sizes.

    Raises:
        InputError: it is longer than that of aggregations allows.
    """
    if months is None:
        return settings
    kept = settings.of(KeptMonthsSettings)
    if months > kept.aggregation_retention_months - 3:
        raise InputError(f"retention_months must be at most {kept.aggregation_retention_months - 3}.")
    return settings.with_group(kept.model_copy(update={"retention_months": months}))


def _planned(steps: Iterable[Step]) -> tuple[PlannedStep, ...]:
    return tuple(
        PlannedStep(
            step.kind,
            step.table_name,
            step.name,
            str(step.month) if step.month else None,
            step.drops,
            step.table_partition.total_bytes if step.table_partition else None,
            step.why,
        )
        for step in steps
    )


def _view(partition: TablePartition, rows: int | None, day: date) -> MonthView:
    current, month = Month(day.year, day.month), partition.month
    status = "unknown" if month is None else "current" if month == current else "past" if month < current else "future"
    return MonthView(
        partition.name,
        partition.table_name,
        partition.schema_name,
        str(month) if month else None,
        partition.place,
        status,
        partition.first_day,
        partition.end_day,
        partition.total_bytes,
        rows,
    )
