"""A size over time with the origin of each number: measured, recovered, estimated or missing; a limit, steps and a forecast."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from xml.etree.ElementTree import Element

from whalefall_pipelines.console.charts.axes import Axes, draw_axes, draw_limit
from whalefall_pipelines.console.charts.svg import Pixels, Size, add, label, linked, path, picture, render, tooltip
from whalefall_pipelines.domain.quantities import counted, round_size

_SIZE = Size(1160, 300)
# More points than this are closer together than the marks are wide.
_MARKED_POINTS = 200
_POINTS = 1000


class Mark(StrEnum):
    """How a number came to be; its shape is the second channel beside its colour."""

    MEASURED = "measured"
    RECOVERED = "recovered"
    ESTIMATED = "estimated"
    MISSING = "missing"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Point:
    """A day of a series. `total_bytes` is None if it is missing. `reason` says why, or more about its mark; `url` explains it."""

    day: date
    total_bytes: int | None
    mark: Mark
    reason: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """The forecast of a day, in bytes: the median, and the bounds of the interval."""

    day: date
    low_bytes: int
    middle_bytes: int
    high_bytes: int


@dataclass(frozen=True, slots=True)
class Series:
    """What one picture shows: at least one point; points are sorted by day. `steps` are named days.

    The limit is for the points and for what is `beside` them.
    """

    name: str
    points: Sequence[Point]
    limit_bytes: int | None = None
    beside_bytes: int = 0
    forecast: Sequence[Expected] = ()
    steps: Sequence[tuple[date, str]] = ()


def series_chart(series: Series) -> str:
    """The picture of a series. A missing day is a gap in the line and a cross on the axis, never a zero.

    Raises:
        ValueError: the series has no point.
    """
    if not series.points:
        message = "A picture needs at least one day."
        raise ValueError(message)
    points = _thinned(series.points)
    root = picture("series", _summary(series), _SIZE, has_links=any(point.url for point in points))
    first, last = series.points[0].day, max([series.points[-1].day, *(day.day for day in series.forecast)])
    axes = draw_axes(root, _SIZE, (first, last), _range(series))
    _draw_forecast(root, axes, series)
    if series.limit_bytes is not None:
        draw_limit(root, axes, series.limit_bytes, series.beside_bytes)
    for day, name in series.steps:
        add(root, "line", "step", x1=axes.x(day), x2=axes.x(day), y1=axes.ceiling, y2=axes.floor)
        label(root, (axes.x(day) + 4, axes.ceiling + 10), name, class_name="step-label")
    _draw_lines(root, axes, points)
    _draw_marks(root, axes, points)
    return render(root)


def _summary(series: Series) -> str:
    known = [point for point in series.points if point.total_bytes is not None]
    missing = len(series.points) - len(known)
    if not known:
        return f"{series.name}: no size is known from {series.points[0].day} to {series.points[-1].day}."
    first, last = known[0], known[-1]
    sizes = f"{round_size(first.total_bytes or 0)} on {first.day} to {round_size(last.total_bytes or 0)} on {last.day}"
    return f"{series.name}: from {sizes}; {counted(missing, 'missing day')}."


def _range(series: Series) -> tuple[float, float]:
    sizes = [point.total_bytes for point in series.points if point.total_bytes is not None]
    sizes += [size for day in series.forecast for size in (day.low_bytes, day.high_bytes)]
    if series.limit_bytes is not None:
        sizes.append(max(series.limit_bytes - series.beside_bytes, 0))
    return (min(sizes), max(sizes)) if sizes else (0, 1)


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    """At most about `_POINTS` points: of each bucket of days the first missing one, the smallest and the largest stay."""
    if len(points) <= _POINTS:
        return points
    width = -(-3 * len(points) // _POINTS)
    return [point for start in range(0, len(points), width) for point in _extremes(points[start : start + width])]


def _extremes(bucket: Sequence[Point]) -> list[Point]:
    known = [point for point in bucket if point.total_bytes is not None]
    kept = [next((point for point in bucket if point.total_bytes is None), None)]
    if known:
        kept += [min(known, key=lambda point: point.total_bytes or 0), max(known, key=lambda point: point.total_bytes or 0)]
    return sorted({point.day: point for point in kept if point is not None}.values(), key=lambda point: point.day)


def _runs(points: Sequence[Point]) -> Iterator[list[Point]]:
    """The known points between two missing ones."""
    run: list[Point] = []
    for point in points:
        if point.total_bytes is not None:
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _draw_lines(root: Element, axes: Axes, points: Sequence[Point]) -> None:
    for run in _runs(points):
        for is_estimated, line in _strokes(axes, run):
            add(root, "path", "line estimated" if is_estimated else "line", d=path(line))


def _strokes(axes: Axes, run: Sequence[Point]) -> Iterator[tuple[bool, list[Pixels]]]:
    """The longest lines of a run that are drawn alike: dashed where an end is an estimate. A single day is a line to itself, a dot."""
    if len(run) == 1:
        yield run[0].mark is Mark.ESTIMATED, [axes.at(run[0].day, run[0].total_bytes or 0)] * 2
    stroke: list[Pixels] = []
    was_estimated = False
    for left, right in pairwise(run):
        is_estimated = Mark.ESTIMATED in {left.mark, right.mark}
        start, end = axes.at(left.day, left.total_bytes or 0), axes.at(right.day, right.total_bytes or 0)
        if stroke and is_estimated != was_estimated:
            yield was_estimated, stroke
            stroke = []
        if not stroke:
            stroke = [start]
        stroke.append(end)
        was_estimated = is_estimated
    if stroke:
        yield was_estimated, stroke


def _draw_marks(root: Element, axes: Axes, points: Sequence[Point]) -> None:
    for point in points:
        # A long series shows marks only where a number is not an ordinary measurement.
        if point.mark is Mark.MEASURED and len(points) > _MARKED_POINTS:
            continue
        group = add(linked(root, point.url), "g", f"mark {point.mark}")
        tooltip(group, _told(point))
        # A missing day has no size: its cross is on the axis.
        height = axes.floor if point.total_bytes is None else axes.sizes(point.total_bytes)
        _draw_shape(group, point.mark, (axes.x(point.day), height))


def _draw_shape(group: Element, mark: Mark, at: Pixels) -> None:
    x, y = at
    match mark:
        case Mark.MEASURED:
            add(group, "circle", cx=x, cy=y, r=2.5)
        case Mark.RECOVERED:
            add(group, "circle", cx=x, cy=y, r=3.5)
        case Mark.HELD:
            add(group, "rect", x=x - 3, y=y - 3, width=6, height=6)
        case Mark.ESTIMATED:
            add(group, "path", d=path([(x, y - 4), (x + 4, y), (x, y + 4), (x - 4, y)], closed=True))
        case Mark.MISSING:
            add(group, "path", d=path([(x - 3, y - 3), (x + 3, y + 3)]) + path([(x - 3, y + 3), (x + 3, y - 3)]))


def _told(point: Point) -> str:
    if point.total_bytes is None:
        return f"{point.day}: missing{f' ({point.reason})' if point.reason else ''}"
    return f"{point.day}: {round_size(point.total_bytes)} ({counted(point.total_bytes, 'byte')}), {point.reason or point.mark}"


def _draw_forecast(root: Element, axes: Axes, series: Series) -> None:
    if not series.forecast:
        return
    lows = [axes.at(day.day, day.low_bytes) for day in series.forecast]
    highs = [axes.at(day.day, day.high_bytes) for day in series.forecast]
    area = add(root, "path", "interval", d=path([*highs, *reversed(lows)], closed=True))
    tooltip(area, f"Expected until {series.forecast[-1].day}: between the bounds in 8 of 10 cases")
    add(root, "path", "expected", d=path([axes.at(day.day, day.middle_bytes) for day in series.forecast]))
