"""Concurrent work: two runs of the same day, a person during a run, and a run after one whose machine was lost or only froze."""

import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, nullcontext

import pytest

from whalefall_pipelines.domain.sessions import RunState
from whalefall_pipelines.sessions.end_dead_sessions import end_dead_sessions, end_sessions_without_process
from whalefall_pipelines_tests.cli.trees import eventually
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.conftest import ProcessStage, Report
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.matrix import TOGETHER
from whalefall_pipelines_tests.faults.processes import Installation, Process
from whalefall_pipelines_tests.faults.scene import NEIGHBOUR, Scene
from whalefall_pipelines_tests.faults.seams import Holder, Stop, stopped_at

pytestmark = pytest.mark.process
Meanwhile = Callable[[Scene, Installation, Process, Holder], None]


@contextmanager
def stopped_run(scene: Scene, installation: Installation) -> Generator[tuple[Process, Holder]]:
    """A run that is stopped at its second instance, about to write its sizes."""
    with stopped_at(scene.store, Stop("database_size_stats", "insert", f"new.instance_id = {scene.target_id()}")) as holder:
        run = installation.start("collect")
        holder.wait_for_somebody(run.output)
        yield run, holder


def two_runs(scene: Scene, installation: Installation, run: Process, holder: Holder) -> None:
    second = installation.start("collect")
    assert second.wait() == 2
    assert "has been collecting these days since" in second.output()
    assert "instances done). Wait until it ends" in second.output()
    opened = query(scene.store, "select status, error_code from sync_sessions where run_id is not null order by started_at")
    assert opened == [("running", None), ("failed", "SESSION_RUNNING")]
    holder.let_go()
    assert run.wait() == 0, run.output()
    scene.mended_at = time.monotonic()


def by_hand(scene: Scene, installation: Installation, run: Process, holder: Holder) -> None:
    hands = installation.start("collect", "--instance", "target"), installation.start("collect", "--instance", NEIGHBOUR)
    assert hands[1].wait() == 0, hands[1].output()  # which the run has completed already
    time.sleep(1)
    assert hands[0].process.poll() is None  # it waits until the run has finished this instance
    holder.let_go()
    assert run.wait() == 0, run.output()
    assert hands[0].wait() == 0, hands[0].output()
    scene.mended_at = time.monotonic()


def frozen(scene: Scene, installation: Installation, run: Process, holder: Holder) -> None:
    worker = run.worker()
    worker.send_signal(signal.SIGSTOP)
    scene.mended_at = time.monotonic()
    holder.let_go()
    assert eventually(lambda: not query(scene.store, "select 1 from pg_stat_activity where wait_event = 'advisory'"))
    ended = end_dead_sessions(scene.store, lambda ids: dict.fromkeys(ids, RunState.FAILED))
    assert len(ended) == 1  # which took until the store ended the transaction that the frozen run holds locks in
    scene.run(scene.day)
    assert scene.error is None
    worker.send_signal(signal.SIGCONT)
    assert run.wait() == 2, run.output()


def machine_lost(scene: Scene, installation: Installation, run: Process, holder: Holder) -> None:
    run.end()
    scene.mended_at = time.monotonic()
    holder.let_go()
    early = installation.start("collect")
    assert early.wait() == 2
    assert "has been collecting these days since" in early.output()  # nobody can know yet

    def is_ended() -> bool:
        end_sessions_without_process(scene.store)
        return query(scene.store, "select 1 from sync_sessions where status = 'running'") == []

    assert eventually(is_ended, seconds=90)


MEANWHILE: dict[str, Meanwhile] = {
    "two runs at once": two_runs,
    "one instance collected by hand during a run": by_hand,
    "run frozen and taken for dead": frozen,
    "run and command killed together": machine_lost,
}


@pytest.mark.parametrize(("fault", "engine"), parameters(TOGETHER))
def test_concurrent_runs_do_not_disturb_each_other(fault: Fault, engine: str, process_stage: ProcessStage, report: Report) -> None:
    scene, installation = process_stage(engine)

    def work() -> None:
        with stopped_run(scene, installation) as (run, holder):
            MEANWHILE[fault.name](scene, installation, run, holder)

    def look() -> None:
        scene.find_session()
        seen, neighbour = scene.seen(), scene.seen(NEIGHBOUR)
        assert (seen.code, neighbour.record) == (fault.code, "completed"), seen
        assert seen.status == ("failed" if fault.code else "completed"), seen
        assert fault.says in seen.sentence, seen

    report(fault, engine, scene.pass_through(nullcontext(), look, work))
