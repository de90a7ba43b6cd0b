"""Migrates the schemas of whalefall and Dagster, and reports what was done."""

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
    """The applied migrations of whalefall's schema, and the address of the store."""

    address: StoreAddress
    created_databases: tuple[str, ...]
    applied_migrations: tuple[str, ...]
    schema_version: int
    timezone: ZoneInfo


def migrate(settings: Settings) -> Migrated:
    """Start the embedded store if it is used, create missing databases, and migrate whalefall's schema.

    Raises:
        StoreError: a database is missing and this login may not create it, or a migration failed.
        InputError: the store has a different time zone than WHALEFALL_TIMEZONE.
    """
    address = embedded.start(settings)
    created = tuple(describe(url) for url in (address.whalefall, address.dagster) if create_missing_database(url))
    applied = tuple(migration.name for migration in migrate_store(settings, address))
    with closing(embedded.open_database(settings)) as database:
        return Migrated(address, created, applied, migrations.shipped()[-1].version, database.timezone)


def migrate_dagster(settings: Settings, migrated: Migrated) -> None:
    """Migrate Dagster's tables, which takes seconds.

    Raises:
        LocalServerError: Dagster failed.
    """
    migrate_dagster_tables(settings, os.environ | dagster_environment(settings, migrated.address, migrated.timezone))
