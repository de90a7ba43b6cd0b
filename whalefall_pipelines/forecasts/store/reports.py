"""Reads forecasts, scores and changes for people."""

from collections.abc import Mapping
from datetime import date

from whalefall_pipelines import queries
from whalefall_pipelines.forecasts.figures import (
    DayFigures,
    KnownChange,
    ListedForecast,
    Outcome,
    Reliability,
    Runway,
    SeriesChange,
    SeriesForecast,
    SmallHeadroom,
)
from whalefall_pipelines.store.database import Cursor
from whalefall_pipelines.store.rows import fetch_as


def list_runway(cursor: Cursor, most: int, *, with_all: bool) -> tuple[Runway, ...]:
    """The days until limits, the nearest first; `with_all` also what has no limit."""
    cursor.execute(queries.load("forecasts/find_newest_day"))
    (newest_day,) = cursor.fetchone() or (None,)
    # As a constant, so that only the months around it are planned.
    cursor.execute(queries.load("forecasts/list_runway"), {"newest_day": newest_day, "most": most, "with_all": with_all})
    return fetch_as(cursor, Runway)


def list_forecasts(cursor: Cursor, values: Mapping[str, object]) -> tuple[ListedForecast, ...]:
    """The forecasts of a day."""
    cursor.execute(queries.load("forecasts/list_forecasts"), values)
    return fetch_as(cursor, ListedForecast)


def score_forecasts(cursor: Cursor, since: date, day: date) -> tuple[Reliability, ...]:
    """What forecasts promised and what came, for the days from `since` on."""
    cursor.execute(queries.load("forecasts/score_forecasts"), {"since": since, "day": day})
    return fetch_as(cursor, Reliability)


def list_outcomes(cursor: Cursor, since: date, day: date, most: int) -> tuple[Outcome, ...]:
    """The newest scored forecast of each series for 30 and 90 days, the largest errors first."""
    cursor.execute(queries.load("forecasts/list_outcomes"), {"since": since, "day": day, "most": most})
    return fetch_as(cursor, Outcome)


def list_changes(cursor: Cursor, since: date, day: date, most: int) -> tuple[KnownChange, ...]:
    """The changes that became known in these days, newest first."""
    cursor.execute(queries.load("forecasts/list_changes"), {"since": since, "day": day, "most": most})
    return fetch_as(cursor, KnownChange)


def list_series_forecasts(cursor: Cursor, instance_id: int, database_name: str | None) -> tuple[SeriesForecast, ...]:
    """The newest forecast of a database, or of its server, by horizon."""
    cursor.execute(queries.load("forecasts/list_series_forecasts"), {"instance_id": instance_id, "database_name": database_name})
    return fetch_as(cursor, SeriesForecast)


def list_series_changes(cursor: Cursor, instance_id: int, database_name: str | None, since: date) -> tuple[SeriesChange, ...]:
    """The changes of a database, or of its server, since a day, newest first."""
    values = {"instance_id": instance_id, "database_name": database_name, "since": since}
    cursor.execute(queries.load("forecasts/list_series_changes"), values)
    return fetch_as(cursor, SeriesChange)


def list_small_headroom(cursor: Cursor, day: date) -> tuple[SmallHeadroom, ...]:
    """What one more jump like the largest of the year would fill."""
    cursor.execute(queries.load("forecasts/list_small_headroom"), {"day": day})
    return fetch_as(cursor, SmallHeadroom)


def summarize_day(cursor: Cursor, day: date) -> DayFigures:
    """What was forecast and scored on a day."""
    cursor.execute(queries.load("forecasts/summarize_day"), {"day": day})
    (figures,) = fetch_as(cursor, DayFigures)
    return figures


def measure_reliability(cursor: Cursor, day: date) -> tuple[int, int]:
    """How many intervals of 80 % for 30 days were scored in four weeks, and how many of them held."""
    cursor.execute(queries.load("forecasts/measure_reliability"), {"day": day})
    (scored, held) = cursor.fetchone() or (0, 0)
    return scored, held
