"""Finds changes of slope: the newest four weeks against the eight weeks before them."""

from dataclasses import dataclass

import numpy as np

from whalefall_pipelines.forecasts.arrays import Flags, Floats, known_median

NEW_DAYS, OLD_DAYS = 28, 56
_ERRORS = 4.0
_SHARE = 0.5
_MAD_TO_DEVIATION = 1.4826
_FEWEST_PAIRS = 10


@dataclass(frozen=True, slots=True)
class Slopes:
    """Bytes a day before and after, and whether the difference is clear."""

    before: Floats
    after: Floats
    changed: Flags


def slope_changed(sizes: Floats, steps: Floats) -> Slopes:
    """Compare the median slopes of the last 28 days and of the 56 days before, both without steps.

    The difference is clear above four standard errors and half of the earlier slope (facts: median delay 18 days).
    """
    days = NEW_DAYS + OLD_DAYS
    if sizes.shape[1] < days:
        nothing = np.zeros(len(sizes))
        return Slopes(nothing, nothing, nothing > 0)
    free = sizes[:, -days:] - np.cumsum(steps[:, -days:], axis=1)
    before, old_pairs = _slope(free[:, :OLD_DAYS])
    after, new_pairs = _slope(free[:, OLD_DAYS:])
    scatter = _MAD_TO_DEVIATION * known_median(np.abs(np.diff(free, axis=1) - before[:, None]))
    # The standard error of a median slope over half of the window; 1.25 is the price of the median.
    error = scatter * np.sqrt(2 / NEW_DAYS) * 1.25
    enough = (old_pairs >= _FEWEST_PAIRS) & (new_pairs >= _FEWEST_PAIRS)
    clear = np.abs(after - before) > np.maximum(_ERRORS * error, _SHARE * np.abs(before))
    return Slopes(before, after, clear & enough)


def _slope(sizes: Floats) -> tuple[Floats, Floats]:
    half = sizes.shape[1] // 2
    pairs = (sizes[:, half:] - sizes[:, :half]) / half
    return known_median(pairs), (~np.isnan(pairs)).sum(axis=1).astype(np.float64)
