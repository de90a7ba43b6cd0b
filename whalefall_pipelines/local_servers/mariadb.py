"""A private MariaDB server from the machine's own `mariadbd`: made once, started and stopped, as root or as a user.

Its system tables are made here and not by mariadb-install-db: that one needs a package more, and as root it changes owners of
the system's own files. Which binaries there are is `mariadb_binaries.py`; how such a server is monitored is `fleet/mysql.py`.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from whalefall_pipelines import queries
from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.local_servers.mariadb_binaries import MariadbBinaries
from whalefall_pipelines.processes import dies_with_parent, free_port, is_free

START_SECONDS = 60
STOP_SECONDS = 60
# 47 instead of 96 MB of memory, 33 instead of 123 MB of disk; names are not resolved, which is faster and keeps root on the socket.
_OPTIONS = (
    "--skip-name-resolve",
    "--innodb-buffer-pool-size=6M",
    "--innodb-log-file-size=8M",
    "--key-buffer-size=64K",
    "--aria-pagecache-buffer-size=256K",
)
# Kept for the life of this process: a Popen that is forgotten while its server runs on complains when it is collected.
_started: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class MariadbServer:
    """One server in `folder` (data, log, port, socket), listening on `host`; its root has no password and only the unix socket.

    The folder is readable by its owner alone, who is thereby the only one to reach that socket. `options` are the server's own,
    such as `("--innodb-file-per-table=0",)`.
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
    def socket_path(self) -> Path:
        """Where root is let in."""
        return self.folder / "socket"

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
            arguments = process.cmdline()
        except (OSError, ValueError, psutil.Error):
            return None
        return process.pid if f"--datadir={self.data}" in arguments else None

    def start(self, *, with_parent: bool = False) -> int:
        """Make the server if there is none, start it if it is not running, and return its process id.

        `with_parent`: it ends when this process ends; otherwise it stays in the background.

        Raises:
            LocalServerError: it could not be made or did not answer; the sentence names the log.
        """
        with self._lock():
            running = self.process_id()
            if running is None or not self._becomes_ready(running):
                if not self.data.exists():
                    self._initialize()
                running = self._launch(with_parent=with_parent)
                if not self._becomes_ready(running):
                    raise LocalServerError(f"MariaDB in {self.folder} did not start: {self._last_words()}")
            return running

    def stop(self) -> bool:
        """Stop it in order; False when it was not running.

        Raises:
            LocalServerError: it did not stop in time.
        """
        with self._lock():
            running = self.process_id()
            if running is None:
                return False
            try:
                process = psutil.Process(running)
                process.send_signal(signal.SIGTERM)
                process.wait(STOP_SECONDS)
            except psutil.NoSuchProcess:
                return True  # it was faster
            except psutil.TimeoutExpired as error:
                raise LocalServerError(f"MariaDB (process {running}) did not stop within {STOP_SECONDS} s; see {self.log}.") from error
            return True

    def administer(self, *statements: str, parameters: Mapping[str, object] | None = None) -> None:
        """Run statements as root over the unix socket, each by itself, all with the same named parameters.

        Raises:
            LocalServerError: the server is not running or refuses one. Parameters are not repeated: they may hold a password.
        """
        import pymysql  # noqa: PLC0415 - a driver that most commands never need

        try:
            connection = pymysql.connect(unix_socket=str(self.socket_path), user="root", charset="utf8mb4", autocommit=True)
            with closing(connection), connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement, parameters)
        except pymysql.Error as error:
            number = error.args[0] if error.args else "no number"
            raise LocalServerError(f"MariaDB in {self.folder} refuses an administrator's statement (error {number}).") from error

    @contextmanager
    def _lock(self) -> Generator[None]:
        if len(os.fsencode(self.socket_path)) > 100:
            raise LocalServerError(f"{self.socket_path} is too long for a unix socket (100 bytes); choose a folder with a shorter path.")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LocalServerError(
                f"Cannot write to {self.folder}: {error.strerror}. Choose another folder with WHALEFALL_HOME."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _command(self, data: Path) -> list[str]:
        # root must say that it means it.
        user = ["--user=root"] if os.geteuid() == 0 else []
        return [str(self.binaries.server), "--no-defaults", *user, f"--datadir={data}", *_OPTIONS, *self.options]

    def _initialize(self) -> None:
        # Made aside and renamed, so that a cut-off leaves nothing that looks complete.
        partial = self.folder / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        parts = [path.read_bytes() for path in self.binaries.system_tables()]
        begin, end = (queries.load(f"local_servers/mariadb/{name}_system_tables").encode() for name in ("begin", "end"))
        with self.log.open("ab") as log:
            result = subprocess.run(
                [*self._command(partial), "--bootstrap", "--log-warnings=0", "--enforce-storage-engine=", "--max-allowed-packet=8M"],
                input=b"\n".join((begin, *parts, end)),
                stdout=log,
                stderr=log,
                check=False,
                timeout=300,
            )
        if result.returncode != 0:
            raise LocalServerError(f"MariaDB's system tables in {self.folder} could not be made: {self._last_words()}")
        partial.rename(self.data)

    def _launch(self, *, with_parent: bool) -> int:
        port_file = self.folder / "port"
        port = int(port_file.read_text()) if port_file.exists() else free_port(self.host)
        # A server that was killed holds its port for a moment longer; whoever registered it would miss it at another.
        patience = time.monotonic() + 5
        while not is_free(port, self.host) and time.monotonic() < patience:
            time.sleep(0.05)
        if not is_free(port, self.host):
            port = free_port(self.host)
        port_file.write_text(str(port))
        where = (f"--bind-address={self.host}", f"--port={port}", f"--socket={self.socket_path}", f"--tmpdir={self.data}")
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*self._command(self.data), *where],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGTERM) if with_parent else None,  # noqa: PLW1509 - started before any thread of ours
            )
        _started.append(process)
        (self.folder / "pid").write_text(str(process.pid))
        return process.pid

    def _becomes_ready(self, process_id: int) -> bool:
        # False: it ended. One that was killed a moment ago still looks alive, so this is asked of a server found running, too.
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._answers():
                return True
            if self.process_id() != process_id:
                return False
            time.sleep(0.01)
        raise LocalServerError(f"MariaDB in {self.folder} did not answer within {START_SECONDS} s: {self._last_words()}")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as caller:
            caller.settimeout(1)
            try:
                caller.connect(str(self.socket_path))
                return len(caller.recv(1)) == 1
            except OSError:
                return False

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()[-3:] if self.log.exists() else []
        return f"{' | '.join(lines)} (all of it is in {self.log})"
