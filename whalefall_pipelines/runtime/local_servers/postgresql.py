"""A private PostgreSQL cluster that uses installed binaries. It runs as root or as a user.

`postgresql_binaries.py` finds the binaries, `postgresql_initdb.py` creates the cluster, `unprivileged.py` chooses its user,
`private_server.py` starts and stops it, and `runtime/embedded.py` uses it as the store.
"""

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import psutil

from whalefall_pipelines.runtime.local_servers.postgresql_initdb import make_cluster
from whalefall_pipelines.runtime.local_servers.private_server import PrivateServer
from whalefall_pipelines.runtime.local_servers.unprivileged import RunAs, run_as
from whalefall_pipelines.runtime.processes import last_lines


@dataclass(frozen=True, slots=True)
class PostgresCluster(PrivateServer):
    """One cluster in `folder` (data, log, port, password), listening on `host` only, SCRAM for every connection.

    `options` are server settings such as `("shared_buffers=16MB",)`; `initdb_options` are given once.
    """

    product: ClassVar[str] = "PostgreSQL"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # fast: it does not wait for sessions
    bin_dir: Path
    folder: Path
    host: str = "127.0.0.1"
    superuser: str = "postgres"
    options: tuple[str, ...] = ()
    initdb_options: tuple[str, ...] = ("--wal-segsize=4",)

    @property
    def pgpass(self) -> Path:
        """The password file, in libpq's format, readable by its owner only."""
        return self.folder / "pgpass"

    def url(self, database: str = "postgres") -> str:
        """A libpq URL without the password in it: libpq takes that from the password file."""
        return f"postgresql://{self.superuser}@{self.host}:{self.port}/{quote(database, safe='')}?passfile={quote(str(self.pgpass))}"

    def process_id(self) -> int | None:
        """The process id of the postmaster, or None. A stale pid file is ignored, even if another program now has its number."""
        try:
            process = psutil.Process(self._written_process_id())
            arguments = process.cmdline()
            folder = Path(arguments[arguments.index("-D") + 1])
            return process.pid if folder.samefile(self.data) else None
        except (OSError, ValueError, IndexError, psutil.Error):
            return None

    def _written_process_id(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split()[0])

    def _prepare(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            make_cluster(self.bin_dir, self.folder, self.superuser, self.initdb_options)
        elif self._pid_is_taken():
            (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _pid_is_taken(self) -> bool:
        # PostgreSQL clears its own stale pid file, but refuses to start when the number belongs to any other process of this user.
        try:
            return psutil.pid_exists(self._written_process_id())
        except (OSError, ValueError, IndexError):
            return True

    def _command(self, port: int) -> Sequence[str]:
        settings = (f"listen_addresses={self.host}", f"port={port}", "unix_socket_directories=", *self.options)
        return [str(self.bin_dir / "postgres"), "-D", str(self.data), *(argument for item in settings for argument in ("-c", item))]

    def _identity(self) -> RunAs:
        return run_as(self.data)

    def _is_held_by_orphans(self) -> bool:
        return any("pre-existing shared memory block" in line for line in last_lines(self.log, 3))

    def _is_ready(self, process_id: int) -> bool:
        # The eighth line of postmaster.pid is the server's own word for it, and needs no login; a crash leaves the file of the one before.
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(process_id) and lines[7].strip() == "ready"
