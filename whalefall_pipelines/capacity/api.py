"""The routes of sizes: days, gaps, coverage, and collecting one server at once."""

from datetime import date
from typing import Annotated

from fastapi import Query, Request
from pydantic import BaseModel, ConfigDict

from whalefall_pipelines.api_base.answers import Reply
from whalefall_pipelines.api_base.exports import FORMS, Export, export_answer
from whalefall_pipelines.api_base.filters import TEXT, DatabaseName, FleetOf, InstanceId, SinceOf, WindowOf
from whalefall_pipelines.api_base.paging import Page, PagingOf
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import Launched, Services, ServicesOf, launch
from whalefall_pipelines.capacity import ask, listing
from whalefall_pipelines.capacity.answers import Growth, HistoryDay, LargeDatabase, LargeGroup
from whalefall_pipelines.capacity.collect_now import Collected, collect_now
from whalefall_pipelines.capacity.explain import DayExplanation, explain_day
from whalefall_pipelines.capacity.export import SizeDataset, export
from whalefall_pipelines.capacity.listing import InstanceCoverage, OpenGap, SizeFilter, StoredSize
from whalefall_pipelines.capacity.plan_backfill import plan_backfill
from whalefall_pipelines.domain.filters import Days, FleetFilter
from whalefall_pipelines.domain.reasons import Reason

ROUTES = Routes("sizes")
MostRows = Annotated[int, Query(ge=1, le=100_000, description="The most rows.")]


class BackfillRequest(BaseModel):
    """The past days (inclusive) whose missing sizes will be recovered or estimated. Without `last_day` it is one day."""

    model_config = ConfigDict(extra="forbid")

    first_day: date
    last_day: date | None = None


@ROUTES.get("/databases/sizes")
def list_database_sizes(
    services: ServicesOf,
    fleet: FleetOf,
    days: WindowOf,
    paging: PagingOf,
    database_name: DatabaseName = None,
    latest_only: Annotated[bool, Query(description="Only the newest size of each database of the inventory.")] = False,
) -> Page[StoredSize]:
    """List the sizes of databases by day, newest first, with their provenance."""
    wanted = SizeFilter(days, fleet, database_name)
    if latest_only:
        after = paging.after_values("after_id", "after_name")
        return paging.page_of(listing.list_latest_sizes(services.reader, wanted, after, paging.parameters), "instance_id", "database_name")
    after = paging.after_values("after_day", "after_id", "after_name")
    rows = listing.list_sizes(services.reader, wanted, after, paging.parameters)
    return paging.page_of(rows, "stat_date", "instance_id", "database_name")


@ROUTES.get("/largest-databases", problems=(404,))
def list_largest_databases(services: ServicesOf, most: MostRows = 20) -> ask.Answer[LargeDatabase]:
    """List the largest databases of the newest day that has sizes; a missing one has the place of its last known size."""
    return ask.largest_databases(services.reader, services.today(), most=most)


@ROUTES.get("/largest-groups", problems=(404,))
def list_largest_groups(
    services: ServicesOf,
    tag: Annotated[str | None, Query(max_length=500, pattern=TEXT, description="The key of a tag; servers without it.")] = None,
    most: MostRows = 20,
) -> ask.Answer[LargeGroup]:
    """List the largest servers of the newest day that has sizes, or the largest values of a tag."""
    return ask.largest_groups(services.reader, services.today(), tag, most=most)


@ROUTES.get("/growth", problems=(404,))
def list_growth(services: ServicesOf, since: SinceOf, most: MostRows = 20) -> ask.Answer[Growth]:
    """List the fastest growing databases up to the newest day that has sizes."""
    return ask.fastest_growth(services.reader, services.today(), since, most=most)


@ROUTES.get("/history", problems=(404,))
def read_history(
    services: ServicesOf,
    name: Annotated[str, Query(min_length=1, max_length=1000, pattern=TEXT, description="INSTANCE or INSTANCE/DATABASE.")],
    since: SinceOf,
) -> ask.Answer[HistoryDay]:
    """Show the size of a server or a database on each day up to the newest one that has sizes."""
    return ask.history(services.reader, services.today(), name, since)


@ROUTES.get("/coverage")
def list_coverage(services: ServicesOf, fleet: FleetOf, days: WindowOf, paging: PagingOf) -> Page[InstanceCoverage]:
    """List how much is known about each server on each day, newest first."""
    after = paging.after_values("after_day", "after_id")
    rows = listing.list_coverage(services.reader, SizeFilter(days, fleet), after, paging.parameters)
    return paging.page_of(rows, "stat_date", "instance_id")


@ROUTES.get("/gaps")
def list_gaps(
    services: ServicesOf,
    fleet: FleetOf,
    days: WindowOf,
    paging: PagingOf,
    reason: Annotated[Reason | None, Query(description="Only gaps with this reason.")] = None,
) -> Page[OpenGap]:
    """List missing sizes, newest day first, with the reason and what to do."""
    after = paging.after_values("after_day", "after_id", "after_name")
    rows = listing.list_open_gaps(services.reader, SizeFilter(days, fleet, reason=reason), after, paging.parameters)
    return paging.page_of(rows, "stat_date", "instance_id", "cursor_name")


@ROUTES.get("/explain", problems=(404,))
def explain(
    services: ServicesOf,
    instance_id: Annotated[int, Query(ge=1, le=2**31 - 1, description="The server.")],
    database_name: Annotated[str, Query(min_length=1, max_length=512, pattern=TEXT, description="The database.")],
    day: Annotated[date, Query(description="The day, as YYYY-MM-DD.")],
) -> DayExplanation:
    """Explain why the size of a database on a day is what it is."""
    return explain_day(services.reader, instance_id, database_name, day)


def _export(request: Request, services: Services, dataset: SizeDataset, fleet: FleetFilter, days: Days) -> Export:
    return export_answer(request, dataset, lambda form: export(services.reader, dataset, fleet, days, "csv" if form == "csv" else "ndjson"))


@ROUTES.get("/export/database_sizes", problems=(406,), media_types=FORMS)
def export_database_sizes(request: Request, services: ServicesOf, fleet: FleetOf, days: WindowOf) -> Export:
    """Export the sizes of databases as CSV, NDJSON, JSON or Parquet, depending on the header Accept."""
    return _export(request, services, SizeDataset.DATABASE_SIZES, fleet, days)


@ROUTES.get("/export/instance_sizes", problems=(406,), media_types=FORMS)
def export_instance_sizes(request: Request, services: ServicesOf, fleet: FleetOf, days: WindowOf) -> Export:
    """Export the totals of servers, with the number of databases that are known."""
    return _export(request, services, SizeDataset.INSTANCE_SIZES, fleet, days)


@ROUTES.get("/export/coverage", problems=(406,), media_types=FORMS)
def export_coverage(request: Request, services: ServicesOf, fleet: FleetOf, days: WindowOf) -> Export:
    """Export how much is known about each server on each day."""
    return _export(request, services, SizeDataset.COVERAGE, fleet, days)


@ROUTES.get("/export/gaps", problems=(406,), media_types=FORMS)
def export_gaps(request: Request, services: ServicesOf, fleet: FleetOf, days: WindowOf) -> Export:
    """Export missing sizes and their reasons."""
    return _export(request, services, SizeDataset.GAPS, fleet, days)


@ROUTES.post("/instances/{instance_id}/actions/sync-capacity")
def sync_capacity(services: ServicesOf, instance_id: InstanceId) -> Reply[Collected]:
    """Collect today's sizes of one server immediately, without a session."""
    collected = collect_now(services.settings, services.writer, instance_id, services.fleet)
    return Reply(collected, collected.message)


@ROUTES.post("/capacity/backfills", status=202, problems=(502,))
def launch_backfill(services: ServicesOf, body: BackfillRequest) -> Reply[Launched]:
    """Recover or estimate missing sizes of past days in Dagster. Measured sizes do not change."""
    run = plan_backfill(
        body.first_day,
        body.last_day or body.first_day,
        today=services.today(),
        calendar_start=services.settings.start_date,
    )
    launched = launch(services, run)
    return Reply(launched, "launched", 202, {"Location": launched.session_url})
