"""The routes of tables: the largest tables of a database as they were read last, and reading them now."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Path, Query

from whalefall_pipelines.api_base.answers import Reply
from whalefall_pipelines.api_base.filters import TEXT, InstanceId
from whalefall_pipelines.api_base.routes import Routes
from whalefall_pipelines.api_base.services import ServicesOf
from whalefall_pipelines.inventory.fleet import registered_instance
from whalefall_pipelines.tables.ask import tables_of
from whalefall_pipelines.tables.collect import read_now
from whalefall_pipelines.tables.model import StoredTable, Wanted

ROUTES = Routes("tables")
DatabaseOf = Annotated[str, Path(min_length=1, max_length=512, pattern=TEXT, description="The database.")]


@dataclass(frozen=True, slots=True)
class TablesView:
    """The largest tables of a database on the newest day on which they were read, and the day that growth is against."""

    instance_id: int
    instance_name: str
    database_name: str
    stat_date: date
    collected_at: datetime
    total_bytes: int | None
    compared_with: date | None
    missing: int
    tables: tuple[StoredTable, ...]


@dataclass(frozen=True, slots=True)
class TablesRead:
    """What was read of a database now."""

    instance_id: int
    database_name: str
    total_bytes: int | None
    missing_tables: int


@ROUTES.get("/instances/{instance_id}/databases/{database_name}/tables/sizes")
def list_table_sizes(
    services: ServicesOf,
    instance_id: InstanceId,
    database_name: DatabaseOf,
    schema_name: Annotated[str | None, Query(max_length=512, pattern=TEXT, description="Only tables of this schema.")] = None,
    with_partitions: Annotated[bool, Query(description="Also list table partitions.")] = False,
    limit: Annotated[int, Query(ge=1, le=1000, description="Maximum number of rows.")] = 200,
) -> TablesView:
    """List the largest tables of a database from the last reading."""
    instance = registered_instance(services.reader, instance_id).instance
    day = tables_of(services.reader, instance, database_name, Wanted(schema_name, with_partitions, limit))
    return TablesView(
        instance_id,
        instance.name,
        database_name,
        day.observation.stat_date,
        day.observation.collected_at,
        day.observation.total_bytes,
        day.before.stat_date if day.before else None,
        len(day.observation.missing),
        tuple(day.tables),
    )


@ROUTES.post("/instances/{instance_id}/databases/{database_name}/tables/sizes/actions/refresh")
def refresh_table_sizes(services: ServicesOf, instance_id: InstanceId, database_name: DatabaseOf) -> Reply[TablesRead]:
    """Read the tables of a database now."""
    outcome = read_now(services.settings, services.writer, instance_id, database_name, services.fleet)
    read = TablesRead(instance_id, outcome.database_name, outcome.total_bytes, outcome.missing_tables)
    return Reply(read, "the tables were read")
