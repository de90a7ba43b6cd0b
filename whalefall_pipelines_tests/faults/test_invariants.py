"""The invariants can fail: each of them finds the breach it is for."""

from pathlib import Path

import pytest

from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import query, server
from whalefall_pipelines_tests.faults.invariants import check_invariants, check_whole, take_snapshot
from whalefall_pipelines_tests.faults.scene import Scene

# The breach, and the check that must find it: its function, or words of its assertion.
BREACHES = {
    (
        "a total that is no sum",
        "list_wrong_totals",
    ): "update instance_size_stats set total_bytes = total_bytes + 1 where stat_date = %(day)s",
    ("a total that expects too much", "totals == []"): "update instance_size_stats set expected_count = 3 where stat_date = %(day)s",
    ("a database row that is gone", "_check_rows"): "delete from database_size_stats where stat_date = %(day)s and database_name = 'app'",
    ("an invented value", "<> 'measured'"): "update database_size_stats set provenance = 'estimated' where stat_date = %(day)s",
    ("another day that changed", "take_snapshot"): "update database_size_stats set collected_at = now() where stat_date <> %(day)s",
    ("another day that lost its total", "list_wrong_totals"): "delete from instance_size_stats where stat_date <> %(day)s",
    ("a size and a gap at once", "_check_rows"): "insert into capacity_gaps (instance_id, database_name, stat_date, reason, detail) "
    "select instance_id, 'app', %(day)s, 'timeout', 'x' from instances",
    ("an instance without a reason", "_check_rows"): "delete from database_size_stats "
    "where stat_date = %(day)s and database_name = 'shop'; "
    "update instance_size_stats set total_bytes = 1000, database_count = 1, expected_count = 1 where stat_date = %(day)s",
    ("a session that runs on", "from sync_sessions where status = 'running'"): "insert into sync_sessions "
    "(session_id, sync_category, sync_type, first_day, last_day) values (gen_random_uuid(), 'capacity', 'retry', %(day)s, %(day)s)",
    ("a record that runs on", "from sync_instance_records where status = 'running'"): "insert into sync_instance_records "
    "(session_id, instance_id) select s.session_id, i.instance_id "
    "from sync_sessions as s, instances as i where s.session_id not in (select session_id from sync_instance_records); "
    "update sync_instance_records set status = 'running' where status = 'pending'",
    ("statistics that are distorted", "check_sessions"): "alter table sync_sessions disable trigger all; "
    "update sync_sessions set successful_instances = 5",
}


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach[0])
def test_a_breach_is_found_by_the_check_that_is_for_it(store: Database, tmp_path: Path, breach: tuple[str, str]) -> None:
    scene = Scene(store, tmp_path, {"neighbour": server({"app": 1000, "shop": 2000})})
    query(
        store,
        "insert into sync_sessions (session_id, sync_category, sync_type, first_day, last_day) "
        "values ('00000000-0000-0000-0000-000000000000', 'capacity', 'retry', now(), now()) returning 1",
    )
    query(store, "update sync_sessions set status = 'failed', completed_at = now() returning 1")
    scene.collect_the_day_before()
    scene.run(scene.day)
    before = take_snapshot(store, scene.day)
    check_invariants(store, scene.day, before, scene.expected, lambda: scene.run(scene.day))
    with store.transaction() as cursor:
        cursor.execute(BREACHES[breach], {"day": scene.day})
    with pytest.raises(AssertionError) as caught:
        check_invariants(store, scene.day, before, scene.expected, lambda: None)
    frame = caught.traceback[-1]
    assert breach[1] in f"{frame.name}: {frame.statement}"


def test_a_day_that_did_not_recover_is_found(store: Database, tmp_path: Path) -> None:
    scene = Scene(store, tmp_path, {"neighbour": server({"app": 1000, "shop": None})})
    scene.run(scene.day)
    with pytest.raises(AssertionError):
        check_whole(store, scene.day, scene.expected)
