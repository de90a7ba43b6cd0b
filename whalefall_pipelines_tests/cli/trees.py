"""Runs the `whalefall` command as people do, each test in its own home, and finds every process that it leaves behind."""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.settings import Settings

REPOSITORY = Path(__file__).parents[2]
WHALEFALL = (sys.executable, "-c", "from whalefall_pipelines.cli.main import main; main()")
MARK = "TEST_MARK_OF_WHALEFALL"
LAUNCH = """mutation($parameters: ExecutionParams!) {
  launchPipelineExecution(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}"""


@dataclass
class Home:
    """A folder for WHALEFALL_HOME, and an environment into which nothing of this machine leaks."""

    folder: Path
    more: Mapping[str, str] = field(default_factory=dict[str, str])
    checkout: Path = REPOSITORY

    def __post_init__(self) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("WHALEFALL_", "DAGSTER_", "PG"))}
        ours = {"WHALEFALL_HOME": str(self.folder), "PYTHONPATH": str(self.checkout), MARK: str(uuid4())}
        self.environment = kept | ours | dict(self.more)

    def run(self, *arguments: str, environment: Mapping[str, str] | None = None, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run the command to its end."""
        variables = self.environment | dict(environment or {})
        return subprocess.run(
            [*WHALEFALL, *arguments], env=variables, capture_output=True, text=True, check=False, timeout=seconds, cwd=self.checkout
        )

    def succeed(self, *arguments: str, seconds: float = 60) -> str:
        """The output of a command that must succeed."""
        result = self.run(*arguments, seconds=seconds)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this home: by the mark in its environment, or by working in its folder as PostgreSQL does."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            works_here = Path(process.cwd()).is_relative_to(self.folder)
            return works_here or process.environ().get(MARK) == self.environment[MARK]
        except (psutil.NoSuchProcess, psutil.AccessDenied, OSError):
            return False

    def end(self) -> None:
        """End every process, whatever the test did, and those that a server forks while its others are killed."""
        deadline = time.monotonic() + 30
        while (going := self.processes()) and time.monotonic() < deadline:
            for process in going:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            psutil.wait_procs(going, timeout=1)


def command_line(process: psutil.Process) -> list[str]:
    """The words of its command; none when it ended after it was listed."""
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


def eventually(holds: Callable[[], object], *, seconds: float = 15) -> bool:
    """Wait until the condition holds; False if it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


class Up:
    """A running `whalefall up`."""

    def __init__(self, home: Home, port: int) -> None:
        self.home, self.port = home, port
        self.log = home.folder.parent / f"up-{port}.txt"
        command = [*WHALEFALL, "up", "--port", str(port)]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(command, env=home.environment, cwd=home.checkout, stdout=output, stderr=output)

    def output(self) -> str:
        return self.log.read_text()

    def wait_until_ready(self) -> None:
        assert eventually(lambda: "whalefall is up" in self.output() or self.process.poll() is not None, seconds=180), self.output()
        assert self.process.poll() is None, self.output()

    def part(self, word: str) -> psutil.Process:
        (supervisor,) = psutil.Process(self.process.pid).children()
        (part,) = [process for process in supervisor.children() if word in command_line(process)]
        return part

    @cached_property
    def secret(self) -> str:
        """A token with which tests pass the gate."""
        return self.home.succeed("tokens", "create", f"tests {uuid4()}", "--scope", "admin", "--access").strip()

    def ask(self, query: str, variables: Mapping[str, object] | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(
                "POST",
                "/dagster/graphql",
                json.dumps({"query": query, "variables": variables or {}}),
                {"Content-Type": "application/json", "Authorization": f"Bearer {self.secret}"},
            )
            return json.loads(connection.getresponse().read())["data"]
        finally:
            connection.close()


@contextlib.contextmanager
def running(home: Home, port: int) -> Generator[Up]:
    """`whalefall up` for the length of the block, ready when the block begins."""
    up = Up(home, port)
    try:
        up.wait_until_ready()
        yield up
    finally:
        home.end()
        up.process.wait(10)


def launch_collection(up: Up, configured: Settings) -> str:
    """Launch a collection of today through the web server, as a click in the UI does."""
    return launch_run(up, configured, "collect_capacity")


def launch_run(up: Up, configured: Settings, job: str, day: date | None = None, *, zone: str | None = None) -> str:
    """Launch a run of this job for a day, or for today; in a zone, or without one."""
    tags = [{"key": "dagster/partition", "value": str(day or today(datetime.now(UTC), configured.timezone))}]
    tags += [{"key": "whalefall/zone", "value": zone}] if zone else []
    selector = {"repositoryLocationName": "whalefall_pipelines", "repositoryName": "__repository__", "pipelineName": job}
    parameters = {"selector": selector, "mode": "default", "executionMetadata": {"tags": tags}}
    answer = up.ask(LAUNCH, {"parameters": parameters})["launchPipelineExecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer
    return answer["run"]["runId"]
