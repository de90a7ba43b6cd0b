"""A fleet of daily sizes that behave as databases do. Every assumption is a number below; one seed is one fleet.

First sizes are lognormal (median 2 GiB). All but `flat` have one-day outliers (0.15 % of the days), a tenth of the series has one step, and
2 to 5 % of the days are missing, in runs. Sizes are whole pages.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

PAGE = 8192
SHARES = {
    "flat": 0.28,
    "linear": 0.14,
    "stair": 0.12,
    "saw_week": 0.06,
    "month_end": 0.06,
    "exponential": 0.05,
    "plateau": 0.05,
    "steps": 0.08,
    "purge": 0.05,
    "log_saw": 0.03,
    "slope_change": 0.04,
    "birth": 0.04,
}


@dataclass(frozen=True)
class Event:
    """Something that happened to a series on a day: a `step`, an `outlier` or a `slope_change`."""

    series: int
    day: int
    kind: str
    size: float


@dataclass(frozen=True)
class GeneratedFleet:
    """`true` are the sizes of all days, NaN before a birth; `sizes` are NaN on missing days, too."""

    true: NDArray[np.float64]
    sizes: NDArray[np.float64]
    classes: list[str]
    events: list[Event]
    first_day: date


@dataclass(frozen=True)
class Dice:
    """The random numbers and the calendar of one fleet."""

    random: np.random.Generator
    first_day: date
    days: int
    birth_before: int

    def log_uniform(self, low: float, high: float) -> float:
        return math.exp(self.random.uniform(math.log(low), math.log(high)))

    def growth(self, low: float, high: float) -> NDArray[np.float64]:
        """Linear growth in shares of the start size; weekends are quieter in half of the series."""
        slope = self.log_uniform(low, high) / 100
        weekdays = (self.first_day.weekday() + np.arange(self.days)) % 7
        weights = np.where(weekdays >= 5, 0.3, 1.0) if self.random.random() < 0.5 else np.ones(self.days)
        return np.cumsum(slope * weights + self.random.normal(0, slope * self.random.uniform(0.2, 0.6), self.days))


Series = tuple[NDArray[np.float64], list[tuple[int, str, float]]]


def _flat(dice: Dice, size: float) -> Series:
    flicker = dice.random.integers(-1, 2, dice.days) * PAGE / size if dice.random.random() < 0.5 else np.zeros(dice.days)
    return 1 + flicker, []


def _linear(dice: Dice, _size: float) -> Series:
    return 1 + dice.growth(0.02, 0.4), []


def _stair(dice: Dice, size: float) -> Series:
    increment = [64 * 2**20, 2**30, 0.1 * size][dice.random.integers(3)]
    increment = min(increment, 0.25 * size)
    raw = np.maximum.accumulate((1 + dice.growth(0.02, 0.4)) * size)
    return np.ceil(raw / increment) * increment / size, []


def _saw_week(dice: Dice, _size: float) -> Series:
    day, amplitude, purged_on = np.arange(dice.days), dice.random.uniform(0.04, 0.15), dice.random.integers(7)
    tooth = (day - purged_on) % 7 / 6 * (1 + dice.random.normal(0, 0.05, dice.days))
    return 1 + day * dice.random.uniform(0, 0.001) + amplitude * tooth, []


def _month_end(dice: Dice, _size: float) -> Series:
    tomorrows = [dice.first_day + timedelta(days=day + 1) for day in range(dice.days)]
    load = dice.random.uniform(0.01, 0.06) * (1 + dice.random.normal(0, 0.2, dice.days))
    return 1 + 0.0002 * np.arange(dice.days) + np.cumsum([tomorrow.day == 1 for tomorrow in tomorrows] * load), []


def _exponential(dice: Dice, _size: float) -> Series:
    rate = np.log(2) / dice.log_uniform(90, 700)
    return np.exp(np.cumsum(rate * (1 + dice.random.normal(0, 0.3, dice.days)))), []


def _plateau(dice: Dice, _size: float) -> Series:
    more, constant, begins = dice.random.uniform(0.3, 3), dice.random.uniform(40, 200), dice.random.uniform(0, 0.5) * dice.days
    since = np.maximum(np.arange(dice.days) - begins, 0)
    return 1 + more * (1 - np.exp(-since / constant)) + np.cumsum(dice.random.normal(0, 0.0002, dice.days)), []


def _steps(dice: Dice, size: float) -> Series:
    values = 1 + np.cumsum(np.abs(dice.random.normal(0, 1, dice.days)) * dice.random.uniform(0, 0.0005))
    events = list[tuple[int, str, float]]()
    for day in map(int, np.flatnonzero(dice.random.random(dice.days) < 4 / 365)):
        load, end = min(0.05 * (dice.random.pareto(1.5) + 1), 3.0), dice.days
        events.append((day, "step", load * size))
        if dice.random.random() < 1 / 3:
            end = min(dice.days, day + int(dice.random.integers(3, 31)))
            if end < dice.days:
                events.append((end, "step", -load * size))
        values[day:end] += load
    return values, events


def _purge(dice: Dice, size: float) -> Series:
    grown, values, base, day = dice.growth(0.1, 0.5), np.empty(dice.days), 0.0, 0
    events = list[tuple[int, str, float]]()
    while day < dice.days:
        end = min(dice.days, day + int(dice.random.integers(60, 121)))
        values[day:end] = 1 + grown[day:end] - base
        if end < dice.days:
            purged = (grown[end - 1] - base) * dice.random.uniform(0.5, 0.95)
            base += purged
            events.append((end, "step", -purged * size))
        day = end
    return values, events


def _log_saw(dice: Dice, _size: float) -> Series:
    values, day = np.empty(dice.days), 0
    while day < dice.days:
        end = min(dice.days, day + int(dice.random.integers(5, 21)))
        values[day:end] = 1 + np.cumsum(np.full(end - day, dice.random.uniform(0.01, 0.05)))
        day = end
    return values, []


def _slope_change(dice: Dice, size: float) -> Series:
    slope, day = dice.log_uniform(0.03, 0.3) / 100, int(dice.random.integers(60, dice.days - 60))
    factor = float(dice.random.choice([0.0, dice.random.uniform(0.2, 0.5), dice.random.uniform(2, 5)]))
    growth = np.where(np.arange(dice.days) < day, slope, slope * factor) + dice.random.normal(0, slope * 0.4, dice.days)
    return 1 + np.cumsum(growth), [(day, "slope_change", slope * (factor - 1) * size)]


def _birth(dice: Dice, _size: float) -> Series:
    born = dice.birth_before - int(dice.random.integers(20, 201))
    age = np.arange(dice.days - born)
    values = np.full(dice.days, np.nan)
    values[born:] = 0.2 + 0.8 * (1 - np.exp(-age / dice.random.uniform(5, 30))) + age * dice.log_uniform(0.05, 0.4) / 100
    return values, []


_MAKERS: dict[str, Callable[[Dice, float], Series]] = {
    "flat": _flat,
    "linear": _linear,
    "stair": _stair,
    "saw_week": _saw_week,
    "month_end": _month_end,
    "exponential": _exponential,
    "plateau": _plateau,
    "steps": _steps,
    "purge": _purge,
    "log_saw": _log_saw,
    "slope_change": _slope_change,
    "birth": _birth,
}


def generate(series: int, days: int, *, seed: int, birth_before: int = 365, first_day: date = date(2024, 9, 1)) -> GeneratedFleet:
    """A fleet of this many series and days."""
    dice = Dice(np.random.default_rng(seed), first_day, days, birth_before)
    classes = [str(name) for name in dice.random.choice(list(SHARES), series, p=list(SHARES.values()))]
    first_sizes = np.clip(np.exp(dice.random.normal(np.log(2 * 2**30), 2.2, series)), 8 * 2**20, 20 * 2**40)
    true, events = np.empty((series, days)), list[Event]()
    for number, (name, size) in enumerate(zip(classes, first_sizes, strict=True)):
        values, own = _MAKERS[name](dice, float(size))
        events += [Event(number, *event) for event in own]
        true[number] = values * size
        if name != "flat":
            events += [Event(number, *event) for event in _disturb(dice, true[number], may_step=name != "birth")]
    true = np.maximum(np.round(true / PAGE) * PAGE, PAGE)
    return GeneratedFleet(true, np.where(_missing(dice, series), np.nan, true), classes, events, first_day)


def _disturb(dice: Dice, values: NDArray[np.float64], *, may_step: bool) -> Iterator[tuple[int, str, float]]:
    if may_step and dice.random.random() < 0.10:
        day = int(dice.random.integers(30, dice.days - 1))
        jump = values[day] * dice.random.uniform(0.1, 0.6) * dice.random.choice([-1, 1], p=[0.35, 0.65])
        values[day:] += jump
        yield day, "step", float(jump)
    for day in map(int, np.flatnonzero(dice.random.random(dice.days) < 0.0015)):
        if not np.isnan(values[day]):
            jump = values[day] * dice.random.uniform(0.05, 0.4)
            values[day] += jump
            yield day, "outlier", float(jump)


def _missing(dice: Dice, series: int) -> NDArray[np.bool_]:
    missing = dice.random.random((series, dice.days)) < (dice.random.uniform(0.02, 0.05, series) / 1.5)[:, None]
    run = missing
    for _ in range(6):
        run = np.concatenate([np.zeros((series, 1), dtype=bool), run[:, :-1]], axis=1) & (dice.random.random(run.shape) < 1 / 3)
        missing = missing | run
    return missing
