"""One day of a fleet: what is stored for every way in which a server can behave."""

import _thread
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from whalefall_pipelines.domain.sessions import RecordStatus, SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.errors import LoginRejectedError, SessionEndedError, SizesError, StoreError, TargetError, UnreachableError
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.cli.trees import eventually
from whalefall_pipelines_tests.factories import DAY, FleetTest, query, server
from whalefall_pipelines_tests.faults.seams import held
from whalefall_pipelines_tests.hostile import HOSTILE_NAMES

TOMORROW = DAY + timedelta(days=1)


def test_a_day_is_stored_with_its_exact_total(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000, "shop": 2000}), "b": server({"crm": 5})})
    session_id, _ = fleet.collect()
    assert fleet.sizes() == {("a", "app"): 1000, ("a", "shop"): 2000, ("b", "crm"): 5}
    totals = query(store, "select total_bytes, database_count, expected_count, provenance from instance_size_stats order by instance_id")
    assert totals == [(3000, 2, 2, "measured"), (5, 1, 1, "measured")]
    session = sessions.get_session(store, session_id)
    assert (session.status, session.successful_instances, session.failed_instances) == (SessionStatus.COMPLETED, 2, 0)
    assert fleet.coverage() == {"a": (2, 2, 0, []), "b": (1, 1, 0, [])}


def test_a_second_measurement_of_a_day_replaces_the_first(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000})})
    fleet.collect()
    fleet.servers["a"] = server({"app": 1500})
    fleet.collect()
    assert fleet.sizes() == {("a", "app"): 1500}
    assert query(store, "select total_bytes from instance_size_stats") == [(1500,)]


def test_a_failed_second_probe_keeps_the_measured_sizes(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000})})
    fleet.collect()
    fleet.servers["a"] = server(refusal=UnreachableError("down", reason="connection_refused"))
    session_id, _ = fleet.collect()
    assert fleet.sizes() == {("a", "app"): 1000}
    assert fleet.gaps() == {}
    assert sessions.get_session(store, session_id).status is SessionStatus.FAILED


def test_a_dead_server_affects_only_itself_and_leaves_gaps_for_its_inventory(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000, "shop": 1}), "b": server()})
    fleet.collect()
    fleet.now += timedelta(days=1)
    fleet.servers["a"] = server(refusal=UnreachableError("down", reason="connection_refused"))
    session_id, outcomes = fleet.collect(TOMORROW)
    assert fleet.gaps(TOMORROW) == {("a", "app"): "connection_refused", ("a", "shop"): "connection_refused"}
    assert {name for name, _ in fleet.sizes(TOMORROW)} == {"b"}
    records = {record.instance_name: record for record in sessions.list_records(store, session_id)}
    assert (records["a"].status, records["a"].error_code) == (RecordStatus.FAILED, "DATABASE_CONNECTION_ERROR")
    assert (records["b"].status, records["b"].items_synced) == (RecordStatus.COMPLETED, 2)
    assert fleet.coverage(TOMORROW)["a"] == (2, 0, 2, ["connection_refused"])
    assert outcomes["a"].error is not None


def test_a_server_that_never_answered_is_missing_with_an_unknown_number_of_databases(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"dead": server(refusal=UnreachableError("down", reason="timeout"))})
    fleet.collect()
    assert fleet.gaps() == {("dead", None): "timeout"}
    assert fleet.coverage() == {"dead": (None, 0, 0, ["timeout"])}
    fleet.servers["dead"] = server({"app": 7})
    fleet.collect()
    assert fleet.gaps() == {}
    assert fleet.coverage() == {"dead": (1, 1, 0, [])}
    assert query(store, "select closed_by from capacity_gaps") == [("measured",)]


def test_a_database_without_the_privilege_is_missing_and_the_others_are_measured(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000, "secret": None})})
    session_id, _ = fleet.collect()
    assert fleet.sizes() == {("a", "app"): 1000}
    assert fleet.gaps() == {("a", "secret"): "no_permission"}
    # Never measured yet: listed as missing, but not part of the expected count.
    assert query(store, "select database_count, expected_count from instance_size_stats") == [(1, 1)]
    assert sessions.get_session(store, session_id).status is SessionStatus.COMPLETED


def test_a_database_that_was_measured_before_makes_the_total_incomplete(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000, "shop": 500})})
    fleet.collect()
    fleet.now += timedelta(days=1)
    fleet.servers["a"] = server({"app": 1000, "shop": None})
    fleet.collect(TOMORROW)
    assert query(store, "select database_count, expected_count from instance_size_stats where stat_date = %s", TOMORROW) == [(1, 2)]


def test_a_database_dropped_while_it_was_measured_has_vanished(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1, "gone": 2}, dropped_meanwhile=frozenset({"gone"}))})
    fleet.collect()
    assert fleet.sizes() == {("a", "app"): 1}
    assert fleet.gaps() == {("a", "gone"): "vanished"}


def test_an_instance_without_countable_databases_is_inventory_only_and_skipped(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"template0": 1, "template1": 2})})
    session_id, _ = fleet.collect()
    session = sessions.get_session(store, session_id)
    assert (session.successful_instances, session.skipped_instances, session.failed_instances) == (0, 1, 0)
    (record,) = sessions.list_records(store, session_id)
    assert record.is_skipped
    assert record.sync_details["hidden"] == 2
    assert fleet.sizes() == {}
    assert fleet.gaps() == {}


def test_an_empty_listing_fails_and_keeps_the_inventory(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1})})
    fleet.collect()
    fleet.now += timedelta(days=1)
    fleet.servers["a"] = server({})
    session_id, _ = fleet.collect(TOMORROW)
    (record,) = sessions.list_records(store, session_id)
    assert record.error_code == "SYNC_DATA_ERROR"
    assert fleet.gaps(TOMORROW) == {("a", "app"): "empty_result"}
    assert query(store, "select is_active from instance_databases") == [(True,)]


def test_when_half_of_a_listing_disappears_the_inventory_is_kept_until_a_later_day_confirms_it(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server(dict.fromkeys("abcd", 1))})
    fleet.collect()
    fleet.servers["a"] = server({"a": 1})
    for day, active in ((TOMORROW, 4), (TOMORROW, 4), (TOMORROW + timedelta(days=1), 1)):
        fleet.now = datetime(day.year, day.month, day.day, 1, tzinfo=UTC)
        session_id, _ = fleet.collect(day)
        assert query(store, "select count(*) from instance_databases where is_active") == [(active,)]
        if active == 4:
            assert fleet.gaps(day) == dict.fromkeys((("a", "b"), ("a", "c"), ("a", "d")), "vanished")
            assert sessions.list_records(store, session_id)[0].sync_details["held"] == ["b", "c", "d"]
        else:
            assert fleet.gaps(day) == {}


def test_databases_hidden_by_a_revoked_privilege_are_missing_and_not_dropped(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server(dict.fromkeys("abcdef", 1))})
    fleet.collect()
    for number, listed in enumerate(("abcde", "a", "a"), start=1):
        fleet.servers["a"] = server(dict.fromkeys(listed, 1), grant_to_list="GRANT all of it;")
        fleet.now += timedelta(days=1)
        session_id, outcomes = fleet.collect(DAY + timedelta(days=number))
        assert fleet.gaps(DAY + timedelta(days=number)) == {("a", name): "no_permission" for name in "abcdef" if name not in listed}
        assert {gap.detail for gap in outcomes["a"].missing} == {"GRANT all of it;"}
        assert sessions.list_records(store, session_id)[0].sync_details["deactivated"] == []
    fleet.servers["a"] = server(dict.fromkeys("abcde", 1))
    fleet.now += timedelta(days=1)
    fleet.collect(DAY + timedelta(days=4))
    assert query(store, "select database_name from instance_databases where not is_active") == [("f",)]


def test_a_login_that_cannot_see_every_database_is_reported_even_if_none_is_known_to_be_missing(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1}, grant_to_list="GRANT all of it;")})
    _, outcomes = fleet.collect()
    assert outcomes["a"].notices == ("a/*: The login may not see every database; run on that server: GRANT all of it;",)
    assert fleet.gaps() == {}


def test_a_login_that_sees_only_system_databases_is_not_a_server_without_databases(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"template1": 1}, grant_to_list="GRANT all of it;")})
    session_id, _ = fleet.collect()
    (record,) = sessions.list_records(store, session_id)
    assert (record.error_code, record.is_skipped) == ("SYNC_DATA_ERROR", False)
    assert str(record.error_message).endswith("run on that server: GRANT all of it;")
    assert fleet.gaps() == {("a", None): "no_permission"}


def test_one_dropped_database_of_many_is_accepted_and_can_return(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server(dict.fromkeys("abc", 1))})
    fleet.collect()
    fleet.servers["a"] = server(dict.fromkeys("ab", 1))
    fleet.now += timedelta(days=1)
    fleet.collect(TOMORROW)
    assert fleet.coverage(TOMORROW)["a"] == (2, 2, 0, [])
    assert query(store, "select database_name from instance_databases where not is_active and deleted_at is not null") == [("c",)]
    fleet.servers["a"] = server(dict.fromkeys("abc", 1))
    fleet.collect(TOMORROW)
    assert query(store, "select count(*) from instance_databases where is_active and deleted_at is null") == [(3,)]


def test_nothing_measurable_at_all_is_a_failure(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"x": None, "y": None})})
    session_id, _ = fleet.collect()
    (record,) = sessions.list_records(store, session_id)
    assert record.error_code == "SYNC_DATA_ERROR"
    assert "GRANT pg_monitor" in str(record.error_message)
    assert set(fleet.gaps().values()) == {"no_permission"}


def test_a_transient_failure_is_retried_and_recovers(store: Database, tmp_path: Path) -> None:
    def heal_after_first(fake: FakeServer) -> None:
        if fake.probes > 1:
            fake.refusal = None

    fleet = FleetTest(
        store, tmp_path, {"a": server({"app": 1}, refusal=UnreachableError("busy", reason="unavailable"), on_probe=heal_after_first)}
    )
    session_id, _ = fleet.collect()
    (record,) = sessions.list_records(store, session_id)
    assert (record.status, record.attempts) == (RecordStatus.COMPLETED, 2)


@pytest.mark.parametrize(
    "refusal", [LoginRejectedError("no", reason="authentication_failed"), SizesError("grant", reason="no_permission")], ids=repr
)
def test_a_failure_that_needs_a_person_is_never_retried(store: Database, tmp_path: Path, refusal: TargetError) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server(refusal=refusal)})
    fleet.collect()
    assert fleet.servers["a"].probes == 1


def test_a_hanging_server_ends_at_its_deadline_and_is_not_retried_in_the_run(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server(hangs=True), "b": server()})
    fleet.deadlines = type(fleet.deadlines)(instance_seconds=2.1)
    fleet.collect()
    assert fleet.servers["a"].probes == 1
    assert fleet.gaps() == {("a", None): "timeout"}
    assert len(fleet.sizes()) == 2


def test_a_past_day_never_gets_todays_bytes(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1})})
    fleet.now += timedelta(days=1)
    fleet.collect(DAY)
    assert fleet.servers["a"].probes == 0
    assert fleet.sizes(DAY) == {}
    assert fleet.gaps(DAY) == {("a", None): "not_collected"}


def test_yesterday_may_be_measured_until_the_grace_period_is_over(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1})})
    fleet.now = datetime(2026, 11, 22, 17, 59, tzinfo=UTC)  # 01:59 of the 23rd in Shanghai
    fleet.collect(DAY)
    assert fleet.sizes(DAY) == {("a", "app"): 1}


def test_a_server_with_nonsense_answers_fails_alone(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": -5}), "b": server({"app": 1})})
    session_id, outcomes = fleet.collect()
    assert fleet.sizes() == {("b", "app"): 1}
    assert sessions.get_session(store, session_id).failed_instances == 1
    assert "negative" in str(outcomes["a"].error)
    assert sessions.list_records(store, session_id)[0].error_code == "SYNC_DATA_ERROR"


def test_what_the_store_refuses_of_one_server_costs_its_neighbours_nothing(store: Database, tmp_path: Path) -> None:
    together = threading.Barrier(4, timeout=20)  # they end at the same moment, and are written together
    fleet = FleetTest(
        store,
        tmp_path,
        {
            **{name: server({"app": 1000}, on_probe=lambda _: together.wait()) for name in ("a", "b", "c")},
            "huge": server({"app": 1000, "beyond bigint": 2**63}, on_probe=lambda _: together.wait()),
        },
    )
    fleet.deadlines = type(fleet.deadlines)(instance_seconds=60)
    session_id, outcomes = fleet.collect()
    assert fleet.sizes() == {("a", "app"): 1000, ("b", "app"): 1000, ("c", "app"): 1000}
    assert isinstance(outcomes["huge"].error, StoreError)
    assert fleet.gaps() == {("huge", None): "internal_error"}
    session = sessions.get_session(store, session_id)
    assert (session.status, session.successful_instances, session.failed_instances) == (SessionStatus.FAILED, 3, 1)


def test_an_instance_that_another_program_is_writing_keeps_no_other_one_waiting(store: Database, tmp_path: Path) -> None:
    together = threading.Barrier(4, timeout=20)
    names = ("a", "b", "c", "held")
    fleet = FleetTest(store, tmp_path, {name: server({"app": 1000}, on_probe=lambda _: together.wait()) for name in names})
    fleet.deadlines = type(fleet.deadlines)(instance_seconds=60)
    with held(store, 740_031, fleet.instances[-1].instance_id) as holder:  # the lock of an inventory
        collecting = threading.Thread(target=fleet.collect)
        collecting.start()
        holder.wait_for_somebody()
        assert eventually(lambda: len(fleet.sizes()) == 3, seconds=30)
        holder.let_go()
        collecting.join()
    assert fleet.sizes() == {(name, "app"): 1000 for name in names}


def test_hostile_names_are_stored_unchanged(store: Database, tmp_path: Path) -> None:
    databases = {name: number for number, name in enumerate(HOSTILE_NAMES, start=1)}
    fleet = FleetTest(store, tmp_path, {name: server({**databases, f"no {name}": None}) for name in HOSTILE_NAMES})
    fleet.collect()
    assert fleet.sizes() == {(instance, name): size for instance in HOSTILE_NAMES for name, size in databases.items()}
    assert set(fleet.gaps()) == {(name, f"no {name}") for name in HOSTILE_NAMES}


def test_inventory_alone_measures_nothing_and_leaves_no_gap(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1})}, inventory_only=True)
    session_id, _ = fleet.collect()
    assert query(store, "select database_name from instance_databases") == [("app",)]
    assert fleet.sizes() == {}
    assert fleet.gaps() == {}
    assert sessions.get_session(store, session_id).skipped_instances == 1


def test_an_exception_fails_the_session_and_its_running_records(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server(), "b": server()})
    plan = SessionPlan(session_id := uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY)
    with pytest.raises(StoreError), sync_session(store, plan, fleet.instances):
        sessions.start_records(store, session_id, [fleet.instances[0].instance_id])
        raise StoreError("the disk is full")
    session = sessions.get_session(store, session_id)
    assert (session.status, session.failed_instances) == (SessionStatus.FAILED, 1)
    records = {record.instance_name: record.status for record in sessions.list_records(store, session_id)}
    assert records == {"a": RecordStatus.FAILED, "b": RecordStatus.PENDING}


def test_an_interrupt_cancels_the_session_and_wakes_waiting_threads(store: Database, tmp_path: Path) -> None:
    started = threading.Event()
    fleet = FleetTest(store, tmp_path, {"a": server(hangs=True, on_probe=lambda _: started.set())})
    fleet.deadlines = type(fleet.deadlines)(instance_seconds=60)
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY)
    begun = time.monotonic()
    collecting = fleet.collector()
    with pytest.raises(KeyboardInterrupt), sync_session(store, plan, fleet.instances):
        threading.Thread(target=lambda: (started.wait(10), _thread.interrupt_main())).start()
        list(collecting.collect_day(fleet.instances, DAY, plan.session_id))
    assert time.monotonic() - begun < 10
    assert sessions.get_session(store, plan.session_id).status is SessionStatus.CANCELLED


def test_work_of_a_cancelled_session_is_discarded(store: Database, tmp_path: Path) -> None:
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY)

    def cancel(_: FakeServer) -> None:
        sessions.abandon_session(store, plan.session_id, SessionStatus.CANCELLED, error_code="CANCELLED", error_message="cancelled")

    fleet = FleetTest(store, tmp_path, {"a": server(on_probe=cancel), "b": server()}, parallel=1)
    with pytest.raises(SessionEndedError, match="ended in the meantime"), sync_session(store, plan, fleet.instances):
        list(fleet.collector().collect_day(fleet.instances, DAY, plan.session_id))
    assert sessions.get_session(store, plan.session_id).status is SessionStatus.CANCELLED
    assert fleet.sizes() == {}
    assert fleet.servers["b"].probes == 0
    records = {record.instance_name: record.status for record in sessions.list_records(store, plan.session_id)}
    assert records == {"a": RecordStatus.FAILED, "b": RecordStatus.PENDING}


def test_a_statement_that_fails_transiently_in_a_probe_is_a_sizes_error() -> None:
    assert SizesError("x", reason="timeout").is_transient
    assert not LoginRejectedError("x", reason="authentication_failed").is_transient
