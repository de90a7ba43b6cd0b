"""Three zones through a real Redis, against one process that reaches all of them: the same rows, the time, and the memory of a worker."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import psutil
import yaml
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.launcher import LaunchRunContext
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.runtime import dagster_processes, embedded
from whalefall_pipelines.runtime.dagster_environment import dagster_environment
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.workers.queues import make_queues
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.benchmarks.servers import embedded_store
from whalefall_pipelines_tests.benchmarks.zone_servers import DATABASES, defs
from whalefall_pipelines_tests.cli.trees import REPOSITORY
from whalefall_pipelines_tests.factories import query

SERVERS, ROUNDS = 3000, 3
ZONES = ("centre", "dmz-north", "dmz-south")
CENTRE, *_ = ZONES
# A worker that reaches all of them, and takes the place of that of the centre for runs without a zone.
EVERYWHERE = "everywhere"
_POINTER = ModuleCodePointer("whalefall_pipelines_tests.benchmarks.zone_servers", "defs")
_ORIGIN = JobPythonOrigin("collect_capacity", RepositoryPythonOrigin(sys.executable, _POINTER, None, None, None))
_ROWS = (
    "select instance_id, database_name, stat_date, total_bytes, data_bytes, log_bytes, provenance, method "
    "from database_size_stats order by 1, 2, 3"
)


@dataclass(frozen=True, slots=True)
class Scene:
    """The store, Dagster, and what it takes to launch runs."""

    store: Database
    dagster: dg.DagsterInstance
    day: str

    def collect(self, tags: Sequence[dict[str, str]]) -> float:
        """Launch a run for each of these tags, and return the seconds until all of them have succeeded."""
        with self.store.transaction() as cursor:
            cursor.execute("truncate database_size_stats, instance_size_stats, capacity_gaps, sync_instance_records, sync_sessions")
        job = defs.get_repository_def().get_job("collect_capacity")
        runs = [
            self.dagster.create_run_for_job(job, tags={"dagster/partition": self.day, **each}, job_code_origin=_ORIGIN) for each in tags
        ]
        begun = time.monotonic()
        for run in runs:
            self.dagster.run_launcher.launch_run(LaunchRunContext(run, None))
        while not all(run.is_finished for run in self._now(runs)):
            time.sleep(0.05)
        seconds = time.monotonic() - begun
        assert {run.status for run in self._now(runs)} == {dg.DagsterRunStatus.SUCCESS}
        return seconds

    def _now(self, runs: Sequence[dg.DagsterRun]) -> Sequence[dg.DagsterRun]:
        return self.dagster.get_runs(dg.RunsFilter(run_ids=[run.run_id for run in runs]))

    def rows(self) -> list[tuple[object, ...]]:
        return query(self.store, _ROWS)


def _register(store: Database) -> None:
    query(store, "insert into zones (name) values ('dmz-north'), ('dmz-south') returning 1")
    query(
        store,
        "with made as (insert into credentials (name, username) values ('benchmark', 'monitor') returning credential_id) "
        "insert into instances (name, engine, host, port, credential_id, zone) "
        "select 'target-' || n, 'postgresql', '127.0.0.1', n, credential_id, (array[null, 'dmz-north', 'dmz-south'])[1 + n %% 3] "
        "from made, generate_series(1, %s) as n returning 1",
        SERVERS,
    )


@contextmanager
def _redis(folder: Path) -> Generator[str]:
    port = free_port()
    folder.mkdir()
    command = ["redis-server", str(REPOSITORY / "deploy" / "redis.conf"), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        yield f"redis://127.0.0.1:{port}/0"
        process.terminate()


@contextmanager
def _worker(queue: str, zones: Sequence[str]) -> Generator[psutil.Process]:
    app = ["--app", "whalefall_pipelines.workers.app", "worker", "--queues", queue, "--concurrency", "1", "--loglevel", "WARNING"]
    environment = os.environ | {"WHALEFALL_ZONES": ",".join(zones)}
    command = [sys.executable, "-m", "celery", *app, "--hostname", f"{queue}@benchmark"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield psutil.Process(process.pid)
        process.terminate()


def _mebibytes(worker: psutil.Process) -> float:
    """The memory that belongs to a worker: its supervisor and its one slot."""
    total = 0
    for process in [worker, *worker.children(recursive=True)]:
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total / 2**20


def run(folder: Path) -> None:
    """Measure in this process, whose environment becomes that of the workers, and print the result."""
    with ExitStack() as stack:
        store = stack.enter_context(embedded_store(folder / "home"))
        _register(store)
        os.environ |= {"WHALEFALL_BROKER_URL": stack.enter_context(_redis(folder / "redis")), "WHALEFALL_HOME": str(folder / "home")}
        settings = load_settings()
        os.environ |= dagster_environment(settings, embedded.address(settings), store.timezone)
        base, zones = (yaml.safe_load((REPOSITORY / name).read_text()) for name in ("dagster.yaml", "deploy/dagster-zones.yaml"))
        configuration = Path(os.environ["DAGSTER_HOME"]) / "dagster.yaml"
        configuration.unlink()
        configuration.write_text(yaml.safe_dump(base | zones))
        dagster_processes.migrate(settings, dict(os.environ))
        workers = [stack.enter_context(_worker(zone, [zone])) for zone in ZONES]
        stack.enter_context(_worker(EVERYWHERE, ZONES))
        scene = Scene(store, stack.enter_context(dg.DagsterInstance.get()), today(datetime.now(UTC), store.timezone).isoformat())
        rows: dict[str, list[tuple[object, ...]]] = {}
        control = make_queues(settings).control

        def measured(name: str, tags: Sequence[dict[str, str]]) -> float:
            listens, rests = (CENTRE, EVERYWHERE) if name == "zones" else (EVERYWHERE, CENTRE)
            control.add_consumer(CENTRE, destination=[f"{listens}@benchmark"], reply=True, timeout=5)
            control.cancel_consumer(CENTRE, destination=[f"{rests}@benchmark"], reply=True, timeout=5)
            seconds = scene.collect(tags)
            rows[name] = scene.rows()
            return seconds

        compared = alternate(
            lambda: measured("zones", [{"whalefall/zone": zone} for zone in ZONES]),
            lambda: measured("one", [{}]),
            ROUNDS,
        )
        assert len(rows["one"]) == SERVERS * DATABASES
        print(json.dumps([compared.ratio, str(compared), int(rows["zones"] != rows["one"]), max(map(_mebibytes, workers))]))


def measure(folder: Path) -> list[Figure]:
    """The ratio, the rows that differ, and the memory."""
    command = [sys.executable, "-m", "whalefall_pipelines_tests.benchmarks.zones", str(folder)]
    ratio, seconds, differ, peak = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    fleet = f"{SERVERS} fake servers of {DATABASES} databases in {len(ZONES)} zones"
    return [
        Figure("three zones through Redis / one process", ratio, 1.5, "x", f"{seconds}; {fleet}"),
        Figure("days whose rows differ", differ, 0, "", fleet),
        Figure("memory of a worker", peak, 256, "MiB", f"supervisor and one slot, {fleet}"),
    ]


if __name__ == "__main__":
    run(Path(sys.argv[1]))
