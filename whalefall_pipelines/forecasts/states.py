"""Whether a forecast may name a date, or the state that says why it may not."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from whalefall_pipelines.forecasts.arrays import Flags, Floats, Integers, last_known
from whalefall_pipelines.forecasts.slopes import slope_changed
from whalefall_pipelines.forecasts.track import ISSUED, Track


class ForecastState(StrEnum):
    """The state of a forecast."""

    OK = "ok"
    """Its matured forecasts were clearly better than the last value, so a date is shown."""
    TOO_YOUNG = "too_young"
    """Fewer than 14 days are known, or fewer than four forecasts have matured, so its accuracy is unknown."""
    STALE = "stale"
    """The newest known day is more than three days old, or a fifth of the last 28 days is unknown."""
    FLAT = "flat"
    """It has not changed by more than two pages in 90 days."""
    REGIME_CHANGED = "regime_changed"
    """There was a step or a change of slope in the last 14 days, so earlier growth may no longer apply."""
    NO_SKILL = "no_skill"
    """Its matured forecasts were not clearly better than the last value."""
    TOO_ROUGH = "too_rough"
    """Its matured forecasts missed by more than a tenth of the size."""


STATES = tuple(ForecastState)
FEWEST_DAYS = 14
_STALE_AFTER_DAYS = 3
_RECENT_DAYS, _RECENT_SHARE = 28, 0.8
_FLAT_DAYS, _FLAT_BYTES = 90, 2 * 8192
_SETTLING_DAYS = 14
# Until four weekly forecasts made after a step have matured, bounds are doubled.
_CAUTIOUS_DAYS = 35
_MOST_SKILL = 0.8
_MOST_ERROR = 0.10
_RECURRING = 3


@dataclass(frozen=True, slots=True)
class Assessment:
    """The state of each series as a place in `STATES`, its skill, and the factor by which its bounds are widened."""

    state: Integers
    skill: Floats
    widening: Floats


def assess(sizes: Floats, steps: Floats, track: Track, rows: Integers) -> Assessment:
    """Assess the forecasts of these rows of the track from the known days and the confirmed steps up to the day of the forecast."""
    skill, place = track.skill(rows)
    is_recurring = (steps[:, -182:] != 0).sum(axis=1) >= _RECURRING
    is_step = (steps != 0) & ~is_recurring[:, None]
    changed = is_step[:, -_SETTLING_DAYS:].any(axis=1) | _bends(sizes, steps)
    conditions = (
        ((~np.isnan(sizes)).sum(axis=1) < FEWEST_DAYS, ForecastState.TOO_YOUNG),
        (_is_stale(sizes), ForecastState.STALE),
        (_is_flat(sizes), ForecastState.FLAT),
        (np.isnan(skill), ForecastState.TOO_YOUNG),
        (changed, ForecastState.REGIME_CHANGED),
        (skill >= _MOST_SKILL, ForecastState.NO_SKILL),
        (track.errors[rows, place, ISSUED] > _MOST_ERROR, ForecastState.TOO_ROUGH),
    )
    places = [np.full(len(sizes), STATES.index(state)) for _, state in conditions]
    state = np.select([condition for condition, _ in conditions], places, STATES.index(ForecastState.OK))
    return Assessment(state, skill, np.where(is_step[:, -_CAUTIOUS_DAYS:].any(axis=1), 2.0, 1.0))


def _is_stale(sizes: Floats) -> Flags:
    _, age = last_known(sizes)
    recent = ~np.isnan(sizes[:, -_RECENT_DAYS:])
    first = np.where(np.isnan(sizes[:, :-_RECENT_DAYS]).all(axis=1), recent.argmax(axis=1), 0)
    return (age > _STALE_AFTER_DAYS) | (recent.sum(axis=1) < _RECENT_SHARE * (recent.shape[1] - first))


def _is_flat(sizes: Floats) -> Flags:
    window = sizes[:, -_FLAT_DAYS:]
    lowest = np.nanmin(window, axis=1, initial=np.inf)
    highest = np.nanmax(window, axis=1, initial=-np.inf)
    return highest - lowest <= _FLAT_BYTES


def _bends(sizes: Floats, steps: Floats) -> Flags:
    """Whether the slope has changed, and had not yet two weeks ago."""
    before = slope_changed(sizes[:, :-_SETTLING_DAYS], steps[:, :-_SETTLING_DAYS])
    return slope_changed(sizes, steps).changed & ~before.changed
