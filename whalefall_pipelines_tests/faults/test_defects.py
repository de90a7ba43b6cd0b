"""Known defects of the product that whalefall replaces (its own notes, section 2), one test each.

Two more are elsewhere: failed instances that are never compensated for (`capacity/test_sensors.py`), and a record that is stuck in running
(`sessions/test_keep_session.py`).
"""

from pathlib import Path

import pytest

from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import FleetTest, query, server

STEPS = ("instance_databases", "database_size_stats", "capacity_gaps", "instance_size_stats", "instances", "sync_instance_records")


@pytest.mark.parametrize("table", STEPS)
def test_no_partial_writes_remain_whichever_step_of_an_instance_fails(store: Database, tmp_path: Path, table: str) -> None:
    """There, the sizes of the databases were committed, and the total of the instance was rolled back."""
    fleet = FleetTest(store, tmp_path, {"a": server({"app": 1000, "shop": 2000, "secret": None}), "b": server()})
    broken, healthy = fleet.instances
    event, condition = ("update", "new.status = 'completed'") if table == "sync_instance_records" else ("insert", "true")
    event = "update" if table == "instances" else event
    with store.transaction() as cursor:
        cursor.execute("create function fail() returns trigger language plpgsql as $$ begin raise exception 'the disk is on fire'; end $$")
        key = f"new.instance_id = {broken.instance_id} and {condition}"
        # The write that follows the failure, the gap of the whole instance, must succeed.
        key += " and new.database_name is not null" if table == "capacity_gaps" else ""
        cursor.execute(f"create trigger fail before {event} on {table} for each row when ({key}) execute function fail()")
    _, outcomes = fleet.collect()
    assert "the disk is on fire" in str(outcomes["a"].error)
    assert outcomes["a"].error is not None
    assert outcomes["a"].error.code == "DATABASE_QUERY_ERROR"
    for name in ("instance_databases", "database_size_stats", "instance_size_stats"):
        assert query(store, f"select distinct instance_id from {name}") == [(healthy.instance_id,)]
    assert query(store, "select server_version from instances where name = 'a'") == [(None,)]
    assert fleet.gaps() == {("a", None): "internal_error"}
    with store.transaction() as cursor:
        cursor.execute(f"drop trigger fail on {table}")
    fleet.collect()
    assert len(fleet.sizes()) == 4
    assert fleet.gaps() == {("a", "secret"): "no_permission"}


def test_session_statistics_are_not_distorted_by_instances_that_wrote_nothing(store: Database, tmp_path: Path) -> None:
    """There, an instance without an active database counted as successful, so the counts did not match what was written."""
    fleet = FleetTest(
        store,
        tmp_path,
        {
            "measured": server(),
            "only system databases": server({"template0": 1}),
            "nothing at all": server({}),
            "forbidden": server({"x": None}),
        },
    )
    session_id, _ = fleet.collect()
    counts = query(
        store,
        "select total_instances, successful_instances, failed_instances, skipped_instances from sync_sessions where session_id = %s",
        str(session_id),
    )
    assert counts == [(4, 1, 1, 2)]
    written = query(store, "select count(distinct instance_id), count(*) from database_size_stats where session_id = %s", str(session_id))
    synced = query(store, "select count(*) filter (where items_synced > 0), sum(items_synced) from sync_instance_records")
    assert written == synced == [(1, 2)]
