"""The fake fleet ends a probe as the real one does."""

import threading

from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.domain.reasons import Reason
from whalefall_pipelines.errors import UnreachableError
from whalefall_pipelines.fleet.fake import FakeFleet, FakeServer
from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines_tests.servers.probes import failure

INSTANCE, LOGIN = Instance(1, "target", Engine.POSTGRESQL, "db", 5432, "monitor"), Login("monitor", None)


def test_a_hanging_probe_ends_at_its_deadline_or_is_stopped() -> None:
    fleet = FakeFleet({"target": FakeServer(hangs=True)}, Deadlines(instance_seconds=0.2))
    with failure(Reason.TIMEOUT, UnreachableError), fleet.connect(SIZES, INSTANCE, LOGIN):
        raise AssertionError("connected")
    fleet = FakeFleet({"target": FakeServer(hangs=True)})
    threading.Timer(0.1, fleet.shut_all).start()
    with failure(Reason.CANCELLED, UnreachableError), fleet.connect(SIZES, INSTANCE, LOGIN):
        raise AssertionError("connected")
