"""The resource of a run, bound to what a test has made instead of to this installation."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from whalefall_pipelines.capacity.collect import Collector
from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.retention.expire_rows import Databases
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store.database import Database


def bound(
    store: Database, *, collector: Callable[[], Collector] | None = None, settings: Settings | None = None, dagster: Database | None = None
) -> WhalefallResource:
    """A resource with this store; what it is not given must not be asked for."""

    class Bound(WhalefallResource):
        @contextmanager
        def store(self) -> Generator[Database]:
            yield store

        @contextmanager
        def databases(self) -> Generator[Databases]:
            assert dagster
            yield Databases(store, dagster)

        def installation(self) -> Settings:
            assert settings
            return settings

        def collector(self, database: Database) -> Collector:
            assert collector
            assert database is store
            return collector()

    return Bound()
