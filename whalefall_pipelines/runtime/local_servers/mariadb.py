"""A private MariaDB server that uses the installed `mariadbd`. It runs as root or as a user.

`mariadb_binaries.py` finds the binaries, `mariadb_bootstrap.py` creates the server, and `private_server.py` starts and stops it.
"""

import os
import signal
import socket
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil

from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.runtime.local_servers.mariadb_binaries import MariadbBinaries
from whalefall_pipelines.runtime.local_servers.mariadb_bootstrap import make_server, server_command
from whalefall_pipelines.runtime.local_servers.private_server import PrivateServer, writing


@dataclass(frozen=True, slots=True)
class MariadbServer(PrivateServer):
    """One server in `folder` (data, log, port, socket) that listens on `host`. Its root user has no password, but only the unix socket.

    Only the owner can read the folder, so only the owner can reach that socket. `options` are server options such as
    `("--innodb-file-per-table=0",)`.
    """

    product: ClassVar[str] = "MariaDB"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    binaries: MariadbBinaries
    folder: Path
    host: str = "127.0.0.1"
    options: tuple[str, ...] = ()

    def process_id(self) -> int | None:
        """The process id of the running server, or None. A stale pid file is ignored, even if another program now has its number."""
        try:
            process = psutil.Process(int((self.folder / "pid").read_text()))
            (folder,) = (word.partition("=")[2] for word in process.cmdline() if word.startswith("--datadir="))
            return process.pid if Path(folder).samefile(self.data) else None
        except (OSError, ValueError, psutil.Error):
            return None

    def administer(self, *statements: str, parameters: Mapping[str, object] | None = None) -> list[tuple[object, ...]]:
        """Run statements as root over the unix socket, all with the same named parameters, and return the rows of the last one.

        Raises:
            LocalServerError: the server is not running, or refuses a statement. It is not shown, because it may contain a password.
        """
        import pymysql  # noqa: PLC0415 - most commands do not need this driver

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
            raise LocalServerError(f"{self.product} in {self.folder} is not running: {error.strerror}.") from error
        except pymysql.Error as error:
            number = error.args[0] if error.args else "none"
            raise LocalServerError(f"{self.product} in {self.folder} refuses an administrator's statement (its error {number}).") from error
        return rows

    def _prepare(self) -> None:
        with writing(self.folder):
            self.folder.chmod(0o700)
        if not self.data.exists():
            make_server(self.binaries, self.folder, self.options)

    def _command(self, port: int) -> Sequence[str]:
        # The socket's path is seen from the data directory, for the same reason as in _call.
        where = (f"--bind-address={self.host}", f"--port={port}", "--socket=../socket")
        return [*server_command(self.binaries, self.data, self.options), *where]

    def _note(self, process_id: int) -> None:
        with writing(self.folder):
            (self.folder / "pid").write_text(str(process_id))

    def _is_ready(self, process_id: int) -> bool:  # noqa: ARG002 - only this server can answer on this socket
        try:
            with self._call() as caller:
                caller.settimeout(1)
                return len(caller.recv(1)) == 1
        except OSError:
            return False

    @contextmanager
    def _call(self) -> Generator[socket.socket]:
        """Connect to the unix socket. Its path is limited to 107 bytes, so on Linux longer paths go through /proc."""
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
