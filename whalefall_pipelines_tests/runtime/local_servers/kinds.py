"""The two kinds of private servers, created and queried in the same way, and started by other programs and other users."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2
from psycopg2.extensions import make_dsn

from whalefall_pipelines.runtime.local_servers.mariadb import MariadbServer
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import for_store
from whalefall_pipelines_tests.servers.mariadb import needed_binaries

REPOSITORY = Path(__file__).parents[3]
AS_NOBODY = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
# Runs in another process: starts the given server, and prints its process id and user id.
START = """
import sys, time
from pathlib import Path
import psutil
{make}
process_id = server.start(with_parent="stay" in sys.argv)
print(process_id, psutil.Process(process_id).uids().real, flush=True)
if "stay" in sys.argv:
    time.sleep(60)
"""


def cluster_in(folder: Path, bin_dir: Path | None = None) -> PostgresCluster:
    """A PostgreSQL of the store's version, or with these binaries."""
    return PostgresCluster(bin_dir=bin_dir or for_store().bin_dir, folder=folder, initdb_options=("--wal-segsize=4", "-N"))


def mariadb_in(folder: Path) -> MariadbServer:
    """A MariaDB; without its binaries the test is skipped."""
    return MariadbServer(needed_binaries(), folder)


def ask(cluster: PostgresCluster, statement: str, **connection: str) -> object:
    """The only value that a statement returns, if any."""
    with closing(psycopg2.connect(make_dsn(cluster.url(), **connection))) as opened:
        opened.autocommit = True
        with opened.cursor() as cursor:
            cursor.execute(statement)
            return (cursor.fetchone() or (None,))[0] if cursor.description else None


def _mariadb_answers(server: MariadbServer) -> bool:
    return server.administer("select count(*) > 20 from information_schema.tables where table_schema = 'mysql'") == [(1,)]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. `program` creates the server in the given folder; `pid_file` and `first_made` are relative to that folder."""

    server_in: Callable[[Path], PostgresCluster | MariadbServer]
    answers: Callable[..., bool]
    program: str
    pid_file: str
    first_made: str


POSTGRESQL = Kind(
    cluster_in,
    lambda cluster: ask(cluster, "select 1") == 1,
    "from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster\n"
    "server = PostgresCluster(Path(sys.argv[2]), Path(sys.argv[1]), initdb_options=('--wal-segsize=4', '-N'))",
    "data/postmaster.pid",
    "data.partial/base",
)
MARIADB = Kind(
    mariadb_in,
    _mariadb_answers,
    "from whalefall_pipelines.runtime.local_servers.mariadb import MariadbServer\n"
    "from whalefall_pipelines.runtime.local_servers.mariadb_binaries import find\n"
    "server = MariadbServer(find(), Path(sys.argv[1]))",
    "pid",
    "data.partial/mysql",
)


def start_elsewhere(
    kind: Kind, folder: Path, *words: str, python: str = sys.executable, before: tuple[str, ...] = (), **environment: str
) -> subprocess.Popen[str]:
    """Another program that starts the server in this folder; with `stay` it keeps running, and the server ends with it."""
    kind.server_in(folder)  # skips the test where there are no binaries
    return subprocess.Popen(
        [*before, python, "-c", START.format(make=kind.program), str(folder), str(for_store().bin_dir), *words],
        env=os.environ | python_path(python) | environment,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def started(holder: subprocess.Popen[str]) -> tuple[int, int]:
    """The process id and the user id of the server that another program has started."""
    assert holder.stdout
    assert holder.stderr
    line = holder.stdout.readline().split()
    assert line, holder.stderr.read()
    return int(line[0]), int(line[1])


def python_path(python: str) -> dict[str, str]:
    """The environment in which an interpreter finds this project and its dependencies."""
    packages = [] if python == sys.executable else [path for path in sys.path if path.endswith("site-packages")]
    return {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), *packages])}


def python_for_everybody() -> str | None:
    """An interpreter that an unprivileged user can run with our packages."""
    for python in (sys.executable, "/usr/bin/python3"):
        check = [*AS_NOBODY, python, "-c", "import psutil, pymysql, whalefall_pipelines.runtime.processes"]
        try:
            if subprocess.run(check, env=python_path(python), capture_output=True, check=False, cwd="/", timeout=20).returncode == 0:
                return python
        except OSError:
            continue
    return None


def gone(process_id: int, seconds: float = 10) -> bool:
    """Wait until the process has ended."""
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(process_id) and psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
