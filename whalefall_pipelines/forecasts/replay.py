"""Makes forecasts day by day, and scores each when its day has come. A replay of the past and the forecasts of today are the same steps.

A forecast reads what is known on its day: columns up to that day, and scores of forecasts that had matured by then.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from whalefall_pipelines.forecasts.arrays import Flags, Floats, Integers, last_known
from whalefall_pipelines.forecasts.candidates import HORIZONS, LAST_VALUE, LOOKBACK_DAYS, NAMES, forecast_all
from whalefall_pipelines.forecasts.states import FEWEST_DAYS, assess
from whalefall_pipelines.forecasts.steps import CONFIRM_DAYS, find_jumps
from whalefall_pipelines.forecasts.track import Track

# A server is forecast as the sum of its databases: half the error of a forecast of its total.
MODELS = (*NAMES, "sum_of_databases")
_SUM = MODELS.index("sum_of_databases")
LEVELS = (0.8, 0.9)
_SCORED_EVERY = 8


def is_scored(day: date) -> bool:
    """Whether forecasts made on this day are scored.

    Every eighth day is, so that all weekdays take turns: on Mondays alone, a line through a weekly saw-tooth is always right.
    """
    return day.toordinal() % _SCORED_EVERY == 0


@dataclass(frozen=True, slots=True)
class Panel:
    """The daily sizes of series: databases, and the totals of their servers. NaN is a day that is not measured or recovered.

    A series is active from the column `begins` to the column before `ends`. `server` is the row of the database's server, -1 for the
    rows of servers.
    """

    first_day: date
    sizes: Floats
    begins: Integers
    ends: Integers
    server: Integers

    def column(self, day: date) -> int:
        """The column of a day."""
        return (day - self.first_day).days

    def day(self, column: int) -> date:
        """The day of a column."""
        return self.first_day + timedelta(days=column)


@dataclass(frozen=True, slots=True)
class Issue:
    """The forecasts of one day, issued on it or replayed later, in whole bytes.

    `candidates` are [series, horizon, candidate], the last one is what was issued; `model` is the place of the chosen one for each horizon.
    `bounds` are lower and upper of 80 %, then of 90 %; NaN before enough forecasts have matured.
    """

    column: int
    is_issued: bool
    rows: Integers
    base: Floats
    candidates: Floats
    bounds: Floats
    model: Integers
    state: Integers
    skill: Floats
    error: Floats
    matured: Integers
    known_days: Integers

    @property
    def points(self) -> Floats:
        """What was issued."""
        return self.candidates[:, :, -1]


@dataclass(frozen=True, slots=True)
class Pending:
    """Forecasts of one horizon that were made on one day and have not matured."""

    made: int
    horizon: int
    is_issued: Flags
    rows: Integers
    base: Floats
    candidates: Floats
    bounds: Floats

    @property
    def target(self) -> int:
        """The column that they are about."""
        return self.made + HORIZONS[self.horizon]

    def of(self, chosen: Flags) -> "Pending":
        """Some of them."""
        return Pending(
            self.made,
            self.horizon,
            self.is_issued[chosen],
            self.rows[chosen],
            self.base[chosen],
            self.candidates[chosen],
            self.bounds[chosen],
        )


@dataclass(frozen=True, slots=True)
class Scores:
    """What came true of pending forecasts, and the track record after it."""

    forecasts: Pending
    actual: Floats
    residuals: Floats
    errors: Floats
    matured: Integers


class Replay:
    """Forecasts of the series of a panel, with the track record that they have by then."""

    def __init__(self, panel: Panel, track: Track, pending: Iterable[Pending] = (), *, issued_column: int | None = None) -> None:
        """Begin with the track record and the pending forecasts of the day before the first one that is asked for.

        Forecasts of `issued_column` are made on their day.
        """
        self._panel = panel
        self._track = track
        self._pending = list(pending)
        self._issued_column = issued_column
        self.jumps = find_jumps(panel.sizes, panel.first_day.weekday())

    def run(self, origins: Mapping[int, Integers], last_column: int) -> Iterator[Issue | Scores]:
        """Forecast these rows on these columns, in order, and score what matures up to the last column."""
        for column in range(last_column + 1):
            yield from self._score(column)
            if column in origins and len(rows := self._active(origins[column], column)):
                issue = self._forecast(rows, column)
                if is_scored(self._panel.day(column)):
                    self._pending += _pending(issue)
                yield issue

    def known_on(self, rows: Integers, column: int) -> tuple[Floats, Floats]:
        """The sizes and the confirmed steps of these rows up to a column: all that a forecast of this day reads of the panel."""
        window = slice(max(0, column + 1 - LOOKBACK_DAYS), column + 1)
        steps = self.jumps.steps[rows, window].copy()
        steps[:, -CONFIRM_DAYS:] = 0.0  # not confirmed yet on this day
        return self._panel.sizes[rows, window], steps

    def _active(self, rows: Integers, column: int) -> Integers:
        panel = self._panel
        active = (panel.begins[rows] <= column) & (column < panel.ends[rows])
        first = max(0, column + 1 - LOOKBACK_DAYS)
        return rows[active & ~np.isnan(panel.sizes[rows, first : column + 1]).all(axis=1)]

    def _score(self, column: int) -> Iterator[Scores]:
        due = [pending for pending in self._pending if pending.target == column]
        self._pending = [pending for pending in self._pending if pending.target > column]
        for pending in due:
            known = ~np.isnan(self._panel.sizes[pending.rows, column])
            known &= column < self._panel.ends[pending.rows]
            if known.any():
                yield self._record(pending.of(known), column)

    def _record(self, pending: Pending, column: int) -> Scores:
        actual = self._panel.sizes[pending.rows, column]
        base = np.maximum(pending.base, 1.0)
        distances = (actual[:, None] - pending.candidates) / base[:, None]
        residuals = distances[:, -1]
        self._track.record(pending.rows, pending.horizon, np.abs(distances), residuals)
        errors = self._track.errors[pending.rows, pending.horizon]
        return Scores(pending, actual, residuals, errors, self._track.matured[pending.rows, pending.horizon])

    def _forecast(self, rows: Integers, column: int) -> Issue:
        sizes, steps = self.known_on(rows, column)
        base, _ = last_known(sizes)
        known_days = (~np.isnan(sizes)).sum(axis=1)
        candidates = np.round(forecast_all(sizes, steps))
        model = np.where((known_days < FEWEST_DAYS)[:, None], LAST_VALUE, self._track.choose(rows))
        points = np.take_along_axis(candidates, model[:, None, :], axis=1)[:, 0]
        points, model = self._summed(rows, points, model)
        assessment = assess(sizes, steps, self._track, rows)
        widths = [width * (base * assessment.widening)[:, None] for level in LEVELS for width in self._track.bounds(rows, level)]
        return Issue(
            column=column,
            is_issued=column == self._issued_column,
            rows=rows,
            base=base,
            candidates=np.concatenate([candidates.transpose(0, 2, 1), points[:, :, None]], axis=2),
            bounds=np.stack([np.maximum(np.round(points + width), 0.0) for width in widths], axis=2),
            model=model,
            state=assessment.state,
            skill=assessment.skill,
            error=np.where(self._track.matured[rows] > 0, self._track.errors[rows, :, -1], np.nan),
            matured=self._track.matured[rows],
            known_days=known_days,
        )

    def _summed(self, rows: Integers, points: Floats, model: Integers) -> tuple[Floats, Integers]:
        """Put the sums of the databases in place of the forecasts of their servers."""
        server = self._panel.server[rows]
        sums = np.zeros((len(self._panel.sizes), len(HORIZONS)))
        np.add.at(sums, server[server >= 0], points[server >= 0])
        has_databases: Flags = np.isin(rows, server[server >= 0])
        return np.where(has_databases[:, None], sums[rows], points), np.where(has_databases[:, None], _SUM, model)


def _pending(issue: Issue) -> list[Pending]:
    return [
        Pending(
            issue.column,
            place,
            np.full(len(issue.rows), issue.is_issued),
            issue.rows,
            issue.base,
            issue.candidates[:, place],
            issue.bounds[:, place],
        )
        for place in range(len(HORIZONS))
    ]
