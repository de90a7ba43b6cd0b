"""A run that is killed with -9 at each of its steps: nothing is half done, its session ends, and the next run completes the day."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest

from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.conftest import ProcessStage, Report
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.matrix import KILLS, SERVER_STEPS
from whalefall_pipelines_tests.faults.processes import Installation
from whalefall_pipelines_tests.faults.scene import NEIGHBOUR, Scene
from whalefall_pipelines_tests.faults.seams import Holder, Stop, held, stopped_at

pytestmark = pytest.mark.process
_ITS = "new.instance_id = {target}"
STOPS = {
    "opening its session": Stop("sync_sessions", "insert"),
    "taking up an instance": Stop("sync_instance_records", "update", f"old.status = 'pending' and {_ITS}"),
    "writing the inventory": Stop("instance_databases", "update", _ITS),
    "writing sizes": Stop("database_size_stats", "insert", _ITS),
    "writing the total": Stop("instance_size_stats", "insert", _ITS),
    "marking the server as reached": Stop("instances", "update", _ITS),
    "closing the record": Stop("sync_instance_records", "update", f"new.status = 'completed' and {_ITS}"),
    "committing": Stop("sync_instance_records", "update", f"new.status = 'completed' and {_ITS}", at_commit=True),
    "closing its session": Stop("sync_sessions", "update", "new.status <> 'running'"),
}


@contextmanager
def at_the_store(scene: Scene, step: str) -> Generator[Holder]:
    if step == "waiting for the inventory":
        with held(scene.store, 740_031, scene.target_id()) as holder:
            yield holder
    else:
        stop = replace(STOPS[step], condition=STOPS[step].condition.format(target=scene.target_id()))
        with stopped_at(scene.store, stop) as holder:
            yield holder


def kill_at_the_store(scene: Scene, installation: Installation, step: str) -> str:
    with at_the_store(scene, step) as holder:
        run = installation.start("collect")
        holder.wait_for_somebody(run.output)
        run.kill_worker()
        scene.mended_at = time.monotonic()
        holder.let_go()
        assert run.wait() == 2
    return run.output()


def kill_at_the_server(scene: Scene, installation: Installation, after_bytes: int) -> str:
    assert scene.proxy
    scene.proxy.stall(after_bytes=after_bytes)
    run = installation.start("collect")
    assert scene.proxy.has_stalled.wait(40), run.output()
    run.kill_worker()
    scene.mended_at = time.monotonic()
    assert run.wait() == 2
    scene.proxy.heal()
    return run.output()


def bytes_before(scene: Scene) -> dict[str, int]:
    """How many bytes the server has sent when a step begins, measured in a probe without fault."""
    assert scene.proxy
    proxy, spoken, begun = scene.proxy, dict[str, int](), scene.proxy.forwarded_bytes

    def note(step: str) -> Callable[[], None]:
        def spoken_until_now() -> None:
            spoken.setdefault(step, proxy.forwarded_bytes - begun)

        return spoken_until_now

    steps = scene.steps
    steps.before_connecting, steps.before_listing, steps.before_measuring = (note(step) for step in SERVER_STEPS)
    scene.collect_the_day_before()
    scene.steps = type(steps)()
    return spoken


@pytest.mark.parametrize(("fault", "engine"), parameters(KILLS))
def test_a_killed_run_leaves_nothing_half_done(fault: Fault, engine: str, process_stage: ProcessStage, report: Report) -> None:
    scene, installation = process_stage(engine)
    step = fault.name.removeprefix("run killed with -9 while ")
    output = ""

    def work() -> None:
        nonlocal output
        if step in SERVER_STEPS:
            output = kill_at_the_server(scene, installation, spoken[step])
        else:
            output = kill_at_the_store(scene, installation, step)

    def look() -> None:
        assert fault.says in output, output
        if step == "opening its session":
            assert query(scene.store, "select * from sync_sessions where run_id is not null") == []
            return
        scene.find_session()
        seen, neighbour = scene.seen(), scene.seen(NEIGHBOUR)
        assert (seen.status, seen.code, neighbour.record) == ("failed", fault.code, "completed"), seen
        assert fault.says in seen.sentence, seen
        assert seen.reasons == set(), seen

    spoken = bytes_before(scene) if step in SERVER_STEPS else {}
    report(fault, engine, scene.pass_through(nullcontext(), look, work))
