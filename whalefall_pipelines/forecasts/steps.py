"""Finds steps and outliers in daily sizes: jumps that the usual change of a day does not explain, and whether they last.

Every result of a day is known `CONFIRM_DAYS` later, and reads nothing after that.
"""

from dataclasses import dataclass

import numpy as np

from whalefall_pipelines.forecasts.arrays import Flags, Floats, Integers, carried, known_median, numbers

CONFIRM_DAYS = 3
SCALE_DAYS = 56
# The usual change of a day and its scale are renewed once a week; a series with fewer known changes has none yet.
_FEWEST_CHANGES = 14
# A jump is larger than the usual change by this many robust standard deviations, and larger than this share of the size.
_DEVIATIONS = 8.0
_SHARE = 0.05
_KEPT = 0.6
_TAKEN_BACK = 0.3
_MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True, slots=True)
class Jumps:
    """The unexplained part of each day's change in bytes, where it lasts (`steps`) or is taken back (`outliers`); else 0.

    `since` is the column of the known day before: the change happened between the two.
    """

    steps: Floats
    outliers: Floats
    since: Integers


def find_jumps(sizes: Floats, first_weekday: int) -> Jumps:
    """The steps and outliers of all days. `first_weekday` is the weekday of the first column, 0 for Monday."""
    held, since = carried(sizes)
    before = np.concatenate([np.full((len(sizes), 1), np.nan), held[:, :-1]], axis=1)
    since = np.concatenate([np.zeros((len(sizes), 1), dtype=np.int64), since[:, :-1]], axis=1)
    gap = numbers(sizes, 1) - since
    # What the size was so long ago explains no jump, and would make a day's result depend on how far back is read.
    before = np.where(gap > SCALE_DAYS, np.nan, before)
    usual, scale = _usual_changes((sizes - before) / np.maximum(gap, 1), first_weekday)
    excess = sizes - before - usual * gap
    is_jump: Flags = np.abs(excess) > np.maximum(_DEVIATIONS * scale, _SHARE * before)
    shift = _median_of_three(held, (0, 1, 2)) - _median_of_three(held, (-1, -2, -3))
    lasts = is_jump & (np.sign(shift) == np.sign(excess)) & (np.abs(shift) >= _KEPT * np.abs(excess))
    left = np.stack([np.abs(_moved(held, days) - before) for days in range(1, CONFIRM_DAYS + 1)])
    goes = is_jump & ~lasts & (left <= _TAKEN_BACK * np.abs(excess)).any(axis=0)
    lasts[:, -CONFIRM_DAYS:] = goes[:, -CONFIRM_DAYS:] = False
    return Jumps(np.where(lasts, excess, 0.0), np.where(goes, excess, 0.0), since)


def _usual_changes(changes: Floats, first_weekday: int) -> tuple[Floats, Floats]:
    """The median change of a day and its robust deviation over the `SCALE_DAYS` before each Monday, for the week that begins there."""
    usual, scale = np.full_like(changes, np.nan), np.full_like(changes, np.nan)
    for monday in range(-first_weekday % 7, changes.shape[1], 7):
        window = changes[:, max(0, monday - SCALE_DAYS) : monday]
        middle = known_median(window)
        middle[(~np.isnan(window)).sum(axis=1) < _FEWEST_CHANGES] = np.nan
        usual[:, monday : monday + 7] = middle[:, None]
        scale[:, monday : monday + 7] = _MAD_TO_DEVIATION * known_median(np.abs(window - middle[:, None]))[:, None]
    return usual, scale


def _median_of_three(held: Floats, days: tuple[int, int, int]) -> Floats:
    low, middle, high = (_moved(held, day) for day in days)
    return np.maximum(np.minimum(low, middle), np.minimum(np.maximum(low, middle), high))


def _moved(values: Floats, days: int) -> Floats:
    """The values of so many days later, or earlier if negative; NaN beyond the ends."""
    moved = np.full_like(values, np.nan)
    if days >= 0:
        moved[:, : values.shape[1] - days] = values[:, days:]
    else:
        moved[:, -days:] = values[:, :days]
    return moved
