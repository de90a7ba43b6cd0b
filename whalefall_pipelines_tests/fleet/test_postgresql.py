"""The PostgreSQL adapter on real servers of every version that is supported: sizes, rights, names, and how it behaves as a guest.

Logins that are refused are in `test_postgresql_refusals.py`, TLS in `test_postgresql_tls.py`, networks in `test_faults.py`.
"""

import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg2
import pytest
from psycopg2 import sql

from whalefall_pipelines import queries
from whalefall_pipelines.domain.capacity import DatabaseSize, Method, MissingSize, Reason
from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.errors import SizesError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.postgresql import PostgresProbe
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers.chaos_proxy import ChaosProxy
from whalefall_pipelines_tests.servers.postgresql import (
    create_database,
    create_login,
    instance_at,
    instance_of,
    new_name,
    superuser,
)
from whalefall_pipelines_tests.servers.visits import failure

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
def visit(server: PostgresCluster, login: Login, deadlines: Deadlines | None = None, **settings: str | None) -> Generator[PostgresProbe]:
    with ServerFleet(deadlines).connect(instance_of(server, **settings), login) as probe:
        assert isinstance(probe, PostgresProbe)
        yield probe


def test_sizes_are_those_of_the_server_to_the_byte(server: PostgresCluster) -> None:
    login, empty, full = create_login(server), create_database(server), create_database(server)
    with superuser(server, full) as cursor:
        cursor.execute("create table big as select repeat('x', 1000) as text from generate_series(1, 5000)")
        cursor.execute("checkpoint")
    with superuser(server) as cursor, visit(server, login) as probe:
        assert {"postgres", "template0", "template1", empty, full} <= set(probe.list_databases())
        cursor.execute("select datname, pg_database_size(oid) from pg_database where datname in (%s, %s)", (empty, full))
        truth = dict(cursor.fetchall())
        outcomes = probe.measure([empty, full])
        assert outcomes == [DatabaseSize(name, truth[name], Method.PG_DATABASE_SIZE, data_bytes=truth[name]) for name in (empty, full)]
        assert truth[full] > truth[empty] + 5_000_000 > 5_000_000
        assert probe.server_version.startswith(f"PostgreSQL {server.data.joinpath('PG_VERSION').read_text().strip()}")


def test_a_forbidden_database_comes_with_the_grant_that_cures_it(server: PostgresCluster) -> None:
    login, forbidden, open_to_all = create_login(server), create_database(server), create_database(server)
    with superuser(server) as cursor:
        cursor.execute(f"revoke connect on database {forbidden} from public")
    with visit(server, login) as probe:
        missing, measured = probe.measure([forbidden, open_to_all])
        assert isinstance(missing, MissingSize)
        assert missing == MissingSize(forbidden, Reason.NO_PERMISSION, f"GRANT CONNECT ON DATABASE {forbidden} TO {login.username};")
        assert isinstance(measured, DatabaseSize)
        with superuser(server) as cursor:
            cursor.execute(missing.detail)
        assert isinstance(probe.measure([forbidden])[0], DatabaseSize)


def test_who_may_read_all_statistics_may_read_every_size(server: PostgresCluster) -> None:
    login, forbidden = create_login(server), create_database(server)
    with superuser(server) as cursor:
        cursor.execute(f"revoke connect on database {forbidden} from public")
        cursor.execute(f"grant pg_read_all_stats to {login.username}")
    with visit(server, login) as probe:
        assert isinstance(probe.measure([forbidden])[0], DatabaseSize)


def test_a_database_dropped_between_listing_and_measuring_has_vanished(server: PostgresCluster) -> None:
    login, gone, stays = create_login(server), create_database(server), create_database(server)
    with visit(server, login) as probe:
        assert {gone, stays} <= set(probe.list_databases())
        with superuser(server) as cursor:
            cursor.execute(f"drop database {gone}")
        vanished, measured = probe.measure([gone, stays])
    assert vanished == MissingSize(gone, Reason.VANISHED, "dropped between listing and measuring")
    assert isinstance(measured, DatabaseSize)


def test_a_database_dropped_while_others_are_measured_costs_none_of_them_its_size(server: PostgresCluster) -> None:
    """A statement that takes a minute sees what was there when it began, which a snapshot held open does for as long as we like."""
    login, gone = create_login(server), create_database(server)
    with superuser(server) as cursor, closing(psycopg2.connect(server.url(), user=login.username, password=login.password)) as reader:
        cursor.execute(f"grant pg_read_all_stats to {login.username}")
        reader.set_session(isolation_level="repeatable read", readonly=True)
        with reader.cursor() as statement:
            statement.execute("select")
            cursor.execute(f"drop database {gone}")
            statement.execute(queries.load("probes/postgresql/measure_databases"), {"database_names": [gone, "postgres"]})
            sizes = {bytes(name).decode(): total for name, _, total, _ in statement.fetchall()}
    assert sizes.pop(gone) is None
    assert sizes["postgres"] > 0


def test_a_database_made_anew_while_it_was_measured_is_another_one(newest: PostgresCluster) -> None:
    """Restored over night, say: what was measured of the old one may be half of it, and what is NULL is no missing right."""
    login, name = create_login(newest), create_database(newest)
    with (
        ChaosProxy(newest.host, newest.port, latency_seconds=0.5) as proxy,
        ServerFleet().connect(instance_at(proxy.host, proxy.port), login) as probe,
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


def test_what_an_interrupted_drop_left_is_no_database(server: PostgresCluster) -> None:
    login, corpse = create_login(server), create_database(server)
    with superuser(server) as cursor:
        cursor.execute("update pg_database set datconnlimit = -2 where datname = %s", (corpse,))
    with visit(server, login) as probe:
        assert corpse not in probe.list_databases()
        assert probe.measure([corpse]) == [MissingSize(corpse, Reason.VANISHED, "dropped between listing and measuring")]
    with superuser(server) as cursor:
        cursor.execute(f"drop database {corpse}")


def test_a_visit_is_read_only_named_and_limited(server: PostgresCluster) -> None:
    login = create_login(server)
    with visit(server, login, Deadlines(statement_seconds=7)) as probe, probe._connection.cursor() as session:  # pyright: ignore[reportPrivateUsage]
        session.execute(
            "select current_setting('transaction_read_only'), current_setting('statement_timeout'), current_setting('application_name')"
        )
        assert session.fetchone() == ("on", "7s", "whalefall")
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            session.execute("create table public.forbidden ()")
        with superuser(server) as cursor:
            cursor.execute("select application_name, state from pg_stat_activity where usename = %s", (login.username,))
            assert cursor.fetchall() == [("whalefall", "idle")]


def test_a_visit_sends_three_statements_and_nothing_else(server: PostgresCluster) -> None:
    login = create_login(server)
    with superuser(server) as cursor:
        cursor.execute(f"alter role {login.username} set log_statement = 'all'")
        cursor.execute(f"alter role {login.username} set datestyle = 'German'")  # makes psycopg2 send one of its own
    with visit(server, login) as probe:
        probe.measure(list(probe.list_databases()))
    said = [line for line in server.log.read_text().splitlines() if line.startswith(f"{login.username}: LOG:  statement:")]
    assert len(said) == 3, said


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_database_names_are_measured_and_their_grants_work(newest: PostgresCluster, name: str) -> None:
    login = create_login(newest)
    create_database(newest, name)
    with superuser(newest) as cursor, visit(newest, login) as probe:
        assert name in probe.list_databases()
        assert isinstance(probe.measure([name])[0], DatabaseSize)
        cursor.execute(sql.SQL("revoke connect on database {} from public").format(sql.Identifier(name)))
        (missing,) = probe.measure([name])
        assert isinstance(missing, MissingSize)
        cursor.execute(missing.detail)
        assert isinstance(probe.measure([name])[0], DatabaseSize)


@pytest.mark.parametrize("username", HOSTILE)
def test_hostile_login_names_get_in_and_get_a_grant_that_works(newest: PostgresCluster, username: str) -> None:
    forbidden = create_database(newest)
    login = create_login(newest, username)
    with superuser(newest) as cursor, visit(newest, login) as probe:
        cursor.execute(f"revoke connect on database {forbidden} from public")
        (missing,) = probe.measure([forbidden])
        assert isinstance(missing, MissingSize)
        cursor.execute(missing.detail)
        assert isinstance(probe.measure([forbidden])[0], DatabaseSize)


def test_a_name_that_is_no_utf8_costs_only_itself(newest: PostgresCluster) -> None:
    login, latin, neighbour = create_login(newest), new_name("latin"), create_database(newest)
    with superuser(newest) as cursor:
        cursor.execute(f"create database {latin} encoding 'LATIN1' template template0")
    with superuser(newest, latin) as cursor:
        cursor.execute("create database caf\u00e9")
        with visit(newest, login) as probe:
            assert "caf\\xe9" in probe.list_databases()
            missing, measured = probe.measure(["caf\\xe9", neighbour])
        cursor.execute("drop database caf\u00e9")
    assert isinstance(missing, MissingSize)
    assert (missing.reason, "UTF-8" in missing.detail) == (Reason.SERVER_ERROR, True)
    assert isinstance(measured, DatabaseSize)


def test_functions_that_others_made_are_not_run(newest: PostgresCluster) -> None:
    login, database = create_login(newest), create_database(newest)
    with superuser(newest, database) as cursor:
        # An exact match of the literals' types: without a search_path of our own the server prefers it.
        cursor.execute("create function public.pg_has_role(text, text) returns boolean language plpgsql as $$begin raise 'hijacked'; end$$")
        cursor.execute(f"revoke connect on database {database} from public")
        cursor.execute(f"grant connect on database {database} to {login.username}")
    forbidden = create_database(newest)
    with superuser(newest) as cursor:
        cursor.execute(f"revoke connect on database {forbidden} from public")
    with visit(newest, login, default_database=database) as probe:
        (missing,) = probe.measure([forbidden])
        assert isinstance(missing, MissingSize)
        assert missing.reason is Reason.NO_PERMISSION


def test_a_statement_ends_at_its_own_deadline(newest: PostgresCluster) -> None:
    login = create_login(newest)
    with closing(psycopg2.connect(newest.url())) as other, visit(newest, login, Deadlines(statement_seconds=0.3)) as probe:
        with other.cursor() as cursor:
            cursor.execute("lock table pg_catalog.pg_database in access exclusive mode")
        begun = time.monotonic()
        with failure(Reason.TIMEOUT, SizesError, login.password, within=7) as said:
            probe.list_databases()
        assert time.monotonic() - begun >= 0.3
    assert said[0].endswith("did not answer within its deadline.")
