"""A store on its own server that can be stopped, killed, filled or exhausted, as `test_stores.py` does."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2
import pytest

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import for_store
from whalefall_pipelines.store import migrations
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.conftest import TIMEZONE
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy

# Durable, because that is what is tested; with few connections, so that they are exhausted quickly.
_OPTIONS = ("shared_buffers=32MB", "max_connections=20", "superuser_reserved_connections=0", "jit=off", "autovacuum=off")
_FULL_BYTES = 256 * 2**20


@dataclass
class Store:
    """The server, the store on it, and a long-lived thread, because a restarted server ends with the thread that started it."""

    cluster: PostgresCluster
    database: Database
    keeper: ThreadPoolExecutor

    def restart(self, *, crash: bool = False, after_seconds: float = 0) -> None:
        """Stop the server, or kill all its processes at once, and start it again after a while."""
        if crash:
            self._kill()
        else:
            self.cluster.stop()
        time.sleep(after_seconds)
        self.keeper.submit(self.cluster.start, with_parent=True).result()

    @contextmanager
    def through(self, proxy: ChaosProxy) -> Generator[Database]:
        """The store as reached through a proxy; its password file has only the server's own port."""
        password = self.cluster.pgpass.read_text().strip().rsplit(":", 1)[1]
        url = self.database.url.set(host=proxy.host, port=proxy.port, password=password, query={})
        with closing(Database(url, TIMEZONE)) as database:
            yield database

    def _kill(self) -> None:
        process_id = self.cluster.process_id()
        assert process_id
        postmaster = psutil.Process(process_id)
        everything = [postmaster, *postmaster.children(recursive=True)]
        for process in everything:
            with contextlib.suppress(psutil.NoSuchProcess):
                os.kill(process.pid, signal.SIGKILL)
        psutil.wait_procs(everything, timeout=10)

    @contextmanager
    def used_up(self) -> Generator[None]:
        """Use up all connections for the block."""
        with ExitStack() as stack, contextlib.suppress(psycopg2.OperationalError):
            while True:
                stack.enter_context(closing(psycopg2.connect(self.cluster.url())))
        with ExitStack() as stack:
            hogs: list[object] = []
            with contextlib.suppress(psycopg2.OperationalError):
                while True:
                    hogs.append(stack.enter_context(closing(psycopg2.connect(self.cluster.url()))))
            assert hogs
            yield


@contextmanager
def own_store(folder: Path, initdb_options: tuple[str, ...] = ()) -> Generator[Store]:
    """A migrated store on its own server."""
    with ThreadPoolExecutor(1) as keeper:
        cluster = PostgresCluster(
            bin_dir=for_store().bin_dir, folder=folder, options=_OPTIONS, initdb_options=("--wal-segsize=4", "-N", *initdb_options)
        )
        cluster.start(with_parent=True)
        try:
            administer(cluster, "create database whalefall")
            with closing(Database(parse_url(cluster.url("whalefall")), TIMEZONE)) as database:
                migrations.migrate(database, TIMEZONE.key)
            with closing(Database(parse_url(cluster.url("whalefall")), TIMEZONE)) as database:
                yield Store(cluster, database, keeper)
        finally:
            cluster.stop()


@contextmanager
def filled(folder: Path) -> Generator[None]:
    """Fill the file system of this folder for the block."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    yield
    ballast.unlink()


@contextmanager
def small_disk(folder: Path) -> Generator[Path]:
    """A small tmpfs at this folder; where mounting is forbidden the test is skipped."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={_FULL_BYTES}", "whalefall-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a disk that is full needs a file system of its own, and mounting one needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
