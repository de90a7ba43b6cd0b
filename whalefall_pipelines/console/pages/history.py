"""The history of a size as a picture and a table, for the pages of a server and of a database; with its forecast and its steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from whalefall_pipelines.capacity.answers import HistoryDay, changes
from whalefall_pipelines.capacity.coverage import CoverageState
from whalefall_pipelines.console.blocks import Picture, Table, change, day, size, text
from whalefall_pipelines.console.charts.series import Expected, Point, Series, series_chart
from whalefall_pipelines.console.pages.provenance import MARK_LEGEND, MARKS
from whalefall_pipelines.console.urls import missing_url
from whalefall_pipelines.domain.quantities import round_size
from whalefall_pipelines.forecasts.figures import SeriesChange, SeriesForecast

DAYS = 90
_FORECAST_KEY = (
    '<path class="interval" d="M1 12L13 2L13 9L1 12Z"/><path class="expected" d="M1 12L13 6"/>',
    "forecast: inside in 8 of 10 cases, the middle dotted",
)
_STEP_KEY = ('<path class="step" d="M7 1L7 13"/>', "step")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is forecast of a series, and what changed in it. `explain` is where a click on a day leads."""

    forecasts: Sequence[SeriesForecast] = ()
    changes: Sequence[SeriesChange] = ()
    explain: Callable[[date], str] | None = field(default=None)


def history_picture(name: str, days: Sequence[HistoryDay], limit_bytes: int | None, outlook: Outlook, *, beside_bytes: int = 0) -> Picture:
    """The series of at least one day; a partly missing day has no size that could be compared, so that it is shown as missing."""
    points = [_point(history, outlook.explain) for history in days if history.state is not CoverageState.NOT_EXPECTED]
    rows = [
        (
            day(history.stat_date, outlook.explain(history.stat_date) if outlook.explain else None),
            size(history.total_bytes),
            change(grown),
            text(history.state),
            text(", ".join(history.reasons) or None),
        )
        for history, grown in zip(days, changes(days), strict=True)
    ]
    table = Table("history", "Day by day", ("Day", "Size", "Change", "State", "Reasons"), rows[::-1])
    fan = _fan(outlook.forecasts)
    steps = [
        (step.to_date, f"{'+' if step.change_bytes > 0 else ''}{round_size(step.change_bytes)}")
        for step in outlook.changes
        if step.kind == "step" and days[0].stat_date <= step.to_date <= days[-1].stat_date
    ]
    keys = [*MARK_LEGEND, *([_FORECAST_KEY] if fan else []), *([_STEP_KEY] if steps else [])]
    return Picture("Size by day", series_chart(Series(name, points, limit_bytes, beside_bytes, fan, steps)), keys, table, is_series=True)


def changes_table(changes: Sequence[SeriesChange]) -> Table:
    """What changed in a series besides its usual growth."""
    rows = [
        (
            day(series_change.to_date),
            text(series_change.kind),
            change(series_change.change_bytes),
            text("a day" if series_change.kind == "slope" else "at once"),
            day(series_change.known_on),
        )
        for series_change in changes
    ]
    return Table(
        "changes", "Steps and changes of slope", ("Day", "Kind", "Change", "Per", "Known on"), rows, "Nothing but its usual growth."
    )


def forecast_table(forecasts: Sequence[SeriesForecast]) -> Table:
    """What is expected, and how well the forecasts did so far."""
    rows = [
        (
            day(forecast.made_on + timedelta(days=forecast.horizon_days)),
            size(forecast.lower_80_bytes),
            size(forecast.point_bytes),
            size(forecast.upper_80_bytes),
            text(forecast.model),
            text(forecast.state.replace("_", " ")),
            text(None if forecast.error is None else f"{100 * forecast.error:.1f} % over {forecast.matured}"),
        )
        for forecast in forecasts
    ]
    columns = ("Day", "P10", "P50", "P90", "Model", "State", "Error so far")
    return Table("forecast", "Forecast", columns, rows, "No forecast was made yet; the schedule makes them at 06:00.")


def _fan(forecasts: Sequence[SeriesForecast]) -> list[Expected]:
    """The bounds from the newest size on; without bounds nothing is drawn, because a line alone would promise too much."""
    known = [forecast for forecast in forecasts if forecast.lower_80_bytes is not None and forecast.upper_80_bytes is not None]
    if not known:
        return []
    made_on, base = known[0].made_on, known[0].base_bytes
    bounds = [
        Expected(
            forecast.made_on + timedelta(days=forecast.horizon_days),
            forecast.lower_80_bytes or 0,
            forecast.point_bytes,
            forecast.upper_80_bytes or 0,
        )
        for forecast in known
    ]
    return [Expected(made_on, base, base, base), *bounds]


def _point(history: HistoryDay, explain: Callable[[date], str] | None) -> Point:
    reasons = ", ".join(history.reasons) or None
    total = history.total_bytes if history.is_complete else None
    url = explain(history.stat_date) if explain else missing_url(history.stat_date) if total is None else None
    return Point(history.stat_date, total, MARKS[history.state], reasons, url)
