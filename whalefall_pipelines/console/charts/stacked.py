"""What a whole consists of over time: layers on each other, the largest at the bottom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element

from whalefall_pipelines.console.charts.axes import Axes, draw_axes, draw_limit
from whalefall_pipelines.console.charts.scales import runs_of_days
from whalefall_pipelines.console.charts.svg import Pixels, Size, add, path, picture, render, tooltip
from whalefall_pipelines.domain.quantities import counted, round_size

_SIZE = Size(1160, 300)


@dataclass(frozen=True, slots=True)
class Layer:
    """A part of the whole: its bytes by day."""

    name: str
    sizes: Mapping[date, int]


def stacked_chart(name: str, days: Sequence[date], layers: Sequence[Layer], limit_bytes: int | None = None, beside_bytes: int = 0) -> str:
    """The picture of the layers on these consecutive days. A day on which no layer has a size is a gap, never a zero.

    Raises:
        ValueError: no layer has a size on any of these days.
    """
    known = [day for day in days if any(day in layer.sizes for layer in layers)]
    if not known:
        message = "A picture needs at least one day."
        raise ValueError(message)
    totals = [sum(layer.sizes.get(day, 0) for layer in layers) for day in known]
    told = f"{name}: {counted(len(layers), 'layer')} from {known[0]} to {known[-1]}, {round_size(totals[-1])} at the end."
    root = picture("stacked", told, _SIZE)
    axes = draw_axes(root, _SIZE, (days[0], days[-1]), (0, max([*totals, (limit_bytes or 0) - beside_bytes])))
    bottom = dict.fromkeys(known, 0)
    for number, layer in enumerate(layers):
        top = {day: bottom[day] + layer.sizes.get(day, 0) for day in known}
        _draw_layer(root, layer, number, [_band(axes, run, bottom, top) for run in runs_of_days(known)])
        bottom = top
    if limit_bytes is not None:
        draw_limit(root, axes, limit_bytes, beside_bytes)
    return render(root)


def _band(axes: Axes, run: Sequence[date], bottom: Mapping[date, int], top: Mapping[date, int]) -> list[Pixels]:
    """The outline of a layer over consecutive days. A single day is as wide as a line."""
    upper = [axes.at(day, top[day]) for day in run]
    lower = [axes.at(day, bottom[day]) for day in reversed(run)]
    if len(run) == 1:
        (x, high), (_, low) = upper[0], lower[0]
        return [(x - 1, high), (x + 1, high), (x + 1, low), (x - 1, low)]
    return [*upper, *lower]


def _draw_layer(root: Element, layer: Layer, number: int, bands: Sequence[Sequence[Pixels]]) -> None:
    group = add(root, "g", f"layer layer-{number + 1}")
    newest = max(layer.sizes, default=None)
    tooltip(group, f"{layer.name}: {round_size(layer.sizes[newest])} on {newest}" if newest else layer.name)
    for band in bands:
        add(group, "path", d=path(band, closed=True))
