"""The servers of the benchmarks: an embedded store as `whalefall` itself runs it, and a fleet of small PostgreSQL clusters."""

import os
import shutil
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2

from whalefall_pipelines.runtime import embedded
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import for_store
from whalefall_pipelines.runtime.open_store import prepare_store
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database

# One version, so that figures of different machines can be compared; the one that `dev` brings.
_BINARIES = for_store(major=18).bin_dir
DATABASES = 20
# Number 5 is `postgres` since PostgreSQL 15.
_POSTGRES_OID = "5"
# A small server: 4 processes, 3.4 MB of private memory, 30 MB on disk.
_SMALL = (
    "shared_buffers=1MB", "max_connections=12", "autovacuum=off", "io_method=sync", "max_parallel_workers=0", "wal_buffers=64kB",
    "min_wal_size=2MB", "max_wal_size=4MB", "fsync=off", "wal_level=minimal", "max_wal_senders=0", "dynamic_shared_memory_type=mmap",
    "jit=off",
)  # fmt: skip


@contextmanager
def embedded_store(folder: Path) -> Generator[Database]:
    """A migrated store, durable as in production, stopped and closed at the end of the block."""
    configured = load_settings({"WHALEFALL_HOME": str(folder), "WHALEFALL_PG_BIN": str(_BINARIES)})
    cluster = embedded.cluster(configured)
    try:
        prepare_store(configured, with_parent=True)
        with closing(embedded.open_database(configured)) as database:
            yield database
    finally:
        cluster.stop()


@dataclass(frozen=True, slots=True)
class Target:
    """One PostgreSQL cluster of the fleet on its own address, and the monitoring login."""

    host: str
    port: int


USERNAME, PASSWORD = "monitor", "of the benchmark"


@contextmanager
def fleet(folder: Path, count: int) -> Generator[list[Target]]:
    """This many clusters from 127.0.1.1 on, copied from one template, all stopped at the end of the block."""
    template = PostgresCluster(_BINARIES, folder / "template", host="127.0.1.1", options=_SMALL, initdb_options=("--wal-segsize=1", "-N"))
    template.start(with_parent=True)
    _fill(template)
    template.stop()
    with ExitStack() as stack:
        targets: list[Target] = []
        for number in range(1, count + 1):
            cluster = replace(template, folder=folder / str(number), host=f"127.0.1.{number}")
            _copy(template, cluster)
            stack.callback(cluster.stop)
            cluster.start(with_parent=True)
            targets.append(Target(cluster.host, cluster.port))
        yield targets


def _copy(template: PostgresCluster, cluster: PostgresCluster) -> None:
    """Copy a cluster that is not running. All copies share the databases to which nobody connects, because nobody writes to them."""
    shared = [path.name for path in (template.data / "base").iterdir() if path.name != _POSTGRES_OID]
    shutil.copytree(template.folder, cluster.folder, ignore=lambda folder, _: shared if Path(folder).name == "base" else [])
    owner = template.data.stat()
    if owner.st_uid != os.geteuid():
        for path in (cluster.folder, *cluster.folder.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)
    for name in shared:
        (cluster.data / "base" / name).symlink_to(template.data / "base" / name)


def _fill(cluster: PostgresCluster) -> None:
    with closing(psycopg2.connect(cluster.url())) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"create role {USERNAME} login password '{PASSWORD}' in role pg_monitor")
        for number in range(DATABASES):
            cursor.execute(f"create database application_{number}")
