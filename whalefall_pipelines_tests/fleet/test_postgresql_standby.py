"""A hot standby whose replay cancels conflicting statements: every database is still measured."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg2
import pytest

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.sizes import DatabaseSize
from whalefall_pipelines.errors import UnreachableError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES, SizesProbe
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.unprivileged import run_as
from whalefall_pipelines_tests.servers.postgresql import MAJORS, create_login, instance_of, new_cluster, superuser
from whalefall_pipelines_tests.servers.running import running

pytestmark = pytest.mark.process
# So many that one statement over all of them takes far longer than replay allows.
DATABASES = 60


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[PostgresCluster, PostgresCluster]]:
    """A primary with many databases, and its standby."""
    with running(new_cluster(MAJORS[-1], tmp_path / "primary", "wal_level=replica", "max_wal_senders=4")) as primary:
        with superuser(primary) as cursor:
            for number in range(DATABASES):
                cursor.execute(f"create database many_{number} strategy file_copy")
            cursor.execute("create table public.churn (number integer)")
        folder = tmp_path / "standby"
        folder.mkdir()
        standby = new_cluster(MAJORS[-1], folder, "hot_standby=on", "max_standby_streaming_delay=0")
        command = [str(primary.bin_dir / "pg_basebackup"), "-d", primary.url(), "-D", str(standby.data), "-R", "-X", "stream", "-c", "fast"]
        subprocess.run([*run_as(standby.data).prefix, *command], check=True, capture_output=True, timeout=120)
        shutil.copy2(primary.pgpass, standby.pgpass)
        with running(standby):
            yield primary, standby


def churn(primary: PostgresCluster, is_over: threading.Event) -> None:
    """Create dead rows and vacuum them, which a standby replays in conflict with its readers."""
    with superuser(primary) as cursor:
        while not is_over.is_set():
            cursor.execute("insert into public.churn select generate_series(1, 50)")
            cursor.execute("delete from public.churn")
            cursor.execute("vacuum public.churn")


def probing(stack: ExitStack, standby: PostgresCluster, login: Login) -> SizesProbe:
    """A probe as a run does it: a login that replay cancels is retried."""
    for _ in range(20):
        try:
            return stack.enter_context(ServerFleet().connect(SIZES, instance_of(standby), login))
        except UnreachableError as error:
            if "conflict with recovery" not in str(error):
                raise
    raise AssertionError("replay cancels every login")


def is_cancelled(standby: PostgresCluster) -> bool:
    """Whether replay cancels one statement over all databases; a cancelled login says nothing about statements."""
    try:
        connection = psycopg2.connect(standby.url())
    except psycopg2.OperationalError as error:
        if "conflict with recovery" in str(error):
            return False
        raise
    with closing(connection), connection.cursor() as cursor:
        connection.autocommit = True
        try:
            cursor.execute("select array_agg(oid)::text from pg_database")
            ((identifiers,),) = cursor.fetchall()
            cursor.execute(queries.load("probes/postgresql/measure_databases"), {"database_ids": identifiers})
        except psycopg2.errors.SerializationFailure:
            return True
        return False


def test_what_replay_cancels_is_measured_database_by_database(pair: tuple[PostgresCluster, PostgresCluster]) -> None:
    primary, standby = pair
    login, is_over = create_login(primary), threading.Event()
    worker = threading.Thread(target=churn, args=(primary, is_over))
    worker.start()
    try:
        assert any(is_cancelled(standby) for _ in range(50)), "replay cancels nothing here"
        with ExitStack() as stack:
            probe = probing(stack, standby, login)
            names = [name for name in probe.list_databases() if name.startswith("many_")]
            assert len(names) == DATABASES
            for _ in range(3):
                outcomes = probe.measure(names)
                assert [outcome for outcome in outcomes if not isinstance(outcome, DatabaseSize)] == []
            identity = probe.identity()
    finally:
        is_over.set()
        worker.join()
    assert identity
    assert identity.is_replica
    with ServerFleet().connect(SIZES, instance_of(primary), login) as probe:
        of_primary = probe.identity()
    assert of_primary
    assert (of_primary.name, of_primary.is_replica) == (identity.name, False)
    assert of_primary.started_at != identity.started_at
