"""A store that fails: runs wait out what is short, end with a sentence where it is long, and nothing is kept by halves."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from whalefall_pipelines_tests.factories import query, server
from whalefall_pipelines_tests.faults.conftest import Report
from whalefall_pipelines_tests.faults.matrix import DISK, STORES, Fault, parameters
from whalefall_pipelines_tests.faults.scene import NEIGHBOUR, TARGET, Scene
from whalefall_pipelines_tests.faults.seams import Stop, stopped_at
from whalefall_pipelines_tests.faults.stores import Store, own_store, small_disk

pytestmark = pytest.mark.process
Break = Callable[[Scene, Store], AbstractContextManager[None]]


def scene_of(store: Store, folder: Path) -> Scene:
    # The target is visited last, and the store fails while it is.
    return Scene(store.database, folder / "home", {NEIGHBOUR: server(), TARGET: server({"app": 5, "crm": 6})}, parallel=1)


@contextmanager
def during_the_visit(scene: Scene, happens: Callable[[], None]) -> Generator[None]:
    is_done = False

    def once(_: object) -> None:
        nonlocal is_done
        if not is_done:
            is_done = True
            happens()

    scene.servers[TARGET].on_visit = once
    yield
    scene.servers[TARGET].on_visit = None


def restarted(scene: Scene, store: Store) -> AbstractContextManager[None]:
    def restart() -> None:
        store.restart(after_seconds=2)
        scene.mended_at = time.monotonic()

    return during_the_visit(scene, restart)


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

    with during_the_visit(scene, begin):
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
        # The day before is of the same month, so its rows are put back behind the run's back.
        query(store.database, f"create table kept_{table} as select * from {table}; drop table {table}_{month}; select 1")
    yield
    for table in ("database_size_stats", "instance_size_stats"):
        query(store.database, f"insert into {table} select * from kept_{table}; select 1")


BREAKS: dict[str, Break] = {
    "store restarted in mid-run": restarted,
    "store out of connections": used_up,
    "store killed with -9 during a commit": killed_at_commit,
    "missing table partition": without_its_month,
}


@pytest.mark.parametrize(("fault", "engine"), parameters(STORES))
def test_a_store_that_fails_for_a_moment_is_waited_for(fault: Fault, engine: str, tmp_path: Path, report: Report) -> None:
    with own_store(tmp_path / "store") as store:
        scene = scene_of(store, tmp_path)
        seconds = scene.pass_through(BREAKS[fault.name](scene, store), lambda: scene.look_for(fault))
        assert scene.error is None
        report(fault, engine, seconds)


@pytest.mark.faults
def test_a_full_disk_ends_the_run_with_a_sentence_and_keeps_nothing_by_halves(tmp_path: Path, report: Report) -> None:
    with small_disk(tmp_path / "disk") as disk, own_store(disk.folder / "store", (f"--waldir={tmp_path / 'wal'}",)) as store:
        scene = scene_of(store, tmp_path)

        def look() -> None:
            assert "No space left on device" in str(scene.error), scene.error
            assert (scene.seen(NEIGHBOUR).code, scene.seen(NEIGHBOUR).status) == (DISK.code, "failed"), scene.seen(NEIGHBOUR)

        report(DISK, "store", scene.pass_through(disk.full(), look))
