"""Runs that make forecasts are killed at each step, at the command and under the daemon: what is stored is the old or the new, whole."""

import hashlib
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.forecasts.forecast import forecast_day
from whalefall_pipelines.runtime.embedded import open_database
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.trees import Home, eventually, launch_run, running
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.computed_matrix import (
    FORECAST_KILLS,
    FORECASTING,
    FORECASTS_KILLED_AT_THE_COMMAND,
    FORECASTS_KILLED_UNDER_THE_DAEMON,
)
from whalefall_pipelines_tests.faults.conftest import Report
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.processes import Installation, installation
from whalefall_pipelines_tests.faults.seams import Stop, stopped_at
from whalefall_pipelines_tests.faults.test_daemon import ENDED_SECONDS, RETRIED_SECONDS, SOON, kill_the_run
from whalefall_pipelines_tests.forecasts.scene import build_scene

pytestmark = pytest.mark.process
_FORECASTS = "capacity_forecasts"
STOPS = {
    "opening its session": Stop("sync_sessions", "insert"),
    "writing forecasts": Stop(_FORECASTS, "insert"),
    "writing scores": Stop("capacity_forecast_scores", "insert"),
    "writing changes": Stop("capacity_changes", "insert"),
    "deleting superseded forecasts": Stop(_FORECASTS, "delete"),
    "committing": Stop(_FORECASTS, "insert", at_commit=True),
    "closing its session": Stop("sync_sessions", "update", "new.status <> 'running'"),
}
# What is sent to be committed is committed, although nobody waits for the answer.
COMMITTED = ("committing", "closing its session")
_RUN = """
import sys
from datetime import date
from whalefall_pipelines.domain.runs import Run
from whalefall_pipelines.domain.sessions import SyncCategory
from whalefall_pipelines.runtime.open_store import open_store
from whalefall_pipelines.sessions.run_in_dagster import run_in_dagster
from whalefall_pipelines.settings import load_settings
day = date.fromisoformat(sys.argv[1])
with open_store(load_settings()) as database:
    run_in_dagster(load_settings(), database, Run("make_forecasts", SyncCategory.FORECAST, day, day))
"""
_TABLES = (_FORECASTS, "capacity_forecast_scores", "capacity_changes")
Contents = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def installed(store: Database, tmp_path: Path, postgres_server: PostgresCluster, dagster_template: str) -> Iterator[Installation]:
    """The installation in which `whalefall` uses the store of the test."""
    with installation(postgres_server, dagster_template, store, tmp_path) as made:
        made.home.mkdir()
        yield made


def contents(store: Database) -> Contents:
    """Every row of the tables of forecasts."""
    return {table: query(store, f"select t::text from {table} as t order by 1") for table in _TABLES}


def forecast_before(store: Database) -> tuple[Contents, Contents]:
    """Make the forecasts of some days ago; return what the store has of them, and what it has once those of today are made, too.

    Within eight days a forecast of each horizon matures, a day passes whose forecasts are superseded, and a step becomes known.
    """
    day = today(system_clock(), store.timezone)
    scene = build_scene(store, servers=2, databases=6, days=220, last_day=day)
    scene.fleet.sizes[0, -4:] *= 2
    scene.write(0, 219)

    def make_earlier() -> Contents:
        for age in (9, 8):
            forecast_day(store, day - timedelta(days=age), day - timedelta(days=age))
        return contents(store)

    make_earlier()
    forecast_day(store, day, day)
    new = contents(store)
    query(store, f"truncate {', '.join(_TABLES)}; select 1")
    old = make_earlier()
    assert all(set(new[table]) - set(old[table]) for table in _TABLES)
    assert set(old[_FORECASTS]) - set(new[_FORECASTS])
    return old, new


@pytest.mark.parametrize(("fault", "engine"), parameters(FORECAST_KILLS))
def test_a_killed_run_leaves_the_old_forecasts_or_the_new_ones(
    fault: Fault, engine: str, store: Database, installed: Installation, report: Report
) -> None:
    step = fault.name.removeprefix(FORECASTING)
    old, new = forecast_before(store)
    day = str(today(system_clock(), store.timezone))
    with stopped_at(store, STOPS[step]) as holder:
        run = installed.start(day, program=(sys.executable, "-c", _RUN))
        holder.wait_for_somebody(run.output)
        run.kill_worker()
        holder.let_go()
        assert run.wait() != 0
    assert fault.says in run.output()
    assert contents(store) == (new if step in COMMITTED else old)
    ended = [] if step == "opening its session" else [("failed",)]
    assert query(store, "select status from sync_sessions where sync_category = 'forecast'") == ended
    begun = time.monotonic()
    again = installed.start("forecasts", "make")
    assert again.wait() == 0, again.output()
    assert contents(store) == new
    report(fault, engine, time.monotonic() - begun)


def digest(store: Database, day: str) -> str:
    """Of the forecasts of a day, without the word that says whether they were made on it or later."""
    rows = query(store, f"select jsonb_strip_nulls(to_jsonb(t) - 'origin')::text from {_FORECASTS} as t where made_on = %s order by 1", day)
    return hashlib.sha256(repr(rows).encode()).hexdigest()


@pytest.mark.parametrize(("fault", "engine"), parameters((FORECASTS_KILLED_AT_THE_COMMAND,)))
def test_forecasts_of_a_past_day_are_the_same_bytes_after_a_kill(
    fault: Fault, engine: str, store: Database, installed: Installation, report: Report
) -> None:
    forecast_before(store)
    day = today(system_clock(), store.timezone)
    past = day - timedelta(days=1)
    forecast_day(store, past, past)
    made = digest(store, str(past))
    forecast_day(store, day, day)
    query(store, f"delete from {_FORECASTS} where made_on = %s returning 1", past)
    before, unmade = contents(store), digest(store, str(past))
    assert made != unmade
    with stopped_at(store, STOPS["writing forecasts"]) as holder:
        run = installed.start("forecasts", "make", "--day", str(past))
        holder.wait_for_somebody(run.output)
        run.process.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL
    assert eventually(lambda: not query(store, "select 1 from pg_locks where locktype = 'advisory' and database <> 0 and not granted"))
    assert contents(store) == before
    begun = time.monotonic()
    again = installed.start("forecasts", "make", "--day", str(past))
    assert again.wait() == 0, again.output()
    assert digest(store, str(past)) == made
    report(fault, engine, time.monotonic() - begun)


@pytest.mark.parametrize(("fault", "engine"), parameters((FORECASTS_KILLED_UNDER_THE_DAEMON,)))
def test_the_daemon_makes_forecasts_again_after_a_killed_run(
    fault: Fault, engine: str, prepared_home: Callable[..., Home], report: Report
) -> None:
    home = prepared_home(SOON)
    home.succeed("store", "start")
    with closing(open_database(load_settings(home.environment))) as store:
        old, new = forecast_before(store)
        with running(home, free_port()) as up:
            with stopped_at(store, STOPS["writing scores"]) as holder:
                run_id = launch_run(up, load_settings(home.environment), "make_forecasts")
                holder.wait_for_somebody(up.output, seconds=90)
                kill_the_run(home, up, run_id)
            begun = time.monotonic()
            failed = "select error_code, error_message from sync_sessions where sync_category = 'forecast' and status = 'failed'"
            assert eventually(lambda: query(store, failed), seconds=ENDED_SECONDS), up.output()
            ((code, sentence),) = query(store, failed)
            assert (code, fault.says in str(sentence)) == (fault.code, True)
            assert contents(store) in (old, new)  # Dagster may have repeated it by now
            assert eventually(lambda: contents(store) == new, seconds=RETRIED_SECONDS), up.output()
            report(fault, engine, time.monotonic() - begun)
