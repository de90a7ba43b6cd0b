"""Through which roles accounts come to a privilege: one row an account, from it along its roles to what it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from whalefall_pipelines.accounts.paths import PathStep
from whalefall_pipelines.console.charts.svg import Pixels, Size, add, heading, label, picture, render, shortened, tooltip
from whalefall_pipelines.domain.quantities import counted

_ROW, _TOP, _LEFT, _BOX, _GAP = 34, 6, 200, 190, 34
_NAME_LENGTH = 26


@dataclass(frozen=True, slots=True)
class AccessPath:
    """An account, the steps to its privilege, and where a click on the account leads."""

    account_name: str
    steps: Sequence[PathStep]
    url: str


def paths_chart(title: str, paths: Sequence[AccessPath]) -> str:
    """The picture of the paths. A dashed arrow leads to a role that the account must become first."""
    longest = max((len(path.steps) for path in paths), default=1)
    size = Size(_LEFT + longest * (_BOX + _GAP) + 8, _TOP + max(len(paths), 1) * _ROW + 4)
    root = picture("paths", f"{title}: {counted(len(paths), 'account')}, each with its path.", size, has_links=True)
    for row, access in enumerate(paths):
        y = _TOP + row * _ROW
        heading(root, (_LEFT - 8, y + 18), access.account_name, access.url, _NAME_LENGTH)
        for column, step in enumerate(access.steps):
            _draw_step(root, (_LEFT + _GAP + column * (_BOX + _GAP), y), step)
    return render(root)


def _draw_step(root: Element, at: Pixels, step: PathStep) -> None:
    x, y = at
    group = add(root, "g", "step-box becoming" if step.is_to_become else "step-box")
    tooltip(group, f"by SET ROLE {step.name}" if step.is_to_become else step.name)
    add(group, "line", "arrow", x1=x - _GAP + 2, x2=x - 4, y1=y + 13, y2=y + 13)
    add(group, "path", "head", d=f"M{x - 8:.0f} {y + 9:.0f}L{x - 2:.0f} {y + 13:.0f}L{x - 8:.0f} {y + 17:.0f}Z")
    add(group, "rect", x=x, y=y, width=_BOX, height=26, rx=4)
    label(group, (x + _BOX / 2, y + 17), shortened(step.name, _NAME_LENGTH), anchor="middle", class_name="label")
