"""Holt's linear method with a damped trend (Gardner and McKenzie, 1985), for all series at once."""

import itertools

import numpy as np

from whalefall_pipelines.forecasts.arrays import Floats, first_known, numbers

_DAYS = 168
# Smoothing of the level, smoothing of the trend, damping of the trend.
_GRID = np.array(list(itertools.product((0.2, 0.5, 0.9), (0.03, 0.15, 0.4), (0.9, 0.97, 1.0))))
_FORGET = 0.995
_CHUNK = 256  # series whose states of all grid points stay in the processor's cache


def damped_trend(sizes: Floats, ahead: Floats) -> Floats:
    """The forecast of each series with the parameters whose forecasts of one day were best, older errors counting less.

    A day without a size moves the state along its trend and teaches nothing.
    """
    window = sizes[:, -_DAYS:]
    return np.concatenate([_forecast(window[start : start + _CHUNK], ahead) for start in range(0, len(window), _CHUNK)])


def _forecast(window: Floats, ahead: Floats) -> Floats:
    unit = np.nanmax(window, axis=1, initial=1.0)
    known = ~np.isnan(window.T)
    days = np.where(known, window.T / unit, 0.0)
    alpha, beta, damping = (np.ascontiguousarray(_GRID[:, [place]]) for place in range(3))
    level = np.repeat((first_known(window)[0] / unit)[None], len(_GRID), axis=0)
    trend, squares = np.zeros_like(level), np.zeros_like(level)
    for day, is_known in zip(days, known, strict=True):
        trend *= damping
        level += trend
        error = (day - level) * is_known
        level += alpha * error
        trend += alpha * beta * error
        squares *= _FORGET
        squares += error * error
    best = squares.argmin(axis=0)
    rows = numbers(window, 0)
    factor = damping[best, 0][:, None]
    steps = np.where(factor < 1, factor * (1 - factor**ahead) / np.maximum(1 - factor, 1e-12), ahead)
    return (level[best, rows][:, None] + trend[best, rows][:, None] * steps) * unit[:, None]
