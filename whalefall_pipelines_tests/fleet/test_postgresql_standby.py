"""A hot standby whose replay cancels conflicting statements: every database is still measured."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from whalefall_pipelines.domain.instances import Login
from whalefall_pipelines.domain.sizes import DatabaseSize
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines_tests.servers.postgresql import MAJORS, create_login, instance_of, new_cluster, superuser
from whalefall_pipelines_tests.servers.running import running
from whalefall_pipelines_tests.servers.standby import PRIMARY, is_cancelled, replaying_conflicts, standby_of

pytestmark = pytest.mark.process
# So many that one statement over all of them takes far longer than replay allows.
DATABASES = 60


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[PostgresCluster, PostgresCluster, Login]]:
    """A primary with many databases, its standby, and a login that both know."""
    with running(new_cluster(MAJORS[-1], tmp_path / "primary", *PRIMARY)) as primary:
        with superuser(primary) as cursor:
            for number in range(DATABASES):
                cursor.execute(f"create database many_{number} strategy file_copy")
        login = create_login(primary)
        with standby_of(primary, tmp_path / "standby") as standby:
            yield primary, standby, login


def test_a_login_that_replay_cancels_is_tried_again(pair: tuple[PostgresCluster, PostgresCluster, Login]) -> None:
    primary, standby, login = pair
    with replaying_conflicts(primary):
        for _ in range(100):
            with ServerFleet().connect(SIZES, instance_of(standby), login) as probe:
                assert probe.identity()
    with superuser(standby, "template1") as cursor:
        cursor.execute("select confl_snapshot > 0 from pg_stat_database_conflicts where datname = 'postgres'")
        assert cursor.fetchone() == (True,), "replay cancels nothing here"


def test_what_replay_cancels_is_measured_database_by_database(pair: tuple[PostgresCluster, PostgresCluster, Login]) -> None:
    primary, standby, login = pair
    with replaying_conflicts(primary):
        assert any(is_cancelled(standby) for _ in range(50)), "replay cancels nothing here"
        with ServerFleet().connect(SIZES, instance_of(standby), login) as probe:
            names = [name for name in probe.list_databases() if name.startswith("many_")]
            assert len(names) == DATABASES
            for _ in range(3):
                outcomes = probe.measure(names)
                assert [outcome for outcome in outcomes if not isinstance(outcome, DatabaseSize)] == []
            identity = probe.identity()
    assert identity
    assert identity.is_replica
    with ServerFleet().connect(SIZES, instance_of(primary), login) as probe:
        of_primary = probe.identity()
    assert of_primary
    assert (of_primary.name, of_primary.is_replica) == (identity.name, False)
    assert of_primary.started_at != identity.started_at
