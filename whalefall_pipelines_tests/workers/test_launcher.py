"""The launcher of zones over a real Redis: the queue of each run, cancellation, and a Redis that lost its memory."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
import redis
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.launcher import LaunchRunContext, WorkerStatus
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster._core.storage.dagster_run import DagsterRunStatus
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

from whalefall_pipelines.definitions import defs
from whalefall_pipelines.errors import InputError
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.workers.launcher import ZoneRunLauncher
from whalefall_pipelines.workers.queues import ClaimedTask, broker_url, is_executed, make_queues
from whalefall_pipelines_tests.cli.trees import eventually

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed: apt-get install redis-server"),
]
ORIGIN = JobPythonOrigin(
    "collect_capacity",
    RepositoryPythonOrigin(sys.executable, ModuleCodePointer("whalefall_pipelines.definitions", "defs"), None, None, None),
)
JOB = defs.get_repository_def().get_job("collect_capacity")


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    """A Redis of this test, which the settings name."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(tmp_path), "--appendonly", "yes"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process, closing(redis.Redis(port=port)) as client:
        monkeypatch.setenv("WHALEFALL_BROKER_URL", f"redis://127.0.0.1:{port}/0")
        monkeypatch.setenv("WHALEFALL_HOME", str(tmp_path))
        for _ in range(600):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        yield client
        process.terminate()


@pytest.fixture
def stored_instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A Dagster instance that another process could open."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        yield instance


@pytest.fixture
def launcher(broker: redis.Redis, stored_instance: dg.DagsterInstance) -> ZoneRunLauncher:
    launcher = ZoneRunLauncher()
    launcher.register_instance(stored_instance)
    return launcher


def launched(launcher: ZoneRunLauncher, instance: dg.DagsterInstance, tags: dict[str, str]) -> dg.DagsterRun:
    run = instance.create_run_for_job(JOB, tags=tags, job_code_origin=ORIGIN)
    launcher.launch_run(LaunchRunContext(run, None))
    stored = instance.get_run_by_id(run.run_id)
    assert stored
    return stored


def test_every_run_waits_in_the_queue_of_its_zone(
    broker: redis.Redis, launcher: ZoneRunLauncher, stored_instance: dg.DagsterInstance
) -> None:
    for tags, queue in (({"whalefall/zone": "dmz"}, "dmz"), ({"whalefall/zone": "centre"}, "centre"), ({}, "centre")):
        before = broker.llen(queue)
        launched(launcher, stored_instance, tags)
        assert broker.llen(queue) == before + 1
    order = json.loads(broker.lindex("dmz", 0))
    assert order["headers"]["task"] == "execute_job"


def test_a_cancelled_run_is_told_first_so_that_it_shows_as_cancelled(
    launcher: ZoneRunLauncher, stored_instance: dg.DagsterInstance
) -> None:
    run = launched(launcher, stored_instance, {"whalefall/zone": "dmz"})
    assert launcher.terminate(run.run_id)
    stored = stored_instance.get_run_by_id(run.run_id)
    assert stored
    assert stored.status is DagsterRunStatus.CANCELING
    stored_instance.report_run_canceled(stored)
    assert not launcher.terminate(run.run_id)
    assert not launcher.terminate("no such run")


def test_a_run_is_cancelled_without_redis_too(broker: redis.Redis, launcher: ZoneRunLauncher, stored_instance: dg.DagsterInstance) -> None:
    run = launched(launcher, stored_instance, {})
    broker.shutdown(nosave=True)
    assert launcher.terminate(run.run_id)
    stored = stored_instance.get_run_by_id(run.run_id)
    assert stored
    assert stored.status is DagsterRunStatus.CANCELING


def test_a_run_is_lost_once_redis_answers_for_a_while_and_has_no_heartbeat(
    broker: redis.Redis, launcher: ZoneRunLauncher, stored_instance: dg.DagsterInstance
) -> None:
    patient, impatient = launcher, ZoneRunLauncher(dead_after_seconds=0)
    run = launched(launcher, stored_instance, {})
    broker.set(f"alive:{run.tags[DAGSTER_CELERY_TASK_ID_TAG]}", 1)
    assert [impatient.check_run_worker_health(run).status for _ in range(2)] == [WorkerStatus.RUNNING] * 2
    broker.flushall()  # as a Redis that came back empty
    assert [patient.check_run_worker_health(run).status for _ in range(2)] == [WorkerStatus.RUNNING] * 2
    lost = impatient.check_run_worker_health(run)
    assert lost.status is WorkerStatus.FAILED
    assert "no heartbeat" in str(lost.msg)
    assert launcher.get_run_worker_debug_info(run) == "queue centre"
    broker.shutdown(nosave=True)
    assert impatient.check_run_worker_health(run).status is WorkerStatus.RUNNING


def test_an_order_has_heartbeats_while_it_is_executed(broker: redis.Redis) -> None:
    app = make_queues(load_settings())

    @app.task(base=ClaimedTask, shared=False)
    def execute() -> bool:
        return eventually(lambda: is_executed(app, "order"))

    assert is_executed(app, "order") is False
    assert execute.apply(task_id="order").get()
    assert is_executed(app, "order") is False
    broker.shutdown(nosave=True)
    assert is_executed(app, "order") is None


def test_an_order_that_is_delivered_twice_is_executed_once(broker: redis.Redis) -> None:
    executed: list[str] = []
    app = make_queues(load_settings())

    @app.task(base=ClaimedTask, shared=False)
    def execute(run_id: str) -> str:
        executed.append(run_id)
        return run_id

    answers = [execute.apply(("run",), task_id=order).get() for order in ("first", "first", "second")]
    assert executed == ["run", "run"]
    assert answers == ["run", None, "run"]
    assert broker.ttl("claim:first") > 3600


def test_without_a_broker_it_says_which_variable_is_missing() -> None:
    with pytest.raises(InputError, match="WHALEFALL_BROKER_URL"):
        broker_url(load_settings({}))
