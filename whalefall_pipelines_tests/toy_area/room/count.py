"""The verb of the area."""

from whalefall_pipelines.toys.store import count_toys

from whalefall_pipelines.store.database import Database


def count(database: Database) -> int:
    """How many toys there are."""
    with database.transaction() as cursor:
        return count_toys(cursor)
