"""A private MySQL from the files of `install_mysql.sh`, started and stopped like a MariaDB; logins and schemas are in `mariadb.py`."""

import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from whalefall_pipelines.runtime.local_servers.mariadb import MariadbServer
from whalefall_pipelines.runtime.local_servers.mariadb_binaries import MariadbBinaries
from whalefall_pipelines.runtime.processes import dying_with_parent

ABSENT = "no MySQL here"
_INITIALIZE_SECONDS = 300
# Small, and without durability, which these tests do not need.
_OPTIONS = (
    "--skip-name-resolve",
    "--mysqlx=OFF",
    "--secure-file-priv=NULL",  # the built-in folder does not exist
    "--innodb-buffer-pool-size=16M",
    "--innodb-redo-log-capacity=8M",
    "--innodb-flush-method=nosync",
    "--innodb-flush-log-at-trx-commit=0",
)


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "whalefall-tests" / "mysql"


def find() -> MariadbBinaries | None:
    """The MySQL that was unpacked, or None."""
    root = _cache() / "root" / "usr"
    server = root / "sbin" / "mysqld"
    return MariadbBinaries(server, root, "") if server.is_file() else None


def why_absent() -> str:
    """The output of the installation, for people."""
    try:
        return (_cache() / "why_absent").read_text().strip()
    except OSError:
        return "whalefall_pipelines_tests/servers/install_mysql.sh was not run; `make test` runs it."


@dataclass(frozen=True, slots=True)
class MysqlServer(MariadbServer):
    """One MySQL in `folder`; its root has no password and only the unix socket. It is a copy of one that is made once per machine."""

    product: ClassVar[str] = "MySQL"

    def _prepare(self) -> None:
        self.folder.chmod(0o700)
        if not self.data.exists():
            shutil.copytree(_made_once(self.binaries), self.data)

    def _command(self, port: int) -> Sequence[str]:
        where = (f"--bind-address={self.host}", f"--port={port}", "--socket=../socket", f"--pid-file={self.folder / 'mysqld.pid'}")
        return [*_program(self.binaries, self.data), *where, *self.options]


def _program(binaries: MariadbBinaries, data: Path) -> list[str]:
    # The suite's own libc, which is newer than the system's: its loader runs the server.
    root = binaries.share
    (loader,) = {path.resolve() for path in root.glob("lib*/**/ld-linux*.so.*")}
    libraries = f"{loader.parent}:{root / 'lib' / 'mysql' / 'private'}"
    user = ["--user=root"] if os.geteuid() == 0 else []
    places = (f"--basedir={root}", f"--lc-messages-dir={root / 'share' / 'mysql'}", f"--plugin-dir={root / 'lib' / 'mysql' / 'plugin'}")
    command = [str(loader), "--library-path", libraries, str(binaries.server), "--no-defaults"]
    return [*command, *user, *places, f"--datadir={data}", f"--tmpdir={data.parent}", *_OPTIONS]


def _made_once(binaries: MariadbBinaries) -> Path:
    """A data directory without a server uuid: initializing takes seconds, copying 90 MB a fraction of a second."""
    cache = _cache()
    pattern = cache / "data"
    with (cache / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not pattern.exists():
            partial = cache / "data.partial"
            shutil.rmtree(partial, ignore_errors=True)
            subprocess.run(
                dying_with_parent([*_program(binaries, partial), "--initialize-insecure"], signal.SIGKILL),
                cwd="/",
                check=True,
                capture_output=True,
                timeout=_INITIALIZE_SECONDS,
            )
            (partial / "auto.cnf").unlink()
            partial.rename(pattern)
    return pattern
