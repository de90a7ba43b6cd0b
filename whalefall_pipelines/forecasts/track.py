"""The track record of each series: the errors of its own matured forecasts, by which its forecaster and its intervals are chosen."""

from dataclasses import dataclass

import numpy as np

from whalefall_pipelines.forecasts.arrays import Floats, Integers
from whalefall_pipelines.forecasts.candidates import ENSEMBLE, HORIZONS, LAST_VALUE, NAMES

# Errors are kept for each candidate, and last for what was issued.
ISSUED = len(NAMES)
RECORDED = len(NAMES) + 1
MOST_RESIDUALS = 52
FEWEST_RESIDUALS = 4
# A matured error counts less with every week after it.
FORGET = 0.93
# A candidate is taken if its matured error is below this share of the ensemble's, by horizon: forecasts of 90 days that were made eight
# days apart are much alike, so that the longer horizons have fewer independent errors to choose by.
_CLEARLY_BETTER = (0.9, 0.8, 0.7)
# Residuals of overlapping forecasts are too much alike, so bounds are at least those of shorter horizons times (h/h') to this power.
_WIDENING = 0.5
_LEAST_ERROR = 1e-9


@dataclass(frozen=True, slots=True)
class Track:
    """Arrays by series and horizon. Errors and residuals are relative to the size on the day of the forecast.

    `errors` are means of absolute errors, older ones counting less; `matured` counts them; `residuals` are the signed errors of what was
    issued, the newest last, NaN where there are fewer.
    """

    errors: Floats
    matured: Integers
    residuals: Floats

    @staticmethod
    def empty(series: int) -> "Track":
        """The track of series that were never forecast."""
        shape = (series, len(HORIZONS))
        return Track(np.zeros((*shape, RECORDED)), np.zeros(shape, dtype=np.int64), np.full((*shape, MOST_RESIDUALS), np.nan))

    def record(self, rows: Integers, horizon: int, errors: Floats, residuals: Floats) -> None:
        """Add forecasts of one horizon that matured."""
        self.matured[rows, horizon] += 1
        weight = (1 - FORGET ** self.matured[rows, horizon]) / (1 - FORGET)
        self.errors[rows, horizon] += (errors - self.errors[rows, horizon]) / weight[:, None]
        self.residuals[rows, horizon, :-1] = self.residuals[rows, horizon, 1:]
        self.residuals[rows, horizon, -1] = residuals

    def choose(self, rows: Integers) -> Integers:
        """The candidate of each series and horizon: the one with the least matured error if it is clearly better than the ensemble."""
        errors = self.errors[rows, :, :ISSUED]
        best = errors.argmin(axis=2)
        least = np.take_along_axis(errors, best[:, :, None], axis=2)[:, :, 0]
        is_better = least < np.array(_CLEARLY_BETTER) * errors[:, :, ENSEMBLE]
        return np.where(is_better & (self.matured[rows] >= FEWEST_RESIDUALS), best, ENSEMBLE)

    def bounds(self, rows: Integers, level: float) -> tuple[Floats, Floats]:
        """The relative distances of the lower and the upper bound from the forecast: [series, horizon], NaN without enough residuals.

        Split conformal intervals (Vovk and others, 2005): ranks of the residuals, one tail on each side.
        """
        ordered = np.sort(self.residuals[rows], axis=2)
        count = (~np.isnan(ordered)).sum(axis=2)
        rank = np.clip(np.ceil((count + 1) * (1 + level) / 2).astype(np.int64) - 1, 0, np.maximum(count - 1, 0))
        upper = np.take_along_axis(ordered, rank[:, :, None], axis=2)[:, :, 0]
        lower = np.take_along_axis(ordered, np.maximum(count - 1 - rank, 0)[:, :, None], axis=2)[:, :, 0]
        few = count < FEWEST_RESIDUALS
        return _widened(np.where(few, np.nan, np.minimum(lower, 0.0))), _widened(np.where(few, np.nan, np.maximum(upper, 0.0)))

    def skill(self, rows: Integers) -> tuple[Floats, Integers]:
        """The error of what was issued as a share of that of the last value, at the horizon that counts, and that horizon's place.

        30 days count, and 7 while fewer than `FEWEST_RESIDUALS` of them have matured. NaN without matured forecasts.
        """
        place = np.where(self.matured[rows, 1] >= FEWEST_RESIDUALS, 1, 0)
        errors, matured = self.errors[rows, place], self.matured[rows, place]
        ratio = errors[:, ISSUED] / np.maximum(errors[:, LAST_VALUE], _LEAST_ERROR)
        return np.where(matured >= FEWEST_RESIDUALS, ratio, np.nan), place


def _widened(own: Floats) -> Floats:
    """Bounds that are at every horizon at least as far from the forecast as those of shorter horizons suggest."""
    wide = own.copy()
    for place, ahead in enumerate(HORIZONS):
        for shorter in range(place):
            scaled = own[:, shorter] * (ahead / HORIZONS[shorter]) ** _WIDENING
            wide[:, place] = np.where(np.abs(scaled) > np.nan_to_num(np.abs(wide[:, place]), nan=-1.0), scaled, wide[:, place])
    return wide
