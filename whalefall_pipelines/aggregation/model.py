"""The domain model of aggregations: levels, differences, summaries, and the retention of daily periods."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from whalefall_pipelines.domain.months import Month
from whalefall_pipelines.domain.periods import Period, PeriodType


class Level(StrEnum):
    """The subject of an aggregation."""

    DATABASE = "database"
    INSTANCE = "instance"


AGGREGATION_TABLES = tuple(f"{level}_size_aggregations" for level in Level)


@dataclass(frozen=True, slots=True)
class Difference:
    """An aggregation that does not match its days. `stored` is None if it is missing, `database_name` at instance level."""

    level: Level
    period: Period
    instance_name: str
    database_name: str | None
    stored: Mapping[str, Any] | None
    computed: Mapping[str, Any]

    @property
    def columns(self) -> frozenset[str]:
        """The columns that differ; none if the aggregation is missing."""
        return frozenset() if self.stored is None else frozenset(self.computed) - IDENTIFYING


# These columns identify an aggregation.
IDENTIFYING = frozenset({"instance_id", "database_name", "period_type", "period_start", "period_end"})


@dataclass(frozen=True, slots=True)
class DifferenceCount:
    """The differences of one instance in all periods of one type, at both levels. `columns` are those that differ in any of them."""

    period_type: PeriodType
    instance_name: str
    first_start: date
    last_start: date
    not_computed: int
    wrong: int
    columns: tuple[str, ...]


def count_differences(differences: Iterable[Difference]) -> list[DifferenceCount]:
    """Sum up differences by period type and instance, in the order of the period types."""
    grouped: dict[tuple[PeriodType, str], list[Difference]] = {}
    for difference in differences:
        grouped.setdefault((difference.period.period_type, difference.instance_name), []).append(difference)
    types = list(PeriodType)
    return [
        DifferenceCount(
            period_type=period_type,
            instance_name=instance_name,
            first_start=min(difference.period.start for difference in group),
            last_start=max(difference.period.start for difference in group),
            not_computed=sum(difference.stored is None for difference in group),
            wrong=sum(difference.stored is not None for difference in group),
            columns=tuple(sorted(frozenset[str]().union(*(difference.columns for difference in group)))),
        )
        for (period_type, instance_name), group in sorted(grouped.items(), key=lambda item: (types.index(item[0][0]), item[0][1]))
    ]


@dataclass(frozen=True, slots=True)
class PeriodSummary:
    """One period of the fleet at instance level. Sizes are in bytes, None if unknown. Days are summed over the instances."""

    period_start: date
    instances: int
    databases: int
    avg_bytes: int | None
    closing_bytes: int | None
    change_bytes: int | None
    days_present: int
    days_expected: int
    days_estimated: int
    incomplete_instances: int
    is_final: bool


@dataclass(frozen=True, slots=True)
class RankedPeriod:
    """A database or an instance (`database_name` is None) among the fastest growing of its period."""

    level: Level
    period_start: date
    instance_name: str
    database_name: str | None
    avg_bytes: int | None
    change_bytes: int | None
    change_percent: Decimal | None
    data_count: int
    expected_count: int
    estimated_count: int


def how_to_compute(periods: Collection[Period]) -> list[str]:
    """The commands that compute these periods, one for each type."""
    starts = {period_type: [period.start for period in periods if period.period_type is period_type] for period_type in PeriodType}
    return [
        f"whalefall aggregate --period {period_type} --start {min(first_days)} --end {max(first_days)}"
        for period_type, first_days in starts.items()
        if first_days
    ]


def first_kept_daily(retention_months: int, today: date) -> date:
    """The first day whose daily aggregation is kept: the day before the oldest kept month, whose first day is compared with it."""
    return Month(today.year, today.month).plus(-retention_months).first_day - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class IncompletePeriod:
    """A final period with missing days of an instance. `unexplained_days` counts those without a gap that has a reason."""

    period_start: date
    instance_name: str
    missing_days: int
    unexplained_days: int
    reasons: tuple[str, ...]
