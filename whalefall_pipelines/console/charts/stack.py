"""The largest parts of a total over time, one above the other, and the rest as one part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from whalefall_pipelines.console.charts.axes import draw_axes, draw_limit
from whalefall_pipelines.console.charts.scales import days_between
from whalefall_pipelines.console.charts.svg import Pixels, Size, add, path, picture, render, tooltip
from whalefall_pipelines.domain.quantities import round_size

_SIZE = Size(1160, 300)
_PARTS = 7  # the eighth colour is for the others


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a total, in bytes by day. A missing day keeps the size of the last known day, so that a silent server is no dip."""

    name: str
    sizes: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class _Layer:
    name: str
    sizes: Sequence[int]


def stack_chart(name: str, first: date, last: date, parts: Sequence[Part], limit_bytes: int | None = None) -> str:
    """The picture of a total from its parts: the largest on the last day at the bottom, at most seven and the others."""
    days = days_between(first, last)
    layers = _layers([_Layer(part.name, _held(part.sizes, days)) for part in parts])
    totals = [sum(sizes) for sizes in zip(*(layer.sizes for layer in layers), strict=True)] or [0] * len(days)
    root = picture("stack", f"{name}: {round_size(totals[0])} on {first}, {round_size(totals[-1])} on {last}.", _SIZE)
    axes = draw_axes(root, _SIZE, (first, last), (0, max([*totals, limit_bytes or 0])))
    below = [0] * len(days)
    for number, layer in enumerate(layers):
        above = [low + size for low, size in zip(below, layer.sizes, strict=True)]
        outline: list[Pixels] = [axes.at(day, level) for day, level in zip(days, above, strict=True)]
        outline += [axes.at(day, level) for day, level in reversed(list(zip(days, below, strict=True)))]
        area = add(root, "path", f"part part-{number}", d=path(outline, closed=True))
        tooltip(area, f"{layer.name}: {round_size(layer.sizes[-1])} ({layer.sizes[-1]:,} bytes) on {last}")
        below = above
    if limit_bytes is not None:
        draw_limit(root, axes, limit_bytes)
    return render(root)


def largest_parts(parts: Sequence[Part], day: date) -> list[str]:
    """The names of the parts that `stack_chart` draws one by one, in its order; the rest is drawn as others. For a legend."""
    return [layer.name for layer in _layers([_Layer(part.name, _held(part.sizes, [day])) for part in parts])]


def _held(sizes: Mapping[date, int], days: Sequence[date]) -> list[int]:
    """One size for each day: its own, or that of the last known day before it."""
    known = [day for day in sorted(sizes) if day <= days[0]]
    held = sizes[known[-1]] if known else 0
    result: list[int] = []
    for day in days:
        held = sizes.get(day, held)
        result.append(held)
    return result


def _layers(layers: Sequence[_Layer]) -> list[_Layer]:
    ranked = sorted(layers, key=lambda layer: (-layer.sizes[-1], layer.name))
    rest = ranked[_PARTS:]
    if len(rest) <= 1:
        return ranked
    return [*ranked[:_PARTS], _Layer(f"{len(rest)} others", [sum(sizes) for sizes in zip(*(layer.sizes for layer in rest), strict=True)])]
