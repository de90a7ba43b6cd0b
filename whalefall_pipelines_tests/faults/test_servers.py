"""A server that fails: what the user sees, that its neighbour is measured all the same, and that the next run heals the day."""

from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import Engine
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.factories import register, server
from whalefall_pipelines_tests.faults.breaks import BREAKS, QUICK
from whalefall_pipelines_tests.faults.conftest import Report, Stage
from whalefall_pipelines_tests.faults.fault import ORACLE, Fault, parameters
from whalefall_pipelines_tests.faults.invariants import check_day, take_snapshot
from whalefall_pipelines_tests.faults.matrix import SERVERS
from whalefall_pipelines_tests.faults.scene import NEIGHBOUR, TARGET, Scene
from whalefall_pipelines_tests.servers.dead_host import REFUSING, silent_host

pytestmark = pytest.mark.process


@pytest.mark.parametrize(("fault", "engine"), parameters(SERVERS, without=ORACLE))
def test_a_server_that_fails_costs_only_itself_and_heals(fault: Fault, engine: str, stage: Stage, report: Report) -> None:
    scene = stage(engine)
    report(fault, engine, scene.pass_through(BREAKS[fault.name](scene), lambda: scene.look_for(fault)))


@pytest.mark.parametrize(("fault", "engine"), parameters(tuple(fault.at(ORACLE) for fault in SERVERS if ORACLE in fault.engines)))
def test_an_oracle_that_cannot_be_reached_costs_only_itself(
    fault: Fault, engine: str, store: Database, tmp_path: Path, report: Report
) -> None:
    """There is no Oracle to heal: its day stays missing with the reason, and is tried again by every run."""
    scene = Scene(store, tmp_path, {NEIGHBOUR: server()}, deadlines=QUICK)
    with silent_host() as silent:
        address = REFUSING if fault.name == "refused port" else silent
        scene.instances += register(store, TARGET, engine=Engine.ORACLE, host=address.host, port=address.port)
        before = take_snapshot(store, scene.day)
        scene.run(scene.day)
        scene.look_for(fault)
        check_day(store, scene.day, before)
    report(fault, engine, None)
