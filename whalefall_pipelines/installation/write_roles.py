"""Writes the SQL that separates the roles of the store, for an administrator to review and run. Nothing is changed."""

from contextlib import closing
from zoneinfo import ZoneInfo

from whalefall_pipelines.runtime import embedded
from whalefall_pipelines.settings import Settings
from whalefall_pipelines.store import migrations
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.roles import StoreRoles, write_role_statements
from whalefall_pipelines.store.urls import describe


def write_roles(settings: Settings, roles: StoreRoles, *, is_dagster: bool) -> tuple[str, str]:
    """The statements for whalefall's database or for Dagster's, and the description of the database in which they are run.

    Raises:
        SchemaError: the store is not migrated.
        InputError: a name is not a valid role name.
    """
    address = embedded.address(settings)
    with closing(Database(address.dagster if is_dagster else address.whalefall, ZoneInfo("UTC"), pool_size=1)) as database:
        if not is_dagster:
            migrations.check(database)
        return write_role_statements(database, roles, is_dagster=is_dagster), describe(database.url)
