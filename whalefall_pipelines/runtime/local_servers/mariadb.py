"""A private MariaDB server from the machine's own `mariadbd`: made once, started and stopped, as root or as a user.

Which binaries there are is `mariadb_binaries.py`, how it is made `mariadb_bootstrap.py`, how it is started and stopped
`private_server.py`, and how it is monitored `fleet/mysql/sizes.py`.
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
    """One server in `folder` (data, log, port, socket), listening on `host`; its root has no password and only the unix socket.

    The folder is open to its owner alone, who is thereby the only one to reach that socket. `options` are the server's own, such as
    `("--innodb-file-per-table=0",)`.
    """

    product: ClassVar[str] = "MariaDB"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    binaries: MariadbBinaries
    folder: Path
    host: str = "127.0.0.1"
    options: tuple[str, ...] = ()

    def process_id(self) -> int | None:
        """The running server's, or None. A pid file left by a crash, or whose number now belongs to another program, does not count."""
        try:
            process = psutil.Process(int((self.folder / "pid").read_text()))
            (folder,) = (word.partition("=")[2] for word in process.cmdline() if word.startswith("--datadir="))
            return process.pid if Path(folder).samefile(self.data) else None
        except (OSError, ValueError, psutil.Error):
            return None

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

    def _is_ready(self, process_id: int) -> bool:  # noqa: ARG002 - whoever greets at this socket is the one
        try:
            with self._call() as caller:
                caller.settimeout(1)
                return len(caller.recv(1)) == 1
        except OSError:
            return False

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
