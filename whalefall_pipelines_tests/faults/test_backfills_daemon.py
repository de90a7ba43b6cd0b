"""Backfills that the daemon launches and a fault meets: the lost day is filled without a person, and no measured size changes."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from datetime import time as time_of_day

import pytest

from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines_tests.cli.trees import Home, eventually, launch_collection, launch_run, running
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.conftest import Report
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.matrix import BACKFILL_KILLED_UNDER_THE_DAEMON, HISTORY_BROKEN_UNDER_THE_DAEMON
from whalefall_pipelines_tests.faults.scene import TARGET, Scene
from whalefall_pipelines_tests.faults.seams import stopped_at
from whalefall_pipelines_tests.faults.targets import SqlServerTarget, Targets
from whalefall_pipelines_tests.faults.test_backfills import STOPS, check_halves, first_backfill, measured
from whalefall_pipelines_tests.faults.test_daemon import ENDED_SECONDS, RETRIED_SECONDS, SOON, kill_the_run, scene_at
from whalefall_pipelines_tests.servers.sqlserver.catalogue import File

pytestmark = pytest.mark.process
# Collecting today takes seconds, and the sensor that launches backfills looks every minute.
LAUNCHED_SECONDS = 240


def measure_the_day_before_the_lost(scene: Scene) -> None:
    query(scene.store, "update instance_activity set active_from = %s returning 1", scene.day - timedelta(days=2))
    scene.now -= timedelta(days=2)
    scene.run(scene.day - timedelta(days=2))
    scene.now += timedelta(days=2)


def provenances(scene: Scene) -> dict[str, str]:
    """How the sizes of the lost day are known, by server and database."""
    statement = (
        "select i.name || '/' || s.database_name, s.provenance from database_size_stats as s join instances as i using (instance_id) "
    )
    rows = query(scene.store, f"{statement}where s.stat_date = %s", scene.day - timedelta(days=1))
    return {str(name): str(provenance) for name, provenance in rows}


def names(scene: Scene) -> set[str]:
    return {f"{server}/{name}" for server, databases in scene.expected.items() for name in databases}


def running_backfill(scene: Scene) -> str:
    ((run_id,),) = query(scene.store, "select run_id from sync_sessions where sync_type = 'backfill' and status = 'running'")
    return str(run_id)


@pytest.mark.parametrize(("fault", "engine"), parameters((BACKFILL_KILLED_UNDER_THE_DAEMON,)))
def test_a_killed_backfill_is_repeated_without_a_person(
    fault: Fault, engine: str, prepared_home: Callable[..., Home], targets: Targets, report: Report
) -> None:
    home = prepared_home(SOON)
    home.succeed("store", "start")
    with scene_at(home, targets, engine) as scene:
        measure_the_day_before_the_lost(scene)
        with running(home, free_port()) as up:
            with stopped_at(scene.store, STOPS["estimating"]) as holder:
                launch_collection(up, load_settings(home.environment))
                holder.wait_for_somebody(up.output, seconds=LAUNCHED_SECONDS)
                before = measured(scene.store)
                kill_the_run(home, up, running_backfill(scene))
                killed_at = time.monotonic()
            filled = eventually(lambda: provenances(scene).keys() == names(scene), seconds=ENDED_SECONDS + RETRIED_SECONDS)
            assert filled, up.output()
            healed_at = time.monotonic()
            is_over = "select 1 from sync_sessions where status = 'running'"
            assert eventually(lambda: query(scene.store, is_over) == [], seconds=RETRIED_SECONDS), up.output()
        home.succeed("store", "start")
        assert set(provenances(scene).values()) == {"estimated"}
        assert first_backfill(scene.store) == ("failed", fault.code)
        assert measured(scene.store) == before
        check_halves(scene.store)
        report(fault, engine, healed_at - killed_at)


@pytest.mark.parametrize(("fault", "engine"), parameters((HISTORY_BROKEN_UNDER_THE_DAEMON,)))
def test_a_broken_history_costs_only_its_server(
    fault: Fault, engine: str, prepared_home: Callable[..., Home], targets: Targets, report: Report
) -> None:
    home = prepared_home(SOON)
    home.succeed("store", "start")
    with scene_at(home, targets, engine) as scene:
        assert isinstance(scene.target, SqlServerTarget)
        catalogue = scene.target.server.catalogue
        measure_the_day_before_the_lost(scene)
        noon = datetime.combine(scene.day - timedelta(days=1), time_of_day(12), scene.timezone)
        quarters = int((noon.utcoffset() or timedelta()).total_seconds()) // 900
        catalogue.add_backup("shop", noon.replace(tzinfo=None), File("D", -5_000_000), File("L", 1_000_000), quarters=quarters)
        scene.afterwards.callback(catalogue.forget_backups)
        with running(home, free_port()) as up:
            launch_collection(up, load_settings(home.environment))
            filled = eventually(lambda: provenances(scene).keys() == names(scene), seconds=LAUNCHED_SECONDS)
            assert filled, up.output()
            ended_at = time.monotonic()
            look(scene, fault)
            before = measured(scene.store)
            catalogue.forget_backups()
            catalogue.add_backup("shop", noon.replace(tzinfo=None), File("D", 5_000_000), File("L", 1_000_000), quarters=quarters)
            launch_run(up, load_settings(home.environment), "fill_past_days", noon.date())
            is_recovered = eventually(lambda: provenances(scene)[f"{TARGET}/shop"] == "recovered", seconds=LAUNCHED_SECONDS)
            assert is_recovered, up.output()
        home.succeed("store", "start")
        assert measured(scene.store) == before
        check_halves(scene.store)
        report(fault, engine, time.monotonic() - ended_at)


def look(scene: Scene, fault: Fault) -> None:
    """The server's record says why, and its day is estimated, like that of the neighbour."""
    statement = "select r.status, r.error_code, r.error_message from sync_instance_records as r join sync_sessions as s using (session_id) "
    statement += "join instances as i using (instance_id) where s.sync_type = 'backfill' and i.name = %s"
    ((status, code, sentence),) = query(scene.store, statement, TARGET)
    assert (status, code) == ("failed", fault.code)
    assert fault.says in str(sentence)
    assert set(provenances(scene).values()) == {"estimated"}
