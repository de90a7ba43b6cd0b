"""Tells whether the store contains the same as before, without reading it."""

from whalefall_pipelines import queries
from whalefall_pipelines.store.database import Database


def read_contents(database: Database) -> str:
    """A text that stays equal as long as nobody writes anything to the server of the store."""
    with database.transaction() as cursor:
        cursor.execute(queries.load("store/read_contents"))
        (contents,) = cursor.fetchone() or ("",)
        return str(contents)
