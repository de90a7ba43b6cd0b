"""A failing server: what the user sees, that its neighbour is still measured, and that the next run completes the day."""

import pytest

from whalefall_pipelines_tests.faults.breaks import BREAKS
from whalefall_pipelines_tests.faults.conftest import Report, Stage
from whalefall_pipelines_tests.faults.fault import Fault, parameters
from whalefall_pipelines_tests.faults.matrix import SERVERS
from whalefall_pipelines_tests.servers.oracle import targets as oracle

pytestmark = [pytest.mark.process, oracle.LEFTOVERS]
leftovers = oracle.leftovers


@pytest.mark.parametrize(("fault", "engine"), parameters(SERVERS))
def test_a_failing_server_affects_only_itself_and_recovers(fault: Fault, engine: str, stage: Stage, report: Report) -> None:
    scene = stage(engine)
    report(fault, engine, scene.pass_through(BREAKS[fault.name](scene), lambda: scene.look_for(fault)))
