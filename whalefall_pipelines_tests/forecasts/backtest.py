"""Forecasts of generated sizes beside what came, as the tests and the benchmark assess them. The sums are written apart from the code."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from whalefall_pipelines.forecasts.candidates import HORIZONS, NAMES
from whalefall_pipelines.forecasts.replay import Issue, Panel, Replay, is_scored
from whalefall_pipelines.forecasts.states import STATES, ForecastState
from whalefall_pipelines.forecasts.track import Track
from whalefall_pipelines.simulator.series import GeneratedFleet, generate

ORIGINS = (364, 404, 444, 484)
_DAYS_AHEAD = 180
_PATH = np.arange(1, _DAYS_AHEAD + 1)
_NEVER = 999


@dataclass(frozen=True)
class Warnings:
    """Limits that the forecast says are reached within 30 days: how many, not reached within 60, and reached within 30."""

    given: int
    false: int
    right: int


@dataclass(frozen=True)
class Backtest:
    """Arrays by forecast and horizon. Errors are shares of the size on the day of the forecast; `choice` is what was issued."""

    errors: dict[str, NDArray[np.float64]]
    covered_80: NDArray[np.bool_]
    covered_90: NDArray[np.bool_]
    classes: NDArray[np.str_]
    warnings: Warnings
    sizes: list[NDArray[np.float64]]

    def against_drift(self, name: str = "choice") -> list[float]:
        """Mean absolute errors by horizon as shares of those of `drift`."""
        return (self.errors[name].mean(axis=0) / self.errors["drift"].mean(axis=0)).tolist()

    def coverage(self) -> list[float]:
        """Shares of the 80 % intervals that held, without the flat series, whose intervals hold trivially."""
        return self.covered_80[self.classes != "flat"].mean(axis=0).tolist()


def panel_of(sizes: NDArray[np.float64], fleet: GeneratedFleet) -> Panel:
    """Databases without a server, active on all days."""
    series = len(sizes)
    return Panel(fleet.first_day, sizes, np.zeros(series, dtype=np.int64), np.full(series, 10**6), np.full(series, -1))


def run_replay(panel: Panel, extra: Sequence[int] = (), last_column: int | None = None) -> dict[int, Issue]:
    """Replay every scored day and these columns; return the forecasts of these columns."""
    last = max(extra) if last_column is None else last_column
    rows = np.arange(len(panel.sizes))
    origins = {column: rows for column in range(last + 1) if is_scored(panel.day(column)) or column in extra}
    done = Replay(panel, Track.empty(len(rows))).run(origins, last)
    return {item.column: item for item in done if isinstance(item, Issue) and item.column in extra}


def backtest(series: int, *, seed: int) -> Backtest:
    """Replay a generated fleet, and assess its forecasts of four days by the true sizes after them."""
    fleet = generate(series, ORIGINS[-1] + _DAYS_AHEAD + 1, seed=seed)
    old = np.array([name != "birth" for name in fleet.classes])
    true, classes = fleet.true[old], np.array(fleet.classes)[old]
    issues = run_replay(panel_of(fleet.sizes[old], fleet), ORIGINS)
    random = np.random.default_rng(seed + 1000)
    errors: dict[str, list[NDArray[np.float64]]] = {name: [] for name in (*NAMES, "choice")}
    covered: list[NDArray[np.bool_]] = []
    warnings: list[tuple[int, int, int]] = []
    for column, issue in issues.items():
        actual, size = true[issue.rows][:, column + np.array(HORIZONS)], true[issue.rows, column][:, None]
        for place, name in enumerate(errors):
            errors[name].append(np.abs(issue.candidates[:, :, place] - actual) / size)
        covered.append(np.stack([_inside(actual, issue.bounds[:, :, :2]), _inside(actual, issue.bounds[:, :, 2:])]))
        largest = np.nanmax(fleet.sizes[old][issue.rows, : column + 1], axis=1)
        limits = largest * (1 + random.uniform(0.02, 0.6, len(largest)))
        warnings.append(_warn(issue, limits, true[issue.rows, column + 1 : column + 1 + _DAYS_AHEAD]))
    both = np.concatenate(covered, axis=1)
    return Backtest(
        errors={name: np.concatenate(parts) for name, parts in errors.items()},
        covered_80=both[0],
        covered_90=both[1],
        classes=np.concatenate([classes[issue.rows] for issue in issues.values()]),
        warnings=Warnings(*(sum(column) for column in zip(*warnings, strict=True))),
        sizes=[true[issue.rows, column] for column, issue in issues.items()],
    )


def _inside(actual: NDArray[np.float64], bounds: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (bounds[:, :, 0] <= actual) & (actual <= bounds[:, :, 1])


def _warn(issue: Issue, limits: NDArray[np.float64], future: NDArray[np.float64]) -> tuple[int, int, int]:
    said = _first(_path(issue.base, issue.points) >= limits[:, None])
    came = _first(future >= limits[:, None])
    warned = (issue.state == STATES.index(ForecastState.OK)) & (said <= 30)
    return int(warned.sum()), int((warned & (came > 60)).sum()), int((warned & (came <= 30)).sum())


def _path(base: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """The size of each day ahead, on the straight lines of `days_until_limit`."""
    far = points[:, 2] + (points[:, 2] - points[:, 1]) * 2
    knots = np.column_stack([base, points, far])
    return np.array([np.interp(_PATH, (0, *HORIZONS, 210), row) for row in knots])


def _first(reached: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, _NEVER)
