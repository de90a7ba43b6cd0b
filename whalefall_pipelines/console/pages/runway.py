"""What fills up: days until a limit by the forecasts, beside the error of what was forecast before."""

from collections.abc import Sequence

from whalefall_pipelines.console.blocks import Block, Note, Page, Picture, Table, Tone, Value, day, number, size, text
from whalefall_pipelines.console.charts import runway
from whalefall_pipelines.console.charts.runway import runway_chart
from whalefall_pipelines.console.urls import database_url, server_url
from whalefall_pipelines.domain.quantities import counted
from whalefall_pipelines.forecasts.ask import runways
from whalefall_pipelines.forecasts.figures import Runway
from whalefall_pipelines.forecasts.wording import WHY_NO_DATE
from whalefall_pipelines.store.database import Database

_LISTED, _DRAWN = 1000, 25
# No date is named beyond it.
_HORIZON_DAYS = 180
_LEGEND = (
    ('<g class="days-left"><circle cx="7" cy="7" r="5"/></g>', "expected (P50)"),
    (
        '<g class="days-left"><rect x="0" y="4" width="14" height="6"/></g>',
        "inside in 8 of 10 cases (P10 to P90); at the right edge: later",
    ),
    ('<g class="days-left soon"><circle cx="7" cy="7" r="5"/></g>', "within 30 days"),
    ('<g class="days-left urgent"><circle cx="7" cy="7" r="5"/></g>', "within 7 days"),
)


def runway_page(database: Database) -> Page:
    """What reaches its limit when, the nearest first; then what has no date, with the reason."""
    listed = runways(database, _LISTED + 1, with_all=True)
    rows = listed[:_LISTED]
    dated = [row for row in rows if row.p50_days is not None]
    undated = [row for row in rows if row.p50_days is None]
    if not rows:
        note = Note(Tone.WARNING, "No forecasts have been made yet.", "The schedule forecast_every_day makes them at 06:00.")
        return Page("Runway", "There are no forecasts.", [note])
    blocks: list[Block] = []
    if len(listed) > _LISTED:
        sentence = f"Only the {_LISTED:,} nearest limits are shown, and are in the CSV file."
        blocks.append(Note(Tone.WARNING, sentence, "This command has all.", "whalefall runway --all --limit 100000"))
    if dated:
        drawn = [_bar(row) for row in dated[:_DRAWN]]
        blocks += [Picture("Days left", runway_chart(drawn, _HORIZON_DAYS), _LEGEND), _dated(dated)]
    blocks.append(_undated(undated))
    return Page("Runway", _answer(dated), blocks)


def _answer(dated: Sequence[Runway]) -> str:
    if not dated:
        return "No limit is in sight."
    nearest = dated[0]
    return (
        f"{_name(nearest)} reaches its limit in about {counted(nearest.p50_days, 'day')}."
        if nearest.p50_days
        else f"{_name(nearest)} is at its limit."
    )


def _name(row: Runway) -> str:
    return f"{row.instance_name}/{row.database_name}" if row.database_name else row.instance_name


def _url(row: Runway) -> str:
    return database_url(row.instance_name, row.database_name) if row.database_name else server_url(row.instance_name)


def _bar(row: Runway) -> runway.Runway:
    middle = row.p50_days or 0
    return runway.Runway(_name(row), row.p10_days if row.p10_days is not None else middle, middle, row.p90_days, _url(row))


def _error(row: Runway) -> Value:
    """The mean error of its own forecasts for 30 days, in percent of the size."""
    return number(None if row.error_30 is None else round(100 * row.error_30, 1), " %")


def _dated(rows: Sequence[Runway]) -> Table:
    return Table(
        "runway",
        "Limits that are reached",
        ("Name", "Days left", "At the earliest", "At the latest", "Date", "Used", "Limit", "30-day error"),
        [
            (
                text(_name(row), _url(row)),
                number(row.p50_days),
                number(row.p10_days),
                number(row.p90_days),
                day(row.p50_date),
                size(row.used_bytes),
                size(row.limit_bytes),
                _error(row),
            )
            for row in rows
        ],
    )


def _undated(rows: Sequence[Runway]) -> Table:
    return Table(
        "undated",
        "Without a date",
        ("Name", "Why", "Used", "Limit", "Room", "In 30 days", "In 90 days", "30-day error"),
        [
            (
                text(_name(row), _url(row)),
                text(WHY_NO_DATE.get(row.state, row.state)),
                size(row.used_bytes),
                size(row.limit_bytes),
                size(row.headroom_bytes),
                size(row.point_30_bytes),
                size(row.point_90_bytes),
                _error(row),
            )
            for row in rows
        ],
        "Every database and server has a date.",
    )
