"""`whalefall up`: runs the store, the web process, Dagster's daemon and code server as one tree, and leaves nothing behind when it ends.

The launcher is the process that the terminal sees. The supervisor below it starts and ends the parts (`runtime/processes.py`).
`runtime/dagster_processes.py` has the commands of the parts.
"""

import getpass
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import click
import psutil

from whalefall_pipelines.api.links import sign_in_link
from whalefall_pipelines.api.tokens import LINK_MINUTES, create_link, sign_in, sign_out
from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.clock import system_clock
from whalefall_pipelines.errors import InputError, LocalServerError, WhalefallError
from whalefall_pipelines.runtime import dagster_processes as dagster
from whalefall_pipelines.runtime import processes
from whalefall_pipelines.runtime.dagster_environment import dagster_environment
from whalefall_pipelines.runtime.embedded import StoreAddress, address, cluster
from whalefall_pipelines.runtime.lock import hold_lock
from whalefall_pipelines.runtime.open_store import open_store, prepare_store
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.terminal.output import note

# Each part imports Dagster, which takes 2 s of CPU time: half a minute on a small machine with a load of 15. A broken part ends at once.
READY_SECONDS = 300
# A terminated run closes its session first. It checks for termination twice a second.
RUN_SECONDS = 5
SERVER_SECONDS = 3
# Processes that are stopped before the code server and the store, by a word of their command line. The last word marks runs.
_ENDS_FIRST = ("whalefall_pipelines.gate", "dagster._daemon", "--multiprocessing-fork")


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the tree and its log."""

    name: str
    log: Path
    process_id: int


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1024, 65535),
    default=3000,
    show_default=True,
    help="Port of the web UI, which is reachable from this machine only.",
)
def up(port: int) -> None:
    """Run the store, the schedules and the web UI until Ctrl-C.

    The web UI is at http://127.0.0.1:3000 unless --port is given: Dagster under /dagster, the API under /api/v1. In a terminal it prints a
    link that signs you in once; `whalefall tokens link` prints another one.

    Exit codes: 0 it was stopped, 2 it did not start or one of its processes ended unexpectedly.
    """
    settings = load_settings()
    processes.continue_in_supervisor()
    # Two daemons in one home would break the limits on concurrent runs.
    running = hold_lock(settings.home / "up.lock", "whalefall up", process_id=os.getppid(), place=f"http://{dagster.HOST}:{port}")
    with running, tempfile.TemporaryDirectory(prefix="whalefall-") as folder:
        if not processes.is_free(port, dagster.HOST):
            raise InputError(
                f"Port {port} of {dagster.HOST} is used by another program. Stop that program, or choose another port with --port."
            )
        try:
            _serve(settings, port, Path(folder))
        except KeyboardInterrupt:
            pass
        finally:
            processes.ignore_stop_signals()
            _end_tree(settings)
    with suppress(OSError):  # the terminal may have been closed
        note("whalefall: stopped.")


def _serve(settings: Settings, port: int, folder: Path) -> NoReturn:
    """Start all parts, print the address, and watch the parts.

    Raises:
        LocalServerError: a part did not start, or ended unexpectedly.
    """
    logs = settings.home / "logs"
    logs.mkdir(exist_ok=True)
    note(f"Starting whalefall in {settings.home} …")
    store_address, timezone = _start_store(settings)
    # A killed Dagster leaves sockets in the temporary folder, so it gets one that is removed at the end.
    environment = os.environ | dagster_environment(settings, store_address, timezone) | {"TMPDIR": str(folder)}
    if store_address.is_embedded:
        dagster.migrate_once(settings, environment)
    code_socket, workspace = folder / "code", folder / "workspace.yaml"
    dagster.write_workspace(workspace, code_socket)
    since = time.time()
    parts = [*_store_parts(settings), _launch("code server", dagster.code_server(code_socket), environment, logs)]
    # The other two do not retry a code server that did not answer at first.
    _wait_for_socket(code_socket, parts)
    parts.append(_launch("web server", dagster.web_server(workspace, port), environment, logs))
    parts.append(_launch("daemon", dagster.daemon(workspace), environment, logs))
    with _signed_in(settings) as secret:
        _wait_until_ready(port, since, secret, parts)
    click.echo(f"whalefall is up: http://{dagster.HOST}:{port} (Ctrl-C stops it)")
    if sys.stdout.isatty():  # a log would keep the link
        with open_store(settings, pool_size=1) as database:
            url = f"http://{dagster.HOST}:{port}"
            link = sign_in_link(database, url, getpass.getuser(), command="up: sign-in link", now=system_clock())
        click.echo(f"Sign in once within {LINK_MINUTES} minutes: {link}")
    while True:  # polled, because a signal just before a blocking wait would be handled only after it
        _raise_if_ended(parts, "so the rest was stopped")
        time.sleep(0.2)


def _start_store(settings: Settings) -> tuple[StoreAddress, ZoneInfo]:
    """Open the store. An embedded store that is started here ends with this process; your own store is only checked."""
    if settings.database_url is None:
        prepare_store(settings, with_parent=True)
    with open_store(settings) as database:
        return address(settings), database.timezone


def _own_server(settings: Settings) -> psutil.Process | None:
    """The embedded store's server if it was started here; a server that ran before is left running."""
    with suppress(WhalefallError, psutil.NoSuchProcess):
        running = None if settings.database_url else cluster(settings).process_id()
        if running and psutil.Process(running).ppid() == os.getpid():
            return psutil.Process(running)
    return None


def _store_parts(settings: Settings) -> list[Part]:
    server = _own_server(settings)
    return [Part("store", cluster(settings).log, server.pid)] if server else []


def _launch(name: str, command: Sequence[str], environment: Mapping[str, str], logs: Path) -> Part:
    """Start a part that ends with the supervisor. Its previous log is kept beside the new one."""
    log = logs / f"{name.replace(' ', '_')}.log"
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))
    with log.open("wb") as output:
        process = subprocess.Popen(
            processes.dying_with_parent(command, signal.SIGTERM),
            env=environment,
            cwd=logs.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Part(name, log, process.pid)


def _raise_if_ended(parts: Sequence[Part], consequence: str) -> None:
    while (ended := processes.next_ended_child()) is not None:
        for part in parts:
            if part.process_id == ended:
                raise LocalServerError(f"The {part.name} ended unexpectedly, {consequence}; {_said(part.log)}")
        os.waitpid(ended, 0)  # an adopted orphan


def _wait_for_socket(path: Path, parts: Sequence[Part]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        _raise_if_ended(parts, "so whalefall did not start")
        with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
            client.connect(str(path))
            return
        time.sleep(0.05)
    raise LocalServerError(f"The {parts[-1].name} did not answer within {READY_SECONDS} s; {_said(parts[-1].log)}")


@contextmanager
def _signed_in(settings: Settings) -> Generator[str]:
    """A secret of this process for the block, with which it asks whether Dagster is ready."""
    with open_store(settings, pool_size=1) as database:
        now = system_clock()
        link = create_link(database, scope=Scope.OPERATE, has_access=False, created_by="whalefall up", now=now)
        secret = str(sign_in(database, link, now))
        yield secret
        sign_out(database, secret, system_clock())


def _wait_until_ready(port: int, since: float, secret: str, parts: Sequence[Part]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while (missing := dagster.what_is_missing(port, since, secret)) is not None:
        _raise_if_ended(parts, "so whalefall did not start")
        if missing.is_final or time.monotonic() > deadline:
            log = next(part.log for part in parts if part.name == missing.part)
            raise LocalServerError(f"whalefall did not start: {missing.part}: {missing.state}; {_said(log)}")
        time.sleep(0.1)


def _said(log: Path) -> str:
    lines = processes.last_lines(log, 3)
    return f"its last output was: {' | '.join(lines)} (see {log})" if lines else f"it printed nothing ({log})."


def _end_tree(settings: Settings) -> None:
    """Stop the web server, the daemon and the runs first, then the code server, and the store last. Remaining processes are killed."""
    server = _own_server(settings)
    told: set[psutil.Process] = set()
    begun = time.monotonic()
    while (first := [process for process in _tree(server) if _ends_first(process)]) and time.monotonic() < begun + RUN_SECONDS:
        processes.send(signal.SIGTERM, set(first) - told)
        told |= set(first)
        if time.monotonic() > begun + SERVER_SECONDS:
            processes.send(signal.SIGKILL, [process for process in first if not _ends_first(process, _ENDS_FIRST[-1:])])
        time.sleep(0.05)
    processes.end(_tree(server), seconds=SERVER_SECONDS)
    if server:
        cluster(settings).stop()


def _tree(server: psutil.Process | None) -> list[psutil.Process]:
    """Every process below the supervisor except the store's."""
    kept: set[psutil.Process] = {server, *server.children()} if server else set()
    return [process for process in processes.descendants() if process not in kept and processes.is_running(process)]


def _ends_first(process: psutil.Process, words: Sequence[str] = _ENDS_FIRST) -> bool:
    with suppress(psutil.NoSuchProcess):
        return any(word in process.cmdline() for word in words)
    return False
