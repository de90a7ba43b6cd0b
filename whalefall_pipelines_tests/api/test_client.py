"""The client: a whole day by documented calls, lists to their end, frames, and problems as errors."""

import json
from uuid import uuid4

import pytest

from whalefall_pipelines.api_base.callers import Scope
from whalefall_pipelines.client import ApiError, Client
from whalefall_pipelines.domain.sessions import SessionPlan, SyncCategory, SyncType
from whalefall_pipelines.sessions import store as sessions
from whalefall_pipelines_tests.api.site import Site


def test_a_script_does_a_whole_day(running: Site) -> None:
    """Register, test, collect, read, export, cancel."""
    running.fleet.servers["new"] = running.fleet.servers["orders"]
    with Client(running.url, running.token(Scope.ADMIN)) as client:
        registered = client.register("new", "postgresql", "db.example", username="monitor", check_identity=False)
        assert client.test(registered["instance_id"])["is_fine"]
        assert client.collect(registered["instance_id"])["total_bytes"] == 3000
        today = running.services.today()
        rows = list(client.database_sizes(instance_id=registered["instance_id"], start_date=today))
        assert [(row["database_name"], row["total_bytes"]) for row in rows] == [("app", 1000), ("shop", 2000)]
        assert client.explain(registered["instance_id"], "app", today)["state"] == "measured"
        lines = b"".join(client.export("database_sizes", instance_id=registered["instance_id"])).splitlines()
        assert {json.loads(line)["total_bytes"] for line in lines} == {1000, 2000}
        launched = client.post("/capacity/aggregations/current", {"period_type": "weekly"}, idempotency_key="weekly")
        assert client.session(launched["session_id"])["status"] == "queued"
        plan = SessionPlan(uuid4(), SyncCategory.CAPACITY, SyncType.MANUAL_TASK, today, today)
        sessions.open_session(running.store, plan, [])
        assert client.cancel(str(plan.session_id))["status"] == "cancelled"


def test_lists_are_followed_to_their_end_and_become_frames(reading: Site) -> None:
    with Client(reading.url, reading.token(Scope.READ)) as client:
        rows = list(client.database_sizes(limit=7))
        frame = client.database_sizes(limit=7).frame()
        missing = client.instance_periods(instance_id=1).frame()
    assert len(rows) == len(frame) == 39
    assert str(frame["total_bytes"].dtype) == "Int64"
    assert frame["stat_date"].max().date() == reading.services.today()
    assert missing["avg_bytes"].isna().to_list().count(True) == 1  # unknown is no zero
    assert sum(frame["total_bytes"].to_list()) == sum(row["total_bytes"] for row in rows)


def test_a_problem_is_an_error_with_its_code(reading: Site) -> None:
    with Client(reading.url, reading.token(Scope.READ)) as client:
        with pytest.raises(ApiError, match="needs the scope operate") as refused:
            client.collect(1)
        assert (refused.value.status, refused.value.message_code) == (403, "PERMISSION_DENIED")
        with pytest.raises(ApiError, match="An export is one of"):
            list(client.export("gaps", "application/pdf"))
    with Client(reading.url, "wf_wrong") as client, pytest.raises(ApiError, match="needs a token"):
        client.me()
