"""What a statement reads according to PostgreSQL: the tables and table partitions of its plan."""

from collections.abc import Mapping
from typing import Any

from psycopg2 import sql
from psycopg2.sql import Composable

from whalefall_pipelines.store.database import Database


def tables_read(store: Database, statement: str | Composable, values: Mapping[str, Any]) -> set[str]:
    """The relations that the executed plan of a statement scanned; its writes are rolled back."""
    scans = _scans(store, statement, values, "analyze, format json")
    return {str(scan["Relation Name"]) for scan in scans if "Relation Name" in scan and scan.get("Actual Loops")}


def tables_planned(store: Database, statement: str | Composable, values: Mapping[str, Any]) -> set[str]:
    """The relations in the plan of a statement, executed or not: each is opened, locked and planned."""
    return {str(scan["Relation Name"]) for scan in _scans(store, statement, values, "format json") if "Relation Name" in scan}


def rows_read(store: Database, statement: str | Composable, values: Mapping[str, Any]) -> float:
    """How many rows the scans of tables and of indexes returned in all, including those that were filtered out."""
    scans = _scans(store, statement, values, "analyze, format json")
    return sum((scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)) * scan["Actual Loops"] for scan in scans)


def _scans(store: Database, statement: str | Composable, values: Mapping[str, Any], options: str) -> list[dict[str, Any]]:
    composed = sql.SQL(statement) if isinstance(statement, str) else statement
    with store.transaction() as cursor:
        cursor.execute("savepoint before")
        cursor.execute(sql.SQL("explain ({}) ").format(sql.SQL(options)) + composed, values)
        (plan,) = cursor.fetchone() or (None,)
        cursor.execute("rollback to before")
    scans: list[dict[str, Any]] = []
    waiting = [plan[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        if "Relation Name" in node or node["Node Type"] == "Bitmap Index Scan":
            scans.append(node)
    return scans
