"""The routes of aggregations: periods of databases and instances, their sums, and computing the running period."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from pydantic import BaseModel

from whalefall_pipelines.aggregation import listing
from whalefall_pipelines.aggregation.listing import DatabasePeriod, InstancePeriod, PeriodExplanation, PeriodFilter, SizeSummary
from whalefall_pipelines.aggregation.model import Level
from whalefall_pipelines.api_base.answers import Reply
from whalefall_pipelines.api_base.exports import FORMS, Export, export_answer
from whalefall_pipelines.api_base.filters import TEXT, DatabaseName, DaysOf, FleetOf, WindowOf
from whalefall_pipelines.api_base.paging import Page, PagingOf
from whalefall_pipelines.api_base.problems import Refusal
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import Launched, ServicesOf, launch
from whalefall_pipelines.domain.periods import Period, PeriodType, floor, period_of
from whalefall_pipelines.domain.runs import aggregation

ROUTES = Routes("capacity")
PeriodOf = Annotated[PeriodType, Query(description="Days, weeks from Monday, months or quarters.")]


class AggregationScope(StrEnum):
    """What is asked to be computed."""

    ALL = "all"
    INSTANCE = "instance"
    DATABASE = "database"


class AggregationRequest(BaseModel):
    """The type of the running period to compute. Databases and servers are both computed, because they are compared with each other."""

    period_type: PeriodType = PeriodType.DAILY
    scope: AggregationScope = AggregationScope.ALL


@dataclass(frozen=True, slots=True)
class AggregationLaunched:
    """The launched run, and what it computes."""

    session_id: UUID
    run_id: str
    status: str
    sync_category: str
    first_day: date
    last_day: date
    session_url: str
    period_type: PeriodType
    period_start: date
    period_end: date
    requested_scope: AggregationScope
    effective_scope: AggregationScope


@ROUTES.get("/capacity/databases")
def list_database_aggregations(
    services: ServicesOf,
    fleet: FleetOf,
    days: DaysOf,
    paging: PagingOf,
    period_type: PeriodOf = PeriodType.DAILY,
    database_name: DatabaseName = None,
) -> Page[DatabasePeriod]:
    """List the periods of databases, newest first."""
    wanted = PeriodFilter(period_type, fleet, days, database_name)
    after = paging.after_values("after_start", "after_id", "after_name")
    rows = listing.list_database_periods(services.reader, wanted, after, paging.parameters, services.today())
    total = listing.count_periods(services.reader, Level.DATABASE, wanted) if paging.wants_total else None
    return paging.page_of(rows, "period_start", "instance_id", "database_name", total=total)


@ROUTES.get("/capacity/databases/summary", problems=(404,))
def summarize_database_aggregations(
    services: ServicesOf,
    fleet: FleetOf,
    days: WindowOf,
    period_type: PeriodOf = PeriodType.DAILY,
    database_name: DatabaseName = None,
) -> SizeSummary:
    """Sum the newest period of each database within these days (30 by default)."""
    return listing.summarize_sizes(services.reader, Level.DATABASE, PeriodFilter(period_type, fleet, days, database_name))


@ROUTES.get("/capacity/instances")
def list_instance_aggregations(
    services: ServicesOf, fleet: FleetOf, days: DaysOf, paging: PagingOf, period_type: PeriodOf = PeriodType.DAILY
) -> Page[InstancePeriod]:
    """List the periods of servers, newest first."""
    wanted = PeriodFilter(period_type, fleet, days)
    after = paging.after_values("after_start", "after_id")
    rows = listing.list_instance_periods(services.reader, wanted, after, paging.parameters)
    total = listing.count_periods(services.reader, Level.INSTANCE, wanted) if paging.wants_total else None
    return paging.page_of(rows, "period_start", "instance_id", total=total)


@ROUTES.get("/capacity/instances/summary", problems=(404,))
def summarize_instance_aggregations(
    services: ServicesOf, fleet: FleetOf, days: WindowOf, period_type: PeriodOf = PeriodType.DAILY
) -> SizeSummary:
    """Sum the newest period of each server within these days (30 by default)."""
    return listing.summarize_sizes(services.reader, Level.INSTANCE, PeriodFilter(period_type, fleet, days))


@ROUTES.post("/capacity/aggregations/current", status=202, problems=(502,))
def aggregate_current_period(services: ServicesOf, body: AggregationRequest) -> Reply[AggregationLaunched]:
    """Compute the running period in Dagster. The session in the answer shows its progress."""
    period = period_of(body.period_type, services.today())
    launched: Launched = launch(services, aggregation(period, period))
    answer = AggregationLaunched(
        launched.session_id,
        launched.run_id,
        launched.status,
        launched.sync_category,
        period.start,
        period.end,
        launched.session_url,
        body.period_type,
        period.start,
        period.end,
        body.scope,
        AggregationScope.ALL,
    )
    return Reply(answer, "launched", 202, {"Location": launched.session_url})


@ROUTES.get("/explain/period", problems=(404,))
def explain_period(
    services: ServicesOf,
    instance_id: Annotated[int, Query(ge=1, le=2**31 - 1, description="The server.")],
    database_name: Annotated[str, Query(min_length=1, max_length=512, pattern=TEXT, description="The database.")],
    period_type: PeriodOf,
    period_start: Annotated[date, Query(description="The first day of the period, as YYYY-MM-DD.")],
) -> PeriodExplanation:
    """Explain the numbers of a period of a database by its days, with their coverage."""
    if not date(1970, 1, 1) <= period_start <= date(9000, 1, 1) or floor(period_type, period_start) != period_start:
        raise Refusal(400, "VALIDATION_ERROR", f"No {period_type} period starts on {period_start}.")
    return listing.explain_period(services.reader, instance_id, database_name, Period(period_type, period_start), services.today())


@ROUTES.get("/export/aggregations", problems=(406,), media_types=FORMS)
def export_aggregations(request: Request, services: ServicesOf, fleet: FleetOf, days: WindowOf) -> Export:
    """Export the periods of databases that begin on these days, of all types."""
    return export_answer(
        request,
        "aggregations",
        lambda form: listing.export_periods(services.reader, fleet, days, "csv" if form == "csv" else "ndjson"),
    )
