"""How many there are day by day: a line from zero, with a gap where nothing was counted."""

from collections.abc import Mapping
from datetime import date
from xml.etree.ElementTree import Element

from whalefall_pipelines.console.charts.axes import Axes, draw_axes
from whalefall_pipelines.console.charts.scales import runs_of_days
from whalefall_pipelines.console.charts.svg import Size, add, path, picture, render, tooltip

_SIZE = Size(1160, 200)


def counts_chart(name: str, counts: Mapping[date, int]) -> str:
    """The picture of these counts by day.

    Raises:
        ValueError: nothing was counted on any day.
    """
    if not counts:
        message = "A picture needs at least one day."
        raise ValueError(message)
    days = sorted(counts)
    told = f"{name}: from {counts[days[0]]:,} on {days[0]} to {counts[days[-1]]:,} on {days[-1]}."
    root = picture("counts", told, _SIZE)
    axes = draw_axes(root, _SIZE, (days[0], days[-1]), (0, max(counts.values())), "{:,}".format)
    for run in runs_of_days(days):
        add(root, "path", "line", d=path([axes.at(day, counts[day]) for day in run] * (2 if len(run) == 1 else 1)))
    for day in days:
        _draw_mark(root, axes, day, counts[day])
    return render(root)


def _draw_mark(root: Element, axes: Axes, day: date, count: int) -> None:
    group = add(root, "g", "mark measured")
    tooltip(group, f"{day}: {count:,}")
    add(group, "circle", cx=axes.x(day), cy=axes.sizes(count), r=2.5)
