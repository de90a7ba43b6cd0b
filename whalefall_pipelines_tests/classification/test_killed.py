"""A command that is killed while it classifies leaves the old assignments, at whichever step, and the next one writes the new ones.

What it writes under Dagster is killed in `faults/test_classifications.py`.
"""

from pathlib import Path

import pytest

from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import account, facts, listing, privilege
from whalefall_pipelines_tests.classification.scene import SUPERUSER, assigned, rule, save
from whalefall_pipelines_tests.classification.test_fleet_classifications import scene_of
from whalefall_pipelines_tests.cli.commands import succeed
from whalefall_pipelines_tests.killed import kill_at

pytestmark = pytest.mark.process
_CHILD = """
import os, sys
from whalefall_pipelines.cli.main import main
os.environ |= {"WHALEFALL_DATABASE_URL": sys.argv[1], "WHALEFALL_HOME": sys.argv[2]}
main(["accounts", "classify", "--instance", "b"])
"""
# What a step of the evaluation reads or writes: accounts, gaps, facts of a rule, assignments, counts.
STEPS = ("instance_accounts", "account_gaps", "account_privileges", "account_classification_assignments", "classification_daily_counts")


@pytest.mark.parametrize("table", STEPS)
def test_killed_at_a_step_the_assignments_are_the_old_ones(
    store: Database, store_environment: dict[str, str], tmp_path: Path, table: str
) -> None:
    fleet = scene_of(store, tmp_path)
    fleet.hold(listing(account("admin", is_superuser=True), account("app")), facts(privilege("app", "SELECT")), "b")
    fleet.sync()
    reader = rule("readers", {"fn": "has_privilege", "args": {"name": "SELECT"}}, "locked")
    save(store, tmp_path, rule("superusers", SUPERUSER), reader)
    succeed(store_environment, "accounts", "classify", "--instance", "b")
    old = assigned(store)
    fleet.hold(listing(account("admin"), account("app", is_superuser=True)), facts(), "b")
    fleet.sync()
    kill_at(store, table, _CHILD, store_environment["WHALEFALL_HOME"])
    assert assigned(store) == old == {("admin", "privileged", "superusers"), ("app", "locked", "readers")}
    succeed(store_environment, "accounts", "classify", "--instance", "b")
    assert assigned(store) == {("app", "privileged", "superusers")}
