"""Tables of real PostgreSQL servers: each is its files on disk, and all together are the database."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg2
import pytest

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import MissingSize
from whalefall_pipelines.domain.tables import TableKind, TableSize, TableSizes
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.tables import TABLES, TablesProbe
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.fleet.test_postgresql import HOSTILE
from whalefall_pipelines_tests.servers.postgresql import bytes_of, create_database, create_login, instance_of, quoted, superuser

pytestmark = pytest.mark.process
MANY = 20_000


@contextmanager
def probing(server: PostgresCluster, login: Login, deadlines: Deadlines | None = None) -> Generator[TablesProbe]:
    with ServerFleet(deadlines).connect(TABLES, instance_of(server), login) as probe:
        yield probe


def measure(server: PostgresCluster, database: str, at_most: int = MANY) -> TableSizes:
    with probing(server, create_login(server)) as probe:
        sizes = probe.measure_tables(database, at_most)
    assert isinstance(sizes, TableSizes)
    return sizes


def by_name(sizes: TableSizes) -> dict[str, TableSize]:
    return {size.partition_name or size.table_name: size for size in sizes.tables if size.table_name}


def files_of(server: PostgresCluster, database: str, relations: str) -> int:
    """The bytes of all forks and segments of the relations of a query, in the data directory."""
    with superuser(server, database) as cursor:
        cursor.execute(f"select pg_relation_filepath(oid) from pg_class where oid in ({relations})")
        bases = [server.data / path for (path,) in cursor.fetchall() if path]
    return sum(
        path.stat().st_size for base in bases for path in base.parent.glob(f"{base.name}*") if path.name[len(base.name) :][:1] in "_."
    )


def test_tables_are_their_files_and_add_up_to_the_database(server: PostgresCluster) -> None:
    database = create_database(server)
    with superuser(server, database) as cursor:
        for statement in (
            "create table big as select number, repeat('x', 500) as text from generate_series(1, 20000) as number",
            "create index on big (number)",
            "create table wide (number integer primary key, text text)",
            "alter table wide alter text set storage external",
            "insert into wide select number, repeat(md5(number::text), 200) from generate_series(1, 500) as number",
            "create unlogged table fleeting as select 1 as number",
            "create materialized view summary as select count(*) from big",
            "create table events (day date, text text) partition by range (day)",
            "create table events_1 partition of events for values from ('2026-01-01') to ('2026-02-01') partition by list (text)",
            "create table events_1_a partition of events_1 for values in ('a')",
            "create schema other",
            "create table other.events_2 partition of events for values from ('2026-02-01') to ('2026-03-01')",
            "create index on events (day)",
            "insert into events select '2026-01-05', 'a' from generate_series(1, 5000)",
            "insert into events select '2026-02-05', 'b' from generate_series(1, 50000)",
            "create table nothing (number integer) partition by range (number)",
            "select lo_from_bytea(0, convert_to(repeat('large', 100000), 'UTF8'))",
            "vacuum analyze",
            "create table late as select 1 as number",
            "checkpoint",
        ):
            cursor.execute(statement)
    sizes = measure(server, database)
    tables = by_name(sizes)
    # A new session may write the cache file of the catalogue, so that the server is asked afterwards.
    with superuser(server, database) as cursor:
        cursor.execute("select pg_database_size(current_database()), oid from pg_database where datname = current_database()")
        ((database_bytes, database_id),) = cursor.fetchall()
    assert sizes.total_bytes == database_bytes == bytes_of(server.data / "base" / str(database_id))
    assert (list(sizes.missing), sizes.smaller_tables, sizes.smaller_partitions) == ([], 0, 0)
    for name, size in tables.items():
        if size.kind is not TableKind.PARTITIONED:
            schema = "other" if name == '"other"."events_2"' else size.schema_name
            table = f"select '{schema}.{name.rpartition('.')[2]}'::regclass"
            toast = f"select reltoastrelid from pg_class where oid in ({table})"
            assert size.data_bytes == files_of(server, database, table)
            assert size.index_bytes == files_of(server, database, f"select indexrelid from pg_index where indrelid in ({table})")
            indexes = f"select indexrelid from pg_index where indrelid in ({toast})"
            assert size.lob_bytes == files_of(server, database, toast) + files_of(server, database, indexes)
            assert size.total_bytes == sum(part or 0 for part in (size.data_bytes, size.index_bytes, size.lob_bytes))
    assert set(tables) == {
        *("big", "wide", "fleeting", "summary", "events", "events_1_a", '"other"."events_2"', "nothing", "pg_largeobject", "late")
    }
    partitions = tables["events_1_a"], tables['"other"."events_2"']
    assert {partition.table_name for partition in partitions} == {"events"}
    assert tables["events"].total_bytes == sum(partition.total_bytes for partition in partitions) > 2_000_000
    assert tables["nothing"].total_bytes == 0
    assert (tables["wide"].lob_bytes or 0) > 3_000_000
    assert (tables["big"].row_estimate, tables["events"].row_estimate, tables["late"].row_estimate) == (20_000, 55_000, None)
    kinds = {name: tables[name].kind for name in ("big", "events", "fleeting", "summary")}
    assert kinds == {
        "big": TableKind.TABLE,
        "events": TableKind.PARTITIONED,
        "fleeting": TableKind.UNLOGGED,
        "summary": TableKind.MATERIALIZED_VIEW,
    }


def test_beyond_the_limit_one_row_has_the_exact_sum_of_the_rest(newest: PostgresCluster) -> None:
    database = create_database(newest)
    with superuser(newest, database) as cursor:
        cursor.execute("create table parent (number integer) partition by list (number)")
        for number in range(6):
            cursor.execute(f"create table small_{number} as select generate_series(1, {10000 * (number + 1)}) as number")
            cursor.execute(f"create table part_{number} partition of parent for values in ({number})")
        cursor.execute("insert into parent select 5 from generate_series(1, 200000)")
    measure(newest, database)
    whole, cut = measure(newest, database), measure(newest, database, at_most=4)
    assert cut.total_bytes == whole.total_bytes
    assert list(by_name(cut)) == ["parent", "part_5", "small_5", "small_4"]
    (rest,) = [size for size in cut.tables if size.kind is TableKind.SMALLER_TABLES]
    assert rest.total_bytes == sum(by_name(whole)[f"small_{number}"].total_bytes for number in range(4))
    assert (cut.smaller_tables, cut.smaller_partitions) == (4, 5)


@pytest.mark.parametrize("encoding", ["UTF8", "LATIN1"])
def test_hostile_names_are_read_as_they_are(newest: PostgresCluster, encoding: str) -> None:
    database = create_database(newest)
    with superuser(newest) as cursor:
        cursor.execute(f"drop database {database}")
        cursor.execute(f"create database {database} encoding {encoding} locale 'C' template template0")
    names = [name for name in HOSTILE if encoding == "UTF8" or name.isascii()]
    with superuser(newest, database) as cursor:
        for name in names:
            cursor.execute(f"create schema {quoted(name)}")
            cursor.execute(f"create table {quoted(name)}.{quoted(name)} (number integer)")
    sizes = measure(newest, database)
    assert {(size.schema_name, size.table_name) for size in sizes.tables if size.table_name} == {(name, name) for name in names}


def test_a_foreign_table_has_no_bytes_here(newest: PostgresCluster) -> None:
    database = create_database(newest)
    with superuser(newest, database) as cursor:
        cursor.execute("create foreign data wrapper elsewhere")
        cursor.execute("create server elsewhere foreign data wrapper elsewhere")
        cursor.execute("create foreign table far (number integer) server elsewhere")
    far = by_name(measure(newest, database))["far"]
    assert (far.kind, far.total_bytes, far.row_estimate) == (TableKind.FOREIGN, 0, None)


def test_a_locked_table_is_missing_and_nobody_is_waited_for(newest: PostgresCluster) -> None:
    database = create_database(newest)
    with superuser(newest, database) as cursor:
        cursor.execute("create table free as select 1 as number")
        cursor.execute("create table held (number integer primary key, text text)")
        cursor.execute("create table parent (number integer) partition by list (number)")
        cursor.execute("create table part partition of parent for values in (1)")
        cursor.execute("create table reindexed (number integer primary key)")
    holder = psycopg2.connect(newest.url(database))
    try:
        with holder.cursor() as cursor:
            cursor.execute("lock table held, only part in access exclusive mode")
            cursor.execute("reindex index reindexed_pkey")
            sizes = measure(newest, database)
            cursor.execute("select pg_database_size(current_database())")
            assert cursor.fetchall() == [(sizes.total_bytes,)]
    finally:
        holder.close()
    assert set(by_name(sizes)) == {"free"}
    missing = {(table.table_name, table.partition_name): table.reason for table in sizes.missing}
    assert missing == {
        ("held", ""): Reason.UNAVAILABLE,
        ("parent", "part"): Reason.UNAVAILABLE,
        ("parent", ""): Reason.INCOMPLETE,
        ("reindexed", ""): Reason.UNAVAILABLE,
    }


def test_a_database_without_connect_is_missing_with_its_grant(newest: PostgresCluster) -> None:
    login, forbidden, absent = create_login(newest), create_database(newest), "no such database"
    with superuser(newest) as cursor:
        cursor.execute(f"revoke connect on database {forbidden} from public")
    with probing(newest, login) as probe:
        outcome = probe.measure_tables(forbidden, MANY)
        assert isinstance(outcome, MissingSize)
        assert outcome.reason is Reason.NO_PERMISSION
        assert f'GRANT CONNECT ON DATABASE "{forbidden}" TO "{login.username}";' in outcome.detail
        assert probe.measure_tables(absent, MANY) == MissingSize(absent, Reason.VANISHED, "the server has no database of this name")
        closed = probe.measure_tables("template0", MANY)
        assert isinstance(closed, MissingSize)
        assert (closed.reason, closed.detail) == (Reason.UNAVAILABLE, "the database accepts no connections")


def test_a_statement_past_its_deadline_is_a_missing_database(newest: PostgresCluster) -> None:
    database = create_database(newest)
    with superuser(newest, database) as cursor:
        cursor.execute("do $$ begin for i in 1..3000 loop execute format('create table t_%s (n integer)', i); end loop; end $$")
    with probing(newest, create_login(newest), Deadlines(statement_seconds=0.001)) as probe:
        outcome = probe.measure_tables(database, MANY)
    assert isinstance(outcome, MissingSize)
    assert outcome.reason is Reason.TIMEOUT


def test_a_table_that_is_dropped_meanwhile_is_missing(newest: PostgresCluster) -> None:
    """One session drops tables from the last one on, while statements read them from the first one on."""
    database, count = create_database(newest), 3000
    with superuser(newest, database) as cursor:
        cursor.execute(f"do $$ begin for i in 1..{count} loop execute format('create table t_%s as select 1 as n', i); end loop; end $$")
    outcomes: list[TableSizes | MissingSize] = []
    login = create_login(newest)

    def drop() -> None:
        with superuser(newest, database) as cursor:
            for number in range(count, 0, -1):
                cursor.execute(f"drop table t_{number}")

    with ThreadPoolExecutor(1) as pool, probing(newest, login) as probe:
        dropping = pool.submit(drop)
        while not dropping.done():
            outcomes.append(probe.measure_tables(database, MANY))
        dropping.result()
        final = probe.measure_tables(database, MANY)
    assert isinstance(final, TableSizes)
    assert [size.table_name for size in final.tables] == [""]
    read = [outcome for outcome in outcomes if isinstance(outcome, TableSizes)]
    assert len(read) == len(outcomes)
    missing = [table for sizes in read for table in sizes.missing]
    assert Reason.VANISHED in {table.reason for table in missing}
    assert {table.reason for table in missing} <= {Reason.VANISHED, Reason.UNAVAILABLE}
    for sizes in read:
        assert {size.total_bytes for size in sizes.tables if size.table_name} <= {8192}
        assert not {size.table_name for size in sizes.tables} & {table.table_name for table in sizes.missing}
