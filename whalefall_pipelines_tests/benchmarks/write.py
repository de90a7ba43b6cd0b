"""The cost of writing sizes: a month and a week of a large fleet, against the fastest way to load the same rows into PostgreSQL."""

import io
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg2

from whalefall_pipelines.capacity.store.sizes import SizeRow, write_sizes
from whalefall_pipelines.domain.sizes import Method, Provenance
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.benchmarks.figures import Figure, alternate
from whalefall_pipelines_tests.benchmarks.servers import embedded_store
from whalefall_pipelines_tests.conftest import libpq_url

INSTANCES, DATABASES = 1000, 27
# 37 days over two months: 999,000 rows.
DAYS = tuple(date(2026, 9, 1) + timedelta(days=number) for number in range(37))
ROUNDS = 3
_COLLECTED_AT = datetime(2026, 11, 22, 3, tzinfo=UTC)


def rows() -> Iterator[SizeRow]:
    """Every database on every day, day by day."""
    for number, day in enumerate(DAYS):
        for instance_id in range(1, INSTANCES + 1):
            for database in range(DATABASES):
                size = 8_000_000 + instance_id * 1000 + database * 100 + number
                name = f"application_{database}"
                yield SizeRow(instance_id, name, day, size, size, None, _COLLECTED_AT, Provenance.MEASURED, Method.PG_DATABASE_SIZE)


def _ours(store: Database, ready: Sequence[SizeRow]) -> float:
    """Prepared rows through the store into its empty partitioned tables. Seconds, including the commit."""
    with store.transaction() as cursor:
        cursor.execute("truncate database_size_stats")
        cursor.execute("update database_activity set first_measured_date = null")
    begun = time.monotonic()
    with store.transaction() as cursor:
        write_sizes(cursor, ready, None)
    return time.monotonic() - begun


def _floor(store: Database, text: str) -> float:
    """COPY of prepared text into a table without indexes or constraints. Seconds, including the commit."""
    with closing(psycopg2.connect(libpq_url(store.url))) as connection, connection.cursor() as cursor:
        cursor.execute("drop table if exists floor")
        cursor.execute(
            "create table floor (instance_id integer, database_name text, stat_date date, total_bytes bigint, data_bytes bigint, "
            "log_bytes bigint, collected_at timestamptz, provenance text, method text, session_id uuid)"
        )
        connection.commit()
        begun = time.monotonic()
        cursor.copy_from(io.StringIO(text), "floor", size=1 << 20)
        connection.commit()
        return time.monotonic() - begun


def _ready_text() -> str:
    return "".join(
        f"{row.instance_id}\t{row.database_name}\t{row.stat_date}\t{row.total_bytes}\t{row.data_bytes}\t\\N\t{row.collected_at.isoformat()}\t"
        f"{row.provenance}\t{row.method}\t\\N\n"
        for row in rows()
    )


def _register(store: Database) -> None:
    """The instances and their inventory, as they are when sizes are written."""
    with store.transaction() as cursor:
        cursor.execute("insert into credentials (name, username) values ('benchmark', 'monitor') returning credential_id")
        (credential_id,) = cursor.fetchone() or (None,)
        cursor.execute(
            "insert into instances (name, engine, host, port, credential_id) "
            "select 'target-' || number, 'postgresql', '127.0.0.1', 1, %s from generate_series(1, %s) as number",
            (credential_id, INSTANCES),
        )
        cursor.execute(
            "insert into instance_databases (instance_id, database_name, first_seen_date, last_seen_date) "
            "select instance_id, 'application_' || number, %s, %s from instances, generate_series(0, %s) as number",
            (DAYS[0], DAYS[-1], DATABASES - 1),
        )
        cursor.execute(
            "insert into database_activity (instance_id, database_name, active_from, database_id) "
            "select instance_id, 'application_' || number, %s, number from instances, generate_series(0, %s) as number",
            (DAYS[0], DATABASES - 1),
        )


def measure(folder: Path) -> list[Figure]:
    """The ratio."""
    with embedded_store(folder / "home") as store:
        _register(store)
        ensure_months(store, DAYS)
        text, ready = _ready_text(), list(rows())
        compared = alternate(lambda: _ours(store, ready), lambda: _floor(store, text), ROUNDS)
        with store.transaction() as cursor:
            cursor.execute("select count(*), count(distinct (instance_id, database_name)) from database_size_stats")
            assert cursor.fetchone() == (len(DAYS) * INSTANCES * DATABASES, INSTANCES * DATABASES)
    return [Figure("write a million sizes: store / raw COPY", compared.ratio, 6, "x", str(compared))]
