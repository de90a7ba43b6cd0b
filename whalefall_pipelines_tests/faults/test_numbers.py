"""Databases that are easily measured or identified wrongly, at the command and under the daemon: every number is the server's own."""

import time
from collections.abc import Callable
from contextlib import nullcontext

import pytest

from whalefall_pipelines.capacity.store.reports import rank_databases
from whalefall_pipelines.runtime.processes import free_port
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines_tests.cli.commands import succeed
from whalefall_pipelines_tests.cli.trees import Home, eventually, launch_collection, running
from whalefall_pipelines_tests.factories import query
from whalefall_pipelines_tests.faults.breaks import BREAKS
from whalefall_pipelines_tests.faults.conftest import ProcessStage, Report
from whalefall_pipelines_tests.faults.fault import MARIADB, POSTGRESQL, Fault, parameters
from whalefall_pipelines_tests.faults.matrix import NUMBERS, NUMBERS_UNDER_THE_DAEMON
from whalefall_pipelines_tests.faults.scene import TARGET, Scene
from whalefall_pipelines_tests.faults.targets import PostgresTarget, Targets
from whalefall_pipelines_tests.faults.test_daemon import ENDED_SECONDS, scene_at
from whalefall_pipelines_tests.servers.oracle import targets as oracle
from whalefall_pipelines_tests.servers.postgresql import superuser

pytestmark = [pytest.mark.process, oracle.LEFTOVERS]
leftovers = oracle.leftovers


def check_sizes(scene: Scene) -> None:
    """The total is the server's own, within the growth of its databases in the meantime."""
    target = scene.target
    if not isinstance(target, PostgresTarget):
        return
    with superuser(target.cluster) as cursor:
        cursor.execute("select sum(pg_database_size(oid)) from pg_database where datname not like 'template_'")
        ((total_bytes,),) = cursor.fetchall()
    statement = "select total_bytes from instance_size_stats where stat_date = %s and instance_id = %s"
    assert query(scene.store, statement, scene.day, scene.target_id()) == [(pytest.approx(int(total_bytes), rel=0.01),)]


def check_history(scene: Scene, fault: Fault) -> None:
    """A rename changes only the name; a database that was created again has no history."""
    changes = {row.database_name: row.change_bytes for row in rank_databases(scene.store, [scene.day]) if row.instance_name == TARGET}
    statement = "select database_name, renamed_from, is_active from instance_databases where instance_id = %s"
    databases = {name: rest for name, *rest in query(scene.store, statement, scene.target_id())}
    if fault.name == "database renamed":
        assert (databases["ledger"], databases["wiki"]) == (["wiki", True], [None, False])
        assert changes["ledger"] is not None
    elif fault.name == "database dropped and created again":
        assert databases["wiki"] == [None, True]
        assert changes["wiki"] is None


def check_all_is_told(scene: Scene) -> None:
    """Each database that exists has a size or is missing, whoever sees it."""
    gaps = "select database_name from capacity_gaps where stat_date = %s and instance_id = %s and closed_by is null"
    sizes = "select database_name from database_size_stats where stat_date = %s and instance_id = %s"
    told = query(scene.store, f"{gaps} union {sizes}", scene.day, scene.target_id(), scene.day, scene.target_id())
    assert {name for (name,) in told} >= scene.expected[TARGET]


def look(scene: Scene, fault: Fault, printed: str) -> None:
    scene.look_for(fault, printed=printed)
    check_all_is_told(scene)
    if not fault.code and not fault.reasons:
        check_sizes(scene)
        check_history(scene, fault)


def neighbour_of(engine: str, fault: Fault) -> str:
    """The engine of the neighbour: another cluster, where a privilege that is revoked on PostgreSQL would be missing there, too."""
    return MARIADB if engine == POSTGRESQL and fault.reasons else POSTGRESQL


@pytest.mark.parametrize(("fault", "engine"), parameters(NUMBERS))
def test_a_run_measures_the_servers_own_numbers(fault: Fault, engine: str, process_stage: ProcessStage, report: Report) -> None:
    scene, installation = process_stage(engine, neighbour_of(engine, fault))

    def work() -> None:
        with BREAKS[fault.name](scene):
            run = installation.start("collect")
            assert run.wait() == (1 if fault.code or fault.reasons else 0), run.output()
        scene.find_session()
        look(scene, fault, run.output() + succeed(installation.environment, "sessions", "show", str(scene.session_id)))

    report(fault, engine, scene.pass_through(nullcontext(), lambda: None, work))


@pytest.mark.parametrize(("fault", "engine"), parameters(NUMBERS_UNDER_THE_DAEMON))
def test_the_daemon_measures_the_servers_own_numbers(
    fault: Fault, engine: str, prepared_home: Callable[..., Home], targets: Targets, report: Report
) -> None:
    home = prepared_home()
    home.succeed("store", "start")
    with scene_at(home, targets, engine, neighbour_of(engine, fault)) as scene:

        def is_ended() -> bool:
            # other runs of the daemon end, too: the end of the daemon would kill them
            counted = "select count(*) filter (where sync_category = 'capacity' and run_id is not null and completed_at is not null), "
            counted += "count(*) filter (where completed_at is null) from sync_sessions"
            ((ended, going),) = query(scene.store, counted)
            return ended > 0 and going == 0

        def work() -> None:
            with BREAKS[fault.name](scene):
                with running(home, free_port()) as up:
                    launch_collection(up, load_settings(home.environment))
                    assert eventually(is_ended, seconds=ENDED_SECONDS), up.output()
                home.succeed("store", "start")  # the store ended with the daemon
            scene.mended_at = time.monotonic()
            scene.find_session()
            look(scene, fault, home.succeed("sessions", "show", str(scene.session_id)))

        report(fault, engine, scene.pass_through(nullcontext(), lambda: None, work))
