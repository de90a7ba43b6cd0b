"""Reads the status of a store: the version of its server, its sizes and its schema. `embedded.py` starts and stops it."""

from dataclasses import dataclass

from whalefall_pipelines import queries
from whalefall_pipelines.runtime.embedded import StoreAddress
from whalefall_pipelines.store import installation
from whalefall_pipelines.store.database import Database


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """The status of a store. Unknown values are None: a size without the privilege to read it, a schema that was never created."""

    server_version: str
    whalefall_bytes: int
    dagster_bytes: int | None
    schema_version: int | None
    timezone: str | None


def read_status(database: Database, address: StoreAddress) -> StoreStatus:
    """Read the status.

    Raises:
        StoreUnreachableError: it does not answer.
    """
    server = (address.whalefall.host, address.whalefall.port)
    beside = address.dagster.database if (address.dagster.host, address.dagster.port) == server else None
    with database.transaction() as cursor:
        cursor.execute(queries.load("store/describe_store"), {"dagster_database": beside})
        version, whalefall_bytes, dagster_bytes = cursor.fetchone() or ("", 0, None)
        cursor.execute(queries.load("store/find_schema_migrations"))
        (was_migrated,) = cursor.fetchone() or (False,)
        schema_version: int | None = None
        if was_migrated:
            cursor.execute(queries.load("store/list_migrations"))
            schema_version = max((number for number, *_ in cursor.fetchall()), default=None)
        timezone = installation.find_timezone(cursor)
    return StoreStatus(str(version).split(maxsplit=1)[0], whalefall_bytes, dagster_bytes, schema_version, timezone)
