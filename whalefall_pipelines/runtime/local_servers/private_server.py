"""What private servers of both kinds do alike: one program at a time starts or stops one, its port stays, its log stays small, and what
goes wrong with its files is one sentence.

What they are made of and how they say that they are ready is `postgresql.py` and `mariadb.py`.
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
# A server that was killed holds its port for a moment longer, and whoever registered it would miss it at another.
PORT_SECONDS = 5
# Between finding a free port and listening on it another program may take it.
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
        """What the server wrote."""
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
        """Make the server if there is none, start it if it is not running, and return its process id.

        `with_parent`: it ends when the calling thread ends, so call from one that stays; otherwise it runs on in the background.

        Raises:
            LocalServerError: it could not be made or did not answer; the sentence names the log.
        """
        with self._lock():
            running = self.process_id()
            # One that is stopping, or was killed a moment ago, still looks alive, so one that is found running is asked, too.
            if running is not None and self._becomes_ready(running):
                return running
            self._prepare()
            return self._launch(with_parent=with_parent)

    def stop(self) -> bool:
        """Stop it in order, open transactions are rolled back; False when it was not running.

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
                return True  # it was faster
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
        """The running server's, or None. A pid file left by a crash, or whose number now belongs to another program, does not count."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make the server if there is none, and clear what a crash left."""

    @abstractmethod
    def _command(self, port: int) -> Sequence[str]:
        """How the server program is called."""

    @abstractmethod
    def _is_ready(self, process_id: int) -> bool:
        """Whether this process says that it takes connections."""

    def _identity(self) -> RunAs:
        """As whom it runs: as ourselves."""
        return RunAs()

    def _note(self, process_id: int) -> None:  # noqa: B027 - nothing is what it does by itself
        """Write the process id down, where the server does not do it itself."""

    @contextmanager
    def _lock(self) -> Generator[None]:
        """One program at a time starts or stops it."""
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
                        message = f"Another program is still busy with the {self.product} in {self.folder}; end it."
                        raise LocalServerError(message) from error
                    time.sleep(0.02)
            yield
        finally:
            os.close(descriptor)

    def _launch(self, *, with_parent: bool) -> int:
        for _ in range(PORT_ATTEMPTS):
            port = self._choose_port()
            process_id = self._run(port, with_parent=with_parent)
            if self._becomes_ready(process_id):
                return process_id
            if is_free(port, self.host):
                break  # so it was not the port
        message = " | ".join(last_lines(self.log, 3))
        raise LocalServerError(f"{self.product} in {self.folder} did not start: {message} (all of it is in {self.log})")

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
            # Moved into place: whoever looks up the address meanwhile reads a whole number.
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
        """Wait until it says so; False when it ended before."""
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready(process_id):
            if not _is_alive(process_id):
                return False
            if time.monotonic() > deadline:
                message = f"{self.product} in {self.folder} is not ready after {START_SECONDS} s; what it is doing is in {self.log}."
                raise LocalServerError(message)
            time.sleep(0.01)
        return True


@contextmanager
def writing(folder: Path) -> Generator[None]:
    """What goes wrong with files in this block is one sentence that says what to do."""
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
