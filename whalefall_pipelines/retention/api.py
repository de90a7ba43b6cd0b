"""The routes of table partitions: what exists, what is missing, creating a month, and cleaning up by a plan that was read."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.api_base.filters import TEXT
from whalefall_pipelines.api_base.paging import Page, PagingOf
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import ServicesOf
from whalefall_pipelines.domain.periods import PeriodType
from whalefall_pipelines.retention import months
from whalefall_pipelines.retention.months import Cleanup, CoreMetrics, MonthsSummary, MonthView, PlannedStep

ROUTES = Routes("table partitions")


class MonthStatus(StrEnum):
    """Where a month is from today; unknown if its bounds are no month."""

    PAST = "past"
    CURRENT = "current"
    FUTURE = "future"
    UNKNOWN = "unknown"


class MonthSort(StrEnum):
    """What a list is sorted by."""

    NAME = "name"
    TABLE = "table_name"
    SIZE = "total_bytes"
    RECORDS = "rows"
    STATUS = "status"
    DATE = "first_day"


class MonthRequest(BaseModel):
    """A day of the month to create."""

    model_config = ConfigDict(extra="forbid")

    date: date


class CleanupRequest(BaseModel):
    """Without `plan`, the plan is returned and nothing is done. With the digest of that plan, it is carried out."""

    model_config = ConfigDict(extra="forbid")

    retention_months: int | None = Field(default=None, ge=3, le=1200)
    dry_run: bool = True
    plan: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")


@ROUTES.get("/partitions/info")
def read_partition_info(services: ServicesOf) -> MonthsSummary:
    """Show all table partitions, their totals, and what is missing."""
    return months.summarize_months(services.reader, services.settings, services.today())


@ROUTES.get("/partitions/status")
def read_partition_status(services: ServicesOf) -> MonthsSummary:
    """Report whether every required month exists: healthy, or warning with what is missing."""
    return months.summarize_months(services.reader, services.settings, services.today())


@ROUTES.get("/partitions/statistics")
def read_partition_statistics(services: ServicesOf) -> MonthsSummary:
    """Show the number of table partitions and their disk usage."""
    return months.summarize_months(services.reader, services.settings, services.today())


@ROUTES.get("/partitions/core-metrics", "/partitions/aggregations/core-metrics")
def read_core_metrics(
    services: ServicesOf,
    period_type: Annotated[PeriodType, Query(description="Days, weeks from Monday, months or quarters.")] = PeriodType.DAILY,
    days: Annotated[int, Query(ge=1, le=60, description="The number of periods, including the running one.")] = 7,
) -> tuple[CoreMetrics, ...]:
    """Count the rows that were added to the big tables in the last periods."""
    return months.read_core_metrics(services.reader, period_type, days, services.today())


@ROUTES.get("/partitions")
def list_partitions(
    services: ServicesOf,
    paging: PagingOf,
    search: Annotated[str | None, Query(max_length=100, pattern=TEXT, description="Part of the name.")] = None,
    table_type: Annotated[str | None, Query(max_length=63, pattern=TEXT, description="Only partitions of this table.")] = None,
    status: Annotated[MonthStatus | None, Query(description="Only months with this status.")] = None,
    sort: Annotated[MonthSort, Query(description="What to sort by; rows that are equal are sorted by name.")] = MonthSort.NAME,
    order: Annotated[str, Query(pattern="^(asc|desc)$", description="asc or desc.")] = "asc",
) -> Page[MonthView]:
    """List table partitions. This list has pages and no cursor, because its length depends only on the number of months."""
    chosen = [
        month
        for month in months.list_months(services.reader, services.today())
        if (search is None or search.lower() in month.name.lower())
        and table_type in {None, month.table_name}
        and status in {None, month.status}
    ]
    chosen.sort(key=lambda month: month.name)
    chosen.sort(key=lambda month: _known_first(getattr(month, sort)), reverse=order == "desc")
    page = chosen[paging.offset :][: paging.limit]
    return paging.page_of(page, "name", total=len(chosen))


@ROUTES.post("/partitions", Scope.ADMIN)
def create_partitions(services: ServicesOf, body: MonthRequest) -> tuple[PlannedStep, ...]:
    """Create the current or a later month in every table. Existing months do not change."""
    return months.created_by(months.create_month(services.writer, services.settings, services.today(), body.date))


@ROUTES.post("/partitions/actions/cleanup", Scope.ADMIN, problems=(412,))
def clean_up_partitions(services: ServicesOf, body: CleanupRequest) -> Cleanup:
    """Plan the removal of what is older than the retention, or carry out a plan that was returned before."""
    if body.plan is None or body.dry_run:
        return months.plan_cleanup(services.writer, services.settings, services.today(), body.retention_months)
    return months.clean_up(services.writer, services.settings, services.today(), body.retention_months, body.plan)


def _known_first(value: object) -> tuple[bool, object]:
    return value is None, value if value is not None else ""
