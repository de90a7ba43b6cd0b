"""Days until a limit: the median as a mark, the interval as a bar."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from whalefall_pipelines.console.charts.scales import Scale, round_values
from whalefall_pipelines.console.charts.svg import Size, add, heading, label, picture, render, tooltip
from whalefall_pipelines.domain.quantities import counted

_ROW, _LEFT, _RIGHT, _TOP, _WIDTH = 26, 240, 96, 8, 1160
_NAME_LENGTH = 34
_URGENT_DAYS, _SOON_DAYS = 7, 30


@dataclass(frozen=True, slots=True)
class Runway:
    """What fills up when: days from today. `late_days` is None if the limit is not reached within the horizon in one of ten cases."""

    name: str
    early_days: int
    middle_days: int
    late_days: int | None
    url: str | None = None

    @property
    def urgency(self) -> str:
        """The class of the row."""
        if self.middle_days <= _URGENT_DAYS:
            return "urgent"
        return "soon" if self.middle_days <= _SOON_DAYS else "later"


def runway_chart(rows: Sequence[Runway], horizon_days: int) -> str:
    """The picture of the runways, in the order of the rows, up to a horizon."""
    size = Size(_WIDTH, _TOP + max(len(rows), 1) * _ROW + 24)
    told = f"Days left for {counted(len(rows), 'database or server', 'databases and servers')}."
    root = picture("runway", told, size, has_links=any(row.url for row in rows))
    scale = Scale(0, horizon_days, _LEFT, _WIDTH - _RIGHT)
    for days in round_values(0, horizon_days, 8):
        add(root, "line", "grid", x1=scale(days), x2=scale(days), y1=_TOP, y2=size.height - 20)
        label(root, (scale(days), size.height - 6), f"{days} d", anchor="middle", class_name="tick")
    for number, row in enumerate(rows):
        _draw(root, scale, row, _TOP + number * _ROW)
    return render(root)


def _draw(root: Element, scale: Scale, row: Runway, y: float) -> None:
    heading(root, (_LEFT - 8, y + 16), row.name, row.url, _NAME_LENGTH)
    late = scale.high if row.late_days is None else min(row.late_days, scale.high)
    early, middle = min(row.early_days, scale.high), min(row.middle_days, scale.high)
    group = add(root, "g", f"days-left {row.urgency}")
    latest = "later than the horizon" if row.late_days is None else counted(row.late_days, "day")
    earliest, middle_days = counted(row.early_days, "day"), counted(row.middle_days, "day")
    tooltip(group, f"{row.name}: {middle_days}, between {earliest} and {latest} in 8 of 10 cases")
    add(group, "rect", x=scale(early), y=y + 7, width=max(scale(late) - scale(early), 1), height=_ROW - 16, rx=2)
    add(group, "circle", cx=scale(middle), cy=y + _ROW / 2 - 1, r=5)
    label(root, (scale(late) + 8, y + 16), middle_days, class_name="value")
