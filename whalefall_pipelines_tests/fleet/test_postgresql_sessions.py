"""What others have set up for our session: poolers, settings of roles, login triggers, shadowing functions. It stays read-only and
limited, or it is refused.
"""

import threading
import time
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize, total_of
from whalefall_pipelines.errors import LoginRejectedError, SizesError, UnreachableError
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers.own_names import with_names
from whalefall_pipelines_tests.servers.pooler import Pooler
from whalefall_pipelines_tests.servers.postgresql import (
    MAJORS,
    ask_through,
    create_database,
    create_login,
    instance_at,
    instance_of,
    new_cluster,
    superuser,
)
from whalefall_pipelines_tests.servers.probes import failure, refused
from whalefall_pipelines_tests.servers.running import running

pytestmark = pytest.mark.process


def test_a_pooler_is_refused_by_name_and_nothing_is_set_in_the_session_that_it_lends(newest: PostgresCluster) -> None:
    login = create_login(newest)
    with superuser(newest) as cursor:
        cursor.execute(f"alter role {login.username} set log_statement = 'all'")
    with Pooler(newest.host, newest.port) as pooler:
        with failure(Reason.SERVER_ERROR, LoginRejectedError, login.password) as messages:
            refused(instance_at(pooler.host, pooler.port), login)
        assert "is a pooler" in messages[0]
        assert messages[0].endswith("Register the address of the server itself.")
        assert not any(word in piece for piece in pooler.greetings for word in (b"options\0", b"search_path\0", b"statement_timeout\0"))
    (statement,) = newest.log.read_text().split(f"{login.username}: LOG:  statement:")[1:]
    assert "pg_backend_pid() operator(pg_catalog.=) 7" in statement


def test_settings_of_a_role_neither_end_a_session_nor_change_it(server: PostgresCluster) -> None:
    login = create_login(server)
    settings = {
        "statement_timeout": "400ms",
        "lock_timeout": "300ms",
        "idle_session_timeout": "300ms",
        "idle_in_transaction_session_timeout": "300ms",
        "default_transaction_isolation": "serializable",
        "default_transaction_deferrable": "on",
        "bytea_output": "escape",
        "datestyle": "German",
        "search_path": "nowhere",
        "quote_all_identifiers": "on",
    }
    if int(server.data.joinpath("PG_VERSION").read_text()) >= 17:
        settings["transaction_timeout"] = "400ms"
    with superuser(server) as cursor:
        for name, value in settings.items():
            cursor.execute(f"alter role {login.username} set {name} = '{value}'")
    with closing(psycopg2.connect(server.url())) as other, ServerFleet().connect(SIZES, instance_of(server), login) as probe:
        with other.cursor() as cursor:
            cursor.execute("lock table pg_catalog.pg_database in access exclusive mode")
        threading.Timer(0.8, other.rollback).start()
        begun = time.monotonic()
        assert "postgres" in probe.list_databases()
        assert time.monotonic() - begun > 0.5
        time.sleep(0.6)
        assert isinstance(probe.measure(["postgres"])[0], DatabaseSize)


def test_the_servers_message_on_ending_a_session_reaches_the_user(newest: PostgresCluster) -> None:
    login = create_login(newest)
    with ServerFleet().connect(SIZES, instance_of(newest), login) as probe:
        ask_through(probe, "set idle_session_timeout to '50ms'")
        time.sleep(0.5)
        with failure(Reason.UNAVAILABLE, SizesError, login.password) as messages:
            probe.list_databases()
    assert "terminating connection due to idle-session timeout" in messages[0]


@pytest.mark.parametrize("major", [major for major in MAJORS if major >= 17])
def test_a_login_that_a_login_trigger_records_can_connect(major: int, tmp_path: Path) -> None:
    with running(new_cluster(major, tmp_path)) as server:
        login = create_login(server)
        with superuser(server) as cursor:
            cursor.execute("create table logins (who text)")
            cursor.execute(
                "create function note() returns event_trigger security definer language plpgsql as "
                "$$begin insert into public.logins values (session_user); end$$"
            )
            cursor.execute("create event trigger noted on login execute function note()")
            cursor.execute("alter event trigger noted enable always")
        with ServerFleet().connect(SIZES, instance_of(server), login) as probe:
            assert isinstance(probe.measure(["postgres"])[0], DatabaseSize)
            assert ask_through(probe, "show transaction_read_only") == [("on",)]
        with superuser(server) as cursor:
            cursor.execute("select count(*) from logins where who = %s", (login.username,))
            assert cursor.fetchone() == (1,)
            cursor.execute("create or replace function note() returns event_trigger language plpgsql as $$begin raise 'not today'; end$$")
            try:
                with failure(Reason.SERVER_ERROR, UnreachableError, login.password) as messages:
                    refused(instance_of(server), login)
                assert "not today (SQLSTATE P0001)" in messages[0]
            finally:
                cursor.execute("drop event trigger noted")


def test_functions_and_operators_of_other_users_are_not_run(newest: PostgresCluster) -> None:
    """A role's search_path that puts them first applies until the session has its own settings."""
    login, database = create_login(newest), create_database(newest)
    with superuser(newest, database) as cursor:
        for signature, result in (
            ("pg_has_role(text, text)", "boolean"),
            ("pg_has_role(name, text)", "boolean"),
            ("format(text, name, name)", "text"),
            ("quote_ident(text)", "text"),
            ("textsend(text)", "bytea"),
            ("pg_backend_pid()", "integer"),
            ("set_config(text, text, boolean)", "text"),
            ("has_database_privilege(oid, text)", "boolean"),
            ("pg_database_size(oid)", "bigint"),
            ("oideq(oid, oid)", "boolean"),
        ):
            cursor.execute(f"create function public.{signature} returns {result} language plpgsql as $$begin raise 'hijacked'; end$$")
        cursor.execute("create operator public.= (leftarg = oid, rightarg = oid, function = public.oideq)")
        cursor.execute("create view public.pg_database as select 1 as oid, 'hijacked'::name as datname, 1 as datconnlimit")
        cursor.execute(f"alter role {login.username} set search_path = public, pg_catalog")
        cursor.execute(f"revoke connect on database {database} from public")
        cursor.execute(f"grant connect on database {database} to {login.username}")
    forbidden = create_database(newest)
    with superuser(newest) as cursor:
        cursor.execute(f"revoke connect on database {forbidden} from public")
    with ServerFleet().connect(SIZES, instance_of(newest, default_database=database), login) as probe:
        assert {database, forbidden} <= set(probe.list_databases())
        missing, measured = probe.measure([forbidden, database])
        assert missing == MissingSize(forbidden, Reason.NO_PERMISSION, f"GRANT pg_monitor TO {login.username};")
        assert isinstance(measured, DatabaseSize)
        assert probe.privileges()
        assert probe.identity()
        assert total_of(probe.measure_shared()) is None


def test_the_next_address_of_a_host_is_tried(newest: PostgresCluster, tmp_path: Path) -> None:
    login = create_login(newest)

    def probing() -> None:
        with ServerFleet().connect(SIZES, instance_at("twice.test", newest.port), login) as probe:
            assert isinstance(probe.measure(["postgres"])[0], DatabaseSize)

    with_names(tmp_path, f"127.0.0.9 twice.test\n{newest.host} twice.test\n", probing)
