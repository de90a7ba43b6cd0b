"""A hot standby of a PostgreSQL, whose replay cancels what conflicts with it at once."""

import shutil
import subprocess
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2

from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.unprivileged import run_as
from whalefall_pipelines_tests.servers.postgresql import MAJORS, new_cluster, superuser
from whalefall_pipelines_tests.servers.running import running

# What the primary needs.
PRIMARY = ("wal_level=replica", "max_wal_senders=4")


@contextmanager
def standby_of(primary: PostgresCluster, folder: Path) -> Generator[PostgresCluster]:
    """A running standby of a server of the newest version."""
    folder.mkdir()
    standby = new_cluster(MAJORS[-1], folder, "hot_standby=on", "max_standby_streaming_delay=0")
    command = [str(primary.bin_dir / "pg_basebackup"), "-d", primary.url(), "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast"]
    subprocess.run([*run_as(standby.data).prefix, *command], check=True, capture_output=True, timeout=120)
    shutil.copy2(primary.pgpass, standby.pgpass)
    with running(standby):
        yield standby


def leave_dead_rows(primary: PostgresCluster) -> None:
    """Create dead rows and vacuum them, which a standby replays in conflict with its readers of the database `postgres`."""
    with superuser(primary) as cursor:
        cursor.execute("create table if not exists public.churn (number integer)")
        cursor.execute("insert into public.churn select generate_series(1, 50)")
        cursor.execute("delete from public.churn")
        cursor.execute("vacuum public.churn")


@contextmanager
def replaying_conflicts(primary: PostgresCluster) -> Generator[None]:
    """For the block, replay on the standbys of a server cancels whatever takes long in the database `postgres`."""
    is_over = threading.Event()

    def churn() -> None:
        while not is_over.is_set():
            leave_dead_rows(primary)

    worker = threading.Thread(target=churn)
    worker.start()
    try:
        yield
    finally:
        is_over.set()
        worker.join()


def is_cancelled(standby: PostgresCluster) -> bool:
    """Whether replay cancels a statement that takes 50 ms; a cancelled login says nothing about statements."""
    try:
        connection = psycopg2.connect(standby.url())
    except psycopg2.OperationalError as error:
        if "conflict with recovery" in str(error):
            return False
        raise
    with closing(connection), connection.cursor() as cursor:
        connection.autocommit = True
        try:
            cursor.execute("select pg_sleep(0.05) from pg_database limit 1")
        except psycopg2.errors.SerializationFailure:
            return True
        return False
