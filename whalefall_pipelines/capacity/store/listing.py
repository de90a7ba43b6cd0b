"""Reads the lists of `capacity/listing.py` and `capacity/explain.py`, each with one statement."""

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from whalefall_pipelines import queries
from whalefall_pipelines.store.database import Database
from whalefall_pipelines.store.rows import fetch_as

Row = TypeVar("Row")
Statement = Literal["list_sizes", "list_latest_sizes", "list_open_gaps", "list_instance_coverage", "explain_day"]


def fetch(database: Database, statement: Statement, model: type[Row], values: Mapping[str, Any]) -> tuple[Row, ...]:
    """The rows of a statement as rows of this model."""
    with database.transaction() as cursor:
        cursor.execute(queries.load(f"capacity/{statement}"), values)
        return fetch_as(cursor, model)
