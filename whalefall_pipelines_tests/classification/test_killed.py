"""A process that is killed while it classifies leaves the old assignments, at whichever step, and the next one writes the new ones."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from whalefall_pipelines.classification.classify import classify_accounts
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing, privilege
from whalefall_pipelines_tests.classification.scene import SUPERUSER, assigned, rule, save
from whalefall_pipelines_tests.conftest import libpq_url
from whalefall_pipelines_tests.factories import query

pytestmark = pytest.mark.process
_CHILD = """
import sys
from datetime import date
from whalefall_pipelines.classification.classify import classify_accounts
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.conftest import TIMEZONE
classify_accounts(Database(parse_url(sys.argv[1]), TIMEZONE), date.fromisoformat(sys.argv[2]))
"""
# What a step of the evaluation reads or writes: accounts, gaps, facts of a rule, assignments, counts.
STEPS = ("instance_accounts", "account_gaps", "account_privileges", "account_classification_assignments", "classification_daily_counts")
_WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


@pytest.mark.parametrize("table", STEPS)
def test_killed_at_a_step_the_assignments_are_the_old_ones(store: Database, tmp_path: Path, table: str) -> None:
    fleet = AccountsTest(store, tmp_path)
    fleet.hold(listing(account("admin", is_superuser=True), account("app")), facts(privilege("app", "SELECT")))
    fleet.sync()
    reader = rule("readers", {"fn": "has_privilege", "args": {"name": "SELECT"}}, "locked")
    save(store, tmp_path, rule("superusers", SUPERUSER), reader)
    classify_accounts(store, fleet.day)
    old = assigned(store)
    fleet.hold(listing(account("admin"), account("app", is_superuser=True)), facts())
    fleet.sync()
    with store.transaction() as cursor:
        cursor.execute(f"lock table {table} in access exclusive mode")
        cursor.send()
        child = subprocess.Popen([sys.executable, "-c", _CHILD, libpq_url(store.url), fleet.day.isoformat()])
        _wait_until_it_waits(store, child)
        child.kill()
        child.wait()
    _wait_until_it_is_gone(store)
    assert assigned(store) == old == {("admin", "privileged", "superusers"), ("app", "locked", "readers")}
    classify_accounts(store, fleet.day)
    assert assigned(store) == {("app", "privileged", "superusers")}


def _wait_until_it_waits(store: Database, child: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 60
    while query(store, _WAITING) == [(0,)]:
        assert child.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)


def _wait_until_it_is_gone(store: Database) -> None:
    until = time.monotonic() + 60
    others = "select count(*) from pg_locks as l join pg_database as d on d.oid = l.database where l.locktype = 'advisory' and d.datname = current_database()"  # noqa: E501
    while query(store, others) != [(0,)]:
        assert time.monotonic() < until
        time.sleep(0.02)
