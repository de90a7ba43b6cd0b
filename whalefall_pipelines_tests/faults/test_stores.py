"""A failing store: runs retry through a short outage, end with one sentence after a long one, and nothing is half stored."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from whalefall_pipelines.domain.sessions import RunState
from whalefall_pipelines.sessions.end_dead_sessions import end_dead_sessions
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.factories import query, server
from whalefall_pipelines_tests.faults.conftest import Report
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.matrix import BROKEN_STORES, STORES
from whalefall_pipelines_tests.faults.scene import NEIGHBOUR, TARGET, Scene
from whalefall_pipelines_tests.faults.seams import Stop, stopped_at
from whalefall_pipelines_tests.faults.stores import Store, filled, own_store, small_disk
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy

pytestmark = pytest.mark.process
Break = Callable[[Scene, Store], AbstractContextManager[None]]


def scene_of(store: Store, folder: Path) -> Scene:
    # The target is probed last, and the store fails meanwhile.
    return Scene(store.database, folder / "home", {NEIGHBOUR: server(), TARGET: server({"app": 5, "crm": 6})}, parallel=1)


@contextmanager
def during_the_probe(scene: Scene, happens: Callable[[], object]) -> Generator[None]:
    is_done = False

    def once(_: object) -> None:
        nonlocal is_done
        if not is_done:
            is_done = True
            happens()

    scene.servers[TARGET].on_probe = once
    yield
    scene.servers[TARGET].on_probe = None


def restarted(scene: Scene, store: Store) -> AbstractContextManager[None]:
    def restart() -> None:
        store.restart(after_seconds=2)
        scene.mended_at = time.monotonic()

    return during_the_probe(scene, restart)


@contextmanager
def used_up(scene: Scene, store: Store) -> Generator[None]:
    is_used_up, is_over = threading.Event(), threading.Event()

    def use_up() -> None:
        scene.store.close()
        with store.used_up():
            is_used_up.set()
            is_over.wait(2)
        scene.mended_at = time.monotonic()

    hog = threading.Thread(target=use_up)

    def begin() -> None:
        hog.start()
        assert is_used_up.wait(10)

    with during_the_probe(scene, begin):
        yield
    hog.join()


@contextmanager
def killed_at_commit(scene: Scene, store: Store) -> Generator[None]:
    stop = Stop("sync_instance_records", "update", f"new.status = 'completed' and new.instance_id = {scene.target_id()}", at_commit=True)
    with stopped_at(store.database, stop) as holder:

        def kill() -> None:
            holder.wait_for_somebody()
            store.restart(crash=True)
            scene.mended_at = time.monotonic()

        killer = threading.Thread(target=kill)
        killer.start()
        yield
        killer.join()


@contextmanager
def without_its_month(scene: Scene, store: Store) -> Generator[None]:
    month = f"{scene.day:%Y_%m}"
    for table in ("database_size_stats", "instance_size_stats"):
        # The day before is in the same month, so its rows are restored without the run's knowledge.
        query(store.database, f"create table kept_{table} as select * from {table}; drop table {table}_{month}; select 1")
    yield
    for table in ("database_size_stats", "instance_size_stats"):
        query(store.database, f"insert into {table} select * from kept_{table}; select 1")


@contextmanager
def answer_lost(scene: Scene, store: Store) -> Generator[None]:
    """The commit of the target's rows succeeds, but its answer never reaches the run."""
    stop = Stop("sync_instance_records", "update", f"new.status = 'completed' and new.instance_id = {scene.target_id()}", at_commit=True)
    with ChaosProxy(store.cluster.host, store.cluster.port) as proxy, store.through(proxy) as database:
        scene.store, direct = database, scene.store
        with stopped_at(direct, stop) as holder:

            def cut() -> None:
                holder.wait_for_somebody()
                proxy.cut()
                holder.let_go()
                proxy.has_cut.wait(10)
                proxy.heal()
                scene.mended_at = time.monotonic()

            cutter = threading.Thread(target=cut)
            cutter.start()
            yield
            cutter.join()
        assert proxy.has_cut.is_set()
        scene.store = direct


BREAKS: dict[str, Break] = {
    "store restarted during a run": restarted,
    "store out of connections": used_up,
    "store killed with -9 during a commit": killed_at_commit,
    "answer of the store to a commit lost": answer_lost,
    "missing table partition": without_its_month,
}


@pytest.mark.parametrize(("fault", "engine"), parameters(STORES))
def test_a_short_outage_of_the_store_is_waited_for(fault: Fault, engine: str, tmp_path: Path, report: Report) -> None:
    with own_store(tmp_path / "store") as store:
        scene = scene_of(store, tmp_path)
        seconds = scene.pass_through(BREAKS[fault.name](scene, store), lambda: scene.look_for(fault))
        assert scene.error is None
        report(fault, engine, seconds)


@contextmanager
def away(scene: Scene, store: Store) -> Generator[None]:
    scene.outage_seconds, scene.run_id = 1, "lost"
    with during_the_probe(scene, store.cluster.stop):
        yield
    scene.run_id = None
    store.restart()
    scene.mended_at = time.monotonic()
    (ended,) = end_dead_sessions(store.database, lambda run_ids: dict.fromkeys(run_ids, RunState.FAILED))
    assert ended.session.run_id == "lost"


def disk_full(scene: Scene, store: Store) -> AbstractContextManager[None]:
    return filled(store.cluster.folder)


@contextmanager
def in_the_way(scene: Scene, store: Store) -> Generator[None]:
    with without_its_month(scene, store):
        name = f"database_size_stats_{scene.day:%Y_%m}"
        query(store.database, f"create table {name} (somebody text); select 1")
        yield
        query(store.database, f"drop table {name}; select 1")
        ensure_months(store.database, [scene.day])


BROKEN: dict[str, Break] = {
    "store unavailable for longer than a run waits": away,
    "disk full on the store": disk_full,
    "another table with the name of a month": in_the_way,
}


@pytest.mark.parametrize(("fault", "engine"), parameters(BROKEN_STORES))
def test_a_broken_store_ends_the_run_with_one_sentence(fault: Fault, engine: str, tmp_path: Path, report: Report) -> None:
    with ExitStack() as stack:
        if fault.name == "disk full on the store":
            # The WAL is on another disk, as it should be: without space for it PostgreSQL stops completely.
            disk = stack.enter_context(small_disk(tmp_path / "disk"))
            store = stack.enter_context(own_store(disk / "store", (f"--waldir={tmp_path / 'wal'}",)))
        else:
            store = stack.enter_context(own_store(tmp_path / "store"))
        scene = scene_of(store, tmp_path)

        def look() -> None:
            assert fault.says in str(scene.error), scene.error
            seen = scene.seen(NEIGHBOUR if fault.name == "disk full on the store" else TARGET)
            assert (seen.status, seen.code) == ("failed", fault.code), seen

        report(fault, engine, scene.pass_through(BROKEN[fault.name](scene, store), look))
