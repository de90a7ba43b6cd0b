"""A server that fails: what the user sees, that its neighbour is measured all the same, and that the next run heals the day."""

import pytest

from whalefall_pipelines_tests.faults.breaks import BREAKS
from whalefall_pipelines_tests.faults.conftest import Report, Stage
from whalefall_pipelines_tests.faults.matrix import ORACLE, SERVERS, Fault, parameters
from whalefall_pipelines_tests.faults.scene import NEIGHBOUR

pytestmark = pytest.mark.process


@pytest.mark.parametrize(("fault", "engine"), parameters(SERVERS, without=ORACLE))
def test_a_server_that_fails_costs_only_itself_and_heals(fault: Fault, engine: str, stage: Stage, report: Report) -> None:
    scene = stage(engine)

    def look() -> None:
        seen, neighbour = scene.seen(), scene.seen(NEIGHBOUR)
        assert seen.code == fault.code, seen
        assert seen.reasons == set(fault.reasons), seen
        assert fault.says in seen.sentence, seen
        assert (seen.record, seen.status) == (("failed", "failed") if fault.code else ("completed", "completed"))
        assert (neighbour.record, neighbour.reasons) == ("completed", set())
        assert str(scene.target and scene.target.login.password) not in seen.sentence

    report(fault, engine, scene.pass_through(BREAKS[fault.name](scene), look))
