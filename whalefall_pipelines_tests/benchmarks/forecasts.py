"""Forecasts: the price of 20,000 series, and how good they are against drift and against AutoETS of statsforecast.

The real series are the daily bytes of git repositories: the folders in BENCHMARK_REPOSITORIES (separated by colons), or this one's.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whalefall_pipelines.forecasts.candidates import HORIZONS, LOOKBACK_DAYS, NAMES
from whalefall_pipelines.forecasts.events import jump_events
from whalefall_pipelines.forecasts.replay import Issue, Panel, Replay, is_scored
from whalefall_pipelines.forecasts.slopes import slope_changed
from whalefall_pipelines.forecasts.steps import CONFIRM_DAYS, SCALE_DAYS, find_jumps
from whalefall_pipelines.forecasts.track import Track
from whalefall_pipelines.simulator.series import GeneratedFleet, generate
from whalefall_pipelines_tests.benchmarks.figures import Figure
from whalefall_pipelines_tests.forecasts.backtest import ORIGINS, Backtest, Warnings, backtest, panel_of, run_replay
from whalefall_pipelines_tests.forecasts.git_sizes import daily_sizes

SERIES, DAYS = 20_000, 365
_CHUNK = 1000
_UNTUNED = (2001, 2002)
_TARGETS = (0.95, 0.80, 0.70)
_OPPONENT_SERIES, _UNTUNED_OPPONENT = 400, (3001, 3002)
# Where `make bench` installs it.
OPPONENT = Path(sys.prefix) / "opponent"
Errors = NDArray[np.float64]
_NOT_RECURRING, _NEAR_DAYS = ("linear", "exponential", "plateau", "steps", "slope_change"), 2
_SUBSTANTIAL = 50_000  # bytes: a share of less says nothing


def measure(folder: Path) -> Iterator[Figure]:
    """Every figure. The prices are measured in a process of their own, because memory is that of a process's whole life."""
    yield from _prices()
    yield from _found_steps()
    results = [backtest(1500, seed=seed) for seed in _UNTUNED]
    yield from _truth(results)
    yield from _against_autoets(folder)
    yield from _on_repositories()


def _prices() -> Iterator[Figure]:
    done = subprocess.run([sys.executable, "-m", __name__], check=True, capture_output=True, text=True)
    replay, day, changes, megabytes = map(float, done.stdout.split())
    yield Figure("replaying a year of 20,000 series", replay, 90, "s", "CPU time of one core; one forecast every eight days")
    yield Figure("its memory", megabytes, 400, "MB", "the largest of the process, which holds 1,000 series at once")
    yield Figure("a day's new forecasts of 20,000 series", day, 15, "s", "CPU time of one core, with steps and scores")
    yield Figure("finding changes, 20,000 series, 57 days", changes, 10, "s", "CPU time of one core; steps, outliers, slopes")


def _price() -> tuple[float, float, float, float]:
    """CPU seconds of the replay, of one day, and of the changes; and the megabytes of this process."""
    replay = day = changes = 0.0
    for number in range(SERIES // _CHUNK):
        fleet = generate(_CHUNK, DAYS, seed=number)
        panel, rows = panel_of(fleet.sizes, fleet), np.arange(_CHUNK)
        begun = time.process_time()
        run_replay(panel, [DAYS - 1])
        replay += time.process_time() - begun
        begun = time.process_time()
        list(Replay(panel, Track.empty(_CHUNK)).run({DAYS - 1: rows}, DAYS - 1))
        day += time.process_time() - begun
        begun = time.process_time()
        found = find_jumps(fleet.sizes[:, -57:], 0)
        assert list(jump_events(found, np.zeros(_CHUNK, dtype=np.int64), 56))
        slope_changed(fleet.sizes[:, -84:], np.zeros((_CHUNK, 84)))  # which needs four weeks more
        changes += time.process_time() - begun
    return replay, day, changes, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _found_steps() -> Iterator[Figure]:
    """Steps of at least 5 % of the size, of series whose growth does not recur, found within two days of their day."""
    fleet = generate(1500, 485, seed=4001)
    steps = find_jumps(fleet.sizes, fleet.first_day.weekday()).steps
    chosen = np.isin(fleet.classes, _NOT_RECURRING)
    happened = np.zeros(steps.shape, dtype=bool)
    large = happened.copy()
    for event in fleet.events:
        if event.kind == "step" and chosen[event.series] and SCALE_DAYS < event.day < steps.shape[1] - CONFIRM_DAYS - _NEAR_DAYS:
            happened[event.series, event.day] = True
            large[event.series, event.day] = abs(event.size) >= 0.05 * fleet.true[event.series, event.day - 1]
    found = (steps != 0) & chosen[:, None]
    found[:, :SCALE_DAYS] = False
    missed = large & ~_near(found)
    wrong = found & ~_near(happened)
    yield Figure("steps that are missed", 100 * missed.sum() / large.sum(), 10, "%", f"{missed.sum()} of {large.sum()}")
    yield Figure("found steps that are none", 100 * wrong.sum() / found.sum(), 5, "%", f"{wrong.sum()} of {found.sum()}")


def _near(days: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether one of these days is at most two days away."""
    padded = np.pad(days, ((0, 0), (_NEAR_DAYS, _NEAR_DAYS)))
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * _NEAR_DAYS + 1, axis=1).any(axis=2)


def _truth(results: list[Backtest]) -> Iterator[Figure]:
    for place, horizon in enumerate(HORIZONS):
        shares = {name: float(np.mean([result.against_drift(name)[place] for result in results])) for name in (*NAMES, "choice")}
        others = ", ".join(f"{name} {share:.2f}" for name, share in sorted(shares.items(), key=lambda item: item[1]) if name != "choice")
        yield Figure(f"error of {horizon} days against drift", shares["choice"], _TARGETS[place], "x", others)
    for place, horizon in enumerate(HORIZONS):
        covered = 100 * float(np.mean([result.coverage()[place] for result in results]))
        detail = f"80 % intervals for {horizon} days held in {covered:.1f} % of the cases, flat series left out"
        yield Figure(f"coverage of {horizon} days, off the middle of 75-93", abs(covered - 84), 9, "%", detail)
    total = Warnings(*(sum(getattr(result.warnings, name) for result in results) for name in ("given", "false", "right")))
    yield Figure("false warnings of 30 days", 100 * total.false / total.given, 5, "%", str(total))
    for name in sorted(set(results[0].classes)):
        chosen = [result.classes == name for result in results]
        ours = np.concatenate([result.errors["choice"][rows] for result, rows in zip(results, chosen, strict=True)]).mean(axis=0)
        drift = np.concatenate([result.errors["drift"][rows] for result, rows in zip(results, chosen, strict=True)]).mean(axis=0)
        held = np.concatenate([result.covered_80[rows] for result, rows in zip(results, chosen, strict=True)]).mean(axis=0)
        print(f"         {name:<14} error against drift {np.round(ours / drift, 2)}, 80 % held {np.round(100 * held)}")


def _against_autoets(folder: Path) -> Iterator[Figure]:
    """The same series, none of them flat, one forecast each, and where AutoETS is better."""
    if not OPPONENT.is_dir():
        print(f"         AutoETS is not measured: {OPPONENT} does not exist; `make bench` installs it where pip can")
        return
    fleets = [generate(_OPPONENT_SERIES, ORIGINS[0] + 91, seed=seed) for seed in _UNTUNED_OPPONENT]
    results = [_one_forecast_each(fleet, folder) for fleet in fleets]
    classes = np.concatenate([result[0] for result in results])
    ours, theirs = (np.concatenate([result[place] for result in results]) for place in (1, 2))
    seconds = sum(result[3] for result in results)
    for place, horizon in enumerate(HORIZONS):
        mine, other = ours[:, place].mean(), theirs[:, place].mean()
        detail = f"{100 * mine:.2f} % against {100 * other:.2f} %; {seconds:.0f} CPU s for {len(classes)} fits"
        yield Figure(f"error of {horizon} days against AutoETS", mine / other, 1, "x", detail)
    for name in sorted(set(classes)):
        ratios = ours[classes == name].mean(axis=0) / theirs[classes == name].mean(axis=0)
        lost = ", ".join(f"{horizon} days" for horizon, ratio in zip(HORIZONS, ratios, strict=True) if ratio > 1)
        print(f"         {name:<14} error against AutoETS {np.round(ratios, 2)}{f', lost at {lost}' if lost else ''}")


def _one_forecast_each(fleet: GeneratedFleet, folder: Path) -> tuple[NDArray[np.str_], Errors, Errors, float]:
    """The classes of the series that move, our errors and those of AutoETS as shares of the size, and its CPU seconds."""
    classes, column = np.array(fleet.classes), ORIGINS[0]
    moving = ~np.isin(classes, ["flat", "birth"])
    panel = panel_of(fleet.sizes[moving, : column + 1], fleet)
    actual, size = fleet.true[moving][:, column + np.array(HORIZONS)], fleet.true[moving, column][:, None]
    np.save(folder / "sizes.npy", panel.sizes)
    program = [sys.executable, str(Path(__file__).parent / "autoets.py"), "sizes.npy", "forecasts.npy"]
    environment = {**os.environ, "PYTHONPATH": str(OPPONENT)}
    done = subprocess.run(program, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    theirs = np.load(folder / "forecasts.npy")[:, np.array(HORIZONS) - 1]
    ours = run_replay(panel, [column])[column].points
    errors = [np.abs(points - actual) / size for points in (ours, theirs)]
    return classes[moving], errors[0], errors[1], float(done.stdout)


def _on_repositories() -> Iterator[Figure]:
    folders = os.environ.get("BENCHMARK_REPOSITORIES", str(Path(__file__).parents[2])).split(":")
    series = [sizes for folder in folders for sizes in daily_sizes(Path(folder)).values() if len(sizes) >= LOOKBACK_DAYS + max(HORIZONS)]
    if not series:
        print("         Real series are not measured: BENCHMARK_REPOSITORIES names no git repository of 454 days")
        return
    days = max(map(len, series))
    sizes = np.stack([np.concatenate([np.full(days - len(values), np.nan), values]) for values in series])
    begins = np.array([days - len(values) for values in series])
    fleet = generate(1, 1, seed=0)
    panel = Panel(fleet.first_day, sizes, begins, np.full(len(series), 10**6), np.full(len(series), -1))
    rows = np.arange(len(series))
    origins = {column: rows for column in range(days) if is_scored(panel.day(column))}
    errors: list[NDArray[np.float64]] = []
    held: list[NDArray[np.bool_]] = []
    for issue in Replay(panel, Track.empty(len(series))).run(origins, days - 1):
        if isinstance(issue, Issue) and issue.column + max(HORIZONS) < days and panel.day(issue.column).toordinal() // 8 % 6 == 0:
            old = (issue.column - begins[issue.rows] >= 300) & (issue.base >= _SUBSTANTIAL)
            if not old.any():
                continue
            actual = sizes[issue.rows[old]][:, issue.column + np.array(HORIZONS)]
            errors.append(np.abs(issue.candidates[old] - actual[:, :, None]) / issue.base[old][:, None, None])
            inside = (issue.bounds[old][:, :, 0] <= actual) & (actual <= issue.bounds[old][:, :, 1])
            held.append(inside[np.ptp(sizes[issue.rows[old], issue.column - 89 : issue.column + 1], axis=1) > 0])
    means = np.concatenate(errors).mean(axis=0)
    coverage = 100 * np.concatenate(held).mean(axis=0)
    for place, horizon in enumerate(HORIZONS):
        share = means[place, -1] / means[place, NAMES.index("drift")]
        others = ", ".join(f"{name} {means[place, n] / means[place, NAMES.index('drift')]:.2f}" for n, name in enumerate(NAMES))
        detail = f"{len(series)} series, 80 % held {coverage[place]:.0f} %; {others}"
        yield Figure(f"repositories, {horizon} days against drift", share, 0.95, "x", detail)


if __name__ == "__main__":
    print(*_price())
