"""The plot area of a picture with sizes or counts against days: its scales, grid lines and the names of round values."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element

from whalefall_pipelines.console.charts.scales import Scale, day_scale, round_days, round_values
from whalefall_pipelines.console.charts.svg import Pixels, Size, add, label
from whalefall_pipelines.domain.quantities import round_size

_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 16, 12, 26
_PIXELS_A_DAY_LABEL, _PIXELS_A_SIZE_LABEL = 96, 36
_HEADROOM = 1.05


@dataclass(frozen=True, slots=True)
class Axes:
    """Where a day and a size are in the picture."""

    days: Scale
    sizes: Scale

    def at(self, day: date, size: float) -> Pixels:
        """The point of a size on a day."""
        return self.x(day), self.sizes(size)

    def x(self, day: date) -> float:
        """The horizontal position of a day."""
        return self.days(day.toordinal())

    @property
    def floor(self) -> float:
        """The vertical position of the axis of days."""
        return self.sizes.start

    @property
    def ceiling(self) -> float:
        """The vertical position of the upper edge."""
        return self.sizes.end


def draw_axes(
    root: Element, size: Size, days: tuple[date, date], values: tuple[float, float], told: Callable[[int], str] = round_size
) -> Axes:
    """Draw the grid for these days and for values in this range, which is sizes unless `told` says otherwise, and return the scales.

    There is some headroom. The axis begins at zero unless the values are all close to each other: a line from zero would hide every change.
    """
    low, high = values
    low = 0 if low <= 0 or low < high / 2 else low - (high - low) * (_HEADROOM - 1)
    high = max(high + (high - low) * (_HEADROOM - 1), low + 1)
    axes = Axes(day_scale(*days, _LEFT, size.width - _RIGHT), Scale(low, high, size.height - _BOTTOM, _TOP))
    _draw_values(root, axes, size, told)
    _draw_days(root, axes, size, days)
    return axes


def draw_limit(root: Element, axes: Axes, limit_bytes: int, beside_bytes: int = 0) -> None:
    """A line at the limit less what is `beside` that which is drawn, with both sizes."""
    y = axes.sizes(max(limit_bytes - beside_bytes, 0))
    less = f", of which {round_size(beside_bytes)} are used by what is no database" if beside_bytes else ""
    add(root, "line", "limit", x1=axes.days.start, x2=axes.days.end, y1=y, y2=y)
    label(root, (axes.days.end, y - 4), f"limit {round_size(limit_bytes)}{less}", anchor="end", class_name="limit-label")


def _draw_values(root: Element, axes: Axes, size: Size, told: Callable[[int], str]) -> None:
    at_most = max(int((axes.floor - axes.ceiling) / _PIXELS_A_SIZE_LABEL), 2)
    for value in round_values(axes.sizes.low, axes.sizes.high, at_most):
        y = axes.sizes(value)
        add(root, "line", "grid", x1=_LEFT, x2=size.width - _RIGHT, y1=y, y2=y)
        label(root, (_LEFT - 8, y + 4), told(value), anchor="end", class_name="tick")


def _draw_days(root: Element, axes: Axes, size: Size, days: tuple[date, date]) -> None:
    at_most = max(int((size.width - _LEFT - _RIGHT) / _PIXELS_A_DAY_LABEL), 2)
    add(root, "line", "axis", x1=_LEFT, x2=size.width - _RIGHT, y1=axes.floor, y2=axes.floor)
    for day in round_days(*days, at_most):
        x = axes.x(day)
        add(root, "line", "axis", x1=x, x2=x, y1=axes.floor, y2=axes.floor + 4)
        # A name at an edge would leave the picture if its middle were there.
        anchor = "start" if x < _LEFT + 24 else "end" if x > size.width - _RIGHT - 24 else "middle"
        label(root, (x, axes.floor + 18), day.isoformat(), anchor=anchor, class_name="tick")
