"""Actions: launched runs and their queued sessions, repeated requests, cancelling, table partitions by a plan, the fleet."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.errors import LaunchError, SessionEndedError
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines.store.months import ensure_months
from whalefall_pipelines_tests.api.site import Site
from whalefall_pipelines_tests.factories import query


def test_a_launched_run_is_answered_at_once_and_reads_queued_until_it_opens_its_session(running: Site) -> None:
    with running.client(Scope.OPERATE) as client:
        answer = client.post("/capacity/aggregations/current", json={"period_type": "weekly"})
        assert answer.status_code == 202
        launched = answer.json()["data"]
        (run,) = running.launcher.runs
        assert (run.job_name, str(run.session_id)) == ("aggregate_weekly_periods", launched["session_id"])
        assert run.tags["dagster/partition"] == launched["period_start"]
        assert answer.headers["Location"] == f"/api/v1/sessions/{run.session_id}"
        queued = client.get(f"/sessions/{run.session_id}").json()["data"]
        assert (queued["status"], queued["run_id"], queued["total_instances"]) == ("queued", launched["run_id"], None)
        day = running.services.today()
        sessions.open_session(running.store, SessionPlan(run.session_id, SyncCategory.AGGREGATION, SyncType.MANUAL_TASK, day, day), [])
        assert client.get(f"/sessions/{run.session_id}").json()["data"]["status"] == "running"
        assert client.get(f"/sessions/{uuid4()}").status_code == 404


def test_a_run_that_has_not_begun_is_cancelled_and_opens_no_session_afterwards(running: Site) -> None:
    day = running.services.today()
    with running.client(Scope.OPERATE) as client:
        launched = client.post("/accounts/actions/sync").json()["data"]
        session_id = launched["session_id"]
        cancelled = client.post(f"/sessions/{session_id}/actions/cancel")
        assert (cancelled.status_code, cancelled.json()["data"]["status"], cancelled.json()["data"]["run_id"]) == (
            202,
            "cancelled",
            launched["run_id"],
        )
        assert client.get(f"/sessions/{session_id}").json()["data"]["status"] == "cancelled"
        assert client.post(f"/sessions/{session_id}/actions/cancel").status_code == 409
    plan = SessionPlan(UUID(session_id), SyncCategory.ACCOUNT, SyncType.MANUAL_TASK, day, day, launched["run_id"])
    with pytest.raises(SessionEndedError, match="cancelled before it began"):
        sessions.open_session(running.store, plan, [1])
    assert query(running.store, f"select 1 from sync_instance_records where session_id = '{session_id}'") == []


def test_two_requests_with_one_key_at_once_start_one_run(running: Site) -> None:
    with running.client(Scope.OPERATE) as client, ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: client.post("/accounts/actions/sync", headers={"Idempotency-Key": "now"}).status_code, range(8)))
    assert set(statuses) <= {202, 409}
    assert 202 in statuses
    assert len(running.launcher.runs) == 1


def test_a_refused_launch_starts_nothing(running: Site) -> None:
    running.launcher.refusal = LaunchError("Dagster's web server does not answer.")
    with running.client(Scope.OPERATE) as client:
        answer = client.post("/accounts/actions/sync")
    assert (answer.status_code, answer.json()["message_code"], answer.json()["recoverable"]) == (502, "TASK_EXECUTION_FAILED", True)


def test_a_repeated_request_gets_the_first_answer_and_does_nothing(running: Site) -> None:
    with running.client(Scope.OPERATE) as client, running.client(Scope.OPERATE) as another:
        key = {"Idempotency-Key": "tonight"}
        body = {"period_type": "daily"}
        first = client.post("/capacity/aggregations/current", json=body, headers=key)
        again = client.post("/capacity/aggregations/current", json=body, headers=key)
        assert (again.status_code, again.json()) == (202, first.json())
        assert (again.headers["Idempotent-Replayed"], again.headers["Location"]) == ("true", first.headers["Location"])
        assert len(running.launcher.runs) == 1
        other = client.post("/capacity/aggregations/current", json={"period_type": "weekly"}, headers=key)
        assert (other.status_code, other.json()["message_code"]) == (422, "CONSTRAINT_VIOLATION")
        assert another.post("/capacity/aggregations/current", json=body, headers=key).status_code == 202
        assert len(running.launcher.runs) == 2
        query(running.store, "update api_requests set requested_at = now() - interval '25 hours' returning 1")
        assert client.post("/capacity/aggregations/current", json=body, headers=key).status_code == 202
        assert len(running.launcher.runs) == 3


def test_a_request_with_the_key_of_an_unfinished_one_waits_for_nobody(running: Site) -> None:
    with running.client(Scope.OPERATE) as client:
        key = {"Idempotency-Key": "tonight"}
        client.post("/accounts/actions/sync", headers=key)
        query(running.store, "update api_requests set status = null, completed_at = null, answer = null returning 1")
        assert client.post("/accounts/actions/sync", headers=key).status_code == 409


def test_the_secret_of_a_token_is_not_repeated(running: Site) -> None:
    with running.client(Scope.ADMIN) as client:
        key = {"Idempotency-Key": "once"}
        assert client.post("/tokens", json={"name": "a"}, headers=key).status_code == 201
        again = client.post("/tokens", json={"name": "a"}, headers=key)
    assert again.status_code == 409
    assert "not kept" in again.json()["detail"]


def test_a_running_session_is_cancelled_once(running: Site) -> None:
    day = running.services.today()
    plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, day, day)
    sessions.open_session(running.store, plan, [1, 2])
    with running.client(Scope.OPERATE) as client:
        cancelled = client.post(f"/sessions/{plan.session_id}/actions/cancel")
        assert (cancelled.status_code, cancelled.json()["data"]["status"]) == (202, "cancelled")
        assert client.post(f"/sessions/{plan.session_id}/actions/cancel").status_code == 409
        assert client.post(f"/sessions/{uuid4()}/actions/cancel").status_code == 404


def test_a_month_is_created_in_every_table_and_not_in_the_past(running: Site) -> None:
    next_month = (running.services.today().replace(day=1) + timedelta(days=40)).replace(day=15)
    with running.client(Scope.ADMIN) as client:
        created = client.post("/partitions", json={"date": next_month.isoformat()}).json()["data"]
        assert {step["table_name"] for step in created} >= {"database_size_stats", "instance_size_aggregations"}
        assert all(step["error"] is None for step in created)
        assert client.post("/partitions", json={"date": next_month.isoformat()}).json()["data"] == []
        assert client.get("/partitions/status").json()["data"]["status"] == "healthy"
        assert client.post("/partitions", json={"date": "2020-01-15"}).status_code == 400


def test_cleaning_up_needs_the_digest_of_the_plan_that_was_read(running: Site) -> None:
    old = running.services.today() - timedelta(days=900)
    ensure_months(running.store, [old], ["database_size_stats"])
    name = f"database_size_stats_{old:%Y_%m}"
    with running.client(Scope.ADMIN) as client:
        plan = client.post("/partitions/actions/cleanup", json={}).json()["data"]
        assert (plan["is_done"], [step["name"] for step in plan["steps"]]) == (False, [name])
        ensure_months(running.store, [old - timedelta(days=40)], ["database_size_stats"])
        moved = client.post("/partitions/actions/cleanup", json={"dry_run": False, "plan": plan["digest"]})
        assert (moved.status_code, moved.json()["message_code"]) == (412, "CONSTRAINT_VIOLATION")
        plan = client.post("/partitions/actions/cleanup", json={}).json()["data"]
        done = client.post("/partitions/actions/cleanup", json={"dry_run": False, "plan": plan["digest"]}).json()["data"]
        assert (done["is_done"], len(done["steps"]), {step["error"] for step in done["steps"]}) == (True, 2, {None})
        assert client.post("/partitions/actions/cleanup", json={}).json()["data"]["steps"] == []


def test_a_server_is_registered_tested_collected_disabled_and_removed(running: Site) -> None:
    running.fleet.servers["new"] = running.fleet.servers["orders"]
    body = {
        "name": "new",
        "engine": "postgresql",
        "host": "db.example",
        "username": "monitor",
        "check_identity": False,
        "tags": {"env": "x"},
    }
    with running.client(Scope.ADMIN) as client:
        created = client.post("/instances", json=body)
        assert created.status_code == 201
        location = created.headers["Location"].removeprefix("/api/v1")
        assert client.post("/instances", json=body).status_code == 400
        tested = client.post(f"{location}/actions/test").json()["data"]
        assert (tested["is_fine"], tested["measurable"], tested["total_bytes"]) == (True, 2, 3000)
        assert client.post(f"{location}/actions/sync-capacity").json()["data"]["database_count"] == 2
        assert client.post(f"{location}/actions/disable").json()["data"]["is_active"] is False
        assert client.post(f"{location}/actions/sync-capacity").status_code == 400
        assert client.post(f"{location}/actions/enable").json()["data"]["is_active"] is True
        assert client.delete(location).status_code == 200
        assert client.get(location).status_code == 404


@pytest.mark.parametrize(
    "secret", ["hunter2", "env:PATH", "env:WHALEFALL_SECRET_KEY", "file:/etc/passwd", "file:../x", "encrypted:abc", "env:", "file:/"]
)
def test_only_allowed_references_to_secrets_are_taken(running: Site, secret: str) -> None:
    body = {"name": "new", "engine": "postgresql", "host": "db.example", "username": "monitor", "secret": secret, "check_identity": False}
    with running.client(Scope.ADMIN) as client:
        answer = client.post("/instances", json=body)
    assert answer.status_code == 400
    assert "hunter2" not in answer.text
    assert query(running.store, "select 1 from instances where name = 'new'") == []


def test_an_unreachable_server_answers_the_code_of_the_table(running: Site) -> None:
    running.fleet.servers.clear()
    with running.client(Scope.OPERATE) as client:
        answer = client.post("/instances/1/actions/test")
    assert (answer.status_code, answer.json()["message_code"]) == (409, "DATABASE_CONNECTION_ERROR")
