"""The history of a size as a picture and a table, for the pages of a server and of a database."""

from collections.abc import Sequence

from whalefall_pipelines.capacity.answers import HistoryDay, changes
from whalefall_pipelines.capacity.coverage import CoverageState
from whalefall_pipelines.console.blocks import Picture, Table, change, day, size, text
from whalefall_pipelines.console.charts.series import Point, Series, series_chart
from whalefall_pipelines.console.pages.provenance import MARK_LEGEND, MARKS
from whalefall_pipelines.console.urls import missing_url

DAYS = 90


def history_picture(name: str, days: Sequence[HistoryDay], limit_bytes: int | None = None) -> Picture:
    """The series of at least one day; a partly missing day has no size that could be compared, so that it is shown as missing."""
    points = [_point(history) for history in days if history.state is not CoverageState.NOT_EXPECTED]
    rows = [
        (day(history.stat_date), size(history.total_bytes), change(grown), text(history.state), text(", ".join(history.reasons) or None))
        for history, grown in zip(days, changes(days), strict=True)
    ]
    table = Table("history", "Day by day", ("Day", "Size", "Change", "State", "Reasons"), rows[::-1])
    return Picture("Size by day", series_chart(Series(name, points, limit_bytes)), MARK_LEGEND, table, is_series=True)


def _point(history: HistoryDay) -> Point:
    reasons = ", ".join(history.reasons) or None
    total = history.total_bytes if history.is_complete else None
    return Point(history.stat_date, total, MARKS[history.state], reasons, missing_url(history.stat_date) if total is None else None)
