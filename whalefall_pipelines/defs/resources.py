"""What runs need from outside: the store, opened for one step, and the way to the servers. Loading the code location opens nothing."""

from collections.abc import Generator
from contextlib import contextmanager

import dagster as dg

from whalefall_pipelines import settings
from whalefall_pipelines.services.collect_capacity import Collector, server_collector
from whalefall_pipelines.services.expire_rows import Databases, open_databases
from whalefall_pipelines.services.open_store import open_store
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database


class WhalefallResource(dg.ConfigurableResource[None]):
    """The store and the fleet of this installation, as its environment says. It holds no secret and no connection."""

    def installation(self) -> Settings:
        """What this installation's environment says when the step begins."""
        return settings.load()

    @contextmanager
    def store(self) -> Generator[Database]:
        """The store, ready to use, closed with the block."""
        with open_store(settings.load()) as database:
            yield database

    @contextmanager
    def databases(self) -> Generator[Databases]:
        """The store, and Dagster's database beside it, closed with the block."""
        with open_databases(settings.load()) as databases:
            yield databases

    def collector(self, database: Database) -> Collector:
        """What collecting from the real servers needs; tests put another fleet here."""
        return server_collector(settings.load(), database)
