"""Sessions always end: cancelled by a person, abandoned by their process, or cut off from the store for a while."""

import re
import threading
import time
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from whalefall_pipelines.capacity.collect import Collector, SizesOfDay
from whalefall_pipelines.capacity.write_failures import Failed, write_failures
from whalefall_pipelines.capacity.write_snapshot import write_snapshots
from whalefall_pipelines.domain.sessions import (
    BEAT_SECONDS,
    DEAD_AFTER_SECONDS,
    RecordStatus,
    RunState,
    SessionPlan,
    SessionStatus,
    SyncType,
)
from whalefall_pipelines.domain.sessions import SyncCategory as Category
from whalefall_pipelines.errors import LoginRejectedError, SessionEndedError, SessionRunningError, StoreUnreachableError, UnreachableError
from whalefall_pipelines.fleet.fake import FakeServer
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.end_dead_sessions import end_dead_sessions
from whalefall_pipelines.sessions.keep_session import sync_session
from whalefall_pipelines.sessions.retries import RetryRule
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines.store.outage import retry_while_unavailable
from whalefall_pipelines_tests.at_once import at_once
from whalefall_pipelines_tests.factories import DAY, FleetTest, query, server


def plan_of(category: Category = Category.CAPACITY, run_id: str | None = None) -> SessionPlan:
    return SessionPlan(uuid4(), category, SyncType.MANUAL_TASK, DAY, DAY, run_id=run_id)


def cancel(store: Database, session_id: UUID) -> bool:
    return sessions.abandon_session(store, session_id, SessionStatus.CANCELLED, error_code="CANCELLED", error_message="by a person")


def silence(store: Database, session_id: UUID, seconds: float = DEAD_AFTER_SECONDS + 1) -> None:
    """Pretend that the last heartbeat of a session is this long ago, in a store that has been up for longer."""
    query(
        store,
        "update sync_sessions set alive_at = now() - make_interval(secs => %s) where session_id = %s returning 1",
        seconds,
        str(session_id),
    )


@pytest.fixture
def store_up_for_long(store: Database) -> None:
    started = "select extract(epoch from clock_timestamp() - pg_postmaster_start_time())"
    while float(str(query(store, started)[0][0])) < 1:
        time.sleep(0.05)


def test_a_cancelled_session_stops_what_hangs_and_leaves_the_rest_untouched(store: Database, tmp_path: Path) -> None:
    hangs = threading.Event()
    servers = {"done": server(), "hangs": server(hangs=True, on_probe=lambda _: hangs.set()), "untouched": server()}
    fleet = FleetTest(store, tmp_path, servers, parallel=1)
    fleet.deadlines = type(fleet.deadlines)(instance_seconds=60)
    plan = plan_of()
    threading.Thread(target=lambda: hangs.wait(10) and cancel(store, plan.session_id)).start()
    begun = time.monotonic()
    with pytest.raises(SessionEndedError, match="cancelled"), sync_session(store, plan, fleet.instances) as check:
        collector = Collector(replace(fleet.collection(), check=check))
        list(collector.collect_day(fleet.instances, DAY, plan.session_id))
    assert time.monotonic() - begun < BEAT_SECONDS + 3
    records = {record.instance_name: record.status for record in sessions.list_records(store, plan.session_id)}
    assert records == {"done": RecordStatus.COMPLETED, "hangs": RecordStatus.FAILED, "untouched": RecordStatus.PENDING}
    assert sessions.get_session(store, plan.session_id).status is SessionStatus.CANCELLED
    assert set(fleet.sizes()) == {("done", "app"), ("done", "shop")}
    assert servers["untouched"].probes == 0


def test_cancelling_stops_a_long_statement_of_the_store(store: Database) -> None:
    plan = plan_of(Category.AGGREGATION)
    begun = time.monotonic()
    with pytest.raises(SessionEndedError, match="cancelled"), sync_session(store, plan, []):
        threading.Timer(0.5, cancel, (store, plan.session_id)).start()
        query(store, "select pg_sleep(60)")
    assert time.monotonic() - begun < 2 * BEAT_SECONDS + 3
    assert sessions.get_session(store, plan.session_id).status is SessionStatus.CANCELLED
    assert query(store, "select 1") == [(1,)]


def test_a_session_that_was_cancelled_at_its_very_end_is_not_completed(store: Database) -> None:
    plan = plan_of()
    with pytest.raises(SessionEndedError), sync_session(store, plan, []):
        cancel(store, plan.session_id)
    assert not cancel(store, plan.session_id)
    assert sessions.get_session(store, plan.session_id).status is SessionStatus.CANCELLED


def test_a_running_session_sends_heartbeats_and_its_thread_ends_with_it(store: Database) -> None:
    plan = plan_of()
    heard = "select alive_at from sync_sessions where session_id = %s"
    with sync_session(store, plan, []):
        first = query(store, heard, str(plan.session_id))
        deadline = time.monotonic() + 10
        while query(store, heard, str(plan.session_id)) == first:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert [thread for thread in threading.enumerate() if thread.name == "session"] == []


def test_two_sessions_never_collect_one_day_at_once(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server()})
    first = plan_of()
    with sync_session(store, first, fleet.instances):
        second = plan_of()
        with pytest.raises(SessionRunningError, match=str(first.session_id)) as caught, sync_session(store, second, fleet.instances):
            pytest.fail("it began")
        assert "0 of 1 instance done" in str(caught.value)
        kept = sessions.get_session(store, second.session_id)
        assert (kept.status, kept.error_code, kept.error_message) == (SessionStatus.FAILED, "SESSION_RUNNING", str(caught.value))
        assert (kept.total_instances, sessions.list_records(store, second.session_id)) == (0, ())
        with sync_session(store, plan_of(Category.AGGREGATION), []):
            pass
    fleet.collect()


def test_two_that_open_at_the_same_moment_see_each_other(store: Database) -> None:
    def is_refused() -> bool:
        try:
            sessions.open_session(store, plan_of(), [])
        except SessionRunningError:
            return True
        return False

    assert sum(at_once(*[is_refused] * 6)) == 5


@pytest.mark.usefixtures("store_up_for_long")
def test_a_record_stuck_in_running_is_failed_with_its_session_when_its_process_is_gone(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server(), "b": server()})
    dead = plan_of(run_id="lost")
    sessions.open_session(store, dead, [instance.instance_id for instance in fleet.instances])
    sessions.start_records(store, dead.session_id, [fleet.instances[0].instance_id])
    silence(store, dead.session_id)
    (ended_session,) = end_dead_sessions(store, lambda run_ids: dict.fromkeys(run_ids, RunState.GOING), dead_after_seconds=0.5)
    assert ended_session.run_goes_on
    ended = sessions.get_session(store, dead.session_id)
    assert (ended.status, ended.failures) == (SessionStatus.FAILED, {"RUN_DIED": 1})
    records = {record.instance_name: record for record in sessions.list_records(store, dead.session_id)}
    assert records["a"].status is RecordStatus.FAILED
    assert "its process has died" in str(records["a"].error_message)
    assert records["b"].status is RecordStatus.PENDING
    session_id, _ = fleet.collect()
    assert sessions.get_session(store, session_id).status is SessionStatus.COMPLETED


@pytest.mark.parametrize(
    ("run", "status"), [(RunState.FAILED, SessionStatus.FAILED), (RunState.CANCELLED, SessionStatus.CANCELLED), (RunState.GOING, None)]
)
def test_the_sweep_ends_what_dagster_knows_to_be_over_and_nothing_else(
    store: Database, run: RunState, status: SessionStatus | None
) -> None:
    plan = plan_of(run_id="run")
    sessions.open_session(store, plan, [])
    ended = end_dead_sessions(store, lambda run_ids: dict.fromkeys(run_ids, run))
    assert [(ended_session.session.session_id, ended_session.status, ended_session.run_goes_on) for ended_session in ended] == (
        [(plan.session_id, status, False)] if status else []
    )
    assert end_dead_sessions(store, lambda run_ids: dict.fromkeys(run_ids, run)) == []


def test_after_a_start_of_the_store_every_session_has_time_for_a_heartbeat(store: Database) -> None:
    plan = plan_of(run_id="run")
    sessions.open_session(store, plan, [])
    day = 24 * 3600.0
    silence(store, plan.session_id, seconds=2 * day)
    assert end_dead_sessions(store, lambda _: {}, dead_after_seconds=day) == []


def test_a_short_outage_of_the_store_is_retried_and_a_long_one_fails() -> None:
    tries: list[float] = []

    def away_for(times: int) -> str:
        tries.append(time.monotonic())
        if len(tries) <= times:
            raise StoreUnreachableError("away")
        return "back"

    assert retry_while_unavailable(lambda: away_for(2)) == "back"
    with pytest.raises(StoreUnreachableError):
        retry_while_unavailable(lambda: away_for(10**6), seconds=0.1)
    stopped = threading.Event()
    stopped.set()
    count = len(tries)
    with pytest.raises(StoreUnreachableError):
        retry_while_unavailable(lambda: away_for(10**6), stopped=stopped)
    assert len(tries) == count + 1


def test_a_commit_whose_answer_was_lost_is_written_once(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server()})
    plan = plan_of()
    work = SizesOfDay(
        fleet.collector(),
        DAY,
        lambda probed: write_snapshots(store, [probed], DAY, plan.session_id)[0],
        lambda failed: write_failures(store, [failed], DAY, plan.session_id)[0],
    )
    (instance,) = fleet.instances
    with sync_session(store, plan, fleet.instances):
        ensure_months(store, [DAY])
        sessions.start_records(store, plan.session_id, [instance.instance_id])
        for _ in range(2):
            assert work.write(instance, work.probe(instance), 0).error is None
    assert sessions.get_session(store, plan.session_id).successful_instances == 1
    assert query(store, "select count(*), sum(total_bytes) from database_size_stats") == [(2, 3000)]


def test_attempts_within_a_run_share_the_deadline_of_one_probe(store: Database, tmp_path: Path) -> None:
    def fall_silent(target: FakeServer) -> None:
        target.hangs = target.probes > 1

    refused = UnreachableError("refused", reason="connection_refused")
    fleet = FleetTest(store, tmp_path, {"a": server(refusal=refused, on_probe=fall_silent)})
    fleet.deadlines = type(fleet.deadlines)(instance_seconds=1.0)
    collector = Collector(replace(fleet.collection(), retry_rule=RetryRule(pause_seconds=0.4, deadline_seconds=1.0)))
    plan = plan_of()
    with sync_session(store, plan, fleet.instances):
        (outcome,) = collector.collect_day(fleet.instances, DAY, plan.session_id)
    assert fleet.servers["a"].probes == 2
    waited = re.search(r"did not answer within ([\d.]+) s", str(outcome.error))
    assert waited
    assert float(waited[1]) < 0.85  # the pause took at least 0.2 s of the second


def test_waiting_for_others_does_not_count_towards_the_deadline_of_a_probe(store: Database, tmp_path: Path) -> None:
    """A server that failed immediately waits until the first pass is over, however long the others take."""

    def recover(target: FakeServer) -> None:
        target.refusal = None if target.probes > 1 else target.refusal

    refused = UnreachableError("refused", reason="connection_refused")
    slow = {f"slow {number}": server(delay_seconds=0.4) for number in range(4)}
    servers = {"quick": server({"app": 1}, refusal=refused, on_probe=recover, delay_seconds=0.3), **slow}
    fleet = FleetTest(store, tmp_path, servers, parallel=1)
    fleet.deadlines = type(fleet.deadlines)(instance_seconds=1.0)
    fleet.collect()
    assert fleet.sizes()["quick", "app"] == 1


def test_failures_land_together_each_with_its_own_reason_and_never_after_the_end_of_their_session(store: Database, tmp_path: Path) -> None:
    fleet = FleetTest(store, tmp_path, {"a": server(), "b": server(), "never listed": server()})
    a, b, new = fleet.instances
    fleet.instances = (a, b)
    fleet.collect()  # so that their databases are known
    query(store, "delete from database_size_stats returning 1")
    plan = plan_of()
    failed = [
        Failed(a, UnreachableError("nobody there", reason="connection_refused"), 0),
        Failed(b, LoginRejectedError("wrong password", reason="authentication_failed"), 0),
        Failed(new, UnreachableError("asleep", reason="timeout"), 0),
    ]
    with pytest.raises(SessionEndedError), sync_session(store, plan, (a, b, new)):
        sessions.start_records(store, plan.session_id, [instance.instance_id for instance in (a, b, new)])
        outcomes = write_failures(store, failed, DAY, plan.session_id)
        assert [outcome.error for outcome in outcomes] == [failure.error for failure in failed]
        cancel(store, plan.session_id)
        with pytest.raises(SessionEndedError, match="'a', 'b'"):
            write_failures(store, failed[:2], DAY, plan.session_id)
    reasons = {"a": "connection_refused", "b": "authentication_failed"}
    assert fleet.gaps() == {(name, database): reasons[name] for name in reasons for database in ("app", "shop")} | {
        ("never listed", None): "timeout"
    }
    records = {record.instance_name: record.error_message for record in sessions.list_records(store, plan.session_id)}
    assert records["a"] == "nobody there"
    assert str(records["b"]).startswith("wrong password It is retried tomorrow")
