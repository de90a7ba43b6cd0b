"""The asset of classes as Dagster runs it: figures, checks, sessions, the sensor, and a rule that is broken on purpose."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import dagster as dg
import pytest

from whalefall_pipelines.classification.assets import fleet_classifications
from whalefall_pipelines.classification.assign import assign
from whalefall_pipelines.classification.edit_rules import disable_rule
from whalefall_pipelines.classification.sensors import refresh_classifications
from whalefall_pipelines.dagster_base.calendar import ZONE
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.dagster_base.runs import PARTITION_TAG
from whalefall_pipelines.domain.days import today
from whalefall_pipelines.domain.sessions import RecordStatus, SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.errors import ClassificationError, SessionEndedError
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.accounts.scene import AccountsTest, account, facts, listing
from whalefall_pipelines_tests.classification.scene import SUPERUSER, assigned, break_rule, rule, save
from whalefall_pipelines_tests.dagster_base.bound import bound

TODAY = today(datetime.now(UTC), ZONE)


def scene_of(store: Database, home: Path) -> AccountsTest:
    """Two servers, observed yesterday and today; `app` became a superuser of `b` today."""
    servers = {name: FakeServer() for name in ("a", "b")}
    fleet = AccountsTest(store, home, servers, day=TODAY - timedelta(days=1), now=datetime.now(UTC) - timedelta(days=1))
    for name in servers:
        fleet.hold(listing(account("admin", is_superuser=True), account("app"), account("old", is_locked=True)), facts(), name)
    fleet.sync()
    fleet.tomorrow()
    fleet.hold(listing(account("admin", is_superuser=True), account("app", is_superuser=True)), facts(), "b")
    fleet.sync()
    return fleet


def run(store: Database, dagster_instance: dg.DagsterInstance, day: date = TODAY) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [fleet_classifications],
        partition_key=day.isoformat(),
        resources={"whalefall": bound(store)},
        instance=dagster_instance,
        raise_on_error=False,
    )


def shown(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = result.get_asset_materialization_events()
    return {name: value.value for name, value in event.step_materialization_data.materialization.metadata.items()}


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str]]:
    return {check.check_name: (check.passed, str(check.description)) for check in result.get_asset_check_evaluations()}


def test_a_new_superuser_is_announced_and_a_person_may_announce_it_before(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    fleet = scene_of(store, tmp_path)
    save(store, tmp_path, rule("superusers", SUPERUSER), rule("locked", {"fn": "is_locked", "args": {}}, "locked"))
    result = run(store, dagster_instance)
    assert result.success
    figures = shown(result)
    assert {name: figures[name] for name in ("privileged", "locked", "entered", "left", "rules", "failed_rules")} == {
        "privileged": 3,
        "locked": 1,
        "entered": 4,
        "left": 0,
        "rules": 2,
        "failed_rules": 0,
    }
    assert "| privileged | power | 1 | postgresql | 3 | 3 | 0 |" in str(figures["accounts per class and engine"])
    assert "| b | app | privileged | entered | superusers |" in str(figures["entered and left"])
    announced = checks_of(result)["no_unannounced_privileged_account"]
    assert announced == (False, "1 account became privileged without an announcement: b/app")  # not those that were there before the rule
    session = sessions.get_session(store, UUID(str(figures["session_id"])))
    assert (session.sync_category, session.status, session.successful_instances) == (
        SyncCategory.CLASSIFICATION,
        SessionStatus.COMPLETED,
        2,
    )
    assign(store, "b", "app", "privileged", fleet.day, person="tester", note="on call")
    assert checks_of(run(store, dagster_instance))["no_unannounced_privileged_account"][0]


def test_a_rule_broken_on_purpose_changes_nothing_says_so_and_fails_session_and_run(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    fleet = scene_of(store, tmp_path)
    save(store, tmp_path, rule("superusers", SUPERUSER), rule("locked", {"fn": "is_locked", "args": {}}, "locked"))
    run(store, dagster_instance)
    before = assigned(store)
    break_rule(store, "superusers")
    fleet.hold(listing(account("admin"), account("app"), account("old", is_locked=True)), facts(), "b")
    fleet.sync()
    result = run(store, dagster_instance)
    assert not result.success
    passed, why = checks_of(result)["every_rule_was_evaluated"]
    assert (passed, why.startswith("rule superusers (version 1) failed: expr: there is no function")) == (False, True)
    assert "a/admin, a/app, a/old, b/admin" in why
    assert "a/admin" in str(shown(result)["errors"])
    assert {row for row in assigned(store) if row[2] == "superusers"} == {row for row in before if row[2] == "superusers"}
    session = sessions.get_session(store, UUID(str(shown(result)["session_id"])))
    assert (session.status, session.error_code, session.failed_instances) == (SessionStatus.FAILED, "CLASSIFICATION_FAILED", 2)
    records = sessions.list_records(store, session.session_id)
    assert {(record.status, record.error_code) for record in records} == {(RecordStatus.FAILED, "CLASSIFICATION_FAILED")}


def test_a_past_day_is_shown_as_it_was_and_evaluates_nothing(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    scene_of(store, tmp_path)
    save(store, tmp_path, rule("superusers", SUPERUSER))
    result = run(store, dagster_instance, TODAY - timedelta(days=1))
    assert result.success
    assert assigned(store) == set()
    assert (shown(result)["privileged"], shown(result)["locked"]) == (0, 0)  # a plot shows that nobody was left
    session = sessions.get_session(store, UUID(str(shown(result)["session_id"])))
    assert (session.status, session.skipped_instances) == (SessionStatus.COMPLETED, 2)


def test_the_sensor_asks_once_for_what_accounts_and_rules_are_now(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    class Now(WhalefallResource):
        @contextmanager
        def store(self) -> Generator[Database]:
            yield store

    def key() -> str | None:
        context = dg.build_sensor_context(instance=dagster_instance, resources={"whalefall": Now()})
        requests = refresh_classifications.evaluate_tick(context).run_requests or []
        assert all(request.tags[PARTITION_TAG] == TODAY.isoformat() for request in requests)
        return str(requests[0].run_key) if requests else None

    fleet = scene_of(store, tmp_path)
    assert key() is None
    save(store, tmp_path, rule("superusers", SUPERUSER))
    keys = [key(), key()]
    fleet.now += timedelta(seconds=1)
    fleet.sync()
    keys.append(key())
    save(store, tmp_path, rule("superusers", {"fn": "is_locked", "args": {}}), edit=True)
    keys.append(key())
    disable_rule(store, "superusers")
    keys.append(key())
    assert None not in keys
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


def test_an_evaluation_that_died_is_asked_for_again_at_most_three_times_and_one_whose_rule_failed_is_not(
    store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance
) -> None:
    class Now(WhalefallResource):
        @contextmanager
        def store(self) -> Generator[Database]:
            yield store

    def keys_after(error: Exception, times: int) -> set[str | None]:
        keys = set[str | None]()
        for _ in range(times):
            plan = SessionPlan(uuid4(), SyncCategory.CLASSIFICATION, SyncType.SCHEDULED_TASK, TODAY, TODAY)
            with pytest.raises(type(error)), sync_session(store, plan, []):
                raise error
            context = dg.build_sensor_context(instance=dagster_instance, resources={"whalefall": Now()})
            keys |= {request.run_key for request in refresh_classifications.evaluate_tick(context).run_requests or []}
        return keys

    scene_of(store, tmp_path)
    save(store, tmp_path, rule("superusers", SUPERUSER))
    at_first = keys_after(ClassificationError("rule superusers failed"), 2)
    assert len(at_first) == 1
    assert len(keys_after(SessionEndedError("its process was gone"), 5) - at_first) == 3


def test_a_run_waits_while_accounts_are_being_read(store: Database, tmp_path: Path, dagster_instance: dg.DagsterInstance) -> None:
    fleet = scene_of(store, tmp_path)
    save(store, tmp_path, rule("superusers", SUPERUSER))

    class Now(WhalefallResource):
        @contextmanager
        def store(self) -> Generator[Database]:
            yield store

    context = dg.build_sensor_context(instance=dagster_instance, resources={"whalefall": Now()})
    plan = SessionPlan(uuid4(), SyncCategory.ACCOUNT, SyncType.MANUAL_TASK, TODAY, TODAY)
    with sync_session(store, plan, fleet.instances):
        assert "being read" in str(refresh_classifications.evaluate_tick(context).skip_message)
    assert refresh_classifications.evaluate_tick(context).run_requests
