"""What both kinds of private servers have in common: only one program at a time starts or stops a server, its port stays the same, its log
stays small, and file errors become one message.

`postgresql.py` and `mariadb.py` create the servers and detect that they are ready.
"""

import fcntl
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import psutil

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.runtime.local_servers.unprivileged import RunAs
from whalefall_pipelines.runtime.processes import dying_with_parent, free_port, is_free, keep_started, last_lines

START_SECONDS = 60
STOP_SECONDS = 60
LOG_BYTES = 10 * 1024 * 1024
# A killed server holds its port for a moment longer. It must not get another port, because it is registered with the old one.
PORT_SECONDS = 5
# So do its child processes hold its memory.
ORPHAN_SECONDS = 20
# Another program may take a free port before the server listens on it.
PORT_ATTEMPTS = 4


class PrivateServer(ABC):
    """One server in `folder` (data, log, port, lock) that listens on `host`."""

    __slots__ = ()
    product: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    folder: Path
    host: str

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The log file of the server."""
        return self.folder / f"{self.product.lower()}.log"

    @property
    def port(self) -> int:
        """The port it was last started on.

        Raises:
            LocalServerError: it was never started.
        """
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError) as error:
            raise LocalServerError(f"The {self.product} in {self.folder} was never started.") from error

    def start(self, *, with_parent: bool = False) -> int:
        """Create the server if necessary, start it if it is not running, and return its process id.

        With `with_parent` the server ends with the calling thread, so call it from a thread that lives long enough. Otherwise it runs in
        the background.

        Raises:
            LocalServerError: it could not be created or did not answer; the message names the log.
        """
        with self._lock():
            running = self.process_id()
            # A server that is stopping, or was just killed, still looks alive, so a running server is checked as well.
            if running is not None and self._becomes_ready(running):
                return running
            self._prepare()
            return self._launch(with_parent=with_parent)

    def stop(self) -> bool:
        """Stop the server cleanly; open transactions are rolled back. Return False if it was not running.

        Raises:
            LocalServerError: it did not stop in time.
        """
        if not self.folder.exists():
            return False
        with self._lock():
            running = self.process_id()
            if running is None:
                return False
            try:
                os.kill(running, self.stop_signal)
            except ProcessLookupError:
                return True  # it ended by itself
            except PermissionError as error:
                message = f"{self.product} (process {running}) belongs to another user; only that user can stop it."
                raise LocalServerError(message) from error
            deadline = time.monotonic() + STOP_SECONDS
            while _is_alive(running):
                if time.monotonic() > deadline:
                    message = f"{self.product} (process {running}) did not stop within {STOP_SECONDS} s; see {self.log}."
                    raise LocalServerError(message)
                time.sleep(0.01)
            return True

    @abstractmethod
    def process_id(self) -> int | None:
        """The process id of the running server, or None. A stale pid file is ignored, even if another program now has its number."""

    @abstractmethod
    def _prepare(self) -> None:
        """Create the server if necessary, and remove the remains of a crash."""

    @abstractmethod
    def _command(self, port: int) -> Sequence[str]:
        """The command line of the server."""

    @abstractmethod
    def _is_ready(self, process_id: int) -> bool:
        """Whether this process accepts connections."""

    def _is_held_by_orphans(self) -> bool:
        """Whether the server ended because child processes of a killed one have not ended yet; they do so by themselves."""
        return False

    def _identity(self) -> RunAs:
        """The user that runs the server: the current user."""
        return RunAs()

    def _note(self, process_id: int) -> None:  # noqa: B027 - does nothing by default
        """Write the process id to a file, if the server does not do it itself."""

    @contextmanager
    def _lock(self) -> Generator[None]:
        """Allow only one program at a time to start or stop the server."""
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + START_SECONDS + STOP_SECONDS
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > deadline:
                        message = f"Another program is starting or stopping the {self.product} in {self.folder}; stop that program."
                        raise LocalServerError(message) from error
                    time.sleep(0.02)
            yield
        finally:
            os.close(descriptor)

    def _launch(self, *, with_parent: bool) -> int:
        ports, deadline = 0, time.monotonic() + ORPHAN_SECONDS
        while ports < PORT_ATTEMPTS:
            port = self._choose_port()
            process_id = self._run(port, with_parent=with_parent)
            if self._becomes_ready(process_id):
                return process_id
            if self._is_held_by_orphans() and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            if is_free(port, self.host):
                break  # so the port was not the cause
            ports += 1
        message = " | ".join(last_lines(self.log, 3))
        raise LocalServerError(f"{self.product} in {self.folder} did not start: {message} (see {self.log})")

    def _choose_port(self) -> int:
        try:
            port = self.port
        except LocalServerError:
            port = free_port(self.host)
        deadline = time.monotonic() + PORT_SECONDS
        while not is_free(port, self.host) and time.monotonic() < deadline:
            time.sleep(0.05)
        return port if is_free(port, self.host) else free_port(self.host)

    def _run(self, port: int, *, with_parent: bool) -> int:
        program, identity = self._command(port), self._identity()
        command = [*identity.prefix, *program]
        with writing(self.folder):
            # Moved into place, so that a concurrent reader never sees a partial number.
            (self.folder / "port.partial").write_text(str(port))
            (self.folder / "port.partial").replace(self.folder / "port")
            if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
                self.log.replace(self.log.with_suffix(".previous.log"))
            log = self.log.open("ab")
        with log:
            try:
                process = subprocess.Popen(
                    dying_with_parent(command, self.stop_signal) if with_parent else command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    start_new_session=True,
                    **identity.credentials,
                )
            except OSError as error:
                raise LocalServerError(f"{program[0]} cannot be run: {error.strerror}.{identity.advice}") from error
        keep_started(process)
        self._note(process.pid)
        return process.pid

    def _becomes_ready(self, process_id: int) -> bool:
        """Wait until the server is ready. Return False if it ended before."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready(process_id):
            if not _is_alive(process_id):
                return False
            if time.monotonic() > deadline:
                message = f"{self.product} in {self.folder} is not ready after {START_SECONDS} s; see {self.log}."
                raise LocalServerError(message)
            time.sleep(0.01)
        return True


@contextmanager
def writing(folder: Path) -> Generator[None]:
    """Turn file errors of the block into one message with advice."""
    try:
        yield
    except OSError as error:
        raise LocalServerError(
            f"Cannot write {error.filename or folder}: {error.strerror}. Choose another folder with WHALEFALL_HOME."
        ) from error


def _is_alive(process_id: int) -> bool:
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
