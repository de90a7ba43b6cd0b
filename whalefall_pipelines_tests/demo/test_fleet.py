"""The demo's servers, as a first start leaves them that was interrupted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from whalefall_pipelines.demo.fleet import FORBIDDEN, POSTGRES_DATABASES, DemoFleet
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines_tests.servers.postgresql import binaries_of

pytestmark = pytest.mark.process


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[DemoFleet]:
    made = DemoFleet(tmp_path / "demo")
    yield made
    made.stop()


def test_what_an_interrupted_start_left_out_is_made_by_the_next_one(fleet: DemoFleet) -> None:
    """It was cut off after its database was created, before anything was in it."""
    said: list[str] = []
    server, database = FORBIDDEN
    cluster = PostgresCluster(binaries_of(18).bin_dir, fleet.folder / server)
    fleet.start(said.append)
    administer(cluster, "drop table entries", database=database)
    administer(cluster, f"grant connect on database {database} to public")
    fleet.start(said.append)
    ((rows,),) = administer(cluster, "select count(*) from entries", database=database)
    assert rows == dict(POSTGRES_DATABASES)[server][database]
    assert administer(cluster, f"select has_database_privilege('whalefall_monitor', '{database}', 'connect')") == [(False,)]
    assert len(said) >= 2 * len(POSTGRES_DATABASES)
