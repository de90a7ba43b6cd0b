"""A store that restarts while a command or the daemon watches a run, and a command that is interrupted while its run hangs."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psutil
import pytest

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.runtime.dagster_processes import what_is_missing
from whalefall_pipelines.runtime.embedded import open_database
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines_tests.cli.trees import WHALEFALL, Home, Up, eventually, launch_collection, running
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.conftest import Report
from whalefall_pipelines_tests.faults.fault import POSTGRESQL, Fault, parameters
from whalefall_pipelines_tests.faults.matrix import HUNG, RESTARTS
from whalefall_pipelines_tests.faults.processes import Installation
from whalefall_pipelines_tests.faults.scene import Scene
from whalefall_pipelines_tests.faults.seams import Holder, Stop, stopped_at
from whalefall_pipelines_tests.faults.targets import Targets
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy

pytestmark = pytest.mark.process
AWAY_SECONDS = 2
STATUS = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


@pytest.fixture
def home(prepared_home: Callable[..., Home]) -> Home:
    """A home whose store runs without `whalefall up`."""
    made = prepared_home({"WHALEFALL_PARALLEL_INSTANCES": "1"})
    made.succeed("store", "start")
    return made


@contextmanager
def scene_at(home: Home, targets: Targets) -> Generator[Scene]:
    """Two real servers registered in the store of a home, for today."""
    configured = load_settings(home.environment)
    target, now = targets.of(POSTGRESQL), datetime.now(UTC)
    with closing(open_database(configured)) as store, ChaosProxy(target.host, target.port) as proxy:
        day = today(now, store.timezone)
        yield Scene(
            store, home.folder, {}, target=target, neighbour=target, proxy=proxy, now=now, day=day, timezone=store.timezone, parallel=1
        )


def status_of(up: Up, run_id: str) -> str | None:
    """Dagster's status of a run; nothing while its web server cannot reach the store."""
    answer = up.ask(STATUS, {"id": run_id})
    return answer["runOrError"]["status"] if answer else None


def restart(home: Home, scene: Scene) -> None:
    home.succeed("store", "stop")
    time.sleep(AWAY_SECONDS)
    home.succeed("store", "start")
    scene.mended_at = time.monotonic()


@contextmanager
def at_the_second_server(scene: Scene) -> Generator[Holder]:
    with stopped_at(scene.store, Stop("database_size_stats", "insert", f"new.instance_id = {scene.target_id()}")) as holder:
        yield holder


@dataclass
class Terminal:
    """A command with its own terminal, and all its output there."""

    process: subprocess.Popen[bytes]
    shown: bytearray = field(default_factory=bytearray)

    def text(self) -> str:
        """The end of it."""
        return self.shown[-1000:].decode(errors="replace")

    def run(self) -> psutil.Process:
        """The Dagster process below it."""
        (child,) = psutil.Process(self.process.pid).children()
        return child


@contextmanager
def collect(home: Home) -> Generator[Terminal]:
    """`whalefall collect` in a terminal."""
    ours, its = os.openpty()
    process = subprocess.Popen([*WHALEFALL, "collect"], env=home.environment, cwd=home.checkout, stdin=its, stdout=its, stderr=its)
    os.close(its)
    terminal = Terminal(process)

    def read() -> None:
        with contextlib.suppress(OSError):  # this is how a terminal signals its end
            while chunk := os.read(ours, 4096):
                terminal.shown.extend(chunk)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield terminal
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            for left in [*psutil.Process(process.pid).children(recursive=True), process]:
                left.kill()
        process.wait(10)
        reader.join()
        os.close(ours)


def watched_by_a_command(home: Home, scene: Scene) -> None:
    with at_the_second_server(scene) as holder, collect(home) as command:
        holder.wait_for_somebody(command.text, seconds=60)
        restart(home, scene)
        assert command.process.wait(90) == 0, command.text()
        assert b"2/2" in command.shown  # the progress bar continued


def watched_by_the_daemon(home: Home, scene: Scene) -> None:
    with running(home, free_port()) as up:
        with at_the_second_server(scene) as holder:
            run_id = launch_collection(up, load_settings(home.environment))
            holder.wait_for_somebody(up.output, seconds=90)
            restart(home, scene)
        assert eventually(lambda: status_of(up, run_id) == "SUCCESS", seconds=90), up.output()
        since = time.time()
        assert eventually(lambda: what_is_missing(up.port, since, up.secret) is None, seconds=90), what_is_missing(
            up.port, since, up.secret
        )
    home.succeed("store", "start")


WATCHERS = {
    "store restarted while `whalefall collect` watches its run": watched_by_a_command,
    "store restarted while the daemon watches a run": watched_by_the_daemon,
}


@pytest.mark.parametrize(("fault", "engine"), parameters(RESTARTS))
def test_watching_a_run_survives_a_restart_of_the_store(fault: Fault, engine: str, home: Home, targets: Targets, report: Report) -> None:
    with scene_at(home, targets) as scene:

        def look() -> None:
            scene.find_session()
            scene.look_for(fault)
            runs = "select count(*) from sync_sessions where run_id is not null and sync_category = 'capacity'"
            assert query(scene.store, runs) == [(1,)]  # and no retry

        report(fault, engine, scene.pass_through(nullcontext(), look, lambda: WATCHERS[fault.name](home, scene)))


@pytest.mark.parametrize(("fault", "engine"), parameters((HUNG,)))
def test_ctrl_c_ends_an_unresponsive_run(fault: Fault, engine: str, home: Home, targets: Targets, report: Report) -> None:
    with scene_at(home, targets) as scene:

        def work() -> None:
            with at_the_second_server(scene) as holder, collect(home) as command:
                holder.wait_for_somebody(command.text, seconds=60)
                run = command.run()
                run.suspend()
                command.process.send_signal(signal.SIGINT)
                assert command.process.wait(60) == 2, command.text()
                assert "interrupted" in command.text()
                assert not run.is_running()
                scene.mended_at = time.monotonic()
                holder.let_go()
                assert eventually(lambda: not query(scene.store, "select 1 from pg_stat_activity where wait_event = 'advisory'"))

        def look() -> None:
            scene.find_session()
            seen = scene.seen()
            assert (seen.status, seen.code) == ("cancelled", fault.code), seen
            assert fault.says in seen.sentence, seen

        report(fault, engine, scene.pass_through(nullcontext(), look, work))


@pytest.mark.faults
def test_aggregate_survives_a_restart_of_the_store(home: Home, targets: Targets) -> None:
    with scene_at(home, targets) as scene:
        scene.run(scene.day)
        made = Installation(home.folder, home.environment)
        with stopped_at(scene.store, Stop("database_size_aggregations", "insert")) as holder:
            command = made.start("aggregate", "--period", "daily", "--start", str(scene.day))
            holder.wait_for_somebody(command.output)
            restart(home, scene)
        assert command.wait() == 0, command.output()
        assert query(scene.store, "select status from sync_sessions where sync_category = 'aggregation'") == [("completed",)]
        computed = "select max_bytes from database_size_aggregations order by 1"
        assert query(scene.store, computed) == query(scene.store, "select total_bytes from database_size_stats order by 1")
