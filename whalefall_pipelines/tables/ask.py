"""Answers from the store: the tables of a database as they were read last, and the history of one table."""

from collections.abc import Sequence

from whalefall_pipelines.domain.instances import Instance
from whalefall_pipelines.errors import InputError, NotFoundError
from whalefall_pipelines.inventory.fleet import split_target
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.tables import store
from whalefall_pipelines.tables.model import TableDay, TableName, TablesOfDay, Wanted


def split_table_target(database: Database, target: str) -> tuple[Instance, str]:
    """The instance and the rest of a text `INSTANCE/REST`.

    Raises:
        NotFoundError: no instance of this name is registered.
        InputError: nothing is named within the instance.
    """
    instance, rest = split_target(database, target)
    if rest is None:
        raise InputError(f"{target!r} does not name a database; write INSTANCE/DATABASE.")
    return instance, rest


def tables_of(database: Database, instance: Instance, database_name: str, wanted: Wanted) -> TablesOfDay:
    """The largest tables of a database on the newest day on which they were read.

    Raises:
        NotFoundError: they were never read, with the reason if they were asked for.
    """
    identifiers = instance.instance_id, database_name
    with database.transaction() as cursor:
        newest = observation = store.find_observation(cursor, *identifiers)
        if newest and newest.reason:
            observation = store.find_observation(cursor, *identifiers, before_day=newest.stat_date)
        if observation is None:
            target = f"{instance.name}/{database_name}"
            why = f" They could not be read on {newest.stat_date} ({newest.reason}): {newest.detail}" if newest else ""
            raise NotFoundError(f"The tables of {target!r} were never read; read them with `whalefall tables {target} --refresh`.{why}")
        before = store.find_observation(cursor, *identifiers, before_day=observation.stat_date)
        days = observation.stat_date, before.stat_date if before else None
        return TablesOfDay(observation, before, store.list_tables(cursor, *identifiers, days, wanted))


def history_of(database: Database, instance: Instance, named: str) -> tuple[TableName, Sequence[TableDay]]:
    """The days of the table that is named as DATABASE.SCHEMA.TABLE (DATABASE.TABLE on MySQL), from the first one with a size.

    Raises:
        NotFoundError: no such table is stored.
        InputError: several are, because names hold dots.
    """
    with database.transaction() as cursor:
        tables = store.find_tables(cursor, instance.instance_id, named)
        if not tables:
            form = "Write DATABASE.SCHEMA.TABLE as `whalefall tables` shows it, on MySQL without a schema."
            raise NotFoundError(f"No table {named!r} of {instance.name!r} is stored. {form}")
        table, *others = tables
        if others:
            listed = ", ".join(f"table {name.table_name!r} in schema {name.schema_name!r} of {name.database_name!r}" for name in tables)
            raise InputError(f"{named!r} names several tables: {listed}.")
        days = store.list_history(cursor, instance.instance_id, table)
    first = next((place for place, day in enumerate(days) if day.total_bytes is not None), 0)
    return table, days[first:]
