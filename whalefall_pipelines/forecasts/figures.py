"""The rows of the reports about forecasts. They need no numpy, because commands that only read must not wait for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Runway:
    """A row of `capacity_runway`; `database_name` is None for a server. Days count from `made_on`.

    `limit_kind` is `capacity`, `volumes` or `growth`; None without a limit.
    """

    instance_name: str
    database_name: str | None
    made_on: date
    state: str
    model: str | None
    used_bytes: int
    limit_bytes: int | None
    limit_kind: str | None
    headroom_bytes: int | None
    p50_days: int | None
    p10_days: int | None
    p90_days: int | None
    p50_date: date | None
    p10_date: date | None
    p90_date: date | None
    point_30_bytes: int
    point_90_bytes: int
    matured_30: int
    error_30: float | None
    skill: float | None


@dataclass(frozen=True, slots=True)
class Runways:
    """Runways, the nearest first. `made_on` is the day of the newest of their forecasts, None without any."""

    made_on: date | None
    rows: tuple[Runway, ...]


@dataclass(frozen=True, slots=True)
class ListedForecast:
    """A forecast of a database or, with `database_id` 0 and no name, of its server, as it was made on its day.

    The bounds are those of 8 and of 9 of 10 cases, None until enough forecasts have matured. `matured` counts those of this horizon;
    `error` is their mean error as a share of the size, and `skill` that error as a share of the last value's.
    """

    instance_id: int
    instance_name: str
    database_id: int
    database_name: str | None
    made_on: date
    horizon_days: int
    target_date: date
    origin: str
    model: str
    state: str
    base_bytes: int
    point_bytes: int
    lower_80_bytes: int | None
    upper_80_bytes: int | None
    lower_90_bytes: int | None
    upper_90_bytes: int | None
    matured: int
    error: float | None
    skill: float | None


@dataclass(frozen=True, slots=True)
class Reliability:
    """What forecasts of one horizon promised and what came: shares are of `scored` forecasts. Errors are shares of the size.

    `behaviour` is how the series behave; `all` and `moving` (all but flat) are totals.
    """

    horizon_days: int
    behaviour: str
    scored: int
    issued: int
    covered_80: float | None
    covered_90: float | None
    mean_error: float
    median_error: float
    last_value_error: float
    skill: float | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was forecast for a day, beside what it was."""

    instance_name: str
    database_name: str | None
    horizon_days: int
    made_on: date
    target_date: date
    base_bytes: int
    point_bytes: int
    lower_80_bytes: int | None
    upper_80_bytes: int | None
    actual_bytes: int
    error_bytes: int


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """What forecasts promised and what came, over the days from `since` to `day`."""

    since: date
    day: date
    reliability: tuple[Reliability, ...]
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class KnownChange:
    """A row of `capacity_changes` with the names of its series."""

    instance_name: str
    database_name: str | None
    kind: str
    from_date: date
    to_date: date
    known_on: date
    change_bytes: int


@dataclass(frozen=True, slots=True)
class RecentChanges:
    """The changes that became known from `since` to `day`, the newest first."""

    since: date
    day: date
    rows: tuple[KnownChange, ...]


@dataclass(frozen=True, slots=True)
class SeriesForecast:
    """The newest forecast of a series for one horizon. The bounds are those of 8 of 10 cases, None until enough forecasts matured."""

    made_on: date
    horizon_days: int
    state: str
    model: str
    base_bytes: int
    point_bytes: int
    lower_80_bytes: int | None
    upper_80_bytes: int | None
    matured: int
    error: float | None


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """A change of one series: a step, slope, outlier, or what recurs. Of a slope the bytes are per day."""

    kind: str
    from_date: date
    to_date: date
    known_on: date
    change_bytes: int


@dataclass(frozen=True, slots=True)
class SmallHeadroom:
    """A database or server with less headroom than its largest jump of the last year."""

    instance_name: str
    database_name: str | None
    headroom_bytes: int
    jump_bytes: int
    jumped_on: date


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What was made on a day: series by state of their forecast, and what was scored on it.

    `moving` scores are of intervals that have a width, of which so many `held`.
    """

    databases: int
    servers: int
    states: Mapping[str, int]
    scored: int
    moving: int
    held: int
