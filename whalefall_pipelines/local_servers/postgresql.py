"""A private PostgreSQL cluster from somebody else's binaries: made once, started and stopped, as root or as a user.

Which binaries there are is `postgresql_binaries.py`, how it is made `postgresql_initdb.py`, as whom it runs `unprivileged.py`, and
what the store makes of it `store/embedded.py`.
"""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.local_servers.postgresql_initdb import advice, make_cluster, writing
from whalefall_pipelines.local_servers.unprivileged import run_as
from whalefall_pipelines.processes import dies_with_parent, free_port, is_free, keep_started, last_lines

START_SECONDS = 60
STOP_SECONDS = 60
LOG_BYTES = 10 * 1024 * 1024
# Between finding a free port and listening on it another program may take it.
PORT_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class PostgresCluster:
    """One cluster in `folder` (data, log, port, password), listening on `host` only, SCRAM for every connection.

    `options` are server settings such as `("shared_buffers=16MB",)`; `initdb_options` are given once.
    """

    bin_dir: Path
    folder: Path
    host: str = "127.0.0.1"
    superuser: str = "postgres"
    options: tuple[str, ...] = ()
    initdb_options: tuple[str, ...] = ("--wal-segsize=4",)

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server wrote."""
        return self.folder / "postgresql.log"

    @property
    def pgpass(self) -> Path:
        """The password file, in libpq's format, readable by its owner only."""
        return self.folder / "pgpass"

    @property
    def port(self) -> int:
        """The port it was last started on.

        Raises:
            LocalServerError: it was never started.
        """
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError) as error:
            raise LocalServerError(f"The PostgreSQL in {self.folder} was never started.") from error

    def url(self, database: str = "postgres") -> str:
        """A libpq URL without the password in it: libpq takes that from the password file."""
        return f"postgresql://{self.superuser}@{self.host}:{self.port}/{quote(database, safe='')}?passfile={quote(str(self.pgpass))}"

    def process_id(self) -> int | None:
        """The running postmaster's, or None. A pid file left by a crash, or whose number now belongs to another program, does not count."""
        try:
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            arguments = process.cmdline()
            folder = Path(arguments[arguments.index("-D") + 1])
            return process.pid if folder.samefile(self.data) else None
        except (OSError, ValueError, IndexError, psutil.Error):
            return None

    def start(self, *, with_parent: bool = False) -> int:
        """Make the cluster if there is none, start it if it is not running, and return the postmaster's process id.

        `with_parent`: it stops when the calling thread ends, so call from one that stays; otherwise it runs on in the background.

        Raises:
            LocalServerError: it could not be made or did not answer; the sentence names the log.
        """
        with self._lock():
            running = self.process_id()
            if running is not None:
                self._wait_until_ready(running)
                return running
            if not (self.data / "PG_VERSION").exists():
                make_cluster(self.bin_dir, self.folder, self.superuser, self.initdb_options)
            return self._launch(with_parent=with_parent)

    def stop(self) -> bool:
        """Stop it (fast: open transactions are rolled back); False when it was not running.

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
                os.kill(running, signal.SIGINT)
            except PermissionError as error:
                raise LocalServerError(f"PostgreSQL (process {running}) belongs to another user; only that user can stop it.") from error
            deadline = time.monotonic() + STOP_SECONDS
            while _is_alive(running):
                if time.monotonic() > deadline:
                    raise LocalServerError(f"PostgreSQL (process {running}) did not stop within {STOP_SECONDS} s; see {self.log}.")
                time.sleep(0.01)
            return True

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
                        raise LocalServerError(f"Another program is still busy with the PostgreSQL in {self.folder}; end it.") from error
                    time.sleep(0.02)
            yield
        finally:
            os.close(descriptor)

    def _launch(self, *, with_parent: bool) -> int:
        if (self.data / "postmaster.pid").exists() and self._pid_is_taken():
            (self.data / "postmaster.pid").unlink()
        attempt = 0
        while True:
            attempt += 1
            port = self._choose_port()
            process_id = self._run_server(port, with_parent=with_parent)
            try:
                self._wait_until_ready(process_id)
            except LocalServerError:
                # When the port is free now, it was not the port.
                if attempt == PORT_ATTEMPTS or is_free(port, self.host):
                    raise
            else:
                return process_id

    def _pid_is_taken(self) -> bool:
        # PostgreSQL clears its own stale pid file, but refuses to start when the number belongs to any other process of this user.
        try:
            return psutil.pid_exists(int((self.data / "postmaster.pid").read_text().split()[0]))
        except (OSError, ValueError, IndexError):
            return True

    def _choose_port(self) -> int:
        try:
            port = self.port
        except LocalServerError:
            port = 0
        if not port or not is_free(port, self.host):
            port = free_port(self.host)
            with writing(self.folder):
                # Moved into place: whoever looks up the address meanwhile reads a whole number.
                (self.folder / "port.partial").write_text(str(port))
                (self.folder / "port.partial").replace(self.folder / "port")
        return port

    def _run_server(self, port: int, *, with_parent: bool) -> int:
        identity = run_as(self.data)
        settings = (f"listen_addresses={self.host}", f"port={port}", "unix_socket_directories=", *self.options)
        command = [str(self.bin_dir / "postgres"), "-D", str(self.data), *(argument for item in settings for argument in ("-c", item))]
        with writing(self.folder):
            if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
                self.log.replace(self.folder / "postgresql.previous.log")
            log = self.log.open("ab")
        with log:
            try:
                process = subprocess.Popen(
                    [*identity.prefix, *command],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    start_new_session=True,
                    preexec_fn=dies_with_parent(signal.SIGINT) if with_parent else None,  # noqa: PLW1509 - it only makes system calls
                    **identity.credentials,
                )
            except OSError as error:
                raise LocalServerError(f"{command[0]} cannot be run: {error.strerror}.{advice(identity)}") from error
        keep_started(process)
        return process.pid

    def _wait_until_ready(self, process_id: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._says_ready(process_id):
            if not _is_alive(process_id):
                said = " | ".join(last_lines(self.log, 3))
                raise LocalServerError(f"PostgreSQL in {self.folder} did not start: {said} (all of it is in {self.log})")
            if time.monotonic() > deadline:
                raise LocalServerError(
                    f"PostgreSQL in {self.folder} is not ready after {START_SECONDS} s; what it is doing is in {self.log}."
                )
            time.sleep(0.01)

    def _says_ready(self, process_id: int) -> bool:
        # The eighth line of postmaster.pid is the server's own word for it, and needs no login; a crash leaves the file of the one before.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(process_id) and lines[7].strip() == "ready"


def _is_alive(process_id: int) -> bool:
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
