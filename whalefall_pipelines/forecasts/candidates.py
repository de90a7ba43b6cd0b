"""The forecasters. Each draws a line from the newest level; `track.py` decides which of them a series is forecast with.

All read the known days of one window that ends on the day of the forecast, and nothing else. The methods and their measured errors are
in docs/explanation/forecasts.md.
"""

import numpy as np

from whalefall_pipelines.forecasts.arrays import Floats, first_known, known_median, last_known
from whalefall_pipelines.forecasts.holt import damped_trend

HORIZONS = (7, 30, 90)
# All windows are multiples of a week: with 30 or 90 days, a weekly saw-tooth makes slopes of its own.
LOOKBACK_DAYS = 364
_STEP_FREE_DAYS = 182
_MOST_STEPS = 2  # more than these in the window are how the database grows
_PAGE = 8192.0
NAMES = (
    "last_value",
    "drift",
    "drift_91",
    "step_free_drift",
    "theil_84",
    "theil_168",
    "theil_weekday",
    "holt",
    "half_slope",
    "log_slope",
    "ensemble",
)
LAST_VALUE, ENSEMBLE = NAMES.index("last_value"), NAMES.index("ensemble")
# The ensemble is the median of these.
_MEMBERS = tuple(NAMES.index(name) for name in ("drift_91", "step_free_drift", "theil_84", "holt", "half_slope"))
_AHEAD = np.array(HORIZONS, dtype=np.float64)


def forecast_all(sizes: Floats, steps: Floats) -> Floats:
    """What every candidate says for every horizon: [series, candidate, horizon], in bytes.

    `sizes` are the days up to and including the day of the forecast, `steps` the confirmed steps of the same days.
    """
    last, _ = last_known(sizes)
    points = np.repeat(last[:, None, None], len(NAMES), axis=1).repeat(len(HORIZONS), axis=2)
    moving = np.nanmax(sizes, axis=1, initial=-np.inf) > np.nanmin(sizes, axis=1, initial=np.inf)
    if moving.any():
        points[moving] = _forecast_moving(sizes[moving], steps[moving])
    return points


def _forecast_moving(sizes: Floats, steps: Floats) -> Floats:
    last, _ = last_known(sizes)
    step_free = _without_steps(sizes, steps)
    step_free_drift = _drift(step_free[:, -_STEP_FREE_DAYS - 1 :])
    slope = theil_slope(step_free, 42, step_free_drift)
    long_slope = theil_slope(step_free, 84, slope)
    level = level_now(step_free, slope)
    trend = _least_squares_slope(sizes)
    line = level[:, None] + slope[:, None] * _AHEAD
    forecasts: dict[str, Floats] = {
        "last_value": np.repeat(last[:, None], len(HORIZONS), axis=1),
        "drift": last[:, None] + _drift(sizes)[:, None] * _AHEAD,
        "drift_91": last[:, None] + _drift(sizes[:, -92:])[:, None] * _AHEAD,
        "step_free_drift": level_now(step_free, step_free_drift)[:, None] + step_free_drift[:, None] * _AHEAD,
        "theil_84": line,
        "theil_168": level_now(step_free, long_slope)[:, None] + long_slope[:, None] * _AHEAD,
        "theil_weekday": line + _weekday_offsets(sizes, level, slope),
        "holt": damped_trend(sizes, _AHEAD),
        "half_slope": level_now(sizes, trend)[:, None] + trend[:, None] / 2 * _AHEAD,
        "log_slope": level[:, None] * np.exp(np.clip(_log_slope(step_free), -0.02, 0.02)[:, None] * _AHEAD),
    }
    points = np.stack([forecasts[name] for name in NAMES[:-1]], axis=1)
    points = np.where(np.isnan(points), last[:, None, None], points)  # a window that is shorter than the silence
    ensemble = np.median(points[:, list(_MEMBERS)], axis=1)
    return np.maximum(np.concatenate([points, ensemble[:, None]], axis=1), 0.0)


def theil_slope(sizes: Floats, lag: int, young: Floats) -> Floats:
    """Bytes a day: the median over the newest days of the slope to the day `lag` days before (Theil's incomplete method, 1950).

    A series of which less than a third of these pairs is known has the slope `young`.
    """
    if sizes.shape[1] < 2 * lag:
        return young
    pairs = (sizes[:, -lag:] - sizes[:, -2 * lag : -lag]) / lag
    enough = 3 * (~np.isnan(pairs)).sum(axis=1) >= lag
    return np.where(enough, known_median(pairs), young)


def level_now(sizes: Floats, slope: Floats) -> Floats:
    """The level of the newest day: the median of the last three days along the slope, or else of the newest known day."""
    last, age = last_known(sizes)
    level = known_median(sizes[:, -3:] + slope[:, None] * np.arange(min(3, sizes.shape[1]) - 1, -1, -1))
    return np.where(np.isnan(level), last + slope * age, level)


def _without_steps(sizes: Floats, steps: Floats) -> Floats:
    """The sizes as if the few steps of the window had always been there: the newest level stays."""
    recent = steps[:, -_STEP_FREE_DAYS:]
    few = (recent != 0).sum(axis=1) <= _MOST_STEPS
    later = np.cumsum(recent[:, ::-1], axis=1)[:, ::-1] - recent
    free = sizes.copy()
    free[:, -_STEP_FREE_DAYS:] += np.where(few[:, None], later, 0.0)
    free[:, :-_STEP_FREE_DAYS] += np.where(few, recent.sum(axis=1), 0.0)[:, None]
    return free


def _drift(sizes: Floats) -> Floats:
    """Bytes a day between the oldest and the newest known day of the window."""
    first, first_column = first_known(sizes)
    last, age = last_known(sizes)
    return (last - first) / np.maximum(sizes.shape[1] - 1 - age - first_column, 1)


def _least_squares_slope(sizes: Floats) -> Floats:
    known = ~np.isnan(sizes)
    days = np.where(known, np.arange(sizes.shape[1], dtype=np.float64), 0.0)
    count = np.maximum(known.sum(axis=1), 1)
    centred = np.where(known, days - (days.sum(axis=1) / count)[:, None], 0.0)
    spread = (centred * centred).sum(axis=1)
    return (centred * np.where(known, sizes, 0.0)).sum(axis=1) / np.maximum(spread, 1.0)


def _log_slope(sizes: Floats) -> Floats:
    """The daily growth rate. Sizes without their steps may be below nothing, hence the floor of a page."""
    logs = np.log(np.maximum(sizes[:, -84:], _PAGE))
    return theil_slope(logs, 42, _drift(logs))


def _weekday_offsets(sizes: Floats, level: Floats, slope: Floats) -> Floats:
    """The usual distance from the line on the weekday of each horizon, where weekdays halve the scatter of eight weeks; else 0."""
    days = min(56, sizes.shape[1] // 7 * 7)
    if days < 21:
        return np.zeros((len(sizes), len(HORIZONS)))
    line = level[:, None] + slope[:, None] * np.arange(1 - days, 1)
    distance = (sizes[:, -days:] - line).reshape(len(sizes), -1, 7)
    offsets = known_median(distance.transpose(0, 2, 1))
    flat = distance.reshape(len(sizes), -1)
    scatter = known_median(np.abs(flat - known_median(flat)[:, None]))
    rest = known_median(np.abs(distance - offsets[:, None]).reshape(len(sizes), -1))
    helps = (scatter > 0) & (rest < 0.5 * scatter)
    return np.where(helps[:, None], np.nan_to_num(offsets[:, [(ahead - 1) % 7 for ahead in HORIZONS]]), 0.0)
