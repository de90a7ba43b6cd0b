"""An engine as somebody would add it: one module with `connect`, which yields a probe. Its server is a dictionary."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from whalefall_pipelines.domain.capacity import DatabaseSize, Method, MissingSize
from whalefall_pipelines.domain.instances import Instance, Login
from whalefall_pipelines.fleet.deadlines import Watchdog
from whalefall_pipelines.fleet.probe import Deadlines, NoHistory, Probe, Right

SIZES = {"toys": 12, "games": 30}


class ToyProbe(NoHistory):
    server_version = "Toy 1"
    driver = "toy"

    def rights(self) -> Sequence[Right]:
        return ()

    def list_databases(self) -> Sequence[str]:
        return list(SIZES)

    def measure(self, database_names: Sequence[str]) -> Sequence[DatabaseSize | MissingSize]:
        return [DatabaseSize(name, SIZES[name], Method.PG_DATABASE_SIZE) for name in database_names]


@contextmanager
def connect(_instance: Instance, _login: Login, _deadlines: Deadlines, _watchdog: Watchdog) -> Generator[Probe]:
    yield ToyProbe()
