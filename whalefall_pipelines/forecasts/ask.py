"""Answers from the store: runways, what became of earlier forecasts, and changes of the sizes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from whalefall_pipelines.domain.filters import FleetFilter
from whalefall_pipelines.forecasts.figures import (
    DayFigures,
    KnownChange,
    ListedForecast,
    RecentChanges,
    Runway,
    Runways,
    SeriesChange,
    SeriesForecast,
    SmallHeadroom,
    TrackRecord,
)
from whalefall_pipelines.forecasts.store import reports
from whalefall_pipelines.store.database import Database

SCORED_DAYS = 90


@dataclass(frozen=True, slots=True)
class ForecastDay:
    """What the reports of a day show."""

    figures: DayFigures
    runways: tuple[Runway, ...]
    record: TrackRecord
    changes: tuple[KnownChange, ...]


@dataclass(frozen=True, slots=True)
class ForecastFilter:
    """Which forecasts are asked for: of a day, or of the newest one that has any; of some servers, and of one database."""

    day: date | None = None
    fleet: FleetFilter = field(default_factory=FleetFilter)
    database_name: str | None = None


def runways(database: Database, most: int, *, with_all: bool = False) -> tuple[Runway, ...]:
    """The days until each database and server reaches its limit, the nearest first; `with_all` also what has no limit."""
    with database.transaction() as cursor:
        return reports.list_runway(cursor, most, with_all=with_all)


def nearest_runways(database: Database, *, most: int, with_all: bool) -> Runways:
    """The same, with the day of the newest forecast."""
    rows = runways(database, most, with_all=with_all)
    return Runways(max((row.made_on for row in rows), default=None), rows)


def list_forecasts(
    database: Database, wanted: ForecastFilter, after: Mapping[str, Any], limits: Mapping[str, int]
) -> tuple[ListedForecast, ...]:
    """The forecasts of a day by server, database and horizon. `after` has after_id, after_database and after_horizon."""
    own = {"day": wanted.day, "database_name": wanted.database_name}
    with database.transaction() as cursor:
        return reports.list_forecasts(cursor, {**own, **wanted.fleet.parameters, **after, **limits})


def track_record(database: Database, day: date, *, days: int = SCORED_DAYS, most: int = 10) -> TrackRecord:
    """What forecasts about these last days promised and what came, with the largest errors."""
    since = day - timedelta(days=days - 1)
    with database.transaction() as cursor:
        return TrackRecord(since, day, reports.score_forecasts(cursor, since, day), reports.list_outcomes(cursor, since, day, most))


def changes(database: Database, since: date, day: date, most: int) -> tuple[KnownChange, ...]:
    """The changes that became known in these days."""
    with database.transaction() as cursor:
        return reports.list_changes(cursor, since, day, most)


def recent_changes(database: Database, today: date, *, since: date | timedelta, most: int) -> RecentChanges:
    """The changes that became known since a day, or in so many days."""
    first_day = today - since if isinstance(since, timedelta) else since
    return RecentChanges(first_day, today, changes(database, first_day, today, most))


def series_outlook(
    database: Database, instance_id: int, database_name: str | None, since: date
) -> tuple[tuple[SeriesForecast, ...], tuple[SeriesChange, ...]]:
    """The newest forecasts of a database or, without a name, of its server; and the changes of its size since a day."""
    with database.transaction() as cursor:
        return (
            reports.list_series_forecasts(cursor, instance_id, database_name),
            reports.list_series_changes(cursor, instance_id, database_name, since),
        )


def report_day(database: Database, day: date, most: int) -> ForecastDay:
    """What the reports of a day show."""
    with database.transaction() as cursor:
        figures = reports.summarize_day(cursor, day)
    return ForecastDay(figures, runways(database, most, with_all=True), track_record(database, day), changes(database, day, day, most))


def small_headroom(database: Database, day: date) -> tuple[SmallHeadroom, ...]:
    """What one more jump like the largest of the year would fill."""
    with database.transaction() as cursor:
        return reports.list_small_headroom(cursor, day)


def reliability(database: Database, day: date) -> tuple[int, int]:
    """How many intervals of 80 % for 30 days were scored in the four weeks up to a day, and how many of them held."""
    with database.transaction() as cursor:
        return reports.measure_reliability(cursor, day)
