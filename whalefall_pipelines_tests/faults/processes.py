"""Real runs in their own processes: `whalefall collect`, and the Dagster process below it, to be killed with -9.

The points where runs are stopped are in `seams.py`, the processes of `whalefall up` in `cli/trees.py`.
"""

import contextlib
import itertools
import os
import signal
import subprocess
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from whalefall_pipelines.runtime.dagster_environment import dagster_environment
from whalefall_pipelines.runtime.dagster_processes import migrate
from whalefall_pipelines.runtime.embedded import StoreAddress
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.cli.trees import REPOSITORY, WHALEFALL
from whalefall_pipelines_tests.conftest import TIMEZONE, libpq_url

_numbers = itertools.count()


@dataclass(frozen=True)
class Installation:
    """A store with Dagster's database beside it, and the environment in which `whalefall` uses them."""

    home: Path
    environment: Mapping[str, str]
    started: list["Process"] = field(default_factory=list["Process"])

    def start(self, *arguments: str, program: Sequence[str] = WHALEFALL) -> "Process":
        """Start a command, or another program with these arguments, and return without waiting."""
        log = self.home.parent / f"said-{next(_numbers)}.txt"
        with log.open("wb") as output:
            process = subprocess.Popen([*program, *arguments], env=self.environment, cwd=REPOSITORY, stdout=output, stderr=output)
        self.started.append(Process(process, log))
        return self.started[-1]


@dataclass(frozen=True)
class Process:
    """A running command."""

    process: subprocess.Popen[bytes]
    log: Path

    def worker(self) -> psutil.Process:
        """The process that does the work of a run."""
        (worker,) = psutil.Process(self.process.pid).children()
        return worker

    def kill_worker(self) -> None:
        """End the run's own process; the command above it notices."""
        self.worker().send_signal(signal.SIGKILL)

    def wait(self, *, seconds: float = 60) -> int:
        """The exit code."""
        return self.process.wait(seconds)

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def end(self) -> None:
        """End every process of the command."""
        with contextlib.suppress(psutil.NoSuchProcess):
            command = psutil.Process(self.process.pid)
            for process in [*command.children(recursive=True), command]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait(10)


def make_dagster_template(server: PostgresCluster, folder: Path) -> str:
    """A database with Dagster's tables, to be cloned, because creating them takes seconds."""
    administer(server, "create database dagster_template")
    configured = load_settings({"WHALEFALL_HOME": str(folder), "WHALEFALL_DATABASE_URL": server.url("dagster_template")})
    address = StoreAddress(*(parse_url(server.url("dagster_template")) for _ in range(2)), is_embedded=False)
    migrate(configured, os.environ | {"PYTHONPATH": str(REPOSITORY)} | dagster_environment(configured, address, TIMEZONE))
    return "dagster_template"


@contextmanager
def installation(server: PostgresCluster, template: str, store: Database, folder: Path) -> Generator[Installation]:
    """An installation over this store that probes one server after the other."""
    dagster = f"dagster_{next(_numbers)}"
    administer(server, f"create database {dagster} template {template}")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WHALEFALL_", "DAGSTER_", "PG"))}
    made = Installation(
        folder / "home",
        kept
        | {
            "PYTHONPATH": str(REPOSITORY),
            "WHALEFALL_HOME": str(folder / "home"),
            "WHALEFALL_DATABASE_URL": libpq_url(store.url),
            "WHALEFALL_DAGSTER_DATABASE_URL": server.url(dagster),
            "WHALEFALL_TIMEZONE": TIMEZONE.key,
            "WHALEFALL_PARALLEL_INSTANCES": "1",
        },
    )
    yield made
    for process in made.started:
        process.end()
    administer(server, f"drop database {dagster} with (force)")
