"""The demo's servers after an interrupted first start."""

from collections.abc import Iterator

import pytest
import yaml

from whalefall_pipelines.demo.fleet import FORBIDDEN, MARIADB_NAME, MONITOR, POSTGRES_DATABASES, DemoFleet
from whalefall_pipelines.domain.instances import Engine, Instance, Login
from whalefall_pipelines.domain.sizes import DatabaseSize, MissingSize, total_of
from whalefall_pipelines.fleet.connect import ServerFleet
from whalefall_pipelines.fleet.sizes import SIZES
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines_tests.servers.postgresql import binaries_of, bytes_of

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoFleet]:
    made = DemoFleet(tmp_path_factory.mktemp("demo"))
    yield made
    made.stop()


def test_the_next_start_completes_an_interrupted_one(fleet: DemoFleet) -> None:
    """It was interrupted after its database was created and before anything was in it."""
    progress: list[str] = []
    server, database = FORBIDDEN
    cluster = PostgresCluster(binaries_of(18).bin_dir, fleet.folder / server)
    fleet.start(progress.append)
    administer(cluster, "drop table entries", database=database)
    administer(cluster, f"grant connect on database {database} to public")
    fleet.start(progress.append)
    ((rows,),) = administer(cluster, "select count(*) from entries", database=database)
    assert rows == dict(POSTGRES_DATABASES)[server][database]
    assert administer(cluster, f"select has_database_privilege('whalefall_monitor', '{database}', 'connect')") == [(False,)]
    assert len(progress) >= 2 * len(POSTGRES_DATABASES)


def test_databases_and_the_rest_of_each_server_are_its_disk_but_for_the_one_without_its_grant(fleet: DemoFleet) -> None:
    progress: list[str] = []
    fleet.start(progress.append)
    document = yaml.safe_load(fleet.fleet_file.read_text())
    login = Login(MONITOR, (fleet.folder / "monitor.password").read_text())
    servers = {
        entry["name"]: Instance(1, entry["name"], Engine(entry["engine"]), "127.0.0.1", entry["port"], MONITOR)
        for entry in document["instances"]
    }
    for name in {*dict(POSTGRES_DATABASES), MARIADB_NAME} & set(servers):
        with ServerFleet().connect(SIZES, servers[name], login) as probe:
            outcomes, shared = probe.measure(list(probe.list_databases())), total_of(probe.measure_shared())
        missing = [outcome.database_name for outcome in outcomes if isinstance(outcome, MissingSize)]
        if name == FORBIDDEN[0]:
            assert (missing, shared) == ([FORBIDDEN[1]], None)
            continue
        assert (missing, shared is None) == ([], False)
        databases = sum(outcome.total_bytes for outcome in outcomes if isinstance(outcome, DatabaseSize))
        assert databases + (shared or 0) == pytest.approx(bytes_of(fleet.folder / name / "data"), rel=0.01), name
