"""The resources of a run, bound to objects of a test instead of this installation."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

import dagster as dg

from whalefall_pipelines.dagster_base.resources import WhalefallResource
from whalefall_pipelines.sessions.collection import Collection
from whalefall_pipelines.sessions.resources import ServersResource
from whalefall_pipelines.settings import Settings, load_settings
from whalefall_pipelines.store.database import Database


def bound(store: Database, *, settings: Settings | None = None, dagster: Database | None = None) -> WhalefallResource:
    """A resource with this store; anything that is not passed must not be requested."""

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


def bound_servers(store: Database, collection: Callable[[], Collection]) -> ServersResource:
    """A resource with this fleet."""

    class BoundServers(ServersResource):
        def collection(self, database: Database) -> Collection:
            assert database is store
            return collection()

    return BoundServers()


def evaluate(check: dg.AssetChecksDefinition, store: Database, tags: dict[str, str] | None = None) -> dg.AssetCheckResult:
    """Run a single check, as a person does, or with the tags of a run."""
    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions(
            asset_checks=[check], resources={"whalefall": bound(store, settings=load_settings({}))}
        ).resolve_implicit_global_asset_job_def()
        outcome = job.execute_in_process(instance=instance, tags=tags or {})
    (evaluation,) = outcome.get_asset_check_evaluations()
    return dg.AssetCheckResult(
        passed=evaluation.passed, severity=evaluation.severity, description=evaluation.description, metadata=evaluation.metadata
    )
