"""Faults of table sizes under the real daemon: its sensors end the session, retry what a retry may cure, and the day is whole."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest

from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines_tests.cli.trees import Home, Up, eventually, launch_run, running
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.breaks import refused
from whalefall_pipelines_tests.faults.conftest import Report
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.invariants import check_tables
from whalefall_pipelines_tests.faults.matrix import TABLES_UNDER_THE_DAEMON
from whalefall_pipelines_tests.faults.scene import TARGET, Scene
from whalefall_pipelines_tests.faults.seams import Stop, stopped_at
from whalefall_pipelines_tests.faults.targets import Targets
from whalefall_pipelines_tests.faults.test_daemon import (
    ENDED_SECONDS,
    RETRIED_SECONDS,
    SOON,
    begin_without_a_store,
    kill_the_run,
    scene_at,
)

pytestmark = pytest.mark.process
JOB = "collect_tables"


def launch(home: Home, up: Up) -> str:
    return launch_run(up, load_settings(home.environment), JOB)


def killed(home: Home, up: Up, scene: Scene) -> None:
    with stopped_at(scene.store, Stop("table_size_stats", "insert")) as holder:
        run_id = launch(home, up)
        holder.wait_for_somebody(up.output, seconds=90)
        kill_the_run(home, up, run_id)


def server_refuses(home: Home, up: Up, scene: Scene) -> None:
    with refused(scene):
        launch(home, up)
        assert eventually(lambda: ended(scene), seconds=ENDED_SECONDS), up.output()


def one_is_forbidden(home: Home, up: Up, scene: Scene) -> None:
    assert scene.target
    with scene.target.forbidden("shop"):
        launch(home, up)
        assert eventually(lambda: ended(scene), seconds=ENDED_SECONDS), up.output()


def store_is_away(home: Home, up: Up, scene: Scene) -> None:
    begin_without_a_store(home, up, scene.store, JOB)


MEANWHILE = dict(
    zip((fault.name for fault in TABLES_UNDER_THE_DAEMON), (killed, server_refuses, one_is_forbidden, store_is_away), strict=True)
)


def ended(scene: Scene) -> list[tuple[object, ...]]:
    return query(scene.store, "select status from sync_sessions where sync_category = 'tables' and completed_at is not null")


def unread(scene: Scene) -> set[tuple[object, ...]]:
    """Databases that are expected today and were not read, with their reasons."""
    statement = "select d.database_name, coalesce(o.reason, 'absent') from instance_databases as d left join table_size_observations as o "
    statement += "on o.instance_id = d.instance_id and o.database_name = d.database_name and o.stat_date = %s "
    statement += "where d.instance_id = %s and d.is_active and (o.reason is not null or o.instance_id is null)"
    return set(query(scene.store, statement, scene.day, scene.target_id()))


@contextmanager
def with_rule(home: Home, targets: Targets) -> Generator[Scene]:
    """A server whose databases were measured today, and that the rule of the tag names."""
    with scene_at(home, targets) as scene:
        scene.run(scene.day)
        query(scene.store, 'update instances set tags = \'{"tables": "yes"}\' where name = %s returning 1', TARGET)
        yield scene


@pytest.mark.parametrize(("fault", "engine"), parameters(TABLES_UNDER_THE_DAEMON))
def test_the_daemon_reads_the_tables_of_the_day_without_a_person(
    fault: Fault, engine: str, prepared_home: Callable[..., Home], targets: Targets, report: Report
) -> None:
    home = prepared_home(SOON)
    home.succeed("store", "start")
    with with_rule(home, targets) as scene:
        with running(home, free_port()) as up:
            MEANWHILE[fault.name](home, up, scene)
            begun = time.monotonic()
            assert eventually(lambda: ended(scene), seconds=ENDED_SECONDS), up.output()
            look(scene, fault)
            if "no_permission" not in fault.reasons:
                assert eventually(lambda: not unread(scene) and len(ended(scene)) == 2, seconds=RETRIED_SECONDS), up.output()
                retried = query(scene.store, "select status from sync_sessions where sync_category = 'tables' and retry_of is not null")
                assert retried == [("completed",)]
        home.succeed("store", "start")
        check_tables(scene.store)
        report(fault, engine, time.monotonic() - begun)


def look(scene: Scene, fault: Fault) -> None:
    """The session, the record, and the reasons are those of the matrix; a person sees the sentence."""
    statement = (
        "select s.status, r.error_code, concat_ws(' ', s.error_message, r.error_message, r.sync_details::text) from sync_sessions as s "
    )
    statement += "join sync_instance_records as r using (session_id) where s.sync_category = 'tables' and s.retry_of is null"
    ((status, code, sentence),) = query(scene.store, statement)
    if "no_permission" in fault.reasons:
        assert (status, code) == ("completed", None)
        assert unread(scene) == {("shop", "no_permission")}
    else:
        assert status == "failed"
    assert fault.says in str(sentence)
