"""Runs that die under the real daemon, or with it: its sensors end the session and repair the day without a person."""

import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime

import pytest

from whalefall_pipelines import settings
from whalefall_pipelines.domain.capacity import today
from whalefall_pipelines.processes import free_port
from whalefall_pipelines.store.embedded import open_database
from whalefall_pipelines_tests.cli import conftest
from whalefall_pipelines_tests.cli.trees import Home, Up, eventually, launch_collection, running
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.conftest import Report
from whalefall_pipelines_tests.faults.fault import POSTGRESQL, Fault, parameters
from whalefall_pipelines_tests.faults.invariants import is_whole
from whalefall_pipelines_tests.faults.matrix import UNDER_THE_DAEMON
from whalefall_pipelines_tests.faults.scene import NEIGHBOUR, Scene
from whalefall_pipelines_tests.faults.seams import Stop, stopped_at
from whalefall_pipelines_tests.faults.targets import Targets
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy

pytestmark = pytest.mark.process
prepared_folder, prepared_home = conftest.prepared_folder, conftest.prepared_home
# The issue promises five minutes; a first retry comes a minute later here.
ENDED_SECONDS, RETRIED_SECONDS = 300, 240


@contextmanager
def scene_at(home: Home, targets: Targets) -> Generator[Scene]:
    """Two real servers registered in the store of a home, for today."""
    given = settings.load(home.environment)
    target, now = targets.of(POSTGRESQL), datetime.now(UTC)
    with closing(open_database(given)) as store, ChaosProxy(target.host, target.port) as proxy:
        day = today(now, given.timezone)
        yield Scene(store, home.folder, {}, target=target, neighbour=target, proxy=proxy, now=now, day=day, parallel=1)


def kill_the_run(home: Home, up: Up, run_id: str) -> None:
    # Only the processes that copy its output name the run.
    (worker,) = {process.parent() for process in home.processes() if any(run_id in word for word in process.cmdline())}
    assert worker
    worker.kill()


def kill_everything_but_the_store(home: Home, up: Up, run_id: str) -> None:
    for process in home.processes():
        if "postgres" not in process.name():
            process.kill()
    up.process.wait(10)


KILLS = {"run killed with -9 under the daemon": kill_the_run, "run and daemon killed with -9": kill_everything_but_the_store}


@pytest.mark.parametrize(("fault", "engine"), parameters(UNDER_THE_DAEMON))
def test_the_daemon_repairs_the_day_without_a_person(
    fault: Fault, engine: str, prepared_home: Callable[..., Home], targets: Targets, report: Report
) -> None:
    home = prepared_home({"WHALEFALL_PARALLEL_INSTANCES": "1", "WHALEFALL_RETRY_MINUTES": "1"})
    home.succeed("store", "start")
    with scene_at(home, targets) as scene:

        def is_ended() -> bool:
            return query(scene.store, "select 1 from sync_sessions where status = 'running'") == []

        def wait_until_it_is_healed(up: Up) -> None:
            assert eventually(is_ended, seconds=ENDED_SECONDS), up.said()
            scene.find_session()
            seen, neighbour = scene.seen(), scene.seen(NEIGHBOUR)
            assert (seen.status, seen.code, neighbour.record) == ("failed", fault.code, "completed"), seen
            assert fault.says in seen.sentence, seen
            whole = eventually(lambda: is_whole(scene.store, scene.day, scene.expected) and is_ended(), seconds=RETRIED_SECONDS)
            assert whole, up.said()
            scene.healed_at = time.monotonic()
            retried = query(scene.store, "select sync_type, status from sync_sessions where retry_of = %s", str(scene.session_id))
            assert retried == [("retry", "completed")]

        def work() -> None:
            with running(home, free_port()) as up:
                with stopped_at(scene.store, Stop("database_size_stats", "insert", f"new.instance_id = {scene.target_id()}")) as holder:
                    run_id = launch_collection(up, settings.load(home.environment))
                    holder.wait_for_somebody(up.said, seconds=90)
                    KILLS[fault.name](home, up, run_id)
                    scene.mended_at = time.monotonic()
                if up.process.poll() is None:
                    wait_until_it_is_healed(up)
            home.succeed("store", "start")
            if not scene.healed_at:
                with running(home, free_port()) as up:
                    wait_until_it_is_healed(up)
                home.succeed("store", "start")

        report(fault, engine, scene.pass_through(nullcontext(), lambda: None, work))
