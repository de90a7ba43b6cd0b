"""Evaluating and swapping: what a run changes, what it keeps, and what readers see. Four tests are named after defects of the product."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from whalefall_pipelines.classification.assign import assign, unassign
from whalefall_pipelines.classification.classify import classify_accounts, refuse_problems
from whalefall_pipelines.classification.edit_rules import delete_classification, disable_rule
from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.errors import ClassificationError, InputError, StoreError
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing, privilege
from whalefall_pipelines_tests.classification.scene import SUPERUSER, assigned, break_rule, rule, save
from whalefall_pipelines_tests.factories import query, register

LOCKED = {"fn": "is_locked", "args": {}}


@pytest.fixture
def fleet(store: Database, tmp_path: Path) -> AccountsTest:
    """One server with a superuser, a locked account and an ordinary one."""
    scene = AccountsTest(store, tmp_path)
    scene.hold(
        listing(account("admin", is_superuser=True), account("old", is_locked=True), account("app")), facts(privilege("app", "SELECT"))
    )
    scene.sync()
    return scene


def test_an_account_enters_and_leaves_a_class_and_both_days_can_be_asked(fleet: AccountsTest, tmp_path: Path) -> None:
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER), rule("locked", LOCKED, "locked"))
    outcome = classify_accounts(store, fleet.day)
    assert (outcome.accounts, outcome.rules, outcome.opened, outcome.closed, outcome.problems) == (3, 2, 2, 0, ())
    first_day, before = fleet.day, assigned(store)
    assert before == {("admin", "privileged", "superusers"), ("old", "locked", "locked")}
    fleet.tomorrow()
    fleet.hold(listing(account("admin"), account("old", is_locked=True), account("app", is_superuser=True)), facts())
    fleet.sync()
    outcome = classify_accounts(store, fleet.day)
    assert (outcome.opened, outcome.closed) == (1, 1)
    assert assigned(store, first_day) == before
    assert assigned(store) == {("app", "privileged", "superusers"), ("old", "locked", "locked")}
    assert query(store, "select day, code, matched_accounts from classification_daily_counts join account_classifications "
                 "using (classification_id) order by day, code") == [
        (first_day, "locked", 1), (first_day, "privileged", 1), (fleet.day, "locked", 1), (fleet.day, "privileged", 1)
    ]  # fmt: skip


def test_a_second_evaluation_of_a_day_replaces_the_first_and_an_unchanged_one_writes_no_assignment(
    fleet: AccountsTest, tmp_path: Path
) -> None:
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER))
    classify_accounts(store, fleet.day - timedelta(days=1))
    classify_accounts(store, fleet.day)
    places = (
        "select ctid::text, t::text from account_classification_assignments as t "
        "union all select ctid::text, c::text from classification_daily_counts as c order by 1, 2"
    )
    before = query(store, places)
    assert classify_accounts(store, fleet.day).opened == 0
    assert query(store, places) == before
    fleet.hold(listing(account("admin"), account("old"), account("app", is_superuser=True)), facts())
    fleet.sync()
    classify_accounts(store, fleet.day)
    fleet.hold(listing(account("admin", is_superuser=True), account("old"), account("app")), facts())
    fleet.sync()
    classify_accounts(store, fleet.day)
    assert [row[1] for row in query(store, places)] == [row[1] for row in before]


def test_assignments_are_not_wiped_first(fleet: AccountsTest, tmp_path: Path) -> None:
    """The product deleted all assignments before it evaluated. Here a reader that never stops sees the old or the new ones, never none."""
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER))
    classify_accounts(store, fleet.day)
    counts: list[int] = []
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            rows = query(store, "select count(*) from account_classification_assignments where valid_until is null")
            counts.append(int(str(rows[0][0])))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(6):
            fleet.hold(listing(account("admin", is_superuser=True), account("app", is_superuser=number % 2 == 0), account("old")), facts())
            fleet.sync()
            classify_accounts(store, fleet.day)
    finally:
        is_over.set()
        reader.join()
    assert len(counts) > 10
    assert set(counts) == {1, 2}


def test_an_evaluation_that_dies_before_its_end_leaves_the_old_assignments(fleet: AccountsTest, tmp_path: Path) -> None:
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER))
    classify_accounts(store, fleet.day)
    save(store, tmp_path, rule("locked", LOCKED, "locked"), rule("ordinary", {"fn": "name_matches", "args": {"like": "a%"}}))
    calls = iter(range(100))

    def stop_later() -> None:
        if next(calls) == 1:  # after the rules, before the swap
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        classify_accounts(store, fleet.day, check=stop_later)
    assert assigned(store) == {("admin", "privileged", "superusers")}


def test_a_day_on_which_no_rule_changes_anything_is_counted(fleet: AccountsTest, tmp_path: Path) -> None:
    """Also if what was assigned by hand is of an account that is gone."""
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER))
    classify_accounts(store, fleet.day)
    assign(store, "a", "app", "locked", fleet.day, person="tester", note="away")
    fleet.tomorrow()
    fleet.sync()
    assert classify_accounts(store, fleet.day).opened == 0
    counts = "select matched_accounts, rule_id is null from classification_daily_counts where day = %s order by 2"
    assert query(store, counts, fleet.day) == [(1, False), (1, True)]
    fleet.hold(listing(account("admin", is_superuser=True), account("old", is_locked=True)), facts())
    fleet.sync()
    assert classify_accounts(store, fleet.day).opened == 0
    assert query(store, counts, fleet.day) == [(1, False)]


def test_no_rule_cache_is_stale(fleet: AccountsTest, tmp_path: Path) -> None:
    """The product kept rules in a cache for two hours. Here an edit counts in the next evaluation, and so does switching a rule off."""
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER))
    classify_accounts(store, fleet.day)
    save(store, tmp_path, rule("superusers", {"fn": "name_matches", "args": {"like": "app"}}), edit=True)
    classify_accounts(store, fleet.day)
    assert assigned(store) == {("app", "privileged", "superusers")}
    assert query(store, "select distinct rule_version from account_classification_assignments where valid_until is null") == [(2,)]
    disable_rule(store, "superusers")
    classify_accounts(store, fleet.day)
    assert assigned(store) == set()


def test_a_missing_classifier_does_not_pass_in_silence(fleet: AccountsTest, tmp_path: Path) -> None:
    """The product skipped engines without a classifier. Here they are an error with the accounts, and the other engines are classified."""
    other = AccountsTest(fleet.store, tmp_path, {"legacy": replace(fleet.servers["a"])}, engine=Engine.MYSQL)
    other.sync()
    save(fleet.store, tmp_path, rule("superusers", SUPERUSER))
    outcome = classify_accounts(fleet.store, fleet.day)
    (problem,) = outcome.problems
    assert problem.sentence == (
        "engine mysql has no classifier: it has no active rules; 3 accounts of mysql keep their classes: legacy/admin, legacy/app, "
        "legacy/old"
    )
    assert ("admin", "privileged", "superusers") in assigned(fleet.store)
    with pytest.raises(ClassificationError, match="mysql has no classifier"):
        refuse_problems(outcome)


def test_errors_have_the_accounts(fleet: AccountsTest, tmp_path: Path) -> None:
    """The product collected errors as texts without accounts. Here the rule and the accounts are named, and these keep what they had."""
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER), rule("locked", LOCKED, "locked"))
    classify_accounts(store, fleet.day)
    break_rule(store, "superusers")
    fleet.tomorrow()
    of_the_server = replace(account("_monitor"), is_built_in=True)
    fleet.hold(listing(of_the_server, account("admin"), account("old"), account("app", is_superuser=True)), facts())
    fleet.sync()
    outcome = classify_accounts(store, fleet.day)
    (problem,) = outcome.problems
    assert problem.sentence.startswith("rule superusers (version 1) failed: expr: there is no function 'no_such_function'")
    assert problem.sentence.endswith("4 accounts of postgresql keep their classes: a/admin, a/app, a/old, a/_monitor")
    # the broken rule changes nothing, the other one is swapped
    assert assigned(store) == {("admin", "privileged", "superusers")}


def test_a_rule_that_the_store_refuses_costs_only_itself(fleet: AccountsTest, tmp_path: Path) -> None:
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER), rule("versions", {"fn": "server_version_at_least", "args": {"version": "1"}}))
    with store.transaction() as cursor:  # a version text that no number type can hold
        cursor.execute("update instances set server_version = 'PostgreSQL ' || repeat('9', 200000)")
    outcome = classify_accounts(store, fleet.day)
    assert [problem.subject for problem in outcome.problems] == ["rule versions (version 1) failed"]
    assert assigned(store) == {("admin", "privileged", "superusers")}


def test_assignments_by_hand_survive_until_they_expire(fleet: AccountsTest, tmp_path: Path) -> None:
    """The product deleted them in every run."""
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER))
    until = fleet.day + timedelta(days=2)
    assign(store, "a", "app", "privileged", fleet.day, person="tester", note="on call", until=until)
    with pytest.raises(InputError, match="already assigned to 'privileged' by hand"):
        assign(store, "a", "app", "privileged", fleet.day, person="tester", note="again")
    classify_accounts(store, fleet.day)
    by_hand = ("app", "privileged", "by hand")
    assert assigned(store, fleet.day) == {("admin", "privileged", "superusers"), by_hand}
    assert by_hand not in assigned(store, until)
    assign(store, "a", "old", "locked", fleet.day, person="tester", note="left the company")
    classify_accounts(store, fleet.day)
    unassign(store, "a", "old", "locked", fleet.day)
    assert {row for row in assigned(store, fleet.day) if row[2] == "by hand"} == {by_hand}
    assert query(store, "select notes from account_classification_assignments where assignment_type = 'manual'") == [("on call",)]


def test_one_instance_can_be_classified_alone(fleet: AccountsTest, tmp_path: Path) -> None:
    other = AccountsTest(fleet.store, tmp_path, {"b": replace(fleet.servers["a"])})
    other.sync()
    save(fleet.store, tmp_path, rule("superusers", SUPERUSER))
    classify_accounts(fleet.store, fleet.day, [other.instances[0].instance_id])
    names = "select distinct i.name from account_classification_assignments join instance_accounts using (account_id) join instances as i using (instance_id)"  # noqa: E501
    assert query(fleet.store, names) == [("b",)]
    classify_accounts(fleet.store, fleet.day, [fleet.instances[0].instance_id])
    assert len(query(fleet.store, names)) == 2


def test_accounts_that_are_gone_leave_their_classes_even_if_the_rule_fails(fleet: AccountsTest, tmp_path: Path) -> None:
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER))
    classify_accounts(store, fleet.day)
    fleet.tomorrow()
    fleet.hold(listing(account("old"), account("app")), facts())
    fleet.sync()
    break_rule(store, "superusers")
    classify_accounts(store, fleet.day)
    assert assigned(store) == set()


def test_an_earlier_day_can_no_longer_be_written(fleet: AccountsTest, tmp_path: Path) -> None:
    save(fleet.store, tmp_path, rule("superusers", SUPERUSER))
    classify_accounts(fleet.store, fleet.day)
    with pytest.raises(InputError, match="can no longer be written"):
        classify_accounts(fleet.store, fleet.day - timedelta(days=1))


def test_a_class_in_use_is_not_deleted_and_its_users_are_named(fleet: AccountsTest, tmp_path: Path) -> None:
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER))
    assign(store, "a", "old", "locked", fleet.day, person="tester", note="x")
    with pytest.raises(InputError, match="by the rule superusers"):
        delete_classification(store, "privileged")
    with pytest.raises(InputError, match="by the account a/old"):
        delete_classification(store, "locked")
    unassign(store, "a", "old", "locked", fleet.day)
    delete_classification(store, "locked")
    with pytest.raises(StoreError):  # the database refuses it, too
        query(store, "delete from account_classifications where code = 'privileged' returning 1")


def test_the_database_keeps_versions_and_codes_as_they_are(fleet: AccountsTest, tmp_path: Path) -> None:
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER))
    for statement in (
        "update classification_rules set rule_name = 'x' returning 1",
        "update classification_rules set engine = 'mysql' returning 1",
        "update account_classifications set code = 'x' returning 1",
    ):
        with pytest.raises(StoreError, match="immutable"):
            query(store, statement)
    # assignments name versions without a foreign key
    with pytest.raises(StoreError, match="stays: disable the rule instead"):
        query(store, "delete from classification_rules returning 1")


def test_an_inactive_server_has_no_classes(fleet: AccountsTest, tmp_path: Path) -> None:
    store = fleet.store
    save(store, tmp_path, rule("superusers", SUPERUSER))
    classify_accounts(store, fleet.day)
    register(store, "other")
    query(
        store,
        "update instances set is_active = false, deactivated_at = %s::date - 1, updated_at = %s::date - 1 where name = 'a' returning 1",
        fleet.day,
        fleet.day,
    )
    classify_accounts(store, fleet.day)
    assert assigned(store) == set()
