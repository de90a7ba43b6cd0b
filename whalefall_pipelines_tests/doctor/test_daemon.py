"""What the doctor knows about Dagster without importing it: the names match the definitions, and the tables are read as Dagster
writes them. An upgrade of Dagster that changes either fails here.
"""

import itertools
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorType, ScheduleInstigatorData
from dagster._daemon.types import DaemonHeartbeat

from whalefall_pipelines.areas import areas
from whalefall_pipelines.definitions import defs
from whalefall_pipelines.doctor.dagster import DAEMONS, read_automations, read_heartbeats
from whalefall_pipelines.runtime.dagster_environment import dagster_home
from whalefall_pipelines.runtime.local_servers.postgresql import PostgresCluster
from whalefall_pipelines.runtime.local_servers.postgresql_admin import administer
from whalefall_pipelines.settings import load_settings
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.urls import parse_url
from whalefall_pipelines_tests.conftest import TIMEZONE

_numbers = itertools.count()


def test_the_doctor_looks_for_every_schedule_and_sensor_that_is_on_by_itself() -> None:
    repository = defs.get_repository_def()
    assert {name for area in areas() for name in area.automations} == {
        automation.name for automation in (*repository.schedule_defs, *repository.sensor_defs)
    }
    for automation in (*repository.schedule_defs, *repository.sensor_defs):
        assert automation.default_status in {dg.DefaultScheduleStatus.RUNNING, dg.DefaultSensorStatus.RUNNING}


@pytest.fixture
def dagsters(
    postgres_server: PostgresCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[dg.DagsterInstance, Database]]:
    """A Dagster instance as our `dagster.yaml` configures it, and the doctor's connection to it, with its own time zone."""
    name = f"dagster_of_doctor_{next(_numbers)}"
    administer(postgres_server, f"create database {name}", f"alter database {name} set timezone to 'America/Lima'")
    url = parse_url(postgres_server.url(name))
    monkeypatch.setenv("WHALEFALL_DAGSTER_DATABASE_URL", url.render_as_string(hide_password=False))
    home = dagster_home(load_settings({"WHALEFALL_HOME": str(tmp_path)}))
    with dg.DagsterInstance.from_config(str(home)) as instance, closing(Database(url, TIMEZONE, pool_size=1)) as database:
        yield instance, database
    administer(postgres_server, f"drop database {name} with (force)")


def state_of(name: str, status: InstigatorStatus, socket: str = "/tmp/code") -> InstigatorState:  # noqa: S108 - nothing is there
    location = GrpcServerCodeLocationOrigin(host="localhost", socket=socket, location_name="whalefall_pipelines")
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), name)
    return InstigatorState(origin, InstigatorType.SCHEDULE, status, ScheduleInstigatorData("0 3 * * *", time.time()))


def test_heartbeats_are_read_as_dagster_writes_them(dagsters: tuple[dg.DagsterInstance, Database]) -> None:
    instance, database = dagsters
    assert read_heartbeats(database) == {}
    assert set(DAEMONS) <= set(instance.get_required_daemon_types())
    for age, name in enumerate(DAEMONS):
        for later in (100, 0):
            instance.add_daemon_heartbeat(DaemonHeartbeat(1_790_000_000.5 - age - later, name, "an id", []))
    assert read_heartbeats(database) == {name: datetime.fromtimestamp(1_790_000_000.5 - age, UTC) for age, name in enumerate(DAEMONS)}


def test_automations_are_read_as_dagster_writes_them(dagsters: tuple[dg.DagsterInstance, Database]) -> None:
    instance, database = dagsters
    assert read_automations(database) == {}
    states = {"declared": InstigatorStatus.DECLARED_IN_CODE, "on": InstigatorStatus.RUNNING, "off": InstigatorStatus.RUNNING}
    for name, status in states.items():
        instance.add_instigator_state(state_of(name, status))
    instance.update_instigator_state(state_of("off", InstigatorStatus.STOPPED))
    assert read_automations(database) == {"declared": "DECLARED_IN_CODE", "on": "RUNNING", "off": "STOPPED"}
    instance.update_instigator_state(state_of("off", InstigatorStatus.RUNNING, socket="/tmp/moved"))  # noqa: S108 - nothing is there
    assert read_automations(database)["off"] == "RUNNING"
