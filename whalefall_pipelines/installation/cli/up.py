"""`whalefall up`: the store, Dagster's web page, daemon and code server as one tree of processes, gone without a trace when it ends.

The front is what the terminal sees; the guard below it starts the parts and ends them (`runtime/processes.py`). What the parts are is
`runtime/dagster_processes.py`.
"""

import fcntl
import os
import signal
import socket
import subprocess
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

from whalefall_pipelines.errors import InputError, LocalServerError, WhalefallError
from whalefall_pipelines.runtime import dagster_processes as dagster
from whalefall_pipelines.runtime import processes
from whalefall_pipelines.runtime.dagster_environment import dagster_environment
from whalefall_pipelines.runtime.embedded import StoreAddress, address, cluster
from whalefall_pipelines.runtime.open_store import open_store, prepare_store
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.terminal.output import note

READY_SECONDS = 90
# A run that is told to stop closes its session first; it looks up from its work twice a second.
RUN_SECONDS = 5
SERVER_SECONDS = 3
# What is told to stop before the code server and the store, by a word of its command; the last one marks the runs.
_ENDS_FIRST = ("dagster_webserver", "dagster._daemon", "--multiprocessing-fork")


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the tree and what it writes."""

    name: str
    log: Path
    process_id: int


@click.command()
@click.option(
    "--port", type=click.IntRange(1024, 65535), default=3000, show_default=True, help="Where the web page is, on this machine only."
)
def up(port: int) -> None:
    """Run the store, the schedules and the web page until Ctrl-C.

    The web page is http://127.0.0.1:3000 unless --port says otherwise.

    Exit codes: 0 ended as asked, 2 it did not start or a part of it ended by itself.
    """
    settings = load_settings()
    processes.continue_in_supervisor()
    with _alone(settings.home, port), tempfile.TemporaryDirectory(prefix="whalefall-") as folder:
        if not processes.is_free(port, dagster.HOST):
            raise InputError(f"Port {port} of {dagster.HOST} is taken by another program: end that, or choose another with --port.")
        try:
            _serve(settings, port, Path(folder))
        except KeyboardInterrupt:
            pass
        finally:
            processes.ignore_stop_signals()
            _end_tree(settings)
    with suppress(OSError):  # the terminal may be gone
        note("whalefall: stopped.")


def _serve(settings: Settings, port: int, folder: Path) -> NoReturn:
    """Start everything, say so, and watch.

    Raises:
        LocalServerError: a part did not start, or ended by itself.
    """
    logs = settings.home / "logs"
    logs.mkdir(exist_ok=True)
    note(f"Starting whalefall in {settings.home} …")
    store_address, timezone = _start_store(settings)
    # Dagster leaves sockets in the temporary folder when it is killed; ours is removed with all that is in it.
    environment = os.environ | dagster_environment(settings, store_address, timezone) | {"TMPDIR": str(folder)}
    if store_address.is_embedded:
        dagster.migrate_once(settings, environment)
    code_socket, workspace = folder / "code", folder / "workspace.yaml"
    dagster.write_workspace(workspace, code_socket)
    since = time.time()
    parts = [*_store_parts(settings), _launch("code server", dagster.code_server(code_socket), environment, logs)]
    # The other two do not come back to a code server that was not there when they looked first.
    _wait_for_socket(code_socket, parts)
    parts.append(_launch("web server", dagster.web_server(workspace, port), environment, logs))
    parts.append(_launch("daemon", dagster.daemon(workspace), environment, logs))
    _wait_until_ready(port, since, parts)
    click.echo(f"whalefall is up: http://{dagster.HOST}:{port} (Ctrl-C ends it)")
    while True:  # polled: a signal that comes just before a blocking wait would be noticed only after it
        _raise_if_ended(parts, "so the rest was stopped")
        time.sleep(0.2)


@contextmanager
def _alone(home: Path, port: int) -> Generator[None]:
    """One `whalefall up` per home: two daemons would void every limit on runs."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise InputError(f"`whalefall up` already runs in {home}: {lock.read().strip() or 'it is just starting'}.") from error
        lock.truncate(0)
        lock.write(f"http://{dagster.HOST}:{port}, process {os.getppid()}")
        lock.flush()
        yield


def _start_store(settings: Settings) -> tuple[StoreAddress, ZoneInfo]:
    """The embedded store ends with this process if it does not run yet; one's own is only checked."""
    if settings.database_url is None:
        prepare_store(settings, with_parent=True)
    with open_store(settings) as database:
        return address(settings), database.timezone


def _own_server(settings: Settings) -> psutil.Process | None:
    """The embedded store's server, if it is ours to end; one that ran before stays."""
    with suppress(WhalefallError, psutil.NoSuchProcess):
        running = None if settings.database_url else cluster(settings).process_id()
        if running and psutil.Process(running).ppid() == os.getpid():
            return psutil.Process(running)
    return None


def _store_parts(settings: Settings) -> list[Part]:
    server = _own_server(settings)
    return [Part("store", cluster(settings).log, server.pid)] if server else []


def _launch(name: str, command: Sequence[str], environment: Mapping[str, str], logs: Path) -> Part:
    """Start a part that ends with the guard. Its log of the time before is kept beside the new one."""
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
                raise LocalServerError(f"The {part.name} ended by itself, {consequence}; {_said(part.log)}")
        os.waitpid(ended, 0)  # an orphan that was adopted


def _wait_for_socket(path: Path, parts: Sequence[Part]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        _raise_if_ended(parts, "so whalefall did not start")
        with socket.socket(socket.AF_UNIX) as client, suppress(OSError):
            client.connect(str(path))
            return
        time.sleep(0.05)
    raise LocalServerError(f"The {parts[-1].name} did not answer within {READY_SECONDS} s; {_said(parts[-1].log)}")


def _wait_until_ready(port: int, since: float, parts: Sequence[Part]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while (missing := dagster.what_is_missing(port, since)) is not None:
        _raise_if_ended(parts, "so whalefall did not start")
        if missing.is_final or time.monotonic() > deadline:
            log = next(part.log for part in parts if part.name == missing.part)
            raise LocalServerError(f"whalefall did not start: {missing.part}: {missing.state}; {_said(log)}")
        time.sleep(0.1)


def _said(log: Path) -> str:
    lines = processes.last_lines(log, 3)
    return f"it last said: {' | '.join(lines)} (all of it is in {log})" if lines else f"it said nothing ({log})."


def _end_tree(settings: Settings) -> None:
    """The web page, the daemon and the runs first, then the code server, the store last; whatever is left is killed."""
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
    """Every process below the guard but the store's."""
    kept: set[psutil.Process] = {server, *server.children()} if server else set()
    return [process for process in processes.descendants() if process not in kept and processes.is_running(process)]


def _ends_first(process: psutil.Process, words: Sequence[str] = _ENDS_FIRST) -> bool:
    with suppress(psutil.NoSuchProcess):
        return any(word in process.cmdline() for word in words)
    return False
