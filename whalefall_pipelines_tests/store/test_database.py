"""The pool of connections to the store, and what it does when the store goes away and comes back."""

import time
from contextlib import closing

import psycopg2

from whalefall_pipelines.store.database import Database, libpq_url
from whalefall_pipelines_tests.factories import query


def test_connections_that_the_server_closed_are_replaced(store: Database) -> None:
    with store.transaction(), store.transaction():
        pass
    with closing(psycopg2.connect(libpq_url(store.url))) as other, other.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        )
        assert cursor.fetchall() == [(True,), (True,)]
    time.sleep(0.05)  # the end of the connection must have arrived here
    assert query(store, "select 1") == [(1,)]
    assert query(store, "select 1") == [(1,)]
