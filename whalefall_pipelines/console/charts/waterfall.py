"""From one total to another by bars that add up to the byte."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from whalefall_pipelines.console.charts.scales import Scale, round_values
from whalefall_pipelines.console.charts.svg import Size, add, heading, label, picture, render, tooltip
from whalefall_pipelines.domain.quantities import counted, round_size

_ROW, _LEFT, _RIGHT, _TOP = 26, 200, 120, 8
_WIDTH = 1160
_NAME_LENGTH = 28


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a change, in bytes. `kind` is its class: growth, birth, death, gap, rename, …"""

    name: str
    change_bytes: int
    kind: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    """A bar in the picture: from where to where, and what is written at its end."""

    bar: Bar
    from_bytes: int
    to_bytes: int
    written: str


def waterfall_chart(name: str, start_bytes: int, bars: Sequence[Bar], end_bytes: int) -> str:
    """The picture of a change: the first total, each bar from where the one above ends, the last total.

    Raises:
        ValueError: the bars do not add up to the last total.
    """
    if start_bytes + sum(bar.change_bytes for bar in bars) != end_bytes:
        message = f"The bars of {name} do not add up from {start_bytes} to {end_bytes} bytes."
        raise ValueError(message)
    rows = _rows(start_bytes, bars, end_bytes)
    size = Size(_WIDTH, _TOP + len(rows) * _ROW + 24)
    told = f"{name}: from {round_size(start_bytes)} to {round_size(end_bytes)} in {counted(len(bars), 'bar')}."
    root = picture("waterfall", told, size, has_links=any(bar.url for bar in bars))
    scale = _scale(rows)
    _draw_grid(root, scale, size)
    for number, row in enumerate(rows):
        _draw_row(root, scale, row, _TOP + number * _ROW, is_last=number == len(rows) - 1)
    return render(root)


def _rows(start_bytes: int, bars: Sequence[Bar], end_bytes: int) -> list[_Row]:
    rows = [_Row(Bar("Before", start_bytes, "total"), 0, start_bytes, round_size(start_bytes))]
    level = start_bytes
    for bar in bars:
        sign = "+" if bar.change_bytes > 0 else ""
        rows.append(_Row(bar, level, level + bar.change_bytes, f"{sign}{round_size(bar.change_bytes)}"))
        level += bar.change_bytes
    return [*rows, _Row(Bar("After", end_bytes, "total"), 0, end_bytes, round_size(end_bytes))]


def _scale(rows: Sequence[_Row]) -> Scale:
    """From zero, unless the change is small beside the total: then the totals are cut, so that the bars can be seen."""
    changes = [level for row in rows[1:-1] for level in (row.from_bytes, row.to_bytes)]
    levels = [rows[0].to_bytes, rows[-1].to_bytes, *changes]
    low, high = min(levels), max(levels)
    span = high - low
    is_cut = 0 < span < high / 4
    return Scale(max(low - span * 0.25, 0) if is_cut else min(low, 0), max(high, 1) if not is_cut else high, _LEFT, _WIDTH - _RIGHT)


def _draw_grid(root: Element, scale: Scale, size: Size) -> None:
    for value in round_values(scale.low, scale.high, 6):
        add(root, "line", "grid", x1=scale(value), x2=scale(value), y1=_TOP, y2=size.height - 20)
        label(root, (scale(value), size.height - 6), round_size(value), anchor="middle", class_name="tick")


def _draw_row(root: Element, scale: Scale, row: _Row, y: float, *, is_last: bool) -> None:
    heading(root, (_LEFT - 8, y + 16), row.bar.name, row.bar.url, _NAME_LENGTH)
    left, right = sorted((scale(max(row.from_bytes, scale.low)), scale(max(row.to_bytes, scale.low))))
    direction = "less" if row.bar.change_bytes < 0 else "more"
    group = add(root, "g", f"bar {row.bar.kind} {direction}")
    is_change = row.bar.kind != "total"
    exact = counted(row.bar.change_bytes, "byte", is_change=is_change)
    tooltip(group, f"{row.bar.name}: {exact}" if is_change else exact)
    add(group, "rect", x=left, y=y + 3, width=max(right - left, 1), height=_ROW - 8, rx=2)
    label(root, (right + 6, y + 16), row.written, class_name="value")
    if not is_last:
        end = scale(row.to_bytes)
        add(root, "line", "connector", x1=end, x2=end, y1=y + _ROW - 5, y2=y + _ROW + 3)
