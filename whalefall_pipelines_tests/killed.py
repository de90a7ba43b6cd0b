"""A process that is killed while it works in the store, at the step that reads or writes a table."""

import subprocess
import sys
import time

from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.conftest import libpq_url
from whalefall_pipelines_tests.factories import query

_WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
_LOCKS = (
    "select count(*) from pg_locks as l join pg_database as d on d.oid = l.database "
    "where l.locktype = 'advisory' and d.datname = current_database()"
)


def kill_at(store: Database, table: str, program: str, *arguments: str) -> None:
    """Run a Python program with the URL of the store and these arguments until it waits for the table; kill it, and wait for its end."""
    with store.transaction() as cursor:
        cursor.execute(f"lock table {table} in access exclusive mode")
        cursor.send()
        child = subprocess.Popen([sys.executable, "-c", program, libpq_url(store.url), *arguments])
        until = time.monotonic() + 120
        while query(store, _WAITING) != [(1,)]:
            assert child.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
            cursor.execute("select 1")  # a transaction that idles for a minute is ended by the server
            cursor.send()
        child.kill()
        child.wait()
    until = time.monotonic() + 60
    while query(store, _LOCKS) != [(0,)]:
        assert time.monotonic() < until
        time.sleep(0.02)
