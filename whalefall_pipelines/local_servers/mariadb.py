"""A private MariaDB server from the machine's own `mariadbd`: made once, started and stopped, as root or as a user.

Which binaries there are is `mariadb_binaries.py`, how it is made `mariadb_bootstrap.py`, how it is monitored `fleet/mysql.py`.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.local_servers.mariadb_binaries import MariadbBinaries
from whalefall_pipelines.local_servers.mariadb_bootstrap import make_server, server_command
from whalefall_pipelines.local_servers.postgresql_initdb import writing
from whalefall_pipelines.processes import dies_with_parent, free_port, is_free, keep_started, last_lines

START_SECONDS = 60
STOP_SECONDS = 60
LOG_BYTES = 10 * 1024 * 1024
# A server that was killed holds its port for a moment longer, and whoever registered it would miss it at another.
PORT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class MariadbServer:
    """One server in `folder` (data, log, port, socket), listening on `host`; its root has no password and only the unix socket.

    The folder is open to its owner alone, who is thereby the only one to reach that socket. `options` are the server's own, such as
    `("--innodb-file-per-table=0",)`.
    """

    binaries: MariadbBinaries
    folder: Path
    host: str = "127.0.0.1"
    options: tuple[str, ...] = ()

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server wrote."""
        return self.folder / "mariadb.log"

    @property
    def port(self) -> int:
        """The port it was last started on.

        Raises:
            LocalServerError: it was never started.
        """
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError) as error:
            raise LocalServerError(f"The MariaDB in {self.folder} was never started.") from error

    def process_id(self) -> int | None:
        """The running server's, or None. A pid file left by a crash, or whose number now belongs to another program, does not count."""
        try:
            process = psutil.Process(int((self.folder / "pid").read_text()))
            (folder,) = (word.partition("=")[2] for word in process.cmdline() if word.startswith("--datadir="))
            return process.pid if Path(folder).samefile(self.data) else None
        except (OSError, ValueError, psutil.Error):
            return None

    def start(self, *, with_parent: bool = False) -> int:
        """Make the server if there is none, start it if it is not running, and return its process id.

        `with_parent`: it ends when the calling thread ends, so call from one that stays; otherwise it runs on in the background.

        Raises:
            LocalServerError: it could not be made or did not answer; the sentence names the log.
        """
        with self._lock():
            running = self.process_id()
            # One that was killed a moment ago still looks alive, so one that is found running is asked, too.
            if running is None or not self._becomes_ready(running):
                if not self.data.exists():
                    make_server(self.binaries, self.folder, self.options)
                running = self._launch(with_parent=with_parent)
                if not self._becomes_ready(running):
                    said = " | ".join(last_lines(self.log, 3))
                    raise LocalServerError(f"MariaDB in {self.folder} did not start: {said} (all of it is in {self.log})")
            return running

    def stop(self) -> bool:
        """Stop it in order; False when it was not running.

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
                os.kill(running, signal.SIGTERM)
            except ProcessLookupError:
                return True  # it was faster
            except PermissionError as error:
                raise LocalServerError(f"MariaDB (process {running}) belongs to another user; only that user can stop it.") from error
            deadline = time.monotonic() + STOP_SECONDS
            while _is_alive(running):
                if time.monotonic() > deadline:
                    raise LocalServerError(f"MariaDB (process {running}) did not stop within {STOP_SECONDS} s; see {self.log}.")
                time.sleep(0.01)
            return True

    def administer(self, *statements: str, parameters: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
        """Run statements as root over the unix socket, each by itself, all with the same named parameters; the rows of the last.

        Raises:
            LocalServerError: the server is not running, or refuses one; which is not said, for it may hold a password.
        """
        import pymysql  # noqa: PLC0415 - a driver that most commands never need

        rows: list[tuple[object, ...]] = []
        connection = pymysql.connect(user="root", charset="utf8mb4", autocommit=True, ssl_disabled=True, defer_connect=True)
        try:
            with self._call() as caller:
                connection.connect(caller)
                with closing(connection), connection.cursor() as cursor:
                    for statement in statements:
                        cursor.execute(statement, parameters)
                        rows = list(cursor.fetchall())
        except OSError as error:
            raise LocalServerError(f"MariaDB in {self.folder} is not running: {error.strerror}.") from error
        except pymysql.Error as error:
            number = error.args[0] if error.args else "none"
            raise LocalServerError(f"MariaDB in {self.folder} refuses an administrator's statement (its error {number}).") from error
        return rows

    @contextmanager
    def _lock(self) -> Generator[None]:
        """One program at a time starts or stops it."""
        with writing(self.folder):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + START_SECONDS + STOP_SECONDS
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > deadline:
                        raise LocalServerError(f"Another program is still busy with the MariaDB in {self.folder}; end it.") from error
                    time.sleep(0.02)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _call(self) -> Generator[socket.socket]:
        """A connection to the unix socket, whose path has 107 bytes at most while a folder's may have more: Linux knows a detour."""
        with ExitStack() as stack:
            path = str(self.folder / "socket")
            if sys.platform == "linux":
                descriptor = os.open(self.folder, os.O_PATH | os.O_CLOEXEC)
                stack.callback(os.close, descriptor)
                path = f"/proc/self/fd/{descriptor}/socket"
            caller = stack.enter_context(socket.socket(socket.AF_UNIX))
            caller.settimeout(1)
            caller.connect(path)
            caller.settimeout(None)
            yield caller

    def _choose_port(self) -> int:
        try:
            port = self.port
        except LocalServerError:
            port = free_port(self.host)
        deadline = time.monotonic() + PORT_SECONDS
        while not is_free(port, self.host) and time.monotonic() < deadline:
            time.sleep(0.05)
        return port if is_free(port, self.host) else free_port(self.host)

    def _launch(self, *, with_parent: bool) -> int:
        port = self._choose_port()
        # The socket's path is seen from the data directory, for the same reason as in _call.
        where = (f"--bind-address={self.host}", f"--port={port}", "--socket=../socket")
        with writing(self.folder):
            (self.folder / "port").write_text(str(port))
            if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
                self.log.replace(self.folder / "mariadb.previous.log")
            with self.log.open("ab") as log:
                process = subprocess.Popen(
                    [*server_command(self.binaries, self.data, self.options), *where],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    start_new_session=True,
                    preexec_fn=dies_with_parent(signal.SIGTERM) if with_parent else None,  # noqa: PLW1509 - it only makes system calls
                )
            keep_started(process)
            (self.folder / "pid").write_text(str(process.pid))
        return process.pid

    def _becomes_ready(self, process_id: int) -> bool:
        """Wait until it greets; False when it ended before."""
        deadline = time.monotonic() + START_SECONDS
        while not self._greets():
            if not _is_alive(process_id):
                return False
            if time.monotonic() > deadline:
                raise LocalServerError(f"MariaDB in {self.folder} is not ready after {START_SECONDS} s; what it is doing is in {self.log}.")
            time.sleep(0.01)
        return True

    def _greets(self) -> bool:
        try:
            with self._call() as caller:
                caller.settimeout(1)
                return len(caller.recv(1)) == 1
        except OSError:
            return False


def _is_alive(process_id: int) -> bool:
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
