"""A small fleet in which some servers are dead and some hang; the large one is a figure of `make bench`."""

from pathlib import Path

import pytest

from whalefall_pipelines.fleet.probe import Deadlines
from whalefall_pipelines.store.database import Database
from whalefall_pipelines_tests.benchmarks.crowd import collect_crowd
from whalefall_pipelines_tests.benchmarks.servers import DATABASES

INSTANCES = 100


@pytest.mark.faults
def test_dead_and_hanging_servers_add_one_deadline_and_leave_no_thread_and_no_connection(store: Database, tmp_path: Path) -> None:
    deadlines = Deadlines(connect_seconds=2, instance_seconds=4)
    crowd = collect_crowd(store, tmp_path, INSTANCES, deadlines)
    # A second more than promised, because timing varies on a machine that runs other tests at the same time.
    assert crowd.seconds < crowd.bare_seconds + deadlines.instance_seconds + 1
    assert crowd.gaps == INSTANCES * 7 // 100 * DATABASES
    assert (crowd.threads_left, crowd.connections_left) == (0, 0)
