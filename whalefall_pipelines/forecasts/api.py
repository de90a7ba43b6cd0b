"""The routes of forecasts: what fills up, the forecasts of a day, what became of earlier ones, and changes of the sizes."""

from datetime import date
from typing import Annotated

from fastapi import Query

from whalefall_pipelines.api_base.filters import DatabaseName, FleetOf, SinceOf
from whalefall_pipelines.api_base.paging import Page, PagingOf
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import ServicesOf
from whalefall_pipelines.forecasts import ask
from whalefall_pipelines.forecasts.figures import ListedForecast, RecentChanges, Runways, TrackRecord

ROUTES = Routes("forecasts")
MostRows = Annotated[int, Query(ge=1, le=100_000, description="The most rows.")]


@ROUTES.get("/runway")
def list_runways(
    services: ServicesOf,
    most: MostRows = 20,
    with_all: Annotated[bool, Query(description="Also databases and servers without a limit.")] = False,
) -> Runways:
    """List the days until each database and server reaches its limit, the nearest first, with the error of earlier forecasts."""
    return ask.nearest_runways(services.reader, most=most, with_all=with_all)


@ROUTES.get("/forecasts")
def list_forecasts(
    services: ServicesOf,
    fleet: FleetOf,
    paging: PagingOf,
    day: Annotated[date | None, Query(description="The day on which they were made; by default the newest one that has any.")] = None,
    database_name: DatabaseName = None,
) -> Page[ListedForecast]:
    """List the forecasts of a day for 7, 30 and 90 days, with their intervals, states, and the error of earlier ones."""
    wanted = ask.ForecastFilter(day, fleet, database_name)
    after = paging.after_values("after_id", "after_database", "after_horizon")
    rows = ask.list_forecasts(services.reader, wanted, after, paging.parameters)
    return paging.page_of(rows, "instance_id", "database_id", "horizon_days")


@ROUTES.get("/forecasts/score")
def score_forecasts(
    services: ServicesOf,
    days: Annotated[int, Query(ge=1, le=3660, description="Number of days to cover.")] = ask.SCORED_DAYS,
    most: MostRows = 10,
) -> TrackRecord:
    """Compare forecasts with what happened: how often intervals held, mean errors, and the largest errors."""
    return ask.track_record(services.reader, services.today(), days=days, most=most)


@ROUTES.get("/forecasts/changes")
def list_forecast_changes(services: ServicesOf, since: SinceOf, most: MostRows = 50) -> RecentChanges:
    """List steps, changes of slope, outliers, and databases that grow in steps, the newest first."""
    return ask.recent_changes(services.reader, services.today(), since=since, most=most)
