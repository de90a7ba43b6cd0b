"""Creates a MariaDB server: data directory and system tables. `mariadb.py` starts and stops it.

mariadb-install-db is not used: it needs another package, and as root it changes the owners of system files.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from whalefall_pipelines import queries
from whalefall_pipelines.errors import LocalServerError
from whalefall_pipelines.runtime.local_servers.mariadb_binaries import MariadbBinaries
from whalefall_pipelines.runtime.local_servers.private_server import writing
from whalefall_pipelines.runtime.processes import dying_with_parent, last_lines

BOOTSTRAP_SECONDS = 300
# 47 instead of 96 MB of memory, 33 instead of 123 MB of disk; names are not resolved, which is faster and keeps root on the socket.
_OPTIONS = (
    "--skip-name-resolve",
    "--innodb-buffer-pool-size=6M",
    "--innodb-log-file-size=8M",
    "--key-buffer-size=64K",
    "--aria-pagecache-buffer-size=256K",
)


def server_command(binaries: MariadbBinaries, data: Path, options: Sequence[str]) -> list[str]:
    """The command line of the server for this data directory, with a small footprint and without option files."""
    user = ["--user=root"] if os.geteuid() == 0 else []  # required to run as root
    # A server that starts clears its temporary directory, so one that is shared loses other servers' tables in use.
    return [str(binaries.server), "--no-defaults", *user, f"--datadir={data}", f"--tmpdir={data}", *_OPTIONS, *options]


def make_server(binaries: MariadbBinaries, folder: Path, options: Sequence[str]) -> None:
    """Create `folder/data`; the server's output goes to `folder/mariadb.log`.

    It is created under another name first, so that the next attempt can discard the remains of an interrupted one.

    Raises:
        LocalServerError: the folder cannot be written, or the server failed.
    """
    partial, log_file = folder / "data.partial", folder / "mariadb.log"
    command = [*server_command(binaries, partial, options), "--bootstrap", "--log-warnings=0", "--enforce-storage-engine="]
    with writing(folder), log_file.open("ab") as log:
        _clear(partial)
        partial.mkdir(mode=0o700)
        try:
            result = subprocess.run(
                dying_with_parent(command, signal.SIGKILL),
                input=_statements(binaries),
                stdout=log,
                stderr=log,
                cwd="/",
                check=False,
                timeout=BOOTSTRAP_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise LocalServerError(f"MariaDB's system tables in {folder} were not created within {BOOTSTRAP_SECONDS} s.") from error
        if result.returncode != 0:
            message = " | ".join(last_lines(log_file, 3))
            raise LocalServerError(f"MariaDB's system tables in {folder} could not be created: {message} (see {log_file})")
        partial.rename(folder / "data")


def _clear(partial: Path) -> None:
    # The server of a killed attempt may write for a moment longer.
    deadline = time.monotonic() + 5
    while partial.exists() and time.monotonic() < deadline:
        shutil.rmtree(partial, ignore_errors=True)


def _statements(binaries: MariadbBinaries) -> bytes:
    begin = queries.load("runtime/mariadb/begin_system_tables").encode()
    end = queries.load("runtime/mariadb/end_system_tables").encode()
    return b"\n".join((begin, *(path.read_bytes() for path in binaries.system_tables()), end))
