"""Expiry that is blocked by another session, and expiry that is killed: at the command, and under the real daemon."""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import UTC, datetime

import psycopg2
import pytest

from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.months import Month
from whalefall_pipelines.runtime.embedded import open_database
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_month, read_catalogue
from whalefall_pipelines_tests.cli.trees import LAUNCH, Home, Up, eventually, running
from whalefall_pipelines_tests.conftest import libpq_url
from whalefall_pipelines_tests.factories import query, register
from whalefall_pipelines_tests.faults.conftest import Report
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.matrix import EXPIRY_UNDER_THE_DAEMON, RETENTION
from whalefall_pipelines_tests.faults.processes import Installation, installation
from whalefall_pipelines_tests.servers.locks import somebody

pytestmark = pytest.mark.process
TABLE = "instance_size_stats"
READING, KILLED = RETENTION


def overdue_month(store: Database) -> Month:
    """The only month past the retention of sizes, beside the running one."""
    day = today(datetime.now(UTC), store.timezone)
    this_month = Month(day.year, day.month)
    for month in (this_month.plus(-13), this_month):
        ensure_month(store, TABLE, month)
    return this_month.plus(-13)


def is_there(store: Database, month: Month) -> bool:
    return month in {table_partition.month for table_partition in read_catalogue(store, [TABLE])}


@pytest.fixture
def installed(
    store: Database, postgres_server: PostgresCluster, dagster_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Installation]:
    with installation(postgres_server, dagster_template, store, tmp_path_factory.mktemp("retention")) as made:
        yield made


@pytest.mark.parametrize(("fault", "engine"), parameters((READING,)))
def test_a_blocked_expiry_gives_up_and_the_next_one_expires_the_month(
    fault: Fault, engine: str, store: Database, installed: Installation, report: Report
) -> None:
    month = overdue_month(store)
    with somebody(store, f"select * from {month.table_partition(TABLE)}"):
        expiry = installed.start("partitions", "expire", "--yes")
        assert expiry.wait() == 2
        assert fault.says in " ".join(expiry.output().split()), expiry.output()
        with somebody(store, "set lock_timeout = '200ms'", f"select * from {TABLE}", f"lock table {TABLE} in row exclusive mode"):
            pass  # readers and writers continue
    begun = time.monotonic()
    again = installed.start("partitions", "expire", "--yes")
    assert again.wait() == 0, again.output()
    assert not is_there(store, month)
    report(fault, engine, time.monotonic() - begun)


@pytest.mark.parametrize(("fault", "engine"), parameters((KILLED,)))
def test_a_killed_deletion_is_resumed_by_the_next_run(
    fault: Fault, engine: str, store: Database, installed: Installation, report: Report
) -> None:
    instances = register(store, *(f"i{number}" for number in range(50)))
    with store.transaction() as cursor:
        cursor.execute(
            "insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day, started_at) "
            "select gen_random_uuid(), 'aggregation', 'scheduled_task', d, d, d "
            "from generate_series(date '2020-01-01', '2020-01-20', '1 day') d"
        )
        cursor.execute(
            "insert into sync_instance_records (session_id, instance_id) select session_id, instance_id from sync_sessions, instances"
        )
        cursor.execute("update sync_sessions set status = 'completed', completed_at = now()")
    ((seventh,),) = query(store, "select session_id::text from sync_sessions where first_day = '2020-01-07'")
    with closing(psycopg2.connect(libpq_url(store.url))) as other, other.cursor() as holding:
        holding.execute("select 1 from sync_instance_records where session_id = %s for update", (seventh,))
        run = installed.start("retention", "expire", "--yes")
        waits = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        assert eventually(lambda: query(store, waits), seconds=60), run.output()
        run.process.kill()
        run.wait()
    left = query(store, "select count(*) from sync_instance_records group by session_id")
    assert eventually(lambda: query(store, waits) == [])
    assert set(left) == {(len(instances),)}
    assert len(left) in {13, 14}  # the server notices the death later, so it may still complete the deletion that was waiting
    assert query(store, "select count(*) from sync_sessions") == [(20,)]
    begun = time.monotonic()
    again = installed.start("retention", "expire", "--yes")
    assert again.wait() == 0, again.output()
    assert query(store, "select count(*) from sync_sessions") == query(store, "select count(*) from sync_instance_records") == [(0,)]
    report(fault, engine, time.monotonic() - begun)


def launch_expiry(up: Up) -> None:
    """As the nightly schedule does."""
    job = {"repositoryLocationName": "whalefall_pipelines", "repositoryName": "__repository__", "pipelineName": "expire_table_partitions"}
    answer = up.ask(LAUNCH, {"parameters": {"selector": job, "mode": "default"}})["launchPipelineExecution"]
    assert answer["__typename"] == "LaunchRunSuccess", answer


@pytest.mark.parametrize(("fault", "engine"), parameters((EXPIRY_UNDER_THE_DAEMON,)))
def test_the_daemon_retries_an_expiry_the_same_day(fault: Fault, engine: str, prepared_home: Callable[..., Home], report: Report) -> None:
    home = prepared_home({"WHALEFALL_RETRY_MINUTES": "1"})
    home.succeed("store", "start")
    with closing(open_database(load_settings(home.environment))) as store, running(home, free_port()) as up:
        month = overdue_month(store)
        failed = "select 1 from sync_sessions where sync_category = 'partition' and status = 'failed' and error_code = 'STORE_BUSY'"
        with somebody(store, f"select * from {month.table_partition(TABLE)}"):
            launch_expiry(up)
            assert eventually(lambda: query(store, failed), seconds=180), up.output()
            assert is_there(store, month) or query(store, "select 1 from pg_inherits where inhdetachpending")
        begun = time.monotonic()
        gone = "select to_regclass(%s) is null"
        assert eventually(lambda: query(store, gone, month.table_partition(TABLE)) == [(True,)], seconds=400), up.output()
        report(fault, engine, time.monotonic() - begun)
