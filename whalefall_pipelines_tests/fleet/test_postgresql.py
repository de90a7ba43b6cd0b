"""The PostgreSQL adapter on real servers of every version that is supported: sizes, privileges, names, and its behaviour on the server.

Names in other encodings are in `test_postgresql_encodings.py`, settings, triggers and poolers in `test_postgresql_sessions.py`, logins
that are refused in `test_postgresql_refusals.py`, TLS in `test_postgresql_tls.py`, network failures in `test_faults.py`.
"""

import shutil
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg2
import pytest

from whalefall_pipelines import queries
from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, Method, MissingSize
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.postgresql.sizes import PostgresSizes
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy
from whalefall_pipelines_tests.servers.postgresql import (
    ask_through,
    bytes_of,
    create_database,
    create_login,
    instance_at,
    instance_of,
    new_name,
    quoted,
    superuser,
)
from whalefall_pipelines_tests.servers.probes import failure

pytestmark = pytest.mark.process
HOSTILE = [
    "'; drop role x; --",
    '"quoted"',
    "100%s %(x)s",
    "new\nline",
    "tab\tand\\slash",
    "🐋",
    "x" * 63,
    "UPPER",
    "  lead",
    "starting up",
]


@contextmanager
def probing(server: PostgresCluster, login: Login, deadlines: Deadlines | None = None, **settings: str | None) -> Generator[PostgresSizes]:
    with ServerFleet(deadlines).connect(SIZES, instance_of(server, **settings), login) as probe:
        assert isinstance(probe, PostgresSizes)
        yield probe


def test_sizes_are_those_of_the_server_to_the_byte(server: PostgresCluster) -> None:
    login, empty, full = create_login(server), create_database(server), create_database(server)
    with superuser(server, full) as cursor:
        cursor.execute("create table big as select repeat('x', 1000) as text from generate_series(1, 5000)")
        cursor.execute("checkpoint")
    with superuser(server) as cursor, probing(server, login) as probe:
        assert {"postgres", "template0", "template1", empty, full} <= set(probe.list_databases())
        cursor.execute("select datname, pg_database_size(oid) from pg_database where datname in (%s, %s)", (empty, full))
        truth = dict(cursor.fetchall())
        outcomes = probe.measure([empty, full])
        assert outcomes == [DatabaseSize(name, truth[name], Method.PG_DATABASE_SIZE, data_bytes=truth[name]) for name in (empty, full)]
        assert truth[full] > truth[empty] + 5_000_000 > 5_000_000
        assert probe.server_version.startswith(f"PostgreSQL {server.data.joinpath('PG_VERSION').read_text().strip()}")


def test_a_database_without_connect_is_missing_with_the_grant_that_helps(server: PostgresCluster) -> None:
    login, forbidden, open_to_all = create_login(server), create_database(server), create_database(server)
    with superuser(server) as cursor:
        cursor.execute(f"revoke connect on database {forbidden} from public")
    with probing(server, login) as probe:
        missing, measured = probe.measure([forbidden, open_to_all])
        assert isinstance(missing, MissingSize)
        assert missing == MissingSize(forbidden, Reason.NO_PERMISSION, f"GRANT pg_monitor TO {login.username};")
        assert isinstance(measured, DatabaseSize)
        with superuser(server) as cursor:
            cursor.execute(missing.detail)
        assert isinstance(probe.measure([forbidden])[0], DatabaseSize)


def test_who_may_read_all_statistics_may_read_every_size(server: PostgresCluster) -> None:
    login, forbidden = create_login(server), create_database(server)
    with superuser(server) as cursor:
        cursor.execute(f"revoke connect on database {forbidden} from public")
        cursor.execute(f"grant pg_read_all_stats to {login.username}")
    with probing(server, login) as probe:
        assert isinstance(probe.measure([forbidden])[0], DatabaseSize)


def test_a_database_dropped_between_listing_and_measuring_has_vanished(server: PostgresCluster) -> None:
    login, gone, stays = create_login(server), create_database(server), create_database(server)
    with probing(server, login) as probe:
        assert {gone, stays} <= set(probe.list_databases())
        with superuser(server) as cursor:
            cursor.execute(f"drop database {gone}")
        vanished, measured = probe.measure([gone, stays])
    assert vanished == MissingSize(gone, Reason.VANISHED, "dropped between listing and measuring")
    assert isinstance(measured, DatabaseSize)


def test_a_database_dropped_while_others_are_measured_costs_none_of_them_its_size(server: PostgresCluster) -> None:
    """A statement that takes a minute sees the catalogue as it was when it began; an open snapshot does the same for as long as needed."""
    login, gone = create_login(server), create_database(server)
    with superuser(server) as cursor, closing(psycopg2.connect(server.url(), user=login.username, password=login.password)) as reader:
        cursor.execute(f"grant pg_read_all_stats to {login.username}")
        reader.set_session(isolation_level="repeatable read", readonly=True)
        with reader.cursor() as statement:
            statement.execute("select array_agg(oid) from pg_database where datname in (%s, 'postgres')", (gone,))
            ((identifiers,),) = statement.fetchall()
            cursor.execute(f"drop database {gone}")
            statement.execute(queries.load("probes/postgresql/measure_databases"), {"database_ids": identifiers})
            sizes = {bytes(name).decode(): (is_allowed, total) for _, _, is_allowed, total, name, _ in statement.fetchall()}
    assert sizes.pop(gone) == (False, None)
    assert sizes["postgres"][1] > 0


def test_a_database_made_anew_while_it_was_measured_is_another_one(newest: PostgresCluster) -> None:
    """After a nightly restore, say: the old one may be half measured, and NULL does not mean a missing privilege."""
    login, name = create_login(newest), create_database(newest)
    with (
        ChaosProxy(newest.host, newest.port, latency_seconds=0.5) as proxy,
        ServerFleet().connect(SIZES, instance_at(proxy.host, proxy.port), login) as probe,
        superuser(newest) as cursor,
        ThreadPoolExecutor(1) as pool,
    ):
        outcomes = pool.submit(probe.measure, [name])
        asked = 0
        while not asked and not outcomes.done():
            cursor.execute("select count(*) from pg_stat_activity where usename = %s and query ~ 'pg_database_size'", (login.username,))
            ((asked,),) = cursor.fetchall()
        cursor.execute(f"drop database {name}")
        cursor.execute(f"create database {name}")
        assert outcomes.result() == [MissingSize(name, Reason.VANISHED, "dropped between listing and measuring")]


def test_the_remains_of_an_interrupted_drop_are_measured_with_the_statement_that_ends_it(server: PostgresCluster) -> None:
    login, corpse = create_login(server), create_database(server, new_name("half dropped"))
    with superuser(server) as cursor:
        cursor.execute("update pg_database set datconnlimit = -2 where datname = %s returning oid", (corpse,))
        ((identifier,),) = cursor.fetchall()
        with probing(server, login) as probe:
            assert probe.list_databases()[corpse] == str(identifier)
            (size,) = probe.measure([corpse])
            assert isinstance(size, DatabaseSize)
            assert size.total_bytes == bytes_of(server.data / "base" / str(identifier)) > 5_000_000
            assert size.notice
            assert size.notice.startswith("An interrupted DROP DATABASE left it")
            cursor.execute("checkpoint")
            shutil.rmtree(server.data / "base" / str(identifier))
            (size,) = probe.measure([corpse])
            assert isinstance(size, DatabaseSize)
            assert (size.total_bytes, size.notice is None) == (0, False)
        cursor.execute(f"revoke connect on database {quoted(corpse)} from public")
        with probing(server, login) as probe:
            (missing,) = probe.measure([corpse])
            assert isinstance(missing, MissingSize)
            cursor.execute(missing.detail)
            assert isinstance(probe.measure([corpse])[0], DatabaseSize)
        cursor.execute(size.notice.partition("Run ")[2])
        with probing(server, login) as probe:
            assert corpse not in probe.list_databases()


def test_a_database_without_files_has_no_size_instead_of_zero(newest: PostgresCluster) -> None:
    login, broken = create_login(newest), create_database(newest)
    with superuser(newest) as cursor, probing(newest, login) as probe:
        cursor.execute("checkpoint")
        shutil.rmtree(newest.data / "base" / str(probe.list_databases()[broken]))
        assert probe.measure([broken]) == [MissingSize(broken, Reason.SERVER_ERROR, "the server lists it but finds no files of it")]
        cursor.execute(f"drop database {broken}")


def test_a_probe_is_read_only_named_and_limited(server: PostgresCluster) -> None:
    login = create_login(server)
    with probing(server, login, Deadlines(statement_seconds=7)) as probe:
        settings = "current_setting('transaction_read_only'), current_setting('statement_timeout'), current_setting('application_name')"
        assert ask_through(probe, f"select {settings}") == [("on", "7s", "whalefall")]
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            ask_through(probe, "create table public.forbidden ()")
        with superuser(server) as cursor:
            cursor.execute("select application_name, state from pg_stat_activity where usename = %s", (login.username,))
            assert cursor.fetchall() == [("whalefall", "idle")]


def test_a_probe_sends_four_statements_and_nothing_else(server: PostgresCluster) -> None:
    login = create_login(server)
    with superuser(server) as cursor:
        cursor.execute(f"alter role {login.username} set log_statement = 'all'")
    with probing(server, login) as probe:
        probe.measure(list(probe.list_databases()))
    statements = [line for line in server.log.read_text().splitlines() if line.startswith(f"{login.username}: LOG:  statement:")]
    assert len(statements) == 4, statements


def test_the_identifier_of_a_database_survives_a_rename_and_no_new_database_gets_it(server: PostgresCluster) -> None:
    login, name, new = create_login(server), create_database(server), new_name("renamed")
    with superuser(server) as cursor, probing(server, login) as probe:
        before = probe.list_databases()[name]
        cursor.execute(f"alter database {name} rename to {new}")
        after = probe.list_databases()
        assert (after[new], name in after) == (before, False)
        cursor.execute(f"drop database {new}")
        create_database(server, new)
        assert probe.list_databases()[new] != before


def test_a_database_renamed_between_listing_and_measuring_is_not_measured_by_its_old_name(newest: PostgresCluster) -> None:
    login, name = create_login(newest), create_database(newest)
    with superuser(newest) as cursor, probing(newest, login) as probe:
        probe.list_databases()
        cursor.execute(f"alter database {name} rename to {new_name('renamed')}")
        assert probe.measure([name]) == [MissingSize(name, Reason.VANISHED, "dropped between listing and measuring")]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_database_names_are_measured_and_the_end_of_their_drop_works(newest: PostgresCluster, name: str) -> None:
    login = create_login(newest)
    create_database(newest, name)
    with superuser(newest) as cursor, probing(newest, login) as probe:
        assert name in probe.list_databases()
        assert isinstance(probe.measure([name])[0], DatabaseSize)
        cursor.execute("update pg_database set datconnlimit = -2 where datname = %s", (name,))
        (half_dropped,) = probe.measure([name])
        assert isinstance(half_dropped, DatabaseSize)
        assert half_dropped.notice
        cursor.execute(half_dropped.notice.partition("Run ")[2])
        assert name not in probe.list_databases()


@pytest.mark.parametrize("username", HOSTILE)
def test_hostile_login_names_connect_and_get_a_grant_that_works(newest: PostgresCluster, username: str) -> None:
    forbidden = create_database(newest)
    login = create_login(newest, username)
    with superuser(newest) as cursor, probing(newest, login) as probe:
        cursor.execute(f"revoke connect on database {forbidden} from public")
        (missing,) = probe.measure([forbidden])
        assert isinstance(missing, MissingSize)
        cursor.execute(missing.detail)
        assert isinstance(probe.measure([forbidden])[0], DatabaseSize)


def test_a_statement_ends_at_its_own_deadline(newest: PostgresCluster) -> None:
    login = create_login(newest)
    with closing(psycopg2.connect(newest.url())) as other, probing(newest, login, Deadlines(statement_seconds=0.3)) as probe:
        with other.cursor() as cursor:
            cursor.execute("lock table pg_catalog.pg_database in access exclusive mode")
        begun = time.monotonic()
        with failure(Reason.TIMEOUT, SizesError, login.password, within=7) as messages:
            probe.list_databases()
        assert time.monotonic() - begun >= 0.3
    assert messages[0].endswith("did not answer within its deadline.")
