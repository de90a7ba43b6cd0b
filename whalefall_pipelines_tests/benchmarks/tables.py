"""Table sizes: 10,000 tables of one PostgreSQL database against the bare statement, what storing them costs, and the memory of 100,000."""

import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2

from whalefall_pipelines import queries
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.domain.tables import TableSizes
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.tables import TABLES
from whalefall_pipelines.inventory.fleet import active_instances
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_binaries import for_store
from whalefall_pipelines.sessions.collection import Collection
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.credentials import SecretBox
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines.tables.collect import TablesCollector
from whalefall_pipelines.tables.model import Reading
from whalefall_pipelines.tables.store import write_tables
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.benchmarks.servers import PASSWORD, USERNAME, embedded_store

TABLE_COUNT, MANY = 10_000, 100_000
AT_MOST = 20_000
ROUNDS = 7
_PASSWORD_VARIABLE = "MONITOR_BENCHMARK_PASSWORD"
# So many tables are made in a transaction: each keeps its locks until the end.
_AT_ONCE = 1000


def measure(folder: Path) -> Iterator[Figure]:
    """Every figure, the memory last, because 100,000 tables take minutes to make."""
    (folder / "store").mkdir()
    with _server(folder / "server") as server, embedded_store(folder / "store") as store:
        _create_tables(server, "shop", TABLE_COUNT, "number integer primary key, text text")
        collector, instance = _registered(store, folder, server)

        def collect() -> float:
            begun = time.monotonic()
            (outcome,) = collector.collect_instance(instance, ["shop"]).databases
            assert outcome.reason is None, outcome
            return time.monotonic() - begun

        reading = alternate(lambda: read(server.host, server.port, "shop"), lambda: _bare(server), ROUNDS)
        yield Figure("reading 10,000 tables", reading.ratio, 1.3, "x", str(reading))
        yield Figure("storing 10,000 tables first", _store_first(store, instance), 2, "s", "their month is made, too")
        yield _bytes_of_a_year(store)
        unchanged = alternate(collect, lambda: read(server.host, server.port, "shop"), ROUNDS)
        yield Figure("an unchanged refresh", unchanged.ratio, 1.2, "x", str(unchanged))
        _create_tables(server, "crowd", MANY, "number integer")
        yield Figure("memory with 100,000 tables", _megabytes(server), 128, "MB", "of the whole process at its peak")


def read(host: str, port: int, database_name: str) -> float:
    """Read through the adapter, as the collector does without its store. Seconds."""
    begun = time.monotonic()
    with ServerFleet().connect(TABLES, Instance(1, "target", Engine.POSTGRESQL, host, port, USERNAME), Login(USERNAME, PASSWORD)) as probe:
        probe.identity()
        assert isinstance(probe.measure_tables(database_name, AT_MOST), TableSizes)
    return time.monotonic() - begun


def _store_first(store: Database, instance: Instance) -> float:
    """Store what a database has that was never read before. Seconds."""
    with ServerFleet().connect(TABLES, instance, Login(USERNAME, PASSWORD)) as probe:
        sizes = probe.measure_tables("shop", AT_MOST)
    begun, now = time.monotonic(), datetime.now(UTC)
    day = today(now, store.timezone)
    ensure_months(store, [day], ("table_size_observations", "table_size_stats"))
    with store.transaction() as cursor:
        write_tables(cursor, instance.instance_id, Reading(day, now, sizes))
    return time.monotonic() - begun


def _bare(server: PostgresCluster) -> float:
    begun = time.monotonic()
    connection = psycopg2.connect(host=server.host, port=server.port, dbname="shop", user=USERNAME, password=PASSWORD)
    with closing(connection), connection.cursor() as cursor:
        cursor.execute(queries.load("probes/postgresql/measure_tables"), {"at_most": AT_MOST})
        assert len(cursor.fetchall()) == TABLE_COUNT + 2
    return time.monotonic() - begun


def _bytes_of_a_year(store: Database) -> Figure:
    """A table that changes in every tenth week, read weekly: a row for each month and each change, against a row for each week."""
    with store.transaction() as cursor:
        cursor.execute("select sum(pg_total_relation_size(relid)) from pg_partition_tree('table_size_stats') where isleaf")
        ((total,),) = cursor.fetchall()
    row_bytes = float(total) / TABLE_COUNT
    return Figure(
        "a table and year", row_bytes * (12 + 5.2), row_bytes * 52, "B", f"{row_bytes:.0f} B a row with its index; at most: as days"
    )


def _megabytes(server: PostgresCluster) -> float:
    """The peak of a process of its own that reads the crowd."""
    program = [sys.executable, "-m", __name__, server.host, str(server.port), "crowd"]
    peak = subprocess.run(program, check=True, capture_output=True, text=True).stdout
    return int(peak) / 1024


@contextmanager
def _server(folder: Path) -> Generator[PostgresCluster]:
    options = ("shared_buffers=128MB", "autovacuum=off", "fsync=off", "wal_level=minimal", "max_wal_senders=0", "jit=off")
    cluster = PostgresCluster(for_store(major=18).bin_dir, folder, host="127.0.1.1", options=options)
    cluster.start(with_parent=True)
    try:
        with closing(psycopg2.connect(cluster.url())) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(f"create role {USERNAME} login password '{PASSWORD}'")
        yield cluster
    finally:
        cluster.stop()


def _create_tables(server: PostgresCluster, database_name: str, count: int, columns: str) -> None:
    with closing(psycopg2.connect(server.url())) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(f"create database {database_name}")
    with closing(psycopg2.connect(server.url(database_name))) as connection, connection.cursor() as cursor:
        for begin in range(0, count, _AT_ONCE):
            numbers = range(begin, min(begin + _AT_ONCE, count))
            cursor.execute(";".join(f"create table t_{number} ({columns})" for number in numbers))
            connection.commit()


def _registered(store: Database, folder: Path, server: PostgresCluster) -> tuple[TablesCollector, Instance]:
    with store.transaction() as cursor:
        cursor.execute(
            "insert into credentials (name, username, secret) values ('target', %s, %s) returning credential_id",
            (USERNAME, f"env:{_PASSWORD_VARIABLE}"),
        )
        ((credential_id,),) = cursor.fetchall()
        cursor.execute(
            "insert into instances (name, engine, host, port, credential_id) values ('target', 'postgresql', %s, %s, %s)",
            (server.host, server.port, credential_id),
        )
    secrets = SecretBox(load_settings({"WHALEFALL_HOME": str(folder)}), {_PASSWORD_VARIABLE: PASSWORD})
    (instance,) = active_instances(store)
    return TablesCollector(Collection(store, ServerFleet(), secrets, 1, timedelta()), AT_MOST), instance


if __name__ == "__main__":
    read(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    print(line.split()[1])
