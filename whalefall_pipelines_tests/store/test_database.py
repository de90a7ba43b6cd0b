"""The pool of connections to the store, and its behaviour when the store goes away and comes back."""

import os
import socket
import time
from contextlib import closing

import psutil
import psycopg2
import pytest

from whalefall_pipelines.errors import StoreBusyError, StoreError
from whalefall_pipelines.store.database import LONG_STATEMENT_SECONDS, Database
from whalefall_pipelines_tests.conftest import libpq_url
from whalefall_pipelines_tests.factories import query


def test_connections_that_the_server_closed_are_replaced(store: Database) -> None:
    with store.transaction(), store.transaction():
        pass
    with closing(psycopg2.connect(libpq_url(store.url))) as other, other.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
        assert cursor.fetchall() == [(True,), (True,)]
    time.sleep(0.05)  # the end of the connection must have arrived at this process
    assert query(store, "select 1") == [(1,)]
    assert query(store, "select 1") == [(1,)]


def test_no_statement_of_the_store_takes_for_ever(store: Database) -> None:
    limit = "select current_setting('statement_timeout')"
    with store.transaction(statement_seconds=LONG_STATEMENT_SECONDS) as cursor:
        cursor.execute(limit)
        assert cursor.fetchone() == ("1h",)
    assert query(store, limit) == [("1min",)]
    with store.session() as cursor:
        cursor.execute(limit)
        assert cursor.fetchone() == ("1h",)
    assert query(store, limit) == [("1min",)]


def test_a_statement_that_takes_too_long_is_cancelled_with_what_to_look_at(store: Database) -> None:
    with store.transaction() as cursor:
        cursor.execute("create table half_written (x integer)")
    with pytest.raises(StoreError, match=r"statement timeout.*pg_stat_activity"), store.transaction(statement_seconds=1) as cursor:
        cursor.execute("insert into half_written values (1)")
        cursor.execute("select pg_sleep(20)")
    assert query(store, "select count(*) from half_written") == [(0,)]


def test_a_session_keeps_each_statement_and_leaves_no_setting_behind(store: Database) -> None:
    with store.session() as cursor:
        cursor.execute("create table kept (x integer)")
        cursor.execute("vacuum kept")  # it cannot run in a transaction or together with another statement
        cursor.execute("set lock_timeout = '123ms'")
        cursor.execute("select pg_backend_pid()")
        first = cursor.fetchone()
    assert query(store, "select pg_backend_pid(), current_setting('lock_timeout'), current_setting('timezone')") == [
        (*(first or ()), "0", "Asia/Shanghai")
    ]
    with store.transaction() as cursor:
        cursor.execute("insert into kept values (1)")
        cursor.execute("select 1 / 1")
    assert query(store, "select x from kept") == [(1,)]


def test_a_session_that_fails_takes_its_locks_with_it(store: Database) -> None:
    with pytest.raises(StoreError, match="22012"), store.session() as cursor:
        cursor.execute("create table kept (x integer)")
        cursor.execute("select pg_advisory_lock(1)")
        cursor.execute("select 1 / 0")
    assert query(store, "select count(*) from kept") == [(0,)]
    with store.session() as cursor:
        cursor.execute("set lock_timeout = '5s'")
        cursor.execute("select pg_advisory_lock(1)")
        cursor.execute("select pg_advisory_unlock(1)")


def test_a_lock_held_by_another_session_is_retried(store: Database) -> None:
    with store.transaction() as holding, pytest.raises(StoreBusyError, match="holds a lock") as caught, store.session() as waiting:
        holding.execute("lock table instances")
        holding.send()
        waiting.execute("set lock_timeout = '50ms'")
        waiting.execute("select * from instances")
    assert caught.value.is_transient


def test_a_connection_that_was_cut_off_is_given_up_after_a_minute(store: Database) -> None:
    with store.transaction() as cursor:
        cursor.execute("select pg_backend_pid()")
        cursor.fetchone()
        (connection,) = [
            each for each in psutil.Process().net_connections("tcp") if each.fd >= 0 and each.raddr and each.raddr.port == store.url.port
        ]
        with socket.socket(fileno=os.dup(connection.fd)) as copied:
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            assert [copied.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [30, 10, 3, 60_000]
