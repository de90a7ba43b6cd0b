"""Which changes of a series are worth naming, and when each of them is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from whalefall_pipelines.forecasts.arrays import Floats, Integers
from whalefall_pipelines.forecasts.slopes import NEW_DAYS, slope_changed
from whalefall_pipelines.forecasts.steps import CONFIRM_DAYS, Jumps

# So many steps in half a year are how a database grows: they get one label, and no event each.
RECURRING_STEPS, RECURRING_DAYS = 3, 182


class ChangeKind(StrEnum):
    """The kind of a change."""

    STEP = "step"
    """The size jumped and stayed."""
    SLOPE = "slope"
    """The daily growth changed."""
    OUTLIER = "outlier"
    """The size jumped and was back within three days."""
    RECURRING = "recurring"
    """The third step in half a year; the database grows in jumps."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the series in a row. It happened after the first column and by the second; it is known on the third."""

    row: int
    kind: ChangeKind
    from_column: int
    to_column: int
    known_column: int
    change_bytes: int


def jump_events(jumps: Jumps, known_after: Integers, last_column: int) -> Iterator[Change]:
    """The steps and outliers that became known after the column of each series, up to the last column."""
    for row, column in zip(*np.nonzero(jumps.steps), strict=True):
        if known_after[row] < column + CONFIRM_DAYS <= last_column:
            kind = _kind_of_step(jumps.steps[row], int(column))
            if kind:
                yield _event(int(row), kind, int(column), jumps.since, jumps.steps)
    for row, column in zip(*np.nonzero(jumps.outliers), strict=True):
        if known_after[row] < column + CONFIRM_DAYS <= last_column:
            yield _event(int(row), ChangeKind.OUTLIER, int(column), jumps.since, jumps.outliers)


def slope_events(sizes: Floats, steps: Floats, rows: Integers, column: int) -> Iterator[Change]:
    """The changes of slope that are clear on a column. The change is in the newest four weeks."""
    slopes = slope_changed(sizes, steps)
    for place in map(int, np.flatnonzero(slopes.changed)):
        difference = round(float(slopes.after[place] - slopes.before[place]))
        yield Change(int(rows[place]), ChangeKind.SLOPE, column - NEW_DAYS, column, column, difference)


def _kind_of_step(steps: Floats, column: int) -> ChangeKind | None:
    def steps_until(end: int) -> int:
        return int((steps[max(0, end + 1 - RECURRING_DAYS) : end + 1] != 0).sum())

    if steps_until(column) < RECURRING_STEPS:
        return ChangeKind.STEP
    earlier = np.flatnonzero(steps[:column])
    return ChangeKind.RECURRING if steps_until(int(earlier[-1])) < RECURRING_STEPS else None


def _event(row: int, kind: ChangeKind, column: int, since: Integers, sizes: Floats) -> Change:
    return Change(row, kind, int(since[row, column]), column, column + CONFIRM_DAYS, round(float(sizes[row, column])))
