"""How good the forecasts are on generated fleets: on seeds of the development, and on others."""

import numpy as np
import pytest

from whalefall_pipelines_tests.forecasts.backtest import Backtest, Warnings, backtest

TUNED, UNTUNED = (5, 7), (1001, 1002)
_SERIES = 700


@pytest.fixture(scope="module", params=[TUNED, UNTUNED], ids=["tuned", "untuned"])
def results(request: pytest.FixtureRequest) -> list[Backtest]:
    return [backtest(_SERIES, seed=seed) for seed in request.param]


def test_the_choice_beats_drift_and_every_single_forecaster(results: list[Backtest]) -> None:
    against = np.mean([result.against_drift() for result in results], axis=0)
    assert (against <= [0.95, 0.80, 0.70]).all(), against
    for name in ("last_value", "drift", "theil_84", "holt", "ensemble"):
        other = np.mean([result.against_drift(name) for result in results], axis=0)
        assert (against <= other).all(), (name, other)


def test_intervals_hold_as_often_as_they_promise(results: list[Backtest]) -> None:
    covered = np.mean([result.coverage() for result in results], axis=0)
    assert ((covered >= 0.75) & (covered <= 0.93)).all(), covered


def test_few_warnings_are_false(results: list[Backtest]) -> None:
    counts = [result.warnings for result in results]
    total = Warnings(sum(w.given for w in counts), sum(w.false for w in counts), sum(w.right for w in counts))
    assert total.given >= 30, total
    assert total.false <= 0.05 * total.given, total
