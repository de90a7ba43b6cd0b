"""The path of a privilege: from an account through its roles to the object, as boxes and arrows."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from whalefall_pipelines.console.charts.svg import Size, add, label, linked, path, picture, render, shortened, tooltip

_BOX_WIDTH, _BOX_HEIGHT, _ARROW, _MARGIN = 168, 40, 96, 8
_TEXT_LENGTH = 22


@dataclass(frozen=True, slots=True)
class Link:
    """A step of a path: the name of the account, role or object, its kind, and how the box before leads to it (`member of`)."""

    name: str
    kind: str
    through: str | None = None
    url: str | None = None


def chain_chart(steps: Sequence[Link]) -> str:
    """The picture of a path from left to right."""
    width = len(steps) * _BOX_WIDTH + max(len(steps) - 1, 0) * _ARROW + 2 * _MARGIN
    told = " → ".join(f"{step.through} {step.name}" if step.through else step.name for step in steps)
    root = picture("chain", told, Size(width, _BOX_HEIGHT + 2 * _MARGIN), has_links=any(step.url for step in steps))
    middle = _MARGIN + _BOX_HEIGHT / 2
    for number, step in enumerate(steps):
        x = _MARGIN + number * (_BOX_WIDTH + _ARROW)
        if number:
            _draw_arrow(root, x, middle, step.through)
        group = add(linked(root, step.url), "g", f"box {step.kind}")
        tooltip(group, f"{step.kind} {step.name}")
        add(group, "rect", x=x, y=_MARGIN, width=_BOX_WIDTH, height=_BOX_HEIGHT, rx=6)
        label(group, (x + _BOX_WIDTH / 2, middle - 2), shortened(step.name, _TEXT_LENGTH), anchor="middle", class_name="label name")
        label(group, (x + _BOX_WIDTH / 2, middle + 13), step.kind, anchor="middle", class_name="tick")
    return render(root)


def _draw_arrow(root: Element, end: float, middle: float, through: str | None) -> None:
    add(root, "path", "arrow", d=path([(end - _ARROW + 4, middle), (end - 4, middle)]))
    add(root, "path", "arrow-head", d=path([(end - 10, middle - 4), (end - 4, middle), (end - 10, middle + 4)]))
    if through:
        label(root, (end - _ARROW / 2, middle - 6), through, anchor="middle", class_name="tick")
