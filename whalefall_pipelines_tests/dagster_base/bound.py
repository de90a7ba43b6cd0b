"""The resources of a run, bound to what a test has made instead of to this installation."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from whalefall_pipelines.capacity.collect import Collector
from whalefall_pipelines.capacity.resources import CollectorResource
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database


def bound(store: Database, *, settings: Settings | None = None, dagster: Database | None = None) -> WhalefallResource:
    """A resource with this store; what it is not given must not be asked for."""

    class Bound(WhalefallResource):
        @contextmanager
        def store(self) -> Generator[Database]:
            yield store

        @contextmanager
        def dagster_database(self, store: Database) -> Generator[Database]:
            assert dagster
            yield dagster

        def installation(self) -> Settings:
            assert settings
            return settings

    return Bound()


def bound_servers(store: Database, collector: Callable[[], Collector]) -> CollectorResource:
    """A resource with this way to the servers."""

    class BoundServers(CollectorResource):
        def collector(self, database: Database) -> Collector:
            assert database is store
            return collector()

    return BoundServers()
