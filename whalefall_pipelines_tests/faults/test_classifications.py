"""Runs that classify accounts are killed at each step, at the command and under the daemon: classes are the old or the new ones."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from whalefall_pipelines.classification.classify import classify_accounts
from whalefall_pipelines.runtime.embedded import open_database
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.classification.scene import SUPERUSER, rule, save
from whalefall_pipelines_tests.classification.test_fleet_classifications import scene_of
from whalefall_pipelines_tests.cli.trees import Home, eventually, running
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.computed_matrix import (
    CLASSIFICATION_KILLED_UNDER_THE_DAEMON,
    CLASSIFICATION_KILLS,
    CLASSIFYING,
)
from whalefall_pipelines_tests.faults.conftest import Report
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.processes import Installation, installation
from whalefall_pipelines_tests.faults.seams import Stop, stopped_at
from whalefall_pipelines_tests.faults.test_daemon import ENDED_SECONDS, RETRIED_SECONDS, SOON, kill_the_run

pytestmark = pytest.mark.process
Classes = set[tuple[object, ...]]
_ASSIGNMENTS = "account_classification_assignments"
STOPS = {
    "opening its session": Stop("sync_sessions", "insert"),
    "ending classes": Stop(_ASSIGNMENTS, "update"),
    "beginning classes": Stop(_ASSIGNMENTS, "insert"),
    "counting": Stop("classification_daily_counts", "insert"),
    "closing its records": Stop("sync_instance_records", "update", "new.status = 'completed'"),
    "committing": Stop("sync_instance_records", "update", "new.status = 'completed'", at_commit=True),
    "closing its session": Stop("sync_sessions", "update", "new.status <> 'running'"),
}
# What is sent to be committed is committed, although nobody waits for the answer.
COMMITTED = ("committing", "closing its session")
OLD: Classes = {("a", "admin", "superusers"), ("a", "old", "locked"), ("b", "admin", "superusers"), ("b", "old", "locked")}
NEW = OLD - {("b", "old", "locked")} | {("b", "app", "superusers")}


@pytest.fixture
def installed(store: Database, tmp_path: Path, postgres_server: PostgresCluster, dagster_template: str) -> Iterator[Installation]:
    """The installation in which `whalefall` uses the store of the test."""
    with installation(postgres_server, dagster_template, store, tmp_path) as made:
        made.home.mkdir()
        yield made


def classes(store: Database) -> Classes:
    """Instance, account and rule of every assignment that holds."""
    return set(
        query(
            store,
            "select i.name, a.account_name, r.rule_name from account_classification_assignments as t "
            "join instance_accounts as a using (account_id) join instances as i using (instance_id) "
            "join classification_rules as r using (rule_id) where t.valid_until is null",
        )
    )


def classified_yesterday(store: Database, folder: Path) -> None:
    """Since then, `app` of `b` became a superuser, and `old` was dropped there."""
    fleet = scene_of(store, folder)
    save(store, folder, rule("superusers", SUPERUSER), rule("locked", {"fn": "is_locked", "args": {}}, "locked"))
    classify_accounts(store, fleet.day - timedelta(days=1))
    assert classes(store) == OLD


@pytest.mark.parametrize(("fault", "engine"), parameters(CLASSIFICATION_KILLS))
def test_a_killed_run_leaves_the_old_classes_or_the_new_ones(
    fault: Fault, engine: str, store: Database, installed: Installation, report: Report
) -> None:
    step = fault.name.removeprefix(CLASSIFYING)
    classified_yesterday(store, installed.home)
    with stopped_at(store, STOPS[step]) as holder:
        run = installed.start("accounts", "classify")
        holder.wait_for_somebody(run.output)
        run.kill_worker()
        holder.let_go()
        assert run.wait() == 2
    assert fault.says in run.output()
    assert classes(store) == (NEW if step in COMMITTED else OLD)
    ended = [] if step == "opening its session" else [("failed",)]
    assert query(store, "select status from sync_sessions where sync_category = 'classification'") == ended
    begun = time.monotonic()
    again = installed.start("accounts", "classify")
    assert again.wait() == 0, again.output()
    assert classes(store) == NEW
    report(fault, engine, time.monotonic() - begun)


@pytest.mark.parametrize(("fault", "engine"), parameters((CLASSIFICATION_KILLED_UNDER_THE_DAEMON,)))
def test_the_daemon_classifies_again_after_a_killed_run(
    fault: Fault, engine: str, prepared_home: Callable[..., Home], report: Report
) -> None:
    home = prepared_home(SOON)
    home.succeed("store", "start")
    with closing(open_database(load_settings(home.environment))) as store:
        classified_yesterday(store, home.folder)
        with running(home, free_port()) as up:
            with stopped_at(store, STOPS["beginning classes"]) as holder:
                holder.wait_for_somebody(up.output, seconds=90)  # the sensor has launched it
                ((run_id,),) = query(store, "select run_id::text from sync_sessions where sync_category = 'classification'")
                kill_the_run(home, up, str(run_id))
            begun = time.monotonic()
            failed = "select error_code, error_message from sync_sessions where sync_category = 'classification' and status = 'failed'"
            assert eventually(lambda: query(store, failed), seconds=ENDED_SECONDS), up.output()
            ((code, sentence),) = query(store, failed)
            assert (code, fault.says in str(sentence)) == (fault.code, True)
            assert classes(store) == OLD
            assert eventually(lambda: classes(store) == NEW, seconds=RETRIED_SECONDS), up.output()
            report(fault, engine, time.monotonic() - begun)
