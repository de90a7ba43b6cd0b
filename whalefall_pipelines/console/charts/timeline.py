"""Tables and months: what state each table partition is in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whalefall_pipelines.console.charts.svg import Size, add, heading, label, picture, render, tooltip
from whalefall_pipelines.domain.quantities import counted

_LEFT, _TOP, _CELL_WIDTH, _CELL_HEIGHT, _GAP = 240, 24, 54, 22, 3
_NAME_LENGTH = 34


@dataclass(frozen=True, slots=True)
class MonthCell:
    """A table partition: its state, which is its class, the short text in the cell, and what a pointer over it says."""

    state: str
    text: str
    told: str


def timeline_chart(months: Sequence[str], tables: Mapping[str, Mapping[str, MonthCell]]) -> str:
    """The picture of the table partitions: a row for each table, a column for each month (`2026-11`). A month without one is empty."""
    size = Size(_LEFT + len(months) * (_CELL_WIDTH + _GAP) + 4, _TOP + max(len(tables), 1) * (_CELL_HEIGHT + _GAP) + 4)
    root = picture("timeline", f"Table partitions of {counted(len(tables), 'table')} in {counted(len(months), 'month')}.", size)
    for column, month in enumerate(months):
        label(root, (_x(column) + _CELL_WIDTH / 2, _TOP - 8), month, anchor="middle", class_name="tick")
    for row, (table, cells) in enumerate(tables.items()):
        y = _TOP + row * (_CELL_HEIGHT + _GAP)
        heading(root, (_LEFT - 8, y + 15), table, None, _NAME_LENGTH)
        for column, month in enumerate(months):
            cell = cells.get(month)
            if cell is None:
                continue
            group = add(root, "g", f"month {cell.state}")
            tooltip(group, cell.told)
            add(group, "rect", x=_x(column), y=y, width=_CELL_WIDTH, height=_CELL_HEIGHT, rx=2)
            label(group, (_x(column) + _CELL_WIDTH / 2, y + 15), cell.text, anchor="middle", class_name="sign")
    return render(root)


def _x(column: int) -> float:
    return _LEFT + column * (_CELL_WIDTH + _GAP)
