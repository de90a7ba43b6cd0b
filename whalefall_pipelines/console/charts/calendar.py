"""Days and servers: what is known of each, as a cell with a colour and a sign."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from whalefall_pipelines.console.charts.scales import round_days
from whalefall_pipelines.console.charts.svg import Size, add, heading, label, linked, picture, render, tooltip
from whalefall_pipelines.domain.quantities import counted

_LEFT, _TOP, _CELL, _GAP = 176, 24, 16, 2
_NAME_LENGTH = 24
_PIXELS_A_DAY_LABEL = 84


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of a row: the name of its state, which is its class, the sign in it, and what a pointer over it says."""

    state: str
    sign: str
    told: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """A server, or a tag with its servers, over all days of the calendar."""

    name: str
    cells: Sequence[Cell]
    url: str | None = None


def calendar_chart(name: str, days: Sequence[date], rows: Sequence[CalendarRow]) -> str:
    """The picture of the calendar. Each row has a cell for each day.

    Raises:
        ValueError: a row has not as many cells as there are days.
    """
    size = Size(_LEFT + len(days) * (_CELL + _GAP) + 8, _TOP + max(len(rows), 1) * (_CELL + _GAP) + 4)
    root = picture("calendar", f"{name}: {counted(len(rows), 'row')} from {days[0]} to {days[-1]}." if days else name, size, has_links=True)
    if days:
        for day in round_days(days[0], days[-1], max(int((size.width - _LEFT) / _PIXELS_A_DAY_LABEL), 1)):
            x = _x((day - days[0]).days)
            # A name at the right edge would leave the picture if it began there.
            is_last = x > size.width - _PIXELS_A_DAY_LABEL
            label(root, (x + _CELL if is_last else x, _TOP - 8), day.isoformat(), anchor="end" if is_last else "start", class_name="tick")
    for number, row in enumerate(rows):
        if len(row.cells) != len(days):
            message = f"The row {row.name!r} has {counted(len(row.cells), 'cell')} for {counted(len(days), 'day')}."
            raise ValueError(message)
        y = _TOP + number * (_CELL + _GAP)
        heading(root, (_LEFT - 8, y + _CELL - 4), row.name, row.url, _NAME_LENGTH)
        for column, cell in enumerate(row.cells):
            group = add(linked(root, cell.url), "g", f"cell {cell.state.replace(' ', '-')}")
            tooltip(group, cell.told)
            add(group, "rect", x=_x(column), y=y, width=_CELL, height=_CELL, rx=2)
            label(group, (_x(column) + _CELL / 2, y + _CELL - 4.5), cell.sign, anchor="middle", class_name="sign")
    return render(root)


def _x(column: int) -> float:
    return _LEFT + column * (_CELL + _GAP)
