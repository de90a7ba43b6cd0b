"""Rules of the forecasts that hold for any sizes."""

from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whalefall_pipelines.forecasts.candidates import HORIZONS
from whalefall_pipelines.forecasts.replay import Issue, Panel, Replay, Scores, is_scored
from whalefall_pipelines.forecasts.states import STATES, ForecastState
from whalefall_pipelines.forecasts.track import Track
from whalefall_pipelines.simulator.series import generate
from whalefall_pipelines_tests.forecasts.backtest import panel_of, run_replay

_DAY = 400
_FLEET = generate(60, 520, seed=11, birth_before=380)
_PANEL = panel_of(_FLEET.sizes, _FLEET)


def forecasts_of(panel: Panel, column: int = _DAY) -> Issue:
    return run_replay(panel, [column])[column]


def with_sizes(sizes: np.ndarray) -> Panel:
    return Panel(_PANEL.first_day, sizes, _PANEL.begins, _PANEL.ends, _PANEL.server)


def assert_same(left: Issue, right: Issue) -> None:
    for name in ("rows", "base", "candidates", "bounds", "model", "state", "skill", "error", "matured", "known_days"):
        assert np.array_equal(getattr(left, name), getattr(right, name), equal_nan=name not in {"rows", "model", "state"}), name


@pytest.mark.parametrize("poison", [np.nan, 0.0, 1e15])
def test_nothing_after_the_day_of_a_forecast_is_read(poison: float) -> None:
    poisoned = _FLEET.sizes.copy()
    poisoned[:, _DAY + 1 :] = poison
    rows = np.arange(len(poisoned))
    for sizes in (_FLEET.sizes, poisoned):
        panel = with_sizes(sizes)
        origins = {column: rows for column in range(panel.sizes.shape[1]) if is_scored(panel.day(column)) or column == _DAY}
        done = Replay(panel, Track.empty(len(rows))).run(origins, panel.sizes.shape[1] - 1)
        (issue,) = [item for item in done if isinstance(item, Issue) and item.column == _DAY]
        assert_same(forecasts_of(with_sizes(_FLEET.sizes[:, : _DAY + 1])), issue)


def test_a_forecast_is_the_same_however_far_back_the_sizes_are_read() -> None:
    """The track record is what the store keeps; the rest is a window."""
    early = 512
    longer = generate(60, 900, seed=12, birth_before=880)
    rows = np.arange(60)
    for first in (0, 120):
        panel = panel_of(longer.sizes[:, first:], longer)
        panel = Panel(date.fromordinal(longer.first_day.toordinal() + first), panel.sizes, panel.begins, panel.ends, panel.server)
        (issue,) = [item for item in Replay(panel, Track.empty(60)).run({early - first: rows}, early - first) if isinstance(item, Issue)]
        if first == 0:
            whole = issue
    assert_same(whole, issue)


def test_twice_the_bytes_are_twice_the_forecast() -> None:
    single, double = forecasts_of(_PANEL), forecasts_of(with_sizes(_FLEET.sizes * 2))
    known = ~np.isnan(single.bounds)
    assert np.abs(double.points - 2 * single.points).max() <= 4
    assert np.abs(double.bounds - 2 * single.bounds)[known].max() <= 16
    moving = single.state != STATES.index(ForecastState.FLAT)  # a page is a page
    assert (double.state[moving] == single.state[moving]).all()


def test_bounds_are_around_the_forecast_and_nested() -> None:
    issue = forecasts_of(_PANEL)
    lower_80, upper_80, lower_90, upper_90 = (issue.bounds[:, :, place] for place in range(4))
    known = ~np.isnan(lower_80)
    for lower, upper in ((lower_90, lower_80), (lower_80, issue.points), (issue.points, upper_80), (upper_80, upper_90)):
        assert (lower[known] <= upper[known]).all()


def test_a_constant_series_has_no_width_and_no_date() -> None:
    issue = forecasts_of(with_sizes(np.full_like(_FLEET.sizes, 10.0**9)))
    assert (issue.state == STATES.index(ForecastState.FLAT)).all()
    assert (issue.points == 10**9).all()
    assert (issue.bounds == 10**9).all()


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.floats(0.01, 0.9))
def test_more_gaps_never_turn_a_silent_series_into_a_date(seed: int, share: float) -> None:
    holes = np.random.default_rng(seed).random(_FLEET.sizes.shape) < share
    before, after = forecasts_of(_PANEL), forecasts_of(with_sizes(np.where(holes, np.nan, _FLEET.sizes)))
    silent = {STATES.index(state) for state in (ForecastState.TOO_YOUNG, ForecastState.STALE, ForecastState.FLAT)}
    state = dict(zip(after.rows.tolist(), after.state.tolist(), strict=True))
    named = [row for row, was in zip(before.rows.tolist(), before.state.tolist(), strict=True) if was in silent and state.get(row) == 0]
    assert named == []


def test_what_was_forecast_is_scored_once_or_its_day_is_not_known() -> None:
    rows = np.arange(len(_FLEET.sizes))
    last = _FLEET.sizes.shape[1] - 1
    origins = {column: rows for column in range(last + 1) if is_scored(_PANEL.day(column))}
    done = list(Replay(_PANEL, Track.empty(len(rows))).run(origins, last))
    made = {(row, item.column, place) for item in done if isinstance(item, Issue) for row in item.rows.tolist() for place in range(3)}
    scored = [(row, s.forecasts.made, s.forecasts.horizon) for s in done if isinstance(s, Scores) for row in s.forecasts.rows.tolist()]
    due = {key for key in made if key[1] + HORIZONS[key[2]] <= last and not np.isnan(_FLEET.sizes[key[0], key[1] + HORIZONS[key[2]]])}
    assert sorted(scored) == sorted(due)


def test_a_server_is_the_sum_of_its_databases() -> None:
    databases = _FLEET.sizes[np.array(_FLEET.classes) != "birth"][:10]
    total = databases.sum(axis=0)  # NaN where one is missing
    sizes = np.concatenate([total[None], databases])
    server = np.array([-1, *[0] * 10])
    panel = Panel(_FLEET.first_day, sizes, np.zeros(11, dtype=np.int64), np.full(11, 10**6), server)
    issue = forecasts_of(panel)
    assert (issue.points[0] == issue.points[1:].sum(axis=0)).all()
