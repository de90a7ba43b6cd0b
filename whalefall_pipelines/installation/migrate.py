"""Brings the schemas of the store up to date, whalefall's and Dagster's, and says what was done."""

import os
from contextlib import closing
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from whalefall_pipelines.runtime import embedded
from whalefall_pipelines.runtime.dagster_environment import dagster_environment
from whalefall_pipelines.runtime.dagster_processes import migrate as migrate_dagster_tables
from whalefall_pipelines.runtime.embedded import StoreAddress
from whalefall_pipelines.runtime.open_store import migrate_store
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store import migrations
from whalefall_pipelines.store.creation import create_missing_database
from whalefall_pipelines.store.urls import describe


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done to whalefall's schema, and where the store is."""

    address: StoreAddress
    created_databases: tuple[str, ...]
    applied_migrations: tuple[str, ...]
    schema_version: int
    timezone: ZoneInfo


def migrate(settings: Settings) -> Migrated:
    """Start the embedded store if that is the one, make the databases that are missing, and migrate whalefall's.

    Raises:
        StoreError: a database is missing and this login may not make it, or a migration failed.
        InputError: the store counts its days by another time zone.
    """
    address = embedded.start(settings)
    created = tuple(describe(url) for url in (address.whalefall, address.dagster) if create_missing_database(url))
    applied = tuple(migration.name for migration in migrate_store(settings, address))
    with closing(embedded.open_database(settings)) as database:
        return Migrated(address, created, applied, migrations.shipped()[-1].version, database.timezone)


def migrate_dagster(settings: Settings, migrated: Migrated) -> None:
    """Bring the tables of Dagster up to date, which takes seconds.

    Raises:
        LocalServerError: Dagster could not do it.
    """
    migrate_dagster_tables(settings, os.environ | dagster_environment(settings, migrated.address, migrated.timezone))
