"""Toys in the store."""

from whalefall_pipelines import queries
from whalefall_pipelines.store.database import Cursor


def count_toys(cursor: Cursor) -> int:
    """How many toys were counted on all days."""
    cursor.execute(queries.load("toys/count_toys"))
    (count,) = cursor.fetchone() or (0,)
    return int(count)
