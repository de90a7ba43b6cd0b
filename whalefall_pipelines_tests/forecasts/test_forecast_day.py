"""Forecasts in the store: replayed once, then only new ones; the same bytes whenever they are made; whole after a kill at any step."""

from datetime import timedelta

import pytest

from whalefall_pipelines.forecasts.forecast import Made, forecast_day
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.forecasts.scene import LAST_DAY, build_scene

_FORECASTS = "select * from capacity_forecasts where made_on = %s order by instance_id, database_id nulls first, horizon_days"


def test_forecasts_of_a_past_day_are_the_same_bytes_whenever_they_are_made(store: Database) -> None:
    scene = build_scene(store, servers=2, databases=20, days=500)
    scene.write(0, 497)
    earlier = LAST_DAY - timedelta(days=2)
    forecast_day(store, earlier, earlier)
    made = query(store, _FORECASTS, earlier)
    scene.write(498, 499)
    forecast_day(store, LAST_DAY, LAST_DAY)
    query(store, "delete from capacity_forecasts where made_on = %s returning 1", earlier)
    forecast_day(store, earlier, earlier)
    assert made == query(store, _FORECASTS, earlier)
    assert len(made) == 3 * 22


def test_days_made_one_by_one_are_those_of_one_replay(store: Database) -> None:
    scene = build_scene(store, servers=2, databases=12, days=360)
    scene.write(0, 359)
    for age in range(10, -1, -1):
        forecast_day(store, LAST_DAY - timedelta(days=age), LAST_DAY)
    one_by_one = query(store, _FORECASTS, LAST_DAY)
    scores = "select * from capacity_forecast_scores order by instance_id, database_id nulls first, made_on, horizon_days"
    scored = [row[:5] + row[6:] for row in query(store, scores)]
    for table in ("capacity_forecasts", "capacity_forecast_scores"):
        query(store, f"delete from {table} returning 1")
    forecast_day(store, LAST_DAY, LAST_DAY)
    assert one_by_one == query(store, _FORECASTS, LAST_DAY)
    assert scored == [row[:5] + row[6:] for row in query(store, scores)]  # all but whether it was issued or replayed


class _StoppedError(RuntimeError):
    """The run ends here."""


@pytest.mark.parametrize("chunks_before", [0, 1, 2])
def test_a_run_that_is_stopped_leaves_whole_servers_and_goes_on(store: Database, chunks_before: int) -> None:
    scene = build_scene(store, servers=3, databases=18, days=240)
    scene.write(0, 239)
    calls = iter(range(10))

    def stop() -> None:
        if next(calls) == chunks_before:
            raise _StoppedError("stopped")

    with pytest.raises(_StoppedError):
        forecast_day(store, LAST_DAY, LAST_DAY, check=stop, chunk_series=7)
    count = "select count(*), count(distinct instance_id) from capacity_forecasts where made_on = %s"
    assert query(store, count, LAST_DAY) == [(chunks_before * 21, chunks_before)]
    assert forecast_day(store, LAST_DAY, LAST_DAY).forecasts > 0
    assert query(store, count, LAST_DAY) == [(63, 3)]
    assert forecast_day(store, LAST_DAY, LAST_DAY) == Made()
