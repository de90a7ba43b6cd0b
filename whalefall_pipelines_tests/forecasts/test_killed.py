"""A process that is killed while it makes forecasts leaves whole servers, at whichever step, and the next one makes the others."""

import pytest

from whalefall_pipelines.forecasts.forecast import forecast_day
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.forecasts.scene import LAST_DAY, build_scene
from whalefall_pipelines_tests.killed import kill_at

pytestmark = [pytest.mark.process, pytest.mark.faults]
_CHILD = """
import sys
from datetime import date
from whalefall_pipelines.forecasts.forecast import forecast_day
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.conftest import TIMEZONE
day = date.fromisoformat(sys.argv[2])
forecast_day(Database(parse_url(sys.argv[1]), TIMEZONE), day, day, chunk_series=7)
"""
# What a step reads or writes: sizes, totals, forecasts, scores, changes.
STEPS = ("database_size_stats", "instance_size_stats", "capacity_forecasts", "capacity_forecast_scores", "capacity_changes")
_TABLES = {
    "capacity_forecasts": "instance_id, database_id nulls first, made_on, horizon_days",
    "capacity_forecast_scores": "instance_id, database_id nulls first, made_on, horizon_days",
    "capacity_changes": "instance_id, database_id nulls first, kind, to_date",
}


class _StoppedError(RuntimeError):
    """The run ends here."""


def contents(store: Database) -> dict[str, list[tuple[object, ...]]]:
    """Every row of the tables of forecasts."""
    return {table: query(store, f"select * from {table} order by {key}") for table, key in _TABLES.items()}


@pytest.mark.parametrize("table", STEPS)
def test_killed_at_a_step_forecasts_are_whole(store: Database, table: str) -> None:
    scene = build_scene(store, servers=2, databases=12, days=200)
    scene.write(0, 199)
    calls = iter(range(10))

    def stop_at_the_second_server() -> None:
        if next(calls) == 1:
            raise _StoppedError("stopped")

    with pytest.raises(_StoppedError):
        forecast_day(store, LAST_DAY, LAST_DAY, check=stop_at_the_second_server, chunk_series=7)
    half = contents(store)
    assert {row[0] for row in half["capacity_forecasts"]} == {scene.instance_ids[0]}
    kill_at(store, table, _CHILD, LAST_DAY.isoformat())
    assert contents(store) == half
    forecast_day(store, LAST_DAY, LAST_DAY, chunk_series=7)
    healed = contents(store)
    query(store, f"truncate {', '.join(_TABLES)}; select 1")
    forecast_day(store, LAST_DAY, LAST_DAY, chunk_series=7)
    assert contents(store) == healed
