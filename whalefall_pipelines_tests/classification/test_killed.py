"""A process that is killed while it classifies leaves the old assignments, at whichever step, and the next one writes the new ones."""

from pathlib import Path

import pytest

from whalefall_pipelines.classification.classify import classify_accounts
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing, privilege
from whalefall_pipelines_tests.classification.scene import SUPERUSER, assigned, rule, save
from whalefall_pipelines_tests.killed import kill_at

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
    kill_at(store, table, _CHILD, fleet.day.isoformat())
    assert assigned(store) == old == {("admin", "privileged", "superusers"), ("app", "locked", "readers")}
    classify_accounts(store, fleet.day)
    assert assigned(store) == {("app", "privileged", "superusers")}
