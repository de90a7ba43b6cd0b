"""What a statement reads, as PostgreSQL itself says: the tables and table partitions of its plan that were really touched."""

from collections.abc import Mapping
from typing import Any

from psycopg2 import sql
from psycopg2.sql import Composable

from whalefall_pipelines.store.database import Database


def tables_read(store: Database, statement: str | Composable, values: Mapping[str, Any]) -> set[str]:
    """The relations that the executed plan of a statement scanned; nothing that it writes is kept."""
    composed = sql.SQL(statement) if isinstance(statement, str) else statement
    with store.transaction() as cursor:
        cursor.execute("savepoint before")
        cursor.execute(sql.SQL("explain (analyze, format json) ") + composed, values)
        (plan,) = cursor.fetchone() or (None,)
        cursor.execute("rollback to before")
    found: set[str] = set()
    waiting = [plan[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if "Relation Name" in node and node.get("Actual Loops"):
            found.add(str(node["Relation Name"]))
    return found
