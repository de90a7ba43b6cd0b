"""Other sessions of a store that hold real locks, and a detach that is killed halfway."""

import threading
import time
from collections.abc import Generator
from contextlib import closing, contextmanager

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.conftest import libpq_url
from whalefall_pipelines_tests.factories import query


@contextmanager
def somebody(store: Database, *statements: str) -> Generator[Connection]:
    """Another session, whose transaction has run this statement and stays open."""
    with closing(psycopg2.connect(libpq_url(store.url))) as connection:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        yield connection


def interrupt_detach(store: Database, table_name: str, name: str) -> None:
    """Kill the session of a concurrent detach while it waits for a writer, after its first transaction."""
    with somebody(store, f"lock table {table_name} in row exclusive mode"), closing(psycopg2.connect(libpq_url(store.url))) as detaching:
        detaching.autocommit = True
        process = detaching.info.backend_pid

        def detach() -> None:
            with detaching.cursor() as cursor, pytest.raises(psycopg2.Error):
                cursor.execute(f"alter table {table_name} detach partition {name} concurrently")

        thread = threading.Thread(target=detach)
        thread.start()
        deadline = time.monotonic() + 10
        while not query(store, "select 1 from pg_inherits where inhdetachpending and inhrelid = %s::regclass", name):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        query(store, "select pg_terminate_backend(%s)", process)
        thread.join(10)
