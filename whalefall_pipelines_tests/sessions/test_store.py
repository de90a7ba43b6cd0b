"""Sessions and records change only along the allowed transitions: the database refuses all others."""

import itertools
from uuid import UUID, uuid4

import pytest

from whalefall_pipelines.domain.sessions import RecordStatus, SessionPlan, SessionStatus, SyncCategory, SyncType
from whalefall_pipelines.errors import InputError, NotFoundError, StoreError
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.sessions.known_runs import find_session
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import DAY, query, register

SESSION_ARROWS = {("running", end) for end in ("completed", "failed", "cancelled")}
RECORD_ARROWS = {("pending", "running"), ("running", "completed"), ("running", "failed")}


def open_one(store: Database, *names: str) -> UUID:
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY)
    sessions.open_session(store, plan, [instance.instance_id for instance in register(store, *names)])
    return plan.session_id


def move(store: Database, table: str, status: str, session_id: UUID) -> None:
    ended = status in {"completed", "failed", "cancelled"}
    failed = ", error_code = 'X'" if table == "sync_instance_records" and status == "failed" else ""
    with store.transaction() as cursor:
        cursor.execute(
            f"update {table} set status = %s, completed_at = {'now()' if ended else 'null'}{failed} where session_id = %s",
            (status, str(session_id)),
        )


def reach(store: Database, table: str, status: str, session_id: UUID) -> None:
    path = {"completed": ["running", "completed"], "failed": ["running", "failed"], "running": ["running"], "pending": []}
    steps = path[status] if table == "sync_instance_records" else [status] if status != "running" else []
    for step in steps:
        move(store, table, step, session_id)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(SessionStatus, repeat=2)))
def test_a_session_moves_along_its_arrows_only(store: Database, before: SessionStatus, after: SessionStatus) -> None:
    session_id = open_one(store, "a")
    reach(store, "sync_sessions", before, session_id)
    if (before, after) in SESSION_ARROWS or before == after == SessionStatus.RUNNING:
        move(store, "sync_sessions", after, session_id)
    else:
        with pytest.raises(StoreError, match=r"cannot move|for ever"):
            move(store, "sync_sessions", after, session_id)


@pytest.mark.parametrize(("before", "after"), list(itertools.product(RecordStatus, repeat=2)))
def test_a_record_moves_along_its_arrows_only(store: Database, before: RecordStatus, after: RecordStatus) -> None:
    session_id = open_one(store, "a")
    reach(store, "sync_instance_records", before, session_id)
    if (before, after) in RECORD_ARROWS or (before == after and before in {"pending", "running"}):
        move(store, "sync_instance_records", after, session_id)
    else:
        with pytest.raises(StoreError, match=r"cannot move|for ever"):
            move(store, "sync_instance_records", after, session_id)


def test_nothing_starts_in_the_middle(store: Database) -> None:
    (instance,) = register(store, "a")
    with pytest.raises(StoreError, match="starts as running"), store.transaction() as cursor:
        cursor.execute(
            "insert into sync_sessions (session_id, sync_category, sync_type, status, first_day, last_day, completed_at) "
            "values (%s, 'capacity', 'retry', 'completed', %s, %s, now())",
            (str(uuid4()), DAY, DAY),
        )
    session_id = open_one(store, "b")
    with pytest.raises(StoreError, match="starts as pending"), store.transaction() as cursor:
        cursor.execute(
            "insert into sync_instance_records (session_id, instance_id, status) values (%s, %s, 'running')",
            (str(session_id), instance.instance_id),
        )


def test_a_run_opens_one_session_of_a_category(store: Database) -> None:
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY, run_id="run")
    sessions.open_session(store, plan, [])
    sessions.close_session(store, plan.session_id)
    again = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, DAY, DAY, run_id="run")
    with pytest.raises(StoreError, match="23505"):
        sessions.open_session(store, again, [])


def test_closing_counts_the_records_and_cannot_be_repeated(store: Database) -> None:
    session_id = open_one(store, "a", "b", "c")
    by_name = {record.instance_name: record.instance_id for record in sessions.list_records(store, session_id)}
    assert sessions.start_records(store, session_id, list(by_name.values())) == set(by_name.values())
    with store.transaction() as cursor:
        assert sessions.complete_record(cursor, session_id, by_name["a"], is_skipped=False, items={"synced": 3}, details={})
        assert sessions.complete_record(cursor, session_id, by_name["b"], is_skipped=True, items={}, details={})
        assert sessions.fail_record(cursor, session_id, by_name["c"], error_code="SYNC_DATA_ERROR", error_message="no", details={})
        assert not sessions.complete_record(cursor, session_id, by_name["c"], is_skipped=False, items={}, details={})
    running = sessions.get_session(store, session_id)
    assert (running.status, running.successful_instances, running.failed_instances) == (SessionStatus.RUNNING, 1, 1)
    assert sessions.close_session(store, session_id) is SessionStatus.FAILED
    closed = sessions.get_session(store, session_id)
    assert (closed.successful_instances, closed.skipped_instances, closed.failed_instances) == (1, 1, 1)
    assert closed.completed_at is not None
    assert sessions.close_session(store, session_id) is SessionStatus.FAILED
    assert sessions.get_session(store, session_id) == closed


def test_a_cancelled_session_starts_nothing_more(store: Database) -> None:
    session_id = open_one(store, "a")
    sessions.abandon_session(store, session_id, SessionStatus.CANCELLED, error_code="CANCELLED", error_message="by hand")
    (record,) = sessions.list_records(store, session_id)
    assert record.status is RecordStatus.PENDING
    assert not sessions.start_records(store, session_id, [record.instance_id])
    assert query(store, "select attempts from sync_instance_records") == [(0,)]


def test_a_session_is_found_by_the_beginning_of_its_id(store: Database) -> None:
    session_id = open_one(store, "a")
    assert find_session(store, str(session_id)[:8].upper()).session_id == session_id
    with pytest.raises(NotFoundError):
        find_session(store, "zzz")
    sessions.close_session(store, session_id)
    open_one(store, "b")
    with pytest.raises(InputError, match="Several"):
        find_session(store, "")
