"""The commands of Dagster's processes for `whalefall up`, and their health check. Dagster is not imported here.

`installation/cli/up.py` starts and ends them; `dagster_environment.py` has their environment.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.runtime.processes import last_lines
from whalefall_pipelines.settings import Settings

LOCATION = "whalefall_pipelines"
HOST = "127.0.0.1"
MIGRATION_SECONDS = 300
_ASK_SECONDS = 10
_QUESTION = """{
  workspaceOrError {
    ... on Workspace { locationEntries { locationOrLoadError { __typename ... on PythonError { message } } } }
    ... on PythonError { message }
  }
  instance { daemonHealth { allDaemonStatuses { daemonType required lastHeartbeatTime } } }
}"""


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that is not ready: its name, its state, and whether waiting may help."""

    part: str
    state: str
    is_final: bool = False


def code_server(socket: Path) -> list[str]:
    """The process that has our definitions and starts every run. It listens on a socket, because anyone who reaches it can run code."""
    options = ["--socket", str(socket), "--module-name", f"{LOCATION}.definitions", "--location-name", LOCATION]
    return [sys.executable, "-m", "dagster", "code-server", "start", "--use-python-environment-entry-point", *options]


def web_server(workspace: Path, port: int) -> list[str]:
    """The web process: the gate, and behind it the API and Dagster's web server. It listens on this machine only."""
    return [sys.executable, "-m", "whalefall_pipelines.gate", "--host", HOST, "--port", str(port), "--workspace", str(workspace)]


def daemon(workspace: Path) -> list[str]:
    """The daemon for schedules, sensors, the run queue and run monitoring. There must be exactly one."""
    return [sys.executable, "-m", "dagster._daemon", "run", "--workspace", str(workspace)]


def migrate(settings: Settings, environment: Mapping[str, str]) -> None:
    """Migrate Dagster's own tables, or create them.

    Raises:
        LocalServerError: it failed; the message names the log.
    """
    log = settings.home / "logs" / "dagster_migration.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        try:
            result = subprocess.run(
                [sys.executable, "-m", "dagster", "instance", "migrate"],
                env=environment,
                cwd=settings.home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=MIGRATION_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise LocalServerError(f"Dagster's tables were not migrated within {MIGRATION_SECONDS} s; see {log}.") from error
    if result.returncode != 0:
        raise LocalServerError(f"Dagster's tables could not be migrated: {' | '.join(last_lines(log, 3))} (see {log})")
    _migrated(settings).write_text(version("dagster"))


def migrate_once(settings: Settings, environment: Mapping[str, str]) -> None:
    """Migrate Dagster's tables in the embedded store, once per version of Dagster, because it takes seconds."""
    done = _migrated(settings)
    if not done.exists() or done.read_text() != version("dagster"):
        migrate(settings, environment)


def _migrated(settings: Settings) -> Path:
    return settings.home / "dagster" / "migrated"


def write_workspace(workspace: Path, socket: Path) -> None:
    """Write a workspace file for the running code server. It uses the location name of `workspace.yaml`, which identifies schedules."""
    server = {"grpc_server": {"socket": str(socket), "location_name": LOCATION}}
    workspace.write_text(json.dumps({"load_from": [server]}))


def what_is_missing(port: int, since: float, secret: str) -> Missing | None:
    """Ask the web server whether all parts are ready. A daemon is ready after a heartbeat later than `since` (seconds of the epoch).

    `secret` is that of a token with the scope operate.
    """
    try:
        answer = _ask(port, secret)
    except (httpx.HTTPError, ValueError) as error:
        return Missing("web server", f"it does not answer on {HOST}:{port}: {error}")
    workspace = answer["workspaceOrError"]
    if "locationEntries" not in workspace:
        return Missing("code server", str(workspace.get("message")), is_final=True)
    locations = [entry["locationOrLoadError"] for entry in workspace["locationEntries"]]
    for location in locations:
        if location and location["__typename"] == "PythonError":
            return Missing("code server", f"the definitions cannot be loaded: {_first_line(location['message'])}", is_final=True)
    if not locations or not all(locations):
        return Missing("code server", "the definitions are not loaded yet")
    statuses = answer["instance"]["daemonHealth"]["allDaemonStatuses"]
    silent = [status["daemonType"] for status in statuses if status["required"] and (status["lastHeartbeatTime"] or 0) < since]
    return Missing("daemon", f"no heartbeat from {', '.join(silent).lower()}") if silent or not statuses else None


def _ask(port: int, secret: str) -> dict[str, Any]:
    answer = httpx.post(
        f"http://{HOST}:{port}/dagster/graphql",
        json={"query": _QUESTION},
        headers={"Authorization": f"Bearer {secret}"},
        timeout=_ASK_SECONDS,
        trust_env=False,  # a proxy of the environment must not get between
    ).json()
    if "data" not in answer or answer["data"] is None:
        raise ValueError("the answer is not from Dagster")
    return answer["data"]


def _first_line(message: str) -> str:
    return next((line.strip() for line in message.splitlines() if line.strip()), "no message")
